//! The constant predictor: the peer that any model has to beat.

use serde::{Deserialize, Serialize};

use crate::loss::cross_entropy;

/// Predicts the mean of the training labels for every row: the base rate of a binary objective, the mean of a squared one.
/// Of all constants it has the least loss on the training labels, with either loss.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ConstantPredictor {
    /// What it predicts.
    pub value: f64,
}

impl ConstantPredictor {
    /// Fits it. `None` where there are no labels, or any is not finite.
    pub fn fit(labels: &[f32]) -> Option<ConstantPredictor> {
        let value = mean(labels, f64::from);
        value.is_finite().then_some(ConstantPredictor { value })
    }

    /// Its [`log_loss`](crate::log_loss) on test labels; NaN where there are none, or any is not finite.
    pub fn log_loss(&self, labels: &[f32]) -> f64 {
        mean(labels, |label| cross_entropy(self.value, f64::from(label)))
    }

    /// Its [`squared_error`](crate::squared_error) on test labels; NaN where there are none, or any is not finite.
    pub fn squared_error(&self, labels: &[f32]) -> f64 {
        mean(labels, |label| (self.value - f64::from(label)).powi(2))
    }
}

fn mean(labels: &[f32], value: impl Fn(f32) -> f64) -> f64 {
    let finite = |label: f32| if label.is_finite() { value(label) } else { f64::NAN };
    labels.iter().map(|label| finite(*label)).sum::<f64>() / labels.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{log_loss, squared_error};

    #[test]
    fn it_predicts_the_mean_and_has_the_losses_of_that_column() {
        let constant = ConstantPredictor::fit(&[1.0, 0.0, 0.0, 1.0]).unwrap();
        assert_eq!(constant.value, 0.5);
        let test = [1.0, 0.0, 0.0];
        assert!((constant.log_loss(&test) - log_loss(&[0.5; 3], &test)).abs() < 1e-12);
        assert!((constant.squared_error(&test) - squared_error(&[0.5; 3], &test)).abs() < 1e-12);
    }

    #[test]
    fn no_other_constant_is_better_on_its_labels() {
        let labels = [1.0, 0.0, 0.25, 0.0, 1.0, 0.0];
        let best = ConstantPredictor::fit(&labels).unwrap();
        for step in 1..100 {
            let other = ConstantPredictor {
                value: f64::from(step) / 100.0,
            };
            assert!(best.log_loss(&labels) <= other.log_loss(&labels));
            assert!(best.squared_error(&labels) <= other.squared_error(&labels));
        }
    }

    #[test]
    fn labels_that_are_absent_or_not_finite_cannot_be_fitted() {
        assert_eq!(ConstantPredictor::fit(&[]), None);
        assert_eq!(ConstantPredictor::fit(&[0.0, f32::NAN]), None);
        let constant = ConstantPredictor { value: 0.5 };
        assert!(constant.log_loss(&[]).is_nan());
        assert!(constant.squared_error(&[f32::INFINITY]).is_nan());
    }
}
