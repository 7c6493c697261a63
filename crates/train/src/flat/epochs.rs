//! Epochs over the training part, until the validation part says that they no longer help.

use std::sync::Arc;

use model::Encoded;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use spec::Spec;

use super::EpochMetrics;
use crate::baseline::{Logistic, RATES};
use crate::curve::PositionCounts;
use crate::judge::{Judge, Judged};
use crate::{Checkpoint, Evaluation, Parts, Progress, TrainError, Trainer};

/// The epoch worth keeping.
pub(super) struct Best {
    pub(super) epoch: usize,
    pub(super) relative_loss: f64,
    pub(super) checkpoint: Checkpoint,
    /// Each objective's best so far, of any epoch.
    pub(super) logistic: Option<Logistic>,
}

/// What stays the same during a run.
pub(super) struct Run<'a> {
    spec: &'a Arc<Spec>,
    parts: &'a Parts,
    means: &'a [Option<f64>],
    baseline: bool,
}

/// The logistic regression under way, and the best of each objective.
struct Baseline {
    now: Vec<Logistic>,
    best: Logistic,
    losses: Vec<f64>,
}

/// Who learns from the same batches.
struct Learners {
    trainer: Trainer,
    baseline: Option<Baseline>,
    positions: Option<PositionCounts>,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        spec: &'a Arc<Spec>,
        parts: &'a Parts,
        means: &'a [Option<f64>],
        baseline: bool,
    ) -> Run<'a> {
        Run {
            spec,
            parts,
            means,
            baseline,
        }
    }

    /// Epochs until the validation loss has not fallen for `patience` of them.
    pub(super) fn epochs(
        &self,
        trainer: Trainer,
        progress: &mut dyn Progress,
    ) -> Result<(Best, Vec<EpochMetrics>, Option<PositionCounts>), TrainError> {
        let train = &self.spec.train;
        let mut learners = Learners {
            trainer,
            baseline: self.baseline.then(|| Baseline::new(self.spec, self.means)),
            positions: PositionCounts::new(self.spec),
        };
        let mut best: Option<Best> = None;
        let mut epochs = Vec::new();
        for epoch in 1..=train.epochs {
            let rows = self.parts.training.len() + self.parts.validation.len();
            progress.begin(&format!("epoch {epoch}"), rows);
            if !self.epoch(&mut learners, progress)? {
                break;
            }
            let Some(judged) = self.validate(&learners, progress)? else {
                break;
            };
            let metrics = self.metrics(epoch, &judged, &mut learners)?;
            let relative_loss = metrics.relative_loss;
            progress.note(&note(&metrics));
            epochs.push(metrics);
            if !relative_loss.is_finite() || !learners.trainer.ranker.weights.is_finite(self.spec) {
                return Err(TrainError::Diverged(format!(
                    "validation loss is {relative_loss} after epoch {epoch}"
                )));
            }
            if best
                .as_ref()
                .is_none_or(|best| relative_loss < best.relative_loss)
            {
                best = Some(Best {
                    epoch,
                    relative_loss,
                    checkpoint: Checkpoint::of(&learners.trainer)?,
                    logistic: None,
                });
            }
            if best
                .as_ref()
                .is_some_and(|best| epoch - best.epoch >= train.patience)
            {
                break;
            }
        }
        let mut best = best.ok_or(TrainError::Stopped)?;
        best.logistic = learners.baseline.map(|baseline| baseline.best);
        Ok((best, epochs, learners.positions))
    }

    /// One pass over the training part, shuffled within a window that moves through the log. False: the user stopped it.
    fn epoch(&self, learners: &mut Learners, progress: &mut dyn Progress) -> Result<bool, TrainError> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.spec.train.seed);
        rng.set_stream(learners.trainer.pass + 1);
        let mut window = Encoded::default();
        for examples in self.parts.training.read() {
            if progress.stopped() {
                return Ok(false);
            }
            let batch = learners.trainer.ranker.encoder.encode(&examples?);
            if learners.trainer.pass == 0 {
                learners
                    .positions
                    .iter_mut()
                    .for_each(|positions| positions.add(&batch));
            }
            window.append(&batch);
            let full = window.len >= self.spec.train.shuffle_window;
            if full && !learners.learn_shuffled(&mut window, &mut rng, progress)? {
                return Ok(false);
            }
        }
        let complete = learners.learn_shuffled(&mut window, &mut rng, progress)?;
        learners.trainer.pass += u64::from(complete);
        Ok(complete)
    }

    fn validate(
        &self,
        learners: &Learners,
        progress: &mut dyn Progress,
    ) -> Result<Option<Judged>, TrainError> {
        let judge = Judge {
            ranker: &learners.trainer.ranker,
            logistic: learners
                .baseline
                .as_ref()
                .map_or(&[], |baseline| baseline.now.as_slice()),
            activity: false,
        };
        judge.on(
            &self.parts.validation,
            progress,
            |progress| progress.stopped(),
            &mut |_| {},
        )
    }

    fn metrics(
        &self,
        epoch: usize,
        judged: &Judged,
        learners: &mut Learners,
    ) -> Result<EpochMetrics, TrainError> {
        let validation = judged.outcomes.evaluate(self.spec, self.means);
        let of = &self.spec.train.stop_by;
        if !validation.can_tell(of) {
            return Err(TrainError::Data(
                "nothing to stop by: in the validation part no objective of `[train] stop_by` has labels that differ from the \
                 training part's mean; check `label`, `given` and `[train] split`"
                    .to_owned(),
            ));
        }
        let logistic: Vec<Evaluation> = judged
            .logistic
            .iter()
            .map(|outcomes| outcomes.evaluate(self.spec, self.means))
            .collect();
        if let Some(baseline) = &mut learners.baseline {
            baseline.keep_better(&logistic);
        }
        Ok(EpochMetrics {
            epoch,
            relative_loss: validation.relative_loss(of),
            validation,
            logistic_relative_loss: logistic
                .iter()
                .map(|logistic| logistic.relative_loss(of))
                .min_by(f64::total_cmp),
        })
    }
}

fn note(metrics: &EpochMetrics) -> String {
    let logistic = metrics
        .logistic_relative_loss
        .map_or_else(String::new, |loss| format!("  logistic regression {loss:.4}"));
    format!(
        "epoch {:>3}  validation loss / constant {:.4}{logistic}",
        metrics.epoch, metrics.relative_loss
    )
}

impl Baseline {
    fn new(spec: &Spec, means: &[Option<f64>]) -> Baseline {
        let now = RATES.map(|rate| Logistic::new(spec, means, rate)).to_vec();
        Baseline {
            best: now[0].clone(),
            now,
            losses: vec![f64::INFINITY; spec.objectives.len()],
        }
    }

    /// Keeps the objectives whose validation loss has fallen.
    fn keep_better(&mut self, validation: &[Evaluation]) {
        for (now, validation) in self.now.iter().zip(validation) {
            let mut better = Vec::new();
            for (least, metrics) in self.losses.iter_mut().zip(&validation.objectives) {
                // Without validation labels the last epoch is as good as any.
                better.push(metrics.loss.is_none_or(|loss| loss < *least));
                *least = metrics.loss.map_or(*least, |loss| loss.min(*least));
            }
            self.best.take(now, &better);
        }
    }
}

impl Learners {
    /// Learns from the window in a random order and empties it. False: the user stopped it between two batches.
    fn learn_shuffled(
        &mut self,
        window: &mut Encoded,
        rng: &mut ChaCha8Rng,
        progress: &mut dyn Progress,
    ) -> Result<bool, TrainError> {
        let mut rows: Vec<u32> = (0..window.len as u32).collect();
        rows.shuffle(rng);
        let spec = self.trainer.ranker.spec().clone();
        for rows in rows.chunks(spec.train.batch) {
            if progress.stopped() {
                return Ok(false);
            }
            self.trainer.learn_rows(window, rows, self.trainer.pass == 0)?;
            if let Some(baseline) = &mut self.baseline {
                baseline
                    .now
                    .iter_mut()
                    .for_each(|logistic| logistic.learn(&spec, window, rows));
            }
            progress.advance(rows.len() as u64);
        }
        *window = Encoded::default();
        Ok(true)
    }
}
