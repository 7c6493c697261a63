//! A run under each form of bias that its declaration asks for: mostly one, with `auto` two, of which the better one is kept.
//!
//! Each form has checkpoints of its own. A run that is resumed finds those of the forms that are done at their end, and goes on
//! with the first one that is not.

use std::path::PathBuf;
use std::sync::Arc;

use model::Ranker;
use spec::Spec;

use super::begin::{self, Keeping};
use super::epochs::Run;
use super::folder::Fresh;
use super::state::{Best, State};
use super::unfinished::Unfinished;
use super::{EpochMetrics, TrainOptions};
use crate::baseline::Logistic;
use crate::curve::PositionCounts;
use crate::fit::Found;
use crate::forms::{self, FormChoice};
use crate::{Evaluation, Parts, Progress, TrainError};

/// A run that is over: what is kept of it. The checkpoint of its best epoch stands on disk.
pub(super) struct Over {
    pub(super) spec: Arc<Spec>,
    turn: usize,
    pub(super) epochs: Vec<EpochMetrics>,
    pub(super) best: Option<Best>,
    /// The ranker of the best epoch, where it is still at hand.
    pub(super) last: Option<Ranker>,
    pub(super) logistic: Option<Logistic>,
    pub(super) positions: Option<PositionCounts>,
    pub(super) found: Found,
    /// Where there was one to make.
    pub(super) choice: Option<FormChoice>,
}

impl Over {
    /// The metrics of its best epoch on the validation part.
    fn validation(&self) -> Option<&Evaluation> {
        let best = self.best.as_ref()?.epoch;
        self.epochs
            .get(best.checked_sub(1)?)
            .map(|epoch| &epoch.validation)
    }

    /// The one of the two that held-out labels are likelier under; a run that was stopped before its first epoch is over is none.
    fn or(self, other: Over) -> Over {
        let (Some(mine), Some(others)) = (self.validation(), other.validation()) else {
            return if self.best.is_some() { self } else { other };
        };
        let (second, choice) = forms::choose([&self.spec, &other.spec], [mine, others]);
        Over {
            choice: Some(choice),
            ..if second { other } else { self }
        }
    }
}

/// Runs every form; of their checkpoints in `fresh`, the kept one's is left, under its name. Without checkpoints, a run that is stopped
/// is what is best so far.
///
/// # Errors
/// As [`super::train`].
pub(super) fn run(
    spec: &Arc<Spec>,
    parts: &Parts,
    options: &TrainOptions,
    unfinished: Option<&Unfinished>,
    fresh: &Fresh,
    progress: &mut dyn Progress,
) -> Result<Over, TrainError> {
    let keeping = unfinished.map(|unfinished| Keeping::of(spec, parts, options, unfinished, progress));
    let keeping = keeping.transpose()?;
    let specs = forms::to_try(spec)?;
    let mut best: Option<Over> = None;
    for (turn, spec) in specs.iter().enumerate() {
        if let (Some(bias), true) = (&spec.bias, specs.len() > 1) {
            progress.note(&format!("form {}", bias.form.word()));
        }
        let is_last = turn + 1 == specs.len();
        let place = Turn {
            number: turn,
            is_last,
            best: fresh.checkpoint(turn),
        };
        let over = match one(spec, parts, options, keeping.as_ref(), &place, progress) {
            Err(TrainError::Stopped) if turn > 0 => match unfinished {
                Some(unfinished) => return Err(TrainError::Interrupted(unfinished.path().to_owned())),
                None => break,
            },
            over => over?,
        };
        best = Some(match best.take() {
            None => over,
            Some(before) => before.or(over),
        });
        if !is_last && progress.stopped() {
            match unfinished {
                Some(unfinished) => return Err(TrainError::Interrupted(unfinished.path().to_owned())),
                None => break,
            }
        }
    }
    let over = best.ok_or(TrainError::Stopped)?;
    if over.best.is_some() {
        fresh.choose(over.turn)?;
    }
    if let Some(choice) = &over.choice {
        progress.note(&choice.to_string());
    }
    Ok(over)
}

/// A form's turn.
struct Turn {
    /// From 0.
    number: usize,
    is_last: bool,
    /// Where the checkpoint of its best epoch stands.
    best: PathBuf,
}

fn one(
    spec: &Arc<Spec>,
    parts: &Parts,
    options: &TrainOptions,
    keeping: Option<&Keeping>,
    turn: &Turn,
    progress: &mut dyn Progress,
) -> Result<Over, TrainError> {
    let (state, found, mut keeper) = begin::begin(spec, parts, options, keeping, turn.number, progress)?;
    let state =
        Run::new(spec, parts, &found.means, turn.best.clone()).epochs(state, &mut keeper, progress)?;
    if let Some(keeper) = keeper.as_mut().filter(|_| !turn.is_last) {
        keeper.keep(&state, progress)?;
    }
    let at_best = turn.is_last && state.is_at_best();
    let State {
        learners,
        epochs,
        best,
        ..
    } = state;
    Ok(Over {
        spec: spec.clone(),
        turn: turn.number,
        epochs,
        best,
        last: at_best.then(|| learners.trainer.into_ranker()),
        logistic: learners.baseline.map(|baseline| baseline.best),
        positions: learners.positions,
        found,
        choice: None,
    })
}
