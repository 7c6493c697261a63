//! Metrics of predictions on examples: per objective ranking, loss and calibration, beside the constant predictor.
//!
//! In: what was predicted and what was observed ([`Outcomes`]). Out: an [`Evaluation`].

mod metrics;

use model::{Encoded, Predictions};
use spec::Spec;

pub use metrics::{Evaluation, NO_SHUFFLED_SLATES, ObjectiveMetrics};

/// What was predicted and what was observed, per objective, where a label was observed.
#[derive(Debug, Clone, Default)]
pub struct Outcomes {
    examples: u32,
    pub(crate) objectives: Vec<Outcome>,
}

/// Fewer examples may well be alike.
const FEWEST: usize = 20;

/// One row per example with an observed label.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcome {
    /// Which of the examples added.
    pub(crate) rows: Vec<u32>,
    pub(crate) predictions: Vec<f32>,
    /// As it is served; empty where position does not enter.
    pub(crate) served: Vec<f32>,
    pub(crate) labels: Vec<f32>,
    pub(crate) users: Vec<u64>,
    /// 0: no slate.
    pub(crate) slates: Vec<u64>,
    /// 0: missing.
    pub(crate) positions: Vec<u32>,
    /// Whether the place was drawn at random, and it is known what would be predicted as served.
    pub(crate) shuffled: Vec<bool>,
}

impl Outcomes {
    /// Room for so many examples, so that adding them moves nothing.
    pub(crate) fn with_room(spec: &Spec, examples: u64) -> Outcomes {
        let room = usize::try_from(examples).unwrap_or_default();
        let outcome = |_| Outcome {
            rows: Vec::with_capacity(room),
            predictions: Vec::with_capacity(room),
            served: Vec::with_capacity(room),
            labels: Vec::with_capacity(room),
            users: Vec::with_capacity(room),
            slates: Vec::with_capacity(room),
            positions: Vec::with_capacity(room),
            shuffled: Vec::with_capacity(room),
        };
        Outcomes {
            examples: 0,
            objectives: spec.objectives.iter().map(outcome).collect(),
        }
    }

    /// Adds a batch and its predictions with logged positions; `served` are those that are served, where they differ.
    pub fn add(&mut self, spec: &Spec, batch: &Encoded, logged: &Predictions, served: Option<&Predictions>) {
        self.objectives.resize_with(batch.labels.len(), Outcome::default);
        let biased = |objective: usize| {
            spec.bias
                .as_ref()
                .is_some_and(|bias| bias.objectives.contains(&objective))
        };
        let otherwise = spec
            .bias
            .as_ref()
            .is_some_and(|bias| bias.form.is_served_otherwise());
        let differs = |objective: usize| otherwise && biased(objective);
        for (at, (outcome, labels)) in self.objectives.iter_mut().zip(&batch.labels).enumerate() {
            let served = served.filter(|_| biased(at)).map(|served| &served.values[at]);
            for (row, &label) in labels.iter().enumerate().filter(|(_, label)| !label.is_nan()) {
                outcome.rows.push(self.examples + row as u32);
                outcome.labels.push(label);
                outcome.predictions.push(logged.values[at][row]);
                outcome.served.extend(served.map(|served| served[row]));
                outcome.users.push(batch.users[row]);
                outcome.slates.push(batch.slates[row]);
                outcome.positions.push(batch.positions[row]);
                // Judged as served, or not at all.
                outcome
                    .shuffled
                    .push(batch.shuffled[row] && (served.is_some() || !differs(at)));
            }
        }
        self.examples += batch.len as u32;
    }

    /// The examples (by their number, from 0, in the order added) that `keep` says.
    pub(crate) fn filter(&self, keep: impl Fn(u32) -> bool) -> Outcomes {
        Outcomes {
            examples: self.examples,
            objectives: self
                .objectives
                .iter()
                .map(|outcome| outcome.filter(&keep))
                .collect(),
        }
    }

    /// The metrics, beside a predictor that always says `constants` (per objective, the training mean).
    pub fn evaluate(&self, spec: &Spec, constants: &[Option<f64>]) -> Evaluation {
        let empty = Outcome::default();
        let objectives = spec.objectives.iter().enumerate().map(|(at, objective)| {
            let outcome = self.objectives.get(at).unwrap_or(&empty);
            let constant = constants.get(at).copied().flatten();
            outcome.metrics(objective, constant, !spec.keys.no_user)
        });
        Evaluation {
            objectives: objectives.collect(),
        }
    }

    /// AUC of an objective within groups, weighted by size; `group` of an example by its number. With the number of groups.
    pub(crate) fn gauc(&self, objective: usize, group: impl Fn(u32) -> u64) -> Option<(f64, usize)> {
        let outcome = self.objectives.get(objective)?;
        let groups: Vec<u64> = outcome.rows.iter().map(|row| group(*row)).collect();
        let distinct: std::collections::BTreeSet<u64> = groups.iter().copied().collect();
        let gauc = measure::gauc(&outcome.predictions, &outcome.labels, &groups)?;
        Some((gauc, distinct.len()))
    }

    /// Whether an objective (by its index) is predicted to be the same for all of the examples, where they are many.
    pub fn is_constant(&self, objective: usize) -> bool {
        self.objectives.get(objective).is_some_and(|outcome| {
            // As requests are served, where positions enter.
            let predictions = if outcome.served.is_empty() {
                &outcome.predictions
            } else {
                &outcome.served
            };
            predictions.len() >= FEWEST && predictions.iter().all(|&value| value == predictions[0])
        })
    }

    /// The calibration of an objective: (mean prediction, mean label, examples) of `bins` bins of about equal size.
    pub fn calibration_bins(&self, objective: usize, bins: usize) -> Vec<measure::CalibrationBin> {
        self.objectives.get(objective).map_or_else(Vec::new, |outcome| {
            measure::calibration_bins(&outcome.predictions, &outcome.labels, bins)
        })
    }
}

impl Outcome {
    fn filter(&self, keep: &impl Fn(u32) -> bool) -> Outcome {
        let kept: Vec<usize> = (0..self.rows.len()).filter(|&at| keep(self.rows[at])).collect();
        Outcome {
            rows: pick(&self.rows, &kept),
            predictions: pick(&self.predictions, &kept),
            served: pick(&self.served, &kept),
            labels: pick(&self.labels, &kept),
            users: pick(&self.users, &kept),
            slates: pick(&self.slates, &kept),
            positions: pick(&self.positions, &kept),
            shuffled: pick(&self.shuffled, &kept),
        }
    }
}

/// The values at `rows`; none of an empty column.
fn pick<T: Copy>(values: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().filter_map(|&row| values.get(row).copied()).collect()
}

#[cfg(test)]
mod tests;
