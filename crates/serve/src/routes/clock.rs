//! `PUT /v1/clock`: moves an event clock on, so that marks close what is due. Only for replays and simulations.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use crate::problem::{Body, off_thread};
use crate::{Problem, Service};

/// ms since 1970.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Time {
    time: i64,
}

pub(crate) async fn put(
    State(service): State<Arc<Service>>,
    Body(new): Body<Time>,
) -> Result<Json<Time>, Problem> {
    let answer = off_thread(move || {
        if !service.options.event_time {
            return Err(Problem::conflict(
                "the service runs on the machine's clock; start it with `--clock events`",
            ));
        }
        let time = service.time(Some(new.time))?;
        service.recorder.advance(time)?.wait()?;
        service.accepted(Some(time));
        Ok(Time {
            time: service.options.clock.now_ms(),
        })
    });
    answer.await.map(Json)
}
