//! `POST /v1/slates`: slates that another ranker showed; answered once they are durable.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use events::{DerivedRules, Fields, Impression, Slate};
use serde::Deserialize;

use super::candidate::{self, Candidate};
use crate::names::{Names, Warnings};
use crate::problem::{OneOrMany, off_thread};
use crate::resolve::{Shared, item_fields};
use crate::routes::feedback::{Stored, stored};
use crate::service::OWN_PREFIXES;
use crate::shown::items_of;
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
    /// Whether the order of all items was drawn at random.
    #[serde(default)]
    shuffled: bool,
    /// All that it was chosen from, the shown items too.
    candidates: Option<Vec<Candidate>>,
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
        let warnings = service
            .names()
            .map_or_else(Vec::new, |names| warnings(&names, &posted));
        // All are read before the first is stored: a bad one refuses the request whole.
        let slates: Vec<Slate> = posted
            .into_iter()
            .map(|posted| resolve(&service, posted))
            .collect::<Result<_, _>>()?;
        let shown: Vec<_> = slates
            .iter()
            .map(|slate| (slate.id.clone(), items_of(slate)))
            .collect();
        let receipt = service.recorder.record_slates(slates)?;
        service.accepted(carried);
        let stored = stored(receipt, warnings)?;
        // Of a duplicate, what was stored first may show others.
        if stored.is_all_new() {
            let mut known = service.shown();
            shown.into_iter().for_each(|(id, items)| known.note(id, items));
        }
        Ok(stored)
    });
    Ok((StatusCode::ACCEPTED, Json(answer.await?)))
}

/// What is given under names that no field reads.
fn warnings(names: &Names, posted: &[PostedSlate]) -> Vec<String> {
    let (mut shared, mut of_items) = (Warnings::of(&names.shared), Warnings::of(&names.item));
    for slate in posted {
        for name in slate.context.keys() {
            shared.look(name, || format!("`context` of slate `{}`", slate.id));
        }
        for item in &slate.items {
            for name in item.fields.keys() {
                of_items.look(name, || format!("item `{}` of slate `{}`", item.item, slate.id));
            }
        }
        for (item, given) in slate.candidates.iter().flatten().map(Candidate::parts) {
            for name in given.keys() {
                of_items.look(name, || format!("candidate `{item}` of slate `{}`", slate.id));
            }
        }
    }
    [shared.finish(), of_items.finish()].concat()
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
    let candidates = posted.candidates.as_deref().unwrap_or_default();
    if posted.candidates.is_some() {
        candidate::check_count(candidates).map_err(|problem| problem.within(&place))?;
    }
    let mut derived = {
        let derived = service.recorder.derived();
        let derived = derived.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let items = posted.items.iter().map(|item| item.item.as_str());
        let items = items.chain(candidates.iter().map(|candidate| candidate.parts().0));
        derived.values(&posted.user, items, time, &DerivedRules::of(&spec))
    };
    let catalogue = service.catalogue();
    let shared = Shared {
        spec: &spec,
        catalogue: &catalogue,
        user: &posted.user,
        query: posted.query.as_deref(),
        context: &posted.context,
        now: time,
    };
    let shared = shared
        .fields(derived.shared)
        .map_err(|problem| problem.within(&place))?;
    let rates = derived.items.split_off(posted.items.len());
    let candidates = candidate::resolved(&spec, &catalogue, candidates.iter().zip(rates), time)
        .map_err(|problem| problem.within(&place))?;
    let mut impressions = Vec::with_capacity(posted.items.len());
    for ((place_in_list, item), rates) in (1u32..).zip(posted.items).zip(derived.items) {
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
        let fields = item_fields(&spec, &catalogue, &item.item, &item.fields, rates, time)
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
        as_of: derived.as_of,
        shuffled: posted.shuffled,
        candidates: posted
            .candidates
            .map(|_| candidates.into_iter().map(unpredicted).collect()),
    })
}

/// A candidate of somebody else's ranker.
fn unpredicted((item, fields): (String, Fields)) -> events::Candidate {
    events::Candidate {
        item,
        fields,
        predictions: Vec::new(),
    }
}
