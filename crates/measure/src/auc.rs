//! AUC: how often a positive is predicted above a negative.

/// Area under the ROC curve: the share of pairs of a positive (label above 0.5) and a negative in which the positive has the
/// higher prediction; a tie counts one half. In `[0, 1]`; 0.5 is chance. O(n log n), exact but for the last division.
///
/// `None` where a class is absent, or any prediction or label is not finite.
///
/// # Panics
/// If the slices differ in length.
pub fn auc(predictions: &[f32], labels: &[f32]) -> Option<f64> {
    assert_eq!(predictions.len(), labels.len(), "one label a prediction");
    if !all_finite(predictions) || !all_finite(labels) {
        return None;
    }
    let mut rows: Vec<(f32, bool)> = predictions
        .iter()
        .zip(labels)
        .map(|(prediction, label)| (*prediction, *label > 0.5))
        .collect();
    Pairs::of(&mut rows).auc()
}

/// Pairs of a positive and a negative.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pairs {
    /// Twice the number of pairs in order, a tie counting half: whole numbers, so no rounding on the way.
    doubled: u128,
    count: u128,
}

impl Pairs {
    /// Those of rows (prediction, is positive), all finite. Sorts them.
    pub(crate) fn of(rows: &mut [(f32, bool)]) -> Pairs {
        rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let (mut doubled, mut negatives, mut positives) = (0, 0, 0);
        // By `==`, under which -0 ties with 0: they are neighbours in the total order.
        for tied in rows.chunk_by(|a, b| a.0 == b.0) {
            let above = tied.iter().filter(|(_, positive)| *positive).count() as u128;
            let below = tied.len() as u128 - above;
            doubled += above * (2 * negatives + below);
            negatives += below;
            positives += above;
        }
        Pairs {
            doubled,
            count: positives * negatives,
        }
    }

    pub(crate) fn add(&mut self, more: Pairs) {
        self.doubled += more.doubled;
        self.count += more.count;
    }

    /// The share in order; `None` where there are no pairs.
    pub(crate) fn auc(self) -> Option<f64> {
        (self.count > 0).then(|| self.doubled as f64 / (2 * self.count) as f64)
    }
}

pub(crate) fn all_finite(values: &[f32]) -> bool {
    values.iter().all(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Counts every pair.
    fn slow(predictions: &[f32], labels: &[f32]) -> Option<f64> {
        let (mut won, mut pairs) = (0.0, 0.0);
        for (p, _) in predictions.iter().zip(labels).filter(|(_, label)| **label > 0.5) {
            for (n, _) in predictions.iter().zip(labels).filter(|(_, label)| **label <= 0.5) {
                pairs += 1.0;
                won += if p > n {
                    1.0
                } else {
                    f64::from(u8::from(p == n)) / 2.0
                };
            }
        }
        (pairs > 0.0).then_some(won / pairs)
    }

    #[test]
    fn a_perfect_order_is_one_a_reversed_one_zero_and_a_constant_one_half() {
        let labels = [0.0, 1.0, 0.0, 1.0];
        assert_eq!(auc(&[0.1, 0.8, 0.2, 0.9], &labels), Some(1.0));
        assert_eq!(auc(&[0.9, 0.2, 0.8, 0.1], &labels), Some(0.0));
        assert_eq!(auc(&[0.3; 4], &labels), Some(0.5));
        assert_eq!(auc(&[0.0, -0.0], &[1.0, 0.0]), Some(0.5));
    }

    #[test]
    fn there_is_none_without_both_classes_or_with_a_value_that_is_not_finite() {
        assert_eq!(auc(&[], &[]), None);
        assert_eq!(auc(&[0.1, 0.2], &[1.0, 1.0]), None);
        assert_eq!(auc(&[0.1, 0.2], &[0.0, 0.0]), None);
        assert_eq!(auc(&[f32::NAN, 0.2], &[0.0, 1.0]), None);
        assert_eq!(auc(&[f32::INFINITY, 0.2], &[0.0, 1.0]), None);
        assert_eq!(auc(&[0.1, 0.2], &[f32::NAN, 1.0]), None);
    }

    proptest! {
        #[test]
        fn it_equals_counting_pairs(rows in prop::collection::vec((-4i8..4, any::<bool>()), 0..40)) {
            let predictions: Vec<f32> = rows.iter().map(|(prediction, _)| f32::from(*prediction) / 3.0).collect();
            let labels: Vec<f32> = rows.iter().map(|(_, label)| f32::from(u8::from(*label))).collect();
            match (auc(&predictions, &labels), slow(&predictions, &labels)) {
                (Some(fast), Some(slow)) => prop_assert!((fast - slow).abs() < 1e-12, "{fast} {slow}"),
                (fast, slow) => prop_assert_eq!(fast, slow),
            }
        }
    }
}
