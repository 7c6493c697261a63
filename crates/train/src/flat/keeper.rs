//! When a run writes a checkpoint, and what it then writes.

use std::path::Path;
use std::time::Duration;

use super::CheckpointEvery;
use super::same::RunInputs;
use super::state::{Saved, State};
use super::unfinished::Unfinished;
use crate::fit::Found;
use crate::{Progress, TrainError};

/// Writes checkpoints of a run.
pub(super) struct Keeper<'a> {
    unfinished: &'a Unfinished,
    /// Which of the run's turns.
    turn: usize,
    inputs: RunInputs,
    every: CheckpointEvery,
    found: Found,
    /// Time and examples at the last checkpoint.
    last: (Duration, u64),
}

impl<'a> Keeper<'a> {
    /// Of a turn of a run that is at this time and has learned from so many examples.
    pub(super) fn new(
        (unfinished, turn): (&'a Unfinished, usize),
        inputs: RunInputs,
        every: CheckpointEvery,
        found: Found,
        at: (Duration, u64),
    ) -> Keeper<'a> {
        Keeper {
            unfinished,
            turn,
            inputs,
            every,
            found,
            last: at,
        }
    }

    pub(super) fn folder(&self) -> &Path {
        self.unfinished.path()
    }

    /// Writes a checkpoint if it is time for one.
    pub(super) fn keep_in_time(
        &mut self,
        state: &State,
        progress: &mut dyn Progress,
    ) -> Result<(), TrainError> {
        let (time, examples) = (progress.now(), state.learners.trainer.examples);
        let due = match self.every {
            CheckpointEvery::Time(interval) => time.saturating_sub(self.last.0) >= interval,
            CheckpointEvery::Examples(interval) => examples - self.last.1 >= interval,
        };
        if due { self.keep(state, progress) } else { Ok(()) }
    }

    /// Writes a checkpoint, and notes what it took.
    pub(super) fn keep(&mut self, state: &State, progress: &mut dyn Progress) -> Result<(), TrainError> {
        let begin = progress.now();
        let saved: Saved = state.saved(self.inputs.clone(), self.every, self.found.clone());
        let files = state.contents(&self.unfinished.best(self.turn))?;
        let bytes = self.unfinished.write(self.turn, &saved, &files)?;
        let examples = state.learners.trainer.examples;
        self.last = (progress.now(), examples);
        progress.note(&format!(
            "checkpoint after {examples} examples: {:.1} MB in {:.2} s",
            bytes as f64 / 1e6,
            (self.last.0 - begin).as_secs_f64()
        ));
        Ok(())
    }
}
