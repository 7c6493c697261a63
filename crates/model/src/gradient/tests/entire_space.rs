//! Learning over the entire space: the gradient, and who learns from what.

use super::{KEYS, check_ranker, enlivened};
use crate::testing::{parsed, random_batch, ranker_of, see_everything, spec_of_entire_space};
use crate::{Gradients, Positions, TrainWorkspace};

#[test]
fn every_gradient_over_the_entire_space_is_the_slope_of_the_joint_loss() {
    let ranker = enlivened(ranker_of(&parsed(spec_of_entire_space()), 7));
    check_ranker(ranker).unwrap();
}

#[test]
fn over_the_entire_space_a_conditional_and_its_conditions_learn_from_what_was_not_clicked() {
    let spec = parsed(spec_of_entire_space());
    let mut ranker = ranker_of(&spec, 7);
    see_everything(&mut ranker);
    let mut batch = random_batch(&ranker, 1, 1);
    batch.labels = vec![vec![0.0], vec![f32::NAN], vec![f32::NAN]];
    let (mut work, mut gradients) = (TrainWorkspace::new(&ranker, 1), Gradients::new(&ranker));
    let losses = ranker.gradient(&batch, KEYS, &mut work, &mut gradients);
    let p: Vec<f64> = work
        .logits()
        .iter()
        .map(|logit| f64::from(nn::sigmoid(logit[0])))
        .collect();
    let expected = [p[0], p[0] * p[1], p[0] * p[1] * p[2]].map(|p| -(1.0 - p).ln());
    for (found, expected) in losses.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-6, "{found}, {expected}");
    }
    for tower in gradients.network.towers_mut() {
        assert!(tower.logit.bias[0] > 0.0, "less of it, where it did not happen");
    }
    let predicted = ranker.predict(&batch, Positions::Missing);
    assert!(
        (f64::from(predicted.values[1][0]) - p[1]).abs() < 1e-6,
        "the conditional itself is predicted"
    );
}
