//! A Parquet file: its footer, its columns with structs flattened, and its rows by range.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use arrow_select::nullif::nullif;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;

use super::identity::open;
use super::{projected, repeated};
use crate::EventsError;

/// A Parquet file whose footer has been read.
#[derive(Debug)]
pub(super) struct ParquetFile {
    metadata: ArrowReaderMetadata,
    /// The flat columns.
    pub(super) schema: SchemaRef,
    /// For each of them, its leaves among the file's.
    leaves: Vec<Range<usize>>,
}

impl ParquetFile {
    pub(super) fn open(path: &Path) -> Result<ParquetFile, EventsError> {
        let metadata = ArrowReaderMetadata::load(&open(path)?, ArrowReaderOptions::new())
            .map_err(|source| broken(path, source))?;
        let mut columns = Vec::new();
        flatten(metadata.schema().fields(), None, &mut columns);
        let (mut leaves, mut before) = (Vec::with_capacity(columns.len()), 0);
        for column in &columns {
            let after = before + count(column.data_type());
            leaves.push(before..after);
            before = after;
        }
        if before != metadata.parquet_schema().num_columns() {
            let problem = "its columns are not those of its schema".to_owned();
            return Err(broken(path, ParquetError::General(problem)));
        }
        let repeated = repeated(columns.iter().map(|column| column.name().as_str()));
        if !repeated.is_empty() {
            return Err(EventsError::Unreadable {
                path: path.to_owned(),
                problem: format!(
                    "has column names that are there more than once: {}: give each column a name of its own",
                    repeated.join(", ")
                ),
            });
        }
        Ok(ParquetFile {
            metadata,
            schema: Arc::new(Schema::new(columns)),
            leaves,
        })
    }

    pub(super) fn rows(&self) -> u64 {
        u64::try_from(self.metadata.metadata().file_metadata().num_rows()).unwrap_or(0)
    }

    /// The columns `roots` (ascending) of `rows`, which lie within the file.
    pub(super) fn read(
        &self,
        path: &Path,
        roots: &[usize],
        rows: Range<u64>,
        batch_rows: usize,
    ) -> Result<ParquetRows, EventsError> {
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
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(open(path)?, self.metadata.clone());
        let leaves = roots.iter().flat_map(|root| self.leaves[*root].clone());
        let mask = ProjectionMask::leaves(builder.parquet_schema(), leaves);
        let size = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX);
        let reader = builder
            .with_projection(mask)
            .with_row_groups(groups)
            .with_offset(size(skip))
            .with_limit(size(rows.end.saturating_sub(rows.start)))
            .with_batch_size(batch_rows)
            .build()
            .map_err(|source| broken(path, source))?;
        Ok(ParquetRows {
            reader,
            schema: projected(&self.schema, roots),
            rows: self.rows(),
        })
    }
}

/// Some columns of a range of rows.
pub(super) struct ParquetRows {
    reader: ParquetRecordBatchReader,
    schema: SchemaRef,
    /// Rows of the file.
    rows: u64,
}

impl ParquetRows {
    /// The next rows, of `left` that are to come.
    pub(super) fn batch(&mut self, path: &Path, left: u64) -> Result<RecordBatch, EventsError> {
        let batch = match self.reader.next() {
            Some(Ok(batch)) if batch.num_rows() > 0 => batch,
            Some(Err(source)) => return Err(broken(path, ParquetError::from(source))),
            _ => return Err(ends_early(path, self.rows.saturating_sub(left), self.rows)),
        };
        // The mask keeps whole flat columns, in their order: what is in the batch, flattened, is what was asked for.
        let flat = || -> Result<RecordBatch, ArrowError> {
            let mut columns = Vec::new();
            for column in batch.columns() {
                flat_arrays(column, &mut columns)?;
            }
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
        };
        flat().map_err(|source| broken(path, ParquetError::from(source)))
    }
}

/// Appends the flat columns of `fields`, which are in the struct named `parent`.
fn flatten(fields: &Fields, parent: Option<&str>, columns: &mut Vec<FieldRef>) {
    for field in fields {
        let name = match parent {
            Some(parent) => format!("{parent}.{}", field.name()),
            None => field.name().clone(),
        };
        match field.data_type() {
            DataType::Struct(inner) => flatten(inner, Some(&name), columns),
            _ if parent.is_none() => columns.push(Arc::clone(field)),
            // The struct around it may be missing.
            found => columns.push(Arc::new(Field::new(name, found.clone(), true))),
        }
    }
}

/// Appends the flat columns of `array`; where a struct is missing, so is all that is in it.
fn flat_arrays(array: &ArrayRef, columns: &mut Vec<ArrayRef>) -> Result<(), ArrowError> {
    if !matches!(array.data_type(), DataType::Struct(_)) {
        columns.push(Arc::clone(array));
        return Ok(());
    }
    let object = array.as_struct();
    let missing: Option<BooleanArray> =
        (object.null_count() > 0).then(|| (0..object.len()).map(|row| Some(object.is_null(row))).collect());
    for column in object.columns() {
        match &missing {
            Some(missing) => flat_arrays(&nullif(column, missing)?, columns)?,
            None => flat_arrays(column, columns)?,
        }
    }
    Ok(())
}

/// How many leaves a column of type `found` has.
fn count(found: &DataType) -> usize {
    match found {
        DataType::Struct(fields) => fields.iter().map(|field| count(field.data_type())).sum(),
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::Map(field, _) => count(field.data_type()),
        _ => 1,
    }
}

/// The error for a file that ends behind `row` of its `rows` rows.
pub(super) fn ends_early(path: &Path, row: u64, rows: u64) -> EventsError {
    broken(
        path,
        ParquetError::EOF(format!("it ends after row {row} of {rows}")),
    )
}

fn broken(path: &Path, source: ParquetError) -> EventsError {
    EventsError::Parquet {
        path: path.to_owned(),
        source: Arc::new(source),
    }
}
