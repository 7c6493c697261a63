//! One Parquet file: its schema, its times, and its rows by range.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_schema::{DataType, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;
use spec::Spec;

use super::cast::{self, Target};
use crate::EventsError;

/// Rows read at once where only times are read.
const TIME_ROWS: usize = 65_536;

/// A Parquet file whose footer has been read.
#[derive(Debug)]
pub(super) struct DataFile {
    pub(super) path: PathBuf,
    metadata: ArrowReaderMetadata,
}

impl DataFile {
    pub(super) fn open(path: &Path) -> Result<DataFile, EventsError> {
        let file = open(path)?;
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())
            .map_err(|source| broken(path, source))?;
        Ok(DataFile {
            path: path.to_owned(),
            metadata,
        })
    }

    pub(super) fn rows(&self) -> u64 {
        u64::try_from(self.metadata.metadata().file_metadata().num_rows()).unwrap_or(0)
    }

    pub(super) fn schema(&self) -> &Schema {
        self.metadata.schema()
    }

    /// The top-level column `name`.
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

    /// The columns `roots` (ascending) of `rows`, which lie within the file.
    pub(super) fn read(
        &self,
        roots: &[usize],
        rows: Range<u64>,
        batch_rows: usize,
    ) -> Result<RawBatches, EventsError> {
        let (mut groups, mut skip, mut before) = (Vec::new(), 0, 0);
        for (index, group) in self.metadata.metadata().row_groups().iter().enumerate() {
            let after = before + u64::try_from(group.num_rows()).unwrap_or(0);
            if after > rows.start && before < rows.end {
                if groups.is_empty() {
                    skip = rows.start - before;
                }
                groups.push(index);
            }
            before = after;
        }
        let builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(open(&self.path)?, self.metadata.clone());
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots.iter().copied());
        let size = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX);
        let reader = builder
            .with_projection(mask)
            .with_row_groups(groups)
            .with_offset(size(skip))
            .with_limit(size(rows.end - rows.start))
            .with_batch_size(batch_rows)
            .build()
            .map_err(|source| broken(&self.path, source))?;
        Ok(RawBatches {
            path: self.path.clone(),
            reader,
        })
    }

    /// Demands that times (the column `root`) do not go back, from `before` on; the answer is the last.
    pub(super) fn check_times(&self, spec: &Spec, root: usize, before: i64) -> Result<i64, EventsError> {
        let target = Target::Time(spec.keys.time_unit);
        let (mut before, mut row) = (before, 0);
        for batch in self.read(&[root], 0..self.rows(), TIME_ROWS)? {
            let batch = batch?;
            let times = cast::cast(batch.column(0), &target)
                .map_err(|bad| bad.at(&self.path, row, self.name(root)))?;
            for time in times.as_primitive::<Int64Type>().values() {
                row += 1;
                if *time < before {
                    let column = self.name(root).to_owned();
                    return Err(EventsError::TimeBackwards {
                        path: self.path.clone(),
                        row,
                        column,
                        time: *time,
                        before,
                    });
                }
                before = *time;
            }
        }
        Ok(before)
    }

    /// The error for a file with fewer rows than its footer says.
    pub(super) fn ends_early(&self, row: u64) -> EventsError {
        broken(
            &self.path,
            ParquetError::EOF(format!("it ends after row {row} of {}", self.rows())),
        )
    }
}

/// Batches as they are in the file.
pub(super) struct RawBatches {
    path: PathBuf,
    reader: ParquetRecordBatchReader,
}

impl Iterator for RawBatches {
    type Item = Result<RecordBatch, EventsError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?;
        Some(batch.map_err(|source| broken(&self.path, ParquetError::from(source))))
    }
}

fn open(path: &Path) -> Result<File, EventsError> {
    File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => EventsError::MissingFile {
            path: path.to_owned(),
        },
        _ => EventsError::io(path)(error),
    })
}

fn broken(path: &Path, source: ParquetError) -> EventsError {
    EventsError::Parquet {
        path: path.to_owned(),
        source: Arc::new(source),
    }
}
