//! What a column adds to a frozen logit: an offset for each of its levels, fitted on one part and judged on the other.
//!
//! In: logits, labels, levels. Out: the held-out [`Gain`] in log-likelihood over one offset for all.

use std::collections::BTreeMap;

/// Newton's steps; each level is a problem of one number, which is solved long before.
const STEPS: usize = 12;
/// Precision of the normal prior of an offset: a level that was hardly met keeps that of all.
const PRIOR: f64 = 1.0;

/// One labelled impression.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// Frozen.
    pub(super) logit: f32,
    /// Binary.
    pub(super) positive: bool,
    /// Which level of the column.
    pub(super) level: u16,
    /// Rows of one depend on each other.
    pub(super) cluster: u64,
}

/// Held-out log-likelihood, in nats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Gain {
    /// A thousand rows.
    pub(super) per_1000: f64,
    /// Over its standard error, clusters taken as independent.
    pub(super) z: f64,
}

/// Fits offsets on `fit`, judges them on `held`.
pub(super) fn gain(fit: &[Row], held: &[Row]) -> Option<Gain> {
    let levels = fit.iter().chain(held).map(|row| row.level).max()?;
    let base = offsets(fit, 1, |_| 0, &[0.0])[0];
    let centre = vec![base; usize::from(levels) + 1];
    let of_levels = offsets(fit, centre.len(), |row| usize::from(row.level), &centre);

    let mut clusters: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    for row in held {
        let with = log_likelihood(row, of_levels[usize::from(row.level)]);
        let (sum, size) = clusters.entry(row.cluster).or_default();
        *sum += with - log_likelihood(row, base);
        *size += 1.0;
    }
    let rows = held.len() as f64;
    let mean = clusters.values().map(|(sum, _)| sum).sum::<f64>() / rows;
    let count = clusters.len() as f64;
    let squares: f64 = clusters
        .values()
        .map(|(sum, size)| (sum - mean * size).powi(2))
        .sum();
    // As of a ratio of two sums over clusters, linearised.
    let error = (count / (count - 1.0) * squares).sqrt() / rows;
    (count > 1.0 && error > 0.0).then(|| Gain {
        per_1000: 1000.0 * mean,
        z: mean / error,
    })
}

/// The offset of each group at the highest posterior, from a normal prior about `centre`; a single group has none.
fn offsets(rows: &[Row], groups: usize, group: impl Fn(&Row) -> usize, centre: &[f64]) -> Vec<f64> {
    let prior = if groups > 1 { PRIOR } else { 0.0 };
    let mut offsets = centre.to_vec();
    for _ in 0..STEPS {
        let mut slopes: Vec<(f64, f64)> = (offsets.iter().zip(centre))
            .map(|(offset, centre)| (-prior * (offset - centre), prior))
            .collect();
        for row in rows {
            let at = group(row);
            let p = 1.0 / (1.0 + (-(f64::from(row.logit) + offsets[at])).exp());
            slopes[at].0 += f64::from(u8::from(row.positive)) - p;
            slopes[at].1 += p * (1.0 - p);
        }
        for (offset, (slope, curvature)) in offsets.iter_mut().zip(slopes) {
            // Far from its place, Newton's step may overshoot.
            *offset += (slope / curvature.max(1e-9)).clamp(-2.0, 2.0);
        }
    }
    offsets
}

/// `ln P(label)` at the row's logit with an offset.
fn log_likelihood(row: &Row, offset: f64) -> f64 {
    let logit = f64::from(row.logit) + offset;
    let against = if row.positive { -logit } else { logit };
    // ln(1 + e^x) without overflow.
    -(against.max(0.0) + (-against.abs()).exp().ln_1p())
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Slates of ten whose level is `of(slate, row)` and moves the logit by `shift(level)`; the logit is off by 0.7.
    fn rows(of: impl Fn(u64, u64) -> u16, shift: impl Fn(u16) -> f64) -> Vec<Row> {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut rows = Vec::new();
        for slate in 0..4_000 {
            for row in 0..10 {
                let level = of(slate, row);
                let logit = 2.0 * rng.random::<f64>() - 2.0;
                let p = 1.0 / (1.0 + (-(logit + shift(level))).exp());
                rows.push(Row {
                    logit: (logit - 0.7) as f32,
                    positive: rng.random::<f64>() < p,
                    level,
                    cluster: slate,
                });
            }
        }
        rows
    }

    fn gained(rows: &[Row]) -> Gain {
        let (fit, held) = rows.split_at(rows.len() * 7 / 10);
        gain(fit, held).unwrap()
    }

    #[test]
    fn a_column_that_moves_the_logit_gains_what_it_tells() {
        let gain = gained(&rows(|_, row| (row % 3) as u16, |level| 0.5 * f64::from(level)));
        // Variance of the offsets 1/6, times p (1 - p) / 2.
        assert!((10.0..25.0).contains(&gain.per_1000) && gain.z > 5.0, "{gain:?}");
    }

    #[test]
    fn a_column_that_does_not_gains_nothing_though_the_logit_is_off() {
        for levels in [3, 24, 60] {
            let gain = gained(&rows(
                |slate, row| ((slate * 7 + row * 3) % levels) as u16,
                |_| 0.0,
            ));
            assert!(gain.per_1000 < 0.3 && gain.z < 2.0, "{gain:?}");
        }
    }

    #[test]
    fn offsets_are_those_of_their_making() {
        let rows = rows(|_, row| (row % 3) as u16, |level| f64::from(level) - 1.0);
        let offsets = offsets(&rows, 3, |row| usize::from(row.level), &[0.0; 3]);
        for (offset, expected) in offsets.iter().zip([-0.3, 0.7, 1.7]) {
            assert!((offset - expected).abs() < 0.06, "{offsets:?}");
        }
    }

    #[test]
    fn copies_in_a_cluster_add_no_certainty() {
        let once = rows(|_, row| (row % 3) as u16, |level| 0.3 * f64::from(level));
        let (fit, held) = once.split_at(once.len() * 7 / 10);
        let twice: Vec<Row> = held.iter().flat_map(|row| [*row, *row]).collect();
        let [once, twice] = [held, &twice].map(|held| gain(fit, held).unwrap());
        assert!((once.z - twice.z).abs() < 1e-6, "{once:?} {twice:?}");
    }

    #[test]
    fn a_level_that_was_never_fitted_keeps_the_offset_of_all() {
        let all = rows(|_, _| 0, |_| 0.0);
        let (fit, held) = all.split_at(30_000);
        let mut held = held.to_vec();
        held[0].level = 9;
        // Nothing differs from the one offset: there is no error to divide by.
        let gain = gain(fit, &held);
        assert!(gain.is_none_or(|gain| gain.per_1000.abs() < 1e-3), "{gain:?}");
    }
}
