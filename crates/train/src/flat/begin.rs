//! How a run begins: anew with what one pass over the training part found, or where its last checkpoint is.

use std::sync::Arc;
use std::time::Duration;

use model::{Ranker, Weights};
use nn::Threads;
use spec::Spec;

use super::keeper::Keeper;
use super::same::RunInputs;
use super::state::State;
use super::unfinished::Unfinished;
use super::{CheckpointEvery, TrainOptions};
use crate::fit::{Fitted, Found, fit};
use crate::{Parts, Progress, TrainError, Trainer};

/// The folder of an unfinished run, where this one writes checkpoints or goes on from them.
///
/// # Errors
/// An unfinished run that is neither to be resumed nor to be overwritten, or nothing to resume.
pub(super) fn unfinished(options: &TrainOptions) -> Result<Option<Unfinished>, TrainError> {
    if options.resume {
        return Unfinished::again(&options.out).map(Some);
    }
    if options.checkpoint_every.is_none() && !Unfinished::beside(&options.out).exists() {
        return Ok(None);
    }
    let unfinished = Unfinished::begin(&options.out, options.overwrite)?;
    Ok(options.checkpoint_every.is_some().then_some(unfinished))
}

/// Where a run's checkpoints are, and how often one is written.
pub(super) struct Keeping<'u> {
    unfinished: &'u Unfinished,
    inputs: RunInputs,
    every: CheckpointEvery,
}

impl<'u> Keeping<'u> {
    /// Of a run with these inputs, which are digested.
    ///
    /// # Errors
    /// A file that cannot be read; where `unfinished` is of another run.
    pub(super) fn of(
        spec: &Arc<Spec>,
        parts: &Parts,
        options: &TrainOptions,
        unfinished: &'u Unfinished,
        progress: &mut dyn Progress,
    ) -> Result<Keeping<'u>, TrainError> {
        let inputs = RunInputs::of(spec, parts, options.baseline, progress).map_err(|error| match error {
            TrainError::Stopped if options.resume => TrainError::Interrupted(unfinished.path().to_owned()),
            error => error,
        })?;
        let mut every = options.checkpoint_every;
        if options.resume {
            let (saved, _) = unfinished.read(0)?;
            if let Some(difference) = saved.inputs.difference(&inputs) {
                return Err(TrainError::Data(format!(
                    "`{}` is of another run: {difference}; go on with what it was begun with, or begin anew by `--overwrite` \
                     in the place of `--resume`",
                    unfinished.path().display()
                )));
            }
            every = every.or(Some(saved.every));
        }
        Ok(Keeping {
            unfinished,
            inputs,
            every: every.unwrap_or(CheckpointEvery::Examples(u64::MAX)),
        })
    }

    fn keeper(&self, turn: usize, found: &Found, at: (Duration, u64)) -> Keeper<'u> {
        Keeper::new(
            (self.unfinished, turn),
            self.inputs.clone(),
            self.every,
            found.clone(),
            at,
        )
    }
}

/// Where a run is, what was found before, and who writes its checkpoints.
pub(super) type Begun<'u> = (State, Found, Option<Keeper<'u>>);

/// Begins turn number `turn` of a run, anew or where its last checkpoint is.
///
/// # Errors
/// Bad data; a checkpoint that is damaged.
pub(super) fn begin<'u>(
    spec: &Arc<Spec>,
    parts: &Parts,
    options: &TrainOptions,
    keeping: Option<&Keeping<'u>>,
    turn: usize,
    progress: &mut dyn Progress,
) -> Result<Begun<'u>, TrainError> {
    let Some(keeping) = keeping else {
        let (state, found) = anew(spec, parts, options, progress)?;
        return Ok((state, found, None));
    };
    if options.resume && keeping.unfinished.has_checkpoint(turn) {
        return go_on(keeping, turn, options, progress);
    }
    let (state, found) = anew(spec, parts, options, progress)?;
    let mut keeper = keeping.keeper(turn, &found, (progress.now(), 0));
    keeper.keep(&state, progress)?;
    Ok((state, found, Some(keeper)))
}

fn anew(
    spec: &Arc<Spec>,
    parts: &Parts,
    options: &TrainOptions,
    progress: &mut dyn Progress,
) -> Result<(State, Found), TrainError> {
    let Fitted { encoder, found } = fit(spec, &parts.training, progress)?;
    let mut weights = Weights::new(spec, spec.train.seed);
    weights.set_base_rates(spec, &found.means);
    let trainer = Trainer::new(Ranker { encoder, weights }).on(Threads::new(options.threads));
    Ok((State::new(trainer, &found.means, options.baseline), found))
}

fn go_on<'u>(
    keeping: &Keeping<'u>,
    turn: usize,
    options: &TrainOptions,
    progress: &mut dyn Progress,
) -> Result<Begun<'u>, TrainError> {
    let (path, (saved, folder)) = (keeping.unfinished.path(), keeping.unfinished.read(turn)?);
    let threads = Threads::new(options.threads);
    let state = State::resume(
        path,
        &saved,
        folder,
        &keeping.unfinished.best(turn),
        options.baseline,
        threads,
    )?;
    let examples = state.learners.trainer.examples;
    progress.note(&format!("resumed after {examples} examples"));
    let keeper = keeping.keeper(turn, &saved.found, (progress.now(), examples));
    Ok((state, saved.found, Some(keeper)))
}
