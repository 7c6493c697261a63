//! One-gate mixture of experts (MMoE section 4.1): all objectives read what one gate mixes.
//!
//! ```text
//! h       = shared(x)                          [batch, H]
//! m       = mixture(h), one gate               [batch, W]
//! logit_k = tower_k(m)                         [batch] per objective
//! ```

use nn::{Dense, GateDropout, InputGradient, Mat, MatMut, Precision};
use rand_chacha::ChaCha8Rng;
use spec::Spec;

use super::mixture::{Mixture, MixtureActivations};
use super::stack::{Stack, StackActivations};
use super::towers::{Towers, TowersActivations};
use crate::Activity;
use crate::tensors::LayerName;

/// Weights of the network; a gradient has the same type.
#[derive(Debug, Clone, PartialEq)]
pub struct Omoe {
    /// Shared layers; may be none.
    pub shared: Stack,
    /// The experts, and the one gate.
    pub mixture: Mixture,
    /// One tower per objective.
    pub towers: Towers,
}

/// Buffers of an [`Omoe`].
#[derive(Debug, Clone)]
pub struct OmoeActivations {
    shared: StackActivations,
    mixture: MixtureActivations,
    towers: TowersActivations,
}

impl Omoe {
    /// Random weights for an input of `width` columns.
    pub fn new(spec: &Spec, experts: &spec::Experts, width: usize, rng: &mut ChaCha8Rng) -> Omoe {
        let shared = Stack::new(width, &spec.model.shared, rng);
        let mixture = Mixture::new(shared.output_width(width), experts, 1, rng);
        let towers = Towers::new(spec, mixture.width(), rng);
        Omoe {
            shared,
            mixture,
            towers,
        }
    }

    /// The same shapes, all zeros.
    pub fn zeros_like(&self) -> Omoe {
        Omoe {
            shared: self.shared.zeros_like(),
            mixture: self.mixture.zeros_like(),
            towers: self.towers.zeros_like(),
        }
    }

    /// Buffers for up to `batch` examples, and how products read their factors.
    pub fn activations(&self, batch: usize, precision: Precision) -> OmoeActivations {
        OmoeActivations {
            shared: self.shared.activations(batch, precision),
            mixture: self.mixture.activations(batch, precision),
            towers: self.towers.activations(batch, precision),
        }
    }

    /// Writes logits per objective `[batch]`.
    pub fn forward(
        &self,
        x: Mat,
        gate_dropout: Option<&GateDropout>,
        acts: &mut OmoeActivations,
        logits: &mut [Vec<f32>],
    ) {
        self.shared.forward(x, &mut acts.shared);
        let h = self.shared.output(x, &acts.shared);
        self.mixture.forward(h, gate_dropout, &mut acts.mixture);
        let (mixed, _) = self.mixture.mixed(x.rows(), &mut acts.mixture);
        self.towers.forward_on(mixed, &mut acts.towers, logits);
    }

    /// Counts the active units and the gates' shares of the last forward over `batch` rows.
    pub(crate) fn count(&self, batch: usize, acts: &OmoeActivations, activity: &mut Activity) {
        self.shared.count("shared", None, batch, &acts.shared, activity);
        self.mixture.count_units(batch, &acts.mixture, activity);
        activity.add_gates(
            self.mixture.shares(batch, &acts.mixture),
            self.mixture.experts.count,
        );
        activity.share_gate(self.towers.count());
        self.towers.count_units(batch, &acts.towers, activity);
    }

    /// **Adds** to `grad` and **writes** `d_x` `[batch, width]`; `acts` are those of the forward of `x`, with or without drop-out;
    /// d_logits per objective `[batch]`.
    pub fn backward(
        &self,
        x: Mat,
        acts: &mut OmoeActivations,
        d_logits: &[Vec<f32>],
        d_x: MatMut,
        grad: &mut Omoe,
    ) {
        let (mixed, d_mixed) = self.mixture.mixed(x.rows(), &mut acts.mixture);
        let (towers, of_towers) = (&mut acts.towers, &mut grad.towers);
        self.towers
            .backward_on(mixed, towers, d_logits, d_mixed, of_towers);
        let mut d_x = Some(InputGradient::Whole(d_x));
        let (h, d_h) = self.shared.output_and_gradient(x, &mut acts.shared);
        let d_h = d_h.map_or_else(|| d_x.take(), |d_h| Some(InputGradient::ThroughRelu(d_h)));
        let d_h = d_h.unwrap_or(InputGradient::Unwanted);
        self.mixture
            .backward(h, &mut acts.mixture, d_h, &mut grad.mixture);
        let d_x = d_x.unwrap_or(InputGradient::Unwanted);
        self.shared.backward(x, &mut acts.shared, d_x, &mut grad.shared);
    }

    /// Its dense layers in the order of their names.
    pub(crate) fn denses(&self) -> impl Iterator<Item = &Dense> {
        let before = self.shared.layers.iter().chain(self.mixture.denses());
        before.chain(self.towers.denses())
    }

    /// The same, to change.
    pub(crate) fn denses_mut(&mut self) -> impl Iterator<Item = &mut Dense> {
        let before = self.shared.layers.iter_mut().chain(self.mixture.denses_mut());
        before.chain(self.towers.denses_mut())
    }

    /// What its dense layers are called.
    pub(crate) fn names(&self) -> Vec<LayerName> {
        let mut out = Vec::new();
        self.shared.names("shared", &mut out);
        self.mixture.names(&mut out);
        self.towers.names(&mut out);
        out
    }
}
