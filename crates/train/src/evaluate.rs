//! Metrics of a ranker on examples: per objective AUC, GAUC, loss, calibration, and the constant predictor beside.

use model::{Encoded, Predictions};
use spec::{Loss, Objective, Spec};

const LOG_LOSS: &str = "log loss";

/// What was predicted and what was observed, per objective, where a label was observed.
#[derive(Debug, Clone, Default)]
pub struct Outcomes {
    objectives: Vec<Outcome>,
}

#[derive(Debug, Clone, Default)]
struct Outcome {
    predictions: Vec<f32>,
    labels: Vec<f32>,
    users: Vec<u64>,
}

/// Metrics of one objective.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ObjectiveMetrics {
    /// The objective.
    pub name: String,
    /// `log loss` or `squared error`.
    pub loss_name: &'static str,
    /// Examples with an observed label.
    pub examples: usize,
    /// Mean label.
    pub mean_label: f64,
    /// Mean loss; `None` without examples.
    pub loss: Option<f64>,
    /// Mean loss of the constant predictor: the training part's mean label.
    pub constant_loss: Option<f64>,
    /// Chance that a positive is predicted above a negative; binary objectives with both.
    pub auc: Option<f64>,
    /// AUC within a person, weighted by examples.
    pub gauc: Option<f64>,
    /// Sum predicted / sum observed.
    pub calibration: Option<f64>,
}

/// Metrics of all objectives.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Evaluation {
    /// In the spec's order.
    pub objectives: Vec<ObjectiveMetrics>,
}

impl Outcomes {
    /// Adds a batch and its predictions.
    pub fn add(&mut self, batch: &Encoded, predictions: &Predictions) {
        self.objectives.resize_with(batch.labels.len(), Outcome::default);
        for ((outcome, labels), values) in self
            .objectives
            .iter_mut()
            .zip(&batch.labels)
            .zip(&predictions.values)
        {
            for (row, &label) in labels.iter().enumerate().filter(|(_, label)| !label.is_nan()) {
                outcome.labels.push(label);
                outcome.predictions.push(values[row]);
                outcome.users.push(batch.users[row]);
            }
        }
    }

    /// The metrics, beside a predictor that always says `constants` (per objective, the training mean).
    pub fn evaluate(&self, spec: &Spec, constants: &[Option<f64>]) -> Evaluation {
        let empty = Outcome::default();
        let objectives = spec.objectives.iter().enumerate().map(|(at, objective)| {
            let outcome = self.objectives.get(at).unwrap_or(&empty);
            outcome.metrics(objective, constants.get(at).copied().flatten())
        });
        Evaluation {
            objectives: objectives.collect(),
        }
    }
}

impl Outcomes {
    /// Whether an objective (by its index) is predicted to be the same for all of several examples.
    pub fn is_constant(&self, objective: usize) -> bool {
        self.objectives.get(objective).is_some_and(|outcome| {
            let predictions = &outcome.predictions;
            predictions.len() > 1 && predictions.iter().all(|&value| value == predictions[0])
        })
    }
}

impl Outcome {
    fn metrics(&self, objective: &Objective, constant: Option<f64>) -> ObjectiveMetrics {
        let some = !self.labels.is_empty();
        let binary = objective.loss == Loss::Binary;
        let loss = |predictions: &[f32]| match objective.loss {
            Loss::Binary => measure::log_loss(predictions, &self.labels),
            Loss::Squared => measure::squared_error(predictions, &self.labels),
        };
        let sum: f64 = self.labels.iter().map(|&label| f64::from(label)).sum();
        ObjectiveMetrics {
            name: objective.name.clone(),
            loss_name: if binary { LOG_LOSS } else { "squared error" },
            examples: self.labels.len(),
            mean_label: if some { sum / self.labels.len() as f64 } else { 0.0 },
            loss: some.then(|| loss(&self.predictions)),
            constant_loss: constant
                .filter(|_| some)
                .map(|constant| loss(&vec![constant as f32; self.labels.len()])),
            auc: if binary {
                measure::auc(&self.predictions, &self.labels)
            } else {
                None
            },
            gauc: if binary {
                measure::gauc(&self.predictions, &self.labels, &self.users)
            } else {
                None
            },
            calibration: measure::calibration(&self.predictions, &self.labels),
        }
    }
}

/// The loss of a perfect constant on labels of one class is not 0, since probabilities are clamped before the logarithm.
const PERFECT_LOG_LOSS: f64 = 2e-7;

impl ObjectiveMetrics {
    /// The constant predictor's loss, where it leaves anything to be learned.
    fn imperfect_constant(&self) -> Option<f64> {
        let perfect = if self.loss_name == LOG_LOSS {
            PERFECT_LOG_LOSS
        } else {
            0.0
        };
        self.constant_loss.filter(|&loss| loss > perfect)
    }
}

impl Evaluation {
    /// Whether any objective has examples on which more can be learned than a constant.
    pub fn can_tell(&self) -> bool {
        self.objectives
            .iter()
            .any(|metrics| metrics.imperfect_constant().is_some())
    }

    /// Mean over objectives of loss / the constant predictor's loss: one number to stop by. 1 = no better than constants;
    /// objectives without examples, or whose constant is perfect, say nothing.
    pub fn relative_loss(&self) -> f64 {
        let ratios: Vec<f64> = self
            .objectives
            .iter()
            .filter_map(|metrics| Some(metrics.loss? / metrics.imperfect_constant()?))
            .collect();
        if ratios.is_empty() {
            f64::NAN
        } else {
            ratios.iter().sum::<f64>() / ratios.len() as f64
        }
    }
}
