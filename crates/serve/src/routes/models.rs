//! `GET /v1/models`, `POST /v1/models/{version}/promote`, `POST /v1/models/rollback`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use events::{EventsError, ModelRow};
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
        serving(&service)
    });
    answer.await.map(Json)
}

pub(crate) async fn rollback(State(service): State<Arc<Service>>) -> Result<Json<Serving>, Problem> {
    let answer = off_thread(move || {
        let refused = |error: EventsError| match error {
            EventsError::NothingBefore => Problem::conflict(error.to_string()),
            error => error.into(),
        };
        // Read before it is rolled back to, as above.
        let target = service.state.rollback_target().map_err(refused)?;
        service.registry.load(&target)?;
        service
            .state
            .rollback(service.options.clock.now_ms())
            .map_err(refused)?;
        serving(&service)
    });
    answer.await.map(Json)
}

/// What is live once the store's newest promotion is loaded.
fn serving(service: &Service) -> Result<Serving, Problem> {
    service.reload()?;
    Ok(Serving {
        serving: service.live()?.version.clone(),
    })
}
