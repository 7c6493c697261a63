//! One shard of a step: a part of the batch that goes forward and back on its own buffers, on one thread.

use nn::{
    Dropout, GateDropout, Mat, MatMut, Precision, binary_loss, draw, squared_loss, weighted_logistic_loss,
};
use spec::Loss;

use super::StepKeys;
use crate::shallow_tower::POSITION_LAYER;
use crate::{Encoded, Network, NetworkActivations, Ranker, ShallowTower};

const INPUT_LAYER: u32 = 1;
const GATE_LAYER: u32 = 2;
const NEGATIVE_LAYER: u32 = 4;

/// Buffers of a shard, sized once, and what it found.
#[derive(Debug)]
pub(crate) struct Shard {
    /// Its part of the batch.
    pub(crate) batch: Encoded,
    /// `[examples, width]`: the gradient of the network's input.
    pub(crate) d_input: Vec<f32>,
    /// Gradient of the main tower.
    pub(crate) network: Network,
    /// Gradient of the shallow tower.
    pub(crate) shallow: Option<ShallowTower>,
    /// Per objective: its loss, summed.
    pub(crate) losses: Vec<f64>,
    /// Per objective, `[examples]`.
    pub(crate) logits: Vec<Vec<f32>>,
    input: Vec<f32>,
    acts: NetworkActivations,
    d_logits: Vec<Vec<f32>>,
    positions: Vec<u32>,
    targets: Vec<f32>,
}

impl Shard {
    /// Buffers for up to `capacity` examples.
    pub(crate) fn new(ranker: &Ranker, capacity: usize, precision: Precision) -> Shard {
        let objectives = ranker.spec().objectives.len();
        let width = ranker.encoder.plan().width();
        Shard {
            batch: Encoded::default(),
            d_input: vec![0.0; capacity * width],
            network: ranker.weights.network.zeros_like(),
            shallow: ranker.weights.shallow.as_ref().map(ShallowTower::zeros_like),
            losses: vec![0.0; objectives],
            logits: vec![vec![0.0; capacity]; objectives],
            input: Vec::with_capacity(capacity * width),
            acts: ranker.weights.network.activations(capacity, precision),
            d_logits: vec![vec![0.0; capacity]; objectives],
            positions: Vec::with_capacity(capacity),
            targets: Vec::with_capacity(capacity),
        }
    }

    /// Computes the shard's part of the gradient of the mean over `whole` examples; `rows` are what each embedded field reads.
    pub(crate) fn run<'a>(
        &mut self,
        ranker: &Ranker,
        keys: StepKeys,
        whole: usize,
        rows: impl Fn(usize) -> &'a [u32],
    ) {
        self.network.clear();
        let shallow = self.shallow.iter_mut().flat_map(|shallow| &mut shallow.weight);
        shallow.for_each(|weight| weight.fill(0.0));
        self.losses.fill(0.0);
        if self.batch.len == 0 {
            return;
        }
        self.forward(ranker, keys, rows);
        self.lose(ranker, keys, whole);
        self.backward(ranker, keys);
    }

    fn forward<'a>(&mut self, ranker: &Ranker, keys: StepKeys, rows: impl Fn(usize) -> &'a [u32]) {
        let batch = &self.batch;
        let (spec, width) = (ranker.spec(), ranker.encoder.plan().width());
        ranker.gather(batch, 0..batch.len, rows, &mut self.input);
        if let Some(dropout) = input_dropout(ranker, batch, keys) {
            dropout.apply(MatMut::new(&mut self.input, batch.len, width));
        }
        let gate_dropout = (spec.model.gate_dropout > 0.0).then_some(GateDropout {
            probability: spec.model.gate_dropout,
            seed: keys.seed(),
            layer: GATE_LAYER,
            examples: &batch.keys,
        });
        let x = Mat::new(&self.input, batch.len, width);
        let network = &ranker.weights.network;
        network.forward(x, gate_dropout.as_ref(), &mut self.acts, &mut self.logits);
        if let (Some(shallow), Some(bias)) = (&ranker.weights.shallow, &spec.bias) {
            draw_positions(batch, bias.position_dropout, keys.seed(), &mut self.positions);
            shallow.forward(batch, &self.positions, &mut self.logits);
        }
    }

    /// Writes the losses, and d_logits of the mean over the whole batch of the weighted losses.
    fn lose(&mut self, ranker: &Ranker, keys: StepKeys, whole: usize) {
        let batch = &self.batch;
        for (at, objective) in ranker.spec().objectives.iter().enumerate() {
            let targets = &mut self.targets;
            ranker.encoder.write_targets(batch, at, targets);
            if objective.keep_negatives < 1.0 {
                drop_negatives(batch, at, objective.keep_negatives, keys.seed(), targets);
            }
            let scale = objective.loss_weight / whole as f32;
            let logits = &self.logits[at][..batch.len];
            let d_logits = &mut self.d_logits[at][..batch.len];
            let weights = &batch.weights;
            self.losses[at] = match objective.loss {
                Loss::Binary => binary_loss(logits, targets, weights, scale, d_logits),
                Loss::Squared => squared_loss(logits, targets, weights, objective.clip, scale, d_logits),
                Loss::WatchFraction | Loss::WatchQuantile => {
                    squared_loss(logits, targets, weights, Some((0.0, 1.0)), scale, d_logits)
                }
                Loss::WeightedLogistic => weighted_logistic_loss(logits, targets, weights, scale, d_logits),
            };
        }
    }

    fn backward(&mut self, ranker: &Ranker, keys: StepKeys) {
        let (batch, width) = (&self.batch, ranker.encoder.plan().width());
        let mut d_x = MatMut::new(&mut self.d_input, batch.len, width);
        planted!(d_x.fill(0.0), "gradient: d_x not cleared" => ());
        let x = Mat::new(&self.input, batch.len, width);
        let network = &ranker.weights.network;
        network.backward(
            x,
            &mut self.acts,
            &self.d_logits,
            d_x.reborrow(),
            &mut self.network,
        );
        if let (Some(shallow), Some(grad)) = (&ranker.weights.shallow, &mut self.shallow) {
            shallow.backward(batch, &self.positions, &self.d_logits, grad);
        }
        if let Some(dropout) = input_dropout(ranker, batch, keys) {
            planted!(dropout.backward(d_x), "gradient: input drop-out forgotten" => ());
        }
    }
}

fn input_dropout<'a>(ranker: &Ranker, batch: &'a Encoded, keys: StepKeys) -> Option<Dropout<'a>> {
    let probability = ranker.spec().model.input_dropout;
    (probability > 0.0).then_some(Dropout {
        probability,
        seed: keys.seed(),
        layer: INPUT_LAYER,
        examples: &batch.keys,
    })
}

/// Makes all but a share `keep` of the targets 0 "not observed".
pub(super) fn drop_negatives(batch: &Encoded, objective: usize, keep: f32, seed: u64, targets: &mut [f32]) {
    for (target, &key) in targets.iter_mut().zip(&batch.keys) {
        if *target == 0.0 && draw(seed, key, NEGATIVE_LAYER, objective as u32) >= keep {
            *target = f32::NAN;
        }
    }
}

/// Positions with a share of them missing.
pub(super) fn draw_positions(batch: &Encoded, dropout: f32, seed: u64, positions: &mut Vec<u32>) {
    positions.clear();
    positions.extend(batch.positions.iter().zip(&batch.keys).map(|(&position, &key)| {
        let dropped = dropout > 0.0 && draw(seed, key, POSITION_LAYER, 0) < dropout;
        if dropped { 0 } else { position }
    }));
}
