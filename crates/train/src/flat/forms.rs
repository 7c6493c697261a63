//! A run under each form of bias that its declaration asks for: mostly one, with `auto` two, of which the better one is kept.
//!
//! Each form has checkpoints of its own. A run that is resumed finds those of the forms that are done at their end, and goes on
//! with the first one that is not.

use std::sync::Arc;

use spec::Spec;

use super::TrainOptions;
use super::begin::{self, Keeping};
use super::epochs::Run;
use super::state::State;
use super::unfinished::Unfinished;
use crate::fit::Found;
use crate::forms::{self, FormChoice};
use crate::{Evaluation, Parts, Progress, TrainError};

/// A run that is over.
pub(super) struct Over {
    pub(super) spec: Arc<Spec>,
    pub(super) state: State,
    pub(super) found: Found,
    /// Where there was one to make.
    pub(super) choice: Option<FormChoice>,
}

impl Over {
    /// The metrics of its best epoch on the validation part.
    fn validation(&self) -> Option<&Evaluation> {
        let best = self.state.best.as_ref()?.epoch;
        self.state
            .epochs
            .get(best.checked_sub(1)?)
            .map(|epoch| &epoch.validation)
    }

    /// The one of the two that held-out labels are likelier under; a run that was stopped before its first epoch is over is none.
    fn or(self, other: Over) -> Over {
        let (Some(mine), Some(others)) = (self.validation(), other.validation()) else {
            return if self.state.best.is_some() { self } else { other };
        };
        let (second, choice) = forms::choose([&self.spec, &other.spec], [mine, others]);
        Over {
            choice: Some(choice),
            ..if second { other } else { self }
        }
    }
}

/// Runs every form. Without checkpoints, a run that is stopped is what is best so far.
///
/// # Errors
/// As [`super::train`].
pub(super) fn run(
    spec: &Arc<Spec>,
    parts: &Parts,
    options: &TrainOptions,
    unfinished: Option<&Unfinished>,
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
        let over = match one(spec, parts, options, keeping.as_ref(), (turn, is_last), progress) {
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
    if let Some(choice) = &over.choice {
        progress.note(&choice.to_string());
    }
    Ok(over)
}

fn one(
    spec: &Arc<Spec>,
    parts: &Parts,
    options: &TrainOptions,
    keeping: Option<&Keeping>,
    (turn, is_last): (usize, bool),
    progress: &mut dyn Progress,
) -> Result<Over, TrainError> {
    let (state, found, mut keeper) = begin::begin(spec, parts, options, keeping, turn, progress)?;
    let state = Run::new(spec, parts, &found.means).epochs(state, &mut keeper, progress)?;
    if let Some(keeper) = keeper.as_mut().filter(|_| !is_last) {
        keeper.keep(&state, progress)?;
    }
    Ok(Over {
        spec: spec.clone(),
        state,
        found,
        choice: None,
    })
}
