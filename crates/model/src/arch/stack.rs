//! Chains of dense layers: the shared layers, and an objective's tower with its logit.

use nn::{Dense, InputGradient, Mat, MatMut, Precision};
use rand_chacha::ChaCha8Rng;

use crate::Activity;
use crate::tensors::{LayerName, named};

/// He's scale for layers that end in ReLU.
pub(super) const HE: f32 = std::f32::consts::SQRT_2;
/// The logit's layer starts near 0, so that the first prediction is the base rate.
const NEAR_ZERO: f32 = 0.1;

/// Dense layers with ReLU after each; with none, the output is the input.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// In order.
    pub layers: Vec<Dense>,
}

/// Buffers of a [`Stack`].
#[derive(Debug, Clone)]
pub struct StackActivations {
    precision: Precision,
    outputs: Vec<Vec<f32>>,
    d_outputs: Vec<Vec<f32>>,
}

impl Stack {
    /// Random layers of these widths over `inputs` columns.
    pub fn new(inputs: usize, widths: &[usize], rng: &mut ChaCha8Rng) -> Stack {
        let mut inputs = inputs;
        let layers = widths
            .iter()
            .map(|&width| {
                let layer = Dense::new(inputs, width, HE, rng);
                inputs = width;
                layer
            })
            .collect();
        Stack { layers }
    }

    /// The same shapes, all zeros.
    pub fn zeros_like(&self) -> Stack {
        Stack {
            layers: self.layers.iter().map(Dense::zeros_like).collect(),
        }
    }

    /// Width of the output for an input of `inputs` columns.
    pub fn output_width(&self, inputs: usize) -> usize {
        self.layers.last().map_or(inputs, |layer| layer.outputs)
    }

    /// Buffers for up to `batch` rows, and how products read their factors.
    pub fn activations(&self, batch: usize, precision: Precision) -> StackActivations {
        let buffers = || {
            self.layers
                .iter()
                .map(|layer| vec![0.0; batch * layer.outputs])
                .collect()
        };
        StackActivations {
            precision,
            outputs: buffers(),
            d_outputs: buffers(),
        }
    }

    /// Runs the chain over `[batch, inputs]`; [`Stack::output`] reads the result.
    pub fn forward(&self, input: Mat, acts: &mut StackActivations) {
        let batch = input.rows();
        for (at, layer) in self.layers.iter().enumerate() {
            let (before, rest) = acts.outputs.split_at_mut(at);
            let read = before
                .last()
                .map_or(input, |output| Mat::new(output, batch, layer.inputs));
            let output = MatMut::new(&mut rest[0], batch, layer.outputs);
            layer.run(acts.precision, read, output, layer.outputs);
        }
    }

    /// The output `[batch, output width]` of the last forward over `input`.
    pub fn output<'a>(&self, input: Mat<'a>, acts: &'a StackActivations) -> Mat<'a> {
        match (self.layers.last(), acts.outputs.last()) {
            (Some(layer), Some(output)) => Mat::new(output, input.rows(), layer.outputs),
            _ => input,
        }
    }

    /// Counts the active units of the last forward over `batch` rows; `name` is what the layers belong to.
    pub(crate) fn count(
        &self,
        name: &str,
        objective: Option<usize>,
        batch: usize,
        acts: &StackActivations,
        activity: &mut Activity,
    ) {
        for (at, (layer, output)) in self.layers.iter().zip(&acts.outputs).enumerate() {
            let output = Mat::new(output, batch, layer.outputs);
            activity.add_layer(format!("{name} layer {}", at + 1), objective, output);
        }
    }

    /// The output of the last forward over `input`, and where its gradient is to be written before [`Stack::backward`], as far as
    /// the last layer's ReLU: 0 where the output is not positive. Both `[batch, output width]`; `None`: no layers.
    pub fn output_and_gradient<'a>(
        &self,
        input: Mat<'a>,
        acts: &'a mut StackActivations,
    ) -> (Mat<'a>, Option<MatMut<'a>>) {
        match (self.layers.last(), acts.outputs.last(), acts.d_outputs.last_mut()) {
            (Some(layer), Some(output), Some(d_output)) => (
                Mat::new(output, input.rows(), layer.outputs),
                Some(MatMut::new(d_output, input.rows(), layer.outputs)),
            ),
            _ => (input, None),
        }
    }

    /// **Adds** to `grad` and **writes** the gradient of the input; `acts` are those of the forward of `input`, after the gradient
    /// of its output was written to them. Does nothing without layers.
    pub fn backward(
        &self,
        input: Mat,
        acts: &mut StackActivations,
        d_input: InputGradient,
        grad: &mut Stack,
    ) {
        let batch = input.rows();
        let mut d_input = Some(planted!(d_input, "stack: no d_input" => InputGradient::Unwanted));
        for (at, layer) in self.layers.iter().enumerate().rev() {
            let (before, rest) = acts.d_outputs.split_at_mut(at);
            let d_output = Mat::new(&rest[0], batch, layer.outputs);
            let (read, d_read) = match before.last_mut() {
                Some(d_read) => (
                    Mat::new(&acts.outputs[at - 1], batch, layer.inputs),
                    planted!(
                        InputGradient::ThroughRelu(MatMut::new(d_read, batch, layer.inputs)),
                        "stack: no ReLU between layers" => InputGradient::Whole(MatMut::new(d_read, batch, layer.inputs)),
                    ),
                ),
                None => (input, d_input.take().unwrap_or(InputGradient::Unwanted)),
            };
            let grad = planted!(&mut grad.layers[at], "stack: the weights learn nothing" => &mut grad.layers[at].clone());
            layer.backward(acts.precision, read, d_output, d_read, grad);
        }
    }

    /// Names its layers under `name`, in order.
    pub(crate) fn names(&self, name: &str, out: &mut Vec<LayerName>) {
        let layers = self.layers.iter().enumerate();
        out.extend(layers.map(|(at, layer)| named(format!("{name}.{at}"), layer)));
    }
}

/// One objective's tower: hidden layers, then the logit.
#[derive(Debug, Clone, PartialEq)]
pub struct Tower {
    /// Hidden layers; may be none.
    pub hidden: Stack,
    /// `[hidden width, 1]`.
    pub logit: Dense,
}

/// Buffers of a [`Tower`].
#[derive(Debug, Clone)]
pub struct TowerActivations {
    hidden: StackActivations,
}

impl Tower {
    /// A random tower over `inputs` columns.
    pub fn new(inputs: usize, widths: &[usize], rng: &mut ChaCha8Rng) -> Tower {
        let hidden = Stack::new(inputs, widths, rng);
        let logit = Dense::new(hidden.output_width(inputs), 1, NEAR_ZERO, rng);
        Tower { hidden, logit }
    }

    /// The same shapes, all zeros.
    pub fn zeros_like(&self) -> Tower {
        Tower {
            hidden: self.hidden.zeros_like(),
            logit: self.logit.zeros_like(),
        }
    }

    /// Its layers.
    pub(crate) fn denses(&self) -> impl Iterator<Item = &Dense> {
        self.hidden.layers.iter().chain([&self.logit])
    }

    /// The same, to change.
    pub(crate) fn denses_mut(&mut self) -> impl Iterator<Item = &mut Dense> {
        self.hidden.layers.iter_mut().chain([&mut self.logit])
    }

    /// Columns of its input.
    pub fn inputs(&self) -> usize {
        self.hidden
            .layers
            .first()
            .map_or(self.logit.inputs, |layer| layer.inputs)
    }

    /// Buffers for up to `batch` rows, and how the hidden layers' products read their factors; the logit's are `f32`.
    pub fn activations(&self, batch: usize, precision: Precision) -> TowerActivations {
        TowerActivations {
            hidden: self.hidden.activations(batch, precision),
        }
    }

    /// Writes `logits` `[batch]` of an input `[batch, inputs]`.
    pub fn forward(&self, input: Mat, acts: &mut TowerActivations, logits: &mut [f32]) {
        self.hidden.forward(input, &mut acts.hidden);
        let hidden = self.hidden.output(input, &acts.hidden);
        self.logit.forward(hidden, MatMut::new(logits, input.rows(), 1));
    }

    /// Counts the active units of the last forward over `batch` rows.
    pub(crate) fn count(
        &self,
        name: &str,
        objective: usize,
        batch: usize,
        acts: &TowerActivations,
        activity: &mut Activity,
    ) {
        let name = format!("tower {name}");
        self.hidden
            .count(&name, Some(objective), batch, &acts.hidden, activity);
    }

    /// **Adds** to `grad` and **writes** the gradient of the input; `acts` are those of the forward of `input`, d_logits `[batch]`.
    pub fn backward(
        &self,
        input: Mat,
        acts: &mut TowerActivations,
        d_logits: &[f32],
        d_input: InputGradient,
        grad: &mut Tower,
    ) {
        let batch = input.rows();
        let d_logits = Mat::new(d_logits, batch, 1);
        let mut d_input = Some(planted!(d_input, "tower: no d_input" => InputGradient::Unwanted));
        let (hidden, d_hidden) = self.hidden.output_and_gradient(input, &mut acts.hidden);
        let d_hidden = d_hidden.map_or_else(
            || d_input.take(),
            |d| Some(planted!(InputGradient::ThroughRelu(d), "tower: no ReLU below the logit" => InputGradient::Whole(d))),
        );
        let d_hidden = planted!(d_hidden, "tower: the logit gives nothing back" => None)
            .unwrap_or(InputGradient::Unwanted);
        self.logit
            .backward(Precision::F32, hidden, d_logits, d_hidden, &mut grad.logit);
        let d_input = d_input.unwrap_or(InputGradient::Unwanted);
        self.hidden
            .backward(input, &mut acts.hidden, d_input, &mut grad.hidden);
    }

    /// Names its layers under `name`, in order.
    pub(crate) fn names(&self, name: &str, out: &mut Vec<LayerName>) {
        self.hidden.names(name, out);
        out.push(named(format!("{name}.logit"), &self.logit));
    }
}

#[cfg(test)]
mod tests;
