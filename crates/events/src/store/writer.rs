//! Writing the log: groups of commands, each group one transaction on one day, all of it or nothing.

use std::path::{Path, PathBuf};

use rusqlite::{Statement, Transaction, TransactionBehavior, params};

use super::blob;
use super::day::{self, Day, day_name};
use crate::{EventsError, Feedback, Recorded, Slate};

/// What the recorder is asked to do.
#[derive(Debug)]
pub(crate) enum Command {
    /// All of them or none.
    Slates(Vec<Slate>),
    Feedback(Vec<Feedback>),
    /// The clock was looked at, or moved on to a time.
    Tick(Option<i64>),
}

/// A command and when it arrived, by the recorder's clock.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) time: i64,
    pub(crate) command: Command,
}

/// What one group did.
#[derive(Debug, Default)]
pub(crate) struct Written<'g> {
    /// For each command.
    pub(crate) recorded: Vec<Recorded>,
    /// New slates, and new feedback of known slates, with their sequences.
    pub(crate) applied: Vec<(u64, Applied<'g>)>,
}

/// An event that moves derived values.
#[derive(Debug)]
pub(crate) enum Applied<'g> {
    Slate(&'g Slate),
    Feedback {
        /// The slate's.
        user: String,
        feedback: &'g Feedback,
    },
}

/// The log's one writer.
#[derive(Debug)]
pub(crate) struct Writer {
    log: PathBuf,
    /// All retained days, oldest first; the last is written to.
    days: Vec<Day>,
    mark_every_ms: i64,
    place: Place,
}

/// Where the log has got to.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    seq: u64,
    mark: Option<i64>,
}

impl Writer {
    /// Opens all days of `log`, which is made where it is not there.
    pub(crate) fn open(log: &Path, mark_every_ms: i64) -> Result<Writer, EventsError> {
        std::fs::create_dir_all(log).map_err(EventsError::io(log))?;
        let names = day::list(log)?;
        let days = names
            .iter()
            .map(|name| Day::open_to_write(log, name))
            .collect::<Result<Vec<_>, _>>()?;
        let mut place = Place::default();
        for day in days.iter().rev() {
            if place.seq == 0 {
                place.seq = day.range()?.map_or(0, |(_, last)| last);
            }
            if place.mark.is_none() {
                place.mark = day.last_mark()?;
            }
        }
        Ok(Writer {
            log: log.to_owned(),
            days,
            mark_every_ms: mark_every_ms.max(1),
            place,
        })
    }

    /// Time of the newest mark: time never goes back behind it.
    pub(crate) fn last_mark(&self) -> Option<i64> {
        self.place.mark
    }

    /// The log's last sequence; 0 where there is none.
    pub(crate) fn last_seq(&self) -> u64 {
        self.place.seq
    }

    /// Calls `apply` with all retained feedback of known slates, in the order of sequences.
    pub(crate) fn replay_feedback(
        &self,
        mut apply: impl FnMut(u64, &str, &Feedback),
    ) -> Result<(), EventsError> {
        const CHUNK: u64 = 4096;
        for day in &self.days {
            let Some((first, last)) = day.range()? else {
                continue;
            };
            for from in (first..=last).step_by(CHUNK as usize) {
                for (seq, feedback, user) in day.feedback(from, from + CHUNK - 1)? {
                    if let Some(user) = user {
                        apply(seq, &user, &feedback);
                    }
                }
            }
        }
        Ok(())
    }

    /// The day that an event of `time` is written to: its own, or the newest where that is later.
    pub(crate) fn day_of(&self, time: i64) -> String {
        let day = day_name(time);
        match self.days.last() {
            Some(newest) if newest.name > day => newest.name.clone(),
            _ => day,
        }
    }

    /// Writes `group`, whose commands all fall on `day`, and commits: what is returned is durable. On an error nothing of
    /// the group is in the log.
    pub(crate) fn write<'g>(&mut self, day: &str, group: &'g [Arrived]) -> Result<Written<'g>, EventsError> {
        self.turn_to(day)?;
        let Some((current, older)) = self.days.split_last() else {
            unreachable!("a day was turned to")
        };
        let mut place = self.place;
        let mut write = || -> rusqlite::Result<Written<'g>> {
            let transaction =
                Transaction::new_unchecked(&current.connection, TransactionBehavior::Immediate)?;
            let mut group_writer = GroupWriter::new(older, current, &mut place, self.mark_every_ms)?;
            for arrived in group {
                group_writer.command(arrived)?;
            }
            let written = group_writer.finish();
            transaction.commit()?;
            Ok(written)
        };
        let written = write().map_err(EventsError::sqlite(&current.path))?;
        self.place = place;
        Ok(written)
    }

    fn turn_to(&mut self, day: &str) -> Result<(), EventsError> {
        if self.days.last().is_some_and(|newest| newest.name == day) {
            return Ok(());
        }
        if let Some(finished) = self.days.last() {
            // Only tidiness: what is in the write-ahead file is durable without it.
            let _ = finished
                .connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
        self.days.push(Day::create(&self.log, day)?);
        Ok(())
    }
}

/// The statements of one transaction.
struct GroupWriter<'c, 'g> {
    /// For each retained day, newest first: the user of a slate, and whether a piece of feedback is there.
    lookups: Vec<(Statement<'c>, Statement<'c>)>,
    put_slate: Statement<'c>,
    put_feedback: Statement<'c>,
    put_mark: Statement<'c>,
    place: &'c mut Place,
    mark_every_ms: i64,
    written: Written<'g>,
}

impl<'c, 'g> GroupWriter<'c, 'g> {
    fn new(
        older: &'c [Day],
        current: &'c Day,
        place: &'c mut Place,
        mark_every_ms: i64,
    ) -> rusqlite::Result<Self> {
        let lookup = |day: &'c Day| {
            let user = day.connection.prepare("SELECT user FROM slates WHERE id = ?1")?;
            let known = day.connection.prepare("SELECT 1 FROM feedback WHERE id = ?1")?;
            Ok((user, known))
        };
        let connection = &current.connection;
        Ok(GroupWriter {
            lookups: older
                .iter()
                .chain([current])
                .rev()
                .map(lookup)
                .collect::<rusqlite::Result<_>>()?,
            put_slate: connection.prepare("INSERT INTO slates VALUES (?1, ?2, ?3, ?4, ?5)")?,
            put_feedback: connection
                .prepare("INSERT INTO feedback VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?,
            put_mark: connection.prepare("INSERT INTO marks VALUES (?1, ?2)")?,
            place,
            mark_every_ms,
            written: Written::default(),
        })
    }

    fn finish(self) -> Written<'g> {
        self.written
    }

    fn command(&mut self, arrived: &'g Arrived) -> rusqlite::Result<()> {
        self.mark(arrived.time)?;
        let mut recorded = Recorded::default();
        match &arrived.command {
            Command::Slates(slates) => {
                for slate in slates {
                    self.slate(slate, &mut recorded)?;
                }
            }
            Command::Feedback(feedback) => {
                for feedback in feedback {
                    self.feedback(feedback, &mut recorded)?;
                }
            }
            Command::Tick(_) => {}
        }
        recorded.last_seq = self.place.seq;
        self.written.recorded.push(recorded);
        Ok(())
    }

    /// One mark at the last boundary up to `now`, however many boundaries were passed.
    fn mark(&mut self, now: i64) -> rusqlite::Result<()> {
        let boundary = now
            .div_euclid(self.mark_every_ms)
            .saturating_mul(self.mark_every_ms);
        if self.place.mark.is_some_and(|last| boundary <= last) {
            return Ok(());
        }
        let seq = self.next_seq();
        self.put_mark.execute(params![seq, boundary])?;
        self.place.mark = Some(boundary);
        Ok(())
    }

    fn slate(&mut self, slate: &'g Slate, recorded: &mut Recorded) -> rusqlite::Result<()> {
        if self.user_of(&slate.id)?.is_some() {
            recorded.duplicates += 1;
            return Ok(());
        }
        let blob =
            blob::encode(slate).map_err(|problem| rusqlite::Error::ToSqlConversionFailure(problem.into()))?;
        let seq = self.next_seq();
        self.put_slate
            .execute(params![seq, slate.id, slate.time, slate.user, blob])?;
        recorded.stored += 1;
        let applied = (seq.cast_unsigned(), Applied::Slate(slate));
        self.written.applied.push(applied);
        Ok(())
    }

    fn feedback(&mut self, feedback: &'g Feedback, recorded: &mut Recorded) -> rusqlite::Result<()> {
        for (_, known) in &mut self.lookups {
            if known.exists([&feedback.id])? {
                recorded.duplicates += 1;
                return Ok(());
            }
        }
        let user = self.user_of(&feedback.slate)?;
        let Feedback {
            id,
            slate,
            item,
            kind,
            value,
            time,
        } = feedback;
        let seq = self.next_seq();
        self.put_feedback
            .execute(params![seq, id, slate, item, kind, value, time, user])?;
        recorded.stored += 1;
        match user {
            Some(user) => self
                .written
                .applied
                .push((seq.cast_unsigned(), Applied::Feedback { user, feedback })),
            None => recorded.orphans += 1,
        }
        Ok(())
    }

    fn user_of(&mut self, slate: &str) -> rusqlite::Result<Option<String>> {
        for (user, _) in &mut self.lookups {
            let mut rows = user.query([slate])?;
            if let Some(row) = rows.next()? {
                return row.get(0).map(Some);
            }
        }
        Ok(None)
    }

    fn next_seq(&mut self) -> i64 {
        self.place.seq += 1;
        self.place.seq.cast_signed()
    }
}
