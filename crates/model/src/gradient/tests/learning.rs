//! What a ranker predicts once it has learned, by plain gradient descent.

use std::sync::Arc;

use spec::Spec;

use super::KEYS;
use crate::testing::{Draws, parsed, random_batch, ranker_of};
use crate::{Encoded, Encoder, Gradients, Positions, Ranker, ScalerFit, StepKeys, TrainWorkspace};

const EXAMPLES: usize = 20_000;

/// One number `x`, -1 or 1 by turns, and these objectives.
fn declared(objectives: &str) -> Arc<Spec> {
    parsed(&format!(
        "[fields]\nx = {{ side = \"item\", kind = \"number\", scale = \"none\" }}\n[objectives]\n{objectives}\n[model]\n\
         architecture = \"shared-bottom\"\n[score]\n{} = 1.0",
        objectives.split(' ').next().unwrap()
    ))
}

/// Examples whose number is 1 where the row is even, else -1.
fn halves(ranker: &Ranker) -> Encoded {
    let mut batch = random_batch(ranker, EXAMPLES, 1);
    for row in 0..EXAMPLES {
        let x = if row % 2 == 0 { 1.0 } else { -1.0 };
        batch.dense[2 * row..][..2].copy_from_slice(&[x, 0.0]);
    }
    batch
}

fn learn(ranker: &mut Ranker, batch: &Encoded, passes: u64, rate: f32) {
    let (mut work, mut gradients) = (TrainWorkspace::new(ranker, 1000), Gradients::new(ranker));
    for pass in 0..passes {
        for from in (0..EXAMPLES as u32).step_by(1000) {
            let part = batch.select(&(from..from + 1000).collect::<Vec<_>>());
            ranker.gradient(&part, StepKeys { pass, ..KEYS }, &mut work, &mut gradients);
            let weights = ranker.weights.network.tensors_mut().into_iter();
            for (weight, gradient) in weights.zip(gradients.network.tensors()) {
                for (weight, d) in weight.values.iter_mut().zip(gradient.values) {
                    *weight -= rate * d;
                }
            }
        }
    }
}

/// Sum predicted / sum observed of the rows whose number is 1, and of the others.
fn calibration(ranker: &Ranker, batch: &Encoded, objective: usize) -> [f32; 2] {
    let predicted = ranker.predict(batch, Positions::Missing);
    [0, 1].map(|half| {
        let sum = |values: &[f32]| values.iter().skip(half).step_by(2).sum::<f32>();
        sum(&predicted.values[objective]) / sum(&batch.labels[objective])
    })
}

#[test]
fn a_model_that_learns_from_a_tenth_of_the_negatives_is_as_calibrated_as_one_that_learns_from_all() {
    for keep in ["", ", keep_negatives = 0.1"] {
        let click = format!("click = {{ group = \"g\", loss = \"binary\", absent = 0{keep} }}");
        let mut ranker = ranker_of(&declared(&click), 1);
        let mut batch = halves(&ranker);
        let mut draws = Draws::new(9);
        for (row, label) in batch.labels[0].iter_mut().enumerate() {
            *label = f32::from(draws.share() < if row % 2 == 0 { 0.08 } else { 0.008 });
        }
        let rate = batch.labels[0].iter().sum::<f32>() / EXAMPLES as f32;
        let spec = Arc::clone(ranker.spec());
        ranker.weights.set_base_rates(&spec, &[Some(f64::from(rate))]);
        for tensor in ranker.weights.network.tensors_mut() {
            if tensor.decays {
                tensor.values.fill(0.0);
            }
        }
        let first = ranker.predict(&batch, Positions::Missing).values[0][0];
        assert!(
            (first - rate).abs() < 1e-6,
            "the first prediction is {first}, the rate {rate}"
        );
        learn(&mut ranker, &batch, 60, 2.0);
        for ratio in calibration(&ranker, &batch, 0) {
            assert!((ratio - 1.0).abs() < 0.1, "predicted / observed is {ratio}{keep}");
        }
    }
}

#[test]
fn watch_times_are_predicted_in_the_label_s_unit_whatever_the_loss() {
    let spec = declared(
        "share = { group = \"g\", loss = \"watch-fraction\", duration = \"x\" }\n\
         odds = { group = \"g\", loss = \"weighted-logistic\" }\n\
         rank = { group = \"g\", loss = \"watch-quantile\", duration = \"x\" }",
    );
    let mut ranker = ranker_of(&spec, 1);
    let mut batch = halves(&ranker);
    let (mut fit, mut draws) = (ScalerFit::new(&spec), Draws::new(9));
    batch.durations = vec![vec![0.0; EXAMPLES], Vec::new(), vec![0.0; EXAMPLES]];
    for row in 0..EXAMPLES {
        // Milliseconds of videos of one and of five minutes: 60 % of the short ones are seen, 20 % of the long ones.
        let (duration, share) = if row % 2 == 0 { (6e4, 0.6) } else { (3e5, 0.2) };
        let watched = duration * (share + 0.2 * draws.value());
        batch.durations[0][row] = duration;
        batch.durations[2][row] = duration;
        for objective in 0..3 {
            batch.labels[objective][row] = watched;
            fit.add_watch_time(objective, row as u64, duration, watched);
        }
    }
    ranker.encoder = Encoder::new(spec.clone(), fit.finish());
    ranker.weights.set_base_rates(&spec, &[Some(45_000.0); 3]);
    learn(&mut ranker, &batch, 40, 1.0);
    for objective in 0..3 {
        for ratio in calibration(&ranker, &batch, objective) {
            assert!(
                (ratio - 1.0).abs() < 0.05,
                "predicted / observed of `{}` is {ratio}",
                spec.objectives[objective].name
            );
        }
    }
    // Where the duration is missing predictions are still finite, and in the label's unit.
    batch.durations[0].fill(f32::NAN);
    batch.durations[2].fill(f32::NAN);
    for values in ranker.predict(&batch, Positions::Missing).values {
        assert!(values.iter().all(|value| (1e3..3e5).contains(value)));
    }
}
