//! All that a run goes on by, between two steps; and the same as the files of a checkpoint.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use model::sealed::{Content, Contents, Verified};
use model::{Encoded, ModelError};
use nn::Threads;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::feed::Start;
use super::learners::Learners;
use super::same::RunInputs;
use super::{CheckpointEvery, EpochMetrics};
use crate::fit::Found;
use crate::{TrainError, Trainer, checkpoint};

/// The file of all learners but the trainer.
const LEARNERS: &str = "learners.safetensors";
/// Before the names of the best epoch's files.
const BEST: &str = "best-";

/// The epoch worth keeping; its checkpoint stands where the result grows.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Best {
    pub(super) epoch: usize,
    pub(super) relative_loss: f64,
}

/// All that changes during a run.
pub(super) struct State {
    pub(super) learners: Learners,
    pub(super) place: Place,
    /// Of every epoch that was learned and judged.
    pub(super) epochs: Vec<EpochMetrics>,
    pub(super) best: Option<Best>,
}

/// A place in a pass.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Place {
    /// The window that is learned from.
    pub(super) window: Start,
    /// The random numbers' place before this window is shuffled.
    word: u64,
    /// Examples of the shuffled window that were learned from.
    pub(super) learned: usize,
}

/// What a checkpoint says of a run beside its files.
#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Saved {
    pub(super) inputs: RunInputs,
    pub(super) every: CheckpointEvery,
    pub(super) found: Found,
    place: Place,
    epochs: Vec<EpochMetrics>,
    best: Option<Best>,
}

impl Place {
    /// The random numbers of pass `pass`, from this place on.
    pub(super) fn rng(&self, seed: u64, pass: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(pass + 1);
        rng.set_word_pos(u128::from(self.word));
        rng
    }

    /// Comes to `window`, the one number `number` of its pass, and shuffles it: its rows in the order of learning. Where this is
    /// the window that it was at, what was learned from stays so.
    pub(super) fn enter(&mut self, number: u64, window: &Encoded, rng: &mut ChaCha8Rng) -> Vec<u32> {
        if number != self.window.window {
            self.learned = 0;
        }
        self.window = Start {
            window: number,
            row: window.keys.first().copied().unwrap_or_default(),
        };
        // No log has so many rows.
        self.word = u64::try_from(rng.get_word_pos()).unwrap_or(u64::MAX);
        let mut rows: Vec<u32> = (0..window.len as u32).collect();
        rows.shuffle(rng);
        rows
    }
}

impl State {
    /// A run that begins.
    pub(super) fn new(trainer: Trainer, means: &[Option<f64>], baseline: bool) -> State {
        State {
            learners: Learners::new(trainer, means, baseline),
            place: Place::default(),
            epochs: Vec::new(),
            best: None,
        }
    }

    /// The run that the checkpoint `folder` is of, which it is read from; `path` names it in errors. The best epoch's checkpoint is
    /// put back into `best`.
    pub(super) fn resume(
        path: &Path,
        saved: &Saved,
        mut folder: Verified,
        best: &Path,
        baseline: bool,
        threads: Threads,
    ) -> Result<State, TrainError> {
        let files = std::mem::take(&mut folder.files);
        let (of_best, now) = files.into_iter().partition(|(name, _)| name.starts_with(BEST));
        folder.files = now;
        let of_best: BTreeMap<String, PathBuf> = of_best;
        if saved.best.is_some() {
            let of_best = of_best.into_iter();
            let of_best = of_best.map(|(name, path)| (name[BEST.len()..].to_owned(), Content::Stored(path)));
            checkpoint::write(best, &of_best.collect())?;
        }
        let learners = path.join(LEARNERS);
        let tensors = folder
            .stored(LEARNERS)
            .ok_or_else(|| ModelError::Damaged {
                path: learners.clone(),
                message: "the manifest does not list it".to_owned(),
            })?
            .tensors(&learners)?;
        let trainer = checkpoint::resume(path, &folder)?.on(threads);
        let mut state = State::new(trainer, &saved.found.means, baseline);
        state.learners.fill(&learners, &tensors)?;
        state.place = saved.place;
        state.epochs.clone_from(&saved.epochs);
        state.best = saved.best;
        Ok(state)
    }

    /// Whether nothing was learned since the best epoch ended.
    pub(super) fn is_at_best(&self) -> bool {
        let learned = self.place.window.window > 0 || self.place.learned > 0;
        let best = self.best.map(|best| best.epoch as u64);
        best == Some(self.learners.trainer.pass) && !learned
    }

    /// What a checkpoint of it says.
    pub(super) fn saved(&self, inputs: RunInputs, every: CheckpointEvery, found: Found) -> Saved {
        Saved {
            inputs,
            every,
            found,
            place: self.place,
            epochs: self.epochs.clone(),
            best: self.best,
        }
    }

    /// The files of a checkpoint of it; that of the best epoch stands in the folder `best`.
    pub(super) fn contents(&self, best: &Path) -> Result<Contents<'_>, TrainError> {
        let mut files = checkpoint::contents(&self.learners.trainer)?;
        let names: Vec<String> = files.keys().cloned().collect();
        files.insert(LEARNERS.to_owned(), self.learners.tensors().into());
        if self.best.is_some() {
            let stored = |name: String| (format!("{BEST}{name}"), Content::Stored(best.join(name)));
            files.extend(names.into_iter().map(stored));
        }
        Ok(files)
    }
}
