//! Epochs over the training part, until the validation part says that they no longer help.

use std::sync::Arc;

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use spec::Spec;

use super::EpochMetrics;
use super::feed::{Feed, Start};
use super::learners::Learners;
use crate::baseline::Logistic;
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
        let mut feed = Feed::new(&self.parts.training, &trainer.ranker.encoder);
        let mut learners = Learners::new(trainer, self.means, self.baseline);
        let mut best: Option<Best> = None;
        let mut epochs = Vec::new();
        for epoch in 1..=train.epochs {
            let rows = self.parts.training.len() + self.parts.validation.len();
            progress.begin(&format!("epoch {epoch}"), rows);
            let learned = self.pass(&mut feed, &mut learners, progress);
            let judged = match learned.and_then(|()| self.validate(&learners, progress)) {
                Err(TrainError::Stopped) => break,
                judged => judged?,
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

    /// One pass over the training part, shuffled within a window that moves through the log.
    fn pass(
        &self,
        feed: &mut Feed,
        learners: &mut Learners,
        progress: &mut dyn Progress,
    ) -> Result<(), TrainError> {
        let train = &self.spec.train;
        let mut rng = ChaCha8Rng::seed_from_u64(train.seed);
        rng.set_stream(learners.trainer.pass + 1);
        let mut windows = feed.pass(Start::default())?;
        while let Some(window) = windows.next(progress)? {
            learners.count_positions(&window);
            let mut rows: Vec<u32> = (0..window.len as u32).collect();
            rows.shuffle(&mut rng);
            for rows in rows.chunks(train.batch) {
                if progress.stopped() {
                    return Err(TrainError::Stopped);
                }
                learners.learn(&window, rows)?;
                progress.advance(rows.len() as u64);
            }
        }
        learners.trainer.pass += 1;
        Ok(())
    }

    fn validate(&self, learners: &Learners, progress: &mut dyn Progress) -> Result<Judged, TrainError> {
        let judge = Judge {
            ranker: &learners.trainer.ranker,
            logistic: learners
                .baseline
                .as_ref()
                .map_or(&[], |baseline| baseline.now.as_slice()),
            activity: false,
        };
        let judged = judge.on(
            &self.parts.validation,
            progress,
            |progress| progress.stopped(),
            &mut |_| {},
        )?;
        judged.ok_or(TrainError::Stopped)
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
