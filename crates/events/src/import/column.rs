//! One column of a file, and what it is read as.

use arrow_array::{ArrayRef, RecordBatch};

use super::cast::{self, Target};
use super::file::DataFile;
use super::list;
use crate::EventsError;

/// Where values are in a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    pub(super) root: usize,
    /// The column of the weights beside a column of lists of ids.
    pub(super) weights: Option<usize>,
    pub(super) target: Target,
}

impl Column {
    pub(super) fn new(root: usize, target: Target) -> Column {
        Column {
            root,
            weights: None,
            target,
        }
    }

    /// Its values in `batch`, which holds the columns `roots` (ascending) of `file` from row `first` (from 0) on.
    pub(super) fn read(
        &self,
        file: &DataFile,
        roots: &[usize],
        first: u64,
        batch: &RecordBatch,
    ) -> Result<ArrayRef, EventsError> {
        let array = |root: usize| batch.column(roots.partition_point(|other| *other < root));
        let read = match self.weights {
            Some(weights) => list::weighted(array(self.root), Some(array(weights))),
            None => cast::cast(array(self.root), &self.target),
        };
        read.map_err(|bad| bad.at(file, first, file.name(self.root)))
    }
}
