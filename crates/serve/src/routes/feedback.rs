//! `POST /v1/feedback`: what people did; answered once it is durable.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use events::{Feedback, Receipt};
use serde::{Deserialize, Serialize};

use crate::problem::{Body, off_thread};
use crate::{Problem, Service};

/// One or many.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Posted {
    Many(Vec<PostedFeedback>),
    One(PostedFeedback),
}

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
#[derive(Debug, Default, Serialize)]
pub(crate) struct Stored {
    stored: usize,
    duplicates: usize,
    /// Feedback whose slate is unknown: kept, counted, never used.
    orphans: usize,
}

pub(crate) async fn post(
    State(service): State<Arc<Service>>,
    Body(posted): Body<Posted>,
) -> Result<(StatusCode, Json<Stored>), Problem> {
    let posted = match posted {
        Posted::Many(feedback) => feedback,
        Posted::One(feedback) => vec![feedback],
    };
    for feedback in &posted {
        if feedback.id.is_empty() || feedback.kind.is_empty() {
            return Err(Problem::unusable("feedback needs a non-empty `id` and `kind`"));
        }
    }
    let answer = off_thread(move || {
        let feedback = posted.into_iter().map(|posted| Feedback {
            time: service.time(posted.time),
            id: posted.id,
            slate: posted.slate,
            item: posted.item,
            kind: posted.kind,
            value: posted.value,
        });
        stored(vec![service.recorder.record_feedback(feedback.collect())?])
    });
    Ok((StatusCode::ACCEPTED, Json(answer.await?)))
}

/// Waits until all of it is durable.
pub(crate) fn stored(receipts: Vec<Receipt>) -> Result<Stored, Problem> {
    let mut sum = Stored::default();
    for receipt in receipts {
        let recorded = receipt.wait()?;
        sum.stored += recorded.stored;
        sum.duplicates += recorded.duplicates;
        sum.orphans += recorded.orphans;
    }
    Ok(sum)
}
