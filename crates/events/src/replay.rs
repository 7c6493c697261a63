//! Reading the log back, in the order of its sequences.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use crate::store::day::{self, Day};
use crate::store::{Store, log_dir};
use crate::{EventsError, Feedback, Slate};

/// Sequences read at once.
const CHUNK: u64 = 256;

/// One event of the log.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A shown slate.
    Slate {
        /// Log sequence.
        seq: u64,
        /// The slate.
        slate: Slate,
    },
    /// Feedback.
    Feedback {
        /// Log sequence.
        seq: u64,
        /// The feedback.
        feedback: Feedback,
        /// The slate's user; `None`: the log had no such slate when the feedback came.
        user: Option<String>,
    },
    /// A closing mark: all that follows arrived at or after `time`.
    Mark {
        /// Log sequence.
        seq: u64,
        /// Time by the recorder's clock, ms since 1970.
        time: i64,
    },
}

impl Event {
    /// Its log sequence.
    pub fn seq(&self) -> u64 {
        match self {
            Event::Slate { seq, .. } | Event::Feedback { seq, .. } | Event::Mark { seq, .. } => *seq,
        }
    }
}

/// The committed events of a range of sequences. Holds a few hundred of them at a time; the recorder may write meanwhile.
#[derive(Debug)]
pub struct Replay {
    log: PathBuf,
    /// Days still to be read, oldest first, after the open one.
    days: VecDeque<String>,
    /// The open day, and the last sequence to read of it.
    open: Option<(Day, u64)>,
    next: u64,
    end: u64,
    events: VecDeque<Event>,
}

impl Replay {
    /// The events from `from_seq` to `to_seq`, both included; without `to_seq`, to the last one that is committed now.
    /// Events whose day is no longer retained are left out: see [`Store::first_seq`].
    ///
    /// # Errors
    /// [`EventsError::NoStore`] where there is no such directory.
    pub fn open(dir: &Path, from_seq: u64, to_seq: Option<u64>) -> Result<Replay, EventsError> {
        let last = Store::open(dir)?.last_seq()?;
        let log = log_dir(dir);
        Ok(Replay {
            days: day::list(&log)?.into(),
            log,
            open: None,
            next: from_seq.max(1),
            end: to_seq.unwrap_or(last).min(last),
            events: VecDeque::new(),
        })
    }

    /// A sequence from which on the log holds all slates that arrived at most `reach_ms` before the newest one. (Days are
    /// read from their beginning.)
    pub(crate) fn start_of(dir: &Path, reach_ms: i64) -> Result<u64, EventsError> {
        let log = log_dir(dir);
        let names = day::list(&log)?;
        for name in names.iter().rev() {
            let Some(newest) = Day::open_to_read(&log, name)?.last_slate_time()? else {
                continue;
            };
            let oldest = day::day_name(newest.saturating_sub(reach_ms));
            for name in names.iter().filter(|name| **name >= oldest) {
                if let Some((first, _)) = Day::open_to_read(&log, name)?.range()? {
                    return Ok(first);
                }
            }
        }
        Ok(1)
    }

    /// Reads events until there is one; `false` at the end.
    fn fill(&mut self) -> Result<bool, EventsError> {
        while self.events.is_empty() {
            if self.next > self.end {
                return Ok(false);
            }
            match &self.open {
                Some((day, last)) if self.next <= *last => {
                    let to = (self.next + CHUNK - 1).min(*last);
                    self.events = day.events(self.next, to)?.into();
                    self.next = to + 1;
                }
                _ => {
                    let Some(name) = self.days.pop_front() else {
                        return Ok(false);
                    };
                    let day = Day::open_to_read(&self.log, &name)?;
                    if let Some((first, last)) = day.range()? {
                        self.next = self.next.max(first);
                        self.open = Some((day, last.min(self.end)));
                    }
                }
            }
        }
        Ok(true)
    }
}

impl Iterator for Replay {
    type Item = Result<Event, EventsError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.fill() {
            Ok(true) => self.events.pop_front().map(Ok),
            Ok(false) => None,
            Err(error) => {
                self.next = u64::MAX;
                Some(Err(error))
            }
        }
    }
}
