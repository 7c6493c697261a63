//! `POST /v1/feedback`: what people did; answered once it is durable.

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
        let feedback = posted.into_iter().map(feedback).collect::<Result<_, Problem>>()?;
        let receipt = service.recorder.record_feedback(feedback)?;
        service.accepted(carried);
        stored(receipt)
    });
    Ok((StatusCode::ACCEPTED, Json(answer.await?)))
}

/// Waits until all of it is durable.
pub(crate) fn stored(receipt: Receipt) -> Result<Stored, Problem> {
    let recorded = receipt.wait()?;
    Ok(Stored {
        stored: recorded.stored,
        duplicates: recorded.duplicates,
        orphans: recorded.orphans,
    })
}
