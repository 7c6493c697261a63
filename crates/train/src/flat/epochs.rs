//! Epochs over the training part, until the validation part says that they no longer help.

use std::path::PathBuf;
use std::sync::Arc;

use spec::Spec;

use super::EpochMetrics;
use super::feed::Feed;
use super::keeper::Keeper;
use super::learners::Learners;
use super::state::{Best, Place, State};
use crate::judge::{Judge, Judged};
use crate::{Evaluation, Parts, Progress, TrainError};

/// What stays the same during a run.
pub(super) struct Run<'a> {
    spec: &'a Arc<Spec>,
    parts: &'a Parts,
    means: &'a [Option<f64>],
    /// Where the best epoch's checkpoint stands.
    best: PathBuf,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        spec: &'a Arc<Spec>,
        parts: &'a Parts,
        means: &'a [Option<f64>],
        best: PathBuf,
    ) -> Run<'a> {
        Run {
            spec,
            parts,
            means,
            best,
        }
    }

    /// Epochs, from where `state` is, until the validation loss has not fallen for `patience` of them. A run that is stopped ends
    /// with a checkpoint where it has a `keeper`, else with what is best so far.
    pub(super) fn epochs(
        &self,
        mut state: State,
        keeper: &mut Option<Keeper>,
        progress: &mut dyn Progress,
    ) -> Result<State, TrainError> {
        let mut feed = Feed::new(&self.parts.training, &state.learners.trainer.ranker.encoder);
        while !self.are_over(&state) {
            match self.epoch(&mut feed, &mut state, keeper, progress) {
                Err(TrainError::Stopped) => {
                    let Some(keeper) = keeper else { break };
                    keeper.keep(&state, progress)?;
                    return Err(TrainError::Interrupted(keeper.folder().to_owned()));
                }
                result => result?,
            }
        }
        Ok(state)
    }

    fn are_over(&self, state: &State) -> bool {
        let (train, epochs) = (&self.spec.train, state.epochs.len());
        let best = state.best.as_ref().map(|best| best.epoch);
        epochs >= train.epochs || best.is_some_and(|best| epochs - best >= train.patience)
    }

    /// One epoch, or what is left of it: the pass over the training part, then the validation part.
    fn epoch(
        &self,
        feed: &mut Feed,
        state: &mut State,
        keeper: &mut Option<Keeper>,
        progress: &mut dyn Progress,
    ) -> Result<(), TrainError> {
        let epoch = state.epochs.len() + 1;
        let (training, validation) = (&self.parts.training, &self.parts.validation);
        progress.begin(&format!("epoch {epoch}"), training.len() + validation.len());
        if state.learners.trainer.pass < epoch as u64 {
            self.pass(feed, state, keeper, progress)?;
        } else {
            progress.advance(training.len());
        }
        let judged = self.validate(&state.learners, progress)?;
        let metrics = self.metrics(epoch, &judged, &mut state.learners)?;
        let relative_loss = metrics.relative_loss;
        progress.note(&note(&metrics));
        state.epochs.push(metrics);
        let trainer = &state.learners.trainer;
        if !relative_loss.is_finite() || !trainer.ranker.weights.is_finite(self.spec) {
            return Err(TrainError::Diverged(format!(
                "validation loss is {relative_loss} after epoch {epoch}"
            )));
        }
        let best = state.best.as_ref();
        if best.is_none_or(|best| relative_loss < best.relative_loss) {
            trainer.write(&self.best)?;
            state.best = Some(Best { epoch, relative_loss });
        }
        Ok(())
    }

    /// One pass over the training part, or what is left of it, shuffled within a window that moves through the log.
    fn pass(
        &self,
        feed: &mut Feed,
        state: &mut State,
        keeper: &mut Option<Keeper>,
        progress: &mut dyn Progress,
    ) -> Result<(), TrainError> {
        let train = &self.spec.train;
        let from = state.place.window;
        let mut rng = state.place.rng(train.seed, state.learners.trainer.pass);
        let mut windows = feed.pass(from)?;
        progress.advance(windows.before() + state.place.learned as u64);
        let mut number = from.window;
        while let Some(window) = windows.next(progress)? {
            let rows = state.place.enter(number, &window, &mut rng);
            let left = rows.get(state.place.learned..).unwrap_or_default();
            for rows in left.chunks(train.batch) {
                if progress.stopped() {
                    return Err(TrainError::Stopped);
                }
                if state.place.learned == 0 {
                    state.learners.count_positions(&window);
                }
                state.learners.note_curve(self.parts.training.len());
                state.learners.learn(&window, rows)?;
                state.place.learned += rows.len();
                progress.advance(rows.len() as u64);
                if let Some(keeper) = keeper {
                    keeper.keep_in_time(state, progress)?;
                }
            }
            number += 1;
        }
        state.place = Place::default();
        state.learners.trainer.pass += 1;
        Ok(())
    }

    fn validate(&self, learners: &Learners, progress: &mut dyn Progress) -> Result<Judged, TrainError> {
        let judge = Judge {
            ranker: &learners.trainer.ranker,
            logistic: learners
                .baseline
                .as_ref()
                .map_or(&[], |baseline| baseline.now.as_slice()),
            inside: false,
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
            curve_moved: learners.curve_moved(),
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
