//! One data file, Parquet, CSV or JSONL: its schema, its times, and its rows by range. In: a path. Out: batches of flat
//! columns; a nested object is as many columns as it has values, with dotted names (`user.id`).

mod cells;
mod csv;
mod flatten;
mod format;
mod identity;
mod index;
mod infer;
mod jsonl;
mod parquet;
mod sample;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_schema::{DataType, Schema, SchemaRef};
use spec::Spec;

use super::InputFile;
use super::cast::{self, Target};
use crate::EventsError;
use format::Format;
use identity::Identity;
use parquet::{ParquetFile, ParquetRows};
use text::{TextFile, TextRows};

pub use sample::{Sample, sample, scan};

/// Rows read at once where only times are read.
const TIME_ROWS: usize = 65_536;

/// A data file whose columns are known: of Parquet its footer has been read, of text every row.
#[derive(Debug)]
pub(super) struct DataFile {
    pub(super) path: PathBuf,
    identity: Identity,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Parquet(ParquetFile),
    Text(TextFile),
}

impl DataFile {
    pub(super) fn open(path: &Path) -> Result<DataFile, EventsError> {
        let identity = Identity::of(path)?;
        let source = Format::of(path).and_then(|format| match format {
            Format::Parquet => ParquetFile::open(path).map(Source::Parquet),
            Format::Csv => TextFile::csv(path).map(Source::Text),
            Format::Jsonl => TextFile::jsonl(path).map(Source::Text),
        });
        // A file that is being written reads as a broken one: what is wrong is that it changes.
        identity.check(path)?;
        Ok(DataFile {
            path: path.to_owned(),
            identity,
            source: source?,
        })
    }

    pub(super) fn rows(&self) -> u64 {
        match &self.source {
            Source::Parquet(file) => file.rows(),
            Source::Text(file) => file.rows(),
        }
    }

    /// What it is, for who compares files.
    pub(super) fn input(&self) -> InputFile {
        InputFile {
            path: self.path.clone(),
            bytes: self.identity.bytes,
            rows: self.rows(),
        }
    }

    /// The flat columns.
    pub(super) fn schema(&self) -> &Schema {
        self.shared_schema()
    }

    fn shared_schema(&self) -> &SchemaRef {
        match &self.source {
            Source::Parquet(file) => &file.schema,
            Source::Text(file) => &file.schema,
        }
    }

    /// The flat column `name`.
    pub(super) fn root(&self, name: &str) -> Option<usize> {
        self.schema()
            .fields()
            .iter()
            .position(|field| field.name() == name)
    }

    pub(super) fn name(&self, root: usize) -> &str {
        self.schema().field(root).name()
    }

    pub(super) fn data_type(&self, root: usize) -> &DataType {
        self.schema().field(root).data_type()
    }

    /// The file's name, for messages that list many.
    pub(super) fn label(&self) -> String {
        self.path.display().to_string()
    }

    /// Where the row `row` (from 0) is, in words: `row 5`, or for text, where a row may have many lines, `line 7`.
    pub(super) fn place(&self, row: u64) -> String {
        let line = match &self.source {
            Source::Text(file) => file.line(&self.path, row),
            Source::Parquet(_) => None,
        };
        match line {
            Some(line) => format!("line {line}"),
            None => format!("row {}", row + 1),
        }
    }

    /// Where most cells of a text column are numbers: the line (from 1) of the first cell that is none, and that cell.
    pub(super) fn why_text(&self, root: usize) -> Option<(u64, String)> {
        match &self.source {
            Source::Parquet(_) => None,
            Source::Text(file) => file.why.get(root).cloned().flatten(),
        }
    }

    /// The columns `roots` (ascending) of `rows`, which lie within the file. A batch may have fewer rows than `batch_rows`.
    pub(super) fn read(
        &self,
        roots: &[usize],
        rows: Range<u64>,
        batch_rows: usize,
    ) -> Result<RawBatches, EventsError> {
        let left = rows.end.saturating_sub(rows.start);
        let batch_rows = batch_rows.max(1);
        let path = &self.path;
        let rows = match &self.source {
            Source::Parquet(file) => file
                .read(path, roots, rows, batch_rows)
                .map(|rows| Rows::Parquet(Box::new(rows))),
            Source::Text(file) => file
                .read(path, roots, rows, batch_rows)
                .map(|rows| Rows::Text(Box::new(rows))),
        };
        // Where it has changed, that is what is wrong, whatever reading it came to.
        self.identity.check(path)?;
        Ok(RawBatches {
            path: path.clone(),
            identity: self.identity.clone(),
            rows: rows?,
            left,
        })
    }

    /// Demands that times (the column `root`) do not go back, from `before` on; the answer is the last.
    pub(super) fn check_times(&self, spec: &Spec, root: usize, before: i64) -> Result<i64, EventsError> {
        let target = Target::time(&spec.keys);
        let (mut before, mut row) = (before, 0);
        for batch in self.read(&[root], 0..self.rows(), TIME_ROWS)? {
            let batch = batch?;
            let times =
                cast::cast(batch.column(0), &target).map_err(|bad| bad.at(self, row, self.name(root)))?;
            for time in times.as_primitive::<Int64Type>().values() {
                if *time < before {
                    return Err(EventsError::TimeBackwards {
                        path: self.path.clone(),
                        row: row + 1,
                        place: self.place(row),
                        column: self.name(root).to_owned(),
                        time: *time,
                        before,
                    });
                }
                (before, row) = (*time, row + 1);
            }
        }
        Ok(before)
    }

    /// The error for a file with fewer rows than it had, or than its footer says.
    pub(super) fn ends_early(&self, row: u64) -> EventsError {
        match &self.source {
            Source::Parquet(file) => parquet::ends_early(&self.path, row, file.rows()),
            Source::Text(_) => EventsError::Changed {
                path: self.path.clone(),
            },
        }
    }
}

/// Batches as they are in the file, with all rows that were asked for, or an error; nothing follows an error.
pub(super) struct RawBatches {
    path: PathBuf,
    identity: Identity,
    rows: Rows,
    left: u64,
}

enum Rows {
    Parquet(Box<ParquetRows>),
    Text(Box<TextRows>),
}

impl RawBatches {
    fn batch(&mut self) -> Result<RecordBatch, EventsError> {
        let batch = match &mut self.rows {
            Rows::Parquet(rows) => rows.batch(&self.path, self.left),
            Rows::Text(rows) => rows.batch(&self.path),
        };
        self.identity.check(&self.path)?;
        batch
    }
}

impl Iterator for RawBatches {
    type Item = Result<RecordBatch, EventsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let batch = self.batch();
        self.left = match &batch {
            Ok(batch) => self.left.saturating_sub(batch.num_rows() as u64),
            Err(_) => 0,
        };
        Some(batch)
    }
}

/// The columns `roots` of `schema`, of which every one is known to be there.
fn projected(schema: &SchemaRef, roots: &[usize]) -> SchemaRef {
    let fields: Vec<_> = roots
        .iter()
        .map(|root| Arc::clone(&schema.fields()[*root]))
        .collect();
    Arc::new(Schema::new(fields))
}

/// The names that are in `names` more than once, with their places from 1; empty where there are none.
fn repeated<'n>(names: impl IntoIterator<Item = &'n str>) -> Vec<String> {
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (place, name) in (1_usize..).zip(names) {
        places.entry(name).or_default().push(place.to_string());
    }
    let repeated = places.into_iter().filter(|(_, places)| places.len() > 1);
    repeated
        .map(|(name, places)| format!("`{name}` (columns {})", places.join(", ")))
        .collect()
}
