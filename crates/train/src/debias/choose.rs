//! `choose`: what to do about positions, decided on lists that were shown in random order.
//!
//! In: arms (the declaration with other settings), a log with shuffled slates. Out: a [`Choice`]: each arm's AUC within shuffled
//! lists that it did not learn from, how it differs from the declared arm, and which one to take. Logged positions cannot
//! make this choice: they favour whatever repeats the logger's order.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use events::Examples;
use measure::Interval;
use nn::Threads;
use spec::Spec;

use super::lists::{ListRows, Lists, best};
use super::traffic::CHOICE_SLATES;
use crate::{Parts, Progress, Run, TrainError, TrainOptions, Trainer};

/// Of a store's examples, the newest share that judges.
const JUDGED: f64 = 0.3;

/// One setting to try.
#[derive(Debug, Clone)]
pub struct ChoiceArm {
    /// What a table calls it.
    pub name: String,
    /// Its declaration, one for each seed.
    pub specs: Vec<Arc<Spec>>,
}

/// What arms are trained and judged on.
pub enum ChoiceLog {
    /// Flat files, trained on as `train` does; judged on the validation and the test part.
    Flat(Box<Parts>),
    /// What a store's log has closed: the oldest examples are learned from, the newest judge.
    Store(Examples),
}

/// What an arm came to.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ArmResult {
    /// The arm.
    pub name: String,
    /// Mean AUC within a shuffled list.
    pub list_auc: Interval,
    /// The same less that of the declared arm, paired by list.
    pub difference: Interval,
}

/// What choosing came to.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Choice {
    /// Shuffled slates that judged.
    pub slates: usize,
    /// In the order given.
    pub arms: Vec<ArmResult>,
    /// The arm that is declared now.
    pub declared: usize,
    /// The arm with the highest AUC.
    pub chosen: usize,
    /// Whether it is better than the declared one beyond doubt.
    pub beyond_doubt: bool,
    /// Where the slice is too small: how many slates would do.
    pub too_small: Option<String>,
}

/// Trains every arm for each of its seeds, in folders below `out`, and judges them.
///
/// # Errors
/// A log without shuffled slates; what training an arm met; stopped by the user.
pub fn choose(
    arms: &[ChoiceArm],
    declared: usize,
    log: &ChoiceLog,
    out: &Path,
    threads: usize,
    progress: &mut dyn Progress,
) -> Result<Choice, TrainError> {
    let mut lists = Vec::with_capacity(arms.len());
    for (at, arm) in arms.iter().enumerate() {
        let mut runs = Vec::with_capacity(arm.specs.len());
        for (seed, spec) in arm.specs.iter().enumerate() {
            progress.note(&format!(
                "arm {} of {}: {}, seed {seed}",
                at + 1,
                arms.len(),
                arm.name
            ));
            let folder = out.join(format!("arm-{at}-{seed}"));
            let run = judged(spec, log, folder, threads, progress)?;
            if run.slates() == 0 {
                return Err(no_slates(spec));
            }
            runs.push(run);
        }
        lists.push(Lists::mean(&runs));
    }
    let chosen = best(&lists).unwrap_or(declared);
    let slates = lists.get(declared).map_or(0, Lists::slates);
    let results = arms.iter().zip(&lists).map(|(arm, of)| ArmResult {
        name: arm.name.clone(),
        list_auc: of.auc(),
        difference: of.minus(&lists[declared]),
    });
    let results: Vec<ArmResult> = results.collect();
    Ok(Choice {
        slates,
        beyond_doubt: chosen != declared && results[chosen].difference.low > 0.0,
        too_small: too_small(slates),
        arms: results,
        declared,
        chosen,
    })
}

fn no_slates(spec: &Spec) -> TrainError {
    TrainError::Data(format!(
        "no shuffled slate judges: the newest part of the log has none with clicks and items without; set `[explore] shuffle = 0.03` where \
         you serve, or mark your own in the column `{}`",
        spec.keys.shuffled
    ))
}

fn too_small(slates: usize) -> Option<String> {
    let wanted = usize::try_from(CHOICE_SLATES).unwrap_or(usize::MAX);
    (slates < wanted).then(|| {
        format!("{slates} shuffled slates judged; {wanted} tell arms apart whose nDCG differs by 0.01: log {} more", wanted - slates)
    })
}

/// Trains one arm and judges it.
fn judged(
    spec: &Arc<Spec>,
    log: &ChoiceLog,
    folder: PathBuf,
    threads: usize,
    progress: &mut dyn Progress,
) -> Result<Lists, TrainError> {
    let mut rows = ListRows::default();
    match log {
        ChoiceLog::Flat(parts) => {
            let options = TrainOptions {
                out: folder.clone(),
                overwrite: true,
                baseline: false,
                threads,
                checkpoint_every: None,
                resume: false,
            };
            crate::train(spec, parts, &options, progress)?;
            let ranker = Run::read(&folder)?.ranker;
            for part in [&parts.validation, &parts.test] {
                for examples in part.read() {
                    rows.add(&ranker, &ranker.encoder.encode(&examples?));
                }
            }
        }
        ChoiceLog::Store(examples) => {
            let learned = examples.len() - (examples.len() as f64 * JUDGED) as usize;
            let train = examples.slice(0, learned);
            let mut trainer = Trainer::begin(spec, &train).on(Threads::new(threads));
            let batch = trainer.ranker.encoder.encode(&train);
            trainer.learn_shuffled(&batch, spec.train.learn_passes)?;
            let judge = examples.slice(learned, examples.len() - learned);
            rows.add(&trainer.ranker, &trainer.ranker.encoder.encode(&judge));
        }
    }
    Ok(rows.finish())
}
