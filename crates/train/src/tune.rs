//! Score weights, tuned on logged candidate sets by what the model itself expects of each order.
//!
//! In: a ranker, [`Candidates`] of logged requests, a reward. Out: a [`Tuning`]: what each tried weighting is expected to bring,
//! the front of engagement against reward, and a proposal beside the weights that are live.
//!
//! A weighting orders all candidates of a request, not only those that were shown. What it is worth is summed over the
//! positions of its slate: at each one the debiased predictions with the fitted position curve added say how likely each label
//! is. So an order that puts other items on the screen is judged too, which re-ranking the shown list cannot do. It is the
//! model's own opinion: the shuffled slice, or an experiment, is what checks it.

mod front;
mod request;
mod search;

use std::collections::BTreeMap;

use measure::{Interval, paired_difference};
use model::ScoreWeights;
use spec::Spec;

pub use front::draw_front;
use request::Request;
pub use request::{Candidates, Reward};

use crate::{Progress, TrainError};

/// Fewer requests than this tell no two weightings apart.
const FEWEST: usize = 20;
/// Confidence of intervals.
const CONFIDENCE: f64 = 0.95;

/// What a weighting is expected to bring, per request.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Tried {
    /// Weight by objective; those left out have 0.
    pub weights: BTreeMap<String, f64>,
    /// Expected sum of the engagement objective over the slate.
    pub engagement: f64,
    /// Expected reward of the slate.
    pub reward: f64,
}

/// What tuning came to.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Tuning {
    /// Requests that the search looked at, and others that judge its proposal.
    pub requests: [usize; 2],
    /// The objective on the engagement axis.
    pub engagement: String,
    /// The reward, as typed.
    pub reward: String,
    /// Every weighting that was tried, on the requests of the search.
    pub tried: Vec<Tried>,
    /// Those than which no other has both more engagement and more reward, by falling engagement: indices of `tried`.
    pub front: Vec<usize>,
    /// The weights that are live, on the requests that judge.
    pub live: Tried,
    /// The weights with the most reward in the search, on the requests that judge.
    pub proposed: Tried,
    /// Their reward less that of the live ones, per request, paired.
    pub gain: Interval,
    /// Share of the requests that judge whose slate is another under the proposed weights.
    pub changed: f64,
}

impl Tuning {
    /// Whether the proposal is better than what is live beyond doubt.
    pub fn is_better(&self) -> bool {
        self.gain.low > 0.0
    }
}

/// Searches weights with more `reward` than the `live` ones. Every other request judges what the search finds on the rest.
///
/// # Errors
/// Too few requests; a reward that no request has a value for; stopped by the user.
pub fn tune(
    candidates: Candidates,
    live: &BTreeMap<String, f64>,
    progress: &mut dyn Progress,
) -> Result<Tuning, TrainError> {
    let Candidates {
        spec,
        reward,
        engagement,
        requests,
    } = candidates;
    if requests.len() < FEWEST {
        return Err(TrainError::Data(format!(
            "{} requests with a candidate set; expected at least {FEWEST}: serve with `[log] candidates` above 0 (0.05 logs the set of \
             every twentieth slate)",
            requests.len()
        )));
    }
    let (search, judge): (Vec<_>, Vec<_>) = requests.into_iter().enumerate().partition(|(at, _)| at % 2 == 0);
    let strip = |part: Vec<(usize, Request)>| -> Vec<Request> {
        part.into_iter().map(|(_, request)| request).collect()
    };
    let (search, judge) = (strip(search), strip(judge));
    let tried = search::search(&spec, &search, live, progress)?;
    let best = best(&tried);
    let live = Judged::of(&spec, &judge, live)?;
    let proposed = Judged::of(&spec, &judge, &tried[best].weights)?;
    let changed = live
        .orders
        .iter()
        .zip(&proposed.orders)
        .filter(|(a, b)| a != b)
        .count();
    Ok(Tuning {
        requests: [search.len(), judge.len()],
        engagement: spec.objectives[engagement].name.clone(),
        reward: reward.text().to_owned(),
        front: front(&tried),
        gain: paired_difference(&proposed.rewards, &live.rewards, CONFIDENCE),
        changed: changed as f64 / judge.len() as f64,
        live: live.tried,
        proposed: proposed.tried,
        tried,
    })
}

/// A weighting on the requests that judge, request by request.
struct Judged {
    tried: Tried,
    rewards: Vec<f64>,
    orders: Vec<Vec<usize>>,
}

impl Judged {
    fn of(spec: &Spec, requests: &[Request], weights: &BTreeMap<String, f64>) -> Result<Judged, TrainError> {
        let score = ScoreWeights::from_names(spec, weights).map_err(TrainError::Data)?;
        let orders: Vec<Vec<usize>> = requests.iter().map(|request| request.slate(&score)).collect();
        let worth = |request: &Request, order: &Vec<usize>| request.worth(order);
        let worths: Vec<[f64; 2]> = requests
            .iter()
            .zip(&orders)
            .map(|(request, order)| worth(request, order))
            .collect();
        let mean = |of: usize| worths.iter().map(|worth| worth[of]).sum::<f64>() / worths.len().max(1) as f64;
        Ok(Judged {
            tried: Tried {
                weights: weights.clone(),
                engagement: mean(0),
                reward: mean(1),
            },
            rewards: worths.iter().map(|worth| worth[1]).collect(),
            orders,
        })
    }
}

/// The one with the most reward; of equal ones the first.
fn best(tried: &[Tried]) -> usize {
    (0..tried.len())
        .reduce(|best, at| {
            if tried[at].reward > tried[best].reward {
                at
            } else {
                best
            }
        })
        .unwrap_or(0)
}

/// Indices of those that no other beats on both axes, by falling engagement.
fn front(tried: &[Tried]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..tried.len()).collect();
    order.sort_by(|&a, &b| {
        let (a, b) = (&tried[a], &tried[b]);
        b.engagement
            .total_cmp(&a.engagement)
            .then(b.reward.total_cmp(&a.reward))
    });
    let mut most = f64::NEG_INFINITY;
    order.retain(|&at| {
        let on_front = tried[at].reward > most;
        most = most.max(tried[at].reward);
        on_front
    });
    order
}

#[cfg(test)]
mod tests;
