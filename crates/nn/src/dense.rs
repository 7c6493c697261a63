//! The fully connected layer. Letters: B batch, I inputs, O outputs.

use rand::Rng;

use crate::init::normal;
use crate::product::{Factor, Job, multiply};
use crate::{Mat, MatMut, Packed, Precision, Threads};

/// Fully connected: `output = input · weight + bias`.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    /// `[inputs, outputs]`, row-major.
    pub weight: Vec<f32>,
    /// `[outputs]`, or empty: no bias.
    pub bias: Vec<f32>,
    /// I, values in.
    pub inputs: usize,
    /// O, values out.
    pub outputs: usize,
    /// The weight as products read it, between [`Dense::pack`] and [`Dense::unpack`].
    pub packed: Packed,
    /// Of a gradient: what weight and bias hold is of no account, the next that would be added is written.
    pub fresh: bool,
}

/// What a layer's backward makes of the gradient of its input.
#[derive(Debug)]
pub enum InputGradient<'a> {
    /// Nothing: nobody asks for it.
    Unwanted,
    /// It is written.
    Whole(MatMut<'a>),
    /// The input is what a ReLU gave: the gradient of what the ReLU was given is written, 0 where the input is not positive.
    ThroughRelu(MatMut<'a>),
}

impl Dense {
    /// Weights normal with mean 0 and deviation `scale / sqrt(inputs)`, bias zero. Before ReLU `scale` is
    /// `sqrt(2)`: He et al. 2015, equation 10.
    pub fn new(inputs: usize, outputs: usize, scale: f32, rng: &mut impl Rng) -> Self {
        let bias = vec![0.0; outputs];
        Self {
            bias,
            ..Self::without_bias(inputs, outputs, scale, rng)
        }
    }

    /// As [`Dense::new`], with no bias.
    pub fn without_bias(inputs: usize, outputs: usize, scale: f32, rng: &mut impl Rng) -> Self {
        let deviation = scale / (inputs as f32).sqrt();
        Self {
            weight: normal(inputs * outputs, deviation, rng),
            bias: Vec::new(),
            inputs,
            outputs,
            packed: Packed::default(),
            fresh: false,
        }
    }

    /// A layer of the same shape, all zero: the start of a gradient.
    pub fn zeros_like(&self) -> Self {
        Self {
            weight: vec![0.0; self.weight.len()],
            bias: vec![0.0; self.bias.len()],
            inputs: self.inputs,
            outputs: self.outputs,
            packed: Packed::default(),
            fresh: false,
        }
    }

    /// Packs the weight for many products in `precision`: it must not change until [`Dense::unpack`]. No weight, nothing to pack.
    pub fn pack(&mut self, precision: Precision, threads: &Threads) {
        if self.weight.is_empty() {
            return;
        }
        let weight = Mat::new(&self.weight, self.inputs, self.outputs);
        self.packed.fill(weight, precision, threads);
    }

    /// Products read the weight itself again, which may change.
    pub fn unpack(&mut self) {
        self.packed.forget();
    }

    /// The weight, `[inputs, outputs]`.
    pub fn weight(&self) -> Mat<'_> {
        Mat::new(&self.weight, self.inputs, self.outputs)
    }

    /// `output = input · weight + bias`. Shapes: input `[B, I]`, output `[B, O]`.
    pub fn forward(&self, input: Mat, output: MatMut) {
        self.run(Precision::F32, input, output, 0);
    }

    /// The same in a precision, with ReLU after the first `relu` columns. Shapes: input `[B, I]`, output `[B, O]`.
    pub fn run(&self, precision: Precision, input: Mat, output: MatMut, relu: usize) {
        let job = Job {
            precision,
            bias: &self.bias,
            relu,
            ..Job::default()
        };
        let weight = Factor::plain(self.weight()).packed(self.packed.plain());
        multiply(Factor::plain(input), weight, output, job);
    }

    /// **Adds** to `grad` (a fresh one is written), and **writes** the gradient of the input. Shapes: input `[B, I]`, d_output `[B, O]`, d_input `[B, I]`.
    pub fn backward(
        &self,
        precision: Precision,
        input: Mat,
        d_output: Mat,
        d_input: InputGradient,
        grad: &mut Dense,
    ) {
        self.add_weight_gradient(precision, input, d_output, grad);
        let (d_input, open) = match d_input {
            InputGradient::Unwanted => return,
            InputGradient::Whole(d_input) => (d_input, None),
            InputGradient::ThroughRelu(d_input) => {
                (d_input, planted!(Some(input), "dense: no ReLU below" => None))
            }
        };
        let job = Job {
            precision,
            open,
            ..Job::default()
        };
        let weight = Factor::transposed(self.weight()).packed(self.packed.turned());
        planted!(
            multiply(Factor::plain(d_output), weight, d_input, job),
            "dense: weight not transposed in d_input" => {
                multiply(Factor::plain(d_output), Factor::plain(self.weight()), d_input, job);
            },
            "dense: d_input added, not written" => {
                multiply(Factor::plain(d_output), weight, d_input, Job { add: true, ..job });
            },
        );
    }

    /// Of the gradient of a layer without inputs: its bias, to be added to; 0 where it is fresh.
    pub fn fresh_bias(&mut self) -> &mut [f32] {
        if std::mem::take(&mut self.fresh) {
            self.bias.fill(0.0);
        }
        &mut self.bias
    }

    fn add_weight_gradient(&self, precision: Precision, input: Mat, d_output: Mat, grad: &mut Dense) {
        let fresh = std::mem::take(&mut grad.fresh);
        if fresh {
            grad.bias.fill(0.0);
        }
        let job = Job {
            precision,
            add: !fresh,
            ..Job::default()
        };
        let d_weight = MatMut::new(&mut grad.weight, self.inputs, self.outputs);
        let (input, d_factor) = (Factor::transposed(input), Factor::plain(d_output));
        planted!(
            multiply(input, d_factor, d_weight, job),
            "dense: a fresh d_weight added to" => multiply(input, d_factor, d_weight, Job { add: true, ..job }),
            "dense: d_weight transposed" => multiply(Factor::transposed(d_output), input.turned(), d_weight, job),
            "dense: d_weight written, not added" => multiply(input, d_factor, d_weight, Job { add: false, ..job }),
        );
        if !self.bias.is_empty() {
            add_rows(d_output, &mut grad.bias);
        }
    }
}

for_each_path! {
    /// Adds every row of `d_output` `[B, O]` to `d_bias` `[O]`.
    fn add_rows(d_output: Mat, d_bias: &mut [f32]) {
        // Four rows at a time: the sums are read and written a quarter as often.
        let four = d_output.rows() / 4 * 4;
        for b in (0..four).step_by(4) {
            let rows = d_output.row(b).iter().zip(d_output.row(b + 1));
            let rows = rows.zip(d_output.row(b + 2)).zip(d_output.row(b + 3));
            for (d_bias, (((d0, d1), d2), d3)) in d_bias.iter_mut().zip(rows) {
                *d_bias += (d0 + d1) + planted!(d2 + d3, "dense: d_bias of half of the rows" => 0.0);
            }
        }
        for b in four..d_output.rows() {
            for (d_bias, d) in d_bias.iter_mut().zip(d_output.row(b)) {
                *d_bias += planted!(
                    *d,
                    "dense: sign of d_bias" => -d,
                    "dense: d_bias of the first row only" => if b == 0 { *d } else { 0.0 },
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::assert_check_bites;
    use crate::testing::{START, TOLERANCE, generator, values, weighted_sum};
    use crate::{GradientMismatch, check_gradient};

    fn run(dense: &Dense, input: &[f32], batch: usize) -> Vec<f32> {
        let mut output = vec![0.0; batch * dense.outputs];
        let input = Mat::new(input, batch, dense.inputs);
        dense.forward(input, MatMut::new(&mut output, batch, dense.outputs));
        output
    }

    /// Output, gradients of input, weight.
    fn all_products(dense: &Dense, precision: Precision) -> [Vec<f32>; 3] {
        let (batch, inputs, outputs) = (9, dense.inputs, dense.outputs);
        let (input, d_output) = (values(batch * inputs, 2), values(batch * outputs, 3));
        let (input, d_output) = (
            Mat::new(&input, batch, inputs),
            Mat::new(&d_output, batch, outputs),
        );
        let (mut output, mut d_input) = (vec![0.0; batch * outputs], vec![0.0; batch * inputs]);
        let mut grad = dense.zeros_like();
        dense.run(
            precision,
            input,
            MatMut::new(&mut output, batch, outputs),
            outputs,
        );
        let wanted = InputGradient::Whole(MatMut::new(&mut d_input, batch, inputs));
        dense.backward(precision, input, d_output, wanted, &mut grad);
        [output, d_input, grad.weight]
    }

    #[test]
    fn each_product_reads_its_factors_in_the_precision_that_is_asked_for() {
        let dense = Dense::new(40, 24, 1.0, &mut generator(1));
        let [exact, rounded] =
            [Precision::F32, Precision::Bf16].map(|precision| all_products(&dense, precision));
        for (what, (exact, rounded)) in ["output", "input", "weight"]
            .iter()
            .zip(exact.iter().zip(&rounded))
        {
            assert_ne!(exact, rounded, "{what}: no factor was rounded");
            let size = exact.iter().fold(0.0f32, |most, value| most.max(value.abs()));
            let off = exact.iter().zip(rounded).map(|(a, b)| (a - b).abs());
            assert!(off.fold(0.0, f32::max) < 0.02 * size, "{what}");
        }
    }

    fn check(mut dense: Dense, batch: usize) -> Result<(), GradientMismatch> {
        let (inputs, outputs) = (dense.inputs, dense.outputs);
        let mut input = values(batch * inputs, 2);
        let d_output = values(batch * outputs, 3);
        let mut d_input = vec![START; input.len()];
        let mut grad = dense.zeros_like();
        // First into a fresh gradient, which holds what nobody wants; what comes after that is added.
        grad.weight.fill(f32::NAN);
        grad.bias.fill(f32::NAN);
        grad.fresh = true;
        for call in 0..2 {
            let d_output: Vec<f32> = d_output
                .iter()
                .map(|d| if call == 0 { 0.25 * d } else { 0.75 * d })
                .collect();
            dense.backward(
                Precision::F32,
                Mat::new(&input, batch, inputs),
                Mat::new(&d_output, batch, outputs),
                InputGradient::Unwanted,
                &mut grad,
            );
        }
        let mut whole = dense.zeros_like();
        dense.backward(
            Precision::F32,
            Mat::new(&input, batch, inputs),
            Mat::new(&d_output, batch, outputs),
            InputGradient::Whole(MatMut::new(&mut d_input, batch, inputs)),
            &mut whole,
        );
        let loss = |dense: &Dense, input: &[f32]| weighted_sum(&d_output, &run(dense, input, batch));

        let mut probe = dense.clone();
        let by_weight = |v: &[f32]| {
            probe.weight.copy_from_slice(v);
            loss(&probe, &input)
        };
        check_gradient("weight", &mut dense.weight, &grad.weight, by_weight, TOLERANCE)?;
        let mut probe = dense.clone();
        let by_bias = |v: &[f32]| {
            probe.bias.copy_from_slice(v);
            loss(&probe, &input)
        };
        check_gradient("bias", &mut dense.bias, &grad.bias, by_bias, TOLERANCE)?;
        let by_input = |v: &[f32]| loss(&dense, v);
        check_gradient("input", &mut input, &d_input, by_input, TOLERANCE)?;
        check_through_relu(&dense, &mut input, &d_output, batch)
    }

    /// The gradient of what a ReLU below the layer was given.
    fn check_through_relu(
        dense: &Dense,
        below: &mut [f32],
        d_output: &[f32],
        batch: usize,
    ) -> Result<(), GradientMismatch> {
        let rectified = |below: &[f32]| below.iter().map(|value| value.max(0.0)).collect::<Vec<f32>>();
        let mut d_below = vec![f32::NAN; below.len()];
        dense.backward(
            Precision::F32,
            Mat::new(&rectified(below), batch, dense.inputs),
            Mat::new(d_output, batch, dense.outputs),
            InputGradient::ThroughRelu(MatMut::new(&mut d_below, batch, dense.inputs)),
            &mut dense.zeros_like(),
        );
        let loss = |below: &[f32]| weighted_sum(d_output, &run(dense, &rectified(below), batch));
        check_gradient("below", below, &d_below, loss, TOLERANCE)
    }

    fn check_shapes() -> Result<(), GradientMismatch> {
        // Square first: there a transposed operand gives wrong numbers, elsewhere shapes that do not fit.
        for (batch, inputs, outputs) in [(3, 4, 4), (5, 3, 2), (1, 1, 1), (2, 1, 7)] {
            check(Dense::new(inputs, outputs, 1.0, &mut generator(1)), batch)?;
            check(
                Dense::without_bias(inputs, outputs, 1.0, &mut generator(1)),
                batch,
            )?;
        }
        Ok(())
    }

    #[test]
    fn the_gradients_are_the_slopes_and_the_check_notices_planted_faults() {
        let faults = [
            "dense: a fresh d_weight added to",
            "dense: d_weight transposed",
            "dense: d_weight written, not added",
            "dense: sign of d_bias",
            "dense: d_bias of the first row only",
            "dense: d_bias of half of the rows",
            "dense: weight not transposed in d_input",
            "dense: d_input added, not written",
            "dense: no ReLU below",
        ];
        assert_check_bites("dense", &faults, check_shapes);
    }

    #[test]
    fn an_input_that_needs_no_gradient_changes_nothing_of_the_weights_gradient() {
        let dense = Dense::new(3, 2, 1.0, &mut generator(1));
        let (input, d_output) = (values(6, 2), values(4, 3));
        let (input, d_output) = (Mat::new(&input, 2, 3), Mat::new(&d_output, 2, 2));
        let (mut with, mut without) = (dense.zeros_like(), dense.zeros_like());
        let mut d_input = [0.0; 6];
        let wanted = InputGradient::Whole(MatMut::new(&mut d_input, 2, 3));
        dense.backward(Precision::F32, input, d_output, wanted, &mut with);
        dense.backward(
            Precision::F32,
            input,
            d_output,
            InputGradient::Unwanted,
            &mut without,
        );
        assert_eq!(with, without);
    }

    #[test]
    fn first_weights_have_the_deviation_that_was_asked_for() {
        let dense = Dense::new(200, 300, 2f32.sqrt(), &mut generator(1));
        let squares: f32 = dense.weight.iter().map(|w| w * w).sum();
        let deviation = (squares / dense.weight.len() as f32).sqrt();
        assert!((deviation - 0.1).abs() < 0.002, "{deviation}");
        assert_eq!(dense.bias, [0.0; 300]);
    }
}
