//! `verify`: replays a store's log from its start and compares what it gives with what was learned and served.
//!
//! In: a store. Out: per learner run whether examples and model are the same to the byte, and whether the derived fields of
//! every slate equal those recomputed at its `as_of`.

use std::path::Path;
use std::sync::Arc;

use events::{HistoryRule, Replay, State, verify_derived};
use model::artifact;
use spec::Spec;

use crate::TrainError;
use crate::learn::{Closed, Start};

/// One learner run, done again.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct RunCheck {
    /// Its number.
    pub run: i64,
    /// Its model.
    pub model: String,
    /// Examples that the replay gave.
    pub examples: usize,
    /// Whether they are the ones learned then, to the byte.
    pub same_examples: bool,
    /// Digest of the examples, over all bytes.
    pub examples_digest: String,
    /// Whether the model is the published one to the byte.
    pub same_model: bool,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct VerifyReport {
    /// Each learner run.
    pub runs: Vec<RunCheck>,
    /// Slates whose derived fields were recomputed.
    pub slates: u64,
    /// Slates whose derived fields differ.
    pub mismatches: u64,
}

impl VerifyReport {
    /// Whether everything was the same.
    pub fn passed(&self) -> bool {
        self.mismatches == 0 && self.runs.iter().all(|run| run.same_examples && run.same_model)
    }
}

/// Replays the store. `spec` is the declaration that the first run started from, where no checkpoint was there; default the
/// first model's own.
///
/// # Errors
/// When the store cannot be read.
pub fn verify(store: &Path, spec: Option<&Arc<Spec>>) -> Result<VerifyReport, TrainError> {
    let state = State::open(store)?;
    let runs = state.learn_runs()?;
    let mut report = VerifyReport {
        runs: Vec::new(),
        slates: 0,
        mismatches: 0,
    };
    let mut start = match runs.first() {
        Some(first) => {
            let first = artifact::read(&store.join("models").join(&first.model))?;
            Some(Start::of(store, None, Some(spec.unwrap_or(first.spec())))?)
        }
        None => None,
    };
    let mut last = None;
    for run in &runs {
        let Some(start) = &mut start else { break };
        let closed = Closed::since(store, start.spec(), last, Some(run.mark_seq))?;
        let Some(closed) = closed else {
            return Err(TrainError::Data(format!(
                "run {} learned from a part of the log that is gone",
                run.run
            )));
        };
        let taught = start.teach(&closed.examples)?;
        let examples_digest = model::sealed::digest(&closed.examples.to_bytes());
        let published = artifact::read(&store.join("models").join(&run.model))?;
        report.runs.push(RunCheck {
            run: run.run,
            model: run.model.clone(),
            examples: closed.examples.len(),
            same_examples: run.details["examples_digest"] == examples_digest.as_str(),
            examples_digest,
            same_model: artifact::to_files(&taught.challenger)? == artifact::to_files(&published)?,
        });
        last = Some(run);
    }
    if let Some(start) = &start {
        let derived = verify_derived(Replay::open(store, 1, None)?, &HistoryRule::of(start.spec()))?;
        report.slates = derived.slates as u64;
        report.mismatches = derived.mismatches.len() as u64;
    }
    Ok(report)
}
