//! Sampled rows of one or more files, column by column. In: paths. Out: classes of columns, and on demand the values of one: as
//! numbers, and as codes in the order of first sight. Values are decoded when asked for, so that a wide file fits memory.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, UInt64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use events::Sample;

use crate::ProposeError;

/// The code of a missing value.
pub(crate) const MISSING: u32 = u32::MAX;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Nothing,
    Flag,
    Whole,
    Number,
    Text,
    Time,
    Ids,
    Numbers,
    Other,
}

/// A column of the files.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) class: Class,
    /// Its type in plain words.
    pub(crate) plain: String,
    /// Whether every file has it.
    pub(crate) everywhere: bool,
    /// Where most cells are numbers but not all: line and cell of the first that is none.
    pub(crate) why_text: Option<(u64, String)>,
}

/// Sampled rows.
#[derive(Debug)]
pub(crate) struct Data {
    pub(crate) columns: Vec<Source>,
    pub(crate) rows: usize,
    pub(crate) rows_in_files: u64,
    files: Vec<(Sample, Vec<Option<usize>>)>,
}

/// The values of one column.
#[derive(Debug, Default)]
pub(crate) struct Values {
    /// NaN where missing; of texts NaN everywhere. Times are milliseconds since 1970.
    pub(crate) numbers: Vec<f64>,
    /// Codes count up in the order of first sight.
    pub(crate) codes: Vec<u32>,
    texts: Vec<String>,
    bits: Vec<u64>,
    floating: bool,
    interned: HashMap<String, u32>,
    coded: HashMap<u64, u32>,
}

/// The lists of one column.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    /// Elements in each row; `None` where missing.
    pub(crate) lengths: Vec<Option<usize>>,
    pub(crate) elements: Values,
}

impl Data {
    /// At most `rows` rows, spread over the files.
    pub(crate) fn read(paths: &[PathBuf], rows: usize) -> Result<Data, ProposeError> {
        let mut data = Data {
            columns: Vec::new(),
            rows: 0,
            rows_in_files: 0,
            files: Vec::new(),
        };
        for path in paths {
            data.add(path, (rows / paths.len().max(1)).max(1))?;
        }
        for (column, source) in data.columns.iter_mut().enumerate() {
            source.everywhere = data.files.iter().all(|(_, places)| places[column].is_some());
        }
        Ok(data)
    }

    fn add(&mut self, path: &Path, rows: usize) -> Result<(), ProposeError> {
        let sample = events::sample(path, rows)?;
        if sample.rows_in_file == 0 {
            return Err(ProposeError::NoRows {
                path: path.to_owned(),
            });
        }
        let mut places = vec![None; self.columns.len()];
        for (at, field) in sample.schema.fields().iter().enumerate() {
            let class = Class::of(field.data_type());
            match self
                .columns
                .iter()
                .position(|column| column.name == *field.name())
            {
                Some(column) => {
                    places[column] = Some(at);
                    self.columns[column].class = self.columns[column].class.beside(class);
                }
                None => {
                    places.push(Some(at));
                    self.columns.push(Source {
                        name: field.name().clone(),
                        class,
                        plain: sample.plain_type(at).unwrap_or_default(),
                        everywhere: true,
                        why_text: sample.why_text.get(at).cloned().flatten(),
                    });
                }
            }
        }
        for (_, earlier) in &mut self.files {
            earlier.resize(self.columns.len(), None);
        }
        self.rows += sample.batches.iter().map(RecordBatch::num_rows).sum::<usize>();
        self.rows_in_files += sample.rows_in_file;
        self.files.push((sample, places));
        Ok(())
    }

    /// Whether all rows of the files are in the sample.
    pub(crate) fn is_whole(&self) -> bool {
        self.rows as u64 == self.rows_in_files
    }

    /// Whether a row of the sample follows the row before it in its file, for each row.
    pub(crate) fn follows(&self) -> Vec<bool> {
        let mut follows = Vec::with_capacity(self.rows);
        for (sample, _) in &self.files {
            for (at, batch) in sample.batches.iter().enumerate() {
                let first = follows.len();
                follows.resize(first + batch.num_rows(), true);
                if let Some(row) = follows.get_mut(first) {
                    *row = sample.follows(at);
                }
            }
        }
        follows
    }

    /// The values of the column `column`, which holds no lists.
    pub(crate) fn values(&self, column: usize) -> Values {
        let mut values = Values::default();
        let text = self.columns[column].class == Class::Text;
        self.each(column, |array, rows| match array {
            Some(array) if text => values.add(&cast(array, &DataType::Utf8), rows),
            Some(array) => values.add(array, rows),
            None => values.add_missing(rows),
        });
        values
    }

    /// The lists of the column `column`, which holds lists.
    pub(crate) fn lists(&self, column: usize) -> Lists {
        let mut lists = Lists::default();
        self.each(column, |array, rows| match array.and_then(elements) {
            Some((elements, lengths)) => {
                lists.lengths.extend(lengths);
                lists.elements.add(&elements, elements.len());
            }
            None => lists.lengths.extend((0..rows).map(|_| None)),
        });
        lists
    }

    fn each(&self, column: usize, mut visit: impl FnMut(Option<&ArrayRef>, usize)) {
        for (sample, places) in &self.files {
            for batch in &sample.batches {
                visit(places[column].map(|at| batch.column(at)), batch.num_rows());
            }
        }
    }
}

impl Class {
    fn of(found: &DataType) -> Class {
        match found {
            DataType::Null => Class::Nothing,
            DataType::Boolean => Class::Flag,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Binary => Class::Text,
            DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => Class::Time,
            DataType::Dictionary(_, value) => Class::of(value),
            DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
                match Class::of(field.data_type()) {
                    Class::Text | Class::Whole | Class::Flag => Class::Ids,
                    Class::Number => Class::Numbers,
                    _ => Class::Other,
                }
            }
            found if found.is_integer() => Class::Whole,
            found if found.is_numeric() => Class::Number,
            _ => Class::Other,
        }
    }

    /// What a column is that is of another class in another file.
    fn beside(self, other: Class) -> Class {
        match (self, other) {
            (a, b) if a == b => a,
            (Class::Nothing, b) => b,
            (a, Class::Nothing) => a,
            (Class::Whole | Class::Number | Class::Flag, Class::Whole | Class::Number | Class::Flag) => {
                Class::Number
            }
            _ => Class::Other,
        }
    }

    /// Whether [`Data::values`] has its numbers.
    pub(crate) fn is_number(self) -> bool {
        matches!(self, Class::Flag | Class::Whole | Class::Number)
    }
}

impl Values {
    /// The text of a code, as an id reads it.
    pub(crate) fn text(&self, code: u32) -> String {
        let at = code as usize;
        match (self.texts.get(at), self.bits.get(at)) {
            (Some(text), _) => text.clone(),
            (_, Some(bits)) if self.floating => f64::from_bits(*bits).to_string(),
            (_, Some(bits)) => bits.cast_signed().to_string(),
            _ => String::new(),
        }
    }

    /// Different values.
    pub(crate) fn distinct(&self) -> usize {
        self.texts.len().max(self.bits.len())
    }

    fn add_missing(&mut self, rows: usize) {
        let length = self.codes.len() + rows;
        self.codes.resize(length, MISSING);
        self.numbers.resize(length, f64::NAN);
    }

    fn add(&mut self, array: &ArrayRef, rows: usize) {
        let array = match array.data_type() {
            DataType::Dictionary(_, value) => &cast(array, value),
            _ => array,
        };
        match Class::of(array.data_type()) {
            Class::Text => {
                let texts = cast(array, &DataType::Utf8);
                for text in texts.as_string::<i32>().iter() {
                    self.push_text(text);
                }
            }
            Class::Flag | Class::Whole => {
                let unsigned = *array.data_type() == DataType::UInt64;
                let whole = cast(
                    array,
                    if unsigned {
                        &DataType::UInt64
                    } else {
                        &DataType::Int64
                    },
                );
                for row in 0..rows {
                    let (bits, number) = match (whole.is_null(row), unsigned) {
                        (true, _) => {
                            self.add_missing(1);
                            continue;
                        }
                        (_, true) => {
                            let number = whole.as_primitive::<UInt64Type>().value(row);
                            (number, number as f64)
                        }
                        (_, false) => {
                            let number = whole.as_primitive::<Int64Type>().value(row);
                            (number.cast_unsigned(), number as f64)
                        }
                    };
                    self.push(bits, number);
                }
            }
            Class::Number => {
                self.floating = true;
                let numbers = cast(array, &DataType::Float64);
                for number in numbers.as_primitive::<Float64Type>().iter() {
                    match number {
                        // So that -0 is 0.
                        Some(number) => self.push((number + 0.0).to_bits(), number),
                        None => self.add_missing(1),
                    }
                }
            }
            Class::Time => {
                let (array, per) = milliseconds(array);
                for time in array.as_primitive::<Int64Type>().iter() {
                    match time {
                        Some(time) => self.push(time.cast_unsigned(), time as f64 * per),
                        None => self.add_missing(1),
                    }
                }
            }
            _ => self.add_missing(rows),
        }
    }

    fn push(&mut self, bits: u64, number: f64) {
        let next = self.bits.len() as u32;
        let code = *self.coded.entry(bits).or_insert(next);
        if code == next {
            self.bits.push(bits);
        }
        self.codes.push(code);
        self.numbers.push(number);
    }

    fn push_text(&mut self, text: Option<&str>) {
        let Some(text) = text else {
            return self.add_missing(1);
        };
        let code = match self.interned.get(text) {
            Some(code) => *code,
            None => {
                let code = self.texts.len() as u32;
                self.interned.insert(text.to_owned(), code);
                self.texts.push(text.to_owned());
                code
            }
        };
        self.codes.push(code);
        self.numbers.push(f64::NAN);
    }
}

/// Whole numbers of a column of times, and milliseconds in one.
fn milliseconds(array: &ArrayRef) -> (ArrayRef, f64) {
    let per = match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => 1e3,
        DataType::Timestamp(TimeUnit::Microsecond, _) => 1e-3,
        DataType::Timestamp(TimeUnit::Nanosecond, _) => 1e-6,
        DataType::Date32 => 86_400_000.0,
        _ => 1.0,
    };
    let array = match array.data_type() {
        DataType::Date32 => &cast(array, &DataType::Int32),
        _ => array,
    };
    (cast(array, &DataType::Int64), per)
}

/// All elements of a column of lists, and how many each row has.
fn elements(array: &ArrayRef) -> Option<(ArrayRef, Vec<Option<usize>>)> {
    let rows = 0..array.len();
    let row = |row: usize| -> Option<ArrayRef> {
        match array.data_type() {
            _ if array.is_null(row) => None,
            DataType::List(_) => Some(array.as_list::<i32>().value(row)),
            DataType::LargeList(_) => Some(array.as_list::<i64>().value(row)),
            DataType::FixedSizeList(..) => Some(array.as_fixed_size_list().value(row)),
            _ => None,
        }
    };
    let lengths = rows.map(|at| row(at).map(|list| list.len())).collect();
    let elements = match array.data_type() {
        DataType::List(_) => {
            let lists = array.as_list::<i32>();
            let ends = lists.value_offsets();
            let (first, last) = (*ends.first()? as usize, *ends.last()? as usize);
            lists.values().slice(first, last - first)
        }
        DataType::LargeList(_) => {
            let lists = array.as_list::<i64>();
            let ends = lists.value_offsets();
            let (first, last) = (*ends.first()? as usize, *ends.last()? as usize);
            lists.values().slice(first, last - first)
        }
        DataType::FixedSizeList(..) => array.as_fixed_size_list().values().clone(),
        _ => return None,
    };
    Some((elements, lengths))
}

/// Arrow's cast; what it refuses is missing.
fn cast(array: &ArrayRef, to: &DataType) -> ArrayRef {
    arrow_cast::cast(array, to).unwrap_or_else(|_| arrow_array::new_null_array(to, array.len()))
}
