use nn::{GradientMismatch, check_gradient};
use rand_chacha::rand_core::SeedableRng;

use super::*;
use crate::faults::assert_check_bites;
use crate::testing::{BOTTOMS, Draws, START, TOLERANCE, added, parsed, spec_with};

/// Of three objectives the first two are biased; positions to 3.
fn adversary() -> Adversary {
    let text = spec_with(BOTTOMS[0])
        .text
        .replace("[bias]", "[bias]\nform = \"adversarial\"");
    Adversary::of(&parsed(&text), &mut ChaCha8Rng::seed_from_u64(4)).unwrap()
}

fn batch() -> Encoded {
    Encoded {
        len: 5,
        positions: vec![1, 2, 0, 3, 1],
        weights: vec![1.0, 0.5, 2.0, 1.0, 3.0],
        ..Encoded::default()
    }
}

const SCALE: f32 = 0.2;
const STRENGTH: f32 = 0.3;

fn logits() -> Vec<Vec<f32>> {
    (6..9).map(|seed| Draws::new(seed).values(5)).collect()
}

/// The adversary's loss, by another way.
fn loss(adversary: &Adversary, logits: &[Vec<f32>]) -> f64 {
    let [weight, bias, out, offset] = &adversary.parts;
    let logs = [1.0f64, 2.0, 3.0].map(f64::ln);
    let mean = logs.iter().sum::<f64>() / 3.0;
    let deviation = (logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / 3.0).sqrt();
    let batch = batch();
    let known = (0..5).filter(|row| batch.positions[*row] > 0);
    known
        .map(|row| {
            let unit = |unit: usize| {
                let sum: f64 = (0..2)
                    .map(|k| f64::from(logits[k][row]) * f64::from(weight[k * UNITS + unit]))
                    .sum();
                (sum + f64::from(bias[unit])).tanh() * f64::from(out[unit])
            };
            let told = f64::from(offset[0]) + (0..UNITS).map(unit).sum::<f64>();
            let target = (f64::from(batch.positions[row]).ln() - mean) / deviation;
            f64::from(SCALE * batch.weights[row]) * (told - target).powi(2) / 2.0
        })
        .sum()
}

fn check() -> Result<(), GradientMismatch> {
    let (adversary, batch, logits) = (adversary(), batch(), logits());
    let mut grad = adversary.zeros_like();
    grad.parts.iter_mut().flatten().for_each(|d| *d = START);
    // A label's gradient that allows everything.
    let mut d_logits = vec![vec![100.0; 5]; 3];
    adversary.run(&batch, &logits, (STRENGTH, SCALE), &mut d_logits, &mut grad);
    for at in 0..4 {
        let by_part = |part: &[f32]| {
            let mut probe = adversary.clone();
            probe.parts[at].copy_from_slice(part);
            loss(&probe, &logits)
        };
        let mut part = adversary.parts[at].clone();
        check_gradient(
            Adversary::NAMES[at],
            &mut part,
            &added(&grad.parts[at]),
            by_part,
            TOLERANCE,
        )?;
    }
    for at in 0..2 {
        let by_logit = |of_objective: &[f32]| {
            let mut probe = logits.clone();
            probe[at].copy_from_slice(of_objective);
            f64::from(-STRENGTH) * loss(&adversary, &probe)
        };
        let turned: Vec<f32> = d_logits[at].iter().map(|d| d - 100.0).collect();
        check_gradient("logit", &mut logits[at].clone(), &turned, by_logit, TOLERANCE)?;
    }
    assert_eq!(d_logits[2], [100.0; 5], "an objective without bias is left alone");
    Ok(())
}

#[test]
fn it_learns_and_the_main_tower_unlearns_and_the_check_notices_planted_faults() {
    let faults = [
        "adversary: units forgotten",
        "adversary: no tanh",
        "adversary: logit forgotten",
        "adversary: not reversed",
    ];
    assert_check_bites("adversary", &faults, check);
}

#[test]
fn whatever_its_strength_half_of_the_label_s_gradient_stays() {
    let (adversary, batch, logits) = (adversary(), batch(), logits());
    let labels: Vec<Vec<f32>> = (1..4).map(|seed| Draws::new(seed).values(5)).collect();
    for strength in [0.1, 1.0, 1e6, f32::MAX] {
        let mut d_logits = labels.clone();
        let mut grad = adversary.zeros_like();
        adversary.run(&batch, &logits, (strength, 1.0), &mut d_logits, &mut grad);
        for (d, label) in d_logits.iter().flatten().zip(labels.iter().flatten()) {
            assert!(
                d * label >= 0.0 && d.abs() >= 0.499 * label.abs() && d.abs() <= 1.501 * label.abs(),
                "{strength}: {d}, label {label}"
            );
        }
    }
}

#[test]
fn one_position_alone_tells_nothing_and_breaks_nothing() {
    assert_eq!(moments(1), (0.0, 1.0));
    let (mean, deviation) = moments(10);
    assert!(
        (mean - 1.510_44).abs() < 1e-4 && (deviation - 0.695_4).abs() < 1e-3,
        "{mean} {deviation}"
    );
}
