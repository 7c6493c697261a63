//! NDCG: how near the top of each list the rows with high labels stand.

use crate::auc::all_finite;

/// Mean of NDCG@k over the groups that have a label above 0: `DCG@k / (DCG@k of the best order)`, where DCG@k is the sum over
/// the first `k` ranks of `(2^label - 1) / log2(rank + 1)`, ranks from 1 in descending order of predictions. The measure is that
/// of Järvelin & Kekäläinen, "Cumulated gain-based evaluation of IR techniques", TOIS 2002; this gain and discount are those of
/// Burges et al., "Learning to rank using gradient descent", ICML 2005. In `[0, 1]`.
///
/// Rows of one prediction share their ranks: each counts with the mean discount of all of them, the expectation over their
/// orders (McSherry & Najork, "Computing information retrieval performance measures efficiently in the presence of tied
/// scores", ECIR 2008), so that neither luck nor the order of rows matters.
///
/// `None` where no group has a label above 0, `k` is 0, any prediction or label is not finite, or any label is negative or
/// above 1000, where gains near the end of double precision.
///
/// # Panics
/// If the slices differ in length.
pub fn ndcg(predictions: &[f32], labels: &[f32], groups: &[u64], k: usize) -> Option<f64> {
    assert_eq!(predictions.len(), labels.len(), "one label a prediction");
    assert_eq!(predictions.len(), groups.len(), "one group a prediction");
    if !all_finite(predictions) || labels.iter().any(|label| !(0.0..=1000.0).contains(label)) {
        return None;
    }
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by_key(|row| groups[*row]);
    let (mut sum, mut count) = (0.0, 0.0);
    let mut rows: Vec<(f32, f64)> = Vec::new();
    for group in order.chunk_by(|a, b| groups[*a] == groups[*b]) {
        rows.clear();
        rows.extend(
            group
                .iter()
                .map(|row| (predictions[*row], f64::from(labels[*row]).exp2() - 1.0)),
        );
        let best = best_gain(&mut rows, k);
        if best > 0.0 {
            sum += expected_gain(&mut rows, k) / best;
            count += 1.0;
        }
    }
    (count > 0.0).then_some(sum / count)
}

/// DCG@k of rows (prediction, gain), the mean over the orders of tied rows. Sorts them.
fn expected_gain(rows: &mut [(f32, f64)], k: usize) -> f64 {
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut sum, mut start) = (0.0, 0);
    for tied in rows.chunk_by(|a, b| a.0 == b.0) {
        if start >= k {
            break;
        }
        let end = start + tied.len();
        // Ranks past k have no discount, and so lower the mean of a tie that reaches past it.
        let discounts: f64 = (start..end.min(k)).map(discount).sum();
        let gains: f64 = tied.iter().map(|row| row.1).sum();
        sum += gains * discounts / tied.len() as f64;
        start = end;
    }
    sum
}

/// The highest DCG@k that an order of rows (prediction, gain) has. Sorts them.
fn best_gain(rows: &mut [(f32, f64)], k: usize) -> f64 {
    rows.sort_by(|a, b| b.1.total_cmp(&a.1));
    let gains = rows.iter().take(k).enumerate();
    gains.map(|(index, row)| row.1 * discount(index)).sum()
}

/// Of the rank `index + 1`.
fn discount(index: usize) -> f64 {
    1.0 / (index as f64 + 2.0).log2()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Mean of DCG@k over all orders of the rows that descend by prediction.
    fn over_orders(predictions: &[f32], labels: &[f32], k: usize) -> f64 {
        fn orders(left: &[usize], order: &mut Vec<usize>, visit: &mut impl FnMut(&[usize])) {
            if left.is_empty() {
                visit(order);
            }
            for row in left {
                let rest: Vec<usize> = left.iter().copied().filter(|other| other != row).collect();
                order.push(*row);
                orders(&rest, order, visit);
                order.pop();
            }
        }
        let (mut sum, mut count) = (0.0, 0.0);
        let rows: Vec<usize> = (0..labels.len()).collect();
        orders(&rows, &mut Vec::new(), &mut |order| {
            if order.is_sorted_by(|a, b| predictions[*a] >= predictions[*b]) {
                let ranked = order.iter().take(k).zip(2u8..);
                sum += ranked
                    .map(|(row, rank)| (f64::from(labels[*row]).exp2() - 1.0) / f64::from(rank).log2())
                    .sum::<f64>();
                count += 1.0;
            }
        });
        sum / count
    }

    #[test]
    fn the_best_order_is_one_and_others_follow_the_formula() {
        let (labels, group) = ([3.0, 0.0, 1.0], [4; 3]);
        assert_eq!(ndcg(&[0.9, 0.1, 0.5], &labels, &group, 3), Some(1.0));
        // Gains 7 and 1: the order is 0, 1, 7.
        let found = ndcg(&[0.1, 0.9, 0.5], &labels, &group, 3).unwrap();
        let expected = (1.0 / 3f64.log2() + 7.0 / 2.0) / (7.0 + 1.0 / 3f64.log2());
        assert!((found - expected).abs() < 1e-12, "{found} instead of {expected}");
        assert_eq!(ndcg(&[0.1, 0.9, 0.5], &labels, &group, 1), Some(0.0));
    }

    #[test]
    fn a_constant_prediction_gets_the_same_in_any_order_of_rows() {
        let top_first = ndcg(&[0.5; 4], &[1.0, 0.0, 0.0, 0.0], &[1; 4], 1);
        let top_last = ndcg(&[0.5; 4], &[0.0, 0.0, 0.0, 1.0], &[1; 4], 1);
        assert_eq!(top_first, Some(0.25));
        assert_eq!(top_last, Some(0.25));
        assert_eq!(ndcg(&[0.0, -0.0], &[1.0, 0.0], &[1; 2], 1), Some(0.5));
    }

    #[test]
    fn groups_count_alike_and_those_without_a_label_above_zero_not_at_all() {
        let predictions = [0.9, 0.1, 0.1, 0.9, 0.8, 0.7, 0.6];
        let labels = [1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0];
        assert_eq!(ndcg(&predictions, &labels, &[1, 1, 2, 2, 2, 3, 3], 1), Some(0.5));
        assert_eq!(ndcg(&predictions[3..], &labels[3..], &[1, 1, 1, 1], 1), None);
    }

    #[test]
    fn there_is_none_without_a_rank_or_with_a_value_that_has_no_gain() {
        assert_eq!(ndcg(&[], &[], &[], 5), None);
        assert_eq!(ndcg(&[0.5], &[1.0], &[1], 0), None);
        assert_eq!(ndcg(&[f32::NAN], &[1.0], &[1], 5), None);
        for label in [-1.0, f32::NAN, f32::INFINITY, 1e6] {
            assert_eq!(ndcg(&[0.5, 0.4], &[1.0, label], &[1; 2], 5), None);
        }
        assert_eq!(ndcg(&[0.5, 0.4], &[1000.0, 1.0], &[1; 2], 5), Some(1.0));
    }

    proptest! {
        #[test]
        fn a_tie_counts_as_the_mean_over_its_orders(
            rows in prop::collection::vec((0u8..3, 0u8..4), 1..6),
            k in 1usize..7,
        ) {
            let predictions: Vec<f32> = rows.iter().map(|row| f32::from(row.0)).collect();
            let labels: Vec<f32> = rows.iter().map(|row| f32::from(row.1)).collect();
            let slow = over_orders(&predictions, &labels, k) / over_orders(&labels, &labels, k);
            match ndcg(&predictions, &labels, &vec![1; rows.len()], k) {
                Some(ndcg) => prop_assert!((ndcg - slow).abs() < 1e-12, "{ndcg} {slow}"),
                None => prop_assert!(labels.iter().all(|label| *label == 0.0)),
            }
        }
    }
}
