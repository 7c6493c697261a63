//! Gates: what a challenger must pass before it goes live.
//!
//! In: the newest closed examples, which neither model has learned from. Out: a verdict per gate, in words and numbers.

mod serving;

use std::collections::BTreeSet;

use measure::Interval;
use model::{Encoded, Positions, Ranker};
use spec::{Loss, Objective};

/// Fewer observed examples than this say nothing of an objective.
const FEWEST_EXAMPLES: usize = 10;
/// Fewer people than this have no interval.
const FEWEST_PEOPLE: usize = 2;

/// One gate.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct GateResult {
    /// Its name, as `click: log loss`.
    pub gate: String,
    /// Whether the challenger passed.
    pub passed: bool,
    /// What was measured.
    pub measured: String,
}

/// All gates.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Verdict {
    /// Whether every gate was passed.
    pub passed: bool,
    /// The version in service that it was held against; `None`: there was none.
    pub against: Option<String>,
    /// Each gate.
    pub gates: Vec<GateResult>,
}

impl Verdict {
    /// Adds a gate that was not passed.
    pub(crate) fn refuse(&mut self, gate: &str, measured: &str) {
        self.passed = false;
        self.gates.push(GateResult {
            gate: gate.to_owned(),
            passed: false,
            measured: measured.to_owned(),
        });
    }

    /// Judges `challenger` on `held`, with logged positions: beside the model in service, or, where there is none, beside the
    /// predictor that always says `constants` (per objective, the mean label of what the challenger learned from).
    pub fn of(
        challenger: &Ranker,
        serving: Option<(&str, &Ranker)>,
        constants: &[Option<f64>],
        held: &events::Examples,
    ) -> Verdict {
        let batch = challenger.encoder.encode(held);
        let predictions = challenger.predict(&batch, Positions::Logged);
        let mut gates = vec![not_empty(&batch), finite(challenger, predictions.is_finite())];
        let others = match serving {
            Some((_, serving)) => serving::values(challenger.spec(), serving, held),
            None => constant_values(constants, batch.len),
        };
        let beside = match serving {
            Some(_) => "the serving model's",
            None => "the constant predictor's",
        };
        for (at, (objective, others)) in challenger.spec().objectives.iter().zip(others).enumerate() {
            let gate = format!("{}: loss beside {beside}", objective.name);
            gates.push(match others {
                Ok(others) => {
                    let labels = &batch.labels[at];
                    let ours = losses(objective, labels, &predictions.values[at]);
                    let theirs = losses(objective, labels, &others);
                    not_worse(gate, &ours, &theirs, &batch, challenger.spec().gates.confidence)
                }
                Err(why) => GateResult {
                    gate,
                    passed: true,
                    measured: why,
                },
            });
        }
        Verdict {
            passed: gates.iter().all(|gate| gate.passed),
            against: serving.map(|(version, _)| version.to_owned()),
            gates,
        }
    }
}

/// What an objective is predicted to be, example by example, or why there is nothing to compare with.
type Values = Result<Vec<f32>, String>;

fn constant_values(constants: &[Option<f64>], len: usize) -> Vec<Values> {
    let value = |constant: &Option<f64>| match constant {
        Some(mean) => Ok(vec![*mean as f32; len]),
        None => Err("not comparable: no label was observed before".to_owned()),
    };
    constants.iter().map(value).collect()
}

/// Loss of each example; NaN where the label was not observed.
fn losses(objective: &Objective, labels: &[f32], values: &[f32]) -> Vec<f64> {
    let loss = |(&label, &value): (&f32, &f32)| match objective.loss {
        _ if label.is_nan() => f64::NAN,
        Loss::Binary => measure::log_loss(&[value], &[label]),
        _ => measure::squared_error(&[value], &[label]),
    };
    labels.iter().zip(values).map(loss).collect()
}

fn not_empty(batch: &Encoded) -> GateResult {
    GateResult {
        gate: "held".to_owned(),
        passed: batch.len > 0,
        measured: format!("{} examples to judge by", batch.len),
    }
}

fn finite(challenger: &Ranker, predictions: bool) -> GateResult {
    let weights = challenger.weights.is_finite(challenger.spec());
    let measured = match (weights, predictions) {
        (true, true) => "all weights and predictions are finite",
        (false, _) => "a weight is not finite",
        (true, false) => "a prediction is not finite",
    };
    GateResult {
        gate: "finite".to_owned(),
        passed: weights && predictions,
        measured: measured.to_owned(),
    }
}

/// Loss no worse than the other's beyond the interval of the paired difference, examples clustered by person. An example that
/// the challenger cannot predict is left out here: `finite` fails by it.
fn not_worse(gate: String, ours: &[f64], theirs: &[f64], batch: &Encoded, confidence: f64) -> GateResult {
    let observed: Vec<usize> = (0..batch.len)
        .filter(|&row| !ours[row].is_nan() && !theirs[row].is_nan())
        .collect();
    let differences: Vec<f64> = observed.iter().map(|&row| ours[row] - theirs[row]).collect();
    let clusters: Vec<u64> = observed.iter().map(|&row| batch.users[row]).collect();
    let people = clusters.iter().collect::<BTreeSet<_>>().len();
    let examples = differences.len();
    if people < FEWEST_PEOPLE || examples < FEWEST_EXAMPLES {
        return GateResult {
            gate,
            passed: true,
            measured: format!("{examples} examples of {people} people: too few to tell, passed"),
        };
    }
    let Interval { mean, low, high } = measure::clustered_mean_interval(&differences, &clusters, confidence);
    GateResult {
        gate,
        passed: low <= 0.0,
        measured: format!("difference {mean:+.5} [{low:+.5}, {high:+.5}] over {examples} examples"),
    }
}

#[cfg(test)]
mod tests;
