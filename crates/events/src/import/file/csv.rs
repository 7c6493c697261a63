//! Rows of a CSV file: names, then cells, with quotes as RFC 4180 has them. In: bytes. Out: a record at a time, with its place.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};

use super::identity::open;
use super::index::{Index, Mark};
use super::infer::{CsvCell, Tally};
use super::text::{MOST_BYTES, MOST_COLUMNS, Scan, column_limit, too_long};
use super::{format, repeated};
use crate::EventsError;

/// Bytes read at once.
const BUFFER: usize = 1 << 16;

/// Reads records from a place on.
pub(super) struct CsvRows {
    path: PathBuf,
    reader: Reader<Fenced>,
    record: StringRecord,
    from: Mark,
    start: Mark,
    width: Option<usize>,
}

impl CsvRows {
    /// From `from` on, where a record begins; each has `width` cells, where that is known.
    pub(super) fn open(
        path: &Path,
        delimiter: u8,
        from: Mark,
        width: Option<usize>,
    ) -> Result<CsvRows, EventsError> {
        let mut file = open(path)?;
        file.seek(SeekFrom::Start(from.byte))
            .map_err(EventsError::io(path))?;
        let reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(BUFFER)
            .from_reader(Fenced::new(file));
        Ok(CsvRows {
            path: path.to_owned(),
            reader,
            record: StringRecord::new(),
            from,
            start: from,
            width,
        })
    }

    /// Reads the next record, if there is one.
    pub(super) fn advance(&mut self) -> Result<bool, EventsError> {
        loop {
            self.start = self.here();
            let read = self.reader.position().byte();
            self.reader.get_mut().fence = read + MOST_BYTES + 2 * BUFFER as u64;
            match self.reader.read_record(&mut self.record) {
                Ok(false) => return Ok(false),
                // A line of blanks, where it is not a row of one cell.
                Ok(true) if self.width != Some(1) && self.is_blank() => {}
                Ok(true) => break,
                Err(error) => return Err(self.error(error)),
            }
        }
        if self.here().byte - self.start.byte > MOST_BYTES {
            return Err(self.too_long());
        }
        match self.width {
            Some(width) if width != self.record.len() => Err(self.ragged(width)),
            _ => Ok(true),
        }
    }

    fn is_blank(&self) -> bool {
        self.record.len() == 1 && self.record[0].trim_ascii().is_empty()
    }

    pub(super) fn record(&self) -> &StringRecord {
        &self.record
    }

    /// Where the record begins, or the blank lines before it.
    pub(super) fn start(&self) -> Mark {
        self.start
    }

    /// Where the next record begins, or the blank lines before it.
    pub(super) fn here(&self) -> Mark {
        let position = self.reader.position();
        // The first byte is the one that `Fenced` puts before the file's.
        match position.byte() {
            0 => self.from,
            byte => Mark {
                byte: self.from.byte + byte - 1,
                line: self.from.line + position.line() - 2,
            },
        }
    }

    fn problem(&self, problem: String) -> EventsError {
        EventsError::Text {
            path: self.path.clone(),
            line: self.start.settled(&self.path).line,
            problem,
        }
    }

    fn error(&self, error: csv::Error) -> EventsError {
        if self.reader.get_ref().stopped {
            return self.too_long();
        }
        match error.into_kind() {
            ErrorKind::Io(error) => EventsError::io(&self.path)(error),
            ErrorKind::Utf8 { err, .. } => self.problem(format!(
                "cell {} is not UTF-8: save the file as UTF-8",
                err.field() + 1
            )),
            kind => self.problem(format!("no CSV: {kind:?}")),
        }
    }

    fn ragged(&self, width: usize) -> EventsError {
        let cells = self.record.len();
        let (start, end) = (self.start.settled(&self.path).line, self.here().line);
        let quote = if end > start + 1 {
            format!(
                " (the row goes on to line {}: is a quote `\"` not closed?)",
                end - 1
            )
        } else {
            String::new()
        };
        self.problem(format!(
            "found {cells} {}, expected {width} as there are column names{quote}",
            if cells == 1 { "cell" } else { "cells" }
        ))
    }

    /// One line that is too long, or a quote that is not closed.
    fn too_long(&self) -> EventsError {
        let start = self.start.settled(&self.path);
        let line = open(&self.path).ok().and_then(|mut file| {
            file.seek(SeekFrom::Start(start.byte)).ok()?;
            BufReader::new(file).skip_until(b'\n').ok()
        });
        match line.map(|bytes| bytes as u64) {
            Some(bytes) if bytes > MOST_BYTES => too_long(&self.path, start.line, bytes),
            _ => self.problem(format!(
                "the row that begins here has more than {MOST_BYTES} bytes (16 MiB), the most that is read: is a quote `\"` not \
                 closed?"
            )),
        }
    }
}

/// Reads every row once.
pub(super) fn scan(path: &Path) -> Result<(u8, Scan), EventsError> {
    let delimiter = format::delimiter(path)?;
    let from = Mark {
        byte: format::mark_bytes(path)?,
        line: 1,
    };
    let mut rows = CsvRows::open(path, delimiter, from, None)?;
    if !rows.advance()? {
        return Err(EventsError::Unreadable {
            path: path.to_owned(),
            problem: "holds blank lines only, expected column names".to_owned(),
        });
    }
    let names = names(&rows)?;
    rows.width = Some(names.len());
    let mut columns: Vec<(String, Tally)> = names.into_iter().map(|name| (name, Tally::default())).collect();
    let mut index = Index::default();
    let mut last = rows.start();
    while rows.advance()? {
        last = rows.start();
        index.push(last);
        for (cell, (_, tally)) in rows.record.iter().zip(&mut columns) {
            tally.csv(cell, last);
        }
    }
    if ends_within_quotes(path, last, delimiter).map_err(EventsError::io(path))? {
        rows.start = last;
        return Err(
            rows.problem("a quote `\"` that opens in this row is not closed before the file ends".to_owned())
        );
    }
    Ok((delimiter, Scan { columns, index }))
}

/// The column names, without the blanks around them.
fn names(rows: &CsvRows) -> Result<Vec<String>, EventsError> {
    let names: Vec<String> = rows.record.iter().map(|name| name.trim().to_owned()).collect();
    if names.len() > MOST_COLUMNS {
        return Err(rows.problem(column_limit(names.len())));
    }
    let number = |name: &String| matches!(CsvCell::of(name), CsvCell::Whole(_) | CsvCell::Number(_));
    if names.iter().all(number) {
        let found = names.first().map_or("", String::as_str);
        return Err(rows.problem(format!(
            "found numbers only (the first is `{found}`), expected column names: put a line of names before the first row"
        )));
    }
    let empty: Vec<String> = (1_usize..)
        .zip(&names)
        .filter(|(_, name)| name.is_empty())
        .map(|(place, _)| place.to_string())
        .collect();
    if !empty.is_empty() {
        let first = if empty == ["1"] {
            " (a table's index, written beside it, has none: leave it out)"
        } else {
            ""
        };
        return Err(rows.problem(format!(
            "no name for column {} of {}: give each a name{first}",
            empty.join(", "),
            names.len()
        )));
    }
    let repeated = repeated(names.iter().map(String::as_str));
    if !repeated.is_empty() {
        return Err(rows.problem(format!(
            "column names that are there more than once: {}: give each column a name of its own",
            repeated.join(", ")
        )));
    }
    Ok(names)
}

/// Whether the last record, which begins at `last`, ends in a cell whose quote is open.
fn ends_within_quotes(path: &Path, last: Mark, delimiter: u8) -> std::io::Result<bool> {
    #[derive(PartialEq)]
    enum At {
        Start,
        Plain,
        Quoted,
        /// Behind a quote that closes the cell, or is the first of two that stand for one.
        Quote,
    }
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(last.byte))?;
    let mut at = At::Start;
    for byte in BufReader::new(file).take(2 * MOST_BYTES).bytes() {
        let byte = byte?;
        at = match (at, byte) {
            (At::Start, b'"') | (At::Quote, b'"') => At::Quoted,
            (At::Quoted, b'"') => At::Quote,
            (At::Quoted, _) => At::Quoted,
            (_, b'\n' | b'\r') => At::Start,
            (_, byte) if byte == delimiter => At::Start,
            _ => At::Plain,
        };
    }
    Ok(at == At::Quoted)
}

/// A file up to a byte that no record may reach, so that a row without end is an error instead of memory. A line's end comes
/// before the first byte: the crate takes a byte order mark off the beginning of what it reads, and a cell behind the file's
/// first may begin with one.
struct Fenced {
    file: File,
    given: u64,
    fence: u64,
    stopped: bool,
}

impl Fenced {
    fn new(file: File) -> Fenced {
        Fenced {
            file,
            given: 0,
            fence: u64::MAX,
            stopped: false,
        }
    }
}

impl Read for Fenced {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.given >= self.fence {
            self.stopped = true;
            return Err(std::io::Error::other("a row is too long"));
        }
        let read = match buffer.first_mut() {
            Some(first) if self.given == 0 => {
                *first = b'\n';
                1
            }
            _ => self.file.read(buffer)?,
        };
        self.given += read as u64;
        Ok(read)
    }
}
