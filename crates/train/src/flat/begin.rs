//! How a run begins: anew with what one pass over the training part found, or where its last checkpoint is.

use std::sync::Arc;

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

/// Where a run is, what was found before, and who writes its checkpoints.
pub(super) type Begun<'u> = (State, Found, Option<Keeper<'u>>);

/// Begins, anew or where `unfinished` is.
///
/// # Errors
/// Bad data; a checkpoint that is damaged, or of another run than this one.
pub(super) fn begin<'u>(
    spec: &Arc<Spec>,
    parts: &Parts,
    options: &TrainOptions,
    unfinished: Option<&'u Unfinished>,
    progress: &mut dyn Progress,
) -> Result<Begun<'u>, TrainError> {
    let Some(unfinished) = unfinished else {
        let (state, found) = anew(spec, parts, options, progress)?;
        return Ok((state, found, None));
    };
    let inputs = RunInputs::of(spec, parts, options.baseline, progress).map_err(|error| match error {
        TrainError::Stopped if options.resume => TrainError::Interrupted(unfinished.path().to_owned()),
        error => error,
    })?;
    if options.resume {
        return go_on(unfinished, inputs, options, progress);
    }
    let (state, found) = anew(spec, parts, options, progress)?;
    let every = options
        .checkpoint_every
        .unwrap_or(CheckpointEvery::Examples(u64::MAX));
    let mut keeper = Keeper::new(unfinished, inputs, every, found.clone(), (progress.now(), 0));
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
    unfinished: &'u Unfinished,
    inputs: RunInputs,
    options: &TrainOptions,
    progress: &mut dyn Progress,
) -> Result<Begun<'u>, TrainError> {
    let (path, (saved, folder)) = (unfinished.path(), unfinished.read()?);
    if let Some(difference) = saved.inputs.difference(&inputs) {
        return Err(TrainError::Data(format!(
            "`{}` is of another run: {difference}; go on with what it was begun with, or begin anew by `--overwrite` in the \
             place of `--resume`",
            path.display()
        )));
    }
    let threads = Threads::new(options.threads);
    let state = State::resume(
        path,
        &saved,
        folder,
        &unfinished.best(),
        options.baseline,
        threads,
    )?;
    let examples = state.learners.trainer.examples;
    progress.note(&format!("resumed after {examples} examples"));
    let every = options.checkpoint_every.unwrap_or(saved.every);
    let (found, at) = (saved.found.clone(), (progress.now(), examples));
    let keeper = Keeper::new(unfinished, inputs, every, found, at);
    Ok((state, saved.found, Some(keeper)))
}
