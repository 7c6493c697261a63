//! A part of a data file that stands for all of it: blocks of rows, evenly spread. In: a path. Out: batches, in the file's
//! order, for profiling columns before anything is declared.

use std::path::Path;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::SchemaRef;

use super::DataFile;
use crate::EventsError;
use crate::import::words::plain_type;

/// Blocks of rows that a sample has, where the file has more rows than are wanted.
const BLOCKS: u64 = 8;
/// Most rows of a batch.
const BATCH_ROWS: usize = 8_192;

/// Rows of a data file with all its columns, flattened: what is in a struct or an object has a dotted name (`user.id`).
#[derive(Debug, Clone)]
pub struct Sample {
    /// The columns. Of a text file their types are those of all rows of the file, not of the sample's.
    pub schema: SchemaRef,
    /// Rows in the file's order, at most as many as were asked for; within a batch each row follows the one before it.
    pub batches: Vec<RecordBatch>,
    /// For each batch, the row of the file (from 0) that it begins with.
    pub first_rows: Vec<u64>,
    /// Rows of the file.
    pub rows_in_file: u64,
    /// For each column that is text though most of its cells in the file are numbers: the line (from 1) of the first cell
    /// that is none, and that cell.
    pub why_text: Vec<Option<(u64, String)>>,
}

impl Sample {
    /// Whether the batch `batch` begins with the row after the last one of the batch before it.
    pub fn follows(&self, batch: usize) -> bool {
        let end = |at: usize| Some(self.first_rows.get(at)? + self.batches.get(at)?.num_rows() as u64);
        let before = batch.checked_sub(1).and_then(end);
        before.is_some() && before == self.first_rows.get(batch).copied()
    }

    /// What the column `column` holds, in plain words: `text`, `whole numbers`, `lists of numbers`; nothing where there is
    /// no such column.
    pub fn plain_type(&self, column: usize) -> Option<String> {
        let field = self.schema.fields().get(column)?;
        Some(plain_type(field.data_type()))
    }
}

/// At most `rows` rows of the file `path` (Parquet, CSV or JSONL): all, or eight blocks, the first of which begins and the
/// last of which ends the file.
///
/// # Errors
/// A file that is missing, of no format that is read, or not a sound one of its format.
pub fn sample(path: &Path, rows: usize) -> Result<Sample, EventsError> {
    let file = DataFile::open(path)?;
    let roots: Vec<usize> = (0..file.schema().fields().len()).collect();
    let (mut batches, mut first_rows) = (Vec::new(), Vec::new());
    for (mut first, size) in blocks(file.rows(), rows as u64) {
        for batch in file.read(&roots, first..first + size, BATCH_ROWS)? {
            let batch = batch?;
            first_rows.push(first);
            first += batch.num_rows() as u64;
            batches.push(batch);
        }
    }
    Ok(Sample {
        schema: file.shared_schema().clone(),
        batches,
        first_rows,
        rows_in_file: file.rows(),
        why_text: roots.iter().map(|root| file.why_text(*root)).collect(),
    })
}

/// Hands the named columns of a file of any size to `each`, a batch at a time.
///
/// # Errors
/// Columns that are not there, a file that cannot be read, and what `each` gives.
pub fn scan<E: From<EventsError>>(
    path: &Path,
    columns: &[&str],
    mut each: impl FnMut(&[ArrayRef]) -> Result<(), E>,
) -> Result<(), E> {
    let file = DataFile::open(path)?;
    let mut problems = Vec::new();
    let roots: Vec<usize> = columns
        .iter()
        .map(|name| {
            file.root(name).unwrap_or_else(|| {
                let known: Vec<&str> = file
                    .schema()
                    .fields()
                    .iter()
                    .map(|field| field.name().as_str())
                    .collect();
                let known = known.join(", ");
                problems.push(format!(
                    "no column `{name}` in `{}`; columns: {known}",
                    path.display()
                ));
                0
            })
        })
        .collect();
    if !problems.is_empty() {
        return Err(EventsError::Columns { problems }.into());
    }
    let mut read = roots.clone();
    read.sort_unstable();
    read.dedup();
    for batch in file.read(&read, 0..file.rows(), BATCH_ROWS)? {
        let batch = batch?;
        let arrays: Vec<ArrayRef> = roots
            .iter()
            .map(|root| batch.column(read.partition_point(|other| other < root)).clone())
            .collect();
        each(&arrays)?;
    }
    Ok(())
}

/// First row and rows of each block, for `wanted` of `rows` rows.
fn blocks(rows: u64, wanted: u64) -> Vec<(u64, u64)> {
    if rows <= wanted {
        return vec![(0, rows)];
    }
    let blocks = BLOCKS.min(wanted);
    if blocks < 2 {
        return vec![(0, wanted)];
    }
    let size = wanted / blocks;
    let first = |block: u64| {
        let spread = u128::from(rows - size) * u128::from(block) / u128::from(blocks - 1);
        (u64::try_from(spread).unwrap_or(0), size)
    };
    (0..blocks).map(first).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn blocks_lie_within_the_file_in_order_without_overlap(rows in 0..3_000_u64, wanted in 0..2_000_u64) {
            let blocks = blocks(rows, wanted);
            let total: u64 = blocks.iter().map(|(_, size)| size).sum();
            prop_assert!(total <= wanted.min(rows) && total + BLOCKS > wanted.min(rows));
            prop_assert!(blocks.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0));
            prop_assert_eq!(blocks[0].0, 0);
            if wanted > 1 {
                let (first, size) = blocks[blocks.len() - 1];
                prop_assert_eq!(first + size, rows);
            }
        }
    }
}
