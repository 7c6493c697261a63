//! One training step's gradient: draws of drop-out, forward, losses, backward.
//!
//! In: encoded examples and the keys of their draws. Out: the summed loss per objective, and [`Gradients`] of the mean over the
//! batch of all objectives' weighted losses, each example's times its own weight. Nothing is updated here but the admission of ids.
//!
//! A batch is cut into [`SHARDS`] contiguous shards, each computed by itself; their gradients are summed as a fixed tree, those of
//! tables in the order of the batch. So the same batch gives the same bits on any number of threads. A shard is cut into pieces,
//! which go forward and back one after the other, so that what a thread works on stays in its caches.

mod entire_space;
mod piece;
mod rows;
mod shard;

use std::sync::Arc;
use std::time::{Duration, Instant};

use nn::{Bags, Mat, Precision, SparseGrad, Threads};

use self::piece::{Buffers, Piece};
use self::rows::StepRows;
use self::shard::Shard;
use crate::weights::{bias_parts, bias_parts_mut};
use crate::{Adversary, Encoded, Network, Ranker, ShallowTower};

/// Shards of a batch.
pub const SHARDS: usize = 4;

/// Fewest and most examples of a piece.
const PIECE: (usize, usize) = (128, 512);

/// Most examples of a piece of a network with so many weights. Each piece reads all weights and adds to all of their gradients, which
/// asks for large ones; what it works on grows with it, which asks for small ones. Measured: 128 is best for 0.43 million weights, 512
/// for 5.7.
fn piece_of(weights: usize) -> usize {
    (weights.isqrt() / 5).clamp(PIECE.0, PIECE.1)
}

/// Weights of the layers of `network`.
fn weights_of(network: &Network) -> usize {
    let layers = (0..).map_while(|at| network.dense(at));
    layers.map(|layer| layer.weight.len()).sum()
}

/// Pieces of a shard of batches of up to `batch` examples, of a network with so many weights.
fn pieces_of(batch: usize, weights: usize) -> usize {
    batch.div_ceil(SHARDS).max(1).div_ceil(piece_of(weights))
}

/// Most examples of such a piece.
pub(crate) fn piece_rows(batch: usize, weights: usize) -> usize {
    batch.div_ceil(SHARDS).max(1).div_ceil(pieces_of(batch, weights))
}

/// What the shards of a step have in common.
#[derive(Clone, Copy)]
struct Step<'a> {
    ranker: &'a Ranker,
    keys: StepKeys,
    /// Examples of the whole batch: the gradient is that of their mean.
    whole: usize,
}

/// Keys of a step's draws: a draw depends on them and on the example's own key, not on threads or batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepKeys {
    /// The training seed.
    pub seed: u64,
    /// Which pass over the data it is, so that an example draws anew each time.
    pub pass: u64,
    /// How many steps were taken before: a draw for the whole step depends on it.
    pub step: u64,
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
    /// Of the adversary: that of its own loss.
    pub adversary: Option<Adversary>,
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
            adversary: ranker.weights.adversary.as_ref().map(Adversary::zeros_like),
        }
    }

    /// Those of [`Weights::bias_parts`](crate::Weights::bias_parts).
    pub fn bias_parts(&self) -> impl Iterator<Item = &[f32]> {
        bias_parts(&self.shallow, &self.adversary)
    }
}

/// Buffers of a step, sized once, and the threads that share it.
#[derive(Debug)]
pub struct TrainWorkspace {
    /// One for each thread; their shards, one after the other, are those of the batch.
    workers: Vec<Worker>,
    /// Pieces of each shard.
    pieces: usize,
    rows: StepRows,
    threads: Arc<Threads>,
    precision: Precision,
    losses: Vec<f64>,
    times: [Duration; 4],
}

impl TrainWorkspace {
    /// Buffers for batches of up to `batch` examples, in `f32` on the caller's thread.
    pub fn new(ranker: &Ranker, batch: usize) -> TrainWorkspace {
        TrainWorkspace::with(ranker, batch, Precision::F32, Arc::default())
    }

    /// The same for products that read their factors in `precision`, on `threads`.
    pub fn with(
        ranker: &Ranker,
        batch: usize,
        precision: Precision,
        threads: Arc<Threads>,
    ) -> TrainWorkspace {
        let weights = weights_of(&ranker.weights.network);
        let (pieces, in_piece) = (pieces_of(batch, weights), piece_rows(batch, weights));
        let count = threads.count().min(SHARDS);
        let worker = |at: usize| Worker {
            shards: (at * SHARDS / count..(at + 1) * SHARDS / count)
                .map(|shard| Shard::new(ranker, shard, pieces, in_piece))
                .collect(),
            buffers: Buffers::new(ranker, in_piece, precision),
        };
        let tables = ranker.weights.tables.len();
        TrainWorkspace {
            workers: (0..count).map(worker).collect(),
            pieces,
            rows: StepRows::new(ranker.encoder.plan(), tables, SHARDS * pieces),
            threads,
            precision,
            losses: vec![0.0; ranker.spec().objectives.len()],
            times: [Duration::ZERO; 4],
        }
    }

    /// Its threads.
    pub fn threads(&self) -> &Arc<Threads> {
        &self.threads
    }

    /// The time that the parts of all steps since the last call took: what each is, how long it took.
    pub fn take_times(&mut self) -> [(&'static str, Duration); 4] {
        let names = [
            "select",
            "rows of tables",
            "forward and backward",
            "sum of gradients",
        ];
        let times = std::mem::take(&mut self.times);
        std::array::from_fn(|part| (names[part], times[part]))
    }

    /// Logits per objective of the last step's forward, drop-out included and before any recalibration, in the order of the
    /// batch.
    pub fn logits(&self) -> Vec<Vec<f32>> {
        let objective = |at: usize| {
            let pieces = pieces(&self.workers);
            pieces.flat_map(move |piece| piece.logits[at][..piece.batch.len].iter().copied())
        };
        (0..self.losses.len()).map(|at| objective(at).collect()).collect()
    }

    /// Cuts the rows `rows` of `examples` into shards and pieces.
    fn select(&mut self, examples: &Encoded, rows: &[u32]) {
        let (len, count) = (rows.len(), SHARDS * self.pieces);
        self.threads.each(&mut self.workers, |_, worker| {
            for piece in worker.shards.iter_mut().flat_map(|shard| &mut shard.pieces) {
                let at = piece.number;
                examples.select_into(&rows[at * len / count..(at + 1) * len / count], &mut piece.batch);
            }
        });
    }
}

/// What one thread works on: its shards, and buffers that it uses for one piece after the other.
#[derive(Debug)]
struct Worker {
    shards: Vec<Shard>,
    buffers: Buffers,
}

/// The shards of the batch, in order.
fn shards(workers: &[Worker]) -> impl Iterator<Item = &Shard> {
    workers.iter().flat_map(|worker| &worker.shards)
}

/// The pieces of the batch, in order.
fn pieces(workers: &[Worker]) -> impl Iterator<Item = &Piece> {
    shards(workers).flat_map(|shard| &shard.pieces)
}

impl Ranker {
    /// As [`Ranker::gradient_of_rows`], of all of `batch`.
    pub fn gradient(
        &mut self,
        batch: &Encoded,
        keys: StepKeys,
        work: &mut TrainWorkspace,
        gradients: &mut Gradients,
    ) -> Vec<f64> {
        let rows: Vec<u32> = (0..batch.len as u32).collect();
        self.gradient_of_rows(batch, &rows, keys, work, gradients)
            .to_vec()
    }

    /// Computes the gradient of the rows `rows` of `examples` (at most the workspace's size, at least one) and returns the summed
    /// loss per objective: each example's times its weight, without `loss_weight`. The first pass counts sightings and admits
    /// rows, hence `&mut`; no weight changes otherwise.
    pub fn gradient_of_rows<'w>(
        &mut self,
        examples: &Encoded,
        rows: &[u32],
        keys: StepKeys,
        work: &'w mut TrainWorkspace,
        gradients: &mut Gradients,
    ) -> &'w [f64] {
        let mut clock = Instant::now();
        let mut lap = || std::mem::replace(&mut clock, Instant::now()).elapsed();
        work.select(examples, rows);
        work.times[0] += lap();
        let TrainWorkspace {
            workers,
            rows: read,
            threads,
            losses,
            times,
            precision,
            pieces: _,
        } = work;
        let batches = || pieces(workers).map(|piece| &piece.batch);
        read.draw(
            self.encoder.plan(),
            &mut self.weights.tables,
            batches,
            keys,
            threads,
        );
        let network = &mut self.weights.network;
        network.each_dense(|layer| layer.pack(*precision, threads));
        times[1] += lap();
        let (step, drawn) = (
            Step {
                ranker: self,
                keys,
                whole: rows.len(),
            },
            &*read,
        );
        threads.each(workers, |_, worker| {
            for shard in &mut worker.shards {
                shard.run(step, drawn, &mut worker.buffers);
            }
        });
        times[2] += lap();
        let Gradients {
            tables,
            network,
            shallow,
            adversary,
        } = gradients;
        let workers = &*workers;
        sum_dense(threads, workers, network);
        self.weights.network.penalise(network);
        for (part, sum) in bias_parts_mut(shallow, adversary).enumerate() {
            sum_parts(threads, sum, |of| {
                let sums = shards(workers).nth(of).map(|shard| &shard.sums);
                let part = sums.and_then(|sums| bias_parts(&sums.shallow, &sums.adversary).nth(part));
                part.unwrap_or_default()
            });
        }
        threads.each_claimed(tables, |table, grad| {
            self.table_gradient(table, workers, drawn, grad);
        });
        times[3] += lap();
        self.weights.network.each_dense(nn::Dense::unpack);
        for (at, loss) in losses.iter_mut().enumerate() {
            *loss = shards(workers).map(|shard| shard.sums.losses[at]).sum();
        }
        losses
    }

    /// The gradient of one table; each of its fields adds the batch's examples in order.
    fn table_gradient(&self, table: usize, workers: &[Worker], rows: &StepRows, grad: &mut SparseGrad) {
        grad.clear();
        grad.reserve_rows(self.weights.tables[table].embedding.rows);
        let plan = self.encoder.plan();
        let of_table = rows.table(table);
        for (&field, rows) in of_table.fields.iter().zip(&of_table.rows) {
            let input = &plan.ids[field];
            for (piece, rows) in pieces(workers).zip(rows) {
                let encoded = &piece.batch.ids[field];
                let read = planted!(rows, "gradient: id drop-out forgotten" => &encoded.rows);
                let bags = Bags {
                    offsets: &encoded.offsets,
                    rows: read,
                    weights: planted!(&encoded.weights, "gradient: weights of ids forgotten" => &[]),
                };
                let column = planted!(input.column, "gradient: columns of the first field" => 0);
                let pool = planted!(input.pool, "gradient: sum for mean" => nn::Pool::Sum);
                let d_x = Mat::new(&piece.d_input, piece.batch.len, plan.width());
                let embedding = &self.weights.tables[table].embedding;
                embedding.backward(bags, pool, d_x.columns(column, input.dim), grad);
            }
        }
    }
}

/// Sums the shards' gradients of the main tower: (0 + 1) + (2 + 3).
fn sum_dense(threads: &Threads, workers: &[Worker], network: &mut Network) {
    let shard = |at: usize| shards(workers).nth(at);
    let mut at = 0;
    while let Some(sum) = network.dense_mut(at) {
        let dense = |of: usize| shard(of).and_then(|shard| shard.sums.network.dense(at));
        sum_parts(threads, &mut sum.weight, |of| {
            dense(of).map_or(&[], |dense| &dense.weight)
        });
        sum_parts(threads, &mut sum.bias, |of| {
            dense(of).map_or(&[], |dense| &dense.bias)
        });
        at += 1;
    }
}

fn sum_parts<'a>(threads: &Threads, sum: &mut [f32], part: impl Fn(usize) -> &'a [f32] + Sync) {
    threads.chunks(sum, |from, sum| {
        let len = sum.len();
        nn::sum_of_four(sum, [0, 1, 2, 3].map(|shard| &part(shard)[from..][..len]));
    });
}

#[cfg(test)]
mod tests;
