//! Rows 13 to 15: what the closed loop came to.

use world::Examination::{self, Additive, Product};

use super::{Claim, Gate, Row};
use crate::proof::arm::Arm;
use crate::proof::cell::examination_name;
use crate::proof::days::Worth;

/// Days at the end that count as late.
const LATE: usize = 3;

/// All rows that the loops decide.
pub(super) fn rows(loops: &[Worth]) -> Vec<Row> {
    let of = |examination, arm| -> Vec<&[f64]> {
        let matching = loops
            .iter()
            .filter(|worth| worth.days.examination == examination && worth.days.arm == arm);
        matching.map(|worth| worth.value.as_slice()).collect()
    };
    // The lift of the tower over no position, per seed, of the days that `part` takes.
    let lift = |examination, part: fn(&[f64]) -> f64| -> Vec<f64> {
        let (tower, none) = (of(examination, Arm::Tower), of(examination, Arm::None));
        tower
            .iter()
            .zip(none)
            .map(|(tower, none)| part(tower) / part(none) - 1.0)
            .collect()
    };
    let claim = |examination: Examination, part, what: &str, least| {
        let what = format!(
            "{} world, {what}: tower over no position",
            examination_name(examination)
        );
        Claim::new(what, lift(examination, part), Gate::MeanAtLeast(least))
    };
    let rise = |examination, least| {
        let ratio = of(examination, Arm::None)
            .iter()
            .map(|value| late(value) / value[0])
            .collect();
        let what = format!(
            "{} world, last days over day 0, no position",
            examination_name(examination)
        );
        Claim::new(what, ratio, Gate::MeanAtLeast(least))
    };
    vec![
        Row::new(
            13,
            "The loop's first day is worth more with the tower",
            vec![
                claim(Additive, first, "day 1", 0.02),
                claim(Product, first, "day 1", 0.05),
            ],
        ),
        Row::new(
            14,
            "All of its days are",
            vec![
                claim(Additive, all, "all days", 0.005),
                claim(Product, all, "all days", 0.01),
            ],
        ),
        Row::new(
            15,
            "Its last days are not worth less, and value rises either way",
            vec![
                claim(Additive, late, "last days", -0.01),
                claim(Product, late, "last days", -0.005),
                rise(Additive, 1.5),
                rise(Product, 1.6),
            ],
        ),
    ]
}

fn first(value: &[f64]) -> f64 {
    value.get(1).copied().unwrap_or(f64::NAN)
}

fn all(value: &[f64]) -> f64 {
    value.iter().skip(1).sum()
}

fn late(value: &[f64]) -> f64 {
    let days = value.len().saturating_sub(1).min(LATE);
    value.iter().rev().take(days).sum::<f64>() / days as f64
}
