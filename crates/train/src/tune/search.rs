//! The search of weights: a spread of weightings, then steps around the best.

use std::collections::BTreeMap;

use model::ScoreWeights;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use spec::Spec;

use super::request::Request;
use super::{Tried, best};
use crate::{Progress, TrainError};

/// Weightings that are drawn.
const DRAWN: usize = 150;
/// Rounds of steps around the best, each with smaller steps.
const ROUNDS: [f64; 3] = [2.0, 1.4, 1.2];
/// Share of drawn weights that are 0.
const ZERO: f64 = 0.15;

/// Tries weightings of every objective that may be in a score. The sign of a weight is that of the live one; of an objective
/// without a live weight it is positive.
pub(super) fn search(
    spec: &Spec,
    requests: &[Request],
    live: &BTreeMap<String, f64>,
    progress: &mut dyn Progress,
) -> Result<Vec<Tried>, TrainError> {
    let mut search = Search {
        spec,
        requests,
        tried: Vec::new(),
    };
    let names: Vec<&str> = spec
        .objectives
        .iter()
        .map(|objective| objective.name.as_str())
        .filter(|name| ScoreWeights::from_names(spec, &BTreeMap::from([((*name).to_owned(), 1.0)])).is_ok())
        .collect();
    let sign = |name: &str| live.get(name).map_or(1.0, |weight| weight.signum());
    let first = first(live, &names, sign);
    progress.begin(
        "weights",
        (first.len() + DRAWN + ROUNDS.len() * 2 * names.len()) as u64,
    );
    let mut rng = ChaCha8Rng::seed_from_u64(spec.train.seed);
    let drawn = (0..DRAWN).map(|_| {
        let weights = names.iter().map(|&name| {
            let weight = if rng.random::<f64>() < ZERO {
                0.0
            } else {
                2_f64.powf(rng.random_range(-3.0..2.0))
            };
            (name.to_owned(), sign(name) * weight)
        });
        weights.collect()
    });
    for weights in first.into_iter().chain(drawn) {
        search.look(weights, progress)?;
    }
    for step in ROUNDS {
        for name in &names {
            for factor in [step, 1.0 / step] {
                let mut weights = search.best_weights();
                // From nothing, a step leads to a small weight.
                let weight = weights.get(*name).copied().unwrap_or(0.0);
                let next = if weight == 0.0 {
                    sign(name) * (factor - 1.0).max(0.0) / 4.0
                } else {
                    weight * factor
                };
                weights.insert((*name).to_owned(), next);
                search.look(weights, progress)?;
            }
        }
    }
    Ok(search.tried)
}

/// The live weights, each objective by itself, and all alike.
fn first(
    live: &BTreeMap<String, f64>,
    names: &[&str],
    sign: impl Fn(&str) -> f64,
) -> Vec<BTreeMap<String, f64>> {
    let mut first = vec![live.clone()];
    first.extend(
        names
            .iter()
            .map(|&name| BTreeMap::from([(name.to_owned(), sign(name))])),
    );
    first.push(names.iter().map(|&name| (name.to_owned(), sign(name))).collect());
    first
}

struct Search<'a> {
    spec: &'a Spec,
    requests: &'a [Request],
    tried: Vec<Tried>,
}

impl Search<'_> {
    /// Tries a weighting, unless it is one that orders nothing or was tried before.
    fn look(
        &mut self,
        mut weights: BTreeMap<String, f64>,
        progress: &mut dyn Progress,
    ) -> Result<(), TrainError> {
        if progress.stopped() {
            return Err(TrainError::Stopped);
        }
        progress.advance(1);
        weights.retain(|_, weight| *weight != 0.0);
        if self.tried.iter().any(|tried| tried.weights == weights) {
            return Ok(());
        }
        let Ok(score) = ScoreWeights::from_names(self.spec, &weights) else {
            return Ok(());
        };
        let mut sums = [0.0; 2];
        for request in self.requests {
            let [engagement, reward] = request.worth(&request.slate(&score));
            sums = [sums[0] + engagement, sums[1] + reward];
        }
        let [engagement, reward] = sums.map(|sum| sum / self.requests.len().max(1) as f64);
        self.tried.push(Tried {
            weights,
            engagement,
            reward,
        });
        Ok(())
    }

    fn best_weights(&self) -> BTreeMap<String, f64> {
        self.tried
            .get(best(&self.tried))
            .map(|tried| tried.weights.clone())
            .unwrap_or_default()
    }
}
