//! Experts: E chains of dense + ReLU layers over one input, and beside them the logits of gates over experts.
//! Letters: B batch, I inputs, E experts, Wl width of layer l, C columns of the gates' logits: E for each gate over these experts.
//!
//! The first layers of all experts and the gates are one product; the later layers run on column blocks of its result, and
//! the gates' logits are its last columns, both without a copy.

use std::f32::consts::SQRT_2;

use rand::Rng;

use crate::{Dense, InputGradient, Mat, MatMut, Packed, Precision};

/// E experts of the same shape, each a chain of dense + ReLU layers, and the weights of the gates that read the same input.
#[derive(Clone, Debug, PartialEq)]
pub struct Experts {
    /// E, number of experts.
    pub count: usize,
    /// W1, W2, ...: width of each layer, at least one.
    pub widths: Vec<usize>,
    /// C, columns of the gates' logits.
    pub gate_columns: usize,
    /// The first layer of every expert, then the gates, `[I, E * W1 + C]`: expert e owns the columns from `e * W1`, the gates
    /// those from `E * W1`. Gates have no bias: their part of it stays 0.
    pub first: Dense,
    /// The later layers, by layer, then by expert: `rest[l][e]` is `[Wl+1, Wl+2]`.
    pub rest: Vec<Vec<Dense>>,
}

/// What the layers of [`Experts`] gave for a batch, and the room that backward needs.
#[derive(Clone, Debug)]
pub struct ExpertsActivations {
    /// How products read their factors.
    precision: Precision,
    /// By layer: columns of all experts, `E * Wl`.
    cols: Vec<usize>,
    /// C, columns of the gates' logits beside the first layer's.
    gate_cols: usize,
    /// By layer, `[capacity, E * Wl]`, after ReLU; the first has the gates' logits too, without ReLU.
    outputs: Vec<Vec<f32>>,
    /// By layer, the gradient of `outputs`.
    d_outputs: Vec<Vec<f32>>,
}

impl Experts {
    /// Experts' weights after He et al. 2015, gates' normal with deviation `1 / sqrt(inputs)`, biases zero. Panics if `widths`
    /// is empty.
    pub fn new(
        inputs: usize,
        count: usize,
        widths: &[usize],
        gate_columns: usize,
        rng: &mut impl Rng,
    ) -> Self {
        assert!(!widths.is_empty(), "an expert has at least one layer");
        let experts = Dense::new(inputs, count * widths[0], SQRT_2, rng);
        let mut layer = |pair: &[usize]| {
            (0..count)
                .map(|_| Dense::new(pair[0], pair[1], SQRT_2, rng))
                .collect()
        };
        let rest = widths.windows(2).map(&mut layer).collect();
        Self {
            count,
            widths: widths.to_vec(),
            gate_columns,
            first: beside(&experts, &Dense::new(inputs, gate_columns, 1.0, rng)),
            rest,
        }
    }

    /// Experts of the same shape, all zero: the start of a gradient.
    pub fn zeros_like(&self) -> Self {
        let zeros = |layer: &Vec<Dense>| layer.iter().map(Dense::zeros_like).collect();
        Self {
            count: self.count,
            widths: self.widths.clone(),
            gate_columns: self.gate_columns,
            first: self.first.zeros_like(),
            rest: self.rest.iter().map(zeros).collect(),
        }
    }

    /// Values that one expert gives.
    pub fn output_width(&self) -> usize {
        self.widths[self.widths.len() - 1]
    }

    /// Columns of the first layer that are the experts': `E * W1`, from which on the gates' are.
    pub fn first_width(&self) -> usize {
        self.count * self.widths[0]
    }

    /// Fills `acts`; read them by [`ExpertsActivations::output`] and [`ExpertsActivations::gate_logits`].
    /// Shapes: input `[B, I]`.
    pub fn forward(&self, input: Mat, acts: &mut ExpertsActivations) {
        let batch = input.rows();
        let precision = acts.precision;
        let first = MatMut::new(&mut acts.outputs[0], batch, self.first.outputs);
        self.first.run(precision, input, first, self.first_width());
        for (l, layer) in self.rest.iter().enumerate() {
            let (before, after) = acts.outputs.split_at_mut(l + 1);
            let below = Mat::strided(
                &before[l],
                batch,
                acts.cols[l],
                stride(&acts.cols, acts.gate_cols, l),
            );
            let mut above = MatMut::new(&mut after[0], batch, acts.cols[l + 1]);
            for (e, dense) in layer.iter().enumerate() {
                let input = below.columns(e * dense.inputs, dense.inputs);
                let output = above.columns_mut(e * dense.outputs, dense.outputs);
                dense.run(precision, input, output, dense.outputs);
            }
        }
    }

    /// **Adds** to `grad`, whose gates have no bias: their part of it becomes 0; **writes** the gradient of the input. `acts` are
    /// those of the forward of `input`, after the gradients of its results were written to them
    /// ([`ExpertsActivations::d_output`], [`ExpertsActivations::d_gate_logits`]). Shapes: input `[B, I]`, d_input `[B, I]`.
    pub fn backward(
        &self,
        input: Mat,
        acts: &mut ExpertsActivations,
        d_input: InputGradient,
        grad: &mut Experts,
    ) {
        let batch = input.rows();
        let precision = acts.precision;
        for (l, layer) in self.rest.iter().enumerate().rev() {
            let stride = stride(&acts.cols, acts.gate_cols, l);
            let below = Mat::strided(&acts.outputs[l], batch, acts.cols[l], stride);
            let (before, after) = acts.d_outputs.split_at_mut(l + 1);
            let mut d_below = MatMut::strided(&mut before[l], batch, acts.cols[l], stride);
            let d_above = Mat::new(&after[0], batch, acts.cols[l + 1]);
            for (e, dense) in layer.iter().enumerate() {
                let d_expert = planted!(e, "experts: d of the next expert" => (e + 1) % self.count);
                dense.backward(
                    precision,
                    below.columns(e * dense.inputs, dense.inputs),
                    d_above.columns(d_expert * dense.outputs, dense.outputs),
                    InputGradient::ThroughRelu(d_below.columns_mut(e * dense.inputs, dense.inputs)),
                    planted!(&mut grad.rest[l][e], "experts: one expert takes all" => &mut grad.rest[l][0]),
                );
            }
        }
        let d_first = Mat::new(&acts.d_outputs[0], batch, self.first.outputs);
        self.first.backward(
            precision,
            input,
            d_first,
            planted!(d_input, "experts: no d_input" => InputGradient::Unwanted),
            &mut grad.first,
        );
        planted!(
            grad.first.bias[self.first_width()..].fill(0.0),
            "experts: gates learn a bias" => (),
        );
    }
}

/// The columns of `left`, then those of `right`, as one layer.
fn beside(left: &Dense, right: &Dense) -> Dense {
    let mut weight = Vec::with_capacity(left.weight.len() + right.weight.len());
    for i in 0..left.inputs {
        weight.extend_from_slice(left.weight().row(i));
        weight.extend_from_slice(right.weight().row(i));
    }
    Dense {
        weight,
        bias: [left.bias.as_slice(), &right.bias].concat(),
        inputs: left.inputs,
        outputs: left.outputs + right.outputs,
        packed: Packed::default(),
        fresh: false,
    }
}

/// Distance between the rows of layer `layer`'s values.
fn stride(cols: &[usize], gate_cols: usize, layer: usize) -> usize {
    cols[layer] + if layer == 0 { gate_cols } else { 0 }
}

impl ExpertsActivations {
    /// Room for batches of up to `batch_capacity` rows through `experts`, and how products read their factors.
    pub fn new(experts: &Experts, batch_capacity: usize, precision: Precision) -> Self {
        let cols: Vec<usize> = experts.widths.iter().map(|w| experts.count * w).collect();
        let gate_cols = experts.gate_columns;
        let room = |layer| vec![0.0; batch_capacity * stride(&cols, gate_cols, layer)];
        let room: Vec<_> = (0..cols.len()).map(room).collect();
        Self {
            precision,
            cols,
            gate_cols,
            d_outputs: room.clone(),
            outputs: room,
        }
    }

    /// What the experts gave for a batch of `batch` rows: `[B, E * Wlast]`, expert e in the columns from `e * Wlast`.
    pub fn output(&self, batch: usize) -> Mat<'_> {
        self.layer(self.cols.len() - 1, batch)
    }

    /// What layer `layer`, from 0, of every expert gave for a batch of `batch` rows, after ReLU: `[B, E * Wl]`, expert e in the
    /// columns from `e * Wl`.
    pub fn layer(&self, layer: usize, batch: usize) -> Mat<'_> {
        let stride = stride(&self.cols, self.gate_cols, layer);
        Mat::strided(&self.outputs[layer], batch, self.cols[layer], stride)
    }

    /// The gates' logits for a batch of `batch` rows: `[B, C]`.
    pub fn gate_logits(&self, batch: usize) -> Mat<'_> {
        let whole = Mat::new(&self.outputs[0], batch, self.cols[0] + self.gate_cols);
        whole.columns(self.cols[0], self.gate_cols)
    }

    /// The experts' output for a batch of `batch` rows, and where the gradient of what its ReLU was given is to be written, 0
    /// where the output is not positive: both `[B, E * Wlast]`.
    pub fn d_output(&mut self, batch: usize) -> (Mat<'_>, MatMut<'_>) {
        let last = self.cols.len() - 1;
        let (cols, stride) = (self.cols[last], stride(&self.cols, self.gate_cols, last));
        (
            Mat::strided(&self.outputs[last], batch, cols, stride),
            MatMut::strided(&mut self.d_outputs[last], batch, cols, stride),
        )
    }

    /// Where the gradient of the gates' logits is to be written for a batch of `batch` rows: `[B, C]`.
    pub fn d_gate_logits(&mut self, batch: usize) -> MatMut<'_> {
        let stride = self.cols[0] + self.gate_cols;
        let from = self.cols[0].min(self.d_outputs[0].len());
        MatMut::strided(&mut self.d_outputs[0][from..], batch, self.gate_cols, stride)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::assert_check_bites;
    use crate::testing::{START, TOLERANCE, added, generator, values, weighted_sum};
    use crate::{GradientMismatch, check_gradient};

    const INPUTS: usize = 4;
    const GATES: usize = 2;
    const BATCH: usize = 3;

    fn layers(experts: &mut Experts) -> Vec<&mut Dense> {
        let rest = experts.rest.iter_mut().flatten();
        std::iter::once(&mut experts.first).chain(rest).collect()
    }

    /// Small weights and large biases, half of them negative: units on either side of ReLU, none near its kink.
    fn away_from_kinks(count: usize, widths: &[usize]) -> Experts {
        let mut experts = Experts::new(INPUTS, count, widths, GATES * count, &mut generator(1));
        for dense in layers(&mut experts) {
            dense.weight.iter_mut().for_each(|w| *w *= 0.3);
            for (j, bias) in dense.bias.iter_mut().enumerate() {
                *bias = if j % 3 == 1 { -0.8 } else { 0.8 };
            }
        }
        let first_width = experts.first_width();
        experts.first.bias[first_width..].fill(0.0);
        experts
    }

    fn run(experts: &Experts, input: &[f32]) -> Vec<f32> {
        let mut acts = ExpertsActivations::new(experts, BATCH, Precision::F32);
        experts.forward(Mat::new(input, BATCH, INPUTS), &mut acts);
        let (output, logits) = (acts.output(BATCH), acts.gate_logits(BATCH));
        let row = |b| [output.row(b), logits.row(b)].concat();
        (0..BATCH).flat_map(row).collect()
    }

    /// Writes the gradient of what [`run`] gives.
    fn write_gradient(acts: &mut ExpertsActivations, d: &[f32]) {
        let cols = d.len() / BATCH;
        for (b, d) in d.chunks(cols).enumerate() {
            let (output, mut d_output) = acts.d_output(BATCH);
            let (of_output, of_logits) = d.split_at(output.cols());
            for ((to, d), output) in d_output.row_mut(b).iter_mut().zip(of_output).zip(output.row(b)) {
                *to = if *output > 0.0 { *d } else { 0.0 };
            }
            acts.d_gate_logits(BATCH).row_mut(b).copy_from_slice(of_logits);
        }
    }

    fn check(widths: &[usize]) -> Result<(), GradientMismatch> {
        let mut experts = away_from_kinks(3, widths);
        let cols = experts.count * (experts.output_width() + GATES);
        let mut input: Vec<f32> = values(BATCH * INPUTS, 2).iter().map(|v| 0.4 * v).collect();
        let d_output = values(BATCH * cols, 3);
        let mut d_input = vec![START; input.len()];
        let mut grad = experts.zeros_like();
        // The second backward through the same activations is the one that counts: it must not see the first.
        let mut acts = ExpertsActivations::new(&experts, BATCH + 2, Precision::F32);
        for _ in 0..2 {
            d_input.fill(START);
            for dense in layers(&mut grad) {
                dense.weight.fill(START);
                dense.bias.fill(START);
            }
            let view = Mat::new(&input, BATCH, INPUTS);
            experts.forward(view, &mut acts);
            write_gradient(&mut acts, &d_output);
            let d_input = InputGradient::Whole(MatMut::new(&mut d_input, BATCH, INPUTS));
            experts.backward(view, &mut acts, d_input, &mut grad);
        }
        // The gates' part of the bias is no weight: its slope is not 0, its gradient is.
        let gates = experts.first_width()..experts.first.outputs;
        if grad.first.bias[gates.clone()].iter().any(|d| *d != 0.0) {
            let name = "bias of the gates".to_owned();
            let (analytic, numeric) = (f64::from(grad.first.bias[gates.start]), 0.0);
            return Err(GradientMismatch {
                name,
                index: 0,
                analytic,
                numeric,
            });
        }

        for (i, d) in layers(&mut grad).into_iter().enumerate() {
            let mut probe = experts.clone();
            let weight = &mut layers(&mut experts)[i].weight;
            let by_weight = |v: &[f32]| {
                layers(&mut probe)[i].weight.copy_from_slice(v);
                weighted_sum(&d_output, &run(&probe, &input))
            };
            let name = format!("weight of layer {i} of widths {widths:?}");
            check_gradient(&name, weight, &added(&d.weight), by_weight, TOLERANCE)?;
            let mut probe = experts.clone();
            let own = if i == 0 { gates.start } else { d.bias.len() };
            let bias = &mut layers(&mut experts)[i].bias[..own];
            let by_bias = |v: &[f32]| {
                layers(&mut probe)[i].bias[..own].copy_from_slice(v);
                weighted_sum(&d_output, &run(&probe, &input))
            };
            let name = format!("bias of layer {i} of widths {widths:?}");
            check_gradient(&name, bias, &added(&d.bias[..own]), by_bias, TOLERANCE)?;
        }
        let by_input = |v: &[f32]| weighted_sum(&d_output, &run(&experts, v));
        check_gradient("input", &mut input, &d_input, by_input, TOLERANCE)
    }

    #[test]
    fn the_gradients_are_the_slopes_and_the_check_notices_planted_faults() {
        let faults = [
            "experts: d of the next expert",
            "experts: one expert takes all",
            "experts: no d_input",
            "experts: gates learn a bias",
        ];
        let depths: [&[usize]; 3] = [&[3], &[3, 2], &[3, 2, 4]];
        assert_check_bites("experts", &faults, || {
            depths.iter().try_for_each(|widths| check(widths))
        });
    }

    #[test]
    fn an_expert_is_its_chain_of_dense_layers_and_the_gates_are_beside_the_first() {
        let experts = Experts::new(INPUTS, 2, &[5, 3], GATES * 2, &mut generator(4));
        let input = values(BATCH * INPUTS, 5);
        let output = run(&experts, &input);
        let mut first = vec![0.0; BATCH * 14];
        let mut first = MatMut::new(&mut first, BATCH, 14);
        experts
            .first
            .forward(Mat::new(&input, BATCH, INPUTS), first.reborrow());
        for b in 0..BATCH {
            assert_eq!(output[b * 10 + 6..][..4], first.row_mut(b)[10..]);
        }
        crate::relu(first.reborrow());
        for e in 0..2 {
            let mut expected = vec![0.0; BATCH * 3];
            let mut expected = MatMut::new(&mut expected, BATCH, 3);
            let own = first.as_mat().columns(e * 5, 5);
            experts.rest[0][e].forward(own, expected.reborrow());
            crate::relu(expected.reborrow());
            for b in 0..BATCH {
                assert_eq!(output[b * 10 + e * 3..][..3], *expected.row_mut(b));
            }
        }
    }

    #[test]
    fn gates_begin_with_their_own_deviation_and_without_a_bias() {
        let experts = Experts::new(400, 10, &[20], 300, &mut generator(1));
        let deviation = |from: usize, cols: usize| {
            let rows = experts.first.weight.chunks(500);
            let squares: f32 = rows.flat_map(|row| &row[from..from + cols]).map(|w| w * w).sum();
            (squares / (400 * cols) as f32).sqrt()
        };
        assert!((deviation(0, 200) - (2.0f32 / 400.0).sqrt()).abs() < 0.001);
        assert!((deviation(200, 300) - 1.0 / 20.0).abs() < 0.001);
        assert!(experts.first.bias.iter().all(|bias| *bias == 0.0));
    }
}
