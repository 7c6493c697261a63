//! Multi-gate mixture of experts (MMoE section 4.2; YT section 4.2, figure 2).
//!
//! ```text
//! h   = shared(x)                              [batch, H]
//! f_e = expert_e(h), e = 1..E                  [batch, E, W]
//! g_k = softmax(h · G_k), no bias              [batch, K, E]     one product with the experts' first layers
//! m_k = sum_e g_k[e] f_e                       [batch, K, W]
//! logit_k = tower_k(m_k)                       [batch] per objective
//! ```

use nn::{
    Dense, Experts, ExpertsActivations, GateDropout, Gates, InputGradient, Mat, MatMut, Precision, mix,
    mix_backward,
};
use rand_chacha::ChaCha8Rng;
use spec::Spec;

use super::stack::{Stack, StackActivations, Tower, TowerActivations};
use crate::tensors::{dense_tensors, dense_tensors_mut};
use crate::{Activity, Tensor, TensorMut};

/// Weights of the mixture; a gradient has the same type.
#[derive(Debug, Clone, PartialEq)]
pub struct Mmoe {
    /// Shared layers; may be none.
    pub shared: Stack,
    /// E experts, and one gate per objective.
    pub experts: Experts,
    /// One tower per objective.
    pub towers: Vec<Tower>,
    names: Vec<String>,
}

/// Buffers of a [`Mmoe`].
#[derive(Debug, Clone)]
pub struct MmoeActivations {
    shared: StackActivations,
    experts: ExpertsActivations,
    gates: Vec<f32>,
    mixed: Vec<f32>,
    towers: Vec<TowerActivations>,
    d_mixed: Vec<f32>,
    d_gates: Vec<f32>,
}

impl Mmoe {
    /// Random weights for an input of `width` columns.
    pub fn new(spec: &Spec, experts: &spec::Experts, width: usize, rng: &mut ChaCha8Rng) -> Mmoe {
        let shared = Stack::new(width, &spec.model.shared, rng);
        let hidden = shared.output_width(width);
        let experts = Experts::new(hidden, experts.count, &experts.widths, spec.objectives.len(), rng);
        let towers = spec
            .objectives
            .iter()
            .map(|_| Tower::new(experts.output_width(), &spec.model.towers, rng))
            .collect();
        let names = spec
            .objectives
            .iter()
            .map(|objective| objective.name.clone())
            .collect();
        Mmoe {
            shared,
            experts,
            towers,
            names,
        }
    }

    /// The same shapes, all zeros.
    pub fn zeros_like(&self) -> Mmoe {
        Mmoe {
            shared: self.shared.zeros_like(),
            experts: self.experts.zeros_like(),
            towers: self.towers.iter().map(Tower::zeros_like).collect(),
            names: self.names.clone(),
        }
    }

    fn gates(&self) -> Gates {
        Gates {
            choices: self.experts.count,
        }
    }

    /// Columns of all gates' shares, `K * E`, and of all objectives' mixtures, `K * W`.
    fn columns(&self) -> (usize, usize) {
        let objectives = self.towers.len();
        (
            objectives * self.experts.count,
            objectives * self.experts.output_width(),
        )
    }

    /// Writes logits per objective `[batch]`.
    pub fn forward(
        &self,
        x: Mat,
        gate_dropout: Option<&GateDropout>,
        acts: &mut MmoeActivations,
        logits: &mut [Vec<f32>],
    ) {
        let (batch, width) = (x.rows(), self.experts.output_width());
        let (gate_cols, mixed_cols) = self.columns();
        self.shared.forward(x, &mut acts.shared);
        let h = self.shared.output(x, &acts.shared);
        self.experts.forward(h, &mut acts.experts);
        let gates = MatMut::new(&mut acts.gates, batch, gate_cols);
        self.gates()
            .forward(acts.experts.gate_logits(batch), gate_dropout, gates);
        let gates = Mat::new(&acts.gates, batch, gate_cols);
        let mixed = MatMut::new(&mut acts.mixed, batch, mixed_cols);
        mix(gates, acts.experts.output(batch), mixed, self.experts.count);
        let mixed = Mat::new(&acts.mixed, batch, mixed_cols);
        for (k, tower) in self.towers.iter().enumerate() {
            tower.forward(
                mixed.columns(k * width, width),
                &mut acts.towers[k],
                &mut logits[k],
            );
        }
    }

    /// Counts the active units and the gates' shares of the last forward over `batch` rows.
    pub(crate) fn count(&self, batch: usize, acts: &MmoeActivations, activity: &mut Activity) {
        self.shared.count("shared", None, batch, &acts.shared, activity);
        for (layer, width) in self.experts.widths.iter().enumerate() {
            let outputs = acts.experts.layer(layer, batch);
            for expert in 0..self.experts.count {
                let name = format!("expert {} layer {}", expert + 1, layer + 1);
                activity.add_expert_layer(name, expert, outputs.columns(expert * width, *width));
            }
        }
        let gates = Mat::new(&acts.gates, batch, self.columns().0);
        activity.add_gates(gates, self.experts.count);
        for (k, (name, tower)) in self.names.iter().zip(&self.towers).enumerate() {
            tower.count(name, k, batch, &acts.towers[k], activity);
        }
    }

    /// **Adds** to `grad` and **writes** `d_x` `[batch, width]`; `acts` are those of the forward of `x`, with or without drop-out;
    /// d_logits per objective `[batch]`.
    pub fn backward(
        &self,
        x: Mat,
        acts: &mut MmoeActivations,
        d_logits: &[Vec<f32>],
        d_x: MatMut,
        grad: &mut Mmoe,
    ) {
        let (batch, width) = (x.rows(), self.experts.output_width());
        let (gate_cols, mixed_cols) = self.columns();
        let mixed = Mat::new(&acts.mixed, batch, mixed_cols);
        let gates = Mat::new(&acts.gates, batch, gate_cols);
        let mut d_mixed = MatMut::new(&mut acts.d_mixed, batch, mixed_cols);
        let mut d_gates = MatMut::new(&mut acts.d_gates, batch, gate_cols);
        for (k, tower) in self.towers.iter().enumerate() {
            let d_tower = planted!(k, "mmoe: all towers in one mixture" => 0) * width;
            let d_tower = d_mixed.columns_mut(d_tower, width);
            let read = mixed.columns(k * width, width);
            tower.backward(
                read,
                &mut acts.towers[k],
                &d_logits[k],
                InputGradient::Whole(d_tower),
                &mut grad.towers[k],
            );
        }
        let (experts, d_experts) = acts.experts.d_output(batch);
        mix_backward(
            gates,
            experts,
            d_mixed.as_mat(),
            d_gates.reborrow(),
            d_experts,
            self.experts.count,
        );
        let d_gate_logits = acts.experts.d_gate_logits(batch);
        planted!(
            self.gates().backward(gates, d_gates.as_mat(), d_gate_logits),
            "mmoe: gates give nothing back" => { let mut d = d_gate_logits; d.fill(0.0) },
        );
        self.backward_to_input(x, acts, d_x, grad);
    }

    /// From the experts to the input.
    fn backward_to_input(&self, x: Mat, acts: &mut MmoeActivations, d_x: MatMut, grad: &mut Mmoe) {
        let mut d_x = Some(InputGradient::Whole(d_x));
        let (h, d_h) = self.shared.output_and_gradient(x, &mut acts.shared);
        let d_h = d_h.map_or_else(|| d_x.take(), |d_h| Some(InputGradient::ThroughRelu(d_h)));
        let d_h = planted!(d_h, "mmoe: experts give h nothing" => None).unwrap_or(InputGradient::Unwanted);
        self.experts
            .backward(h, &mut acts.experts, d_h, &mut grad.experts);
        let d_x = d_x.unwrap_or(InputGradient::Unwanted);
        self.shared.backward(x, &mut acts.shared, d_x, &mut grad.shared);
    }

    /// Its dense layers in the order of [`Mmoe::tensors`].
    pub(crate) fn denses(&self) -> impl Iterator<Item = &Dense> {
        let before = self.shared.layers.iter().chain([&self.experts.first]);
        let experts = before.chain(self.experts.rest.iter().flatten());
        experts.chain(self.towers.iter().flat_map(Tower::denses))
    }

    /// The same, to change.
    pub(crate) fn denses_mut(&mut self) -> impl Iterator<Item = &mut Dense> {
        let before = self.shared.layers.iter_mut().chain([&mut self.experts.first]);
        let experts = before.chain(self.experts.rest.iter_mut().flatten());
        experts.chain(self.towers.iter_mut().flat_map(Tower::denses_mut))
    }

    /// Named weights in a fixed order.
    pub(crate) fn tensors(&self) -> Vec<Tensor<'_>> {
        let mut out = Vec::new();
        self.shared.tensors("shared", &mut out);
        let own = self.experts.first_width();
        dense_tensors("experts.0", &self.experts.first, own, &mut out);
        for (layer, of_experts) in self.experts.rest.iter().enumerate() {
            for (expert, dense) in of_experts.iter().enumerate() {
                let name = format!("experts.{}.{expert}", layer + 1);
                dense_tensors(&name, dense, dense.outputs, &mut out);
            }
        }
        for (name, tower) in self.names.iter().zip(&self.towers) {
            tower.tensors(&format!("towers.{name}"), &mut out);
        }
        out
    }

    /// The same weights in the same order, to change.
    pub(crate) fn tensors_mut(&mut self) -> Vec<TensorMut<'_>> {
        let mut out = Vec::new();
        self.shared.tensors_mut(&mut out);
        let own = self.experts.first_width();
        dense_tensors_mut(&mut self.experts.first, own, &mut out);
        for dense in self.experts.rest.iter_mut().flatten() {
            let own = dense.outputs;
            dense_tensors_mut(dense, own, &mut out);
        }
        for tower in &mut self.towers {
            tower.tensors_mut(&mut out);
        }
        out
    }
}

impl MmoeActivations {
    /// Buffers for up to `batch` examples, and how products read their factors.
    pub fn new(network: &Mmoe, batch: usize, precision: Precision) -> MmoeActivations {
        let (gate_cols, mixed_cols) = network.columns();
        let zeros = |columns: usize| vec![0.0; batch * columns];
        MmoeActivations {
            shared: network.shared.activations(batch, precision),
            experts: ExpertsActivations::new(&network.experts, batch, precision),
            gates: zeros(gate_cols),
            mixed: zeros(mixed_cols),
            towers: network
                .towers
                .iter()
                .map(|tower| tower.activations(batch, precision))
                .collect(),
            d_mixed: zeros(mixed_cols),
            d_gates: zeros(gate_cols),
        }
    }
}
