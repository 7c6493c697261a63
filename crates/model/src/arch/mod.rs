//! Architectures of the main tower: one file each, forward in the order of the paper's figure, backward mirroring it.
//!
//! In: the network's input `[batch, width]`. Out: one logit per objective.

mod cgc;
mod mixture;
mod mmoe;
mod omoe;
mod ple;
mod shared_bottom;
mod single_task;
mod snr;
mod stack;
mod towers;

use nn::{ConcreteDraws, Dense, GateDropout, Mat, MatMut, Precision, Route};
use rand_chacha::ChaCha8Rng;
use spec::{Architecture, Spec};

pub use cgc::Level;
pub use mixture::Mixture;
pub use mmoe::{Mmoe, MmoeActivations};
pub use omoe::{Omoe, OmoeActivations};
pub use ple::{Ple, PleActivations};
pub use shared_bottom::{SharedBottom, SharedBottomActivations};
pub use single_task::{SingleTask, SingleTaskActivations};
pub use snr::{Snr, SnrActivations};
pub use stack::{Stack, Tower};
pub use towers::Towers;

use crate::tensors::{tensors_mut_of, tensors_of};
use crate::{Activity, Tensor, TensorMut};

/// The main tower; a gradient has the same type.
#[derive(Debug, Clone, PartialEq)]
pub enum Network {
    /// A tower of its own for each objective.
    SingleTask(SingleTask),
    /// One bottom that all towers read.
    SharedBottom(SharedBottom),
    /// One-gate mixture of experts.
    Omoe(Omoe),
    /// Multi-gate mixture of experts.
    Mmoe(Mmoe),
    /// Progressive layered extraction.
    Ple(Ple),
    /// Sub-network routing.
    Snr(Snr),
}

/// Buffers of a forward and backward pass, sized once for a largest batch.
#[derive(Debug, Clone)]
pub enum NetworkActivations {
    /// Of [`Network::SingleTask`].
    SingleTask(SingleTaskActivations),
    /// Of [`Network::SharedBottom`].
    SharedBottom(SharedBottomActivations),
    /// Of [`Network::Omoe`].
    Omoe(Box<OmoeActivations>),
    /// Of [`Network::Mmoe`].
    Mmoe(Box<MmoeActivations>),
    /// Of [`Network::Ple`].
    Ple(PleActivations),
    /// Of [`Network::Snr`].
    Snr(SnrActivations),
}

/// What training draws within a network; a network that serves draws nothing.
#[derive(Debug, Clone, Copy)]
pub struct NetworkDraws<'a> {
    /// Of softmax gates, for each example.
    pub gate_dropout: Option<GateDropout<'a>>,
    /// Of the gates of sub-network routing, for each step.
    pub connections: ConcreteDraws,
}

/// `$run` with `$network` as whichever architecture it is.
macro_rules! whichever {
    ($of:expr, $network:ident => $run:expr) => {
        match $of {
            Network::SingleTask($network) => $run,
            Network::SharedBottom($network) => $run,
            Network::Omoe($network) => $run,
            Network::Mmoe($network) => $run,
            Network::Ple($network) => $run,
            Network::Snr($network) => $run,
        }
    };
}

impl Network {
    /// Random weights for an input of `width` columns.
    pub fn new(spec: &Spec, width: usize, rng: &mut ChaCha8Rng) -> Network {
        let model = &spec.model;
        match (model.architecture, &model.experts, &model.subnetworks) {
            (Architecture::SingleTask, ..) => Network::SingleTask(SingleTask::new(spec, width, rng)),
            (Architecture::Omoe, Some(experts), _) => Network::Omoe(Omoe::new(spec, experts, width, rng)),
            (Architecture::Mmoe, Some(experts), _) => Network::Mmoe(Mmoe::new(spec, experts, width, rng)),
            (Architecture::Ple, Some(experts), _) => Network::Ple(Ple::new(spec, experts, width, rng)),
            (Architecture::SnrTrans, _, Some(nets)) => {
                Network::Snr(Snr::new(spec, nets, Route::Beside, width, rng))
            }
            (Architecture::SnrAver, _, Some(nets)) => {
                Network::Snr(Snr::new(spec, nets, Route::Sum, width, rng))
            }
            _ => Network::SharedBottom(SharedBottom::new(spec, width, rng)),
        }
    }

    /// The same shapes, all zeros.
    pub fn zeros_like(&self) -> Network {
        match self {
            Network::SingleTask(network) => Network::SingleTask(network.zeros_like()),
            Network::SharedBottom(network) => Network::SharedBottom(network.zeros_like()),
            Network::Omoe(network) => Network::Omoe(network.zeros_like()),
            Network::Mmoe(network) => Network::Mmoe(network.zeros_like()),
            Network::Ple(network) => Network::Ple(network.zeros_like()),
            Network::Snr(network) => Network::Snr(network.zeros_like()),
        }
    }

    /// Buffers for up to `batch` examples, and how products read their factors.
    pub fn activations(&self, batch: usize, precision: Precision) -> NetworkActivations {
        use NetworkActivations as Acts;
        match self {
            Network::SingleTask(network) => Acts::SingleTask(network.activations(batch, precision)),
            Network::SharedBottom(network) => Acts::SharedBottom(network.activations(batch, precision)),
            Network::Omoe(network) => Acts::Omoe(Box::new(network.activations(batch, precision))),
            Network::Mmoe(network) => Acts::Mmoe(Box::new(network.activations(batch, precision))),
            Network::Ple(network) => Acts::Ple(network.activations(batch, precision)),
            Network::Snr(network) => Acts::Snr(network.activations(batch, precision)),
        }
    }

    /// Logits per objective `[batch]` of an input `[batch, width]`.
    pub fn forward(
        &self,
        input: Mat,
        draws: Option<&NetworkDraws>,
        acts: &mut NetworkActivations,
        logits: &mut [Vec<f32>],
    ) {
        use NetworkActivations as Acts;
        let dropout = draws.and_then(|draws| draws.gate_dropout.as_ref());
        match (self, acts) {
            (Network::SingleTask(network), Acts::SingleTask(acts)) => network.forward(input, acts, logits),
            (Network::SharedBottom(network), Acts::SharedBottom(acts)) => {
                network.forward(input, acts, logits)
            }
            (Network::Omoe(network), Acts::Omoe(acts)) => network.forward(input, dropout, acts, logits),
            (Network::Mmoe(network), Acts::Mmoe(acts)) => network.forward(input, dropout, acts, logits),
            (Network::Ple(network), Acts::Ple(acts)) => network.forward(input, dropout, acts, logits),
            (Network::Snr(network), Acts::Snr(acts)) => {
                network.forward(input, draws.map(|draws| draws.connections), acts, logits)
            }
            _ => unreachable!("activations come from the same network"),
        }
    }

    /// Counts the active units, and the gates' shares, of the last forward over `batch` rows.
    pub(crate) fn count(&self, batch: usize, acts: &NetworkActivations, activity: &mut Activity) {
        use NetworkActivations as Acts;
        match (self, acts) {
            (Network::SingleTask(network), Acts::SingleTask(acts)) => network.count(batch, acts, activity),
            (Network::SharedBottom(network), Acts::SharedBottom(acts)) => {
                network.count(batch, acts, activity)
            }
            (Network::Omoe(network), Acts::Omoe(acts)) => network.count(batch, acts, activity),
            (Network::Mmoe(network), Acts::Mmoe(acts)) => network.count(batch, acts, activity),
            (Network::Ple(network), Acts::Ple(acts)) => network.count(batch, acts, activity),
            (Network::Snr(network), Acts::Snr(acts)) => network.count(batch, acts, activity),
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
        use NetworkActivations as Acts;
        match (self, acts, grad) {
            (Network::SingleTask(network), Acts::SingleTask(acts), Network::SingleTask(grad)) => {
                network.backward(input, acts, d_logits, d_input, grad)
            }
            (Network::SharedBottom(network), Acts::SharedBottom(acts), Network::SharedBottom(grad)) => {
                network.backward(input, acts, d_logits, d_input, grad)
            }
            (Network::Omoe(network), Acts::Omoe(acts), Network::Omoe(grad)) => {
                network.backward(input, acts, d_logits, d_input, grad)
            }
            (Network::Mmoe(network), Acts::Mmoe(acts), Network::Mmoe(grad)) => {
                network.backward(input, acts, d_logits, d_input, grad)
            }
            (Network::Ple(network), Acts::Ple(acts), Network::Ple(grad)) => {
                network.backward(input, acts, d_logits, d_input, grad)
            }
            (Network::Snr(network), Acts::Snr(acts), Network::Snr(grad)) => {
                network.backward(input, acts, d_logits, d_input, grad)
            }
            _ => unreachable!("activations and gradient come from the same network"),
        }
    }

    /// What stands beside the losses of the examples: the penalty of open connections.
    pub fn penalty(&self) -> f64 {
        match self {
            Network::Snr(network) => network.penalty(),
            _ => 0.0,
        }
    }

    /// **Adds** the gradient of [`Network::penalty`].
    pub(crate) fn penalise(&self, grad: &mut Network) {
        if let (Network::Snr(network), Network::Snr(grad)) = (self, grad) {
            network.penalise(grad);
        }
    }

    /// Dense layer `at` in the order of [`Network::tensors`]; `None` past the last.
    pub fn dense(&self, at: usize) -> Option<&Dense> {
        whichever!(self, network => network.denses().nth(at))
    }

    /// The same, to change.
    pub fn dense_mut(&mut self, at: usize) -> Option<&mut Dense> {
        whichever!(self, network => network.denses_mut().nth(at))
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
        whichever!(self, network => network.denses_mut().for_each(run));
    }

    /// Named weights in a fixed order.
    pub fn tensors(&self) -> Vec<Tensor<'_>> {
        whichever!(self, network => tensors_of(network.names(), network.denses()))
    }

    /// The same weights in the same order, to change.
    pub fn tensors_mut(&mut self) -> Vec<TensorMut<'_>> {
        whichever!(self, network => tensors_mut_of(network.names(), network.denses_mut()))
    }

    /// The towers, one per objective.
    pub fn towers_mut(&mut self) -> &mut [Tower] {
        whichever!(self, network => &mut network.towers.towers)
    }
}

/// `to += from`, of the same shape.
fn add(from: Mat, to: &mut MatMut) {
    for row in 0..from.rows() {
        for (to, from) in to.row_mut(row).iter_mut().zip(from.row(row)) {
            *to += from;
        }
    }
}
