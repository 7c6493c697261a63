//! `learn`: continues from the last checkpoint on what closed in the log since, and promotes the challenger past its gates.
//!
//! In: a store. Out: a published challenger with its verdict, a new checkpoint, a row that says which marks it learned between.
//! Boundaries are closing marks of the log, so the same log gives the same models.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use events::{Examples, LearnRun, RoleLock, State};
use model::{Positions, Ranker, Registry};
use nn::Threads;
use spec::{BiasForm, Spec};

use crate::closed::Closed;
use crate::debias::{CheckRows, DebiasCheck};
use crate::fit::LabelMeans;
use crate::forms;
use crate::import::{self, INITIAL};
use crate::{Evaluation, FormChoice, Outcomes, TrainError, Trainer, Verdict};

/// Fewer examples than this teach nothing that should go live.
const FEWEST_TRAINED: usize = 100;
/// Fewer examples than this judge nothing.
const FEWEST_HELD: usize = 10;
/// Checkpoints of runs that are kept, besides the one that the store began with.
const KEPT_CHECKPOINTS: i64 = 3;

/// Where and when.
#[derive(Debug, Clone)]
pub struct LearnOptions {
    /// The store.
    pub store: PathBuf,
    /// The declaration to start from where the store has no checkpoint yet.
    pub spec: Option<Arc<Spec>>,
    /// The time that goes into rows of the state, ms since 1970.
    pub now_ms: i64,
    /// Threads that share a training step; their number changes no bit of the result.
    pub threads: usize,
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
    /// How far positions and relevance are confounded in all examples, by the challenger.
    pub debias_check: DebiasCheck,
    /// Which form of bias was chosen, on the first run where the declaration left it open; later runs keep it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<FormChoice>,
}

/// What a call of [`learn`] came to.
#[derive(Debug, Clone, PartialEq)]
pub enum LearnOutcome {
    /// It learned.
    Learned(Box<LearnReport>),
    /// It did not, for the reason given; what has closed waits for the next call.
    NotYet(String),
}

impl LearnOutcome {
    /// The report, where it learned.
    pub fn report(self) -> Option<LearnReport> {
        match self {
            LearnOutcome::Learned(report) => Some(*report),
            LearnOutcome::NotYet(_) => None,
        }
    }
}

/// Learns once, if enough has closed since the last run.
///
/// # Errors
/// A second learner, a damaged checkpoint, a store that cannot be read, no declaration to start from or another one than the
/// checkpoint's.
pub fn learn(options: &LearnOptions) -> Result<LearnOutcome, TrainError> {
    let store = &options.store;
    let _lock = RoleLock::take(store, "learner")?;
    let state = Arc::new(State::open(store)?);
    let registry = Registry::new(store, state.clone());
    let runs = state.learn_runs()?;
    let last = runs.last();
    let start = Start::of(store, &state, last, options.spec.as_ref())?;
    if let Some(spec) = &options.spec {
        demand_same_declaration(start.spec(), spec)?;
    }
    let Some(closed) = Closed::since(store, start.spec(), last, None)? else {
        return Ok(LearnOutcome::NotYet(
            "nothing has closed since the last run".to_owned(),
        ));
    };
    if let Some(reason) = not_enough(start.spec(), &closed.examples, start.is_new()) {
        return Ok(LearnOutcome::NotYet(reason));
    }

    let (trainer, taught) = start.teach(&closed.examples, options.threads)?;
    let serving = registry.serving()?;
    let against = serving
        .as_ref()
        .map(|(version, ranker)| (version.as_str(), ranker));
    let mut verdict = Verdict::of(&taught.challenger, against, &taught.means, &taught.held);
    for why in &taught.positives_only {
        verdict.refuse("labels", why);
    }
    let report = LearnReport {
        run: last.map_or(0, |last| last.run) + 1,
        model: registry.next_version()?,
        trained: taught.trained,
        held: taught.held.len(),
        promoted: verdict.passed,
        verdict,
        examples_digest: model::sealed::digest(&closed.examples.to_bytes()),
        progressive: taught.progressive.clone(),
        debias_check: CheckRows::of(&taught.challenger, &closed.examples),
        form: taught.form.clone(),
    };
    commit(
        options,
        &state,
        &registry,
        last,
        &closed,
        (&trainer, &taught),
        &report,
    )?;
    Ok(LearnOutcome::Learned(Box::new(report)))
}

/// Writes the folders, then lists all of it in one transaction: a crash before that leaves the boundary, and folders that the
/// next run replaces.
fn commit(
    options: &LearnOptions,
    state: &State,
    registry: &Registry,
    last: Option<&LearnRun>,
    closed: &Closed,
    (trainer, taught): (&Trainer, &Taught),
    report: &LearnReport,
) -> Result<(), TrainError> {
    let checkpoint = checkpoint_of(report.run);
    trainer.write(&options.store.join(&checkpoint))?;
    let status = if report.promoted { "promoted" } else { "rejected" };
    let words = serde_json::to_value(&report.verdict).unwrap_or_default();
    let model = registry.write(&report.model, &taught.challenger, status, words, options.now_ms)?;
    let run = LearnRun {
        run: report.run,
        from_seq: last.map_or(0, |last| last.mark_seq),
        mark_seq: closed.mark_seq,
        replay_from: closed.replay_from,
        trained: report.trained as u64,
        held: report.held as u64,
        model: report.model.clone(),
        checkpoint,
        details: serde_json::to_value(report).unwrap_or_default(),
    };
    state.commit_run(&model, Some(&run), report.promoted, options.now_ms)?;
    prune_checkpoints(&options.store, report.run);
    Ok(())
}

/// The folder of a run's checkpoint, relative to the store.
fn checkpoint_of(run: i64) -> String {
    format!("checkpoints/c-{run:04}")
}

/// Removes the checkpoints of all but the newest runs.
fn prune_checkpoints(store: &Path, newest: i64) {
    for run in (1..=newest - KEPT_CHECKPOINTS).rev() {
        let folder = store.join(checkpoint_of(run));
        // What cannot be removed takes room and does no other harm; below what is gone, all is gone.
        if !folder.exists() || std::fs::remove_dir_all(folder).is_err() {
            break;
        }
    }
}

/// A declaration that is named must be the one of the checkpoint that learning goes on from. `form = "auto"` is the form that was
/// chosen.
fn demand_same_declaration(checkpoint: &Spec, named: &Spec) -> Result<(), TrainError> {
    let form = |spec: &Spec| spec.bias.as_ref().map(|bias| bias.form);
    let chosen = match (form(named), form(checkpoint)) {
        (Some(BiasForm::Auto), Some(form @ (BiasForm::Additive | BiasForm::Product))) => Some(form),
        _ => None,
    };
    let chosen = chosen.map(|form| named.with_form(form)).transpose();
    let chosen = chosen.map_err(|error| TrainError::Data(error.to_string()))?;
    let named = chosen.as_ref().unwrap_or(named);
    let differs = match checkpoint {
        _ if checkpoint.encoding_fingerprint() != named.encoding_fingerprint() => "fields or network",
        _ if checkpoint.objectives_fingerprint() != named.objectives_fingerprint() => "objectives",
        _ => return Ok(()),
    };
    Err(TrainError::Data(format!(
        "the store's checkpoint has another declaration than the one named: its {differs} differ; leave the declaration out \
         to go on from the checkpoint, or begin a new store with the declaration"
    )))
}

/// Why `examples` are too few to learn from, if they are. A model that `is_new` has learned nothing of any objective yet.
fn not_enough(spec: &Spec, examples: &Examples, is_new: bool) -> Option<String> {
    let trained = examples.len() - held_count(spec, examples);
    let held = examples.len() - trained;
    if trained < FEWEST_TRAINED || held < FEWEST_HELD {
        return Some(format!(
            "not enough yet: {} examples have closed since the last run, {trained} to learn from and {held} to judge by; \
             expected at least {FEWEST_TRAINED} and {FEWEST_HELD}",
            examples.len()
        ));
    }
    let mut means = LabelMeans::new(spec);
    means.add(&examples.slice(0, trained));
    let mut objectives = spec.objectives.iter().zip(means.finish());
    let (silent, _) = objectives.find(|(_, mean)| is_new && mean.is_none())?;
    Some(format!(
        "not enough yet: no label of objective `{}` among the {trained} examples to learn from; if it stays so, check its \
         `label`, `given` and what feedback is sent",
        silent.name
    ))
}

/// The newest share of the examples, which judges.
fn held_count(spec: &Spec, examples: &Examples) -> usize {
    ((examples.len() as f64 * spec.gates.share).ceil() as usize).min(examples.len())
}

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
    /// Mean label per objective of the examples that the challenger learned from.
    pub means: Vec<Option<f64>>,
    /// What is wrong with those labels.
    pub positives_only: Vec<String>,
    pub trained: usize,
    pub held: Examples,
    pub progressive: Option<Evaluation>,
    /// Which form of bias was chosen, where it was open.
    pub form: Option<FormChoice>,
}

impl Start {
    /// What the run after `last` begins from.
    pub(crate) fn of(
        store: &Path,
        state: &State,
        last: Option<&LearnRun>,
        spec: Option<&Arc<Spec>>,
    ) -> Result<Start, TrainError> {
        let path = match last {
            Some(last) => store.join(&last.checkpoint),
            None if import::is_complete(state)? => store.join(INITIAL),
            None => {
                let message = "the store has no checkpoint to continue from: name a declaration, or serve the result of `train` first";
                return spec
                    .cloned()
                    .map(Start::Spec)
                    .ok_or_else(|| TrainError::Data(message.to_owned()));
            }
        };
        Ok(Start::Trainer(Box::new(Trainer::read(&path)?)))
    }

    pub(crate) fn spec(&self) -> &Arc<Spec> {
        match self {
            Start::Trainer(trainer) => trainer.ranker.spec(),
            Start::Spec(spec) => spec,
        }
    }

    /// Whether nothing was learned before.
    fn is_new(&self) -> bool {
        matches!(self, Start::Spec(_))
    }

    /// Learns from all but the newest examples, keeps that model, then learns from the rest. The trainer goes on from there.
    pub(crate) fn teach(self, examples: &Examples, threads: usize) -> Result<(Trainer, Taught), TrainError> {
        let held = held_count(self.spec(), examples);
        let trained = examples.len() - held;
        let (learned, held) = (examples.slice(0, trained), examples.slice(trained, held));
        let (mut trainer, progressive, form) = match self {
            Start::Trainer(trainer) => {
                let progressive = evaluated(&trainer.ranker, &learned);
                (
                    pass_over(&learned, trainer.on(Threads::new(threads)))?,
                    Some(progressive),
                    None,
                )
            }
            Start::Spec(spec) => {
                let (trainer, form) = first_taught(&spec, &learned, &held, threads)?;
                (trainer, None, form)
            }
        };
        let mut means = LabelMeans::new(trainer.ranker.spec());
        means.add(&learned);
        let challenger = trainer.ranker.clone();
        trainer = pass_over(&held, trainer)?;
        let taught = Taught {
            challenger,
            positives_only: means.positives_only(trainer.ranker.spec()),
            means: means.finish(),
            trained,
            held,
            progressive,
            form,
        };
        Ok((trainer, taught))
    }
}

/// The trainer after its passes over `examples`.
fn pass_over(examples: &Examples, mut trainer: Trainer) -> Result<Trainer, TrainError> {
    let batch = trainer.ranker.encoder.encode(examples);
    let passes = trainer.ranker.spec().train.learn_passes;
    trainer.learn_passes(&batch, passes)?;
    Ok(trainer)
}

/// The first trainer after its passes over `learned`; of the forms of bias that its declaration leaves open, the one under which the
/// labels of `held` are likelier.
fn first_taught(
    spec: &Arc<Spec>,
    learned: &Examples,
    held: &Examples,
    threads: usize,
) -> Result<(Trainer, Option<FormChoice>), TrainError> {
    let specs = forms::to_try(spec)?;
    let taught = |spec: &Arc<Spec>| {
        let trainer = Trainer::begin(spec, learned).on(Threads::new(threads));
        pass_over(learned, trainer)
    };
    let [first, second] = specs.as_slice() else {
        return Ok((taught(spec)?, None));
    };
    let trainers = [taught(first)?, taught(second)?];
    let judged = trainers
        .each_ref()
        .map(|trainer| evaluated(&trainer.ranker, held));
    let (second_is_better, choice) = forms::choose([first, second], judged.each_ref());
    let [first, second] = trainers;
    Ok((if second_is_better { second } else { first }, Some(choice)))
}

/// The metrics of what `ranker` predicts with logged positions.
fn evaluated(ranker: &Ranker, examples: &Examples) -> Evaluation {
    let batch = ranker.encoder.encode(examples);
    let mut outcomes = Outcomes::default();
    let logged = ranker.predict(&batch, Positions::Logged);
    let bias = ranker.spec().bias.as_ref();
    let differs = bias.is_some_and(|bias| bias.form.is_served_otherwise()) && batch.shuffled.contains(&true);
    let served = differs.then(|| ranker.predict(&batch, Positions::Served));
    outcomes.add(ranker.spec(), &batch, &logged, served.as_ref());
    let mut means = LabelMeans::new(ranker.spec());
    means.add(examples);
    outcomes.evaluate(ranker.spec(), &means.finish())
}

#[cfg(test)]
mod tests;
