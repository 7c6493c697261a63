//! XAUC: how often two rows are ordered as their labels, for labels that are amounts, as watch time.

use crate::auc::all_finite;

/// Share of the pairs of rows with differing labels that the predictions order as the labels do; a tie of predictions counts
/// one half (Zhan et al., "Deconfounding Duration Bias in Watch-time Prediction for Video Recommendation", KDD 2022, where
/// pairs are sampled; here all are counted). In `[0, 1]`; 0.5 is chance; with labels 0 and 1 it is [`auc`](crate::auc).
/// O(n log n), exact but for the last division.
///
/// `None` where no labels differ, or any prediction or label is not finite.
///
/// # Panics
/// If the slices differ in length.
pub fn xauc(predictions: &[f32], labels: &[f32]) -> Option<f64> {
    assert_eq!(predictions.len(), labels.len(), "one label a prediction");
    if !all_finite(predictions) || !all_finite(labels) {
        return None;
    }
    let mut rows: Vec<(f32, usize)> = labels.iter().copied().zip(ranks(predictions)).collect();
    rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut seen = Counts::new(rows.len());
    // Twice the pairs in order: whole numbers, so no rounding on the way.
    let (mut doubled, mut pairs, mut below) = (0u128, 0u128, 0u128);
    // Ascending by label, so that what was seen before is the lower row of each pair.
    for tied in rows.chunk_by(|a, b| a.0 == b.0) {
        for (_, rank) in tied {
            // Twice those predicted lower, and once those predicted the same.
            doubled += u128::from(seen.below(*rank)) + u128::from(seen.below(rank + 1));
        }
        for (_, rank) in tied {
            seen.add(*rank);
        }
        pairs += below * tied.len() as u128;
        below += tied.len() as u128;
    }
    (pairs > 0).then(|| doubled as f64 / (2 * pairs) as f64)
}

/// Each value's place among the distinct values, ascending from 0.
fn ranks(values: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0; values.len()];
    for (rank, tied) in order.chunk_by(|a, b| values[*a] == values[*b]).enumerate() {
        for row in tied {
            ranks[*row] = rank;
        }
    }
    ranks
}

/// How many of each rank: a Fenwick tree, so that adding one and counting those below are both O(log n).
struct Counts(Vec<u64>);

impl Counts {
    fn new(ranks: usize) -> Counts {
        Counts(vec![0; ranks])
    }

    fn add(&mut self, rank: usize) {
        let mut node = rank;
        while node < self.0.len() {
            self.0[node] += 1;
            node |= node + 1;
        }
    }

    /// The number of ranks in `0..rank`.
    fn below(&self, rank: usize) -> u64 {
        let (mut sum, mut end) = (0, rank);
        while end > 0 {
            sum += self.0[end - 1];
            end &= end - 1;
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::auc;

    #[test]
    fn the_order_of_the_labels_is_one_the_reversed_one_zero_and_a_constant_one_half() {
        let labels = [3.0, -1.0, 20.0, 7.5];
        assert_eq!(xauc(&labels, &labels), Some(1.0));
        assert_eq!(xauc(&labels.map(|label| -label), &labels), Some(0.0));
        assert_eq!(xauc(&[4.0; 4], &labels), Some(0.5));
        assert_eq!(xauc(&[0.0, -0.0], &[1.0, 2.0]), Some(0.5));
    }

    #[test]
    fn there_is_none_where_no_labels_differ_or_a_value_is_not_finite() {
        assert_eq!(xauc(&[], &[]), None);
        assert_eq!(xauc(&[0.1, 0.2], &[5.0, 5.0]), None);
        assert_eq!(xauc(&[0.1, 0.2], &[0.0, -0.0]), None);
        assert_eq!(xauc(&[f32::NAN, 0.2], &[1.0, 2.0]), None);
        assert_eq!(xauc(&[0.1, 0.2], &[1.0, f32::INFINITY]), None);
    }

    proptest! {
        #[test]
        fn it_equals_counting_pairs(rows in prop::collection::vec((-6i8..6, -6i8..6), 0..50)) {
            let predictions: Vec<f32> = rows.iter().map(|row| f32::from(row.0)).collect();
            let labels: Vec<f32> = rows.iter().map(|row| f32::from(row.1)).collect();
            let (mut won, mut pairs) = (0.0, 0.0);
            for high in &rows {
                for low in rows.iter().filter(|low| low.1 < high.1) {
                    pairs += 1.0;
                    won += f64::from(u8::from(high.0 > low.0)) + f64::from(u8::from(high.0 == low.0)) / 2.0;
                }
            }
            match xauc(&predictions, &labels) {
                Some(xauc) => prop_assert!((xauc - won / pairs).abs() < 1e-12),
                None => prop_assert_eq!(pairs, 0.0),
            }
        }

        #[test]
        fn with_two_labels_it_is_the_auc(rows in prop::collection::vec((-6i8..6, any::<bool>()), 0..50)) {
            let predictions: Vec<f32> = rows.iter().map(|row| f32::from(row.0)).collect();
            let labels: Vec<f32> = rows.iter().map(|row| f32::from(u8::from(row.1))).collect();
            prop_assert_eq!(xauc(&predictions, &labels), auc(&predictions, &labels));
        }
    }
}
