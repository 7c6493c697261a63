//! What can go wrong, one variant for each thing a caller can act on.

use std::path::PathBuf;
use std::sync::Arc;

use parquet::errors::ParquetError;

/// An error of this crate.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EventsError {
    /// A data file that was named is not there.
    #[error("`{}` does not exist", path.display())]
    MissingFile {
        /// The file.
        path: PathBuf,
    },
    /// A file that is not Parquet, or not the whole of one.
    #[error("`{}` is not a whole Parquet file: {source}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        source: Arc<ParquetError>,
    },
    /// A data file of no format that is read, or whose columns cannot be told apart.
    #[error("`{}` {problem}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What it is instead, and what to do.
        problem: String,
    },
    /// A line of a CSV or JSONL file that cannot be read.
    #[error("`{}`, line {line}: {problem}", path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// Line of the file, from 1; of a row with more than one, the first.
        line: u64,
        /// What was found there, and what was expected.
        problem: String,
    },
    /// A data file that is not any more what it was when it was opened.
    #[error("`{}` changed while it was read: read it again when nothing writes to it", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// Columns that the declaration needs and no file has, or has in a type that cannot be read as declared.
    #[error("{}", problems.join("\n"))]
    Columns {
        /// One line for each column.
        problems: Vec<String>,
    },
    /// A cell of a data file that cannot be what the declaration says it is.
    #[error("`{}`, {place}, column `{column}`: found {found}, expected {expected}", path.display())]
    Cell {
        /// The file.
        path: PathBuf,
        /// The row, from 1, or the line of a text file.
        place: String,
        /// The column.
        column: String,
        /// What is there.
        found: Box<str>,
        /// What should be there.
        expected: Box<str>,
    },
    /// A log that is not in the order of time.
    #[error(
        "`{}`: time goes backwards at {place} ({time} after {before}): sort the log by `{column}`",
        path.display()
    )]
    TimeBackwards {
        /// The file.
        path: PathBuf,
        /// Row of data in the file, from 1.
        row: u64,
        /// Where that is, in words: the row, or of a text file its line.
        place: String,
        /// The column of times.
        column: String,
        /// Time of the row, ms since 1970.
        time: i64,
        /// Time of the row before it, ms since 1970.
        before: i64,
    },
    /// Two rows of a table of users or items with one id.
    #[error("`{}`, {place}: `{column}` `{key}` is already in {before}", path.display())]
    DuplicateKey {
        /// The file.
        path: PathBuf,
        /// The row, from 1, or the line of a text file.
        place: String,
        /// The row that had the id first.
        before: Box<str>,
        /// The column of ids.
        column: String,
        /// The id.
        key: Box<str>,
    },
    /// A raw value that is not what the field is declared to be.
    #[error("field `{field}`: found {found}, expected {expected}")]
    Value {
        /// The field.
        field: String,
        /// What was given.
        found: String,
        /// What is declared.
        expected: String,
    },
    /// A slate that cannot be recorded.
    #[error("slate `{slate}`: {problem}")]
    Slate {
        /// Its id.
        slate: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Feedback that cannot be recorded.
    #[error("feedback `{feedback}`: {problem}")]
    Feedback {
        /// Its id.
        feedback: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A role that somebody else holds.
    #[error(
        "another {role} is at work here (it holds `{}`): stop it first, or choose another directory",
        path.display()
    )]
    Locked {
        /// The role.
        role: String,
        /// Its lock file.
        path: PathBuf,
    },
    /// A directory that holds no store.
    #[error("`{}` does not exist: expected the directory of a store", path.display())]
    NoStore {
        /// The directory.
        path: PathBuf,
    },
    /// A store written by another version of the schema.
    #[error("`{}` has schema version {found}, expected {expected}", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// The version that it has.
        found: i64,
        /// The version that this program reads and writes.
        expected: i64,
    },
    /// A record of the store that cannot be read back.
    #[error("`{}`, record {record}: {problem}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// Which record.
        record: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A model version that is not in the registry.
    #[error("model `{version}` is not in the registry; known: {}", known.join(", "))]
    UnknownModel {
        /// The version asked for.
        version: String,
        /// The versions that there are.
        known: Vec<String>,
    },
    /// A roll-back with nothing to go back to.
    #[error("no model was serving before: nothing to roll back to")]
    NothingBefore,
    /// The recorder's thread has ended.
    #[error("the recorder has stopped")]
    Stopped,
    /// More commands wait for the recorder than may.
    #[error("the log is behind; try again")]
    Behind,
    /// The file system refused.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: Arc<std::io::Error>,
    },
    /// SQLite refused.
    #[error("`{}`: {source}", path.display())]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// Why.
        source: Arc<rusqlite::Error>,
    },
}

impl EventsError {
    /// Whether the caller's data is at fault (exit code 2), rather than the machine or the state of the store.
    pub fn is_bad_input(&self) -> bool {
        match self {
            EventsError::MissingFile { .. }
            | EventsError::Parquet { .. }
            | EventsError::Unreadable { .. }
            | EventsError::Text { .. }
            | EventsError::Changed { .. }
            | EventsError::Columns { .. }
            | EventsError::Cell { .. }
            | EventsError::TimeBackwards { .. }
            | EventsError::DuplicateKey { .. }
            | EventsError::Value { .. }
            | EventsError::Slate { .. }
            | EventsError::Feedback { .. }
            | EventsError::NoStore { .. }
            | EventsError::UnknownModel { .. }
            | EventsError::NothingBefore => true,
            EventsError::Locked { .. }
            | EventsError::Schema { .. }
            | EventsError::Record { .. }
            | EventsError::Stopped
            | EventsError::Behind
            | EventsError::Io { .. }
            | EventsError::Sqlite { .. } => false,
        }
    }

    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> EventsError {
        let path = path.into();
        move |source| EventsError::Io {
            path,
            source: Arc::new(source),
        }
    }

    pub(crate) fn sqlite(path: impl Into<PathBuf>) -> impl FnOnce(rusqlite::Error) -> EventsError {
        let path = path.into();
        move |source| EventsError::Sqlite {
            path,
            source: Arc::new(source),
        }
    }
}
