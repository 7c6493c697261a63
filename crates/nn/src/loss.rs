//! Losses of one logit per row: cross-entropy, squared error and weighted logistic regression. In: logits, labels (`NaN`:
//! absent), weights of the rows. Out: the sum of the weighted losses and the gradient of the logits. An absent label adds no
//! loss and no gradient.

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
/// Writes `scale * weight * dloss/dlogit`; returns the sum of the weighted losses, unscaled. Shapes: all `[B]`; no weights: all
/// are 1.
pub fn binary_loss(logits: &[f32], labels: &[f32], weights: &[f32], scale: f32, d_logits: &mut [f32]) -> f64 {
    sum_losses(logits, labels, weights, d_logits, |logit, label| {
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
/// logit. Writes `scale * weight * dloss/dlogit`; returns the sum of the weighted losses, unscaled. Shapes: all `[B]`; no
/// weights: all are 1.
pub fn squared_loss(
    logits: &[f32],
    labels: &[f32],
    weights: &[f32],
    range: Option<(f32, f32)>,
    scale: f32,
    d_logits: &mut [f32],
) -> f64 {
    sum_losses(logits, labels, weights, d_logits, |logit, label| {
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

/// Weighted logistic regression (Covington, Adams and Sargin 2016, section 4.2) with every row a negative of weight 1 and a
/// positive of weight `label`, from 0: `label softplus(-z) + softplus(z)`, least where the odds `exp(z)` are the expected label.
/// Its gradient grows with the label: give labels of mean 1 or so. Writes `scale * weight * dloss/dlogit`; returns the sum of
/// the weighted losses, unscaled. Shapes: all `[B]`; no weights: all are 1.
pub fn weighted_logistic_loss(
    logits: &[f32],
    labels: &[f32],
    weights: &[f32],
    scale: f32,
    d_logits: &mut [f32],
) -> f64 {
    sum_losses(logits, labels, weights, d_logits, |logit, label| {
        let (z, t) = (f64::from(logit), f64::from(label));
        let tail = (-z.abs()).exp().ln_1p();
        let loss = t * ((-z).max(0.0) + tail) + z.max(0.0) + tail;
        let p = sigmoid(logit);
        let slope = planted!(
            p - label * sigmoid(-logit),
            "weighted logistic loss: sign" => label * sigmoid(-logit) - p,
            "weighted logistic loss: label for both" => (1.0 + label) * p,
            "weighted logistic loss: cross-entropy" => p - label,
        );
        (loss, scale * slope)
    })
}

/// Cross-entropy over the entire space (ESMM: Ma et al., SIGIR 2018, section 2.2): a conditional event happens together with its
/// conditions with probability `P = prod_i sigmoid(logit_i)` over the `chain` of its own logit and those of its conditions, and
/// `labels` say where all of them did. Stable: `ln P = sum_i ln sigmoid(logit_i)`, `1 - P = -expm1(ln P)`. **Adds**
/// `scale * weight * dloss/dlogit_i` to `d_logits` of the whole chain; returns the sum of the weighted losses, unscaled. Shapes:
/// logits and d_logits `[objectives][B or more]`, labels and weights `[B]`; no weights: all are 1.
pub fn entire_space_loss(
    chain: impl Iterator<Item = usize> + Clone,
    logits: &[Vec<f32>],
    labels: &[f32],
    weights: &[f32],
    scale: f32,
    d_logits: &mut [Vec<f32>],
) -> f64 {
    assert!(
        weights.is_empty() || weights.len() == labels.len(),
        "labels and weights"
    );
    let mut sum = 0.0;
    for (row, label) in labels.iter().enumerate() {
        if label.is_nan() {
            continue;
        }
        let (weight, y) = (weights.get(row).copied().unwrap_or(1.0), f64::from(*label));
        let logit = |at: usize| f64::from(logits[at][row]);
        let log_p: f64 = chain.clone().map(|at| log_sigmoid(logit(at))).sum();
        // Where P rounds to 1 its complement is kept above 0: the slopes that it divides are 0 then.
        let (p, not_p) = (log_p.exp(), (-log_p.exp_m1()).max(f64::MIN_POSITIVE));
        let d_log_p = planted!(
            (1.0 - y) * p / not_p - y,
            "entire space loss: sign" => y - (1.0 - y) * p / not_p,
            "entire space loss: positives only" => -y,
        );
        let d_row = f64::from(scale)
            * f64::from(planted!(weight, "entire space loss: weight forgotten" => 1.0))
            * d_log_p;
        let members = planted!(usize::MAX, "entire space loss: the conditional alone" => 1);
        for at in chain.clone().take(members) {
            let d = (d_row * log_sigmoid(-logit(at)).exp()) as f32;
            planted!(d_logits[at][row] += d, "entire space loss: written, not added" => d_logits[at][row] = d);
        }
        sum += f64::from(weight) * (-y * log_p - (1.0 - y) * not_p.ln());
    }
    sum
}

/// `ln(1 / (1 + exp(-x)))`.
fn log_sigmoid(x: f64) -> f64 {
    x.min(0.0) - (-x.abs()).exp().ln_1p()
}

/// Sums `loss(logit, label)`, which gives the loss and the gradient, times the row's weight, over the rows that have a label.
fn sum_losses(
    logits: &[f32],
    labels: &[f32],
    weights: &[f32],
    d_logits: &mut [f32],
    loss: impl Fn(f32, f32) -> (f64, f32),
) -> f64 {
    assert_eq!(logits.len(), labels.len(), "logits and labels");
    assert_eq!(logits.len(), d_logits.len(), "logits and d_logits");
    assert!(
        weights.is_empty() || weights.len() == logits.len(),
        "logits and weights"
    );
    let mut sum = 0.0;
    for (row, ((logit, label), d_logit)) in logits.iter().zip(labels).zip(d_logits).enumerate() {
        if label.is_nan() {
            *d_logit = 0.0;
            continue;
        }
        let weight = weights.get(row).copied().unwrap_or(1.0);
        let (value, d) = loss(*logit, *label);
        *d_logit = planted!(weight * d, "loss: weight forgotten" => d, "loss: weight squared" => weight * weight * d,
            "loss: sum of rows" => *d_logit + weight * d);
        sum += f64::from(weight) * value;
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
    const WEIGHTS: [f32; 6] = [1.0, 0.25, 5.0, 3.0, 1.5, 0.5];
    const SCALE: f32 = 0.7;

    /// Two conditions deep, in another order than the chain's; the first logits' gradient has begun.
    fn check_entire_space() -> Result<(), GradientMismatch> {
        let logits = [
            LOGITS,
            [0.3, 1.5, -2.0, 0.4, -0.7, 3.0],
            [1.0, -1.0, 0.5, 2.0, 0.0, 5.0],
        ]
        .map(Vec::from);
        let chain = || [2, 0, 1].into_iter();
        let mut d = vec![vec![0.5; 6]; 3];
        entire_space_loss(chain(), &logits, &LABELS, &WEIGHTS, SCALE, &mut d);
        for at in 0..3 {
            let by_logits = |v: &[f32]| {
                let mut probe = logits.clone();
                probe[at].copy_from_slice(v);
                let loss = entire_space_loss(
                    chain(),
                    &probe,
                    &LABELS,
                    &WEIGHTS,
                    1.0,
                    &mut vec![vec![0.0; 6]; 3],
                );
                f64::from(SCALE) * loss
            };
            let found: Vec<f32> = d[at].iter().map(|d| d - 0.5).collect();
            check_gradient("logits", &mut logits[at].clone(), &found, by_logits, TOLERANCE)?;
        }
        Ok(())
    }

    #[test]
    fn the_gradients_over_the_entire_space_are_the_slopes_and_the_check_notices_planted_faults() {
        let faults = [
            "entire space loss: sign",
            "entire space loss: positives only",
            "entire space loss: weight forgotten",
            "entire space loss: the conditional alone",
            "entire space loss: written, not added",
        ];
        assert_check_bites("entire space loss", &faults, check_entire_space);
    }

    #[test]
    fn over_the_entire_space_any_logits_give_a_finite_loss_and_slope() {
        for logits in [
            [1e4, 1e4],
            [-1e4, 1e4],
            [-1e4, -1e4],
            [f32::MAX, f32::MAX],
            [90.0, 800.0],
        ] {
            for label in [0.0, 0.4, 1.0] {
                let (logits, mut d) = (logits.map(|logit| vec![logit]), [vec![0.0], vec![0.0]]);
                let loss = entire_space_loss(0..2, &logits, &[label], &[], 1.0, &mut d);
                assert!(loss.is_finite() && loss >= 0.0, "{logits:?}, {label}: {loss}");
                assert!(
                    d.iter().flatten().all(|d| d.abs() <= 1.0),
                    "{logits:?}, {label}: {d:?}"
                );
            }
        }
    }

    type Loss = fn(&[f32], &[f32], &[f32], f32, &mut [f32]) -> f64;

    const LOSSES: [Loss; 4] = [binary_loss, squared, squared_in_range, weighted_logistic_loss];

    fn check_with(name: &str, loss: Loss, weights: &[f32]) -> Result<(), GradientMismatch> {
        let mut d = [f32::NAN; 6];
        loss(&LOGITS, &LABELS, weights, SCALE, &mut d);
        let by_logits = |v: &[f32]| f64::from(SCALE) * loss(v, &LABELS, weights, 1.0, &mut [0.0; 6]);
        check_gradient(name, &mut LOGITS.clone(), &d, by_logits, TOLERANCE)
    }

    fn check(name: &str, loss: Loss) -> Result<(), GradientMismatch> {
        check_with(name, loss, &[])
    }

    fn squared(logits: &[f32], labels: &[f32], weights: &[f32], scale: f32, d: &mut [f32]) -> f64 {
        squared_loss(logits, labels, weights, None, scale, d)
    }

    fn squared_in_range(logits: &[f32], labels: &[f32], weights: &[f32], scale: f32, d: &mut [f32]) -> f64 {
        squared_loss(logits, labels, weights, Some((-1.0, 3.0)), scale, d)
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
    fn the_gradient_of_weighted_logistic_regression_is_its_slope_and_the_check_notices_planted_faults() {
        let faults = [
            "weighted logistic loss: sign",
            "weighted logistic loss: label for both",
            "weighted logistic loss: cross-entropy",
        ];
        // Labels are times: any from 0.
        let long = |logits: &[f32], labels: &[f32], weights: &[f32], scale: f32, d: &mut [f32]| {
            let labels: Vec<f32> = labels.iter().map(|label| 6.0 * label).collect();
            weighted_logistic_loss(logits, &labels, weights, scale, d)
        };
        assert_check_bites("weighted logistic loss", &faults, || {
            check("weighted logistic", long)
        });
    }

    #[test]
    fn the_gradient_of_a_weighted_row_is_its_slope_and_the_check_notices_planted_faults() {
        let faults = [
            "loss: weight forgotten",
            "loss: weight squared",
            "loss: sum of rows",
        ];
        assert_check_bites("loss", &faults, || {
            LOSSES
                .iter()
                .try_for_each(|loss| check_with("weighted rows", *loss, &WEIGHTS))
        });
    }

    #[test]
    fn a_row_of_weight_two_counts_as_two_rows() {
        for loss in LOSSES {
            let (mut twice, mut both) = ([0.0], [0.0; 2]);
            let heavy = loss(&[0.3], &[1.0], &[2.0], 1.0, &mut twice);
            assert_eq!(heavy, loss(&[0.3; 2], &[1.0; 2], &[], 1.0, &mut both));
            assert_eq!(twice[0], both[0] + both[1]);
        }
    }

    #[test]
    fn weighted_logistic_regression_is_least_where_the_odds_are_the_mean_label() {
        let labels = [0.0, 0.0, 0.5, 5.5];
        let mut d = [0.0; 4];
        weighted_logistic_loss(&[1.5f32.ln(); 4], &labels, &[], 1.0, &mut d);
        assert!(d.iter().sum::<f32>().abs() < 1e-6, "{d:?}");
    }

    #[test]
    fn an_absent_label_adds_no_loss_and_no_gradient() {
        for loss in LOSSES {
            let mut d = [f32::NAN; 3];
            let sum = loss(
                &[1.0, f32::NAN, 2.0],
                &[1.0, f32::NAN, f32::NAN],
                &[],
                1.0,
                &mut d,
            );
            let alone = loss(&[1.0], &[1.0], &[], 1.0, &mut [0.0]);
            assert_eq!(sum, alone);
            assert_eq!(d[1..], [0.0, 0.0]);
        }
    }

    #[test]
    fn logits_of_any_size_give_finite_losses_and_gradients() {
        let logits = [-1e30, -200.0, 200.0, 1e30];
        let mut d = [0.0; 4];
        let sum = binary_loss(&logits, &[0.0, 1.0, 0.0, 1.0], &[], 1.0, &mut d);
        assert_eq!(sum, 400.0);
        assert_eq!(d, [0.0, -1.0, 1.0, 0.0]);
        let labels = [0.0, 3.0, 0.0, 3.0];
        let sum = weighted_logistic_loss(&logits[1..3], &labels[1..3], &[], 1.0, &mut d[..2]);
        assert_eq!(sum, 800.0);
        assert_eq!(d[..2], [-3.0, 1.0]);
        weighted_logistic_loss(&logits, &labels, &[], 1.0, &mut d);
        assert_eq!(d, [0.0, -3.0, 1.0, 1.0]);
        assert_eq!(logits.map(sigmoid), [0.0, 0.0, 1.0, 1.0]);
    }

    #[test]
    fn sigmoid_is_symmetric() {
        for x in [0.0, 0.1, 3.0, 15.0] {
            assert!((sigmoid(x) + sigmoid(-x) - 1.0).abs() < 1e-7);
        }
    }
}
