//! Equal-position AUC: how a model orders rows that were shown at the same position.

use crate::gauc::pooled_auc;

/// AUC over the pairs of a positive (label above 0.5) and a negative that were shown at the same position, pooled over the
/// pairs of all positions; a tie counts one half. `positions` count from 1; rows at position 0, which is missing, are left out.
///
/// This is the fair test of a main tower on logged data. On a log an item near the top is clicked more because it is examined
/// more, and the ranker that put it there is rewarded for it: plain [`auc`](crate::auc) favours whatever repeats the logged
/// order, and would count a debiased model as worse. At one position examination is the same for both rows of a pair, as far as
/// it depends on position alone, so that only relevance is left to tell them apart. Predictions are to be made without position:
/// a term that depends on position alone changes no pair's order anyway.
///
/// `None` where no position has both classes, or any prediction or label with a position is not finite.
///
/// # Panics
/// If the slices differ in length.
pub fn equal_position_auc(predictions: &[f32], labels: &[f32], positions: &[u32]) -> Option<f64> {
    assert_eq!(predictions.len(), labels.len(), "one label a prediction");
    assert_eq!(predictions.len(), positions.len(), "one position a prediction");
    let shown = |values: &[f32]| -> Vec<f32> {
        let rows = values.iter().zip(positions);
        rows.filter(|(_, position)| **position > 0)
            .map(|(value, _)| *value)
            .collect()
    };
    let groups: Vec<u64> = positions
        .iter()
        .filter(|position| **position > 0)
        .map(|position| u64::from(*position))
        .collect();
    pooled_auc(&shown(predictions), &shown(labels), &groups)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::auc;

    #[test]
    fn a_model_that_only_knows_the_position_gets_one_half() {
        let positions = [1, 1, 1, 2, 2, 2];
        let labels = [1.0, 1.0, 0.0, 1.0, 0.0, 0.0];
        let predictions = [0.9, 0.9, 0.9, 0.1, 0.1, 0.1];
        assert!(auc(&predictions, &labels).unwrap() > 0.6);
        assert_eq!(equal_position_auc(&predictions, &labels, &positions), Some(0.5));
    }

    #[test]
    fn pairs_are_pooled_over_positions_and_missing_positions_left_out() {
        // Position 1: 2 pairs, both won. Position 2: 1 pair, lost. Position 0 would lose its pair.
        let positions = [1, 1, 1, 2, 2, 0, 0];
        let labels = [1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0];
        let predictions = [0.9, 0.2, 0.3, 0.1, 0.8, 0.1, 0.9];
        assert_eq!(
            equal_position_auc(&predictions, &labels, &positions),
            Some(2.0 / 3.0)
        );
        assert_eq!(
            equal_position_auc(&predictions[5..], &labels[5..], &positions[5..]),
            None
        );
        assert_eq!(
            equal_position_auc(&[0.9, 0.1, f32::NAN], &[1.0, 0.0, 1.0], &[3, 3, 0]),
            Some(1.0)
        );
    }

    #[test]
    fn there_is_none_without_a_pair_or_with_a_value_that_is_not_finite() {
        assert_eq!(equal_position_auc(&[], &[], &[]), None);
        assert_eq!(equal_position_auc(&[0.1, 0.2], &[1.0, 0.0], &[1, 2]), None);
        assert_eq!(equal_position_auc(&[f32::NAN, 0.2], &[1.0, 0.0], &[1, 1]), None);
        assert_eq!(
            equal_position_auc(&[0.1, 0.2], &[1.0, f32::INFINITY], &[1, 1]),
            None
        );
    }

    proptest! {
        #[test]
        fn it_equals_counting_pairs(rows in prop::collection::vec((-4i8..4, any::<bool>(), 0u32..4), 0..40)) {
            let predictions: Vec<f32> = rows.iter().map(|row| f32::from(row.0)).collect();
            let labels: Vec<f32> = rows.iter().map(|row| f32::from(u8::from(row.1))).collect();
            let positions: Vec<u32> = rows.iter().map(|row| row.2).collect();
            let (mut won, mut pairs) = (0.0, 0.0);
            for positive in rows.iter().filter(|row| row.1 && row.2 > 0) {
                for negative in rows.iter().filter(|row| !row.1 && row.2 == positive.2) {
                    won += match positive.0.cmp(&negative.0) {
                        std::cmp::Ordering::Less => 0.0,
                        std::cmp::Ordering::Equal => 0.5,
                        std::cmp::Ordering::Greater => 1.0,
                    };
                    pairs += 1.0;
                }
            }
            match equal_position_auc(&predictions, &labels, &positions) {
                Some(auc) => prop_assert!((auc - won / pairs).abs() < 1e-12),
                None => prop_assert_eq!(pairs, 0.0),
            }
        }
    }
}
