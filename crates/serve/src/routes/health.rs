//! `GET /healthz`: the process answers. `GET /readyz`: it can rank.

use std::sync::{Arc, PoisonError};

use axum::Json;
use axum::extract::State;

use crate::{Problem, Service};

pub(crate) async fn alive() -> Json<serde_json::Value> {
    Json(serde_json::json!({ "alive": true }))
}

pub(crate) async fn ready(State(service): State<Arc<Service>>) -> Result<Json<serde_json::Value>, Problem> {
    let live = service.live()?;
    let trouble = service
        .trouble
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    Ok(Json(
        serde_json::json!({ "ready": true, "model": live.version, "trouble": trouble }),
    ))
}
