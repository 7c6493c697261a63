//! Shared-bottom (MMoE section 3.1): one bottom that every objective's tower reads.
//!
//! ```text
//! h       = shared(x)                          [batch, H]
//! logit_k = tower_k(h)                         [batch] per objective
//! ```

use nn::{Dense, InputGradient, Mat, MatMut, Precision, relu_backward};
use rand_chacha::ChaCha8Rng;
use spec::Spec;

use super::stack::{Stack, StackActivations, Tower, TowerActivations};
use crate::{Activity, Tensor, TensorMut};

/// Weights of the network; a gradient has the same type.
#[derive(Debug, Clone, PartialEq)]
pub struct SharedBottom {
    /// The bottom; with no layers, towers read the input.
    pub shared: Stack,
    /// One tower per objective.
    pub towers: Vec<Tower>,
    names: Vec<String>,
}

/// Buffers of a [`SharedBottom`].
#[derive(Debug, Clone)]
pub struct SharedBottomActivations {
    shared: StackActivations,
    towers: Vec<TowerActivations>,
    d_tower: Vec<f32>,
}

impl SharedBottom {
    /// Random weights for an input of `width` columns.
    pub fn new(spec: &Spec, width: usize, rng: &mut ChaCha8Rng) -> SharedBottom {
        let shared = Stack::new(width, &spec.model.shared, rng);
        let hidden = shared.output_width(width);
        let towers = spec
            .objectives
            .iter()
            .map(|_| Tower::new(hidden, &spec.model.towers, rng))
            .collect();
        let names = spec
            .objectives
            .iter()
            .map(|objective| objective.name.clone())
            .collect();
        SharedBottom {
            shared,
            towers,
            names,
        }
    }

    /// The same shapes, all zeros.
    pub fn zeros_like(&self) -> SharedBottom {
        SharedBottom {
            shared: self.shared.zeros_like(),
            towers: self.towers.iter().map(Tower::zeros_like).collect(),
            names: self.names.clone(),
        }
    }

    /// Writes logits per objective `[batch]`.
    pub fn forward(&self, x: Mat, acts: &mut SharedBottomActivations, logits: &mut [Vec<f32>]) {
        self.shared.forward(x, &mut acts.shared);
        let h = self.shared.output(x, &acts.shared);
        for (k, tower) in self.towers.iter().enumerate() {
            tower.forward(h, &mut acts.towers[k], &mut logits[k]);
        }
    }

    /// Counts the active units of the last forward over `batch` rows.
    pub(crate) fn count(&self, batch: usize, acts: &SharedBottomActivations, activity: &mut Activity) {
        self.shared.count("shared", None, batch, &acts.shared, activity);
        for (k, (name, tower)) in self.names.iter().zip(&self.towers).enumerate() {
            tower.count(name, k, batch, &acts.towers[k], activity);
        }
    }

    /// **Adds** to `grad` and **writes** `d_x` `[batch, width]`; `acts` are those of the forward of `x`, d_logits per objective `[batch]`.
    pub fn backward(
        &self,
        x: Mat,
        acts: &mut SharedBottomActivations,
        d_logits: &[Vec<f32>],
        d_x: MatMut,
        grad: &mut SharedBottom,
    ) {
        let batch = x.rows();
        let mut d_x = Some(d_x);
        let (h, d_h) = self.shared.output_and_gradient(x, &mut acts.shared);
        if let Some(mut d_h) = d_h.or_else(|| d_x.take()) {
            let mut d_tower = MatMut::new(&mut acts.d_tower, batch, h.cols());
            planted!(d_h.fill(0.0), "shared bottom: d_h not cleared" => ());
            for (k, tower) in self.towers.iter().enumerate() {
                let d_logits = &d_logits[planted!(k, "shared bottom: one objective for all" => 0)];
                let of_tower = InputGradient::Whole(d_tower.reborrow());
                tower.backward(h, &mut acts.towers[k], d_logits, of_tower, &mut grad.towers[k]);
                add(d_tower.as_mat(), &mut d_h);
            }
            if !self.shared.layers.is_empty() {
                planted!(relu_backward(h, d_h), "shared bottom: no ReLU" => ());
            }
        }
        let d_x = planted!(d_x, "shared bottom: no d_x" => None)
            .map_or(InputGradient::Unwanted, InputGradient::Whole);
        self.shared.backward(x, &mut acts.shared, d_x, &mut grad.shared);
    }

    /// Its dense layers in the order of [`SharedBottom::tensors`].
    pub(crate) fn denses(&self) -> impl Iterator<Item = &Dense> {
        self.shared
            .layers
            .iter()
            .chain(self.towers.iter().flat_map(Tower::denses))
    }

    /// The same, to change.
    pub(crate) fn denses_mut(&mut self) -> impl Iterator<Item = &mut Dense> {
        let shared = self.shared.layers.iter_mut();
        shared.chain(self.towers.iter_mut().flat_map(Tower::denses_mut))
    }

    /// Named weights in a fixed order.
    pub(crate) fn tensors(&self) -> Vec<Tensor<'_>> {
        let mut out = Vec::new();
        self.shared.tensors("shared", &mut out);
        for (name, tower) in self.names.iter().zip(&self.towers) {
            tower.tensors(&format!("towers.{name}"), &mut out);
        }
        out
    }

    /// The same weights in the same order, to change.
    pub(crate) fn tensors_mut(&mut self) -> Vec<TensorMut<'_>> {
        let mut out = Vec::new();
        self.shared.tensors_mut(&mut out);
        for tower in &mut self.towers {
            tower.tensors_mut(&mut out);
        }
        out
    }
}

fn add(from: Mat, to: &mut MatMut) {
    for row in 0..from.rows() {
        for (to, from) in to.row_mut(row).iter_mut().zip(from.row(row)) {
            *to += from;
        }
    }
}

impl SharedBottomActivations {
    /// Buffers for up to `batch` examples, and how products read their factors.
    pub fn new(network: &SharedBottom, batch: usize, precision: Precision) -> SharedBottomActivations {
        let hidden = network.towers.first().map_or(0, Tower::inputs);
        SharedBottomActivations {
            shared: network.shared.activations(batch, precision),
            towers: network
                .towers
                .iter()
                .map(|tower| tower.activations(batch, precision))
                .collect(),
            d_tower: vec![0.0; batch * hidden],
        }
    }
}
