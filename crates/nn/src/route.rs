//! Routes: what I sub-networks gave, led through one gate each to a reader (Ma et al., AAAI 2019, SNR).
//!
//! Letters: B batch, I sub-networks, W width of each. In: values `[B, I * W]` and gates `[I]`. Out: what the reader reads.

use crate::mix::{add_scaled, dot};
use crate::{Mat, MatMut, executed};

/// How the gated values meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Beside each other, `[B, I * W]`: the reader has a matrix for each (SNR-Trans).
    Beside,
    /// Added up, `[B, W]`: the reader has one matrix (SNR-Aver).
    Sum,
}

impl Route {
    /// Columns that a reader reads.
    pub fn width(self, count: usize, width: usize) -> usize {
        match self {
            Route::Beside => count * width,
            Route::Sum => width,
        }
    }

    /// Where the values of sub-network `at` go.
    fn column(self, at: usize, width: usize) -> usize {
        match self {
            Route::Beside => at * width,
            Route::Sum => 0,
        }
    }
}

for_each_path! {
    /// Writes what the reader reads. Shapes: gates `[I]`, values `[B, I * W]`, output `[B, I * W]` or `[B, W]`.
    pub fn route(kind: Route, gates: &[f32], values: Mat, output: MatMut) {
        let mut output = output;
        let width = values.cols() / gates.len();
        assert_eq!(output.cols(), kind.width(gates.len(), width), "columns of the reader");
        executed::count(values.rows(), values.cols(), values.cols() + output.cols());
        output.fill(0.0);
        for b in 0..values.rows() {
            let (values, output) = (values.row(b).chunks_exact(width), output.row_mut(b));
            for (at, (gate, values)) in gates.iter().zip(values).enumerate() {
                add_scaled(&mut output[kind.column(at, width)..][..width], *gate, values);
            }
        }
    }
}

for_each_path! {
    /// **Adds** to `d_gates` `[I]` and `d_values` `[B, I * W]`. Shapes as of [`route`].
    pub fn route_backward(
        kind: Route,
        gates: &[f32],
        values: Mat,
        d_output: Mat,
        d_gates: &mut [f32],
        d_values: MatMut,
    ) {
        let mut d_values = d_values;
        let width = values.cols() / gates.len();
        for b in 0..values.rows() {
            let (d_output, d_values) = (d_output.row(b), d_values.row_mut(b).chunks_exact_mut(width));
            let of_inputs = values.row(b).chunks_exact(width).zip(d_values);
            for (at, ((gate, d_gate), (values, d_values))) in gates.iter().zip(&mut *d_gates).zip(of_inputs).enumerate() {
                let from = planted!(kind.column(at, width), "route: the first reads for all" => 0);
                let d_output = &d_output[from..][..width];
                let d = dot(d_output, values);
                planted!(*d_gate += d, "route: gate of the last row" => *d_gate = d);
                add_scaled(d_values, planted!(*gate, "route: gate forgotten" => 1.0), d_output);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::assert_check_bites;
    use crate::testing::{START, TOLERANCE, added, values, weighted_sum};
    use crate::{GradientMismatch, check_gradient};

    const BATCH: usize = 3;
    const COUNT: usize = 4;
    const WIDTH: usize = 5;

    fn run(kind: Route, gates: &[f32], values: &[f32]) -> Vec<f32> {
        let cols = kind.width(COUNT, WIDTH);
        let mut output = vec![f32::NAN; BATCH * cols];
        let values = Mat::new(values, BATCH, COUNT * WIDTH);
        route(kind, gates, values, MatMut::new(&mut output, BATCH, cols));
        output
    }

    fn check(kind: Route) -> Result<(), GradientMismatch> {
        let (mut gates, mut inputs) = (values(COUNT, 1), values(BATCH * COUNT * WIDTH, 2));
        let cols = kind.width(COUNT, WIDTH);
        let d_output = values(BATCH * cols, 3);
        let (mut d_gates, mut d_inputs) = (vec![START; COUNT], vec![START; inputs.len()]);
        route_backward(
            kind,
            &gates,
            Mat::new(&inputs, BATCH, COUNT * WIDTH),
            Mat::new(&d_output, BATCH, cols),
            &mut d_gates,
            MatMut::new(&mut d_inputs, BATCH, COUNT * WIDTH),
        );
        let by_gates = |v: &[f32]| weighted_sum(&d_output, &run(kind, v, &inputs));
        check_gradient("gates", &mut gates, &added(&d_gates), by_gates, TOLERANCE)?;
        let by_inputs = |v: &[f32]| weighted_sum(&d_output, &run(kind, &gates, v));
        check_gradient("values", &mut inputs, &added(&d_inputs), by_inputs, TOLERANCE)
    }

    #[test]
    fn the_gradients_are_the_slopes_and_the_check_notices_planted_faults() {
        let faults = [
            "route: the first reads for all",
            "route: gate of the last row",
            "route: gate forgotten",
        ];
        assert_check_bites("route", &faults, || {
            check(Route::Beside).and_then(|()| check(Route::Sum))
        });
    }

    #[test]
    fn a_closed_gate_lets_nothing_through_and_open_ones_everything() {
        let inputs = values(BATCH * COUNT * WIDTH, 2);
        let beside = run(Route::Beside, &[1.0, 0.0, 1.0, 1.0], &inputs);
        for (beside, inputs) in beside.chunks(COUNT * WIDTH).zip(inputs.chunks(COUNT * WIDTH)) {
            assert_eq!(beside[..WIDTH], inputs[..WIDTH]);
            assert_eq!(beside[WIDTH..2 * WIDTH], [0.0; WIDTH]);
            assert_eq!(beside[2 * WIDTH..], inputs[2 * WIDTH..]);
        }
        let sum = run(Route::Sum, &[0.0, 0.0, 1.0, 0.0], &inputs);
        assert_eq!(sum[..WIDTH], inputs[2 * WIDTH..3 * WIDTH]);
    }
}
