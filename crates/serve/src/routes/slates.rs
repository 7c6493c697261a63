//! `POST /v1/slates`: slates that another ranker showed; answered once they are durable.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use events::{Fields, HistoryRule, Impression, Slate};
use serde::Deserialize;

use crate::problem::{OneOrMany, off_thread};
use crate::resolve::{Shared, item_fields};
use crate::routes::feedback::{Stored, stored};
use crate::service::OWN_PREFIXES;
use crate::{Problem, Service};

/// A slate that was shown elsewhere.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PostedSlate {
    /// The client's own id: the same id twice counts once.
    id: String,
    user: String,
    query: Option<String>,
    /// Values of user-, context- and query-side fields.
    #[serde(default)]
    context: Fields,
    /// In order of position.
    items: Vec<PostedItem>,
    /// ms since 1970; default now.
    time: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PostedItem {
    item: String,
    /// From 1; default its place in `items`.
    position: Option<u32>,
    #[serde(default)]
    fields: Fields,
    /// Probability with which the showing policy put it there.
    propensity: Option<f64>,
}

pub(crate) async fn post(
    State(service): State<Arc<Service>>,
    OneOrMany(posted): OneOrMany<PostedSlate>,
) -> Result<(StatusCode, Json<Stored>), Problem> {
    let answer = off_thread(move || {
        let carried = posted.iter().filter_map(|posted| posted.time).max();
        // All are read before the first is stored: a bad one refuses the request whole.
        let slates: Vec<Slate> = posted
            .into_iter()
            .map(|posted| resolve(&service, posted))
            .collect::<Result<_, _>>()?;
        let receipt = service.recorder.record_slates(slates)?;
        service.accepted(carried);
        stored(receipt)
    });
    Ok((StatusCode::ACCEPTED, Json(answer.await?)))
}

fn resolve(service: &Service, posted: PostedSlate) -> Result<Slate, Problem> {
    let place = format!("slate `{}`", posted.id);
    if posted.id.is_empty() || posted.items.is_empty() {
        return Err(Problem::unusable(
            "a slate needs a non-empty `id` and at least one item",
        ));
    }
    if let Some(prefix) = OWN_PREFIXES.iter().find(|&&prefix| posted.id.starts_with(prefix)) {
        return Err(Problem::unusable(format!(
            "{place}: ids that start with `{prefix}` are the service's own; choose another"
        )));
    }
    let time = service
        .time(posted.time)
        .map_err(|problem| problem.within(&place))?;
    let Some(spec) = service.declaration() else {
        return Err(Problem::unavailable(
            "no declaration yet, so the fields of a slate are unknown: start with `--spec` or `--model`",
        ));
    };
    let (as_of, derived) = {
        let derived = service.recorder.derived();
        let derived = derived.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        derived.values(&posted.user, &HistoryRule::of(&spec))
    };
    let catalogue = service.catalogue();
    let shared = Shared {
        spec: &spec,
        catalogue: &catalogue,
        user: &posted.user,
        query: posted.query.as_deref(),
        context: &posted.context,
    };
    let shared = shared.fields(derived).map_err(|problem| problem.within(&place))?;
    let mut impressions = Vec::with_capacity(posted.items.len());
    for (place_in_list, item) in (1u32..).zip(posted.items) {
        let position = item.position.unwrap_or(place_in_list);
        if position == 0 {
            return Err(Problem::unusable(format!(
                "{place}: item `{}` is at position 0; positions count from 1",
                item.item
            )));
        }
        if item.propensity.is_some_and(|p| !(p > 0.0 && p <= 1.0)) {
            return Err(Problem::unusable(format!(
                "{place}: propensity of item `{}` is not in (0, 1]",
                item.item
            )));
        }
        let fields = item_fields(&spec, &catalogue, &item.item, &item.fields)
            .map_err(|problem| problem.within(&place))?;
        impressions.push(Impression {
            item: item.item,
            position,
            fields,
            predictions: Vec::new(),
            propensity: item.propensity,
        });
    }
    Ok(Slate {
        id: posted.id,
        time,
        user: posted.user,
        query: posted.query,
        shared,
        impressions,
        model: None,
        score_version: None,
        as_of,
    })
}
