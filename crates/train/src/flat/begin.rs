//! How a run begins: anew with what one pass over the training part found, or where its last checkpoint is.

use std::sync::Arc;

use model::{Ranker, Weights};
use nn::Threads;
use spec::Spec;

use super::TrainOptions;
use super::keeper::Keeper;
use super::same::RunInputs;
use super::state::State;
use super::unfinished::Unfinished;
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

/// Begins; the first checkpoint is written as soon as there is something to go on from.
///
/// # Errors
/// Bad data; a checkpoint that is damaged, or of another run than this one.
pub(super) fn begin<'u>(
    spec: &Arc<Spec>,
    parts: &Parts,
    options: &TrainOptions,
    unfinished: Option<&'u Unfinished>,
    progress: &mut dyn Progress,
) -> Result<(State, Found, Option<Keeper<'u>>), TrainError> {
    let threads = Threads::new(options.threads);
    let inputs = || RunInputs::of(spec, parts, options.baseline);
    let Some(unfinished) = unfinished.filter(|_| options.resume) else {
        let inputs = unfinished.map(|_| inputs()).transpose()?;
        let Fitted { encoder, found } = fit(spec, &parts.training, progress)?;
        let mut weights = Weights::new(spec, spec.train.seed);
        weights.set_base_rates(spec, &found.means);
        let trainer = Trainer::new(Ranker { encoder, weights }).on(threads);
        let state = State::new(trainer, &found.means, options.baseline);
        let keeper = match (unfinished, inputs, options.checkpoint_every) {
            (Some(unfinished), Some(inputs), Some(every)) => {
                let mut keeper = Keeper::new(unfinished, inputs, every, found.clone(), (progress.now(), 0));
                keeper.keep(&state, progress)?;
                Some(keeper)
            }
            _ => None,
        };
        return Ok((state, found, keeper));
    };
    let inputs = inputs()?;
    let (saved, files) = unfinished.read()?;
    if let Some(difference) = saved.inputs.difference(&inputs) {
        let path = unfinished.path().display();
        return Err(TrainError::Data(format!(
            "`{path}` is of another run: {difference}; go on with what it was begun with, or begin anew without `--resume`, by \
             `--overwrite`"
        )));
    }
    let state = State::resume(unfinished.path(), &saved, files, options.baseline, threads)?;
    let examples = state.learners.trainer.examples;
    progress.note(&format!("resumed after {examples} examples"));
    let every = options.checkpoint_every.unwrap_or(saved.every);
    let found = saved.found.clone();
    let keeper = Keeper::new(unfinished, inputs, every, found, (progress.now(), examples));
    Ok((state, saved.found, Some(keeper)))
}
