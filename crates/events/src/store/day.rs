//! One file of the log: a UTC day by the recorder's clock, `log/YYYY-MM-DD.sqlite`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Row};

use super::blob;
use crate::{Event, EventsError, Feedback, Slate};

const SCHEMA: &str = include_str!("log.sql");
const VERSION: i64 = 1;
const DAY_MS: i64 = 86_400_000;
/// Days from 1970 to 0000-01-01 and 9999-12-31: beyond them, names would not sort by time.
const FIRST_DAY: i64 = -719_528;
const LAST_DAY: i64 = 2_932_896;
/// How long a connection waits for another's short transaction.
pub(crate) const BUSY: Duration = Duration::from_secs(5);

/// An open day.
#[derive(Debug)]
pub(crate) struct Day {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) connection: Connection,
}

/// Name of the day that `time_ms` falls on: `YYYY-MM-DD`, of the proleptic Gregorian calendar.
pub(crate) fn day_name(time_ms: i64) -> String {
    let days = time_ms.div_euclid(DAY_MS).clamp(FIRST_DAY, LAST_DAY) - FIRST_DAY;
    // Years counted from March, so that a leap day is the last of its year; eras of 400 years from March of year 0.
    let since_march = days - 60;
    let (eras, day) = (since_march.div_euclid(146_097), since_march.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    format!("{:04}-{month:02}-{day:02}", eras * 400 + year + next)
}

/// Names of the days in `log`, oldest first; none where there is no such directory.
pub(crate) fn list(log: &Path) -> Result<Vec<String>, EventsError> {
    let entries = match fs::read_dir(log) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(EventsError::io(log)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(EventsError::io(log))?.file_name();
        if let Some(day) = name
            .to_str()
            .and_then(|name| name.strip_suffix(".sqlite"))
            .filter(|day| is_day(day))
        {
            names.push(day.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn is_day(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| {
            if at == 4 || at == 7 {
                byte == b'-'
            } else {
                byte.is_ascii_digit()
            }
        })
}

impl Day {
    /// Makes the file of day `name`, whole or not at all: readers never see it without its tables.
    pub(crate) fn create(log: &Path, name: &str) -> Result<Day, EventsError> {
        let path = log.join(format!("{name}.sqlite"));
        let unfinished = log.join(format!("{name}.sqlite.new"));
        if let Err(error) = fs::remove_file(&unfinished)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(EventsError::io(&unfinished)(error));
        }
        let connection = Connection::open(&unfinished).map_err(EventsError::sqlite(&unfinished))?;
        let made = set_durable(&connection).and_then(|()| connection.execute_batch(SCHEMA));
        made.map_err(EventsError::sqlite(&unfinished))?;
        connection
            .close()
            .map_err(|(_, error)| EventsError::sqlite(&unfinished)(error))?;
        fs::rename(&unfinished, &path).map_err(EventsError::io(&path))?;
        fs::File::open(log)
            .and_then(|log| log.sync_all())
            .map_err(EventsError::io(log))?;
        Day::open_to_write(log, name)
    }

    pub(crate) fn open_to_write(log: &Path, name: &str) -> Result<Day, EventsError> {
        let day = Day::open(log, name, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        set_durable(&day.connection).map_err(EventsError::sqlite(&day.path))?;
        Ok(day)
    }

    pub(crate) fn open_to_read(log: &Path, name: &str) -> Result<Day, EventsError> {
        Day::open(log, name, OpenFlags::SQLITE_OPEN_READ_ONLY)
    }

    fn open(log: &Path, name: &str, access: OpenFlags) -> Result<Day, EventsError> {
        let path = log.join(format!("{name}.sqlite"));
        let connection = Connection::open_with_flags(&path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(EventsError::sqlite(&path))?;
        connection
            .busy_timeout(BUSY)
            .map_err(EventsError::sqlite(&path))?;
        check_version(&connection, &path, VERSION)?;
        Ok(Day {
            name: name.to_owned(),
            path,
            connection,
        })
    }

    /// Lowest and highest sequence; `None` where the day is empty.
    pub(crate) fn range(&self) -> Result<Option<(u64, u64)>, EventsError> {
        let sql = "SELECT min(low), max(high) FROM (
                SELECT min(seq) AS low, max(seq) AS high FROM slates
                UNION ALL SELECT min(seq), max(seq) FROM feedback
                UNION ALL SELECT min(seq), max(seq) FROM marks)";
        let ends: (Option<i64>, Option<i64>) = self
            .connection
            .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(EventsError::sqlite(&self.path))?;
        Ok(ends
            .0
            .zip(ends.1)
            .map(|(low, high)| (low.cast_unsigned(), high.cast_unsigned())))
    }

    /// Time of the newest mark.
    pub(crate) fn last_mark(&self) -> Result<Option<i64>, EventsError> {
        self.connection
            .query_row("SELECT max(time) FROM marks", [], |row| row.get(0))
            .map_err(EventsError::sqlite(&self.path))
    }

    /// Time that the last slate carries.
    pub(crate) fn last_slate_time(&self) -> Result<Option<i64>, EventsError> {
        let sql = "SELECT time FROM slates ORDER BY seq DESC LIMIT 1";
        Ok(self.read(sql, [], |row| row.get(0))?.pop())
    }

    pub(crate) fn slate(&self, id: &str) -> Result<Option<Slate>, EventsError> {
        let sql = "SELECT seq, id, time, user, blob FROM slates WHERE id = ?1";
        let mut slates = self.read(sql, [id], |row| self.slate_of(row))?;
        slates
            .pop()
            .map(|event| {
                if let Event::Slate { slate, .. } = event? {
                    Ok(slate)
                } else {
                    unreachable!("a row of slates")
                }
            })
            .transpose()
    }

    /// The events of sequences `from..=to`, in order.
    pub(crate) fn events(&self, from: u64, to: u64) -> Result<Vec<Event>, EventsError> {
        let between = [from.cast_signed(), to.cast_signed()];
        let slates = "SELECT seq, id, time, user, blob FROM slates WHERE seq BETWEEN ?1 AND ?2";
        let marks = "SELECT seq, time FROM marks WHERE seq BETWEEN ?1 AND ?2";
        let mut events = self.read(slates, between, |row| self.slate_of(row))?;
        events.extend(self.read(marks, between, |row| {
            let (seq, time): (i64, i64) = (row.get(0)?, row.get(1)?);
            Ok(Ok(Event::Mark {
                seq: seq.cast_unsigned(),
                time,
            }))
        })?);
        let mut events = events.into_iter().collect::<Result<Vec<_>, _>>()?;
        events.extend(
            self.feedback(from, to)?
                .into_iter()
                .map(|(seq, feedback, user)| Event::Feedback { seq, feedback, user }),
        );
        events.sort_unstable_by_key(Event::seq);
        Ok(events)
    }

    /// The feedback of sequences `from..=to`, in order, with the slates' users.
    pub(crate) fn feedback(
        &self,
        from: u64,
        to: u64,
    ) -> Result<Vec<(u64, Feedback, Option<String>)>, EventsError> {
        let sql = "SELECT seq, id, slate, item, kind, value, time, user FROM feedback
            WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq";
        self.read(sql, [from.cast_signed(), to.cast_signed()], |row| {
            let feedback = Feedback {
                id: row.get(1)?,
                slate: row.get(2)?,
                item: row.get(3)?,
                kind: row.get(4)?,
                value: row.get(5)?,
                time: row.get(6)?,
            };
            Ok((row.get::<_, i64>(0)?.cast_unsigned(), feedback, row.get(7)?))
        })
    }

    fn slate_of(&self, row: &Row) -> rusqlite::Result<Result<Event, EventsError>> {
        let id: String = row.get(1)?;
        let record = format!("slate `{id}`");
        let slate = blob::decode(id, row.get(2)?, row.get(3)?, row.get_ref(4)?.as_blob()?);
        let seq = row.get::<_, i64>(0)?.cast_unsigned();
        Ok(match slate {
            Ok(slate) => Ok(Event::Slate { seq, slate }),
            Err(problem) => Err(EventsError::Record {
                path: self.path.clone(),
                record,
                problem,
            }),
        })
    }

    fn read<T>(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
        read: impl FnMut(&Row) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, EventsError> {
        let rows = || -> rusqlite::Result<Vec<T>> {
            self.connection
                .prepare(sql)?
                .query_map(parameters, read)?
                .collect()
        };
        rows().map_err(EventsError::sqlite(&self.path))
    }
}

/// What makes a commit survive a power cut.
pub(crate) fn set_durable(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")
}

pub(crate) fn check_version(connection: &Connection, path: &Path, expected: i64) -> Result<(), EventsError> {
    let found: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(EventsError::sqlite(path))?;
    if found == expected {
        return Ok(());
    }
    Err(EventsError::Schema {
        path: path.to_owned(),
        found,
        expected,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_named_by_the_calendar_and_sort_by_time() {
        assert_eq!(day_name(0), "1970-01-01");
        assert_eq!(day_name(-1), "1969-12-31");
        assert_eq!(day_name(951_782_400_000), "2000-02-29");
        assert_eq!(day_name(951_868_799_999), "2000-02-29");
        assert_eq!(day_name(951_868_800_000), "2000-03-01");
        assert_eq!(day_name(1_735_689_599_999), "2024-12-31");
        assert_eq!(day_name(4_107_542_400_000), "2100-03-01");
        assert_eq!(day_name(4_107_542_399_999), "2100-02-28");
        assert_eq!(day_name(i64::MIN), "0000-01-01");
        assert_eq!(day_name(i64::MAX), "9999-12-31");
        let mut before = day_name(FIRST_DAY * DAY_MS);
        for day in FIRST_DAY + 1..=FIRST_DAY + 400 * 366 {
            let name = day_name(day * DAY_MS);
            assert!(before < name, "{before} {name}");
            before = name;
        }
    }

    #[test]
    fn a_file_of_another_schema_version_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let day = Day::create(dir.path(), "2024-05-01").unwrap();
        day.connection.pragma_update(None, "user_version", 7).unwrap();
        let error = Day::open_to_read(dir.path(), "2024-05-01").unwrap_err();
        assert!(
            error.to_string().ends_with("has schema version 7, expected 1"),
            "{error}"
        );
    }

    #[test]
    fn a_day_left_unfinished_by_a_crash_is_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("2024-05-01.sqlite.new"), b"half").unwrap();
        assert!(list(dir.path()).unwrap().is_empty());
        Day::create(dir.path(), "2024-05-01").unwrap();
        assert_eq!(list(dir.path()).unwrap(), ["2024-05-01"]);
    }
}
