//! Flat Parquet: one row an impression, labels as columns, streamed as [`Examples`]. In: files in the order of time, and
//! tables of attributes of users and items. Out: batches of examples; of a log of any size, a batch at a time is in memory.

mod batches;
mod cast;
mod column;
mod decode;
mod file;
mod flag;
mod label;
mod list;
mod nearest;
mod plain;
mod plan;
mod planner;
mod slates;
mod table;
mod times;
mod words;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use spec::Spec;

use crate::{Columns, EventsError, Examples, Fields};
use batches::Batches;
pub use cast::{as_numbers, as_texts};
use file::DataFile;
use label::LabelPlan;
use plan::{LogColumn, Plan};
use planner::Planner;
use table::{Table, Tables};

pub use file::{Sample, sample, scan};

/// Which files make a flat log.
#[derive(Debug, Clone)]
pub struct FlatOptions {
    /// The log's files, in the order of time.
    pub data: Vec<PathBuf>,
    /// Attributes of users, one row for each, with a column named as the user key.
    pub users: Option<PathBuf>,
    /// Attributes of items, one row for each, with a column named as the item key.
    pub items: Option<PathBuf>,
    /// Most rows of a batch.
    pub batch_rows: usize,
}

/// A flat log whose columns fit a declaration and whose times do not go back. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct FlatLog(Arc<Log>);

#[derive(Debug)]
struct Log {
    inputs: Vec<InputFile>,
    spec: Spec,
    columns: Columns,
    files: Vec<LogFile>,
    tables: Tables,
    labels: LabelPlan,
    batch_rows: usize,
}

/// One file of the log.
#[derive(Debug)]
struct LogFile {
    file: DataFile,
    /// The log's rows before it.
    first: u64,
    plan: Plan,
}

/// A file that a flat log is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFile {
    /// As it was named.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Its rows.
    pub rows: u64,
}

/// One impression as raw values, for sending a log to a service.
#[derive(Debug, Clone, PartialEq)]
pub struct FlatRow {
    /// Time of the impression, ms since 1970; 0 where the log has no times.
    pub time: i64,
    /// The person; empty where the log has none.
    pub user: String,
    /// The shown item; empty where the log has none.
    pub item: String,
    /// The slate.
    pub slate: Option<String>,
    /// Position from 1.
    pub position: Option<u32>,
    /// The watched item.
    pub query: Option<String>,
    /// Values of the user-side fields, by field name; like the others without missing ones.
    pub user_fields: Fields,
    /// Values of the context-side fields, by field name, and of user-side fields that are derived from the time.
    pub context_fields: Fields,
    /// Values of the query-side fields, by field name.
    pub query_fields: Fields,
    /// Values of the item-side fields, by field name.
    pub item_fields: Fields,
    /// Names in labels that are no declared fields, with their values in this row where there are any.
    pub label_inputs: Vec<(String, f64)>,
}

impl FlatLog {
    /// Opens the files, checks their columns against `spec` and reads the times once, where the log has them.
    ///
    /// A field is the log's column `column`, else the `attribute` in the table of its side. A field that is derived from a
    /// time (`since`, `part`) is that column of the log where there is one, as it is; else it is derived from the time
    /// in the log's column `attribute` or that of its side's table. An age is missing where that time is, or is later than
    /// the impression: what is shown was there before. Ids with weights are kept as requests give them: in the order of
    /// ids, each once with the sum of its weights.
    ///
    /// # Errors
    /// A file that is missing or cannot be read; all columns that are missing or of the wrong type, at once; times that go
    /// back; no row at all; a table with an id twice.
    pub fn open(spec: &Spec, options: FlatOptions) -> Result<FlatLog, EventsError> {
        let data = options
            .data
            .iter()
            .map(|path| DataFile::open(path))
            .collect::<Result<Vec<_>, _>>()?;
        let users = options.users.as_deref().map(DataFile::open).transpose()?;
        let items = options.items.as_deref().map(DataFile::open).transpose()?;
        let inputs = data
            .iter()
            .chain(&users)
            .chain(&items)
            .map(DataFile::input)
            .collect();
        let labels = LabelPlan::of(spec);

        let mut planner = Planner::new(spec, &labels, users.as_ref(), items.as_ref());
        let plans: Vec<Plan> = data.iter().map(|file| planner.plan(file)).collect();
        let wanted = planner.finish(data.is_empty())?;

        let mut files = Vec::with_capacity(data.len());
        let (mut first, mut before) = (0, i64::MIN);
        for (file, plan) in data.into_iter().zip(plans) {
            if let Some(time) = plan.root(LogColumn::Time) {
                before = file.check_times(spec, time, before)?;
            }
            let rows = file.rows();
            files.push(LogFile { file, first, plan });
            first += rows;
        }
        if first == 0 {
            return Err(without_rows(&files));
        }
        let tables = Tables {
            users: users
                .map(|file| Table::load(file, &spec.keys.user, &wanted.users))
                .transpose()?,
            items: items
                .map(|file| Table::load(file, &spec.keys.item, &wanted.items))
                .transpose()?,
        };
        let (columns, spec) = (Columns::of(spec), spec.clone());
        Ok(FlatLog(Arc::new(Log {
            inputs,
            spec,
            columns,
            files,
            tables,
            labels,
            batch_rows: options.batch_rows.max(1),
        })))
    }

    /// Number of rows.
    pub fn rows(&self) -> u64 {
        self.0
            .files
            .last()
            .map_or(0, |file| file.first + file.file.rows())
    }

    /// The files that it is read from: those of the log in the order of time, then the tables.
    pub fn inputs(&self) -> &[InputFile] {
        &self.0.inputs
    }

    /// Most rows of a batch.
    pub fn batch_rows(&self) -> usize {
        self.0.batch_rows
    }

    /// The column layout of its examples.
    pub fn columns(&self) -> &Columns {
        &self.0.columns
    }

    /// The examples of the log's rows `rows` (from 0), in order, one for each row; their keys are the row numbers. Nothing
    /// follows an error. Whoever begins where a batch began has the same batches from there on.
    pub fn read(
        &self,
        rows: Range<u64>,
    ) -> impl Iterator<Item = Result<Examples, EventsError>> + Send + use<> {
        let log = Arc::clone(&self.0);
        Batches::new(&self.0, rows).map(move |raw| log.examples(&raw?))
    }

    /// The log's rows `rows` (from 0) as raw values, in order. Nothing follows an error but the batches after it.
    pub fn read_rows(
        &self,
        rows: Range<u64>,
    ) -> impl Iterator<Item = Result<FlatRow, EventsError>> + Send + use<> {
        let log = Arc::clone(&self.0);
        let batches = Batches::new(&self.0, rows).map(move |raw| log.rows(&raw?));
        batches.flat_map(|rows| match rows {
            Ok(rows) => rows.into_iter().map(Ok).collect::<Vec<_>>(),
            Err(error) => vec![Err(error)],
        })
    }
}

/// The error for files of which none has a row.
fn without_rows(files: &[LogFile]) -> EventsError {
    let others = match files.len() {
        0 | 1 => String::new(),
        files => format!(" (nor have the other {} files)", files - 1),
    };
    EventsError::Unreadable {
        path: files
            .first()
            .map(|file| file.file.path.clone())
            .unwrap_or_default(),
        problem: format!("has columns and no row{others}, expected a row for each impression"),
    }
}

impl Log {
    /// The file that holds the row `row`.
    fn file_of(&self, row: u64) -> usize {
        self.files
            .partition_point(|file| file.first + file.file.rows() <= row)
    }
}
