//! Shared-bottom (MMoE section 3.1): one bottom that every objective's tower reads.
//!
//! ```text
//! h       = shared(x)                          [batch, H]
//! logit_k = tower_k(h)                         [batch] per objective
//! ```

use nn::{Dense, InputGradient, Mat, MatMut, Precision, relu_backward};
use rand_chacha::ChaCha8Rng;
use spec::Spec;

use super::stack::{Stack, StackActivations};
use super::towers::{Towers, TowersActivations};
use crate::Activity;
use crate::tensors::LayerName;

/// Weights of the network; a gradient has the same type.
#[derive(Debug, Clone, PartialEq)]
pub struct SharedBottom {
    /// The bottom; with no layers, towers read the input.
    pub shared: Stack,
    /// One tower per objective.
    pub towers: Towers,
}

/// Buffers of a [`SharedBottom`].
#[derive(Debug, Clone)]
pub struct SharedBottomActivations {
    shared: StackActivations,
    towers: TowersActivations,
}

impl SharedBottom {
    /// Random weights for an input of `width` columns.
    pub fn new(spec: &Spec, width: usize, rng: &mut ChaCha8Rng) -> SharedBottom {
        let shared = Stack::new(width, &spec.model.shared, rng);
        let towers = Towers::new(spec, shared.output_width(width), rng);
        SharedBottom { shared, towers }
    }

    /// The same shapes, all zeros.
    pub fn zeros_like(&self) -> SharedBottom {
        SharedBottom {
            shared: self.shared.zeros_like(),
            towers: self.towers.zeros_like(),
        }
    }

    /// Buffers for up to `batch` examples, and how products read their factors.
    pub fn activations(&self, batch: usize, precision: Precision) -> SharedBottomActivations {
        SharedBottomActivations {
            shared: self.shared.activations(batch, precision),
            towers: self.towers.activations(batch, precision),
        }
    }

    /// Writes logits per objective `[batch]`.
    pub fn forward(&self, x: Mat, acts: &mut SharedBottomActivations, logits: &mut [Vec<f32>]) {
        self.shared.forward(x, &mut acts.shared);
        let h = self.shared.output(x, &acts.shared);
        self.towers.forward_on(h, &mut acts.towers, logits);
    }

    /// Counts the active units of the last forward over `batch` rows.
    pub(crate) fn count(&self, batch: usize, acts: &SharedBottomActivations, activity: &mut Activity) {
        self.shared.count("shared", None, batch, &acts.shared, activity);
        self.towers.count_units(batch, &acts.towers, activity);
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
        let mut d_x = Some(d_x);
        let (h, d_h) = self.shared.output_and_gradient(x, &mut acts.shared);
        if let Some(mut d_h) = d_h.or_else(|| d_x.take()) {
            let (towers, of_towers) = (&mut acts.towers, &mut grad.towers);
            self.towers
                .backward_on(h, towers, d_logits, d_h.reborrow(), of_towers);
            if !self.shared.layers.is_empty() {
                planted!(
                    relu_backward(h, d_h),
                    "shared bottom: no ReLU" => (),
                    "shared bottom: towers give h nothing" => d_h.fill(0.0),
                );
            }
        }
        let d_x = planted!(d_x, "shared bottom: no d_x" => None)
            .map_or(InputGradient::Unwanted, InputGradient::Whole);
        self.shared.backward(x, &mut acts.shared, d_x, &mut grad.shared);
    }

    /// Its dense layers in the order of their names.
    pub(crate) fn denses(&self) -> impl Iterator<Item = &Dense> {
        self.shared.layers.iter().chain(self.towers.denses())
    }

    /// The same, to change.
    pub(crate) fn denses_mut(&mut self) -> impl Iterator<Item = &mut Dense> {
        let shared = self.shared.layers.iter_mut();
        shared.chain(self.towers.denses_mut())
    }

    /// What its dense layers are called.
    pub(crate) fn names(&self) -> Vec<LayerName> {
        let mut out = Vec::new();
        self.shared.names("shared", &mut out);
        self.towers.names(&mut out);
        out
    }
}
