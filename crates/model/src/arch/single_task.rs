//! Single-task (the baseline of MMoE section 5.2): a tower of its own for each objective, over the embeddings that all share.
//!
//! ```text
//! logit_k = tower_k(x)                         [batch] per objective
//! ```

use nn::{Dense, Mat, MatMut, Precision};
use rand_chacha::ChaCha8Rng;
use spec::Spec;

use super::towers::{Towers, TowersActivations};
use crate::Activity;
use crate::tensors::LayerName;

/// Weights of the network; a gradient has the same type.
#[derive(Debug, Clone, PartialEq)]
pub struct SingleTask {
    /// One tower per objective.
    pub towers: Towers,
}

/// Buffers of a [`SingleTask`].
#[derive(Debug, Clone)]
pub struct SingleTaskActivations {
    towers: TowersActivations,
}

impl SingleTask {
    /// Random weights for an input of `width` columns.
    pub fn new(spec: &Spec, width: usize, rng: &mut ChaCha8Rng) -> SingleTask {
        let towers = Towers::new(spec, width, rng);
        SingleTask { towers }
    }

    /// The same shapes, all zeros.
    pub fn zeros_like(&self) -> SingleTask {
        let towers = self.towers.zeros_like();
        SingleTask { towers }
    }

    /// Buffers for up to `batch` examples, and how products read their factors.
    pub fn activations(&self, batch: usize, precision: Precision) -> SingleTaskActivations {
        let towers = self.towers.activations(batch, precision);
        SingleTaskActivations { towers }
    }

    /// Writes logits per objective `[batch]`.
    pub fn forward(&self, x: Mat, acts: &mut SingleTaskActivations, logits: &mut [Vec<f32>]) {
        self.towers.forward_on(x, &mut acts.towers, logits);
    }

    /// Counts the active units of the last forward over `batch` rows.
    pub(crate) fn count(&self, batch: usize, acts: &SingleTaskActivations, activity: &mut Activity) {
        self.towers.count_units(batch, &acts.towers, activity);
    }

    /// **Adds** to `grad` and **writes** `d_x` `[batch, width]`; `acts` are those of the forward of `x`, d_logits per objective `[batch]`.
    pub fn backward(
        &self,
        x: Mat,
        acts: &mut SingleTaskActivations,
        d_logits: &[Vec<f32>],
        d_x: MatMut,
        grad: &mut SingleTask,
    ) {
        let grad = &mut grad.towers;
        self.towers.backward_on(x, &mut acts.towers, d_logits, d_x, grad);
    }

    /// Its dense layers in the order of their names.
    pub(crate) fn denses(&self) -> impl Iterator<Item = &Dense> {
        self.towers.denses()
    }

    /// The same, to change.
    pub(crate) fn denses_mut(&mut self) -> impl Iterator<Item = &mut Dense> {
        self.towers.denses_mut()
    }

    /// What its dense layers are called.
    pub(crate) fn names(&self) -> Vec<LayerName> {
        let mut out = Vec::new();
        self.towers.names(&mut out);
        out
    }
}
