//! Losses of one logit per row: cross-entropy and squared error. In: logits, labels (`NaN`: absent). Out: the sum of the
//! losses and the gradient of the logits. An absent label adds no loss and no gradient.

/// `1 / (1 + exp(-x))`, without overflow at either end.
pub fn sigmoid(x: f32) -> f32 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

/// Cross-entropy of `sigmoid(logit)` against a label in `[0, 1]`, as `max(z, 0) - z y + ln(1 + exp(-|z|))`, which is stable.
/// Writes `scale * dloss/dlogit`; returns the sum of the losses, unscaled. Shapes: all `[B]`.
pub fn binary_loss(logits: &[f32], labels: &[f32], scale: f32, d_logits: &mut [f32]) -> f64 {
    sum_losses(logits, labels, d_logits, |logit, label| {
        let (z, y) = (f64::from(logit), f64::from(label));
        let loss = z.max(0.0) - z * y + (-z.abs()).exp().ln_1p();
        let slope = planted!(
            sigmoid(logit) - label,
            "binary loss: sign" => label - sigmoid(logit),
            "binary loss: label forgotten" => sigmoid(logit),
            "binary loss: logit for prediction" => logit - label,
        );
        (loss, scale * slope)
    })
}

/// `(prediction - label)^2`, where the prediction is `lo + (hi - lo) sigmoid(logit)` with a `range` of `(lo, hi)`, else the
/// logit. Writes `scale * dloss/dlogit`; returns the sum of the losses, unscaled. Shapes: all `[B]`.
pub fn squared_loss(
    logits: &[f32],
    labels: &[f32],
    range: Option<(f32, f32)>,
    scale: f32,
    d_logits: &mut [f32],
) -> f64 {
    sum_losses(logits, labels, d_logits, |logit, label| {
        let (prediction, slope) = match range {
            Some((lo, hi)) => {
                let p = sigmoid(logit);
                let slope = (hi - lo) * p * (1.0 - p);
                (
                    lo + (hi - lo) * p,
                    planted!(slope, "squared loss: slope of the sigmoid forgotten" => hi - lo),
                )
            }
            None => (logit, 1.0),
        };
        let error = prediction - label;
        let d = planted!(
            2.0 * error * slope,
            "squared loss: sign" => -2.0 * error * slope,
            "squared loss: half the slope" => error * slope,
        );
        (f64::from(error) * f64::from(error), scale * d)
    })
}

/// Sums `loss(logit, label)`, which gives the loss and the gradient, over the rows that have a label.
fn sum_losses(
    logits: &[f32],
    labels: &[f32],
    d_logits: &mut [f32],
    loss: impl Fn(f32, f32) -> (f64, f32),
) -> f64 {
    assert_eq!(logits.len(), labels.len(), "logits and labels");
    assert_eq!(logits.len(), d_logits.len(), "logits and d_logits");
    let mut sum = 0.0;
    for ((logit, label), d_logit) in logits.iter().zip(labels).zip(d_logits) {
        if label.is_nan() {
            *d_logit = 0.0;
            continue;
        }
        let (value, d) = loss(*logit, *label);
        *d_logit = d;
        sum += value;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::assert_check_bites;
    use crate::testing::TOLERANCE;
    use crate::{GradientMismatch, check_gradient};

    const LOGITS: [f32; 6] = [-2.5, -0.4, 0.0, 0.3, 1.7, 4.0];
    const LABELS: [f32; 6] = [1.0, 0.0, f32::NAN, 1.0, 0.25, 0.0];
    const SCALE: f32 = 0.7;

    type Loss = fn(&[f32], &[f32], f32, &mut [f32]) -> f64;

    fn check(name: &str, loss: Loss) -> Result<(), GradientMismatch> {
        let mut d = [f32::NAN; 6];
        loss(&LOGITS, &LABELS, SCALE, &mut d);
        let by_logits = |v: &[f32]| f64::from(SCALE) * loss(v, &LABELS, 1.0, &mut [0.0; 6]);
        check_gradient(name, &mut LOGITS.clone(), &d, by_logits, TOLERANCE)
    }

    fn squared(logits: &[f32], labels: &[f32], scale: f32, d: &mut [f32]) -> f64 {
        squared_loss(logits, labels, None, scale, d)
    }

    fn squared_in_range(logits: &[f32], labels: &[f32], scale: f32, d: &mut [f32]) -> f64 {
        squared_loss(logits, labels, Some((-1.0, 3.0)), scale, d)
    }

    #[test]
    fn the_gradient_of_cross_entropy_is_its_slope_and_the_check_notices_planted_faults() {
        let faults = [
            "binary loss: sign",
            "binary loss: label forgotten",
            "binary loss: logit for prediction",
        ];
        assert_check_bites("binary loss", &faults, || check("binary", binary_loss));
    }

    #[test]
    fn the_gradient_of_squared_error_is_its_slope_and_the_check_notices_planted_faults() {
        let faults = [
            "squared loss: slope of the sigmoid forgotten",
            "squared loss: sign",
            "squared loss: half the slope",
        ];
        assert_check_bites("squared loss", &faults, || {
            check("squared", squared)?;
            check("squared in a range", squared_in_range)
        });
    }

    #[test]
    fn an_absent_label_adds_no_loss_and_no_gradient() {
        for loss in [binary_loss as Loss, squared, squared_in_range] {
            let mut d = [f32::NAN; 3];
            let sum = loss(&[1.0, f32::NAN, 2.0], &[1.0, f32::NAN, f32::NAN], 1.0, &mut d);
            let alone = loss(&[1.0], &[1.0], 1.0, &mut [0.0]);
            assert_eq!(sum, alone);
            assert_eq!(d[1..], [0.0, 0.0]);
        }
    }

    #[test]
    fn logits_of_any_size_give_finite_losses_and_gradients() {
        let logits = [-1e30, -200.0, 200.0, 1e30];
        let mut d = [0.0; 4];
        let sum = binary_loss(&logits, &[0.0, 1.0, 0.0, 1.0], 1.0, &mut d);
        assert_eq!(sum, 400.0);
        assert_eq!(d, [0.0, -1.0, 1.0, 0.0]);
        assert_eq!(logits.map(sigmoid), [0.0, 0.0, 1.0, 1.0]);
    }

    #[test]
    fn sigmoid_is_symmetric() {
        for x in [0.0, 0.1, 3.0, 15.0] {
            assert!((sigmoid(x) + sigmoid(-x) - 1.0).abs() < 1e-7);
        }
    }
}
