//! A log for a trained ranker: flat files or a store.
//!
//! In: a run and files, or a store and a version of its models. Out: encoded examples batch by batch; of a log of any size a
//! batch at a time is in memory, and of a large one whole slates are drawn by their hash.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use events::{Event, EventsError, Examples, FlatLog, Join, Replay, State};
use model::{Encoded, Ranker, Registry};
use spec::Spec;

use crate::ahead::Ahead;
use crate::judge::drawn;
use crate::{Progress, TrainError};

/// Examples of a store that are handed on at a time, or more.
const BATCH: usize = 8192;

/// A ranker and a log that it can read.
#[derive(Debug)]
pub struct DebiasSource {
    /// The ranker.
    pub ranker: Ranker,
    log: Log,
}

#[derive(Debug)]
enum Log {
    Flat(FlatLog),
    Store { dir: PathBuf, rows: u64 },
}

impl DebiasSource {
    /// A flat log, opened for the ranker's declaration or for one that has more fields behind its own.
    pub fn flat(ranker: Ranker, log: FlatLog) -> DebiasSource {
        DebiasSource {
            ranker,
            log: Log::Flat(log),
        }
    }

    /// What has closed in the log of the store `dir`, for its model `version` (default: the one in service).
    ///
    /// # Errors
    /// A store that cannot be read, one without that model or in which none serves, a log in which nothing has closed.
    pub fn store(dir: &Path, version: Option<&str>) -> Result<DebiasSource, TrainError> {
        let registry = Registry::new(dir, Arc::new(State::open(dir)?));
        let ranker = match version {
            Some(version) => registry.load(version)?,
            None => registry.serving()?.map(|(_, ranker)| ranker).ok_or_else(|| {
                let dir = dir.display();
                TrainError::Data(format!(
                    "no model serves in `{dir}`: name one with `--model VERSION`, or run `watchnext learn --store {dir}` first"
                ))
            })?,
        };
        let mut rows = 0;
        for examples in Closing::open(dir, ranker.spec())? {
            rows += examples?.len() as u64;
        }
        if rows == 0 {
            return Err(TrainError::Data(format!(
                "nothing has closed in the log of `{}` yet: labels close once their window has passed",
                dir.display()
            )));
        }
        Ok(DebiasSource {
            ranker,
            log: Log::Store {
                dir: dir.to_owned(),
                rows,
            },
        })
    }

    /// Its examples. Of a store, an impression whose labels close at several times is as many.
    pub fn rows(&self) -> u64 {
        match &self.log {
            Log::Flat(log) => log.rows(),
            Log::Store { rows, .. } => *rows,
        }
    }

    /// Shows `see` its examples in the order of the log, as they are and encoded: all where they are at most `most`, else of
    /// about so many whole slates (rows, where there are none), the same each time. Returns the share that was shown.
    ///
    /// # Errors
    /// Those of reading the log; [`TrainError::Stopped`] where the user stopped it.
    pub fn each(
        &self,
        most: u64,
        stage: &str,
        progress: &mut dyn Progress,
        see: &mut dyn FnMut(&Examples, &Encoded),
    ) -> Result<f64, TrainError> {
        let rows = self.rows();
        let share = if rows > most {
            most as f64 / rows as f64
        } else {
            1.0
        };
        progress.begin(stage, rows);
        let mut batches = Ahead::of("decode", 2, self.read()?)?;
        while let Some(examples) = batches.next()?.transpose()? {
            if progress.stopped() {
                return Err(TrainError::Stopped);
            }
            progress.advance(examples.len() as u64);
            let batch = self.ranker.encoder.encode(&examples);
            if share < 1.0 {
                let rows = drawn(&batch, share);
                see(&examples.take(&rows), &batch.select(&rows));
            } else {
                see(&examples, &batch);
            }
        }
        Ok(share)
    }

    /// Its examples, a batch at a time. Nothing follows an error.
    fn read(&self) -> Result<Box<dyn Iterator<Item = Result<Examples, EventsError>> + Send>, TrainError> {
        Ok(match &self.log {
            Log::Flat(log) => Box::new(log.read(0..log.rows())),
            Log::Store { dir, .. } => Box::new(Closing::open(dir, self.ranker.spec())?),
        })
    }
}

/// The examples of a store's log in the order of their closing.
struct Closing {
    replay: Replay,
    join: Join,
    /// Emitted since the last batch.
    parts: Vec<Examples>,
    failed: bool,
}

impl Closing {
    fn open(dir: &Path, spec: &Spec) -> Result<Closing, TrainError> {
        Ok(Closing {
            replay: Replay::open(dir, 1, None)?,
            join: Join::new(spec),
            parts: Vec::new(),
            failed: false,
        })
    }

    /// Reads on until a batch is full or the log ends.
    fn fill(&mut self) -> Result<(), EventsError> {
        let mut emitted = 0;
        while emitted < BATCH
            && let Some(event) = self.replay.next()
        {
            let event = event?;
            self.join.apply(&event)?;
            if let Event::Mark { .. } = event {
                let examples = self.join.take();
                emitted += examples.len();
                self.parts.push(examples);
            }
        }
        Ok(())
    }
}

impl Iterator for Closing {
    type Item = Result<Examples, EventsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        if let Err(error) = self.fill() {
            self.failed = true;
            return Some(Err(error));
        }
        self.parts.retain(|part| !part.is_empty());
        if self.parts.is_empty() {
            return None;
        }
        Some(Ok(Examples::concat(&std::mem::take(&mut self.parts))))
    }
}
