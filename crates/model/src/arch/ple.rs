//! Progressive layered extraction (Tang et al., RecSys 2020, figures 4 and 5); with one level it is customised gate control, CGC.
//!
//! ```text
//! h               = shared(x)                                        [batch, H];  q_k = q_s = h for the first level
//! own_k, common   = m experts over q_k, s experts over q_s           [batch, m, W], [batch, s, W]
//! g_k             = softmax(q_k · G_k) over [own_k, common]           [batch, m + s] per objective
//! g_s             = softmax(q_s · G_s) over [own_1 .. own_K, common]  [batch, K m + s], not at the top
//! q_k, q_s        = what g_k and g_s mix                             [batch, W] each, for the next level
//! logit_k         = tower_k(q_k), of the top                         [batch] per objective
//! ```

use nn::{Dense, GateDropout, InputGradient, Mat, MatMut, Precision, relu_backward};
use rand_chacha::ChaCha8Rng;
use spec::Spec;

use super::cgc::{Level, LevelActivations};
use super::stack::{Stack, StackActivations};
use super::towers::{Towers, TowersActivations};
use crate::Activity;
use crate::tensors::LayerName;

/// Weights of the network; a gradient has the same type.
#[derive(Debug, Clone, PartialEq)]
pub struct Ple {
    /// Shared layers; may be none.
    pub shared: Stack,
    /// From the input up, at least one.
    pub levels: Vec<Level>,
    /// One tower per objective.
    pub towers: Towers,
}

/// Buffers of a [`Ple`].
#[derive(Debug, Clone)]
pub struct PleActivations {
    shared: StackActivations,
    levels: Vec<LevelActivations>,
    towers: TowersActivations,
}

impl Ple {
    /// Random weights for an input of `width` columns.
    pub fn new(spec: &Spec, experts: &spec::Experts, width: usize, rng: &mut ChaCha8Rng) -> Ple {
        let shared = Stack::new(width, &spec.model.shared, rng);
        let mut inputs = shared.output_width(width);
        let objectives: Vec<&str> = spec.objectives.iter().map(|objective| &*objective.name).collect();
        let levels = (0..experts.levels).map(|at| {
            let level = Level::new(&objectives, experts, at, inputs, rng);
            inputs = level.width();
            level
        });
        let levels = levels.collect();
        let towers = Towers::new(spec, inputs, rng);
        Ple {
            shared,
            levels,
            towers,
        }
    }

    /// The same shapes, all zeros.
    pub fn zeros_like(&self) -> Ple {
        Ple {
            shared: self.shared.zeros_like(),
            levels: self.levels.iter().map(Level::zeros_like).collect(),
            towers: self.towers.zeros_like(),
        }
    }

    /// Buffers for up to `batch` examples, and how products read their factors.
    pub fn activations(&self, batch: usize, precision: Precision) -> PleActivations {
        let levels = self.levels.iter();
        PleActivations {
            shared: self.shared.activations(batch, precision),
            levels: levels.map(|level| level.activations(batch, precision)).collect(),
            towers: self.towers.activations(batch, precision),
        }
    }

    /// Writes logits per objective `[batch]`.
    pub fn forward(
        &self,
        x: Mat,
        gate_dropout: Option<&GateDropout>,
        acts: &mut PleActivations,
        logits: &mut [Vec<f32>],
    ) {
        let batch = x.rows();
        self.shared.forward(x, &mut acts.shared);
        let h = self.shared.output(x, &acts.shared);
        for (at, level) in self.levels.iter().enumerate() {
            let (below, here) = acts.levels.split_at_mut(at);
            let read = below.last().map_or(h, |below| below.mixed(batch));
            level.forward(read, gate_dropout, &mut here[0]);
        }
        let top = acts.levels.last().map_or(h, |top| top.mixed(batch));
        self.towers.forward_each(top, &mut acts.towers, logits);
    }

    /// Counts the active units and the top gates' shares of the last forward over `batch` rows. Experts are numbered from the
    /// first objective's own to the shared ones; a gate has a share of 0 of the experts that are not its objective's.
    pub(crate) fn count(&self, batch: usize, acts: &PleActivations, activity: &mut Activity) {
        self.shared.count("shared", None, batch, &acts.shared, activity);
        for (at, (level, acts)) in self.levels.iter().zip(&acts.levels).enumerate() {
            let top = at + 1 == self.levels.len();
            level.count_units((!top).then_some(at + 1), batch, acts, activity);
            if top {
                level.count_gates(batch, acts, activity);
            }
        }
        self.towers.count_units(batch, &acts.towers, activity);
    }

    /// **Adds** to `grad` and **writes** `d_x` `[batch, width]`; `acts` are those of the forward of `x`, with or without drop-out;
    /// d_logits per objective `[batch]`.
    pub fn backward(
        &self,
        x: Mat,
        acts: &mut PleActivations,
        d_logits: &[Vec<f32>],
        d_x: MatMut,
        grad: &mut Ple,
    ) {
        let batch = x.rows();
        if let Some(top) = acts.levels.last_mut() {
            let (mixed, d_mixed) = top.mixed_and_gradient(batch);
            let (towers, of_towers) = (&mut acts.towers, &mut grad.towers);
            self.towers
                .backward_each(mixed, towers, d_logits, d_mixed, of_towers);
        }
        let mut d_x = Some(d_x);
        let (h, d_h) = self.shared.output_and_gradient(x, &mut acts.shared);
        let mut d_h = d_h.or_else(|| d_x.take());
        for (at, (level, grad)) in self.levels.iter().zip(&mut grad.levels).enumerate().rev() {
            let (below, here) = acts.levels.split_at_mut(at);
            match (below.last_mut(), d_h.take()) {
                (Some(below), of_h) => {
                    let (read, d_read) = below.mixed_and_gradient(batch);
                    level.backward(read, &mut here[0], d_read, grad);
                    d_h = of_h;
                }
                (None, Some(mut of_h)) => {
                    level.backward(h, &mut here[0], of_h.reborrow(), grad);
                    if !self.shared.layers.is_empty() {
                        planted!(relu_backward(h, of_h), "ple: no ReLU" => ());
                    }
                }
                (None, None) => {}
            }
        }
        let d_x = d_x.map_or(InputGradient::Unwanted, InputGradient::Whole);
        self.shared.backward(x, &mut acts.shared, d_x, &mut grad.shared);
    }

    /// Its dense layers in the order of their names.
    pub(crate) fn denses(&self) -> impl Iterator<Item = &Dense> {
        let levels = self.levels.iter().flat_map(Level::denses);
        self.shared
            .layers
            .iter()
            .chain(levels)
            .chain(self.towers.denses())
    }

    /// The same, to change.
    pub(crate) fn denses_mut(&mut self) -> impl Iterator<Item = &mut Dense> {
        let levels = self.levels.iter_mut().flat_map(Level::denses_mut);
        let before = self.shared.layers.iter_mut().chain(levels);
        before.chain(self.towers.denses_mut())
    }

    /// What its dense layers are called.
    pub(crate) fn names(&self) -> Vec<LayerName> {
        let mut out = Vec::new();
        self.shared.names("shared", &mut out);
        for (at, level) in self.levels.iter().enumerate() {
            level.names(at, &mut out);
        }
        self.towers.names(&mut out);
        out
    }
}
