//! `train`: from flat files to a model, a checkpoint and metrics.
//!
//! In: the [`Parts`] of a log. Out: a folder with `model/`, `checkpoint/`, `baseline/`, `metrics.json` and `report.html`, whole
//! or not at all.

mod begin;
mod epochs;
mod feed;
mod folder;
mod forms;
mod keeper;
mod learners;
mod same;
mod state;
#[cfg(test)]
mod tests;
mod unfinished;

use std::sync::Arc;
use std::time::Duration;

use spec::Spec;

pub(crate) use self::feed::BATCHES as BATCHES_AHEAD;

use self::folder::Fresh;
use self::forms::Over;
use self::unfinished::Unfinished;
use crate::alarm::{alarms, weak_layers};
use crate::anatomy::Anatomy;
use crate::curve::{AnchoredCurve, PositionCounts, PositionCurve};
use crate::debias::DebiasCheck;
use crate::judge::Judge;
use crate::leak::Leak;
use crate::{Evaluation, FormChoice, Parts, Progress, TrainError, checkpoint};

/// Most that a position curve has still to turn when it is learned.
const CURVE_STANDS: f64 = 0.05;

/// Where the result goes, and what is reported.
#[derive(Debug, Clone)]
pub struct TrainOptions {
    /// The folder to write; must not exist unless `overwrite`.
    pub out: std::path::PathBuf,
    /// Replace what is there.
    pub overwrite: bool,
    /// Train a logistic regression on the same inputs beside the network.
    pub baseline: bool,
    /// Threads that share a step. Their number changes no bit of the result.
    pub threads: usize,
    /// Write checkpoints into the folder `OUT.unfinished`, so often.
    pub checkpoint_every: Option<CheckpointEvery>,
    /// Go on from the last checkpoint there; where `checkpoint_every` is `None`, writing others as often as before.
    pub resume: bool,
}

/// How often a run writes a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckpointEvery {
    /// After so much time, by [`Progress::now`].
    Time(Duration),
    /// After so many examples, each pass counted.
    Examples(u64),
}

/// Metrics after one epoch.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct EpochMetrics {
    /// From 1.
    pub epoch: usize,
    /// Mean over objectives of validation loss / the constant predictor's.
    #[serde(with = "crate::exact")]
    pub relative_loss: f64,
    /// On the validation part.
    pub validation: Evaluation,
    /// The logistic regression's, on the same examples.
    #[serde(
        with = "crate::exact::option",
        skip_serializing_if = "Option::is_none",
        default
    )]
    pub logistic_relative_loss: Option<f64>,
    /// How far the shallow tower's position curve turned in it (of the first epoch: in its last fifth): how much its rise from the first
    /// position to the last grew, in logits or, of a product, in logarithms of probabilities.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub curve_turned: Option<f64>,
}

/// What training came to; also `metrics.json`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TrainReport {
    /// Rows of training, validation and test part.
    pub rows: [u64; 3],
    /// Rows of the test part that the metrics are of: all, or a drawn share of a large part.
    pub judged: u64,
    /// The seed.
    pub seed: u64,
    /// Multiplications per candidate.
    pub multiplications: u64,
    /// Every epoch that was run.
    pub epochs: Vec<EpochMetrics>,
    /// The epoch whose weights were kept.
    pub best_epoch: usize,
    /// Mean label per objective in the training part: what the constant predictor says.
    pub means: Vec<Option<f64>>,
    /// Metrics on the test part.
    pub test: Evaluation,
    /// The logistic regression's on the same examples.
    pub logistic: Option<Evaluation>,
    /// Which form of bias was chosen, where the declaration left it open.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub form: Option<FormChoice>,
    /// What the shallow tower learned of positions.
    pub position_curves: Vec<PositionCurve>,
    /// How far positions and relevance are confounded, on the test part.
    #[serde(default)]
    pub debias_check: Option<DebiasCheck>,
    /// What the shuffled slates of the test part say of positions by themselves.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub anchored_curves: Vec<AnchoredCurve>,
    /// What goes on inside the network, on the test part.
    pub anatomy: Anatomy,
    /// Fields that alone predict a label almost perfectly.
    pub leaks: Vec<Leak>,
    /// What speaks against serving the model.
    pub warnings: Vec<String>,
    /// What forbids serving it: dead units, constant outputs.
    pub alarms: Vec<String>,
}

/// Trains on `parts` and writes the result.
///
/// # Errors
/// Bad data, a diverged loss, a folder that cannot be written; a run that was not finished, or that `resume` does not fit.
pub fn train(
    spec: &Arc<Spec>,
    parts: &Parts,
    options: &TrainOptions,
    progress: &mut dyn Progress,
) -> Result<TrainReport, TrainError> {
    let unfinished = begin::unfinished(options)?;
    let place = unfinished.as_ref().map(Unfinished::result);
    let fresh = Fresh::begin(&options.out, options.overwrite, place)?;
    let Over {
        spec,
        epochs,
        best,
        last,
        logistic,
        positions,
        found,
        choice,
        ..
    } = forms::run(spec, parts, options, unfinished.as_ref(), &fresh, progress)?;
    let (spec, means) = (&spec, found.means);
    let best = best.ok_or(TrainError::Stopped)?;
    let ranker = last.map_or_else(|| checkpoint::ranker(&fresh.checkpoint(0)), Ok)?;
    progress.begin("test", parts.test.len());
    let judge = Judge {
        ranker: &ranker,
        logistic: logistic.as_slice(),
        inside: true,
    };
    // Not to be stopped: what was trained is worth keeping.
    let judged = judge
        .on(&parts.test, progress, |_| false, &mut |_| {})?
        .unwrap_or_default();
    let activity = judged.activity.as_ref();
    let test = judged.outcomes.evaluate(spec, &means);
    let met_no_position = (positions.as_ref()).is_some_and(PositionCounts::met_no_position);
    let still_moving = still_moving(&epochs, best.epoch);
    let report = TrainReport {
        rows: [&parts.training, &parts.validation, &parts.test].map(crate::Part::len),
        judged: judged.examples,
        seed: spec.train.seed,
        multiplications: model::Cost::of(spec).multiplications,
        epochs,
        best_epoch: best.epoch,
        form: choice,
        test: test.clone(),
        logistic: judged
            .logistic
            .first()
            .map(|outcomes| outcomes.evaluate(spec, &means)),
        position_curves: positions.map_or_else(Vec::new, |positions| positions.curves(&ranker)),
        debias_check: judged.debias_check,
        anchored_curves: judged.shuffled.curves(&ranker),
        anatomy: Anatomy::of(&ranker, &judged.outcomes, activity),
        warnings: [
            found.constant,
            no_better(&test),
            warnings(spec, met_no_position, best.relative_loss, &found.leaks),
            still_moving,
            without_propensity(spec, found.without_propensity, parts.training.len()),
            weak_layers(activity),
        ]
        .concat(),
        alarms: alarms(&ranker, &judged.outcomes, activity),
        means,
        leaks: found.leaks,
    };
    let mark = || unfinished.as_ref().map_or(Ok(()), Unfinished::mark);
    fresh.keep(&ranker, logistic.as_ref(), &report, mark)?;
    unfinished.map(Unfinished::finish).transpose()?;
    Ok(report)
}

/// Objectives on which a constant does as well.
fn no_better(test: &Evaluation) -> Vec<String> {
    let poor = test
        .objectives
        .iter()
        .filter(|metrics| metrics.relative_loss().is_some_and(|loss| loss >= 1.0));
    poor.map(|metrics| {
        format!(
            "on the test part `{}` is predicted no better than by a constant (loss / constant {:.4})",
            metrics.name,
            metrics.relative_loss().unwrap_or_default()
        )
    })
    .collect()
}

/// A position curve that training left before it stood still: the main tower keeps what the curve has not taken yet.
fn still_moving(epochs: &[EpochMetrics], best: usize) -> Vec<String> {
    let until = epochs.get(..best).unwrap_or_default().iter();
    let turned: Vec<f64> = until.map_while(|epoch| epoch.curve_turned).collect();
    let warning = to_come(&turned).filter(|to_come| *to_come > CURVE_STANDS).map(|to_come| {
        format!(
            "the position curve was still moving: from the first position to the last it would turn by about {to_come:.2} more; train \
             longer (`[train] epochs`, `patience`), or raise `[bias] learning_rate_scale`"
        )
    });
    warning.into_iter().collect()
}

/// About how far a curve would turn on, by how far it turned in each epoch so far. One that turned to and fro in the last three only
/// jitters. One that turned one way goes on as it slowed down in them, which cannot be told to take more than twenty times its
/// last turn; of fewer than three epochs, as far as in the last.
fn to_come(turned: &[f64]) -> Option<f64> {
    let Some(&[first, middle, last]) = turned.last_chunk::<3>() else {
        return turned.last().map(|turned| turned.abs());
    };
    let one_way = first * middle > 0.0 && middle * last > 0.0;
    let kept = (last / first).abs().sqrt().min(0.95);
    Some(if one_way {
        last.abs() * kept / (1.0 - kept)
    } else {
        0.0
    })
}

/// Rows that count as examined for certain.
fn without_propensity(spec: &Spec, without: u64, rows: u64) -> Vec<String> {
    let warning = || {
        format!(
            "{without} of {rows} rows of the training part have no propensity, and count as examined for certain: fill the column \
             `{}`, or name yours in `[keys] propensity`",
            spec.keys.propensity
        )
    };
    (without > 0).then(warning).into_iter().collect()
}

/// What a user should know before serving the model.
fn warnings(spec: &Spec, met_no_position: bool, relative_loss: f64, leaks: &[Leak]) -> Vec<String> {
    let mut warnings: Vec<String> = leaks.iter().map(ToString::to_string).collect();
    if met_no_position {
        warnings.push(format!(
            "no row of the training part has a position, so `[bias]` takes no position bias out: give the log a column \
             `{}`, or name yours in `[keys] position`",
            spec.keys.position
        ));
    }
    if relative_loss > 1.0 {
        warnings.push(format!(
            "the kept epoch is worse than constants on the validation part (loss / constant {relative_loss:.4}): the model \
             learned nothing that holds; check the fields, `[train] learning_rate` and the amount of data"
        ));
    }
    warnings
}
