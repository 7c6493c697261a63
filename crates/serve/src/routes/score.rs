//! `GET|PUT /v1/score`: the score weights, live and versioned.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use model::ScoreWeights;
use serde::{Deserialize, Serialize};

use crate::problem::{Body, off_thread};
use crate::{Problem, Service};

#[derive(Serialize)]
pub(crate) struct Score {
    /// 0 = the declaration's own.
    version: i64,
    weights: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewScore {
    weights: BTreeMap<String, f64>,
}

pub(crate) async fn get(State(service): State<Arc<Service>>) -> Result<Json<Score>, Problem> {
    let live = service.live()?;
    Ok(Json(Score {
        version: live.score_version,
        weights: live.score.to_names(live.ranker.spec()),
    }))
}

pub(crate) async fn put(
    State(service): State<Arc<Service>>,
    Body(new): Body<NewScore>,
) -> Result<Json<Score>, Problem> {
    let answer = off_thread(move || {
        let live = service.live()?;
        ScoreWeights::from_names(live.ranker.spec(), &new.weights).map_err(Problem::unusable)?;
        let version = service
            .state
            .put_score(&new.weights, service.options.clock.now_ms())?;
        service.reload()?;
        Ok(Score {
            version,
            weights: new.weights,
        })
    });
    answer.await.map(Json)
}
