//! The raw batches of a range of rows, over the files of a log.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::RecordBatch;

use super::file::RawBatches;
use super::{Log, LogFile};
use crate::EventsError;

/// A batch as it is in its file.
pub(super) struct Raw {
    pub(super) file: usize,
    /// Row of the file that it begins with, from 0.
    pub(super) first: u64,
    pub(super) batch: RecordBatch,
}

/// The batches of a range of rows. Nothing follows an error.
pub(super) struct Batches {
    log: Arc<Log>,
    rows: Range<u64>,
    open: Option<(usize, RawBatches)>,
}

impl Batches {
    pub(super) fn new(log: &Arc<Log>, rows: Range<u64>) -> Batches {
        Batches {
            log: Arc::clone(log),
            rows,
            open: None,
        }
    }

    fn raw(&mut self) -> Result<Option<Raw>, EventsError> {
        loop {
            if self.rows.is_empty() {
                return Ok(None);
            }
            let at = self.log.file_of(self.rows.start);
            let Some(LogFile { file, first, plan }) = self.log.files.get(at) else {
                return Ok(None);
            };
            let from = self.rows.start - first;
            let batches = match &mut self.open {
                Some((open, batches)) if *open == at => batches,
                open => {
                    let to = (self.rows.end - first).min(file.rows());
                    let batches = file.read(&plan.roots, from..to, self.log.batch_rows)?;
                    &mut open.insert((at, batches)).1
                }
            };
            let batch = batches.next().ok_or_else(|| file.ends_early(from))??;
            self.rows.start += batch.num_rows() as u64;
            if batch.num_rows() > 0 {
                return Ok(Some(Raw {
                    file: at,
                    first: from,
                    batch,
                }));
            }
        }
    }
}

impl Iterator for Batches {
    type Item = Result<Raw, EventsError>;

    fn next(&mut self) -> Option<Self::Item> {
        let raw = self.raw().transpose();
        if let Some(Err(_)) = &raw {
            self.rows.end = self.rows.start;
        }
        raw
    }
}
