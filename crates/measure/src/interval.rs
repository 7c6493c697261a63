//! Confidence intervals of means, by Student's t.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// A mean and its two-sided confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The mean.
    pub mean: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

/// Interval of the mean of independent `values`, by Student's t with n - 1 degrees of freedom. `confidence` in `(0, 1)`, as 0.95.
///
/// One value: the bounds are infinite. No value, one that is not finite, or another confidence: all three are NaN, for
/// which every comparison is false.
pub fn mean_interval(values: &[f64], confidence: f64) -> Interval {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    around(mean, squares / (count - 1.0) / count, values.len(), confidence)
}

/// Interval of the mean of `a - b` over pairs: runs with the same seed, slates of the same day. See [`mean_interval`].
///
/// # Panics
/// If the slices differ in length.
pub fn paired_difference(a: &[f64], b: &[f64], confidence: f64) -> Interval {
    assert_eq!(a.len(), b.len(), "pairs");
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    mean_interval(&differences, confidence)
}

/// Interval of the mean of `values` that depend on each other inside clusters (a person's rows), one cluster id a row.
///
/// The mean is the ratio of two sums over independent clusters, values and sizes, so its variance is linearised (Cochran,
/// Sampling Techniques, 3rd ed., 1977, section 9A): with m the mean, and s and k the sum and size of a cluster,
/// `C / (C - 1) * sum((s - m k)^2) / n^2` over C clusters and n rows; Student's t with C - 1 degrees of freedom. With clusters
/// of one row it is [`mean_interval`]; one cluster has infinite bounds, the rest is as there.
///
/// # Panics
/// If the slices differ in length.
pub fn clustered_mean_interval(values: &[f64], clusters: &[u64], confidence: f64) -> Interval {
    assert_eq!(values.len(), clusters.len(), "one cluster a value");
    ratio_interval(values, &vec![1.0; values.len()], Some(clusters), confidence)
}

/// Interval of `sum(numerators) / sum(denominators)`, the variance linearised as in [`clustered_mean_interval`], with k the sum
/// of a cluster's denominators. Without clusters each row is its own.
pub(crate) fn ratio_interval(
    numerators: &[f64],
    denominators: &[f64],
    clusters: Option<&[u64]>,
    confidence: f64,
) -> Interval {
    let mut sums: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    for (row, (numerator, denominator)) in numerators.iter().zip(denominators).enumerate() {
        let cluster = clusters.map_or(row as u64, |clusters| clusters[row]);
        let (above, below) = sums.entry(cluster).or_default();
        *above += numerator;
        *below += denominator;
    }
    let total = denominators.iter().sum::<f64>();
    let ratio = numerators.iter().sum::<f64>() / total;
    let squares: f64 = sums
        .values()
        .map(|(above, below)| (above - ratio * below).powi(2))
        .sum();
    let count = sums.len() as f64;
    around(
        ratio,
        count / (count - 1.0) * squares / (total * total),
        sums.len(),
        confidence,
    )
}

/// `variance` is that of the mean, from `count` independent terms.
fn around(mean: f64, variance: f64, count: usize, confidence: f64) -> Interval {
    let sound = mean.is_finite() && confidence > 0.0 && confidence < 1.0;
    if !sound {
        return Interval {
            mean: f64::NAN,
            low: f64::NAN,
            high: f64::NAN,
        };
    }
    let half = match StudentsT::new(0.0, 1.0, count as f64 - 1.0) {
        Ok(student) => student.inverse_cdf(0.5 + confidence / 2.0) * variance.sqrt(),
        // No degrees of freedom.
        Err(_) => f64::INFINITY,
    };
    Interval {
        mean,
        low: mean - half,
        high: mean + half,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_mean_has_the_interval_of_students_t() {
        // t(0.975; 4) = 2.7764451051977987; deviation of 1..5 = sqrt(2.5).
        let interval = mean_interval(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.95);
        let half = 2.776_445_105_197_798_7 * (2.5f64 / 5.0).sqrt();
        assert_eq!(interval.mean, 3.0);
        assert!((interval.high - 3.0 - half).abs() < 1e-6, "{interval:?}");
        assert!((3.0 - interval.low - half).abs() < 1e-6, "{interval:?}");
    }

    #[test]
    fn a_pair_cancels_what_both_share() {
        let interval = paired_difference(&[10.5, 20.5, 30.5], &[10.0, 20.0, 30.0], 0.95);
        assert_eq!(
            interval,
            Interval {
                mean: 0.5,
                low: 0.5,
                high: 0.5
            }
        );
    }

    #[test]
    fn copies_in_a_cluster_add_no_confidence() {
        let once = mean_interval(&[1.0, 2.0, 4.0], 0.9);
        let thrice = clustered_mean_interval(
            &[1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 4.0, 4.0, 4.0],
            &[1, 1, 1, 2, 2, 2, 3, 3, 3],
            0.9,
        );
        assert!((once.low - thrice.low).abs() < 1e-12 && (once.high - thrice.high).abs() < 1e-12);
    }

    #[test]
    fn clusters_of_other_sizes_follow_the_formula() {
        // m = 2; residuals of the clusters: (1 + 2) - 4 = -1 and 3 - 2 = 1; variance = 2 / 1 * 2 / 9; t(0.975; 1).
        let interval = clustered_mean_interval(&[1.0, 3.0, 2.0], &[5, 9, 5], 0.95);
        let half = 12.706_204_736_174_7 * (4.0f64 / 9.0).sqrt();
        assert_eq!(interval.mean, 2.0);
        assert!((interval.high - 2.0 - half).abs() < 1e-6, "{interval:?}");
    }

    #[test]
    fn too_little_is_infinite_and_nonsense_is_nan() {
        let one = Interval {
            mean: 3.0,
            low: f64::NEG_INFINITY,
            high: f64::INFINITY,
        };
        assert_eq!(mean_interval(&[3.0], 0.95), one);
        assert_eq!(clustered_mean_interval(&[2.0, 4.0], &[1, 1], 0.95), one);
        for nonsense in [
            mean_interval(&[], 0.95),
            mean_interval(&[1.0, f64::NAN], 0.95),
            mean_interval(&[1.0, f64::INFINITY], 0.95),
            mean_interval(&[1.0, 2.0], 1.0),
            mean_interval(&[1.0, 2.0], 0.0),
            mean_interval(&[1.0, 2.0], f64::NAN),
            clustered_mean_interval(&[], &[], 0.95),
        ] {
            assert!(nonsense.mean.is_nan() && nonsense.low.is_nan() && nonsense.high.is_nan());
        }
    }

    proptest! {
        #[test]
        fn clusters_of_one_row_are_independent_values(values in prop::collection::vec(-10.0..10.0f64, 2..20)) {
            let clusters: Vec<u64> = (0..values.len() as u64).rev().collect();
            let (plain, clustered) = (mean_interval(&values, 0.95), clustered_mean_interval(&values, &clusters, 0.95));
            prop_assert_eq!(plain.mean, clustered.mean);
            prop_assert!((plain.low - clustered.low).abs() < 1e-9);
        }

        #[test]
        fn more_confidence_is_wider(values in prop::collection::vec(-10.0..10.0f64, 2..20)) {
            let (narrow, wide) = (mean_interval(&values, 0.8), mean_interval(&values, 0.99));
            prop_assert!(wide.low <= narrow.low && narrow.high <= wide.high);
        }
    }
}
