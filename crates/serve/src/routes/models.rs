//! `GET /v1/models`, `POST /v1/models/{version}/promote`, `POST /v1/models/rollback`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use events::ModelRow;
use serde::Serialize;

use crate::problem::off_thread;
use crate::{Problem, Service};

#[derive(Serialize)]
pub(crate) struct Models {
    /// The version that answers now; `null` before the first.
    serving: Option<String>,
    models: Vec<Listed>,
}

#[derive(Serialize)]
struct Listed {
    version: String,
    created_ms: i64,
    /// promoted or rejected, when it was judged.
    status: String,
    verdict: serde_json::Value,
}

#[derive(Serialize)]
pub(crate) struct Serving {
    serving: String,
}

pub(crate) async fn list(State(service): State<Arc<Service>>) -> Result<Json<Models>, Problem> {
    let answer = off_thread(move || {
        let listed = |row: ModelRow| Listed {
            version: row.version,
            created_ms: row.created_ms,
            status: row.status,
            verdict: row.verdict,
        };
        let models = service.state.models()?.into_iter().map(listed).collect();
        Ok(Models {
            serving: service.live.load().as_ref().map(|live| live.version.clone()),
            models,
        })
    });
    answer.await.map(Json)
}

pub(crate) async fn promote(
    State(service): State<Arc<Service>>,
    Path(version): Path<String>,
) -> Result<Json<Serving>, Problem> {
    let answer = off_thread(move || {
        if !service.state.models()?.iter().any(|row| row.version == version) {
            return Err(Problem::not_found(format!(
                "no model `{version}`; `GET /v1/models` lists them"
            )));
        }
        // Read before it is promoted: a damaged artifact must not become the one in service.
        service.registry.load(&version)?;
        service.state.promote(&version, service.options.clock.now_ms())?;
        service.reload();
        Ok(Serving { serving: version })
    });
    answer.await.map(Json)
}

pub(crate) async fn rollback(State(service): State<Arc<Service>>) -> Result<Json<Serving>, Problem> {
    let answer = off_thread(move || {
        let version = service
            .state
            .rollback(service.options.clock.now_ms())
            .map_err(|error| Problem::conflict(error.to_string()))?;
        service.reload();
        Ok(Serving { serving: version })
    });
    answer.await.map(Json)
}
