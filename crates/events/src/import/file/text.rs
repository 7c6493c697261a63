//! A CSV or JSONL file: every row has been read once, for the kinds of its columns and an index of places; ranges are read
//! from the nearest place on. In memory is a batch at most, of a file of any size.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::{Field, Schema, SchemaRef};

use super::cells::{Cells, Misfit};
use super::csv::CsvRows;
use super::index::{Index, Mark};
use super::infer::{Kind, Tally};
use super::jsonl::{Filling, JsonlRows};
use super::{csv, jsonl, projected};
use crate::EventsError;
use crate::example::sound;

/// Most bytes of a row.
pub(super) const MOST_BYTES: u64 = 16 << 20;
/// Most columns of a file.
pub(super) const MOST_COLUMNS: usize = 20_000;
/// Bytes of text after which a batch ends, however few rows it has.
const BATCH_BYTES: u64 = 64 << 20;

/// What one reading of all rows found.
pub(super) struct Scan {
    pub(super) columns: Vec<(String, Tally)>,
    pub(super) index: Index,
}

/// A text file whose columns are known.
#[derive(Debug)]
pub(super) struct TextFile {
    pub(super) schema: SchemaRef,
    kinds: Vec<Kind>,
    /// For each column, what made text of it though most cells are numbers: line and cell.
    pub(super) why: Vec<Option<(u64, String)>>,
    index: Index,
    layout: Layout,
}

#[derive(Debug, Clone, Copy)]
enum Layout {
    Csv { delimiter: u8, width: usize },
    Jsonl,
}

impl TextFile {
    pub(super) fn csv(path: &Path) -> Result<TextFile, EventsError> {
        let (delimiter, scan) = csv::scan(path)?;
        let width = scan.columns.len();
        Ok(TextFile::of(path, scan, Layout::Csv { delimiter, width }))
    }

    pub(super) fn jsonl(path: &Path) -> Result<TextFile, EventsError> {
        Ok(TextFile::of(path, jsonl::scan(path)?, Layout::Jsonl))
    }

    fn of(path: &Path, scan: Scan, layout: Layout) -> TextFile {
        let (mut fields, mut kinds, mut why) = (Vec::new(), Vec::new(), Vec::new());
        for (name, tally) in scan.columns {
            let kind = tally.kind();
            let odd = tally.why();
            why.push(odd.map(|(mark, cell)| (mark.settled(path).line, cell.clone())));
            fields.push(Field::new(name, kind.data_type(), true));
            kinds.push(kind);
        }
        TextFile {
            schema: Arc::new(Schema::new(fields)),
            kinds,
            why,
            index: scan.index,
            layout,
        }
    }

    pub(super) fn rows(&self) -> u64 {
        self.index.rows
    }

    /// The line (from 1) in which the row `row` begins.
    pub(super) fn line(&self, path: &Path, row: u64) -> Option<u64> {
        let mut lines = self.lines(path, row).ok()?;
        let at = lines.advance().ok()?.then(|| lines.start())?;
        Some(at.settled(path).line)
    }

    /// The lines from the row `row` on.
    fn lines(&self, path: &Path, row: u64) -> Result<Lines, EventsError> {
        let changed = || EventsError::Changed {
            path: path.to_owned(),
        };
        let (mark, passed) = self.index.before(row).ok_or_else(changed)?;
        let mut lines = match self.layout {
            Layout::Csv { delimiter, width } => {
                Lines::Csv(CsvRows::open(path, delimiter, mark, Some(width))?)
            }
            Layout::Jsonl => Lines::Jsonl(JsonlRows::open(path, mark)?),
        };
        for _ in 0..passed {
            if !lines.advance()? {
                return Err(changed());
            }
        }
        Ok(lines)
    }

    /// The columns `roots` (ascending) of `rows`, which lie within the file.
    pub(super) fn read(
        &self,
        path: &Path,
        roots: &[usize],
        rows: Range<u64>,
        batch_rows: usize,
    ) -> Result<TextRows, EventsError> {
        let names = (0..).zip(roots);
        let names = names.map(|(at, root)| (self.schema.field(*root).name().clone(), at));
        Ok(TextRows {
            lines: if rows.is_empty() {
                None
            } else {
                Some(self.lines(path, rows.start)?)
            },
            schema: projected(&self.schema, roots),
            cells: roots.iter().map(|root| Cells::of(self.kinds[*root])).collect(),
            filled: vec![false; roots.len()],
            roots: roots.to_vec(),
            places: match self.layout {
                Layout::Csv { .. } => HashMap::new(),
                Layout::Jsonl => names.collect(),
            },
            left: rows.end.saturating_sub(rows.start),
            batch_rows,
        })
    }
}

enum Lines {
    Csv(CsvRows),
    Jsonl(JsonlRows),
}

impl Lines {
    fn advance(&mut self) -> Result<bool, EventsError> {
        match self {
            Lines::Csv(rows) => rows.advance(),
            Lines::Jsonl(rows) => rows.advance(),
        }
    }

    fn start(&self) -> Mark {
        match self {
            Lines::Csv(rows) => rows.start(),
            Lines::Jsonl(rows) => rows.start(),
        }
    }
}

/// Some columns of a range of rows.
pub(super) struct TextRows {
    lines: Option<Lines>,
    schema: SchemaRef,
    roots: Vec<usize>,
    cells: Vec<Cells>,
    filled: Vec<bool>,
    /// Of JSONL, the wanted columns by name.
    places: HashMap<String, usize>,
    left: u64,
    batch_rows: usize,
}

impl TextRows {
    /// The next rows: up to `batch_rows`, fewer where they are long or the range ends.
    pub(super) fn batch(&mut self, path: &Path) -> Result<RecordBatch, EventsError> {
        let changed = || EventsError::Changed {
            path: path.to_owned(),
        };
        let (mut rows, mut begin) = (0, None);
        while rows < self.batch_rows && self.left > 0 {
            let lines = self.lines.as_mut().ok_or_else(changed)?;
            if !lines.advance()? {
                return Err(changed());
            }
            let here = lines.start().byte;
            self.fill(path)?;
            (rows, self.left) = (rows + 1, self.left - 1);
            if here - *begin.get_or_insert(here) > BATCH_BYTES {
                break;
            }
        }
        let columns = self.cells.iter_mut().map(Cells::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(sound(RecordBatch::try_new_with_options(
            Arc::clone(&self.schema),
            columns,
            &options,
        )))
    }

    /// Adds the cells of the line that has been read.
    fn fill(&mut self, path: &Path) -> Result<(), EventsError> {
        let changed = |_: Misfit| EventsError::Changed {
            path: path.to_owned(),
        };
        match &self.lines {
            Some(Lines::Csv(rows)) => {
                for (root, cells) in self.roots.iter().zip(&mut self.cells) {
                    let cell = rows.record().get(*root).unwrap_or_default();
                    cells.push_csv(cell).map_err(changed)?;
                }
            }
            Some(Lines::Jsonl(rows)) => {
                self.filled.fill(false);
                let mut filling = Filling {
                    places: &self.places,
                    cells: &mut self.cells,
                    filled: &mut self.filled,
                    misfit: false,
                };
                let result = rows.flatten(&mut filling);
                if filling.misfit {
                    return Err(changed(Misfit));
                }
                result?;
                for (cells, filled) in self.cells.iter_mut().zip(&self.filled) {
                    if !filled {
                        cells.push_null();
                    }
                }
            }
            None => {}
        }
        Ok(())
    }
}

/// The error for a line of more than [`MOST_BYTES`].
pub(super) fn too_long(path: &Path, line: u64, bytes: u64) -> EventsError {
    EventsError::Text {
        path: path.to_owned(),
        line,
        problem: format!("found {bytes} bytes in one line, expected at most {MOST_BYTES} (16 MiB)"),
    }
}

/// What is wrong with `columns` columns.
pub(super) fn column_limit(columns: usize) -> String {
    format!(
        "found {columns} columns, expected at most {MOST_COLUMNS}: are there ids among the column names or keys?"
    )
}
