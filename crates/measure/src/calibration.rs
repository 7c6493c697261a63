//! Calibration: whether predictions sum to what happens.

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

#[cfg(test)]
mod tests {
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
}
