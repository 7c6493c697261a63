//! `POST /v1/rank`: orders candidates and records the slate.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use events::{ExampleBuilder, ExampleRow, Examples, Fields, Impression, Slate};
use model::{Positions, Predictions, Ranked};
use serde::{Deserialize, Serialize};
use spec::Spec;

use super::candidate::{self, Candidate};
use crate::explore::{Draw, Draws};
use crate::names::{Names, Warnings};
use crate::problem::{Body, off_thread};
use crate::resolve::Shared;
use crate::service::same_user;
use crate::{Live, Problem, Service};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RankRequest {
    user: String,
    query: Option<String>,
    /// Values of user-, context- and query-side fields.
    #[serde(default)]
    context: Fields,
    candidates: Option<Vec<Candidate>>,
    /// Most items in the slate; default all candidates.
    limit: Option<usize>,
    /// The client's id of the request: a retry gets the same slate.
    request: Option<String>,
    /// ms since 1970; default now.
    time: Option<i64>,
}

impl RankRequest {
    fn candidates(&self) -> Result<&[Candidate], Problem> {
        let Some(candidates) = &self.candidates else {
            return Err(Problem::unusable(
                "`candidates` is missing: name the items to rank; there is no retrieval yet",
            ));
        };
        candidate::check_count(candidates)?;
        Ok(candidates)
    }

    /// What is given under names that no field reads.
    fn warnings(&self, names: &Names) -> Vec<String> {
        let mut shared = Warnings::of(&names.shared);
        for name in self.context.keys() {
            shared.look(name, || "`context`".to_owned());
        }
        let mut of_items = Warnings::of(&names.item);
        for (item, given) in self.candidates.iter().flatten().map(Candidate::parts) {
            for name in given.keys() {
                of_items.look(name, || format!("candidate `{item}`"));
            }
        }
        [shared.finish(), of_items.finish()].concat()
    }
}

#[derive(Serialize)]
struct RankAnswer {
    slate: String,
    model: String,
    score_version: i64,
    items: Vec<RankedItem>,
    /// Whether the first of them are in random order.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    shuffled: bool,
    /// What was given and is not read, most likely by mistake.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct RankedItem {
    item: String,
    position: u32,
    score: f64,
    /// By objective.
    predictions: BTreeMap<String, f32>,
}

pub(crate) async fn post(
    State(service): State<Arc<Service>>,
    Body(request): Body<RankRequest>,
) -> Result<Json<serde_json::Value>, Problem> {
    off_thread(move || rank(&service, request)).await.map(Json)
}

fn rank(service: &Service, request: RankRequest) -> Result<serde_json::Value, Problem> {
    let time = service.time(request.time)?;
    let live = service.live()?;
    let id = service.slate_id(request.request.as_deref());
    let user = &request.user;
    if let Some(request) = &request.request {
        if let Some(answer) = service.answered(request, user)? {
            return Ok(answer);
        }
        if let Some(slate) = service.recorder.slate(&id)? {
            same_user(request, &slate.user, user)?;
            return answer_again(service, slate);
        }
    }
    let spec = live.ranker.spec().clone();
    let (slate, scores) = ranked_slate(service, &live, &spec, id, time, &request)?;
    let warnings = request.warnings(&live.names);
    let answer = answer(
        &slate,
        &spec,
        &live.version,
        live.score_version,
        &scores,
        warnings,
    )?;
    let answer = service.settle(slate, request.request.as_deref(), answer)?;
    service.accepted(request.time);
    Ok(answer)
}

/// Resolves, encodes, predicts and orders: the slate to record and its scores.
fn ranked_slate(
    service: &Service,
    live: &Live,
    spec: &Spec,
    id: String,
    time: i64,
    request: &RankRequest,
) -> Result<(Slate, Vec<f64>), Problem> {
    let candidates = request.candidates()?;
    // One read for the user and all candidates, so that one `as_of` holds for all of it.
    let derived = {
        let derived = service.recorder.derived();
        let derived = derived.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let items = candidates.iter().map(|candidate| candidate.parts().0);
        derived.values(&request.user, items, time, &live.derived)
    };
    let candidates = candidates.iter().zip(derived.items);
    let (shared, candidates) = {
        let catalogue = service.catalogue();
        let shared = Shared {
            spec,
            catalogue: &catalogue,
            user: &request.user,
            query: request.query.as_deref(),
            context: &request.context,
            now: time,
        };
        (
            shared.fields(derived.shared)?,
            candidate::resolved(spec, &catalogue, candidates, time)?,
        )
    };
    let mut slate = Slate {
        id,
        time,
        user: request.user.clone(),
        query: request.query.clone(),
        shared,
        impressions: Vec::new(),
        model: Some(live.version.clone()),
        score_version: Some(live.score_version),
        as_of: derived.as_of,
        shuffled: false,
        candidates: None,
    };
    let examples = candidate_examples(spec, &slate, &candidates)?;
    let predictions = live.ranker.predict_examples(&examples, Positions::Served);
    let limit = request.limit.unwrap_or(usize::MAX);
    let scores = order(service, live, &mut slate, candidates, &predictions, limit);
    Ok((slate, scores))
}

/// Ranks the candidates and, where the slate is drawn for it, shuffles the first of them and logs all. Writes the slate's impressions;
/// returns their scores.
fn order(
    service: &Service,
    live: &Live,
    slate: &mut Slate,
    candidates: Vec<(String, Fields)>,
    predictions: &Predictions,
    limit: usize,
) -> Vec<f64> {
    let items: Vec<&str> = candidates.iter().map(|(item, _)| item.as_str()).collect();
    let mut ranked = live.score.rank(&items, predictions);
    ranked.truncate(limit);
    let settings = service.settings(live.ranker.spec());
    let draws = Draws {
        nonce: service.options.nonce,
        slate: &slate.id,
    };
    let log_all = draws.is_in(settings.log.candidates, Draw::Candidates);
    slate.shuffled = draws.is_in(settings.explore.shuffle, Draw::Shuffle);
    if slate.shuffled {
        draws.shuffle(&mut ranked, |ranked| items[ranked.candidate]);
    }
    slate.candidates = log_all.then(|| logged(&candidates, predictions));
    slate.impressions = impressions(candidates, predictions, &ranked);
    ranked.iter().map(|ranked| ranked.score).collect()
}

/// The candidates as the examples that training would see, without labels and positions.
fn candidate_examples(
    spec: &Spec,
    slate: &Slate,
    candidates: &[(String, Fields)],
) -> Result<Examples, Problem> {
    let mut builder = ExampleBuilder::new(spec);
    let labels = vec![None; spec.objectives.len()];
    for (item, fields) in candidates {
        builder.push(&ExampleRow {
            key: 0,
            time: slate.time,
            user: &slate.user,
            item,
            slate: Some(&slate.id),
            position: None,
            shuffled: false,
            query: slate.query.as_deref(),
            shared: &slate.shared,
            fields,
            labels: &labels,
        })?;
    }
    Ok(builder.finish())
}

/// The candidates as they are logged.
fn logged(candidates: &[(String, Fields)], predictions: &Predictions) -> Vec<events::Candidate> {
    let candidates = candidates.iter().enumerate();
    candidates
        .map(|(at, (item, fields))| events::Candidate {
            item: item.clone(),
            fields: fields.clone(),
            predictions: predictions.row(at),
        })
        .collect()
}

fn impressions(
    mut candidates: Vec<(String, Fields)>,
    predictions: &Predictions,
    ranked: &[Ranked],
) -> Vec<Impression> {
    let ranked = (1u32..).zip(ranked);
    ranked
        .map(|(position, ranked)| {
            let (item, fields) = std::mem::take(&mut candidates[ranked.candidate]);
            Impression {
                item,
                position,
                fields,
                predictions: predictions.row(ranked.candidate),
                propensity: None,
            }
        })
        .collect()
}

fn answer(
    slate: &Slate,
    spec: &Spec,
    model: &str,
    score_version: i64,
    scores: &[f64],
    warnings: Vec<String>,
) -> Result<serde_json::Value, Problem> {
    let items = slate.impressions.iter().zip(scores).map(|(impression, &score)| {
        let predictions = spec.objectives.iter().zip(&impression.predictions);
        RankedItem {
            item: impression.item.clone(),
            position: impression.position,
            score,
            predictions: predictions
                .map(|(objective, &value)| (objective.name.clone(), value))
                .collect(),
        }
    });
    let answer = RankAnswer {
        slate: slate.id.clone(),
        model: model.to_owned(),
        score_version,
        items: items.collect(),
        shuffled: slate.shuffled,
        warnings,
    };
    serde_json::to_value(answer).map_err(|error| Problem::unavailable(error.to_string()))
}

/// The answer of a slate that an earlier run of the service recorded.
fn answer_again(service: &Service, slate: Slate) -> Result<serde_json::Value, Problem> {
    let (Some(version), Some(score_version)) = (slate.model.clone(), slate.score_version) else {
        return Err(Problem::conflict(format!(
            "`request` names slate `{}`, which another ranker showed",
            slate.id
        )));
    };
    let ranker = service.registry.load(&version)?;
    let scores = service.state.scores()?;
    let newest = scores
        .iter()
        .find(|row| row.version == score_version)
        .map(|row| (row.version, &row.weights));
    let live = Live::new(version.clone(), Arc::new(ranker), newest);
    let scores: Vec<f64> = slate
        .impressions
        .iter()
        .map(|impression| live.score.combine(&impression.predictions))
        .collect();
    answer(
        &slate,
        live.ranker.spec(),
        &version,
        score_version,
        &scores,
        Vec::new(),
    )
}
