//! Predictions of a batch, and how positions enter them.

use spec::{Loss, Objective};

/// Which position the shallow tower reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Positions {
    /// Missing everywhere: how requests are served.
    Missing,
    /// As logged: how a log is judged.
    Logged,
}

/// Logits and predictions per objective.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Predictions {
    /// Per objective `[batch]`.
    pub logits: Vec<Vec<f32>>,
    /// Per objective `[batch]`: probability of a binary objective, value of a squared one.
    pub values: Vec<Vec<f32>>,
}

impl Predictions {
    /// Predictions of `logits`, per objective `[batch]`.
    pub(crate) fn of(objectives: &[Objective], logits: Vec<Vec<f32>>) -> Predictions {
        let values = objectives
            .iter()
            .zip(&logits)
            .map(|(objective, logits)| logits.iter().map(|&logit| prediction(objective, logit)).collect())
            .collect();
        Predictions { logits, values }
    }

    /// Number of examples.
    pub fn len(&self) -> usize {
        self.values.first().map_or(0, Vec::len)
    }

    /// Whether there is no example.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether every logit and every prediction is finite.
    pub fn is_finite(&self) -> bool {
        let numbers = self.logits.iter().chain(&self.values).flatten();
        numbers.into_iter().all(|number| number.is_finite())
    }

    /// Predictions of one example, per objective.
    pub fn row(&self, row: usize) -> Vec<f32> {
        self.values.iter().map(|values| values[row]).collect()
    }
}

/// What a logit predicts.
fn prediction(objective: &Objective, logit: f32) -> f32 {
    match (objective.loss, objective.clip) {
        (Loss::Binary, _) => nn::sigmoid(logit),
        (Loss::Squared, Some((lo, hi))) => lo + (hi - lo) * nn::sigmoid(logit),
        (Loss::Squared, None) => logit,
    }
}
