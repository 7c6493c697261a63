//! GAUC: AUC inside each group, so that differences between people or slates count for nothing.

use crate::auc::{all_finite, sorted_auc};

/// Mean of the AUC of each group, weighted by its size, over the groups that have both classes (label above 0.5 or not). A
/// group is a slate or a person, one id a row.
///
/// `None` where no group has both classes, or any prediction or label is not finite.
///
/// # Panics
/// If the slices differ in length.
pub fn gauc(predictions: &[f32], labels: &[f32], groups: &[u64]) -> Option<f64> {
    assert_eq!(predictions.len(), labels.len(), "one label a prediction");
    assert_eq!(predictions.len(), groups.len(), "one group a prediction");
    if !all_finite(predictions) || !all_finite(labels) {
        return None;
    }
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by_key(|row| groups[*row]);
    let (mut sum, mut weight) = (0.0, 0.0);
    let mut rows = Vec::new();
    for group in order.chunk_by(|a, b| groups[*a] == groups[*b]) {
        rows.clear();
        rows.extend(group.iter().map(|row| (predictions[*row], labels[*row] > 0.5)));
        if let Some(auc) = sorted_auc(&mut rows) {
            sum += auc * group.len() as f64;
            weight += group.len() as f64;
        }
    }
    (weight > 0.0).then_some(sum / weight)
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
            // A weight multiplied in and divided out may cost the last bit.
            match (gauc(&predictions, &labels, &groups), auc(&predictions, &labels)) {
                (Some(gauc), Some(auc)) => prop_assert!((gauc - auc).abs() < 1e-15, "{gauc} {auc}"),
                (gauc, auc) => prop_assert_eq!(gauc, auc),
            }
        }

        #[test]
        fn it_equals_the_weighted_mean_over_filtered_groups((predictions, labels, groups) in rows()) {
            let (mut sum, mut weight) = (0.0, 0.0);
            for group in 0..4 {
                let own = |values: &[f32]| -> Vec<f32> {
                    values.iter().zip(&groups).filter(|(_, of)| **of == group).map(|(value, _)| *value).collect()
                };
                let (predictions, labels) = (own(&predictions), own(&labels));
                if let Some(auc) = auc(&predictions, &labels) {
                    sum += auc * labels.len() as f64;
                    weight += labels.len() as f64;
                }
            }
            match gauc(&predictions, &labels, &groups) {
                Some(gauc) => prop_assert!((gauc - sum / weight).abs() < 1e-12),
                None => prop_assert_eq!(weight, 0.0),
            }
        }
    }
}
