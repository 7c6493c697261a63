//! What a client sends to a service that may be killed, and what was acknowledged of it.

use std::sync::mpsc;

use events::{Entity, Feedback};
use serde::Serialize;
use serde_json::{Value, json};

use super::stored::{Stored, items_of};
use super::{id, shown};
use crate::fixture::{Client, Serving};

/// A client's line to the service; it tells of every answer.
pub(super) struct Line {
    pub(super) client: Client,
    pub(super) answered: mpsc::Sender<()>,
}

impl Line {
    pub(super) fn ask<T: Serialize>(&self, method: &str, path: &str, what: T) -> Asked<T> {
        let answer = self
            .client
            .try_send(method, path, &json!(what))
            .map(|(status, answer)| {
                assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
                // Nobody counts the answers after a restart.
                let _ = self.answered.send(());
                answer
            });
        Asked { what, answer }
    }
}

/// A request and its acknowledgement; `None`: the service was gone before it came.
pub(super) struct Asked<T> {
    pub(super) what: T,
    pub(super) answer: Option<Value>,
}

/// What one client sent, in order.
#[derive(Default)]
pub(super) struct Sent {
    pub(super) ranked: Vec<Asked<Value>>,
    pub(super) posted: Vec<Asked<Value>>,
    pub(super) feedback: Vec<Asked<Vec<Feedback>>>,
    pub(super) items: Vec<Asked<Vec<Entity>>>,
    pub(super) users: Vec<Asked<Vec<Entity>>>,
}

impl Sent {
    pub(super) fn unanswered(&self) -> usize {
        fn of<T>(asked: &[Asked<T>]) -> usize {
            asked.iter().filter(|asked| asked.answer.is_none()).count()
        }
        of(&self.ranked) + of(&self.posted) + of(&self.feedback) + of(&self.items) + of(&self.users)
    }

    /// Sends it again: all that is stored is a duplicate, the rest is stored now.
    pub(super) fn retry(&mut self, serving: &Serving, stored: &Stored) {
        // The slates of earlier requests are committed by the feedback that followed or were nobody's; the last may be lost.
        if let Some(last) = self.ranked.last_mut() {
            let (status, answer) = serving.post("/v1/rank", &last.what);
            assert_eq!(status, 200, "{answer}");
            if let Some(slate) = stored.slates.get(answer["slate"].as_str().unwrap()) {
                assert_eq!(shown(&answer), items_of(slate));
            }
            last.answer = Some(answer);
        }
        retry(serving, "/v1/slates", &mut self.posted, |slate| {
            vec![stored.slates.contains_key(id(slate))]
        });
        retry(serving, "/v1/feedback", &mut self.feedback, |batch| {
            batch
                .iter()
                .map(|feedback| stored.feedback.contains_key(&feedback.id))
                .collect()
        });
        for (path, writes) in [("/v1/items", &mut self.items), ("/v1/users", &mut self.users)] {
            for write in writes.iter_mut().filter(|write| write.answer.is_none()) {
                let (status, answer) = serving.put(path, &json!(write.what));
                assert_eq!(status, 200, "{answer}");
                write.answer = Some(answer);
            }
        }
    }
}

/// Sends what was posted again; `known` says of each event in a request whether it is stored.
fn retry<T: Serialize>(
    serving: &Serving,
    path: &str,
    asked: &mut [Asked<T>],
    known: impl Fn(&T) -> Vec<bool>,
) {
    for asked in asked {
        let (status, answer) = serving.post(path, &json!(asked.what));
        let known = known(&asked.what);
        let duplicates = known.iter().filter(|known| **known).count();
        let expected = json!({ "stored": known.len() - duplicates, "duplicates": duplicates, "orphans": 0 });
        assert_eq!(
            (status, &answer),
            (202, &expected),
            "{path} {}",
            json!(asked.what)
        );
        asked.answer = Some(answer);
    }
}
