//! A mixture of experts: E experts over one input, and gates that each mix them by shares of their own.
//!
//! ```text
//! f_e = expert_e(h), e = 1..E                  [batch, E, W]
//! g_k = softmax(h · G_k), no bias              [batch, G, E]     one product with the experts' first layers
//! m_k = sum_e g_k[e] f_e                       [batch, G, W]
//! ```

use nn::{
    Dense, Experts, ExpertsActivations, GateDropout, Gates, InputGradient, Mat, MatMut, Precision, mix,
    mix_backward,
};
use rand_chacha::ChaCha8Rng;

use crate::Activity;
use crate::tensors::{LayerName, named};

/// Weights of the mixture; a gradient has the same type.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture {
    /// E experts, and G gates over them.
    pub experts: Experts,
}

/// Buffers of a [`Mixture`].
#[derive(Debug, Clone)]
pub struct MixtureActivations {
    experts: ExpertsActivations,
    gates: Vec<f32>,
    mixed: Vec<f32>,
    d_mixed: Vec<f32>,
    d_gates: Vec<f32>,
}

impl Mixture {
    /// Random weights of `experts` over `inputs` columns, with so many `gates`.
    pub fn new(inputs: usize, experts: &spec::Experts, gates: usize, rng: &mut ChaCha8Rng) -> Mixture {
        let gate_columns = gates * experts.count;
        let experts = Experts::new(inputs, experts.count, &experts.widths, gate_columns, rng);
        Mixture { experts }
    }

    /// The same shapes, all zeros.
    pub fn zeros_like(&self) -> Mixture {
        let experts = self.experts.zeros_like();
        Mixture { experts }
    }

    /// W, columns of what a gate mixes.
    pub fn width(&self) -> usize {
        self.experts.output_width()
    }

    fn gates(&self) -> Gates {
        Gates {
            choices: self.experts.count,
        }
    }

    /// Columns of all gates' shares, `G * E`, and of all that they mix, `G * W`.
    fn columns(&self) -> (usize, usize) {
        let gates = self.experts.gate_columns / self.experts.count;
        (self.experts.gate_columns, gates * self.width())
    }

    /// Buffers for up to `batch` examples, and how products read their factors.
    pub fn activations(&self, batch: usize, precision: Precision) -> MixtureActivations {
        let (gate_cols, mixed_cols) = self.columns();
        let zeros = |columns: usize| vec![0.0; batch * columns];
        MixtureActivations {
            experts: ExpertsActivations::new(&self.experts, batch, precision),
            gates: zeros(gate_cols),
            mixed: zeros(mixed_cols),
            d_mixed: zeros(mixed_cols),
            d_gates: zeros(gate_cols),
        }
    }

    /// Mixes over `h` `[batch, inputs]`; [`Mixture::mixed`] reads the result.
    pub fn forward(&self, h: Mat, dropout: Option<&GateDropout>, acts: &mut MixtureActivations) {
        let batch = h.rows();
        let (gate_cols, mixed_cols) = self.columns();
        self.experts.forward(h, &mut acts.experts);
        let gates = MatMut::new(&mut acts.gates, batch, gate_cols);
        self.gates()
            .forward(acts.experts.gate_logits(batch), dropout, gates);
        let gates = Mat::new(&acts.gates, batch, gate_cols);
        let mixed = MatMut::new(&mut acts.mixed, batch, mixed_cols);
        mix(gates, acts.experts.output(batch), mixed, self.experts.count);
    }

    /// What the gates mixed of the last forward over `batch` rows, `[batch, G * W]`, and where its gradient is to be written
    /// before [`Mixture::backward`].
    pub fn mixed<'a>(&self, batch: usize, acts: &'a mut MixtureActivations) -> (Mat<'a>, MatMut<'a>) {
        let mixed_cols = self.columns().1;
        (
            Mat::new(&acts.mixed, batch, mixed_cols),
            MatMut::new(&mut acts.d_mixed, batch, mixed_cols),
        )
    }

    /// **Adds** to `grad` and **writes** the gradient of `h`; `acts` are those of the forward of `h`, with or without drop-out, after
    /// the gradient of what it mixed was written to them.
    pub fn backward(&self, h: Mat, acts: &mut MixtureActivations, d_h: InputGradient, grad: &mut Mixture) {
        let batch = h.rows();
        let (gate_cols, mixed_cols) = self.columns();
        let gates = Mat::new(&acts.gates, batch, gate_cols);
        let d_mixed = Mat::new(&acts.d_mixed, batch, mixed_cols);
        let mut d_gates = MatMut::new(&mut acts.d_gates, batch, gate_cols);
        let (experts, d_experts) = acts.experts.d_output(batch);
        let count = self.experts.count;
        mix_backward(gates, experts, d_mixed, d_gates.reborrow(), d_experts, count);
        let d_gate_logits = acts.experts.d_gate_logits(batch);
        planted!(
            self.gates().backward(gates, d_gates.as_mat(), d_gate_logits),
            "mixture: gates give nothing back" => { let mut d = d_gate_logits; d.fill(0.0) },
        );
        let grad = &mut grad.experts;
        planted!(
            self.experts.backward(h, &mut acts.experts, d_h, grad),
            "mixture: experts learn nothing" => {
                self.experts.backward(h, &mut acts.experts, d_h, &mut grad.clone());
            },
            "mixture: experts give h nothing" => {
                self.experts.backward(h, &mut acts.experts, InputGradient::Unwanted, grad);
            },
        );
    }

    /// Counts the active units of the last forward over `batch` rows.
    pub(crate) fn count_units(&self, batch: usize, acts: &MixtureActivations, activity: &mut Activity) {
        for (layer, width) in self.experts.widths.iter().enumerate() {
            let outputs = acts.experts.layer(layer, batch);
            for expert in 0..self.experts.count {
                let name = format!("expert {} layer {}", expert + 1, layer + 1);
                activity.add_expert_layer(name, expert, outputs.columns(expert * width, *width));
            }
        }
    }

    /// The gates' shares of the last forward over `batch` rows, `[batch, G * E]`.
    pub(crate) fn shares<'a>(&self, batch: usize, acts: &'a MixtureActivations) -> Mat<'a> {
        Mat::new(&acts.gates, batch, self.columns().0)
    }

    /// Its dense layers in the order of their names.
    pub(crate) fn denses(&self) -> impl Iterator<Item = &Dense> {
        experts_denses(&self.experts)
    }

    /// The same, to change.
    pub(crate) fn denses_mut(&mut self) -> impl Iterator<Item = &mut Dense> {
        experts_denses_mut(&mut self.experts)
    }

    /// Names its layers, in order.
    pub(crate) fn names(&self, out: &mut Vec<LayerName>) {
        experts_names(&self.experts, "experts", out);
    }
}

/// Dense layers of experts in the order of their names: the first of all, then by layer and expert.
pub(super) fn experts_denses(experts: &Experts) -> impl Iterator<Item = &Dense> {
    std::iter::once(&experts.first).chain(experts.rest.iter().flatten())
}

/// The same, to change.
pub(super) fn experts_denses_mut(experts: &mut Experts) -> impl Iterator<Item = &mut Dense> {
    std::iter::once(&mut experts.first).chain(experts.rest.iter_mut().flatten())
}

/// Names the layers of `experts` under `name`, in order.
pub(super) fn experts_names(experts: &Experts, name: &str, out: &mut Vec<LayerName>) {
    out.push(LayerName {
        name: format!("{name}.0"),
        biased: experts.first_width(),
    });
    for (layer, of_experts) in experts.rest.iter().enumerate() {
        let of_experts = of_experts.iter().enumerate();
        out.extend(of_experts.map(|(expert, dense)| named(format!("{name}.{}.{expert}", layer + 1), dense)));
    }
}
