//! Losses: how far predictions are from labels.

/// Probabilities are clamped to `[CLAMP, 1 - CLAMP]` before the logarithm, so that one sure and wrong prediction does not
/// make the mean infinite.
const CLAMP: f64 = 1e-7;

/// Mean cross-entropy in nats: `-(y ln p + (1 - y) ln(1 - p))`, p clamped to `[1e-7, 1 - 1e-7]`. Labels may be fractional, in
/// `[0, 1]`.
///
/// NaN where there are no rows, or any prediction or label is not finite.
///
/// # Panics
/// If the slices differ in length.
pub fn log_loss(predictions: &[f32], labels: &[f32]) -> f64 {
    mean(predictions, labels, |prediction, label| {
        cross_entropy(prediction, label)
    })
}

/// Mean of `(prediction - label)^2`.
///
/// NaN where there are no rows, or any prediction or label is not finite.
///
/// # Panics
/// If the slices differ in length.
pub fn squared_error(predictions: &[f32], labels: &[f32]) -> f64 {
    mean(predictions, labels, |prediction, label| {
        (prediction - label).powi(2)
    })
}

/// Mean of `|prediction - label|`.
///
/// `None` where there are no rows, or any prediction or label is not finite.
///
/// # Panics
/// If the slices differ in length.
pub fn mean_absolute_error(predictions: &[f32], labels: &[f32]) -> Option<f64> {
    let error = mean(predictions, labels, |prediction, label| {
        (prediction - label).abs()
    });
    error.is_finite().then_some(error)
}

/// Normalized entropy: [`log_loss`] over the entropy of the mean label, which is the loss of the constant prediction of that
/// mean (He et al., "Practical Lessons from Predicting Clicks on Ads at Facebook", ADKDD 2014, eq. 1). Below 1 is better than
/// the base rate; unlike the loss it can be compared between data with other base rates.
///
/// `None` where the mean label is not inside `(0, 1)`, as with one class only, or any prediction or label is not finite.
///
/// # Panics
/// If the slices differ in length.
pub fn normalized_entropy(predictions: &[f32], labels: &[f32]) -> Option<f64> {
    let loss = log_loss(predictions, labels);
    let rate = labels.iter().map(|label| f64::from(*label)).sum::<f64>() / labels.len() as f64;
    (loss.is_finite() && rate > 0.0 && rate < 1.0)
        .then(|| loss / -(rate * rate.ln() + (1.0 - rate) * (-rate).ln_1p()))
}

/// Cross-entropy of one row.
pub(crate) fn cross_entropy(prediction: f64, label: f64) -> f64 {
    let p = prediction.clamp(CLAMP, 1.0 - CLAMP);
    -(label * p.ln() + (1.0 - label) * (1.0 - p).ln())
}

fn mean(predictions: &[f32], labels: &[f32], loss: impl Fn(f64, f64) -> f64) -> f64 {
    assert_eq!(predictions.len(), labels.len(), "one label a prediction");
    let rows = predictions.iter().zip(labels);
    let sum: f64 = rows
        .map(|(prediction, label)| {
            // Without this an infinite prediction would pass as a clamped one.
            let finite = prediction.is_finite() && label.is_finite();
            if finite {
                loss(f64::from(*prediction), f64::from(*label))
            } else {
                f64::NAN
            }
        })
        .sum();
    // 0 / 0 where there are no rows.
    sum / labels.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_means_over_rows() {
        let expected = -(0.75f64.ln() + (1.0 - 0.5f64).ln()) / 2.0;
        assert!((log_loss(&[0.75, 0.5], &[1.0, 0.0]) - expected).abs() < 1e-12);
        assert_eq!(squared_error(&[1.0, 4.0], &[2.0, 1.0]), 5.0);
        assert_eq!(mean_absolute_error(&[1.0, 4.0], &[2.0, 1.0]), Some(2.0));
    }

    #[test]
    fn the_base_rate_has_a_normalized_entropy_of_one_and_a_better_model_less() {
        let labels = [1.0, 0.0, 0.0, 0.0];
        assert!((normalized_entropy(&[0.25; 4], &labels).unwrap() - 1.0).abs() < 1e-12);
        assert!(normalized_entropy(&[0.3, 0.2, 0.2, 0.2], &labels).unwrap() < 1.0);
        assert!(normalized_entropy(&[0.3; 4], &labels).unwrap() > 1.0);
    }

    #[test]
    fn one_class_has_no_normalized_entropy() {
        assert_eq!(normalized_entropy(&[0.1, 0.2], &[1.0, 1.0]), None);
        assert_eq!(normalized_entropy(&[0.1, 0.2], &[0.0, 0.0]), None);
    }

    #[test]
    fn a_fractional_label_is_least_at_itself() {
        let at = |prediction: f32| log_loss(&[prediction], &[0.25]);
        assert!(at(0.25) < at(0.24) && at(0.25) < at(0.26));
    }

    #[test]
    fn a_sure_and_wrong_prediction_is_clamped() {
        assert!((log_loss(&[0.0], &[1.0]) + 1e-7f64.ln()).abs() < 1e-9);
        assert!((log_loss(&[1.0], &[0.0]) + 1e-7f64.ln()).abs() < 1e-8);
        assert!(log_loss(&[1.0], &[1.0]) < 1.1e-7);
    }

    #[test]
    fn no_rows_and_values_that_are_not_finite_give_nan_or_none() {
        for loss in [log_loss, squared_error] {
            assert!(loss(&[], &[]).is_nan());
            assert!(loss(&[f32::NAN, 0.5], &[0.0, 1.0]).is_nan());
            assert!(loss(&[f32::INFINITY, 0.5], &[0.0, 1.0]).is_nan());
            assert!(loss(&[0.5, 0.5], &[0.0, f32::NEG_INFINITY]).is_nan());
        }
        for loss in [mean_absolute_error, normalized_entropy] {
            assert_eq!(loss(&[], &[]), None);
            assert_eq!(loss(&[f32::NAN, 0.5], &[0.0, 1.0]), None);
            assert_eq!(loss(&[f32::INFINITY, 0.5], &[0.0, 1.0]), None);
            assert_eq!(loss(&[0.5, 0.5], &[0.0, f32::NAN]), None);
        }
    }
}
