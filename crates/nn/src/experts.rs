//! Experts: E chains of dense + ReLU layers over one input. Letters: B batch, I inputs, E experts, Wl width of layer l.
//!
//! The first layers of all experts are one product; the later ones run on column blocks of its result, without a copy.

use std::f32::consts::SQRT_2;

use rand::Rng;

use crate::{Dense, Mat, MatMut, relu, relu_backward};

/// E experts of the same shape, each a chain of dense + ReLU layers.
#[derive(Clone, Debug, PartialEq)]
pub struct Experts {
    /// E, number of experts.
    pub count: usize,
    /// W1, W2, ...: width of each layer, at least one.
    pub widths: Vec<usize>,
    /// The first layer of every expert, `[I, E * W1]`: expert e owns the columns from `e * W1`.
    pub first: Dense,
    /// The later layers, by layer, then by expert: `rest[l][e]` is `[Wl+1, Wl+2]`.
    pub rest: Vec<Vec<Dense>>,
}

/// What the layers of [`Experts`] gave for a batch, and the room that backward needs.
#[derive(Clone, Debug)]
pub struct ExpertsActivations {
    /// By layer: columns of one row, `E * Wl`.
    cols: Vec<usize>,
    /// By layer, `[capacity, E * Wl]`, after ReLU.
    outputs: Vec<Vec<f32>>,
    /// By layer, the gradient of `outputs`.
    d_outputs: Vec<Vec<f32>>,
}

impl Experts {
    /// Weights after He et al. 2015, biases zero. Panics if `widths` is empty.
    pub fn new(inputs: usize, count: usize, widths: &[usize], rng: &mut impl Rng) -> Self {
        assert!(!widths.is_empty(), "an expert has at least one layer");
        let first = Dense::new(inputs, count * widths[0], SQRT_2, rng);
        let mut layer = |pair: &[usize]| {
            (0..count)
                .map(|_| Dense::new(pair[0], pair[1], SQRT_2, rng))
                .collect()
        };
        let rest = widths.windows(2).map(&mut layer).collect();
        Self {
            count,
            widths: widths.to_vec(),
            first,
            rest,
        }
    }

    /// Experts of the same shape, all zero: the start of a gradient.
    pub fn zeros_like(&self) -> Self {
        let zeros = |layer: &Vec<Dense>| layer.iter().map(Dense::zeros_like).collect();
        Self {
            count: self.count,
            widths: self.widths.clone(),
            first: self.first.zeros_like(),
            rest: self.rest.iter().map(zeros).collect(),
        }
    }

    /// Values that one expert gives.
    pub fn output_width(&self) -> usize {
        self.widths[self.widths.len() - 1]
    }

    /// Fills `acts`; read them by [`ExpertsActivations::output`]. Shapes: input `[B, I]`.
    pub fn forward(&self, input: Mat, acts: &mut ExpertsActivations) {
        let batch = input.rows();
        self.first.forward(input, acts.layer_mut(0, batch));
        relu(acts.layer_mut(0, batch));
        for (l, layer) in self.rest.iter().enumerate() {
            let (before, after) = acts.outputs.split_at_mut(l + 1);
            let below = Mat::new(&before[l], batch, acts.cols[l]);
            let mut above = MatMut::new(&mut after[0], batch, acts.cols[l + 1]);
            for (e, dense) in layer.iter().enumerate() {
                let input = below.columns(e * dense.inputs, dense.inputs);
                dense.forward(input, above.columns_mut(e * dense.outputs, dense.outputs));
            }
            relu(above);
        }
    }

    /// **Adds** to `d_input` and `grad`; `acts` are those of the forward of `input`.
    /// Shapes: input `[B, I]`, d_output `[B, E * Wlast]`, d_input `[B, I]`.
    pub fn backward(
        &self,
        input: Mat,
        acts: &mut ExpertsActivations,
        d_output: Mat,
        d_input: Option<MatMut>,
        grad: &mut Experts,
    ) {
        let batch = input.rows();
        acts.start_backward(d_output);
        for (l, layer) in self.rest.iter().enumerate().rev() {
            let below = Mat::new(&acts.outputs[l], batch, acts.cols[l]);
            let (before, after) = acts.d_outputs.split_at_mut(l + 1);
            let mut d_below = MatMut::new(&mut before[l], batch, acts.cols[l]);
            let d_above = Mat::new(&after[0], batch, acts.cols[l + 1]);
            planted!(d_below.fill(0.0), "experts: d of a layer not cleared" => ());
            for (e, dense) in layer.iter().enumerate() {
                let d_expert = planted!(e, "experts: d of the next expert" => (e + 1) % self.count);
                dense.backward(
                    below.columns(e * dense.inputs, dense.inputs),
                    d_above.columns(d_expert * dense.outputs, dense.outputs),
                    Some(d_below.columns_mut(e * dense.inputs, dense.inputs)),
                    planted!(&mut grad.rest[l][e], "experts: one expert takes all" => &mut grad.rest[l][0]),
                );
            }
            planted!(relu_backward(below, d_below), "experts: no ReLU between layers" => ());
        }
        let d_first = Mat::new(&acts.d_outputs[0], batch, acts.cols[0]);
        planted!(
            self.first.backward(input, d_first, d_input, &mut grad.first),
            "experts: no d_input" => self.first.backward(input, d_first, None, &mut grad.first),
        );
    }
}

impl ExpertsActivations {
    /// Room for batches of up to `batch_capacity` rows through `experts`.
    pub fn new(experts: &Experts, batch_capacity: usize) -> Self {
        let cols: Vec<usize> = experts.widths.iter().map(|w| experts.count * w).collect();
        let room: Vec<_> = cols.iter().map(|c| vec![0.0; batch_capacity * c]).collect();
        Self {
            cols,
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
        Mat::new(&self.outputs[layer], batch, self.cols[layer])
    }

    fn layer_mut(&mut self, layer: usize, batch: usize) -> MatMut<'_> {
        MatMut::new(&mut self.outputs[layer], batch, self.cols[layer])
    }

    /// Copies `d_output` and takes it through the last ReLU.
    fn start_backward(&mut self, d_output: Mat) {
        let last = self.cols.len() - 1;
        assert_eq!(d_output.cols(), self.cols[last], "columns of d_output");
        let batch = d_output.rows();
        let mut d_last = MatMut::new(&mut self.d_outputs[last], batch, self.cols[last]);
        for b in 0..batch {
            d_last.row_mut(b).copy_from_slice(d_output.row(b));
        }
        let output = Mat::new(&self.outputs[last], batch, self.cols[last]);
        planted!(relu_backward(output, d_last), "experts: no ReLU at the end" => ());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::assert_check_bites;
    use crate::testing::{START, TOLERANCE, added, generator, values, weighted_sum};
    use crate::{GradientMismatch, check_gradient};

    const INPUTS: usize = 4;
    const BATCH: usize = 3;

    fn layers(experts: &mut Experts) -> Vec<&mut Dense> {
        let rest = experts.rest.iter_mut().flatten();
        std::iter::once(&mut experts.first).chain(rest).collect()
    }

    /// Small weights and large biases, half of them negative: units on either side of ReLU, none near its kink.
    fn away_from_kinks(count: usize, widths: &[usize]) -> Experts {
        let mut experts = Experts::new(INPUTS, count, widths, &mut generator(1));
        for dense in layers(&mut experts) {
            dense.weight.iter_mut().for_each(|w| *w *= 0.3);
            for (j, bias) in dense.bias.iter_mut().enumerate() {
                *bias = if j % 3 == 1 { -0.8 } else { 0.8 };
            }
        }
        experts
    }

    fn run(experts: &Experts, input: &[f32]) -> Vec<f32> {
        let mut acts = ExpertsActivations::new(experts, BATCH);
        experts.forward(Mat::new(input, BATCH, INPUTS), &mut acts);
        let output = acts.output(BATCH);
        (0..BATCH).flat_map(|b| output.row(b).to_vec()).collect()
    }

    fn check(widths: &[usize]) -> Result<(), GradientMismatch> {
        let mut experts = away_from_kinks(3, widths);
        let cols = experts.count * experts.output_width();
        let mut input: Vec<f32> = values(BATCH * INPUTS, 2).iter().map(|v| 0.4 * v).collect();
        let d_output = values(BATCH * cols, 3);
        let mut d_input = vec![START; input.len()];
        let mut grad = experts.zeros_like();
        // The second backward through the same activations is the one that counts: it must not see the first.
        let mut acts = ExpertsActivations::new(&experts, BATCH + 2);
        for _ in 0..2 {
            d_input.fill(START);
            for dense in layers(&mut grad) {
                dense.weight.fill(START);
                dense.bias.fill(START);
            }
            let view = Mat::new(&input, BATCH, INPUTS);
            experts.forward(view, &mut acts);
            experts.backward(
                view,
                &mut acts,
                Mat::new(&d_output, BATCH, cols),
                Some(MatMut::new(&mut d_input, BATCH, INPUTS)),
                &mut grad,
            );
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
            let bias = &mut layers(&mut experts)[i].bias;
            let by_bias = |v: &[f32]| {
                layers(&mut probe)[i].bias.copy_from_slice(v);
                weighted_sum(&d_output, &run(&probe, &input))
            };
            let name = format!("bias of layer {i} of widths {widths:?}");
            check_gradient(&name, bias, &added(&d.bias), by_bias, TOLERANCE)?;
        }
        let by_input = |v: &[f32]| weighted_sum(&d_output, &run(&experts, v));
        check_gradient("input", &mut input, &added(&d_input), by_input, TOLERANCE)
    }

    #[test]
    fn the_gradients_are_the_slopes_and_the_check_notices_planted_faults() {
        let faults = [
            "experts: d of a layer not cleared",
            "experts: d of the next expert",
            "experts: one expert takes all",
            "experts: no ReLU between layers",
            "experts: no ReLU at the end",
            "experts: no d_input",
        ];
        let depths: [&[usize]; 3] = [&[3], &[3, 2], &[3, 2, 4]];
        assert_check_bites("experts", &faults, || {
            depths.iter().try_for_each(|widths| check(widths))
        });
    }

    #[test]
    fn an_expert_is_its_chain_of_dense_layers() {
        let experts = Experts::new(INPUTS, 2, &[5, 3], &mut generator(4));
        let input = values(BATCH * INPUTS, 5);
        let output = run(&experts, &input);
        for e in 0..2 {
            let mut hidden = vec![0.0; BATCH * 10];
            let mut hidden = MatMut::new(&mut hidden, BATCH, 10);
            experts
                .first
                .forward(Mat::new(&input, BATCH, INPUTS), hidden.reborrow());
            relu(hidden.reborrow());
            let mut expected = vec![0.0; BATCH * 3];
            let mut expected = MatMut::new(&mut expected, BATCH, 3);
            let own = hidden.as_mat().columns(e * 5, 5);
            experts.rest[0][e].forward(own, expected.reborrow());
            relu(expected.reborrow());
            for b in 0..BATCH {
                assert_eq!(output[b * 6 + e * 3..][..3], *expected.row_mut(b));
            }
        }
    }
}
