//! `verify`: replays a store's log from its start and compares what it gives with what was learned and served.
//!
//! In: a store. Out: per learner run whether examples and model are the same to the byte, and whether the derived fields of
//! every slate equal those recomputed at its `as_of`.

use std::path::Path;
use std::sync::Arc;

use events::{DerivedRules, LearnRun, Replay, State, Store, verify_derived};
use model::artifact;
use spec::Spec;

use crate::closed::Closed;
use crate::learn::Start;
use crate::{TrainError, Trainer};

/// One learner run, done again.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct RunCheck {
    /// Its number.
    pub run: i64,
    /// Its model.
    pub model: String,
    /// Why it could not be done again, if so: then nothing below says anything.
    pub not_replayed: Option<String>,
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
    /// Slates whose derived fields cannot be recomputed, since events that they had seen are no longer kept.
    pub unverifiable: u64,
    /// Derived fields of slates that differ.
    pub mismatches: u64,
}

impl VerifyReport {
    /// Whether everything that could be replayed was the same.
    pub fn passed(&self) -> bool {
        let same = |run: &RunCheck| run.not_replayed.is_some() || (run.same_examples && run.same_model);
        self.mismatches == 0 && self.runs.iter().all(same)
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
        unverifiable: 0,
        mismatches: 0,
    };
    let Some(first) = runs.first() else {
        return Ok(report);
    };
    let first = artifact::read(&store.join("models").join(&first.model))?;
    let start = Start::of(store, &state, None, Some(spec.unwrap_or(first.spec())))?;
    let rules = DerivedRules::of(start.spec());
    let retained = Store::open(store)?.first_seq()?.unwrap_or(u64::MAX);
    let (mut start, mut last) = (Some(start), None);
    for run in &runs {
        let (check, next) = replay(store, run, last, start, retained)?;
        report.runs.push(check);
        start = match next {
            Some(trainer) => Some(Start::Trainer(Box::new(trainer))),
            None if store.join(&run.checkpoint).exists() => Some(Start::of(store, &state, Some(run), None)?),
            None => None,
        };
        last = Some(run);
    }
    let derived = verify_derived(Replay::open(store, 1, None)?, &rules)?;
    report.slates = derived.slates as u64;
    report.unverifiable = derived.unverifiable as u64;
    report.mismatches = derived.mismatches.len() as u64;
    Ok(report)
}

/// Does `run` again from `start`, where that is known and the log from sequence `retained` on suffices; with the trainer that
/// goes on from there.
fn replay(
    store: &Path,
    run: &LearnRun,
    last: Option<&LearnRun>,
    start: Option<Start>,
    retained: u64,
) -> Result<(RunCheck, Option<Trainer>), TrainError> {
    let mut check = RunCheck {
        run: run.run,
        model: run.model.clone(),
        not_replayed: None,
        examples: 0,
        same_examples: false,
        examples_digest: String::new(),
        same_model: false,
    };
    if retained > last.map_or(1, |last| last.replay_from) {
        check.not_replayed = Some("its part of the log is no longer retained".to_owned());
        return Ok((check, None));
    }
    let Some(start) = start else {
        check.not_replayed = Some("the checkpoint that it went on from is no longer kept".to_owned());
        return Ok((check, None));
    };
    let Some(closed) = Closed::since(store, start.spec(), last, Some(run.mark_seq))? else {
        return Ok((check, None));
    };
    check.examples = closed.examples.len();
    check.examples_digest = model::sealed::digest(&closed.examples.to_bytes());
    check.same_examples = run.details["examples_digest"] == check.examples_digest.as_str();
    let (trainer, taught) = start.teach(&closed.examples, 1)?;
    let published = artifact::read(&store.join("models").join(&run.model))?;
    check.same_model =
        artifact::published_files(&taught.challenger)? == artifact::published_files(&published)?;
    Ok((check, Some(trainer)))
}
