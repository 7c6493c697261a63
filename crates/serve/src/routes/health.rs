//! `GET /healthz`: the process answers. `GET /readyz`: it can rank, and write the log.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::{Problem, Service};

pub(crate) async fn alive() -> Json<serde_json::Value> {
    Json(serde_json::json!({ "alive": true }))
}

pub(crate) async fn ready(State(service): State<Arc<Service>>) -> Result<Json<serde_json::Value>, Problem> {
    let live = service.live()?;
    if let Some(failure) = service.recorder.failure() {
        return Err(Problem::unavailable(format!(
            "the log cannot be written: {failure}"
        )));
    }
    Ok(Json(serde_json::json!({
        "ready": true, "model": live.version, "trouble": service.reload_trouble(),
    })))
}
