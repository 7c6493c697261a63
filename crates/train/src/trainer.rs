//! The trainer: a ranker that learns, batch after batch.
//!
//! In: encoded examples in order. Out: better weights, and a place from which it continues to the bit.

use model::{Encoded, Gradients, Ranker, StepKeys, TrainWorkspace};

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
}

impl Trainer {
    /// A trainer that has taken no step.
    pub fn new(mut ranker: Ranker) -> Trainer {
        let optimizer = Optimizer::new(&mut ranker);
        Trainer::resume(ranker, optimizer, 0, 0)
    }

    /// A trainer that goes on from a checkpoint.
    pub fn resume(ranker: Ranker, optimizer: Optimizer, pass: u64, examples: u64) -> Trainer {
        let work = TrainWorkspace::new(&ranker, ranker.spec().train.batch);
        let gradients = Gradients::new(&ranker);
        Trainer {
            ranker,
            optimizer,
            pass,
            examples,
            work,
            gradients,
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
        let batch_size = self.ranker.spec().train.batch;
        for rows in rows.chunks(batch_size) {
            let batch = examples.select(rows);
            let keys = StepKeys {
                seed: self.ranker.spec().train.seed,
                pass: self.pass,
                first_pass,
            };
            let losses = self
                .ranker
                .gradient(&batch, keys, &mut self.work, &mut self.gradients);
            for (objective, loss) in self.ranker.spec().objectives.iter().zip(&losses) {
                if !loss.is_finite() {
                    let (name, step) = (&objective.name, self.optimizer.step + 1);
                    return Err(TrainError::Diverged(format!(
                        "loss of `{name}` is {loss} at step {step}"
                    )));
                }
            }
            self.optimizer.update(&mut self.ranker, &mut self.gradients);
            self.examples += batch.len as u64;
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
