//! One piece of a shard: examples that go forward and back together, through buffers that serve one piece after the other.

use nn::{
    ConcreteDraws, Dropout, GateDropout, Mat, MatMut, Precision, binary_loss, draw, entire_space_loss,
    squared_loss, weighted_logistic_loss,
};
use spec::{Bias, BiasForm, Loss, Space};

use super::rows::StepRows;
use super::shard::Sums;
use super::{Step, StepKeys, entire_space};
use crate::shallow_tower::{POSITION_LAYER, TowerActivations, is_reversible};
use crate::{Encoded, NetworkActivations, NetworkDraws, Ranker};

const INPUT_LAYER: u32 = 1;
const GATE_LAYER: u32 = 2;
const NEGATIVE_LAYER: u32 = 4;
/// And those after it, one for each layer of connections.
const CONNECTION_LAYER: u32 = 256;

/// Examples, and what their pass leaves for the tables.
#[derive(Debug)]
pub(crate) struct Piece {
    /// Which piece of the batch it is.
    pub(crate) number: usize,
    /// The examples.
    pub(crate) batch: Encoded,
    /// `[examples, width]`: the gradient of the network's input.
    pub(crate) d_input: Vec<f32>,
    /// Per objective, `[examples]`.
    pub(crate) logits: Vec<Vec<f32>>,
}

/// What a pass needs room for.
#[derive(Debug)]
pub(crate) struct Buffers {
    input: Vec<f32>,
    acts: NetworkActivations,
    d_logits: Vec<Vec<f32>>,
    positions: Vec<u32>,
    targets: Vec<f32>,
    tower: Option<TowerActivations>,
}

impl Buffers {
    /// For pieces of up to `capacity` examples.
    pub(crate) fn new(ranker: &Ranker, capacity: usize, precision: Precision) -> Buffers {
        Buffers {
            input: Vec::with_capacity(capacity * ranker.encoder.plan().width()),
            acts: ranker.weights.network.activations(capacity, precision),
            d_logits: vec![vec![0.0; capacity]; ranker.spec().objectives.len()],
            positions: Vec::with_capacity(capacity),
            targets: Vec::with_capacity(capacity),
            tower: (ranker.weights.shallow.as_ref()).map(|shallow| shallow.activations(capacity)),
        }
    }
}

impl Piece {
    /// Room for up to `capacity` examples.
    pub(crate) fn new(ranker: &Ranker, number: usize, capacity: usize) -> Piece {
        Piece {
            number,
            batch: Encoded::default(),
            d_input: vec![0.0; capacity * ranker.encoder.plan().width()],
            logits: vec![vec![0.0; capacity]; ranker.spec().objectives.len()],
        }
    }

    /// **Adds** the examples' part of the step's gradient and their losses to `sums`; writes `d_input` and `logits`.
    pub(crate) fn run(&mut self, step: Step, rows: &StepRows, buffers: &mut Buffers, sums: &mut Sums) {
        self.forward(step, rows, buffers);
        self.lose(step, buffers, sums);
        self.backward(step, buffers, sums);
    }

    fn forward(&mut self, step: Step, rows: &StepRows, buffers: &mut Buffers) {
        let Step { ranker, keys, .. } = step;
        let batch = &self.batch;
        let (spec, width) = (ranker.spec(), ranker.encoder.plan().width());
        let dropout = spec.bias.as_ref().map_or(0.0, |bias| bias.position_dropout);
        draw_positions(batch, dropout, keys.seed(), &mut buffers.positions);
        let read = |field| rows.of(field, self.number);
        let positions = Some(buffers.positions.as_slice());
        ranker.gather(batch, 0..batch.len, positions, read, &mut buffers.input);
        if let Some(dropout) = input_dropout(ranker, batch, keys) {
            dropout.apply(MatMut::new(&mut buffers.input, batch.len, width));
        }
        let draws = network_draws(ranker, batch, keys);
        let x = Mat::new(&buffers.input, batch.len, width);
        let network = &ranker.weights.network;
        network.forward(x, Some(&draws), &mut buffers.acts, &mut self.logits);
        if let (Some(shallow), Some(bias), Some(acts)) =
            (&ranker.weights.shallow, &spec.bias, &mut buffers.tower)
        {
            let dropout = (bias.output_dropout, keys.seed());
            shallow.forward_in_training(batch, &buffers.positions, dropout, acts, &mut self.logits);
        }
    }

    /// Adds the losses, and writes d_logits of the mean over the whole batch of the weighted losses.
    fn lose(&self, step: Step, buffers: &mut Buffers, sums: &mut Sums) {
        let Step { ranker, keys, whole } = step;
        let batch = &self.batch;
        for (at, objective) in ranker.spec().objectives.iter().enumerate() {
            let targets = &mut buffers.targets;
            let d_logits = &mut buffers.d_logits[at][..batch.len];
            if objective.space == Space::Entire {
                // It has no loss of its own: what it learns is added below.
                d_logits.fill(0.0);
                continue;
            }
            ranker.encoder.write_targets(batch, at, targets);
            if objective.keep_negatives < 1.0 {
                drop_negatives(batch, at, objective.keep_negatives, keys.seed(), targets);
            }
            let biased = (ranker.spec().bias.as_ref()).filter(|bias| bias.objectives.contains(&at));
            if let Some(bias) = biased.filter(|bias| bias.form == BiasForm::Ips) {
                weigh_by_propensity(batch, bias, targets);
            }
            let scale = objective.loss_weight / whole as f32;
            let logits = &self.logits[at][..batch.len];
            let weights = &batch.weights;
            sums.losses[at] += match objective.loss {
                Loss::Binary => binary_loss(logits, targets, weights, scale, d_logits),
                Loss::Squared => squared_loss(logits, targets, weights, objective.clip, scale, d_logits),
                Loss::WatchFraction | Loss::WatchQuantile => {
                    squared_loss(logits, targets, weights, Some((0.0, 1.0)), scale, d_logits)
                }
                Loss::WeightedLogistic => weighted_logistic_loss(logits, targets, weights, scale, d_logits),
            };
            if let (Some(bias), Some(shallow), Some(grad), Some(acts)) = (
                biased,
                &ranker.weights.shallow,
                &mut sums.shallow,
                &mut buffers.tower,
            ) && is_reversible(objective.loss)
                && let Some(of_tower) = bias.objectives.iter().position(|biased| *biased == at)
            {
                let read = (batch, buffers.positions.as_slice());
                shallow.reverse(
                    of_tower,
                    read,
                    targets,
                    (bias.gradient_reversal, scale),
                    acts,
                    grad,
                );
            }
        }
        self.lose_over_entire_space(step, buffers, &mut sums.losses);
    }

    /// Adds the losses of the objectives that are learned over the entire space: of each together with its conditions.
    fn lose_over_entire_space(&self, step: Step, buffers: &mut Buffers, losses: &mut [f64]) {
        let objectives = &step.ranker.spec().objectives;
        let entire = |at: &usize| objectives[*at].space == Space::Entire;
        for at in (0..objectives.len()).filter(entire) {
            let targets = &mut buffers.targets;
            entire_space::write_targets(objectives, at, &self.batch, targets);
            losses[at] += entire_space_loss(
                entire_space::chain(objectives, at),
                &self.logits,
                targets,
                &self.batch.weights,
                objectives[at].loss_weight / step.whole as f32,
                &mut buffers.d_logits,
            );
        }
    }

    fn backward(&mut self, step: Step, buffers: &mut Buffers, sums: &mut Sums) {
        let Step { ranker, keys, whole } = step;
        let (batch, width) = (&self.batch, ranker.encoder.plan().width());
        let d_logits = &mut buffers.d_logits;
        if let (Some(shallow), Some(grad), Some(acts)) =
            (&ranker.weights.shallow, &mut sums.shallow, &buffers.tower)
        {
            shallow.backward(batch, &buffers.positions, acts, d_logits, grad);
        }
        if let (Some(adversary), Some(grad), Some(bias)) = (
            &ranker.weights.adversary,
            &mut sums.adversary,
            &ranker.spec().bias,
        ) {
            let strength = (bias.adversarial, 1.0 / whole as f32);
            adversary.run(batch, &self.logits, strength, d_logits, grad);
        }
        let mut d_x = MatMut::new(&mut self.d_input, batch.len, width);
        let x = Mat::new(&buffers.input, batch.len, width);
        let network = &ranker.weights.network;
        network.backward(
            x,
            &mut buffers.acts,
            &buffers.d_logits,
            d_x.reborrow(),
            &mut sums.network,
        );
        if let Some(dropout) = input_dropout(ranker, batch, keys) {
            planted!(dropout.backward(d_x), "gradient: input drop-out forgotten" => ());
        }
    }
}

fn network_draws<'a>(ranker: &Ranker, batch: &'a Encoded, keys: StepKeys) -> NetworkDraws<'a> {
    let probability = ranker.spec().model.gate_dropout;
    NetworkDraws {
        gate_dropout: (probability > 0.0).then_some(GateDropout {
            probability,
            seed: keys.seed(),
            layer: GATE_LAYER,
            examples: &batch.keys,
        }),
        connections: ConcreteDraws {
            seed: keys.seed,
            step: keys.step,
            layer: CONNECTION_LAYER,
        },
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

/// Divides targets by the probability that their impression was examined: over many impressions, a label counts as often as if all had
/// been (the inverse-propensity estimate of Wang et al., WSDM 2018, point by point). The quotient is at most the declared clip.
pub(super) fn weigh_by_propensity(batch: &Encoded, bias: &Bias, targets: &mut [f32]) {
    for (target, &propensity) in targets.iter_mut().zip(&batch.propensities) {
        *target /= propensity.max(1.0 / bias.propensity_clip);
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
