//! Gradients of every architecture, and what its gates draw.

use nn::GradientMismatch;

use super::{KEYS, check, lively};
use crate::faults::assert_check_bites;
use crate::testing::{
    BOTTOMS, EXTRACTIONS, MIXTURES, ONE_GATES, ROUTINGS, SINGLES, random_batch, see_everything,
};
use crate::{Gradients, Positions, StepKeys, TrainWorkspace};

fn check_all(models: &[&str]) -> Result<(), GradientMismatch> {
    models.iter().try_for_each(|model| check(model))
}

#[test]
fn every_gradient_of_a_mixture_is_the_slope_of_the_loss_and_the_check_notices_planted_faults() {
    let faults = [
        "mixture: experts learn nothing",
        "mixture: gates give nothing back",
        "mixture: experts give h nothing",
    ];
    assert_check_bites("mixture", &faults, || {
        check_all(&ONE_GATES)?;
        check_all(&MIXTURES)
    });
}

#[test]
fn every_gradient_of_a_shared_bottom_is_the_slope_of_the_loss_and_the_check_notices_planted_faults() {
    let faults = [
        "shared bottom: towers give h nothing",
        "shared bottom: no ReLU",
        "shared bottom: no d_x",
    ];
    assert_check_bites("shared bottom", &faults, || check_all(&BOTTOMS));
}

#[test]
fn every_gradient_of_towers_is_the_slope_of_the_loss_and_the_check_notices_planted_faults() {
    let faults = [
        "towers: all in one block",
        "towers: d_input not cleared",
        "towers: one objective for all",
    ];
    assert_check_bites("towers", &faults, || {
        check_all(&SINGLES)?;
        check(MIXTURES[1])
    });
}

#[test]
fn every_gradient_of_ple_is_the_slope_of_the_loss_and_the_check_notices_planted_faults() {
    let faults = [
        "ple: d_experts not cleared",
        "ple: gates give nothing back",
        "ple: no ReLU",
        "ple: no ReLU below the mixture",
        "ple: the first group learns for all of its shape",
        "ple: the shared group gives nothing back",
    ];
    assert_check_bites("ple", &faults, || check_all(&EXTRACTIONS));
}

#[test]
fn every_gradient_of_snr_is_the_slope_of_the_loss_and_the_check_notices_planted_faults() {
    let faults = [
        "snr: d_output not cleared",
        "snr: gates learn nothing",
        "snr: no ReLU below the routes",
        "snr: no penalty",
        "snr: sub-networks give h nothing",
        "snr: the first sub-network learns for all",
    ];
    assert_check_bites("snr", &faults, || check_all(&ROUTINGS));
}

#[test]
fn connections_are_drawn_anew_for_each_step_whatever_the_examples_and_not_at_all_where_it_serves() {
    for model in ROUTINGS {
        let mut ranker = lively(model);
        see_everything(&mut ranker);
        let batch = random_batch(&ranker, 16, 1);
        let mut logits_of = |examples: &[u32], step| {
            let (mut work, mut gradients) = (TrainWorkspace::new(&ranker, 16), Gradients::new(&ranker));
            let keys = StepKeys { step, ..KEYS };
            ranker.gradient(&batch.select(examples), keys, &mut work, &mut gradients);
            work.logits()
        };
        let all: Vec<u32> = (0..16).collect();
        let (first, second) = (logits_of(&all, 1), logits_of(&all, 2));
        assert_ne!(first, second, "{model}");
        assert_eq!(logits_of(&all, 1), first, "{model}");
        let of_last: Vec<f32> = first.iter().map(|logits| logits[15]).collect();
        assert_eq!(logits_of(&[15], 1).concat(), of_last, "{model}");
        let served = ranker.predict(&batch, Positions::Missing);
        assert_eq!(served, ranker.predict(&batch, Positions::Missing), "{model}");
    }
}
