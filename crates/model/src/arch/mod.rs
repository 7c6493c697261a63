//! Architectures of the main tower: one file each, forward in the order of the paper's figure, backward mirroring it.
//!
//! In: the network's input `[batch, width]`. Out: one logit per objective.

mod mmoe;
mod shared_bottom;
mod stack;

use nn::{Dense, GateDropout, Mat, MatMut, Precision};
use rand_chacha::ChaCha8Rng;
use spec::{Architecture, Spec};

pub use mmoe::{Mmoe, MmoeActivations};
pub use shared_bottom::{SharedBottom, SharedBottomActivations};
pub use stack::{Stack, Tower};

use crate::{Activity, Tensor, TensorMut};

/// The main tower; a gradient has the same type.
#[derive(Debug, Clone, PartialEq)]
pub enum Network {
    /// One bottom that all towers read.
    SharedBottom(SharedBottom),
    /// Multi-gate mixture of experts.
    Mmoe(Mmoe),
}

/// Buffers of a forward and backward pass, sized once for a largest batch.
#[derive(Debug, Clone)]
pub enum NetworkActivations {
    /// Of [`Network::SharedBottom`].
    SharedBottom(SharedBottomActivations),
    /// Of [`Network::Mmoe`].
    Mmoe(Box<MmoeActivations>),
}

impl Network {
    /// Random weights for an input of `width` columns.
    pub fn new(spec: &Spec, width: usize, rng: &mut ChaCha8Rng) -> Network {
        match (spec.model.architecture, &spec.model.experts) {
            (Architecture::Mmoe, Some(experts)) => Network::Mmoe(Mmoe::new(spec, experts, width, rng)),
            _ => Network::SharedBottom(SharedBottom::new(spec, width, rng)),
        }
    }

    /// The same shapes, all zeros.
    pub fn zeros_like(&self) -> Network {
        match self {
            Network::SharedBottom(network) => Network::SharedBottom(network.zeros_like()),
            Network::Mmoe(network) => Network::Mmoe(network.zeros_like()),
        }
    }

    /// Buffers for up to `batch` examples, and how products read their factors.
    pub fn activations(&self, batch: usize, precision: Precision) -> NetworkActivations {
        match self {
            Network::SharedBottom(network) => {
                NetworkActivations::SharedBottom(SharedBottomActivations::new(network, batch, precision))
            }
            Network::Mmoe(network) => {
                NetworkActivations::Mmoe(Box::new(MmoeActivations::new(network, batch, precision)))
            }
        }
    }

    /// Logits per objective `[batch]` of an input `[batch, width]`.
    pub fn forward(
        &self,
        input: Mat,
        gate_dropout: Option<&GateDropout>,
        acts: &mut NetworkActivations,
        logits: &mut [Vec<f32>],
    ) {
        match (self, acts) {
            (Network::SharedBottom(network), NetworkActivations::SharedBottom(acts)) => {
                network.forward(input, acts, logits)
            }
            (Network::Mmoe(network), NetworkActivations::Mmoe(acts)) => {
                network.forward(input, gate_dropout, acts, logits)
            }
            _ => unreachable!("activations come from the same network"),
        }
    }

    /// Counts the active units, and the gates' shares, of the last forward over `batch` rows.
    pub(crate) fn count(&self, batch: usize, acts: &NetworkActivations, activity: &mut Activity) {
        match (self, acts) {
            (Network::SharedBottom(network), NetworkActivations::SharedBottom(acts)) => {
                network.count(batch, acts, activity)
            }
            (Network::Mmoe(network), NetworkActivations::Mmoe(acts)) => network.count(batch, acts, activity),
            _ => unreachable!("activations come from the same network"),
        }
    }

    /// **Adds** to `grad` and **writes** `d_input` `[batch, width]`; `acts` are those of the forward of `input`, with or without
    /// drop-out; d_logits per objective `[batch]`.
    pub fn backward(
        &self,
        input: Mat,
        acts: &mut NetworkActivations,
        d_logits: &[Vec<f32>],
        d_input: MatMut,
        grad: &mut Network,
    ) {
        match (self, acts, grad) {
            (
                Network::SharedBottom(network),
                NetworkActivations::SharedBottom(acts),
                Network::SharedBottom(grad),
            ) => {
                network.backward(input, acts, d_logits, d_input, grad);
            }
            (Network::Mmoe(network), NetworkActivations::Mmoe(acts), Network::Mmoe(grad)) => {
                network.backward(input, acts, d_logits, d_input, grad);
            }
            _ => unreachable!("activations and gradient come from the same network"),
        }
    }

    /// Dense layer `at` in the order of [`Network::tensors`]; `None` past the last.
    pub fn dense(&self, at: usize) -> Option<&Dense> {
        match self {
            Network::SharedBottom(network) => network.denses().nth(at),
            Network::Mmoe(network) => network.denses().nth(at),
        }
    }

    /// The same, to change.
    pub fn dense_mut(&mut self, at: usize) -> Option<&mut Dense> {
        match self {
            Network::SharedBottom(network) => network.denses_mut().nth(at),
            Network::Mmoe(network) => network.denses_mut().nth(at),
        }
    }

    /// Sets all weights to 0: the gradient of no example.
    pub(crate) fn clear(&mut self) {
        self.each_dense(|dense| {
            dense.weight.fill(0.0);
            dense.bias.fill(0.0);
        });
    }

    /// A gradient as a step begins: its first backward writes it.
    pub(crate) fn begin_gradient(&mut self) {
        self.each_dense(|dense| dense.fresh = true);
    }

    /// Calls `run` with every dense layer.
    pub(crate) fn each_dense(&mut self, run: impl FnMut(&mut Dense)) {
        match self {
            Network::SharedBottom(network) => network.denses_mut().for_each(run),
            Network::Mmoe(network) => network.denses_mut().for_each(run),
        }
    }

    /// Named weights in a fixed order.
    pub fn tensors(&self) -> Vec<Tensor<'_>> {
        match self {
            Network::SharedBottom(network) => network.tensors(),
            Network::Mmoe(network) => network.tensors(),
        }
    }

    /// The same weights in the same order, to change.
    pub fn tensors_mut(&mut self) -> Vec<TensorMut<'_>> {
        match self {
            Network::SharedBottom(network) => network.tensors_mut(),
            Network::Mmoe(network) => network.tensors_mut(),
        }
    }

    /// The towers, one per objective.
    pub fn towers_mut(&mut self) -> &mut [Tower] {
        match self {
            Network::SharedBottom(network) => &mut network.towers,
            Network::Mmoe(network) => &mut network.towers,
        }
    }
}
