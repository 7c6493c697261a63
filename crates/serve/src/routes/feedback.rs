//! `POST /v1/feedback`: what people did; answered once it is durable.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use events::{Feedback, Receipt};
use serde::{Deserialize, Serialize};

use crate::problem::{OneOrMany, off_thread};
use crate::{Problem, Service};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PostedFeedback {
    /// The client's own id: the same id twice counts once.
    id: String,
    slate: String,
    item: String,
    kind: String,
    value: Option<f64>,
    /// ms since 1970; default now.
    time: Option<i64>,
}

/// What became of posted events.
#[derive(Debug, Serialize)]
pub(crate) struct Stored {
    stored: usize,
    duplicates: usize,
    /// Feedback whose slate is unknown: kept, counted, never used.
    orphans: usize,
    /// What was given and is not read, most likely by mistake.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

impl Stored {
    /// Whether nothing of it was in the log before.
    pub(crate) fn is_all_new(&self) -> bool {
        self.duplicates == 0
    }
}

pub(crate) async fn post(
    State(service): State<Arc<Service>>,
    OneOrMany(posted): OneOrMany<PostedFeedback>,
) -> Result<(StatusCode, Json<Stored>), Problem> {
    for feedback in &posted {
        if feedback.id.is_empty() || feedback.kind.is_empty() {
            return Err(Problem::unusable("feedback needs a non-empty `id` and `kind`"));
        }
    }
    let answer = off_thread(move || {
        let feedback = |posted: PostedFeedback| {
            let time = service
                .time(posted.time)
                .map_err(|problem| problem.within(&format!("feedback `{}`", posted.id)))?;
            Ok(Feedback {
                time,
                id: posted.id,
                slate: posted.slate,
                item: posted.item,
                kind: posted.kind,
                value: posted.value,
            })
        };
        let carried = posted.iter().filter_map(|posted| posted.time).max();
        let feedback = posted
            .into_iter()
            .map(feedback)
            .collect::<Result<Vec<_>, Problem>>()?;
        let warnings = warnings(&service, &feedback);
        let receipt = service.recorder.record_feedback(feedback)?;
        service.accepted(carried);
        stored(receipt, warnings)
    });
    Ok((StatusCode::ACCEPTED, Json(answer.await?)))
}

/// Feedback of kinds that nothing reads, each kind once, and of items that their slate does not show, each slate once.
fn warnings(service: &Service, feedback: &[Feedback]) -> Vec<String> {
    let (mut of_kinds, mut of_slates) = (BTreeMap::new(), BTreeMap::new());
    let names = service.names();
    let shown = service.shown();
    for feedback in feedback {
        let Feedback {
            id,
            slate,
            item,
            kind,
            ..
        } = feedback;
        if let Some(names) = &names
            && !of_kinds.contains_key(kind)
        {
            let unread = names.unread_kind(kind);
            of_kinds.insert(kind, unread.map(|unread| format!("feedback `{id}`: {unread}")));
        }
        if shown.lacks(slate, item) && !of_slates.contains_key(slate) {
            let lacks = format!(
                "feedback `{id}`: slate `{slate}` does not show item `{item}`; it is kept, and gives no label"
            );
            of_slates.insert(slate, Some(lacks));
        }
    }
    let all = of_kinds.into_values().chain(of_slates.into_values());
    all.flatten().collect()
}

/// Waits until all of it is durable.
pub(crate) fn stored(receipt: Receipt, warnings: Vec<String>) -> Result<Stored, Problem> {
    let recorded = receipt.wait()?;
    Ok(Stored {
        stored: recorded.stored,
        duplicates: recorded.duplicates,
        orphans: recorded.orphans,
        warnings,
    })
}
