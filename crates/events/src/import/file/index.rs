//! Where rows of a text file begin: a place every few thousand rows, so that a range is found without reading all before it.

use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use super::identity::open;

/// Rows from one place to the next; few in tests, so that small files have many places.
const STEP: u64 = if cfg!(test) { 4 } else { 8_192 };

/// A place in a text file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) byte: u64,
    /// From 1.
    pub(super) line: u64,
}

impl Mark {
    /// The first byte at or after this place that ends no line: where a row begins that blank lines may come before.
    pub(super) fn settled(self, path: &Path) -> Mark {
        let Ok(mut file) = open(path) else { return self };
        if file.seek(SeekFrom::Start(self.byte)).is_err() {
            return self;
        }
        let mut mark = self;
        for byte in BufReader::new(file).bytes() {
            match byte {
                Ok(b'\n') => mark.line += 1,
                Ok(b'\r') => {}
                _ => break,
            }
            mark.byte += 1;
        }
        mark
    }
}

/// Places of rows 0, [`STEP`], 2 [`STEP`] and so on.
#[derive(Debug, Default)]
pub(super) struct Index {
    marks: Vec<Mark>,
    pub(super) rows: u64,
}

impl Index {
    /// The next row begins at `mark`.
    pub(super) fn push(&mut self, mark: Mark) {
        if self.rows.is_multiple_of(STEP) {
            self.marks.push(mark);
        }
        self.rows += 1;
    }

    /// A place at or before the row `row`, and the rows from there to it; nothing where the file has no such row.
    pub(super) fn before(&self, row: u64) -> Option<(Mark, u64)> {
        let at = usize::try_from(row / STEP).ok()?;
        Some((*self.marks.get(at)?, row % STEP))
    }
}
