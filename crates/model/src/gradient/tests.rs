mod architectures;
mod entire_space;
mod forms;
mod learning;
mod pieces;

use std::sync::Arc;

use nn::{GradientMismatch, check_gradient};

use super::*;
use crate::Positions;
use crate::faults::assert_check_bites;
use crate::testing::{
    BOTTOMS, Draws, MIXTURES, TOLERANCE, away_from_kinks, fitted_to_times, random_batch, ranker_of,
    see_everything, spec_of_times, spec_with,
};

const KEYS: StepKeys = StepKeys {
    seed: 3,
    pass: 1,
    step: 0,
    first_pass: true,
};

fn lively(model: &str) -> Ranker {
    enlivened(ranker_of(&spec_with(model), 7))
}

/// A ranker whose tables and shallow tower are no longer near zero, and whose units stay on their side of ReLU.
fn enlivened(mut ranker: Ranker) -> Ranker {
    let mut draws = Draws::new(5);
    for table in &mut ranker.weights.tables {
        table.embedding.weight.fill_with(|| draws.value());
    }
    for tensor in ranker.weights.network.tensors_mut() {
        let (weight, bias) = if tensor.decays {
            (tensor.values, &mut [][..])
        } else {
            (&mut [][..], tensor.values)
        };
        away_from_kinks(weight, bias);
    }
    for weight in ranker
        .weights
        .shallow
        .iter_mut()
        .flat_map(|shallow| &mut shallow.weight)
    {
        weight.fill_with(|| draws.value());
    }
    ranker
}

/// The loss that [`Gradients`] are of.
fn mean_loss(ranker: &mut Ranker, batch: &Encoded) -> f64 {
    let (mut work, mut gradients) = (TrainWorkspace::new(ranker, batch.len), Gradients::new(ranker));
    let losses = ranker.gradient(batch, KEYS, &mut work, &mut gradients);
    let weighted = ranker
        .spec()
        .objectives
        .iter()
        .zip(losses)
        .map(|(o, loss)| f64::from(o.loss_weight) * loss);
    weighted.sum::<f64>() / batch.len as f64 + ranker.weights.network.penalty()
}

/// The gradient of a whole table.
fn spread(gradient: &SparseGrad, rows: usize) -> Vec<f32> {
    let mut all = vec![0.0; rows * gradient.dim()];
    for (at, &row) in gradient.rows().iter().enumerate() {
        all[row as usize * gradient.dim()..][..gradient.dim()].copy_from_slice(gradient.row(at));
    }
    all
}

/// Every gradient of `gradients` against the slopes of [`mean_loss`] from `ranker` on.
fn compare(ranker: &Ranker, batch: &Encoded, gradients: &Gradients) -> Result<(), GradientMismatch> {
    let spec = ranker.spec().clone();
    let analytic: Vec<(String, Vec<f32>)> = {
        let tables = gradients.tables.iter().zip(&ranker.weights.tables);
        let tables = tables.map(|(gradient, table)| spread(gradient, table.embedding.rows));
        let network = gradients
            .network
            .tensors()
            .into_iter()
            .map(|tensor| tensor.values.to_vec());
        let shallow = gradients.bias_parts().map(<[f32]>::to_vec);
        let names = ranker
            .weights
            .tensors(&spec)
            .into_iter()
            .map(|tensor| tensor.name);
        names.zip(tables.chain(network).chain(shallow)).collect()
    };
    assert_eq!(
        analytic.len(),
        ranker.weights.tensors(&spec).len(),
        "a gradient for each tensor"
    );
    for (at, (name, analytic)) in analytic.iter().enumerate() {
        let mut values = ranker.weights.tensors(&spec)[at].values.to_vec();
        let loss = |values: &[f32]| {
            let mut probe = ranker.clone();
            probe.weights.values_mut()[at].copy_from_slice(values);
            mean_loss(&mut probe, batch)
        };
        check_gradient(name, &mut values, analytic, loss, TOLERANCE)?;
    }
    Ok(())
}

/// The second step on the same buffers is the one that is judged: it must not see the first.
fn check(model: &str) -> Result<(), GradientMismatch> {
    check_ranker(lively(model))
}

fn check_ranker(mut ranker: Ranker) -> Result<(), GradientMismatch> {
    see_everything(&mut ranker);
    let (mut work, mut gradients) = (TrainWorkspace::new(&ranker, 9), Gradients::new(&ranker));
    ranker.gradient(&random_batch(&ranker, 9, 2), KEYS, &mut work, &mut gradients);
    let mut batch = random_batch(&ranker, 6, 1);
    batch.weights = vec![1.0, 0.25, 3.0, 1.0, 2.0, 0.5];
    ranker.gradient(&batch, KEYS, &mut work, &mut gradients);
    compare(&ranker, &batch, &gradients)
}

/// Weighted ids, watch times in their own unit, negatives that are dropped.
fn check_times() -> Result<(), GradientMismatch> {
    check_ranker(enlivened(fitted_to_times(&spec_of_times(), 7)))
}

#[test]
fn the_check_of_a_whole_step_notices_planted_faults() {
    let faults = [
        "gradient: input drop-out forgotten",
        "gradient: id drop-out forgotten",
        "gradient: columns of the first field",
        "gradient: sum for mean",
        "gradient: weights of ids forgotten",
    ];
    assert_check_bites("gradient", &faults, || {
        check(BOTTOMS[0])?;
        check_times()
    });
}

#[test]
fn a_first_sighting_trains_the_row_for_new_ids_and_admits_its_own_as_a_copy() {
    let mut ranker = lively(BOTTOMS[1]);
    let mut batch = random_batch(&ranker, 3, 1);
    // Each unseen row once: a second sighting would read the copy, whose gradient is its own.
    for (input, ids) in ranker.encoder.plan().ids.iter().zip(&mut batch.ids) {
        let first = input.column as u32 % 2;
        *ids = crate::EncodedIds {
            keys: Vec::new(),
            offsets: vec![0, 1, 2, 3],
            rows: vec![first, 2, 2],
            weights: Vec::new(),
        };
        ids.rows[1..].fill(ranker.weights.tables[input.table].new_row());
    }
    let before = ranker.clone();
    let (mut work, mut gradients) = (TrainWorkspace::new(&ranker, 3), Gradients::new(&ranker));
    ranker.gradient(&batch, KEYS, &mut work, &mut gradients);
    compare(&before, &batch, &gradients).unwrap();
    for (input, ids) in before.encoder.plan().ids.iter().zip(&batch.ids) {
        let (then, now) = (
            &before.weights.tables[input.table],
            &ranker.weights.tables[input.table],
        );
        assert!(then.sightings[ids.rows[0] as usize] == 0 && now.sightings[ids.rows[0] as usize] == 1);
        assert_eq!(now.embedding.row(ids.rows[0]), then.embedding.row(then.new_row()));
        assert_eq!(
            gradients.tables[input.table].rows(),
            [then.new_row()],
            "only `new` is trained"
        );
    }
}

#[test]
fn a_later_pass_over_the_same_examples_counts_no_sighting() {
    let mut ranker = lively(BOTTOMS[1]);
    let batch = random_batch(&ranker, 20, 1);
    let before = ranker.weights.clone();
    let (mut work, mut gradients) = (TrainWorkspace::new(&ranker, 20), Gradients::new(&ranker));
    let later = StepKeys {
        first_pass: false,
        ..KEYS
    };
    ranker.gradient(&batch, later, &mut work, &mut gradients);
    assert_eq!(ranker.weights, before);
    let tables = gradients.tables.iter().zip(&ranker.weights.tables);
    assert!(
        tables
            .filter(|(d, _)| d.dim() > 0)
            .all(|(d, table)| d.rows() == [table.new_row()]),
        "all read `new`"
    );
}

#[test]
fn a_step_without_drop_out_sees_what_a_prediction_sees() {
    let model =
        "architecture = \"mmoe\"\nshared = [5]\nexperts = { count = 2, widths = [3] }\ngate_dropout = 0.0";
    let text = spec_with(model)
        .text
        .replace("_dropout = 0.3", "_dropout = 0.0")
        .replace("_dropout = 0.2", "_dropout = 0.0");
    let mut ranker = ranker_of(&crate::testing::parsed(&text), 1);
    let batch = random_batch(&ranker, 40, 1);
    let predicted = ranker.predict(&batch, Positions::Logged);
    let mut work = TrainWorkspace::new(&ranker, 40);
    let mut gradients = Gradients::new(&ranker);
    ranker.gradient(&batch, KEYS, &mut work, &mut gradients);
    assert_eq!(
        work.logits(),
        predicted.logits,
        "unseen rows read as `new`, whether or not this step admits them"
    );
}

#[test]
fn draws_belong_to_the_example_and_the_pass_not_to_its_place_in_a_batch() {
    for model in [MIXTURES[1], BOTTOMS[0]] {
        let mut ranker = lively(model);
        see_everything(&mut ranker);
        let batch = random_batch(&ranker, 16, 1);
        let reversed = batch.select(&(0..16).rev().collect::<Vec<_>>());
        let mut logits_of = |batch: &Encoded, pass| {
            let (mut work, mut gradients) = (TrainWorkspace::new(&ranker, 16), Gradients::new(&ranker));
            ranker.gradient(batch, StepKeys { pass, ..KEYS }, &mut work, &mut gradients);
            work.logits()
        };
        let first = logits_of(&batch, 1);
        let mut again = logits_of(&reversed, 1);
        again.iter_mut().for_each(|logits| logits.reverse());
        assert_eq!(first, again);
        assert_ne!(first, logits_of(&batch, 2), "another pass draws anew");
    }
}

#[test]
fn the_declared_share_of_positions_and_ids_is_dropped() {
    let mut ranker = lively(BOTTOMS[1]);
    see_everything(&mut ranker);
    let mut batch = random_batch(&ranker, 10_000, 1);
    batch.positions.fill(2);
    batch.ids[0].rows.fill(1);
    let mut positions = Vec::new();
    piece::draw_positions(&batch, 0.3, 11, &mut positions);
    let mut rows = Vec::new();
    let field = &ranker.encoder.plan().ids[0];
    assert_eq!(field.table, 0);
    let table = &mut ranker.weights.tables[0];
    rows::draw_field(table, field.dropout, 0, &batch, KEYS, &mut rows);
    let new = table.new_row();
    let share = |dropped: usize| dropped as f32 / 1e4;
    let missing = share(positions.iter().filter(|&&position| position == 0).count());
    let cold = share(rows.iter().filter(|&&row| row == new).count());
    // Five standard deviations of a share of 0.3.
    for dropped in [missing, cold] {
        assert!((dropped - 0.3).abs() < 0.023, "{dropped}");
    }
}

#[test]
fn absent_labels_add_no_loss_and_no_gradient() {
    let mut ranker = lively(MIXTURES[1]);
    see_everything(&mut ranker);
    let mut batch = random_batch(&ranker, 4, 1);
    batch.labels.iter_mut().for_each(|labels| labels.fill(f32::NAN));
    let (mut work, mut gradients) = (TrainWorkspace::new(&ranker, 4), Gradients::new(&ranker));
    assert_eq!(ranker.gradient(&batch, KEYS, &mut work, &mut gradients), [0.0; 3]);
    assert!(
        gradients
            .network
            .tensors()
            .iter()
            .all(|tensor| tensor.values.iter().all(|d| *d == 0.0))
    );
    assert!(
        gradients
            .tables
            .iter()
            .all(|table| (0..table.rows().len()).all(|at| table.row(at).iter().all(|d| *d == 0.0)))
    );
}

#[test]
fn base_rates_are_what_a_network_without_other_weights_predicts() {
    let mut ranker = ranker_of(&spec_with(BOTTOMS[3]), 1);
    for tensor in ranker.weights.network.tensors_mut() {
        tensor.values.fill(0.0);
    }
    let spec = Arc::clone(ranker.spec());
    ranker
        .weights
        .set_base_rates(&spec, &[Some(0.03), Some(1.5), None]);
    let predictions = ranker.predict(&random_batch(&ranker, 2, 1), Positions::Missing);
    for (found, expected) in predictions.row(1).iter().zip([0.03, 1.5, 0.0]) {
        assert!((found - expected).abs() < 1e-6, "{found}, expected {expected}");
    }
}

#[test]
fn a_weight_of_an_example_multiplies_its_loss_and_its_gradient() {
    let mut ranker = enlivened(fitted_to_times(&spec_of_times(), 7));
    see_everything(&mut ranker);
    let batch = random_batch(&ranker, 2, 1);
    let mut step = |batch: &Encoded| {
        let (mut work, mut gradients) = (TrainWorkspace::new(&ranker, 4), Gradients::new(&ranker));
        let losses = ranker.gradient(batch, KEYS, &mut work, &mut gradients);
        (losses, gradients.network.tensors()[0].values.to_vec())
    };
    // The first example four times, of which the mean is half that of two with weights 4 and 1.
    let (mut heavy, mut often) = (batch.clone(), batch.clone());
    heavy.weights = vec![3.0, 1.0];
    often.append(&batch.select(&[0, 0]));
    let ((heavy_losses, heavy), (often_losses, often)) = (step(&heavy), step(&often));
    for (heavy, often) in heavy_losses.iter().zip(&often_losses) {
        assert!((heavy - often).abs() < 1e-9 * often.max(1.0), "{heavy}, {often}");
    }
    for (heavy, often) in heavy.iter().zip(&often) {
        assert!((heavy - 2.0 * often).abs() < 1e-4, "{heavy}, {often}");
    }
}

#[test]
fn the_declared_share_of_negatives_is_kept_anew_each_pass_and_no_other_label_is_dropped() {
    let ranker = fitted_to_times(&spec_of_times(), 7);
    let mut batch = random_batch(&ranker, 10_000, 1);
    batch.labels[0] = (0..10_000).map(|row| [0.0, 1.0, 0.0, 0.3][row % 4]).collect();
    let kept = |keep: f32, seed: u64| {
        let mut targets = batch.labels[0].clone();
        piece::drop_negatives(&batch, 0, keep, seed, &mut targets);
        targets.iter().map(|target| !target.is_nan()).collect::<Vec<_>>()
    };
    let first = kept(0.1, 5);
    assert!(first.iter().skip(1).step_by(2).all(|kept| *kept));
    let share = first.iter().step_by(2).filter(|kept| **kept).count() as f32 / 5e3;
    // Five standard deviations of a share of 0.1.
    assert!((share - 0.1).abs() < 0.021, "{share}");
    assert_eq!(first, kept(0.1, 5));
    assert_ne!(first, kept(0.1, 6));
    assert!(kept(1.0, 5).iter().all(|kept| *kept));
}
