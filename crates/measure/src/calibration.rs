//! Calibration: whether predictions sum to what happens, over all rows and along the predictions.

use serde::{Deserialize, Serialize};

use crate::auc::all_finite;

/// Sum of predictions / sum of labels: 1 is calibrated, above 1 predicts too much.
///
/// `None` where the labels sum to 0, or any prediction or label is not finite.
///
/// # Panics
/// If the slices differ in length.
pub fn calibration(predictions: &[f32], labels: &[f32]) -> Option<f64> {
    assert_eq!(predictions.len(), labels.len(), "one label a prediction");
    let sum = |values: &[f32]| -> f64 { values.iter().map(|value| f64::from(*value)).sum() };
    // A sum of finite singles cannot overflow a double, so it is finite exactly if they all are.
    let (predicted, observed) = (sum(predictions), sum(labels));
    (predicted.is_finite() && observed.is_finite() && observed != 0.0).then_some(predicted / observed)
}

/// Rows whose predictions are neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CalibrationBin {
    /// Mean of their predictions.
    pub mean_prediction: f64,
    /// Mean of their labels: equal to the mean prediction, where calibrated.
    pub mean_label: f64,
    /// Number of rows, at least 1.
    pub count: usize,
}

/// At most `bins` bins in ascending order of predictions, of equal counts as far as ties allow: rows of one prediction are
/// never split, they fall whole into the bin of their middle row. Bins without rows are left out.
///
/// Empty where there are no rows or bins, or any prediction or label is not finite.
///
/// # Panics
/// If the slices differ in length.
pub fn calibration_bins(predictions: &[f32], labels: &[f32], bins: usize) -> Vec<CalibrationBin> {
    assert_eq!(predictions.len(), labels.len(), "one label a prediction");
    if bins == 0 || !all_finite(predictions) || !all_finite(labels) {
        return Vec::new();
    }
    let mut rows: Vec<(f32, f32)> = predictions.iter().copied().zip(labels.iter().copied()).collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    // (number of the bin, sum of predictions, sum of labels, rows)
    let mut filled: Vec<(u128, f64, f64, usize)> = Vec::new();
    let mut start = 0;
    for tied in rows.chunk_by(|a, b| a.0 == b.0) {
        let doubled_middle = (2 * start + tied.len()) as u128;
        let bin = doubled_middle * bins as u128 / (2 * rows.len()) as u128;
        start += tied.len();
        if filled.last().is_none_or(|last| last.0 != bin) {
            filled.push((bin, 0.0, 0.0, 0));
        }
        if let Some((_, predicted, observed, count)) = filled.last_mut() {
            *predicted += f64::from(tied[0].0) * tied.len() as f64;
            *observed += tied.iter().map(|row| f64::from(row.1)).sum::<f64>();
            *count += tied.len();
        }
    }
    filled
        .into_iter()
        .map(|(_, predicted, observed, count)| CalibrationBin {
            mean_prediction: predicted / count as f64,
            mean_label: observed / count as f64,
            count,
        })
        .collect()
}

/// Expected calibration error: mean over the [`calibration_bins`], weighted by count, of `|mean prediction - mean label|`
/// (Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015, with bins of equal counts in
/// place of equal widths). 0 is calibrated. It is above 0 by chance alone, the more so the fewer rows a bin has.
///
/// `None` where there are no rows or bins, or any prediction or label is not finite.
///
/// # Panics
/// If the slices differ in length.
pub fn expected_calibration_error(predictions: &[f32], labels: &[f32], bins: usize) -> Option<f64> {
    let bins = calibration_bins(predictions, labels, bins);
    let error = |bin: &CalibrationBin| (bin.mean_prediction - bin.mean_label).abs() * bin.count as f64;
    let sum: f64 = bins.iter().map(error).sum();
    (!bins.is_empty()).then(|| sum / predictions.len() as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_is_predicted_over_observed() {
        assert_eq!(calibration(&[0.5, 0.5, 0.5], &[1.0, 0.0, 0.0]), Some(1.5));
        assert_eq!(calibration(&[0.25, 0.25], &[1.0, 0.0]), Some(0.5));
    }

    #[test]
    fn nothing_observed_and_values_that_are_not_finite_have_none() {
        assert_eq!(calibration(&[], &[]), None);
        assert_eq!(calibration(&[0.5], &[0.0]), None);
        assert_eq!(calibration(&[f32::NAN], &[1.0]), None);
        assert_eq!(calibration(&[0.5], &[f32::INFINITY]), None);
    }

    #[test]
    fn bins_have_equal_counts_in_the_order_of_predictions() {
        let bin = |mean_prediction, mean_label, count| CalibrationBin {
            mean_prediction,
            mean_label,
            count,
        };
        let (predictions, labels) = ([0.75, 0.0, 0.5, 0.25], [1.0, 0.0, 1.0, 1.0]);
        let found = calibration_bins(&predictions, &labels, 2);
        assert_eq!(found, [bin(0.125, 0.5, 2), bin(0.625, 1.0, 2)]);
        assert_eq!(expected_calibration_error(&predictions, &labels, 2), Some(0.375));
        // More bins than rows: one row a bin.
        assert_eq!(calibration_bins(&predictions, &labels, usize::MAX).len(), 4);
        assert_eq!(
            expected_calibration_error(&predictions, &labels, 100),
            Some((0.25 + 0.0 + 0.5 + 0.75) / 4.0)
        );
    }

    #[test]
    fn a_constant_prediction_is_one_bin_whose_error_is_its_distance_from_the_base_rate() {
        let labels = [1.0, 0.0, 0.0, 0.0];
        assert_eq!(calibration_bins(&[0.5; 4], &labels, 10).len(), 1);
        assert_eq!(expected_calibration_error(&[0.5; 4], &labels, 10), Some(0.25));
        assert_eq!(expected_calibration_error(&[0.25; 4], &labels, 10), Some(0.0));
        assert_eq!(calibration_bins(&[0.0, -0.0], &[1.0, 0.0], 2).len(), 1);
    }

    #[test]
    fn no_bins_no_rows_and_values_that_are_not_finite_have_no_bins() {
        for (predictions, labels, bins) in [
            (vec![], vec![], 5),
            (vec![0.5], vec![1.0], 0),
            (vec![f32::NAN], vec![1.0], 5),
            (vec![0.5], vec![f32::INFINITY], 5),
        ] {
            assert_eq!(calibration_bins(&predictions, &labels, bins), []);
            assert_eq!(expected_calibration_error(&predictions, &labels, bins), None);
        }
    }

    proptest! {
        #[test]
        fn bins_hold_every_row_once_ascend_and_split_no_tie(
            rows in prop::collection::vec((0u8..12, any::<bool>()), 1..60),
            bins in 1usize..9,
        ) {
            let predictions: Vec<f32> = rows.iter().map(|row| f32::from(row.0)).collect();
            let labels: Vec<f32> = rows.iter().map(|row| f32::from(u8::from(row.1))).collect();
            let found = calibration_bins(&predictions, &labels, bins);
            prop_assert!(found.len() <= bins);
            prop_assert_eq!(found.iter().map(|bin| bin.count).sum::<usize>(), rows.len());
            let mut sorted = predictions.clone();
            sorted.sort_by(f32::total_cmp);
            let mut end = 0;
            for bin in &found {
                let own = &sorted[end..end + bin.count];
                let mean = own.iter().map(|value| f64::from(*value)).sum::<f64>() / bin.count as f64;
                prop_assert!((mean - bin.mean_prediction).abs() < 1e-12);
                end += bin.count;
                prop_assert!(end == rows.len() || sorted[end - 1] < sorted[end]);
            }
            let positives: f64 = found.iter().map(|bin| bin.mean_label * bin.count as f64).sum();
            prop_assert!((positives - labels.iter().map(|label| f64::from(*label)).sum::<f64>()).abs() < 1e-9);
        }

        #[test]
        fn without_ties_counts_differ_by_one_at_most(rows in 1usize..60, bins in 1usize..9) {
            let predictions: Vec<f32> = (0..rows).map(|row| row as f32).collect();
            let counts: Vec<usize> =
                calibration_bins(&predictions, &predictions, bins).iter().map(|bin| bin.count).collect();
            prop_assert_eq!(counts.len(), bins.min(rows));
            prop_assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{counts:?}");
        }
    }
}
