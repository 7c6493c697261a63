//! Gradients against central differences. In: values, the gradient to judge, the loss as a function of the values. Out: the
//! first value whose gradient is wrong, if there is one.

use std::error::Error;
use std::fmt;

/// A gradient that differs from the slope of the loss.
#[derive(Clone, Debug, PartialEq)]
pub struct GradientMismatch {
    /// What the gradient is of, as the caller named it.
    pub name: String,
    /// The value in question.
    pub index: usize,
    /// The gradient that was judged.
    pub analytic: f64,
    /// The nearest slope by central differences.
    pub numeric: f64,
}

impl fmt::Display for GradientMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            index,
            analytic,
            numeric,
        } = self;
        write!(
            f,
            "gradient of `{name}` at {index} is {analytic}, central differences give {numeric}"
        )
    }
}

impl Error for GradientMismatch {}

/// Steps to either side. The longest suits a smooth loss, computed in `f32`; a shorter one fits between two kinks (ReLU).
const STEPS: [f32; 3] = [1e-2, 2e-3, 5e-4];

/// Of gradients whose largest entry is below this, the difference is judged against this: rounding has no relative size.
const SMALLEST_SCALE: f64 = 1e-2;

/// Checks `analytic` against `(loss(v + h) - loss(v - h)) / 2h` for every value v; one that agrees for one of three h passes.
///
/// `values` come back as they were. `tolerance` is relative to the larger of the largest entry of `analytic` and the slope
/// (`1e-2` suits losses computed in `f32`). `name` says, in the error, which gradient it is.
///
/// # Errors
/// [`GradientMismatch`] for the first value that does not agree.
pub fn check_gradient(
    name: &str,
    values: &mut [f32],
    analytic: &[f32],
    mut loss: impl FnMut(&[f32]) -> f64,
    tolerance: f64,
) -> Result<(), GradientMismatch> {
    assert_eq!(values.len(), analytic.len(), "values and gradient of `{name}`");
    let largest = analytic
        .iter()
        .fold(SMALLEST_SCALE, |l, a| l.max(f64::from(a.abs())));
    for index in 0..values.len() {
        let analytic = f64::from(analytic[index]);
        let mut nearest = f64::NAN;
        let agrees = STEPS.iter().any(|step| {
            let numeric = slope(values, index, *step, &mut loss);
            let difference = (analytic - numeric).abs();
            if nearest.is_nan() || difference < (analytic - nearest).abs() {
                nearest = numeric;
            }
            // A comparison with NaN is false: neither a gradient nor a loss of NaN agrees with anything.
            difference <= tolerance * largest.max(numeric.abs())
        });
        if !agrees {
            return Err(GradientMismatch {
                name: name.to_owned(),
                index,
                analytic,
                numeric: nearest,
            });
        }
    }
    Ok(())
}

/// Central difference at `values[index]`, over the distance that `f32` really steps.
fn slope(values: &mut [f32], index: usize, step: f32, loss: &mut impl FnMut(&[f32]) -> f64) -> f64 {
    let value = values[index];
    let (above, below) = (value + step, value - step);
    values[index] = above;
    let loss_above = loss(values);
    values[index] = below;
    let loss_below = loss(values);
    values[index] = value;
    (loss_above - loss_below) / (f64::from(above) - f64::from(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cube(values: &[f32]) -> f64 {
        values.iter().map(|v| f64::from(*v).powi(3)).sum()
    }

    #[test]
    fn the_right_gradient_passes_and_the_values_come_back() {
        let mut values = [1.0, -2.0, 0.3];
        let right = values.map(|v| 3.0 * v * v);
        assert_eq!(check_gradient("cube", &mut values, &right, cube, 1e-3), Ok(()));
        assert_eq!(values, [1.0, -2.0, 0.3]);
    }

    #[test]
    fn the_error_names_the_entry_and_both_numbers() {
        let mut values = [1.0, -2.0];
        let wrong = [3.0, -12.0];
        let error = check_gradient("cube", &mut values, &wrong, cube, 1e-3).unwrap_err();
        assert_eq!((error.index, error.analytic), (1, -12.0));
        assert!((error.numeric - 12.0).abs() < 1e-2, "{error}");
        let text = error.to_string();
        assert!(
            text.starts_with("gradient of `cube` at 1 is -12, central differences give 12"),
            "{text}"
        );
    }

    #[test]
    fn a_gradient_that_is_all_zero_or_not_a_number_does_not_pass() {
        let mut values = [1.0];
        assert!(check_gradient("cube", &mut values, &[0.0], cube, 1e-2).is_err());
        assert!(check_gradient("cube", &mut values, &[f32::NAN], cube, 1e-2).is_err());
        assert!(check_gradient("cube", &mut values, &[3.0], |_| f64::NAN, 1e-2).is_err());
    }

    #[test]
    fn a_value_near_a_kink_is_judged_on_its_own_side() {
        let relu = |v: &[f32]| f64::from(v[0].max(0.0));
        assert_eq!(check_gradient("relu", &mut [1e-3], &[1.0], relu, 1e-3), Ok(()));
        assert_eq!(check_gradient("relu", &mut [-1e-3], &[0.0], relu, 1e-3), Ok(()));
        assert!(check_gradient("relu", &mut [-1e-3], &[1.0], relu, 1e-3).is_err());
    }
}
