//! The trainer: a ranker that learns, batch after batch.
//!
//! In: encoded examples in order. Out: better weights, and a place from which it continues to the bit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use events::Examples;
use model::{Encoded, Encoder, Gradients, Ranker, ScalerFit, StepKeys, TrainWorkspace, Weights};
use nn::Threads;

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use spec::Spec;

use crate::fit::LabelMeans;
use crate::{Optimizer, TrainError};

/// A ranker with its optimizer and its place in the data.
#[derive(Debug)]
pub struct Trainer {
    /// The weights so far.
    pub ranker: Ranker,
    /// State of the optimizers.
    pub optimizer: Optimizer,
    /// Passes begun: the key that makes each pass draw anew.
    pub pass: u64,
    /// Examples learned from, each pass counted.
    pub examples: u64,
    work: TrainWorkspace,
    gradients: Gradients,
    updating: Duration,
}

impl Trainer {
    /// A trainer that has taken no step, on the caller's thread.
    pub fn new(mut ranker: Ranker) -> Trainer {
        let optimizer = Optimizer::new(&mut ranker);
        Trainer::resume(ranker, optimizer, 0, 0)
    }

    /// A trainer that has taken no step; its scalers and first predictions are fitted on `examples`, which it is to learn from.
    pub fn begin(spec: &Arc<Spec>, examples: &Examples) -> Trainer {
        let mut scalers = ScalerFit::new(spec);
        Encoder::fit(spec, examples, &mut scalers);
        let mut means = LabelMeans::new(spec);
        means.add(examples);
        let mut weights = Weights::new(spec, spec.train.seed);
        weights.set_base_rates(spec, &means.finish());
        Trainer::new(Ranker {
            encoder: Encoder::new(spec.clone(), scalers.finish()),
            weights,
        })
    }

    /// A trainer that goes on from a checkpoint, on the caller's thread.
    pub fn resume(ranker: Ranker, optimizer: Optimizer, pass: u64, examples: u64) -> Trainer {
        let work = workspace(&ranker, Arc::default());
        let gradients = Gradients::new(&ranker);
        Trainer {
            ranker,
            optimizer,
            pass,
            examples,
            work,
            gradients,
            updating: Duration::ZERO,
        }
    }

    /// What was learned, without what learning takes beside.
    pub fn into_ranker(self) -> Ranker {
        self.ranker
    }

    /// The same trainer on these threads. Their number changes no bit of what is learned.
    pub fn on(self, threads: Threads) -> Trainer {
        let Trainer { work, ranker, .. } = self;
        // It has a gradient for each shard: given back before there are others.
        drop(work);
        Trainer {
            work: workspace(&ranker, Arc::new(threads)),
            ranker,
            ..self
        }
    }

    /// Learns from the given rows of `examples`, in that order, batch after batch. In the first pass over examples,
    /// sightings of ids count.
    ///
    /// # Errors
    /// When a loss stops being finite: which objective, at which step.
    pub fn learn_rows(
        &mut self,
        examples: &Encoded,
        rows: &[u32],
        first_pass: bool,
    ) -> Result<(), TrainError> {
        let batch = self.ranker.spec().train.batch;
        rows.chunks(batch)
            .try_for_each(|rows| self.step(examples, rows, first_pass))
    }

    /// One step on one batch.
    fn step(&mut self, examples: &Encoded, rows: &[u32], first_pass: bool) -> Result<(), TrainError> {
        let keys = StepKeys {
            seed: self.ranker.spec().train.seed,
            pass: self.pass,
            step: self.optimizer.step,
            first_pass,
        };
        let (work, gradients) = (&mut self.work, &mut self.gradients);
        let losses = self
            .ranker
            .gradient_of_rows(examples, rows, keys, work, gradients);
        if let Some(at) = losses.iter().position(|loss| !loss.is_finite()) {
            let (name, step) = (&self.ranker.spec().objectives[at].name, self.optimizer.step + 1);
            let loss = losses[at];
            return Err(TrainError::Diverged(format!(
                "loss of `{name}` is {loss} at step {step}"
            )));
        }
        let begin = Instant::now();
        let times = rows.iter().map(|row| examples.times[*row as usize]);
        let newest = times.max().unwrap_or_default();
        self.optimizer
            .update(&mut self.ranker, &self.gradients, newest, self.work.threads());
        self.updating += begin.elapsed();
        self.examples += rows.len() as u64;
        Ok(())
    }

    /// The time that the parts of all steps since the last call took: what each is, how long it took.
    pub fn take_times(&mut self) -> [(&'static str, Duration); 5] {
        let [a, b, c, d] = self.work.take_times();
        [a, b, c, d, ("update", std::mem::take(&mut self.updating))]
    }

    /// Learns from all of `examples`, `passes` times, in an order that each pass draws anew from the seed.
    ///
    /// # Errors
    /// As [`Trainer::learn_rows`].
    pub fn learn_shuffled(&mut self, examples: &Encoded, passes: usize) -> Result<(), TrainError> {
        let mut rows: Vec<u32> = (0..examples.len as u32).collect();
        for pass in 0..passes {
            let mut rng = ChaCha8Rng::seed_from_u64(self.ranker.spec().train.seed);
            rng.set_stream(self.pass + 1);
            rows.sort_unstable();
            rows.shuffle(&mut rng);
            self.learn_rows(examples, &rows, pass == 0)?;
            self.pass += 1;
        }
        Ok(())
    }

    /// Learns from all of `examples` in order, `passes` times.
    ///
    /// # Errors
    /// As [`Trainer::learn_rows`].
    pub fn learn_passes(&mut self, examples: &Encoded, passes: usize) -> Result<(), TrainError> {
        let rows: Vec<u32> = (0..examples.len as u32).collect();
        for pass in 0..passes {
            self.learn_rows(examples, &rows, pass == 0)?;
            self.pass += 1;
        }
        Ok(())
    }
}

fn workspace(ranker: &Ranker, threads: Arc<Threads>) -> TrainWorkspace {
    let train = &ranker.spec().train;
    TrainWorkspace::with(ranker, train.batch, factors(train.precision), threads)
}

/// How products read their factors, as declared.
pub(crate) fn factors(declared: spec::Precision) -> nn::Precision {
    match declared {
        spec::Precision::F32 => nn::Precision::F32,
        spec::Precision::Bf16 => nn::Precision::Bf16,
    }
}
