//! `train`: from flat files to a model, a checkpoint and metrics.
//!
//! In: a [`FlatLog`] in time order. Out: a folder with `model/`, `checkpoint/` and `metrics.json`, whole or not at all.

mod folder;

use std::ops::Range;
use std::sync::Arc;

use events::FlatLog;
use model::{Encoded, Encoder, Positions, Ranker, ScalerFit, ShallowTower, Weights};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use spec::Spec;

use self::folder::Fresh;
use crate::{Checkpoint, Evaluation, Outcomes, Progress, Split, TrainError, Trainer};

/// Where the result goes.
#[derive(Debug, Clone)]
pub struct TrainOptions {
    /// The folder to write; must not exist unless `overwrite`.
    pub out: std::path::PathBuf,
    /// Replace what is there.
    pub overwrite: bool,
}

/// Metrics after one epoch.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct EpochMetrics {
    /// From 1.
    pub epoch: usize,
    /// Mean over objectives of validation loss / the constant predictor's.
    pub relative_loss: f64,
    /// On the validation part.
    pub validation: Evaluation,
}

/// What training came to; also `metrics.json`.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct TrainReport {
    /// Rows of training, validation and test part.
    pub rows: [u64; 3],
    /// The seed.
    pub seed: u64,
    /// Multiplications per candidate.
    pub multiplications: u64,
    /// Every epoch that was run.
    pub epochs: Vec<EpochMetrics>,
    /// The epoch whose weights were kept.
    pub best_epoch: usize,
    /// Metrics on the test part.
    pub test: Evaluation,
    /// What speaks against serving the model.
    pub warnings: Vec<String>,
}

/// Trains on `log` and writes the result.
///
/// # Errors
/// Bad data, a diverged loss, a folder that cannot be written.
pub fn train(
    spec: &Arc<Spec>,
    log: &FlatLog,
    options: &TrainOptions,
    progress: &mut dyn Progress,
) -> Result<TrainReport, TrainError> {
    let fresh = Fresh::beside(&options.out, options.overwrite)?;
    let split = Split::of(log.rows(), spec.train.split);
    for (part, range) in [
        ("training", &split.train),
        ("validation", &split.validation),
        ("test", &split.test),
    ] {
        if range.is_empty() {
            let rows = log.rows();
            return Err(TrainError::Data(format!(
                "{rows} rows leave the {part} part of `[train] split` empty"
            )));
        }
    }
    let (encoder, means) = fit(spec, log, split.train.clone(), progress)?;
    let mut weights = Weights::new(spec, spec.train.seed);
    weights.set_base_rates(spec, &means);
    let run = Run {
        spec,
        log,
        split: &split,
        means: &means,
    };
    let (best, epochs) = run.epochs(Trainer::new(Ranker { encoder, weights }), progress)?;

    let best_trainer = best.checkpoint.resume(&options.out.join("checkpoint"))?;
    progress.begin("test", split.test.end - split.test.start);
    // Not to be stopped: what was trained is worth keeping.
    let outcomes = run
        .predict(&best_trainer.ranker, split.test.clone(), progress, |_| false)?
        .unwrap_or_default();
    let test = outcomes.evaluate(spec, &means);
    let report = TrainReport {
        rows: [&split.train, &split.validation, &split.test].map(|range| range.end - range.start),
        seed: spec.train.seed,
        multiplications: model::Cost::of(spec).multiplications,
        epochs,
        best_epoch: best.epoch,
        test,
        warnings: warnings(&best_trainer.ranker, best.relative_loss, &outcomes),
    };
    fresh.keep(&best_trainer.ranker, &best.checkpoint, &report)?;
    Ok(report)
}

/// What a user should know before serving the model.
fn warnings(ranker: &Ranker, relative_loss: f64, outcomes: &Outcomes) -> Vec<String> {
    let spec = ranker.spec();
    let mut warnings = Vec::new();
    if ranker
        .weights
        .shallow
        .as_ref()
        .is_some_and(ShallowTower::met_no_position)
    {
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
    for (at, objective) in spec.objectives.iter().enumerate() {
        if outcomes.is_constant(at) {
            warnings.push(format!(
                "`{}` is predicted to be the same for every row of the test part: it orders nothing",
                objective.name
            ));
        }
    }
    warnings
}

/// One pass over the training part: scalers and mean labels.
fn fit(
    spec: &Arc<Spec>,
    log: &FlatLog,
    rows: Range<u64>,
    progress: &mut dyn Progress,
) -> Result<(Encoder, Vec<Option<f64>>), TrainError> {
    progress.begin("fit scalers", rows.end - rows.start);
    let mut scalers = ScalerFit::new(spec);
    let mut labels = LabelMeans::new(spec);
    for examples in log.read(rows) {
        if progress.stopped() {
            return Err(TrainError::Stopped);
        }
        let examples = examples?;
        Encoder::fit(spec, &examples, &mut scalers);
        labels.add(&examples);
        progress.advance(examples.len() as u64);
    }
    let means = labels.finish();
    for (objective, mean) in spec.objectives.iter().zip(&means) {
        if mean.is_none() {
            let name = &objective.name;
            return Err(TrainError::Data(format!(
                "objective `{name}` has no observed label in the training part: check `label`, `given` and the split"
            )));
        }
    }
    Ok((Encoder::new(spec.clone(), scalers.finish()), means))
}

/// Mean observed label per objective.
#[derive(Debug, Clone)]
pub(crate) struct LabelMeans(Vec<(f64, u64)>);

impl LabelMeans {
    pub(crate) fn new(spec: &Spec) -> LabelMeans {
        LabelMeans(vec![(0.0, 0); spec.objectives.len()])
    }

    pub(crate) fn add(&mut self, examples: &events::Examples) {
        for (objective, (sum, count)) in self.0.iter_mut().enumerate() {
            for label in examples.label(objective).iter().flatten() {
                *sum += f64::from(label);
                *count += 1;
            }
        }
    }

    pub(crate) fn finish(self) -> Vec<Option<f64>> {
        self.0
            .into_iter()
            .map(|(sum, count)| (count > 0).then(|| sum / count as f64))
            .collect()
    }
}

/// The epoch worth keeping.
struct Best {
    epoch: usize,
    relative_loss: f64,
    checkpoint: Checkpoint,
}

/// What stays the same during a run.
struct Run<'a> {
    spec: &'a Arc<Spec>,
    log: &'a FlatLog,
    split: &'a Split,
    means: &'a [Option<f64>],
}

impl Run<'_> {
    /// Epochs until the validation loss has not fallen for `patience` of them.
    fn epochs(
        &self,
        mut trainer: Trainer,
        progress: &mut dyn Progress,
    ) -> Result<(Best, Vec<EpochMetrics>), TrainError> {
        let train = &self.spec.train;
        let mut best: Option<Best> = None;
        let mut epochs = Vec::new();
        for epoch in 1..=train.epochs {
            let rows = self.split.train.end + self.split.validation.end - self.split.validation.start;
            progress.begin(&format!("epoch {epoch}"), rows);
            if !self.epoch(&mut trainer, progress)? {
                break;
            }
            let validation = self.split.validation.clone();
            let Some(outcomes) = self.predict(&trainer.ranker, validation, progress, |p| p.stopped())? else {
                break;
            };
            let validation = outcomes.evaluate(self.spec, self.means);
            if !validation.can_tell() {
                return Err(TrainError::Data(
                    "nothing to stop by: in the validation part no objective has labels that differ from the training part's \
                     mean; check `label`, `given` and `[train] split`"
                        .to_owned(),
                ));
            }
            let relative_loss = validation.relative_loss();
            progress.note(&format!(
                "epoch {epoch:>3}  validation loss / constant {relative_loss:.4}"
            ));
            epochs.push(EpochMetrics {
                epoch,
                relative_loss,
                validation,
            });
            if !relative_loss.is_finite() || !trainer.ranker.weights.is_finite(self.spec) {
                return Err(TrainError::Diverged(format!(
                    "validation loss is {relative_loss} after epoch {epoch}"
                )));
            }
            if best
                .as_ref()
                .is_none_or(|best| relative_loss < best.relative_loss)
            {
                best = Some(Best {
                    epoch,
                    relative_loss,
                    checkpoint: Checkpoint::of(&trainer)?,
                });
            }
            if best
                .as_ref()
                .is_some_and(|best| epoch - best.epoch >= train.patience)
            {
                break;
            }
        }
        Ok((best.ok_or(TrainError::Stopped)?, epochs))
    }

    /// One pass over the training part, shuffled within a window that moves through the log. False: the user stopped it.
    fn epoch(&self, trainer: &mut Trainer, progress: &mut dyn Progress) -> Result<bool, TrainError> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.spec.train.seed);
        rng.set_stream(trainer.pass + 1);
        let mut window = Encoded::default();
        for examples in self.log.read(self.split.train.clone()) {
            if progress.stopped() {
                return Ok(false);
            }
            window.append(&trainer.ranker.encoder.encode(&examples?));
            let full = window.len >= self.spec.train.shuffle_window;
            if full && !learn_shuffled(trainer, &mut window, &mut rng, progress)? {
                return Ok(false);
            }
        }
        let complete = learn_shuffled(trainer, &mut window, &mut rng, progress)?;
        trainer.pass += u64::from(complete);
        Ok(complete)
    }

    /// Predictions of `rows` beside what was observed; `None` where `stop` said so between two batches.
    fn predict(
        &self,
        ranker: &Ranker,
        rows: Range<u64>,
        progress: &mut dyn Progress,
        stop: fn(&dyn Progress) -> bool,
    ) -> Result<Option<Outcomes>, TrainError> {
        let mut outcomes = Outcomes::default();
        for examples in self.log.read(rows) {
            if stop(progress) {
                return Ok(None);
            }
            let batch = ranker.encoder.encode(&examples?);
            outcomes.add(&batch, &ranker.predict(&batch, Positions::Logged));
            progress.advance(batch.len as u64);
        }
        Ok(Some(outcomes))
    }
}

/// Learns from the window in a random order and empties it. False: the user stopped it between two batches.
fn learn_shuffled(
    trainer: &mut Trainer,
    window: &mut Encoded,
    rng: &mut ChaCha8Rng,
    progress: &mut dyn Progress,
) -> Result<bool, TrainError> {
    let mut rows: Vec<u32> = (0..window.len as u32).collect();
    rows.shuffle(rng);
    let batch = trainer.ranker.spec().train.batch;
    for rows in rows.chunks(batch) {
        if progress.stopped() {
            return Ok(false);
        }
        trainer.learn_rows(window, rows, trainer.pass == 0)?;
        progress.advance(rows.len() as u64);
    }
    *window = Encoded::default();
    Ok(true)
}
