//! Forms of bias: whole steps, and what serving reads.

use spec::{BiasForm, ServePosition};

use super::*;
use crate::testing::parsed;

/// The declaration with its click alone biased, in this form.
fn spec_of(form: BiasForm, lines: &str) -> Arc<spec::Spec> {
    let text = spec_with(BOTTOMS[3]).text.replace(
        "watch = { group = \"engagement\"",
        "watch = { group = \"watching\"",
    );
    parsed(&text.replace("[bias]", &format!("[bias]\nform = \"{}\"\n{lines}", form.word())))
}

const FORMS: [BiasForm; 6] = [
    BiasForm::Additive,
    BiasForm::Product,
    BiasForm::None,
    BiasForm::Input,
    BiasForm::Adversarial,
    BiasForm::Ips,
];

/// A batch with a propensity for each example.
fn batch_of(ranker: &Ranker, len: usize) -> Encoded {
    let mut batch = random_batch(ranker, len, 1);
    batch.propensities = (0..len).map(|row| [1.0, 0.4, 0.01][row % 3]).collect();
    batch
}

fn check_form(form: BiasForm, lines: &str) -> Result<(), GradientMismatch> {
    let mut ranker = enlivened(ranker_of(&spec_of(form, lines), 7));
    see_everything(&mut ranker);
    let (mut work, mut gradients) = (TrainWorkspace::new(&ranker, 9), Gradients::new(&ranker));
    ranker.gradient(&batch_of(&ranker, 9), KEYS, &mut work, &mut gradients);
    let mut batch = batch_of(&ranker, 6);
    batch.weights = vec![1.0, 0.25, 3.0, 1.0, 2.0, 0.5];
    ranker.gradient(&batch, KEYS, &mut work, &mut gradients);
    compare(&ranker, &batch, &gradients)
}

#[test]
fn every_gradient_of_every_form_without_a_reversal_is_the_slope_of_the_loss() {
    // An adversary's and a reversed head's are no slope of that loss: their own checks, and PyTorch, judge them.
    for form in FORMS.into_iter().filter(|form| *form != BiasForm::Adversarial) {
        check_form(form, "").unwrap();
        check_form(form, "output_dropout = 0.4").unwrap();
    }
}

#[test]
fn the_check_of_a_form_notices_planted_faults() {
    let faults = [
        "product: slopes exchanged",
        "product: added",
        "product: unexamined forgotten",
    ];
    assert_check_bites("product", &faults, || check_form(BiasForm::Product, ""));
}

#[test]
fn labels_count_by_their_propensity_up_to_the_clip() {
    let spec = spec_of(BiasForm::Ips, "propensity_clip = 5");
    let ranker = ranker_of(&spec, 1);
    let batch = batch_of(&ranker, 6);
    let mut targets = vec![1.0, 1.0, 1.0, 0.0, f32::NAN, 0.5];
    piece::weigh_by_propensity(&batch, spec.bias.as_ref().unwrap(), &mut targets);
    assert_eq!(targets[..4], [1.0, 2.5, 5.0, 0.0]);
    assert!(targets[4].is_nan() && targets[5] == 2.5);
}

/// The rows of `batch` in the order of an objective's logits, as far as they are told apart.
fn order(logits: &[f32]) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..logits.len()).collect();
    rows.sort_by(|a, b| logits[*a].total_cmp(&logits[*b]));
    rows
}

#[test]
fn no_order_depends_on_what_is_served_nor_any_score_on_logged_positions() {
    for form in FORMS {
        for serve in ["\"missing\"", "1", "\"none\""] {
            if form == BiasForm::Input && serve == "\"none\"" {
                continue;
            }
            let ranker = enlivened(ranker_of(&spec_of(form, &format!("serve_position = {serve}")), 7));
            let mut batch = batch_of(&ranker, 64);
            // One request has one context.
            batch.cells.fill(1);
            let served = ranker.predict(&batch, Positions::Served);
            if form != BiasForm::Input {
                let main = ranker.main_logits(&batch);
                assert_eq!(order(&served.logits[0]), order(&main[0]), "{form:?} {serve}");
            }
            let mut elsewhere = batch.clone();
            elsewhere.positions.reverse();
            elsewhere.propensities.reverse();
            assert_eq!(
                ranker.predict(&elsewhere, Positions::Served),
                served,
                "{form:?} {serve}"
            );
            assert_eq!(ranker.main_logits(&elsewhere), ranker.main_logits(&batch));
            let reads = form.is_served_otherwise();
            let logged =
                ranker.predict(&batch, Positions::Logged) != ranker.predict(&elsewhere, Positions::Logged);
            assert_eq!(
                logged, reads,
                "{form:?}: a log is judged by its positions where they are read"
            );
        }
    }
}

#[test]
fn served_is_what_was_declared() {
    for (serve, positions) in [
        ("\"missing\"", Positions::Missing),
        ("1", Positions::First),
        ("\"none\"", Positions::Without),
    ] {
        for form in [BiasForm::Additive, BiasForm::Product] {
            let ranker = enlivened(ranker_of(&spec_of(form, &format!("serve_position = {serve}")), 7));
            let batch = batch_of(&ranker, 20);
            let served = ranker.predict(&batch, Positions::Served);
            assert_eq!(served, ranker.predict(&batch, positions));
            let others = [Positions::Missing, Positions::First, Positions::Without];
            let same = others
                .iter()
                .filter(|other| ranker.predict(&batch, **other) == served);
            assert_eq!(same.count(), 1, "{form:?} {serve}");
        }
    }
    assert_eq!(ServePosition::default(), ServePosition::Missing);
}

#[test]
fn a_position_that_is_an_input_widens_the_network_and_is_read_as_it_was_drawn() {
    let spec = spec_of(BiasForm::Input, "");
    let plain = spec_of(BiasForm::None, "");
    let [wide, narrow] = [&spec, &plain].map(|spec| crate::Plan::of(spec).width());
    // 3 positions and the missing one, 3 x 3 cells.
    assert_eq!(wide, narrow + 4 + 9);
    let cost = [&spec, &plain].map(|spec| crate::Cost::of(spec));
    assert_eq!(cost[0].input_width, wide);
    assert_eq!(cost[0].multiplications, cost[1].multiplications + 13 * 5);
    let ranker = ranker_of(&spec, 1);
    let batch = batch_of(&ranker, 5);
    let mut input = Vec::new();
    let ids: Vec<Vec<u32>> = batch.ids.iter().map(|ids| ids.rows.clone()).collect();
    ranker.gather(
        &batch,
        1..4,
        Some(&[0, 1, 2, 3, 0]),
        |field| &ids[field],
        &mut input,
    );
    for (row, position) in [(0, 1), (1, 2), (2, 3)] {
        let columns = &input[row * wide..][narrow..wide];
        let ones: Vec<usize> = (0..13).filter(|at| columns[*at] == 1.0).collect();
        assert_eq!(ones, [position, 4 + batch.cells[row + 1] as usize]);
        assert_eq!(columns.iter().sum::<f32>(), 2.0);
    }
}

#[test]
fn a_product_begins_where_its_labels_are() {
    let mut ranker = ranker_of(&spec_of(BiasForm::Product, ""), 1);
    for tensor in ranker.weights.network.tensors_mut() {
        tensor.values.fill(0.0);
    }
    let spec = Arc::clone(ranker.spec());
    ranker.weights.set_base_rates(&spec, &[Some(0.2), None, None]);
    let predicted = ranker.predict(&batch_of(&ranker, 3), Positions::Logged);
    for value in &predicted.values[0] {
        assert!((value - 0.2).abs() < 1e-5, "{value}");
    }
}
