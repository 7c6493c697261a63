use nn::{GradientMismatch, check_gradient};

use super::*;
use crate::faults::assert_check_bites;
use crate::testing::{BOTTOMS, Draws, START, TOLERANCE, added, spec_with, weighted_sum};

/// Three objectives, of which the first two have a shallow logit; 3 x 3 cells, positions 1 to 3.
fn tower(form: TowerForm) -> ShallowTower {
    let spec = spec_with(BOTTOMS[0]);
    let mut tower = ShallowTower::new(&spec, spec.bias.as_ref().unwrap());
    tower.form = form;
    tower.reversal = vec![0.6, -0.3, -0.8, 0.2];
    let mut draws = Draws::new(1);
    let weights = tower.weight.iter_mut().flatten();
    weights.for_each(|weight| *weight = draws.value());
    tower
}

fn batch() -> Encoded {
    Encoded {
        len: 5,
        cells: vec![0, 8, 4, 4, 1],
        positions: vec![1, 2, 3, 3, 1],
        weights: vec![1.0, 0.5, 2.0, 1.0, 3.0],
        keys: (0..5).collect(),
        ..Encoded::default()
    }
}

const DRAWN: [u32; 5] = [1, 0, 3, 3, 0];
const FORMS: [TowerForm; 2] = [TowerForm::Additive, TowerForm::Product];

fn main_logits() -> Vec<Vec<f32>> {
    (6..9).map(|seed| Draws::new(seed).values(5)).collect()
}

/// Of a loss that is linear in the joint logits: the gradients of weights and of main logits against their slopes.
fn check_form(form: TowerForm, dropout: f32) -> Result<(), GradientMismatch> {
    let (tower, batch) = (tower(form), batch());
    let d_logits: Vec<Vec<f32>> = (2..5).map(|seed| Draws::new(seed).values(5)).collect();
    let loss = |tower: &ShallowTower, main: &[Vec<f32>]| -> f64 {
        let (mut logits, mut acts) = (main.to_vec(), tower.activations(5));
        tower.forward_in_training(&batch, &DRAWN, (dropout, 3), &mut acts, &mut logits);
        let sums = d_logits.iter().zip(&logits);
        sums.map(|(d, logits)| weighted_sum(d, logits)).sum()
    };
    let (mut logits, mut d_main, mut acts) = (main_logits(), d_logits.clone(), tower.activations(5));
    let mut grad = tower.zeros_like();
    grad.weight.iter_mut().flatten().for_each(|d| *d = START);
    tower.forward_in_training(&batch, &DRAWN, (dropout, 3), &mut acts, &mut logits);
    tower.backward(&batch, &DRAWN, &acts, &mut d_main, &mut grad);
    for (at, gradient) in grad.weight.iter().enumerate() {
        let by_weight = |weight: &[f32]| {
            let mut probe = tower.clone();
            probe.weight[at].copy_from_slice(weight);
            loss(&probe, &main_logits())
        };
        let mut weight = tower.weight[at].clone();
        check_gradient("weight", &mut weight, &added(gradient), by_weight, TOLERANCE)?;
    }
    for (at, gradient) in d_main.iter().enumerate() {
        let by_main = |main: &[f32]| {
            let mut probe = main_logits();
            probe[at].copy_from_slice(main);
            loss(&tower, &probe)
        };
        let mut main = main_logits()[at].clone();
        check_gradient("main logit", &mut main, gradient, by_main, TOLERANCE)?;
    }
    Ok(())
}

fn check() -> Result<(), GradientMismatch> {
    FORMS.iter().try_for_each(|form| {
        check_form(*form, 0.0)?;
        check_form(*form, 0.4)
    })
}

#[test]
fn the_gradients_are_the_slopes_and_the_check_notices_planted_faults() {
    let faults = [
        "shallow tower: one cell for all",
        "shallow tower: logged for drawn position",
        "shallow tower: missing for every position",
        "shallow tower: sign",
        "shallow tower: left out and trained",
        "shallow tower: main slope forgotten",
    ];
    assert_check_bites("shallow tower", &faults, check);
    let faults = [
        "product: slopes exchanged",
        "product: added",
        "product: unexamined forgotten",
    ];
    assert_check_bites("product", &faults, check);
}

#[test]
fn it_adds_the_weight_of_cell_and_position_to_its_objectives_alone() {
    let (tower, batch) = (tower(TowerForm::Additive), batch());
    let mut logits = vec![vec![10.0; 5]; 3];
    tower.forward(&batch, &DRAWN, &mut logits);
    for objective in [0, 1] {
        let expected =
            [(0, 1), (8, 0), (4, 3), (4, 3), (1, 0)].map(|(c, p)| 10.0 + tower.weight[objective][c * 4 + p]);
        assert_eq!(logits[objective], expected);
    }
    assert_eq!(logits[2], [10.0; 5]);
}

#[test]
fn a_product_multiplies_probabilities_at_any_size_of_its_logits() {
    for m in [-80.0f32, -5.0, -0.3, 0.0, 2.0, 12.0, 80.0] {
        for b in [-80.0f32, -4.0, 0.0, 1.5, 9.0, 80.0] {
            let (logit, d_main, d_output) = product(m, b);
            let [m, b] = [m, b].map(f64::from);
            // ln P = -ln(1 + e^-m) - ln(1 + e^-b)
            let soft = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
            let ln_p = -soft(-m) - soft(-b);
            let found = -soft(-f64::from(logit));
            assert!(
                (found - ln_p).abs() < 1e-5 * ln_p.abs().max(1.0),
                "{m} {b}: {found} {ln_p}"
            );
            for slope in [d_main, d_output] {
                assert!((0.0..=1.0).contains(&slope), "{m} {b}: {slope}");
            }
        }
    }
    assert_eq!(seen_with(1.0, -0.7), -0.7);
    let seen = nn::sigmoid(seen_with(0.25, 0.4));
    assert!((seen - 0.25 * nn::sigmoid(0.4)).abs() < 1e-6, "{seen}");
}

#[test]
fn a_declared_share_of_outputs_is_left_out_by_example_and_objective_and_serving_reads_all() {
    let spec = spec_with(BOTTOMS[0]);
    let tower = tower(TowerForm::Additive);
    let len = 10_000;
    let batch = Encoded {
        len,
        cells: vec![1; len],
        positions: vec![2; len],
        keys: (0..len as u64).collect(),
        ..Encoded::default()
    };
    assert_eq!(spec.objectives.len(), 3);
    let left_out = |seed| -> Vec<Vec<bool>> {
        let (mut logits, mut acts) = (vec![vec![0.0; len]; 3], tower.activations(len));
        tower.forward_in_training(&batch, &batch.positions, (0.3, seed), &mut acts, &mut logits);
        let of = |logits: &Vec<f32>| logits.iter().map(|logit| *logit == 0.0).collect();
        logits.iter().take(2).map(of).collect()
    };
    let drawn = left_out(1);
    for dropped in &drawn {
        let share = dropped.iter().filter(|dropped| **dropped).count() as f32 / len as f32;
        // Five standard deviations of a share of 0.3.
        assert!((share - 0.3).abs() < 0.023, "{share}");
    }
    assert_ne!(drawn[0], drawn[1], "objectives draw apart");
    assert_ne!(drawn, left_out(2), "passes draw anew");
    assert_eq!(drawn, left_out(1));
    let mut logits = vec![vec![0.0; len]; 3];
    tower.forward(&batch, &batch.positions, &mut logits);
    assert!(logits[0].iter().all(|logit| *logit == tower.weight[0][4 + 2]));
}

const TARGETS: [f32; 5] = [1.0, 0.0, f32::NAN, 1.0, 0.25];

/// The loss of the head of the first objective, by another way.
fn head_loss(tower: &ShallowTower, batch: &Encoded) -> f64 {
    let rows = (0..5).map(|row| {
        let b = f64::from(tower.weight[0][tower.index(batch.cells[row], DRAWN[row])]);
        let output = match tower.form {
            TowerForm::Additive => b,
            TowerForm::Product => (1.0 / (1.0 + (-b).exp())).ln(),
        };
        f64::from(tower.reversal[0]) * output + f64::from(tower.reversal[1])
    });
    let logits: Vec<f32> = rows.map(|logit| logit as f32).collect();
    nn::binary_loss(&logits, &TARGETS, &batch.weights, 1.0, &mut [0.0; 5])
}

/// The head learns by its loss; the tower gets the turned gradient of it, at the declared strength.
fn check_reversal() -> Result<(), GradientMismatch> {
    let (strength, scale) = (0.5f32, 0.7f32);
    for form in FORMS {
        let (tower, batch) = (tower(form), batch());
        let (mut logits, mut acts) = (main_logits(), tower.activations(5));
        tower.forward_in_training(&batch, &DRAWN, (0.0, 3), &mut acts, &mut logits);
        let mut grad = tower.zeros_like();
        tower.reverse(
            0,
            (&batch, &DRAWN),
            &TARGETS,
            (strength, scale),
            &mut acts,
            &mut grad,
        );
        tower.backward(&batch, &DRAWN, &acts, &mut vec![vec![0.0; 5]; 3], &mut grad);
        let by_head = |head: &[f32]| {
            let mut probe = tower.clone();
            probe.reversal.copy_from_slice(head);
            f64::from(scale) * head_loss(&probe, &batch)
        };
        check_gradient(
            "head",
            &mut tower.reversal.clone(),
            &grad.reversal,
            by_head,
            TOLERANCE,
        )?;
        let by_weight = |weight: &[f32]| {
            let mut probe = tower.clone();
            probe.weight[0].copy_from_slice(weight);
            f64::from(-strength * scale) * head_loss(&probe, &batch)
        };
        let mut weight = tower.weight[0].clone();
        check_gradient("weight", &mut weight, &grad.weight[0], by_weight, TOLERANCE)?;
        assert!(grad.weight[1].iter().all(|d| *d == 0.0));
    }
    Ok(())
}

#[test]
fn a_head_learns_and_its_gradient_comes_back_turned_and_the_check_notices_planted_faults() {
    let faults = [
        "reversal: sign",
        "reversal: output forgotten",
        "reversal: strength forgotten",
        "reversal: slope of the output forgotten",
    ];
    assert_check_bites("reversal", &faults, check_reversal);
}

#[test]
fn a_head_however_steep_never_outweighs_the_label() {
    // One position, clicked always: the label pulls the weight up, the reversed gradient of a steep head down.
    let mut tower = tower(TowerForm::Additive);
    for b in [-30.0, -3.0, 3.0, 30.0] {
        for steep in [-50.0, -1.0, 1.0, 50.0] {
            tower.weight[0].fill(b);
            tower.reversal = vec![steep, 0.0, 0.0, 0.0];
            let batch = batch();
            let (mut logits, mut acts) = (vec![vec![0.0; 5]; 3], tower.activations(5));
            tower.forward_in_training(&batch, &DRAWN, (0.0, 3), &mut acts, &mut logits);
            for (label, sign) in [(1.0, -1.0), (0.0, 1.0)] {
                let targets = [label; 5];
                let mut d_logits = vec![vec![0.0; 5]; 3];
                nn::binary_loss(&logits[0], &targets, &batch.weights, 1.0, &mut d_logits[0]);
                let of_label: f32 = d_logits[0].iter().sum();
                let mut grad = tower.zeros_like();
                tower.reverse(0, (&batch, &DRAWN), &targets, (0.99, 1.0), &mut acts, &mut grad);
                tower.backward(&batch, &DRAWN, &acts, &mut d_logits, &mut grad);
                let whole: f32 = grad.weight[0].iter().sum();
                // Far out, where a weight could run away, the sum keeps the label's sign.
                if b * sign > 10.0 {
                    assert!(
                        whole * of_label > 0.0,
                        "{b} {steep} {label}: {whole}, label {of_label}"
                    );
                }
            }
        }
    }
}
