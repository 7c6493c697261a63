//! Policy evaluation from a log: what another policy would have earned, had it chosen in place of the one that was logged.
//!
//! In: a row a logged choice, with the probability that each policy gave it. Out: a [`PolicyValue`], the mean reward a row with
//! its interval, and how much of the log carries it. All of it holds only where the logged policy could choose whatever the
//! target policy chooses: a choice that was never possible leaves no trace in the weights.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::interval::{Interval, clustered_mean_interval, mean_interval, ratio_interval};

/// One logged choice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoggedRow {
    /// What it earned; finite.
    pub reward: f64,
    /// Probability with which the logged policy made this choice, in `(0, 1]`.
    pub propensity: f64,
    /// Probability with which the target policy would make it, in `[0, 1]`.
    pub target: f64,
}

impl LoggedRow {
    /// Importance weight: `target / propensity`.
    pub fn weight(&self) -> f64 {
        self.target / self.propensity
    }

    fn is_sound(&self) -> bool {
        let propensity = self.propensity > 0.0 && self.propensity <= 1.0;
        let target = (0.0..=1.0).contains(&self.target);
        self.reward.is_finite() && propensity && target && self.weight().is_finite()
    }
}

/// One logged choice and what a model of rewards says of it. The model must not have been fitted on these rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EstimatedRow {
    /// The choice.
    pub logged: LoggedRow,
    /// The model's reward of the logged choice `a`: `q(x, a)`; finite.
    pub logged_estimate: f64,
    /// The model's reward of the target policy: the sum over all choices of `pi(a | x) q(x, a)`; finite.
    pub target_estimate: f64,
}

/// What a policy would earn a row, and how much of the log says so.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PolicyValue {
    /// Mean reward a row under the target policy.
    pub value: Interval,
    /// Rows of the log.
    pub rows: usize,
    /// Rows with a reward and a weight above 0: those that the value rests on.
    pub positives: usize,
    /// Rows of equal weight that would be as informative: `(sum w)^2 / sum w^2` (Kish, Survey Sampling, 1965), in `[0, rows]`.
    /// Rows of one cluster count as if independent.
    pub effective_sample_size: f64,
    /// The highest weight.
    pub max_weight: f64,
}

impl PolicyValue {
    /// Fewer [`positives`](PolicyValue::positives) than this are too few.
    pub const MIN_POSITIVES: usize = 30;
    /// An [`effective_sample_size`](PolicyValue::effective_sample_size) below this is too small.
    pub const MIN_EFFECTIVE_SAMPLE_SIZE: f64 = 100.0;

    /// What is lacking before the interval can be trusted, if anything: with few positives or few weights that count, the
    /// variance is itself estimated from next to nothing, and the interval is too narrow.
    pub fn too_few(&self) -> Option<TooFew> {
        let positives = (self.positives < Self::MIN_POSITIVES).then_some(self.positives);
        let effective = self.effective_sample_size;
        let effective_sample_size = (effective < Self::MIN_EFFECTIVE_SAMPLE_SIZE).then_some(effective);
        let lacks = positives.is_some() || effective_sample_size.is_some();
        lacks.then_some(TooFew {
            positives,
            effective_sample_size,
        })
    }
}

/// Why the log says too little of a policy; shown as a sentence with the numbers. At least one of the two is there.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TooFew {
    /// The positives that carry weight, where below [`PolicyValue::MIN_POSITIVES`].
    pub positives: Option<usize>,
    /// The effective sample size, where below [`PolicyValue::MIN_EFFECTIVE_SAMPLE_SIZE`].
    pub effective_sample_size: Option<f64>,
}

impl fmt::Display for TooFew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "too few rows carry weight: ")?;
        if let Some(found) = self.positives {
            let least = PolicyValue::MIN_POSITIVES;
            write!(f, "{found} with a reward, at least {least} are needed")?;
        }
        if self.positives.is_some() && self.effective_sample_size.is_some() {
            write!(f, "; ")?;
        }
        if let Some(found) = self.effective_sample_size {
            let least = PolicyValue::MIN_EFFECTIVE_SAMPLE_SIZE;
            // Rounded down, so that 99.98 is not shown as the 100 that are needed.
            let shown = (found * 10.0).floor() / 10.0;
            write!(
                f,
                "an effective sample size of {shown}, at least {least} are needed"
            )?;
        }
        Ok(())
    }
}

/// Inverse propensity scoring: the mean of `w r` (Horvitz & Thompson, "A generalization of sampling without replacement from a
/// finite universe", JASA 1952). Unbiased where propensities are right; its variance grows with the weights.
///
/// `clusters`: one id a row where rows depend on each other, as those of a slate or a person; see
/// [`clustered_mean_interval`]. `confidence` in `(0, 1)`, as 0.95. The interval is by Student's t; with one row or one cluster
/// its bounds are infinite.
///
/// `None` where there are no rows, any is outside the ranges of [`LoggedRow`] or its weight overflows, or for another
/// confidence.
///
/// # Panics
/// If rows and clusters differ in length.
pub fn ips(rows: &[LoggedRow], clusters: Option<&[u64]>, confidence: f64) -> Option<PolicyValue> {
    let earned: Vec<f64> = rows.iter().map(|row| row.weight() * row.reward).collect();
    measured(rows, mean(&earned, clusters, confidence))
}

/// Self-normalised inverse propensity scoring: `sum(w r) / sum(w)` (Swaminathan & Joachims, "The self-normalized estimator for
/// counterfactual learning", NIPS 2015). Slightly biased, by order 1 / n, mostly of less variance than [`ips`]; it never leaves the
/// range of the rewards, and a constant error in the propensities cancels. The variance of the ratio is linearised (delta
/// method), as in [`clustered_mean_interval`].
///
/// Arguments, interval and panics as in [`ips`]; `None` as there, and where all weights are 0.
pub fn snips(rows: &[LoggedRow], clusters: Option<&[u64]>, confidence: f64) -> Option<PolicyValue> {
    assert_clusters(rows.len(), clusters);
    // Relative to the highest, which cancels: a sum of squares of weights could overflow.
    let max = max_weight(rows);
    let weights: Vec<f64> = rows.iter().map(|row| row.weight() / max).collect();
    let earned: Vec<f64> = rows
        .iter()
        .zip(&weights)
        .map(|(row, weight)| weight * row.reward)
        .collect();
    measured(rows, ratio_interval(&earned, &weights, clusters, confidence))
}

/// Doubly robust: the mean of `q_target + w (r - q_logged)` (Dudík, Langford & Li, "Doubly robust policy evaluation and
/// learning", ICML 2011, section 2). Unbiased where the propensities or the model are right; the better the model, the less
/// variance.
///
/// Arguments, interval and panics as in [`ips`]; `None` as there, and where an estimate is not finite.
pub fn doubly_robust(
    rows: &[EstimatedRow],
    clusters: Option<&[u64]>,
    confidence: f64,
) -> Option<PolicyValue> {
    let corrected = |row: &EstimatedRow| {
        row.target_estimate + row.logged.weight() * (row.logged.reward - row.logged_estimate)
    };
    let corrected: Vec<f64> = rows.iter().map(corrected).collect();
    let logged: Vec<LoggedRow> = rows.iter().map(|row| row.logged).collect();
    measured(&logged, mean(&corrected, clusters, confidence))
}

fn mean(values: &[f64], clusters: Option<&[u64]>, confidence: f64) -> Interval {
    assert_clusters(values.len(), clusters);
    match clusters {
        Some(clusters) => clustered_mean_interval(values, clusters, confidence),
        None => mean_interval(values, confidence),
    }
}

fn assert_clusters(rows: usize, clusters: Option<&[u64]>) {
    assert!(
        clusters.is_none_or(|clusters| clusters.len() == rows),
        "one cluster a row"
    );
}

/// A value with what carries it. `None` where the value is not finite or a row is not sound.
fn measured(rows: &[LoggedRow], value: Interval) -> Option<PolicyValue> {
    if !value.mean.is_finite() || !rows.iter().all(LoggedRow::is_sound) {
        return None;
    }
    let max_weight = max_weight(rows);
    let relative = || rows.iter().map(|row| row.weight() / max_weight);
    let effective = relative().sum::<f64>().powi(2) / relative().map(|weight| weight * weight).sum::<f64>();
    Some(PolicyValue {
        value,
        rows: rows.len(),
        positives: rows
            .iter()
            .filter(|row| row.reward > 0.0 && row.weight() > 0.0)
            .count(),
        effective_sample_size: if max_weight > 0.0 { effective } else { 0.0 },
        max_weight,
    })
}

fn max_weight(rows: &[LoggedRow]) -> f64 {
    rows.iter().map(LoggedRow::weight).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(reward: f64, propensity: f64, target: f64) -> LoggedRow {
        LoggedRow {
            reward,
            propensity,
            target,
        }
    }

    /// Weights 2, 0.5, 0 and 1.
    const LOG: [LoggedRow; 4] = [
        LoggedRow {
            reward: 1.0,
            propensity: 0.25,
            target: 0.5,
        },
        LoggedRow {
            reward: 3.0,
            propensity: 0.5,
            target: 0.25,
        },
        LoggedRow {
            reward: 5.0,
            propensity: 0.5,
            target: 0.0,
        },
        LoggedRow {
            reward: 0.0,
            propensity: 0.125,
            target: 0.125,
        },
    ];

    fn estimated(estimates: [(f64, f64); 4]) -> Vec<EstimatedRow> {
        let row = |(logged, (logged_estimate, target_estimate)): (&LoggedRow, (f64, f64))| EstimatedRow {
            logged: *logged,
            logged_estimate,
            target_estimate,
        };
        LOG.iter().zip(estimates).map(row).collect()
    }

    #[test]
    fn values_follow_their_formulas() {
        assert_eq!(
            ips(&LOG, None, 0.95).unwrap().value,
            mean_interval(&[2.0, 1.5, 0.0, 0.0], 0.95)
        );
        let rows = estimated([(0.5, 0.25), (1.0, 0.5), (2.0, 1.0), (0.5, 0.25)]);
        assert_eq!(
            doubly_robust(&rows, None, 0.95).unwrap().value,
            mean_interval(&[1.25, 1.5, 1.0, -0.25], 0.95)
        );
        // (2 + 1.5) / 3.5 = 1; residuals w (r - 1): 0, 1, 0, -1; variance 4 / 3 * 2 / 3.5^2; t(0.975; 3).
        let found = snips(&LOG, None, 0.95).unwrap().value;
        let half = 3.182_446_305_284_263 * (4.0 / 3.0 * 2.0f64).sqrt() / 3.5;
        assert!((found.mean - 1.0).abs() < 1e-12, "{found:?}");
        assert!(
            (found.high - 1.0 - half).abs() < 1e-6 && (1.0 - found.low - half).abs() < 1e-6,
            "{found:?}"
        );
    }

    #[test]
    fn it_says_how_much_of_the_log_carries_the_value() {
        let found = ips(&LOG, None, 0.95).unwrap();
        assert_eq!((found.rows, found.positives, found.max_weight), (4, 2, 2.0));
        assert_eq!(found.effective_sample_size, 3.5f64.powi(2) / 5.25);
    }

    #[test]
    fn the_logged_policy_itself_has_the_mean_reward() {
        let rows: Vec<LoggedRow> = LOG
            .iter()
            .map(|of| row(of.reward, of.propensity, of.propensity))
            .collect();
        let plain = mean_interval(&[1.0, 3.0, 5.0, 0.0], 0.9);
        for found in [ips(&rows, None, 0.9).unwrap(), snips(&rows, None, 0.9).unwrap()] {
            assert_eq!(found.value.mean, plain.mean);
            assert!((found.value.low - plain.low).abs() < 1e-12);
            assert_eq!(found.effective_sample_size, 4.0);
        }
    }

    #[test]
    fn a_model_without_an_opinion_leaves_the_inverse_propensities() {
        let rows = estimated([(0.0, 0.0); 4]);
        assert_eq!(
            doubly_robust(&rows, Some(&[1, 1, 2, 3]), 0.95),
            ips(&LOG, Some(&[1, 1, 2, 3]), 0.95)
        );
    }

    #[test]
    fn a_scale_of_the_propensities_changes_only_what_is_not_normalised() {
        let halved: Vec<LoggedRow> = LOG
            .iter()
            .map(|of| row(of.reward, of.propensity / 2.0, of.target))
            .collect();
        assert_eq!(
            snips(&halved, None, 0.95).unwrap().value,
            snips(&LOG, None, 0.95).unwrap().value
        );
        assert_eq!(
            ips(&halved, None, 0.95).unwrap().value.mean,
            2.0 * ips(&LOG, None, 0.95).unwrap().value.mean
        );
    }

    #[test]
    fn copies_in_a_cluster_add_no_confidence() {
        let copies: Vec<LoggedRow> = LOG.iter().flat_map(|row| [*row; 3]).collect();
        let clusters: Vec<u64> = (0..12).map(|row| row / 3).collect();
        for estimator in [ips, snips] {
            let once = estimator(&LOG, None, 0.95).unwrap().value;
            let thrice = estimator(&copies, Some(&clusters), 0.95).unwrap().value;
            assert!((once.low - thrice.low).abs() < 1e-12 && (once.high - thrice.high).abs() < 1e-12);
        }
    }

    #[test]
    fn few_positives_or_few_weights_that_count_are_too_few() {
        let with = |positives, effective_sample_size| PolicyValue {
            value: Interval {
                mean: 0.1,
                low: 0.0,
                high: 0.2,
            },
            rows: 5000,
            positives,
            effective_sample_size,
            max_weight: 3.0,
        };
        assert_eq!(with(30, 100.0).too_few(), None);
        assert_eq!(
            with(29, 100.0).too_few().unwrap().to_string(),
            "too few rows carry weight: 29 with a reward, at least 30 are needed"
        );
        assert_eq!(
            with(30, 99.99).too_few().unwrap().to_string(),
            "too few rows carry weight: an effective sample size of 99.9, at least 100 are needed"
        );
        assert_eq!(
            with(4, 12.0).too_few().unwrap().to_string(),
            "too few rows carry weight: 4 with a reward, at least 30 are needed; an effective sample size of 12, at least \
             100 are needed"
        );
    }

    #[test]
    fn a_policy_that_chooses_nothing_that_was_logged_is_worth_zero_to_ips_unknown_to_snips_and_too_few() {
        let rows = [row(1.0, 0.5, 0.0), row(0.0, 0.5, 0.0)];
        let found = ips(&rows, None, 0.95).unwrap();
        assert_eq!(
            (found.value.mean, found.effective_sample_size, found.max_weight),
            (0.0, 0.0, 0.0)
        );
        assert!(found.too_few().is_some());
        assert_eq!(snips(&rows, None, 0.95), None);
    }

    #[test]
    fn rows_out_of_range_have_no_value() {
        for bad in [
            row(f64::NAN, 0.5, 0.5),
            row(f64::INFINITY, 0.5, 0.0),
            row(1.0, 0.0, 0.5),
            row(1.0, 0.0, 0.0),
            row(1.0, -0.5, 0.5),
            row(1.0, 1.5, 0.5),
            row(1.0, f64::NAN, 0.5),
            row(1.0, 0.5, 1.5),
            row(1.0, 0.5, -0.5),
            row(1.0, 0.5, f64::NAN),
            row(0.0, f64::from_bits(1), 1.0),
        ] {
            let rows = [LOG[0], bad, LOG[1]];
            assert_eq!(ips(&rows, None, 0.95), None, "{bad:?}");
            assert_eq!(snips(&rows, None, 0.95), None, "{bad:?}");
            let rows = rows.map(|logged| EstimatedRow {
                logged,
                logged_estimate: 0.0,
                target_estimate: 0.0,
            });
            assert_eq!(doubly_robust(&rows, None, 0.95), None, "{bad:?}");
        }
        let unknown = estimated([(0.0, 0.0), (0.0, f64::NAN), (0.0, 0.0), (0.0, 0.0)]);
        assert_eq!(doubly_robust(&unknown, None, 0.95), None);
        for estimator in [ips, snips] {
            assert_eq!(estimator(&[], None, 0.95), None);
            assert_eq!(estimator(&LOG, None, 1.0), None);
            assert_eq!(
                estimator(&LOG, Some(&[1; 4]), 0.95).unwrap().value.high,
                f64::INFINITY
            );
        }
    }

    #[test]
    fn weights_of_any_size_have_a_finite_sample_size() {
        let rows = [
            row(1.0, 1e-250, 1.0),
            row(0.0, 1e-250, 1.0),
            row(1.0, 1e-300, 1e-60),
        ];
        let found = snips(&rows, None, 0.95).unwrap();
        assert!(
            (found.value.mean - 0.5).abs() < 1e-9 && found.value.high.is_finite(),
            "{found:?}"
        );
        assert!((found.effective_sample_size - 2.0).abs() < 1e-9, "{found:?}");
    }
}
