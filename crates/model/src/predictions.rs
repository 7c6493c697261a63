//! Predictions of a batch, and how positions enter them.

use spec::{Loss, Objective};

use crate::{Encoded, Encoder};

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
    /// Per objective `[batch]`, recalibrated where training keeps a share of the negatives only.
    pub logits: Vec<Vec<f32>>,
    /// Per objective `[batch]`: probability of a binary objective, value of a squared one, watch time in the label's unit.
    pub values: Vec<Vec<f32>>,
}

impl Predictions {
    /// Predictions of what the network of `encoder` gave for `batch`: logits per objective `[batch]`.
    pub(crate) fn of(encoder: &Encoder, batch: &Encoded, mut logits: Vec<Vec<f32>>) -> Predictions {
        let objectives = &encoder.spec().objectives;
        let mut values = Vec::with_capacity(objectives.len());
        for (at, (objective, logits)) in objectives.iter().zip(&mut logits).enumerate() {
            // Adding 0 would change the bits of -0.
            let recalibration = recalibration(objective);
            if recalibration != 0.0 {
                logits.iter_mut().for_each(|logit| *logit += recalibration);
            }
            let watch = encoder.watch(at);
            let predicted = logits.iter().enumerate().map(|(row, &logit)| match watch {
                Some(watch) => watch.prediction(logit, batch.duration(at, row)),
                None => prediction(objective, logit),
            });
            values.push(predicted.collect());
        }
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

/// What is added to the logit that the network learned, so that it predicts all of the data: training keeps a share k of the
/// negatives, which makes the odds 1/k times what they are, so ln k.
pub(crate) fn recalibration(objective: &Objective) -> f32 {
    objective.keep_negatives.ln()
}

/// What a logit predicts, of an objective that is no watch time.
fn prediction(objective: &Objective, logit: f32) -> f32 {
    match (objective.loss, objective.clip) {
        (Loss::Binary, _) => nn::sigmoid(logit),
        (Loss::Squared, Some((lo, hi))) => lo + (hi - lo) * nn::sigmoid(logit),
        _ => logit,
    }
}
