//! What the cells of a text column are, one by one and all together.

use std::sync::Arc;

use arrow_schema::{DataType, Field};

use super::index::Mark;

/// Letters of a cell that a message shows.
const SHOWN: usize = 60;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    Nothing,
    Whole,
    Number,
    Flag,
    Text,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    One(Scalar),
    List(Scalar),
}

impl Kind {
    pub(super) fn data_type(self) -> DataType {
        let scalar = |scalar| match scalar {
            Scalar::Nothing => DataType::Null,
            Scalar::Whole => DataType::Int64,
            Scalar::Number => DataType::Float64,
            Scalar::Flag => DataType::Boolean,
            Scalar::Text => DataType::Utf8,
        };
        match self {
            Kind::One(kind) => scalar(kind),
            Kind::List(kind) => DataType::List(Arc::new(Field::new_list_field(scalar(kind), true))),
        }
    }
}

/// A cell of a CSV file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum CsvCell {
    /// Nothing but blanks.
    Empty,
    /// A word for nothing, where the others are numbers or flags.
    Missing,
    Whole(i64),
    Number(f64),
    Flag(bool),
    Text,
}

impl CsvCell {
    /// Blanks around a cell do not count. A number has no leading zero or `+` (such are ids), and is finite; a whole number
    /// beyond 64 bits is text, as no number type would keep its digits.
    pub(super) fn of(cell: &str) -> CsvCell {
        let cell = cell.trim_ascii();
        match cell.as_bytes() {
            [] => CsvCell::Empty,
            [b'0'..=b'9' | b'-' | b'.', ..] => number(cell),
            [b't' | b'T' | b'f' | b'F' | b'N' | b'n', ..] => match cell {
                "true" | "True" | "TRUE" => CsvCell::Flag(true),
                "false" | "False" | "FALSE" => CsvCell::Flag(false),
                "NA" | "NaN" | "nan" | "null" | "NULL" | "None" => CsvCell::Missing,
                _ => CsvCell::Text,
            },
            _ => CsvCell::Text,
        }
    }
}

fn number(cell: &str) -> CsvCell {
    let digits = cell.strip_prefix('-').unwrap_or(cell).as_bytes();
    if matches!(digits, [b'0', b'0'..=b'9', ..]) {
        return CsvCell::Text;
    }
    if digits.iter().all(u8::is_ascii_digit) && cell != "-0" {
        return cell.parse().map_or(CsvCell::Text, CsvCell::Whole);
    }
    let numeric = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    match cell.parse::<f64>() {
        Ok(number) if number.is_finite() && digits.iter().all(numeric) => CsvCell::Number(number),
        _ => CsvCell::Text,
    }
}

/// How many values of each sort there are.
#[derive(Debug, Default)]
struct Counts {
    whole: u64,
    number: u64,
    flag: u64,
    text: u64,
    /// The first that is no number.
    odd: Option<(Mark, String)>,
}

impl Counts {
    /// One more; `shown` is called where it is to be kept.
    fn count(&mut self, sort: Scalar, mark: Mark, shown: impl FnOnce() -> String) {
        match sort {
            Scalar::Nothing => return,
            Scalar::Whole => self.whole += 1,
            Scalar::Number => self.number += 1,
            Scalar::Flag => self.flag += 1,
            Scalar::Text => self.text += 1,
        }
        if matches!(sort, Scalar::Flag | Scalar::Text) && self.odd.is_none() {
            self.odd = Some((mark, shortened(&shown())));
        }
    }

    fn scalar(&self) -> Scalar {
        match (self.whole, self.number, self.flag, self.text) {
            (0, 0, 0, 0) => Scalar::Nothing,
            (_, 0, 0, 0) => Scalar::Whole,
            (_, _, 0, 0) => Scalar::Number,
            (0, 0, _, 0) => Scalar::Flag,
            _ => Scalar::Text,
        }
    }

    fn why(&self) -> Option<&(Mark, String)> {
        let mostly_numbers = self.whole + self.number > self.flag + self.text;
        self.odd
            .as_ref()
            .filter(|_| mostly_numbers && self.scalar() == Scalar::Text)
    }
}

/// What the cells of a column were.
#[derive(Debug, Default)]
pub(super) struct Tally {
    cells: Counts,
    lists: u64,
    elements: Counts,
    /// The first word for nothing, where there is one: such are text where nothing else is.
    missing: Option<(Mark, String)>,
}

impl Tally {
    pub(super) fn csv(&mut self, cell: &str, mark: Mark) {
        let sort = match CsvCell::of(cell) {
            CsvCell::Empty => Scalar::Nothing,
            CsvCell::Missing => {
                self.missing
                    .get_or_insert_with(|| (mark, cell.trim_ascii().to_owned()));
                return;
            }
            CsvCell::Whole(_) => Scalar::Whole,
            CsvCell::Number(_) => Scalar::Number,
            CsvCell::Flag(_) => Scalar::Flag,
            CsvCell::Text => Scalar::Text,
        };
        self.scalar(sort, mark, || cell.to_owned());
    }

    pub(super) fn scalar(&mut self, sort: Scalar, mark: Mark, shown: impl FnOnce() -> String) {
        self.cells.count(sort, mark, shown);
    }

    /// One list more, whose elements follow.
    pub(super) fn list(&mut self) {
        self.lists += 1;
    }

    pub(super) fn element(&mut self, sort: Scalar, mark: Mark, shown: impl FnOnce() -> String) {
        self.elements.count(sort, mark, shown);
    }

    /// What reads all of them: whole numbers, else numbers, else flags, else text; lists where there is nothing but lists.
    pub(super) fn kind(&self) -> Kind {
        match (self.cells.scalar(), self.lists) {
            (Scalar::Nothing, 0) if self.missing.is_some() => Kind::One(Scalar::Text),
            (scalar, 0) => Kind::One(scalar),
            (Scalar::Nothing, _) => Kind::List(self.elements.scalar()),
            _ => Kind::One(Scalar::Text),
        }
    }

    /// Where most are numbers but not all: the first that is none. Where there are only words for nothing: the first.
    pub(super) fn why(&self) -> Option<&(Mark, String)> {
        if self.lists > 0 {
            return self
                .elements
                .why()
                .filter(|_| self.kind() == Kind::List(Scalar::Text));
        }
        let nothing = self.cells.scalar() == Scalar::Nothing;
        self.cells.why().or(self.missing.as_ref().filter(|_| nothing))
    }
}

fn shortened(cell: &str) -> String {
    match cell.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &cell[..end]),
        None => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(cells: &[&str]) -> (Kind, Option<(u64, String)>) {
        let mut tally = Tally::default();
        for (line, cell) in (1..).zip(cells) {
            tally.csv(cell, Mark { byte: 0, line });
        }
        let why = tally.why().map(|(mark, cell)| (mark.line, cell.clone()));
        (tally.kind(), why)
    }

    #[test]
    fn a_column_is_the_narrowest_kind_that_reads_all_its_cells() {
        for (cells, expected) in [
            (&["", " "][..], Scalar::Nothing),
            (&["1", "", "-20", " 3 "], Scalar::Whole),
            (&["9223372036854775807", "NA", "null"], Scalar::Whole),
            (&["1", "2.5", "NaN", "1e-3", ".5", "5.", "-0"], Scalar::Number),
            (&["true", "False", "", "None"], Scalar::Flag),
            (&["true", "1"], Scalar::Text),
            (&["NA", ""], Scalar::Text),
            (&["1", "a"], Scalar::Text),
        ] {
            assert_eq!(kind(cells).0, Kind::One(expected), "{cells:?}");
        }
    }

    #[test]
    fn what_a_number_would_not_give_back_stays_text() {
        for cell in [
            "007",
            "-01",
            "00.5",
            "+5",
            "1_000",
            "0x10",
            "inf",
            "infinity",
            "1e999",
            "9223372036854775808",
            "1-2",
            "-",
            ".",
            "2024-01-05",
            "1,5",
            "truee",
            "N",
        ] {
            assert_eq!(CsvCell::of(cell), CsvCell::Text, "{cell}");
        }
        assert_eq!(CsvCell::of("0"), CsvCell::Whole(0));
        assert_eq!(CsvCell::of("0.25"), CsvCell::Number(0.25));
        assert_eq!(CsvCell::of("-9223372036854775808"), CsvCell::Whole(i64::MIN));
    }

    #[test]
    fn the_first_cell_that_is_no_number_among_numbers_is_kept() {
        assert_eq!(
            kind(&["1", "NA", "abc", "2.5", "def", "4"]).1,
            Some((3, "abc".to_owned()))
        );
        assert_eq!(kind(&["1", "true", "2"]).1, Some((2, "true".to_owned())));
        assert_eq!(kind(&["", "NA", "NaN"]).1, Some((2, "NA".to_owned())));
        assert_eq!(kind(&["1", "a", "b"]).1, None);
        assert_eq!(kind(&["1", "2"]).1, None);
        let long = "x".repeat(500);
        assert_eq!(kind(&[&long, "1", "1"]).1.unwrap().1.len(), SHOWN + 3);
    }
}
