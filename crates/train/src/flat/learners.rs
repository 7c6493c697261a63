//! Who learns from the same batches: the network, the logistic regressions beside it, and the counts of positions.

use std::path::Path;

use model::artifact::TensorFile;
use model::{Encoded, ModelError};
use spec::Spec;

use crate::baseline::{Logistic, RATES};
use crate::curve::PositionCounts;
use crate::{Evaluation, TrainError, Trainer};

/// Names in the file of a checkpoint.
const LOSSES: &str = "logistic.losses";
const POSITIONS: &str = "positions";
const CURVE: &str = "curve before";

/// The logistic regressions under way, and the best of each objective.
pub(super) struct Baseline {
    pub(super) now: Vec<Logistic>,
    pub(super) best: Logistic,
    /// Per objective: the best one's loss on the validation part.
    losses: Vec<f64>,
}

/// Who learns from the same batches.
pub(super) struct Learners {
    pub(super) trainer: Trainer,
    pub(super) baseline: Option<Baseline>,
    pub(super) positions: Option<PositionCounts>,
    /// The shallow tower's weights from which on its movement is measured; empty before.
    curve_before: Vec<f32>,
}

impl Baseline {
    fn new(spec: &Spec, means: &[Option<f64>]) -> Baseline {
        let now = RATES.map(|rate| Logistic::new(spec, means, rate)).to_vec();
        Baseline {
            best: now[0].clone(),
            now,
            losses: vec![f64::INFINITY; spec.objectives.len()],
        }
    }

    /// Keeps the objectives whose validation loss has fallen.
    pub(super) fn keep_better(&mut self, validation: &[Evaluation]) {
        for (now, validation) in self.now.iter().zip(validation) {
            let mut better = Vec::new();
            for (least, metrics) in self.losses.iter_mut().zip(&validation.objectives) {
                // Without validation labels the last epoch is as good as any.
                better.push(metrics.loss.is_none_or(|loss| loss < *least));
                *least = metrics.loss.map_or(*least, |loss| loss.min(*least));
            }
            self.best.take(now, &better);
        }
    }
}

impl Learners {
    /// Nothing has been learned but by `trainer`.
    pub(super) fn new(trainer: Trainer, means: &[Option<f64>], baseline: bool) -> Learners {
        let spec = trainer.ranker.spec();
        Learners {
            baseline: baseline.then(|| Baseline::new(spec, means)),
            positions: PositionCounts::new(spec),
            curve_before: Vec::new(),
            trainer,
        }
    }

    /// A window begins: what it says of positions is counted once.
    pub(super) fn count_positions(&mut self, window: &Encoded) {
        if self.trainer.pass == 0
            && let Some(positions) = &mut self.positions
        {
            positions.add(window);
        }
    }

    /// Notes the position curve from which its movement is measured: that at which a pass over `rows` examples begins; in the first
    /// pass, in which it must come from nothing, that at which the last fifth begins.
    pub(super) fn note_curve(&mut self, rows: u64) {
        let (pass, examples) = (self.trainer.pass, self.trainer.examples);
        let begins = pass > 0 && examples == pass * rows;
        let last_fifth = pass == 0 && self.curve_before.is_empty() && examples >= rows - rows / 5;
        if let Some(shallow) = (self.trainer.ranker.weights.shallow.as_ref()).filter(|_| begins || last_fifth)
        {
            self.curve_before = shallow.weight.concat();
        }
    }

    /// How far the position curve has moved since then.
    pub(super) fn curve_moved(&self) -> Option<f64> {
        let shallow = self.trainer.ranker.weights.shallow.as_ref()?;
        let before = Some(&self.curve_before).filter(|before| !before.is_empty())?;
        self.positions.as_ref()?.moved(shallow, before)
    }

    /// Learns from a batch: the rows `rows` of `window`, in that order.
    pub(super) fn learn(&mut self, window: &Encoded, rows: &[u32]) -> Result<(), TrainError> {
        self.trainer.learn_rows(window, rows, self.trainer.pass == 0)?;
        let spec = self.trainer.ranker.spec();
        for logistic in self.baseline.iter_mut().flat_map(|baseline| &mut baseline.now) {
            logistic.learn(spec, window, rows);
        }
        Ok(())
    }

    /// All but the trainer, as the file of a checkpoint.
    pub(super) fn tensors(&self) -> TensorFile<'_> {
        let mut file = TensorFile::default();
        if let Some(Baseline { now, best, losses }) = &self.baseline {
            for (at, logistic) in now.iter().enumerate() {
                logistic.add_to(&mut file, &format!("logistic.{at}"));
            }
            best.add_to(&mut file, "logistic.best");
            file.add_u64(LOSSES.to_owned(), losses.iter().map(|loss| loss.to_bits()));
        }
        if let Some(positions) = &self.positions {
            file.add_u64(POSITIONS.to_owned(), positions.numbers());
        }
        if self.trainer.ranker.weights.shallow.is_some() {
            let before = &self.curve_before;
            file.add_f32(CURVE.to_owned(), vec![before.len()], before.as_slice());
        }
        file
    }

    /// Takes such a file back into learners of the same run; `path` names it in errors.
    pub(super) fn fill(&mut self, path: &Path, file: &TensorFile) -> Result<(), ModelError> {
        let misfit = |message: &str| ModelError::Damaged {
            path: path.to_owned(),
            message: message.to_owned(),
        };
        if let Some(Baseline { now, best, losses }) = &mut self.baseline {
            for (at, logistic) in now.iter_mut().enumerate() {
                logistic.fill_from(path, file, &format!("logistic.{at}"))?;
            }
            best.fill_from(path, file, "logistic.best")?;
            let found = file.u64s(path, LOSSES)?;
            if found.len() != losses.len() {
                return Err(misfit("its losses are not those of the declaration's objectives"));
            }
            *losses = found.into_iter().map(f64::from_bits).collect();
        }
        if let Some(positions) = &mut self.positions
            && !positions.fill(&file.u64s(path, POSITIONS)?)
        {
            return Err(misfit("its positions are not those of the declaration"));
        }
        if self.trainer.ranker.weights.shallow.is_some() {
            self.curve_before = vec![0.0; file.count(path, CURVE)?];
            file.fill_f32(path, CURVE, &mut self.curve_before)?;
        }
        Ok(())
    }
}
