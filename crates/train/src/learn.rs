//! `learn`: continues from the last checkpoint on what closed in the log since, and promotes the challenger past its gates.
//!
//! In: a store. Out: a published challenger with its verdict, a new checkpoint, a row that says which marks it learned between.
//! Boundaries are closing marks of the log, so the same log gives the same models.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use events::{Event, Examples, Join, LearnRun, Replay, RoleLock, State};
use model::{Encoded, Encoder, Positions, Ranker, Registry, ScalerFit, Weights};
use spec::Spec;

use crate::flat::LabelMeans;
use crate::{Checkpoint, Evaluation, Outcomes, TrainError, Trainer, Verdict};

/// Where and when.
#[derive(Debug, Clone)]
pub struct LearnOptions {
    /// The store.
    pub store: PathBuf,
    /// The declaration to start from where the store has no checkpoint yet.
    pub spec: Option<Arc<Spec>>,
    /// The time that goes into rows of the state, ms since 1970.
    pub now_ms: i64,
}

/// What one run did.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct LearnReport {
    /// Number of the run, from 1.
    pub run: i64,
    /// The challenger's version.
    pub model: String,
    /// Examples that it learned from.
    pub trained: usize,
    /// Newest examples kept for the verdict, learned after it.
    pub held: usize,
    /// Whether it went live.
    pub promoted: bool,
    /// The gates.
    pub verdict: Verdict,
    /// Digest of all examples, over every byte.
    pub examples_digest: String,
    /// Metrics of the last checkpoint on the new examples before it learned from them; `None` on the first run.
    pub progressive: Option<Evaluation>,
}

/// Learns once. `None`: nothing has closed since the last run.
///
/// # Errors
/// A second learner, a damaged checkpoint, a store that cannot be read, no declaration to start from.
pub fn learn(options: &LearnOptions) -> Result<Option<LearnReport>, TrainError> {
    let _lock = RoleLock::take(&options.store, "learner")?;
    let state = Arc::new(State::open(&options.store)?);
    let registry = Registry::new(&options.store, state.clone());
    let runs = state.learn_runs()?;
    let last = runs.last();
    let mut start = Start::of(&options.store, last, options.spec.as_ref())?;
    let Some(closed) = Closed::since(&options.store, start.spec(), last, None)? else {
        return Ok(None);
    };

    let taught = start.teach(&closed.examples)?;
    let serving = registry.serving()?;
    let against = serving
        .as_ref()
        .map(|(version, ranker)| (version.as_str(), ranker));
    let verdict = Verdict::of(&taught.challenger, against, &taught.held);
    let run = runs.len() as i64 + 1;
    let checkpoint = format!("checkpoints/c-{run:04}");
    taught.checkpoint.write(&options.store.join(&checkpoint))?;

    let version = registry.next_version()?;
    let status = if verdict.passed { "promoted" } else { "rejected" };
    let words = serde_json::to_value(&verdict).unwrap_or_default();
    registry.publish(&version, &taught.challenger, status, words, options.now_ms)?;
    let report = LearnReport {
        run,
        model: version.clone(),
        trained: taught.trained,
        held: taught.held.len(),
        promoted: verdict.passed,
        verdict,
        examples_digest: model::sealed::digest(&closed.examples.to_bytes()),
        progressive: taught.progressive,
    };
    state.add_learn_run(&LearnRun {
        run,
        from_seq: last.map_or(0, |last| last.mark_seq),
        mark_seq: closed.mark_seq,
        replay_from: closed.replay_from,
        trained: report.trained as u64,
        held: report.held as u64,
        model: version.clone(),
        checkpoint,
        details: serde_json::to_value(&report).unwrap_or_default(),
    })?;
    if report.promoted {
        state.promote(&version, options.now_ms)?;
    }
    Ok(Some(report))
}

/// Brings the result of `train` into a store: its model goes live, `learn` continues from its checkpoint.
///
/// # Errors
/// When the run is damaged, or the store already has a checkpoint.
pub fn import_run(store: &Path, run: &Path, now_ms: i64) -> Result<String, TrainError> {
    let initial = store.join(INITIAL);
    if initial.exists() {
        let store = store.display();
        return Err(TrainError::Data(format!(
            "{store} already has a model to learn from; serve it without `--model`"
        )));
    }
    let ranker = model::artifact::read(&run.join("model"))?;
    let checkpoint = Checkpoint::read(&run.join("checkpoint"))?;
    let state = Arc::new(State::open(store)?);
    let registry = Registry::new(store, state.clone());
    let version = registry.next_version()?;
    registry.publish(
        &version,
        &ranker,
        "promoted",
        serde_json::json!({ "imported": true }),
        now_ms,
    )?;
    checkpoint.write(&initial)?;
    state.promote(&version, now_ms)?;
    Ok(version)
}

/// The checkpoint that a store begins with, if `train` made one.
const INITIAL: &str = "checkpoints/initial";

/// What a run begins from.
pub(crate) enum Start {
    /// A checkpoint.
    Trainer(Box<Trainer>),
    /// Nothing but a declaration; scalers are fitted on the first run's examples.
    Spec(Arc<Spec>),
}

/// What a run taught.
pub(crate) struct Taught {
    /// The model before it learned the held examples.
    pub challenger: Ranker,
    /// The state after.
    pub checkpoint: Checkpoint,
    pub trained: usize,
    pub held: Examples,
    pub progressive: Option<Evaluation>,
}

impl Start {
    pub(crate) fn of(
        store: &Path,
        last: Option<&LearnRun>,
        spec: Option<&Arc<Spec>>,
    ) -> Result<Start, TrainError> {
        let initial = store.join(INITIAL);
        let path = match last {
            Some(last) => store.join(&last.checkpoint),
            None if initial.exists() => initial,
            None => {
                let message = "the store has no checkpoint to continue from: name a declaration, or serve the result of `train` first";
                return spec
                    .cloned()
                    .map(Start::Spec)
                    .ok_or_else(|| TrainError::Data(message.to_owned()));
            }
        };
        Ok(Start::Trainer(Box::new(Checkpoint::read(&path)?.resume(&path)?)))
    }

    pub(crate) fn spec(&self) -> &Arc<Spec> {
        match self {
            Start::Trainer(trainer) => trainer.ranker.spec(),
            Start::Spec(spec) => spec,
        }
    }

    /// Learns from all but the newest examples, keeps that model, then learns from the rest.
    pub(crate) fn teach(&mut self, examples: &Examples) -> Result<Taught, TrainError> {
        let spec = self.spec().clone();
        let held = ((examples.len() as f64 * spec.gates.share).ceil() as usize).min(examples.len());
        let trained = examples.len() - held;
        let (learned, held) = (examples.slice(0, trained), examples.slice(trained, held));
        let (trainer, progressive) = match self {
            Start::Trainer(trainer) => {
                let progressive = progressive(&trainer.ranker, &learned);
                (trainer, Some(progressive))
            }
            Start::Spec(spec) => {
                let first = first_trainer(spec, &learned);
                *self = Start::Trainer(Box::new(first));
                let Start::Trainer(trainer) = self else {
                    unreachable!("set just above")
                };
                (trainer, None)
            }
        };
        let passes = spec.train.learn_passes;
        let encode = |examples: &Examples, trainer: &Trainer| trainer.ranker.encoder.encode(examples);
        let batch: Encoded = encode(&learned, trainer);
        trainer.learn_passes(&batch, passes)?;
        let challenger = trainer.ranker.clone();
        let batch = encode(&held, trainer);
        trainer.learn_passes(&batch, passes)?;
        Ok(Taught {
            challenger,
            checkpoint: Checkpoint::of(trainer)?,
            trained,
            held,
            progressive,
        })
    }
}

/// Predicts before it learns.
fn progressive(ranker: &Ranker, examples: &Examples) -> Evaluation {
    let batch = ranker.encoder.encode(examples);
    let mut outcomes = Outcomes::default();
    outcomes.add(&batch, &ranker.predict(&batch, Positions::Logged));
    let mut means = LabelMeans::new(ranker.spec());
    means.add(examples);
    outcomes.evaluate(ranker.spec(), &means.finish())
}

fn first_trainer(spec: &Arc<Spec>, examples: &Examples) -> Trainer {
    let mut scalers = ScalerFit::new(spec);
    Encoder::fit(spec, examples, &mut scalers);
    let mut means = LabelMeans::new(spec);
    means.add(examples);
    let mut weights = Weights::new(spec, spec.train.seed);
    weights.set_base_rates(spec, &means.finish());
    Trainer::new(Ranker {
        encoder: Encoder::new(spec.clone(), scalers.finish()),
        weights,
    })
}

/// What closed in the log after a boundary.
pub(crate) struct Closed {
    pub examples: Examples,
    /// The last mark: the new boundary.
    pub mark_seq: u64,
    /// From where the next run must replay: the oldest slate still open.
    pub replay_from: u64,
}

impl Closed {
    /// Joins the log from the last run's boundary to the newest mark (or the mark `until`). `None`: nothing closed.
    pub(crate) fn since(
        store: &Path,
        spec: &Spec,
        last: Option<&LearnRun>,
        until: Option<u64>,
    ) -> Result<Option<Closed>, TrainError> {
        let boundary = last.map_or(0, |last| last.mark_seq);
        let mut join = Join::new(spec);
        let mut mark_seq = boundary;
        let mut replay_from = None;
        let mut parts = Vec::new();
        for event in Replay::open(store, last.map_or(1, |last| last.replay_from), until)? {
            let event = event?;
            join.apply(&event)?;
            if let Event::Mark { seq, .. } = event {
                let emitted = join.take();
                if seq > boundary {
                    mark_seq = seq;
                    replay_from = Some(join.replay_from().unwrap_or(seq));
                    parts.push(emitted);
                }
            }
        }
        let Some(replay_from) = replay_from else {
            return Ok(None);
        };
        let examples = Examples::concat(&parts);
        Ok((!examples.is_empty()).then_some(Closed {
            examples,
            mark_seq,
            replay_from,
        }))
    }
}
