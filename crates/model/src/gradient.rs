//! One training step's gradient: draws of drop-out, forward, losses, backward.
//!
//! In: encoded examples and the keys of their draws. Out: the summed loss per objective, and [`Gradients`] of the mean over the
//! batch of all objectives' weighted losses, each example's times its own weight. Nothing is updated here but the admission of ids.
//!
//! A batch is cut into [`SHARDS`] contiguous shards, each computed by itself on its own buffers; their gradients are summed as a
//! fixed tree, those of tables in the order of the batch. So the same batch gives the same bits on any number of threads.

mod rows;
mod shard;

use std::sync::Arc;
use std::time::{Duration, Instant};

use nn::{Bags, Mat, Precision, SparseGrad, Threads};

use self::rows::StepRows;
use self::shard::Shard;
use crate::{Encoded, Network, Ranker, ShallowTower};

/// Shards of a batch.
pub const SHARDS: usize = 4;

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
}

/// Buffers of a step, sized once, and the threads that share it.
#[derive(Debug)]
pub struct TrainWorkspace {
    shards: Vec<Shard>,
    rows: StepRows,
    threads: Arc<Threads>,
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
        let capacity = batch.div_ceil(SHARDS);
        let tables = ranker.weights.tables.len();
        TrainWorkspace {
            shards: (0..SHARDS)
                .map(|_| Shard::new(ranker, capacity, precision))
                .collect(),
            rows: StepRows::new(ranker.encoder.plan(), tables, SHARDS),
            threads,
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
            let shards = self.shards.iter();
            shards.flat_map(move |shard| shard.logits[at][..shard.batch.len].iter().copied())
        };
        (0..self.losses.len()).map(|at| objective(at).collect()).collect()
    }

    /// Cuts the rows `rows` of `examples` into shards.
    fn select(&mut self, examples: &Encoded, rows: &[u32]) {
        let len = rows.len();
        self.threads.each(&mut self.shards, |at, shard| {
            let rows = &rows[at * len / SHARDS..(at + 1) * len / SHARDS];
            examples.select_into(rows, &mut shard.batch);
        });
    }
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
            shards,
            rows: read,
            threads,
            losses,
            times,
        } = work;
        let batch = |shard: usize| &shards[shard].batch;
        read.draw(
            self.encoder.plan(),
            &mut self.weights.tables,
            batch,
            keys,
            threads,
        );
        times[1] += lap();
        let (ranker, drawn) = (&*self, &*read);
        threads.each(shards, |at, shard| {
            shard.run(ranker, keys, rows.len(), |field| drawn.of(field, at));
        });
        times[2] += lap();
        let Gradients {
            tables,
            network,
            shallow,
        } = gradients;
        let shards = &*shards;
        sum_dense(threads, shards, network, shallow.as_mut());
        threads.each_claimed(tables, |table, grad| {
            ranker.table_gradient(table, shards, drawn, grad);
        });
        times[3] += lap();
        for (at, loss) in losses.iter_mut().enumerate() {
            *loss = shards.iter().map(|shard| shard.losses[at]).sum();
        }
        losses
    }

    /// The gradient of one table; each of its fields adds the batch's examples in order.
    fn table_gradient(&self, table: usize, shards: &[Shard], rows: &StepRows, grad: &mut SparseGrad) {
        grad.clear();
        grad.reserve_rows(self.weights.tables[table].embedding.rows);
        let plan = self.encoder.plan();
        let of_table = rows.table(table);
        for (&field, rows) in of_table.fields.iter().zip(&of_table.rows) {
            let input = &plan.ids[field];
            for (shard, rows) in shards.iter().zip(rows) {
                let encoded = &shard.batch.ids[field];
                let read = planted!(rows, "gradient: id drop-out forgotten" => &encoded.rows);
                let bags = Bags {
                    offsets: &encoded.offsets,
                    rows: read,
                    weights: planted!(&encoded.weights, "gradient: weights of ids forgotten" => &[]),
                };
                let column = planted!(input.column, "gradient: columns of the first field" => 0);
                let pool = planted!(input.pool, "gradient: sum for mean" => nn::Pool::Sum);
                let d_x = Mat::new(&shard.d_input, shard.batch.len, plan.width());
                let embedding = &self.weights.tables[table].embedding;
                embedding.backward(bags, pool, d_x.columns(column, input.dim), grad);
            }
        }
    }
}

/// Sums the shards' gradients of both towers: (0 + 1) + (2 + 3).
fn sum_dense(threads: &Threads, shards: &[Shard], network: &mut Network, shallow: Option<&mut ShallowTower>) {
    let mut at = 0;
    while let Some(sum) = network.dense_mut(at) {
        let dense = |shard: usize| shards[shard].network.dense(at);
        sum_parts(threads, &mut sum.weight, |shard| {
            dense(shard).map_or(&[], |dense| &dense.weight)
        });
        sum_parts(threads, &mut sum.bias, |shard| {
            dense(shard).map_or(&[], |dense| &dense.bias)
        });
        at += 1;
    }
    for (objective, sum) in shallow
        .into_iter()
        .flat_map(|shallow| &mut shallow.weight)
        .enumerate()
    {
        let part = |shard: usize| match &shards[shard].shallow {
            Some(shallow) => &shallow.weight[objective][..],
            None => &[],
        };
        sum_parts(threads, sum, part);
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
