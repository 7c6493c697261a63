//! One training step's gradient: draws of drop-out, forward, losses, backward.
//!
//! In: an encoded batch and the keys of its draws. Out: the summed loss per objective, and [`Gradients`] of the mean over the
//! batch of all objectives' weighted losses, each example's times its own weight. Nothing is updated here but the admission of ids.

use nn::{
    Bags, Dropout, GateDropout, Mat, MatMut, SparseGrad, binary_loss, draw, squared_loss,
    weighted_logistic_loss,
};
use spec::Loss;

use crate::shallow_tower::POSITION_LAYER;
use crate::{Encoded, IdTable, Network, NetworkActivations, Ranker, ShallowTower};

const INPUT_LAYER: u32 = 1;
const GATE_LAYER: u32 = 2;
const NEGATIVE_LAYER: u32 = 4;
/// The first id field's layer number; the others follow.
const ID_LAYER: u32 = 16;

/// Keys of a step's draws: a draw depends on them and on the example's own key, not on threads or batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepKeys {
    /// The training seed.
    pub seed: u64,
    /// Which pass over the data it is, so that an example draws anew each time.
    pub pass: u64,
    /// Whether these examples are met for the first time: only then do sightings count.
    pub first_pass: bool,
}

impl StepKeys {
    /// The seed of this pass's draws.
    fn seed(self) -> u64 {
        self.seed ^ self.pass.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// Gradients of all weights.
#[derive(Debug)]
pub struct Gradients {
    /// One per `Spec::tables`.
    pub tables: Vec<SparseGrad>,
    /// Of the main tower.
    pub network: Network,
    /// Of the shallow tower.
    pub shallow: Option<ShallowTower>,
}

impl Gradients {
    /// Zeros for the weights of `ranker`.
    pub fn new(ranker: &Ranker) -> Gradients {
        let tables = &ranker.weights.tables;
        Gradients {
            tables: tables
                .iter()
                .map(|t| SparseGrad::new(t.embedding.rows, t.embedding.dim))
                .collect(),
            network: ranker.weights.network.zeros_like(),
            shallow: ranker.weights.shallow.as_ref().map(ShallowTower::zeros_like),
        }
    }

    /// Back to zeros, as a step begins.
    fn clear(&mut self) {
        self.tables.iter_mut().for_each(SparseGrad::clear);
        self.network
            .tensors_mut()
            .into_iter()
            .for_each(|tensor| tensor.values.fill(0.0));
        self.shallow
            .iter_mut()
            .flat_map(|shallow| &mut shallow.weight)
            .for_each(|weight| weight.fill(0.0));
    }
}

/// Buffers of a step, sized once.
#[derive(Debug)]
pub struct TrainWorkspace {
    input: Vec<f32>,
    d_input: Vec<f32>,
    acts: NetworkActivations,
    logits: Vec<Vec<f32>>,
    d_logits: Vec<Vec<f32>>,
    rows: Vec<Vec<u32>>,
    positions: Vec<u32>,
    targets: Vec<f32>,
}

impl TrainWorkspace {
    /// Buffers for batches of up to `batch` examples.
    pub fn new(ranker: &Ranker, batch: usize) -> TrainWorkspace {
        let objectives = ranker.spec().objectives.len();
        let width = ranker.encoder.plan().width();
        TrainWorkspace {
            input: Vec::with_capacity(batch * width),
            d_input: vec![0.0; batch * width],
            acts: ranker.weights.network.activations(batch),
            logits: vec![vec![0.0; batch]; objectives],
            d_logits: vec![vec![0.0; batch]; objectives],
            rows: vec![Vec::new(); ranker.encoder.plan().ids.len()],
            positions: Vec::with_capacity(batch),
            targets: Vec::with_capacity(batch),
        }
    }

    /// Logits per objective of the last step's forward, drop-out included and before any recalibration; the first `batch` are
    /// valid.
    pub fn logits(&self) -> &[Vec<f32>] {
        &self.logits
    }
}

impl Ranker {
    /// Computes the gradient of `batch` (at most the workspace's size, at least one example) and returns the summed loss per
    /// objective: each example's times its weight, without `loss_weight`. The first pass counts sightings and admits rows, hence `&mut`; no weight changes otherwise.
    pub fn gradient(
        &mut self,
        batch: &Encoded,
        keys: StepKeys,
        work: &mut TrainWorkspace,
        gradients: &mut Gradients,
    ) -> Vec<f64> {
        gradients.clear();
        self.draw_rows(batch, keys, &mut work.rows);
        for (gradient, table) in gradients.tables.iter_mut().zip(&self.weights.tables) {
            gradient.reserve_rows(table.embedding.rows);
        }
        self.gather(batch, 0..batch.len, &work.rows, &mut work.input);
        let spec = self.encoder.spec().clone();
        let width = self.encoder.plan().width();
        let input_dropout = (spec.model.input_dropout > 0.0).then_some(Dropout {
            probability: spec.model.input_dropout,
            seed: keys.seed(),
            layer: INPUT_LAYER,
            examples: &batch.keys,
        });
        let gate_dropout = (spec.model.gate_dropout > 0.0).then_some(GateDropout {
            probability: spec.model.gate_dropout,
            seed: keys.seed(),
            layer: GATE_LAYER,
            examples: &batch.keys,
        });
        if let Some(dropout) = &input_dropout {
            dropout.apply(MatMut::new(&mut work.input, batch.len, width));
        }
        let x = Mat::new(&work.input, batch.len, width);

        self.weights
            .network
            .forward(x, gate_dropout.as_ref(), &mut work.acts, &mut work.logits);
        if let (Some(shallow), Some(bias)) = (&self.weights.shallow, &spec.bias) {
            draw_positions(batch, bias.position_dropout, keys.seed(), &mut work.positions);
            shallow.forward(batch, &work.positions, &mut work.logits);
        }
        let losses = self.losses(batch, keys, &work.logits, &mut work.targets, &mut work.d_logits);

        let mut d_x = MatMut::new(&mut work.d_input, batch.len, width);
        planted!(d_x.fill(0.0), "gradient: d_x not cleared" => ());
        self.weights.network.backward(
            x,
            &mut work.acts,
            &work.d_logits,
            d_x.reborrow(),
            &mut gradients.network,
        );
        if let (Some(shallow), Some(grad)) = (&self.weights.shallow, &mut gradients.shallow) {
            shallow.backward(batch, &work.positions, &work.d_logits, grad);
        }
        if let Some(dropout) = &input_dropout {
            planted!(dropout.backward(d_x.reborrow()), "gradient: input drop-out forgotten" => ());
        }
        self.table_gradients(batch, &work.rows, d_x.as_mat(), &mut gradients.tables);
        losses
    }

    /// Writes d_logits of the mean over the batch of the weighted losses; returns the summed loss per objective. `targets` is
    /// room for one objective's.
    fn losses(
        &self,
        batch: &Encoded,
        keys: StepKeys,
        logits: &[Vec<f32>],
        targets: &mut Vec<f32>,
        d_logits: &mut [Vec<f32>],
    ) -> Vec<f64> {
        let objectives = self.spec().objectives.iter().enumerate();
        objectives
            .map(|(at, objective)| {
                self.encoder.write_targets(batch, at, targets);
                if objective.keep_negatives < 1.0 {
                    drop_negatives(batch, at, objective.keep_negatives, keys.seed(), targets);
                }
                let scale = objective.loss_weight / batch.len as f32;
                let logits = &logits[at][..batch.len];
                let d_logits = &mut d_logits[at][..batch.len];
                let weights = &batch.weights;
                match objective.loss {
                    Loss::Binary => binary_loss(logits, targets, weights, scale, d_logits),
                    Loss::Squared => squared_loss(logits, targets, weights, objective.clip, scale, d_logits),
                    Loss::WatchFraction | Loss::WatchQuantile => {
                        squared_loss(logits, targets, weights, Some((0.0, 1.0)), scale, d_logits)
                    }
                    Loss::WeightedLogistic => {
                        weighted_logistic_loss(logits, targets, weights, scale, d_logits)
                    }
                }
            })
            .collect()
    }

    /// **Adds** to the tables' gradients; `rows` are those that the step read, d_x `[batch, width]`.
    fn table_gradients(&self, batch: &Encoded, rows: &[Vec<u32>], d_x: Mat, tables: &mut [SparseGrad]) {
        for ((input, encoded), rows) in self.encoder.plan().ids.iter().zip(&batch.ids).zip(rows) {
            let read = planted!(rows, "gradient: id drop-out forgotten" => &encoded.rows);
            let bags = Bags {
                offsets: &encoded.offsets,
                rows: read,
                weights: planted!(&encoded.weights, "gradient: weights of ids forgotten" => &[]),
            };
            let column = planted!(input.column, "gradient: columns of the first field" => 0);
            let pool = planted!(input.pool, "gradient: sum for mean" => nn::Pool::Sum);
            let embedding = &self.weights.tables[input.table].embedding;
            embedding.backward(
                bags,
                pool,
                d_x.columns(column, input.dim),
                &mut tables[input.table],
            );
        }
    }

    /// The rows that this step reads: `new` by id drop-out and until a row is admitted. The first pass meets ids, field after
    /// field and example after example, and gives rows to those it admits.
    fn draw_rows(&mut self, batch: &Encoded, keys: StepKeys, rows: &mut [Vec<u32>]) {
        let seed = keys.seed();
        self.weights.tables.iter_mut().for_each(IdTable::begin_step);
        let inputs = self.encoder.plan().ids.iter().zip(&batch.ids).zip(rows);
        for (field, ((input, encoded), rows)) in (0u32..).zip(inputs) {
            let table = &mut self.weights.tables[input.table];
            let new = table.new_row();
            rows.clear();
            for example in 0..batch.len {
                let bag = encoded.offsets[example] as usize..encoded.offsets[example + 1] as usize;
                for (element, at) in (0u32..).zip(bag) {
                    let read = if keys.first_pass {
                        table.meet_id(encoded, at, batch.times[example])
                    } else {
                        table.read_id(encoded, at)
                    };
                    let dropped = input.dropout > 0.0
                        && draw(seed, batch.keys[example], ID_LAYER + field, element) < input.dropout;
                    rows.push(if dropped { new } else { read });
                }
            }
        }
        self.weights.tables.iter_mut().for_each(IdTable::start_rows);
    }
}

/// Makes all but a share `keep` of the targets 0 "not observed".
fn drop_negatives(batch: &Encoded, objective: usize, keep: f32, seed: u64, targets: &mut [f32]) {
    for (target, &key) in targets.iter_mut().zip(&batch.keys) {
        if *target == 0.0 && draw(seed, key, NEGATIVE_LAYER, objective as u32) >= keep {
            *target = f32::NAN;
        }
    }
}

/// Positions with a share of them missing.
fn draw_positions(batch: &Encoded, dropout: f32, seed: u64, positions: &mut Vec<u32>) {
    positions.clear();
    positions.extend(batch.positions.iter().zip(&batch.keys).map(|(&position, &key)| {
        let dropped = dropout > 0.0 && draw(seed, key, POSITION_LAYER, 0) < dropout;
        if dropped { 0 } else { position }
    }));
}

#[cfg(test)]
mod tests;
