//! All that a run goes on by, between two steps; and the same as the files of a checkpoint.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use model::sealed::Files;
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
use crate::{Checkpoint, TrainError, Trainer};

/// The file of all learners but the trainer.
const LEARNERS: &str = "learners.safetensors";
/// Before the names of the best epoch's files.
const BEST: &str = "best-";

/// The epoch worth keeping.
pub(super) struct Best {
    pub(super) epoch: usize,
    pub(super) relative_loss: f64,
    pub(super) checkpoint: Checkpoint,
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
    /// The best epoch, with its loss.
    best: Option<(usize, f64)>,
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

    /// The run that a checkpoint is of; `path` names it in errors.
    pub(super) fn resume(
        path: &Path,
        saved: &Saved,
        files: Files,
        baseline: bool,
        threads: Threads,
    ) -> Result<State, TrainError> {
        let (best, mut now): (Files, Files) = files.into_iter().partition(|(name, _)| name.starts_with(BEST));
        let best = best
            .into_iter()
            .map(|(name, bytes)| (name[BEST.len()..].to_owned(), bytes));
        let best = Checkpoint::of_files(best.collect());
        let missing = || ModelError::Damaged {
            path: path.join(LEARNERS),
            message: "the manifest does not list it".to_owned(),
        };
        let learners = now.remove(LEARNERS).ok_or_else(missing)?;
        let trainer = Checkpoint::of_files(now).resume(path)?.on(threads);
        let mut state = State::new(trainer, &saved.found.means, baseline);
        state.learners.fill(&path.join(LEARNERS), &learners)?;
        state.place = saved.place;
        state.epochs.clone_from(&saved.epochs);
        state.best = saved.best.map(|(epoch, relative_loss)| Best {
            epoch,
            relative_loss,
            checkpoint: best,
        });
        Ok(state)
    }

    /// What a checkpoint of it says.
    pub(super) fn saved(&self, inputs: RunInputs, every: CheckpointEvery, found: Found) -> Saved {
        Saved {
            inputs,
            every,
            found,
            place: self.place,
            epochs: self.epochs.clone(),
            best: self.best.as_ref().map(|best| (best.epoch, best.relative_loss)),
        }
    }

    /// The files of a checkpoint of it.
    pub(super) fn files(&self) -> Result<BTreeMap<String, Cow<'_, [u8]>>, TrainError> {
        let now = Checkpoint::of(&self.learners.trainer)?.into_files();
        let mut files: BTreeMap<String, Cow<'_, [u8]>> = now
            .into_iter()
            .map(|(name, bytes)| (name, bytes.into()))
            .collect();
        files.insert(LEARNERS.to_owned(), self.learners.to_bytes()?.into());
        let best = self.best.iter().flat_map(|best| best.checkpoint.files());
        files.extend(best.map(|(name, bytes)| (format!("{BEST}{name}"), bytes.into())));
        Ok(files)
    }
}
