//! Rows of a JSONL file: an object a line. In: bytes. Out: a line at a time, with its place, and its cells by column.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::cells::Cells;
use super::flatten::{JsonCell, Sink, flatten, is_nested, list_text, sort};
use super::format;
use super::identity::open;
use super::index::{Index, Mark};
use super::infer::{Kind, Scalar, Tally};
use super::text::{MOST_BYTES, MOST_COLUMNS, Scan, column_limit, too_long};
use crate::EventsError;

/// Bytes read at once.
const BUFFER: usize = 1 << 16;

/// Reads lines from a place on; blank ones are passed over.
pub(super) struct JsonlRows {
    path: PathBuf,
    reader: BufReader<File>,
    line: Vec<u8>,
    start: Mark,
    next: Mark,
}

impl JsonlRows {
    /// From `from` on, where a line begins.
    pub(super) fn open(path: &Path, from: Mark) -> Result<JsonlRows, EventsError> {
        let mut file = open(path)?;
        file.seek(SeekFrom::Start(from.byte))
            .map_err(EventsError::io(path))?;
        Ok(JsonlRows {
            path: path.to_owned(),
            reader: BufReader::with_capacity(BUFFER, file),
            line: Vec::new(),
            start: from,
            next: from,
        })
    }

    /// Reads the next line that is not blank, if there is one.
    pub(super) fn advance(&mut self) -> Result<bool, EventsError> {
        loop {
            self.line.clear();
            self.start = self.next;
            let read = (&mut self.reader)
                .take(MOST_BYTES + 1)
                .read_until(b'\n', &mut self.line)
                .map_err(EventsError::io(&self.path))? as u64;
            if read > MOST_BYTES && !self.line.ends_with(b"\n") {
                let rest = self
                    .reader
                    .skip_until(b'\n')
                    .map_err(EventsError::io(&self.path))? as u64;
                return Err(too_long(&self.path, self.start.line, read + rest));
            }
            self.next = Mark {
                byte: self.start.byte + read,
                line: self.start.line + 1,
            };
            if read == 0 {
                return Ok(false);
            }
            if !self.line.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }

    pub(super) fn start(&self) -> Mark {
        self.start
    }

    /// Gives `sink` the cells of the line.
    pub(super) fn flatten(&self, sink: &mut impl Sink) -> Result<(), EventsError> {
        let problem = match std::str::from_utf8(self.line.trim_ascii_end()) {
            Ok(line) => flatten(line, sink),
            Err(error) => Err(format!(
                "byte {} is not UTF-8: save the file as UTF-8",
                error.valid_up_to() + 1
            )),
        };
        problem.map_err(|problem| EventsError::Text {
            path: self.path.clone(),
            line: self.start.line,
            problem,
        })
    }
}

/// Reads every row once.
pub(super) fn scan(path: &Path) -> Result<Scan, EventsError> {
    let from = Mark {
        byte: format::mark_bytes(path)?,
        line: 1,
    };
    let mut rows = JsonlRows::open(path, from)?;
    let mut index = Index::default();
    let mut found = Found::default();
    while rows.advance()? {
        index.push(rows.start());
        (found.row, found.mark) = (index.rows, Some(rows.start()));
        rows.flatten(&mut found)?;
    }
    if index.rows == 0 {
        return Err(EventsError::Unreadable {
            path: path.to_owned(),
            problem: "holds blank lines only, expected an object a line".to_owned(),
        });
    }
    Ok(Scan {
        columns: without_null_objects(found.columns),
        index,
    })
}

/// An object that is null in some rows looks like a column of nothing beside those of its values; it is none.
fn without_null_objects(columns: Vec<(String, Tally)>) -> Vec<(String, Tally)> {
    let mut objects = std::collections::HashSet::new();
    for (name, _) in &columns {
        for (dot, _) in name.match_indices('.') {
            objects.insert(name[..dot].to_owned());
        }
    }
    let kept = |(name, tally): &(String, Tally)| {
        tally.kind() != Kind::One(Scalar::Nothing) || !objects.contains(name)
    };
    columns.into_iter().filter(kept).collect()
}

/// The columns that were found, in the order in which they were.
#[derive(Default)]
struct Found {
    columns: Vec<(String, Tally)>,
    places: HashMap<String, usize>,
    /// The row, from 1, that has given each column a cell last.
    seen: Vec<u64>,
    row: u64,
    mark: Option<Mark>,
}

impl Sink for Found {
    fn column(&mut self, name: &str) -> Result<Option<usize>, String> {
        let at = match self.places.get(name) {
            Some(at) => *at,
            None if self.columns.len() == MOST_COLUMNS => return Err(column_limit(MOST_COLUMNS + 1)),
            None => {
                self.places.insert(name.to_owned(), self.columns.len());
                self.columns.push((name.to_owned(), Tally::default()));
                self.seen.push(0);
                self.columns.len() - 1
            }
        };
        if std::mem::replace(&mut self.seen[at], self.row) == self.row {
            return Err(format!("`{name}` is there twice, expected each key once"));
        }
        Ok(Some(at))
    }

    fn cell(&mut self, column: usize, cell: JsonCell<'_>) -> Result<(), String> {
        let (Some(mark), tally) = (self.mark, &mut self.columns[column].1) else {
            return Ok(());
        };
        let kind = match &cell {
            JsonCell::Null => Scalar::Nothing,
            JsonCell::Flag(_) => Scalar::Flag,
            JsonCell::Whole(_) => Scalar::Whole,
            JsonCell::Number(_) => Scalar::Number,
            JsonCell::Wide(_) | JsonCell::Text(_) => Scalar::Text,
            JsonCell::List(values) if is_nested(values) => Scalar::Text,
            JsonCell::List(values) => {
                tally.list();
                for value in values {
                    tally.element(sort(value), mark, || list_text(values));
                }
                return Ok(());
            }
        };
        tally.scalar(kind, mark, || cell.text());
        Ok(())
    }
}

/// Puts the cells of wanted columns where they belong.
pub(super) struct Filling<'f> {
    /// Wanted columns by name: places in `cells`.
    pub(super) places: &'f HashMap<String, usize>,
    pub(super) cells: &'f mut [Cells],
    /// Whether each column has a cell of this row.
    pub(super) filled: &'f mut [bool],
    /// A cell was none of its column's kind, or there twice.
    pub(super) misfit: bool,
}

impl Sink for Filling<'_> {
    fn column(&mut self, name: &str) -> Result<Option<usize>, String> {
        Ok(self.places.get(name).copied())
    }

    fn cell(&mut self, column: usize, cell: JsonCell<'_>) -> Result<(), String> {
        let twice = std::mem::replace(&mut self.filled[column], true);
        if twice || self.cells[column].push_json(&cell).is_err() {
            self.misfit = true;
            return Err("another value than before".to_owned());
        }
        Ok(())
    }
}
