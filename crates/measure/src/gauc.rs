//! AUC inside each group, so that differences between people or slates count for nothing. In: one group id a row. Out: one
//! number, the groups weighted by rows ([`gauc`]), by pairs ([`pooled_auc`]) or not at all ([`mean_auc`], with its interval [`list_auc`]).

use serde::{Deserialize, Serialize};

use crate::auc::{Pairs, all_finite};
use crate::{Interval, mean_interval};

/// Mean of the AUC of each group, weighted by its size, over the groups that have both classes (label above 0.5 or not). A
/// group is a slate or a person, one id a row.
///
/// `None` where no group has both classes, or any prediction or label is not finite.
///
/// # Panics
/// If the slices differ in length.
pub fn gauc(predictions: &[f32], labels: &[f32], groups: &[u64]) -> Option<f64> {
    let (mut sum, mut weight) = (0.0, 0.0);
    for (auc, _, rows) in of_groups(predictions, labels, groups)? {
        sum += auc * rows as f64;
        weight += rows as f64;
    }
    (weight > 0.0).then_some(sum / weight)
}

/// Share of the pairs of a positive (label above 0.5) and a negative of the same group in which the positive has the higher
/// prediction, over the pairs of all groups; a tie counts one half. A group weighs by its number of pairs: long slates with
/// many positives decide. O(n log n), exact but for the last division.
///
/// `None` where no group has both classes, or any prediction or label is not finite.
///
/// # Panics
/// If the slices differ in length.
pub fn pooled_auc(predictions: &[f32], labels: &[f32], groups: &[u64]) -> Option<f64> {
    let mut pooled = Pairs::default();
    for (_, pairs, _) in of_groups(predictions, labels, groups)? {
        pooled.add(pairs);
    }
    pooled.auc()
}

/// Unweighted mean of the AUC of each group, over the groups that have both classes (label above 0.5 or not): list-wise AUC,
/// each slate counting once however long it is.
///
/// `None` where no group has both classes, or any prediction or label is not finite.
///
/// # Panics
/// If the slices differ in length.
pub fn mean_auc(predictions: &[f32], labels: &[f32], groups: &[u64]) -> Option<f64> {
    let groups = of_groups(predictions, labels, groups)?;
    let sum: f64 = groups.iter().map(|(auc, _, _)| auc).sum();
    (!groups.is_empty()).then(|| sum / groups.len() as f64)
}

/// Mean over slates of the AUC within the slate, and how sure that is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ListAuc {
    /// The mean, with its 95 % interval over slates.
    #[serde(flatten)]
    pub auc: Interval,
    /// Slates that have both classes: those that it is the mean of.
    pub slates: usize,
}

/// [`mean_auc`] with its 95 % interval over slates, by Student's t; slates count as independent.
///
/// `None` where fewer than two slates have both classes (an interval takes two), or any prediction or label is not finite.
///
/// # Panics
/// If the slices differ in length.
pub fn list_auc(predictions: &[f32], labels: &[f32], slates: &[u64]) -> Option<ListAuc> {
    let groups = of_groups(predictions, labels, slates)?;
    let each: Vec<f64> = groups.iter().map(|(auc, _, _)| *auc).collect();
    (each.len() > 1).then(|| ListAuc {
        auc: mean_interval(&each, 0.95),
        slates: each.len(),
    })
}

/// AUC, pairs and rows of each group that has both classes, by ascending id. `None` where a value is not finite.
fn of_groups(predictions: &[f32], labels: &[f32], groups: &[u64]) -> Option<Vec<(f64, Pairs, usize)>> {
    assert_eq!(predictions.len(), labels.len(), "one label a prediction");
    assert_eq!(predictions.len(), groups.len(), "one group a prediction");
    if !all_finite(predictions) || !all_finite(labels) {
        return None;
    }
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by_key(|row| groups[*row]);
    let mut found = Vec::new();
    let mut rows = Vec::new();
    for group in order.chunk_by(|a, b| groups[*a] == groups[*b]) {
        rows.clear();
        rows.extend(group.iter().map(|row| (predictions[*row], labels[*row] > 0.5)));
        let pairs = Pairs::of(&mut rows);
        if let Some(auc) = pairs.auc() {
            found.push((auc, pairs, group.len()));
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::auc;

    #[test]
    fn groups_weigh_by_size_and_one_class_groups_not_at_all() {
        let predictions = [0.9, 0.1, 0.2, 0.3, 0.8, 0.5, 0.4];
        let labels = [1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0];
        // Group 1: 2 rows in order. Group 2: 3 rows, both pairs reversed. Group 3: only positives.
        let groups = [1, 1, 2, 2, 2, 3, 3];
        assert_eq!(gauc(&predictions, &labels, &groups), Some(2.0 / 5.0));
        assert_eq!(gauc(&predictions[5..], &labels[5..], &groups[5..]), None);
        assert_eq!(gauc(&[], &[], &[]), None);
        assert_eq!(gauc(&[f32::NAN, 0.1], &[1.0, 0.0], &[1, 1]), None);
    }

    #[test]
    fn pooled_groups_weigh_by_pairs_and_mean_groups_all_alike() {
        let predictions = [0.9, 0.1, 0.2, 0.3, 0.8, 0.5, 0.4];
        let labels = [1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0];
        // 1 pair of 1 in order, 0 pairs of 2, and a group without pairs.
        let groups = [1, 1, 2, 2, 2, 3, 3];
        assert_eq!(pooled_auc(&predictions, &labels, &groups), Some(1.0 / 3.0));
        assert_eq!(mean_auc(&predictions, &labels, &groups), Some(0.5));
        for of_groups in [pooled_auc, mean_auc] {
            assert_eq!(of_groups(&predictions[5..], &labels[5..], &groups[5..]), None);
            assert_eq!(of_groups(&[], &[], &[]), None);
            assert_eq!(of_groups(&[0.2, 0.1], &[f32::NAN, 0.0], &[1, 1]), None);
            assert_eq!(of_groups(&[0.2, f32::INFINITY], &[1.0, 0.0], &[1, 1]), None);
        }
    }

    #[test]
    fn a_list_auc_is_of_the_slates_with_both_classes_and_takes_two_of_them() {
        let predictions = [0.9, 0.1, 0.2, 0.3, 0.8, 0.5, 0.4];
        let labels = [1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0];
        let slates = [1, 1, 2, 2, 2, 3, 3];
        // 1 and 0: the mean of two is within 12.7 times their error.
        let found = list_auc(&predictions, &labels, &slates).unwrap();
        assert_eq!((found.auc.mean, found.slates), (0.5, 2));
        assert!((found.auc.high - 0.5 - 12.706_204_736_174_7 * 0.5).abs() < 1e-6);
        assert_eq!(
            list_auc(&predictions[2..], &labels[2..], &slates[2..]),
            None,
            "one slate"
        );
        assert_eq!(list_auc(&[f32::NAN, 0.1], &[1.0, 0.0], &[1, 1]), None);
    }

    fn rows() -> impl Strategy<Value = (Vec<f32>, Vec<f32>, Vec<u64>)> {
        prop::collection::vec((-4i8..4, any::<bool>(), 0..4u64), 0..40).prop_map(|rows| {
            let predictions = rows.iter().map(|row| f32::from(row.0)).collect();
            let labels = rows.iter().map(|row| f32::from(u8::from(row.1))).collect();
            (predictions, labels, rows.iter().map(|row| row.2).collect())
        })
    }

    proptest! {
        #[test]
        fn one_group_is_the_auc((predictions, labels, _) in rows()) {
            let groups = vec![7; labels.len()];
            prop_assert_eq!(pooled_auc(&predictions, &labels, &groups), auc(&predictions, &labels));
            prop_assert_eq!(mean_auc(&predictions, &labels, &groups), auc(&predictions, &labels));
            // A weight multiplied in and divided out may cost the last bit.
            match (gauc(&predictions, &labels, &groups), auc(&predictions, &labels)) {
                (Some(gauc), Some(auc)) => prop_assert!((gauc - auc).abs() < 1e-15, "{gauc} {auc}"),
                (gauc, auc) => prop_assert_eq!(gauc, auc),
            }
        }

        #[test]
        fn each_weighting_equals_counting_the_pairs_of_filtered_groups((predictions, labels, groups) in rows()) {
            // (won, pairs, rows) of each group that has pairs.
            let mut found: Vec<(f64, f64, f64)> = Vec::new();
            for group in 0..4 {
                let own: Vec<usize> = (0..groups.len()).filter(|row| groups[*row] == group).collect();
                let (mut won, mut pairs) = (0.0, 0.0);
                for positive in own.iter().filter(|row| labels[**row] > 0.5) {
                    for negative in own.iter().filter(|row| labels[**row] <= 0.5) {
                        let (positive, negative) = (predictions[*positive], predictions[*negative]);
                        won += f64::from(u8::from(positive > negative)) + f64::from(u8::from(positive == negative)) / 2.0;
                        pairs += 1.0;
                    }
                }
                if pairs > 0.0 {
                    found.push((won, pairs, own.len() as f64));
                }
            }
            let weighted = |weight: fn(&(f64, f64, f64)) -> f64| {
                let sum: f64 = found.iter().map(|group| group.0 / group.1 * weight(group)).sum();
                (!found.is_empty()).then(|| sum / found.iter().map(weight).sum::<f64>())
            };
            let listed = list_auc(&predictions, &labels, &groups);
            if found.len() < 2 {
                prop_assert_eq!(listed, None);
            } else {
                let each: Vec<f64> = found.iter().map(|group| group.0 / group.1).collect();
                let (listed, slow) = (listed.unwrap(), crate::mean_interval(&each, 0.95));
                prop_assert_eq!(listed.slates, each.len());
                for (fast, slow) in [(listed.auc.mean, slow.mean), (listed.auc.low, slow.low), (listed.auc.high, slow.high)] {
                    prop_assert!((fast - slow).abs() < 1e-12, "{} {}", fast, slow);
                }
            }
            for (fast, slow) in [
                (gauc(&predictions, &labels, &groups), weighted(|group| group.2)),
                (pooled_auc(&predictions, &labels, &groups), weighted(|group| group.1)),
                (mean_auc(&predictions, &labels, &groups), weighted(|_| 1.0)),
            ] {
                match (fast, slow) {
                    (Some(fast), Some(slow)) => prop_assert!((fast - slow).abs() < 1e-12, "{fast} {slow}"),
                    (fast, slow) => prop_assert_eq!(fast, slow),
                }
            }
        }
    }
}
