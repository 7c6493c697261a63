//! Where slates begin, so that a log can be cut between them.

use arrow_array::cast::AsArray;

use super::cast::Target;
use super::column::Column;
use super::plan::LogColumn;
use super::{FlatLog, LogFile};
use crate::EventsError;

/// Rows read at once: slates are short.
const ROWS: usize = 1024;

impl FlatLog {
    /// The first row at or after `row` (from 0) that begins another slate than that of row `row` - 1: a log that is cut there
    /// has its slates whole, if the rows of each follow one another. `row` itself where the log has no column of slates or
    /// the row before it is in none; the number of rows where the last slate goes on to the end.
    ///
    /// # Errors
    /// Those of reading the column.
    pub fn slate_end(&self, row: u64) -> Result<u64, EventsError> {
        if row == 0 || row >= self.rows() {
            return Ok(row.min(self.rows()));
        }
        let mut slate: Option<String> = None;
        let mut at = row - 1;
        for LogFile { file, first, plan } in &self.0.files[self.0.file_of(at)..] {
            if file.rows() == 0 {
                continue;
            }
            let Some(root) = plan.root(LogColumn::Slate) else {
                return Ok(at.max(row));
            };
            let column = Column::new(root, Target::Id);
            for batch in file.read(&[root], at - first..file.rows(), ROWS)? {
                let batch = batch?;
                let ids = column.read(file, &[root], at - first, &batch)?;
                for id in ids.as_string::<i32>() {
                    match (&slate, id) {
                        (None, Some(id)) if at < row => slate = Some(id.to_owned()),
                        (Some(slate), Some(id)) if slate == id => {}
                        _ => return Ok(at.max(row)),
                    }
                    at += 1;
                }
            }
            if at < first + file.rows() {
                return Err(file.ends_early(at - first));
            }
        }
        Ok(at)
    }
}
