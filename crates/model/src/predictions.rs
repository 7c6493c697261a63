//! Predictions of a batch, and how positions enter them.

use spec::{Loss, Objective, ServePosition, Spec};

use crate::{Encoded, Encoder};

/// Which position is read where predictions depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Positions {
    /// Missing everywhere, as position drop-out trained it.
    Missing,
    /// Position 1 everywhere.
    First,
    /// This one everywhere, from 1: what would be clicked there.
    At(u32),
    /// None: the main tower alone.
    Without,
    /// As logged: how a log is judged. Where propensities say how probable it was that an impression was examined, they count too.
    Logged,
    /// As requests are served: what `[bias] serve_position` declares of the three first.
    Served,
}

impl Positions {
    /// The position to be read in each of the rows `logged` `[batch]`, 0 = missing; `None`: the main tower is alone.
    pub fn read(self, spec: &Spec, logged: &[u32]) -> Option<Vec<u32>> {
        let served = spec
            .bias
            .as_ref()
            .map(|bias| bias.serve_position)
            .unwrap_or_default();
        match (self, served) {
            (Positions::Logged, _) => Some(logged.to_vec()),
            (Positions::Missing, _) | (Positions::Served, ServePosition::Missing) => {
                Some(vec![0; logged.len()])
            }
            (Positions::First, _) | (Positions::Served, ServePosition::First) => Some(vec![1; logged.len()]),
            (Positions::At(position), _) => Some(vec![position; logged.len()]),
            (Positions::Without, _) | (Positions::Served, ServePosition::None) => None,
        }
    }
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
