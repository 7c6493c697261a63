//! Gates: what a challenger must pass before it goes live.
//!
//! In: the newest closed examples, which neither model has learned from. Out: a verdict per gate, in words and numbers.

use model::{Encoded, Positions, Ranker};
use spec::Loss;

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
    /// Judges `challenger` on `held`, beside the model in service, with logged positions.
    pub fn of(challenger: &Ranker, serving: Option<(&str, &Ranker)>, held: &events::Examples) -> Verdict {
        let batch = challenger.encoder.encode(held);
        let challenger_losses = losses(challenger, &batch);
        let mut gates = vec![finite(challenger, &challenger_losses)];
        if let Some((_, serving)) = serving {
            let serving_losses = serving_losses(challenger, serving, held);
            for (at, objective) in challenger.spec().objectives.iter().enumerate() {
                if let Some(serving) = &serving_losses[at] {
                    gates.push(not_worse(
                        challenger,
                        &objective.name,
                        &challenger_losses[at],
                        serving,
                        &batch,
                    ));
                }
            }
        }
        Verdict {
            passed: gates.iter().all(|gate| gate.passed),
            against: serving.map(|(version, _)| version.to_owned()),
            gates,
        }
    }
}

/// Losses of the model in service, per objective of the challenger; `None` where it has no such objective.
fn serving_losses(challenger: &Ranker, serving: &Ranker, held: &events::Examples) -> Vec<Option<Vec<f64>>> {
    if serving.spec() == challenger.spec() || serving.spec().text == challenger.spec().text {
        return losses(serving, &serving.encoder.encode(held))
            .into_iter()
            .map(Some)
            .collect();
    }
    vec![None; challenger.spec().objectives.len()]
}

/// Loss of each example per objective; NaN where the label was not observed.
fn losses(ranker: &Ranker, batch: &Encoded) -> Vec<Vec<f64>> {
    let predictions = ranker.predict(batch, Positions::Logged);
    let objectives = ranker
        .spec()
        .objectives
        .iter()
        .zip(&batch.labels)
        .zip(&predictions.values);
    objectives
        .map(|((objective, labels), values)| {
            let loss = |(&label, &value): (&f32, &f32)| match objective.loss {
                _ if label.is_nan() => f64::NAN,
                Loss::Binary => measure::log_loss(&[value], &[label]),
                Loss::Squared => measure::squared_error(&[value], &[label]),
            };
            labels.iter().zip(values).map(loss).collect()
        })
        .collect()
}

fn finite(challenger: &Ranker, losses: &[Vec<f64>]) -> GateResult {
    let weights = challenger.weights.is_finite(challenger.spec());
    let predictions = losses
        .iter()
        .flatten()
        .all(|loss| loss.is_nan() || loss.is_finite());
    let measured = match (weights, predictions) {
        (true, true) => "all weights and losses are finite",
        (false, _) => "a weight is not finite",
        (true, false) => "a loss is not finite",
    };
    GateResult {
        gate: "finite".to_owned(),
        passed: weights && predictions,
        measured: measured.to_owned(),
    }
}

/// Loss no worse than the serving model's beyond the interval of the paired difference, examples clustered by person.
fn not_worse(challenger: &Ranker, name: &str, ours: &[f64], theirs: &[f64], batch: &Encoded) -> GateResult {
    let confidence = challenger.spec().gates.confidence;
    let observed: Vec<usize> = (0..batch.len)
        .filter(|&row| !ours[row].is_nan() && !theirs[row].is_nan())
        .collect();
    let differences: Vec<f64> = observed.iter().map(|&row| ours[row] - theirs[row]).collect();
    let people: Vec<u64> = observed.iter().map(|&row| batch.users[row]).collect();
    let gate = format!("{name}: loss beside the serving model's");
    let interval = measure::clustered_mean_interval(&differences, &people, confidence);
    if !interval.low.is_finite() {
        let measured = format!("{} examples: too few to tell, passed", differences.len());
        return GateResult {
            gate,
            passed: true,
            measured,
        };
    }
    GateResult {
        gate,
        passed: interval.low <= 0.0,
        measured: format!(
            "difference {:+.5} [{:+.5}, {:+.5}] over {} examples",
            interval.mean,
            interval.low,
            interval.high,
            differences.len()
        ),
    }
}
