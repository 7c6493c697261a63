//! The rectifier, in place: `x = max(x, 0)`.

use crate::{Mat, MatMut};

/// `x = max(x, 0)`. Shapes: x `[B, N]`.
pub fn relu(mut x: MatMut) {
    for b in 0..x.rows() {
        for value in x.row_mut(b) {
            *value = value.max(0.0);
        }
    }
}

for_each_path! {
    /// Sets `d` to zero where the `output` of [`relu`] is not positive: from the gradient of the output to that of the input.
    /// Shapes: output `[B, N]`, d `[B, N]`.
    pub fn relu_backward(output: Mat, d: MatMut) {
        let mut d = d;
        assert_eq!((output.rows(), output.cols()), (d.rows(), d.cols()));
        for b in 0..d.rows() {
            for (d, output) in d.row_mut(b).iter_mut().zip(output.row(b)) {
                let slope = if *output > 0.0 { 1.0 } else { 0.0 };
                *d *= planted!(
                    slope,
                    "relu: sign" => -slope,
                    "relu: mask dropped" => 1.0,
                    "relu: mask inverted" => 1.0 - slope,
                    "relu: output for slope" => *output,
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::assert_check_bites;
    use crate::testing::{TOLERANCE, values, weighted_sum};
    use crate::{GradientMismatch, check_gradient};

    fn rectified(x: &[f32]) -> Vec<f32> {
        let mut output = x.to_vec();
        relu(MatMut::new(&mut output, 3, 5));
        output
    }

    fn check() -> Result<(), GradientMismatch> {
        // Away from the kink, where there is no slope.
        let mut x: Vec<f32> = values(15, 1).iter().map(|v| v + 0.1 * v.signum()).collect();
        let d_output = values(15, 2);
        let mut d = d_output.clone();
        relu_backward(Mat::new(&rectified(&x), 3, 5), MatMut::new(&mut d, 3, 5));
        let loss = |x: &[f32]| weighted_sum(&d_output, &rectified(x));
        check_gradient("x", &mut x, &d, loss, TOLERANCE)
    }

    #[test]
    fn the_gradient_is_the_slope_and_the_check_notices_planted_faults() {
        let faults = [
            "relu: sign",
            "relu: mask dropped",
            "relu: mask inverted",
            "relu: output for slope",
        ];
        assert_check_bites("relu", &faults, check);
    }

    #[test]
    fn zero_has_no_slope() {
        let mut d = [3.0, 3.0];
        relu_backward(Mat::new(&[0.0, 1.0], 1, 2), MatMut::new(&mut d, 1, 2));
        assert_eq!(d, [0.0, 3.0]);
    }
}
