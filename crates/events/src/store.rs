//! The durable log on disk: `DIR/log/YYYY-MM-DD.sqlite`, beside `DIR/state.sqlite`. Here is what reads and writes its
//! files; the recorder owns the writer, anybody may open a [`Store`] to read what is committed.

pub(crate) mod blob;
pub(crate) mod day;
pub(crate) mod writer;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::{EventsError, Slate};
use day::Day;

/// A reader of the log; sees what is committed, also while the recorder writes.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    days: Mutex<BTreeMap<String, Day>>,
}

impl Store {
    /// Opens the store in `dir` to read; a store without a log yet is an empty one.
    ///
    /// # Errors
    /// [`EventsError::NoStore`] where there is no such directory.
    pub fn open(dir: &Path) -> Result<Store, EventsError> {
        if !dir.is_dir() {
            return Err(EventsError::NoStore { path: dir.to_owned() });
        }
        Ok(Store {
            dir: dir.to_owned(),
            days: Mutex::default(),
        })
    }

    /// The recorded slate `id`.
    ///
    /// # Errors
    /// Where the log cannot be read.
    pub fn slate(&self, id: &str) -> Result<Option<Slate>, EventsError> {
        self.newest_first(|day| day.slate(id))
    }

    /// The highest sequence that is committed; 0 where there is none.
    ///
    /// # Errors
    /// Where the log cannot be read.
    pub fn last_seq(&self) -> Result<u64, EventsError> {
        Ok(self
            .newest_first(|day| Ok(day.range()?.map(|(_, last)| last)))?
            .unwrap_or(0))
    }

    /// The lowest sequence that is retained.
    ///
    /// # Errors
    /// Where the log cannot be read.
    pub fn first_seq(&self) -> Result<Option<u64>, EventsError> {
        let mut first = None;
        self.newest_first(|day| {
            first = day.range()?.map(|(low, _)| low).or(first);
            Ok(None::<()>)
        })?;
        Ok(first)
    }

    /// The store's directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The directory of the log's days.
    pub fn log_dir(&self) -> PathBuf {
        log_dir(&self.dir)
    }

    /// The database of everything but the log.
    pub fn state_path(&self) -> PathBuf {
        state_path(&self.dir)
    }

    /// The first answer of `ask`, over the days from the newest to the oldest.
    fn newest_first<T>(
        &self,
        mut ask: impl FnMut(&Day) -> Result<Option<T>, EventsError>,
    ) -> Result<Option<T>, EventsError> {
        let log = self.log_dir();
        let names = day::list(&log)?;
        let mut days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        // A day that retention removed is gone, whatever a connection still sees.
        days.retain(|name, _| names.contains(name));
        for name in names.iter().rev() {
            let day = match days.get(name) {
                Some(day) => day,
                None => {
                    let day = Day::open_to_read(&log, name)?;
                    days.entry(name.clone()).or_insert(day)
                }
            };
            if let Some(answer) = ask(day)? {
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }
}

pub(crate) fn log_dir(dir: &Path) -> PathBuf {
    dir.join("log")
}

pub(crate) fn state_path(dir: &Path) -> PathBuf {
    dir.join("state.sqlite")
}
