//! Import: the result of `train` becomes a store's first model.
//!
//! In: a run's folder and a store without a model. Out: the model live, and the checkpoint that `learn` continues from.

use std::path::Path;
use std::sync::Arc;

use events::{RoleLock, State};
use model::{Ranker, Registry, artifact};

use crate::{Checkpoint, TrainError};

/// The checkpoint that a store begins with, if `train` made one.
pub(crate) const INITIAL: &str = "checkpoints/initial";

/// Whether the store began with an import. A checkpoint without a listed model is what a crash left of one.
pub(crate) fn is_complete(state: &State) -> Result<bool, TrainError> {
    let models = state.models()?;
    Ok(models.iter().any(|model| model.verdict["imported"] == true))
}

/// Brings the result of `train` into a store: its model goes live, `learn` continues from its checkpoint. Returns the version
/// that serves. Where the same model serves already, or was the store's first, nothing changes.
///
/// # Errors
/// When the run is damaged, a learner is at work, or the store has learned or serves another model.
pub fn import_run(store: &Path, run: &Path, now_ms: i64) -> Result<String, TrainError> {
    let ranker = artifact::read(&run.join("model"))?;
    let checkpoint = Checkpoint::read(&run.join("checkpoint"))?;
    let _lock = RoleLock::take(store, "learner")?;
    let state = Arc::new(State::open(store)?);
    let registry = Registry::new(store, state.clone());
    let serving = state.serving()?;
    if let Some(serving) = &serving
        && is_here(&state, &registry, serving, &ranker)?
    {
        return Ok(serving.clone());
    }
    if serving.is_some() || !state.learn_runs()?.is_empty() {
        let store = store.display();
        return Err(TrainError::Data(format!(
            "{store} already has another model to learn from; serve it without `--model`, or name a new store"
        )));
    }
    // Listed last, in one step: what a crash leaves before that is written over.
    checkpoint.write(&store.join(INITIAL))?;
    let version = registry.next_version()?;
    let verdict = serde_json::json!({ "imported": true, "debias_check": debias_check(run) });
    let model = registry.write(&version, &ranker, "promoted", verdict, now_ms)?;
    state.commit_run(&model, None, true, now_ms)?;
    Ok(version)
}

/// What the run's report says of positions; null where it says nothing.
fn debias_check(run: &Path) -> serde_json::Value {
    let report = std::fs::read(run.join("metrics.json")).unwrap_or_default();
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap_or_default();
    report["debias_check"].clone()
}

/// Whether the model that serves, or the store's first, is `ranker` to the byte.
fn is_here(state: &State, registry: &Registry, serving: &str, ranker: &Ranker) -> Result<bool, TrainError> {
    let files = artifact::published_files(ranker)?;
    let first = state.models()?.into_iter().next().map(|model| model.version);
    for version in [Some(serving.to_owned()), first].into_iter().flatten() {
        if artifact::published_files(&registry.load(&version)?)? == files {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests;
