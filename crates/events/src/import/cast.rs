//! Columns of any suitable type, cast to those of examples.

use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{Float32Builder, Float64Builder, Int64Builder, StringBuilder, UInt32Builder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, new_null_array};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, TimeUnit as ArrowUnit};
use spec::{Kind, TimeUnit};

use super::list;
use crate::EventsError;
use crate::example::{data_type, decimal};

/// What a column is read as.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Target {
    /// An id that no row lacks.
    Key,
    Id,
    Ids,
    Number,
    Vector(Kind, usize),
    /// A number in a label: f64.
    Input,
    /// Milliseconds since 1970, in every row; whole numbers are in this unit.
    Time(TimeUnit),
    Position,
}

/// A cell that cannot be read as its target.
#[derive(Debug)]
pub(super) struct BadCell {
    /// Row of the batch, from 0.
    pub(super) row: usize,
    pub(super) found: String,
    pub(super) expected: String,
}

impl BadCell {
    /// The error, for a batch that begins with row `first` (from 0) of the file `path`.
    pub(super) fn at(self, path: &Path, first: u64, column: &str) -> EventsError {
        EventsError::Cell {
            path: path.to_owned(),
            row: first + self.row as u64 + 1,
            column: column.to_owned(),
            found: self.found,
            expected: self.expected,
        }
    }
}

impl Target {
    /// What a field of `kind` is read as.
    pub(super) fn of(kind: &Kind) -> Target {
        match kind {
            Kind::Id { .. } => Target::Id,
            Kind::Ids { .. } => Target::Ids,
            Kind::Number { .. } => Target::Number,
            Kind::Vector { width, .. } => Target::Vector(kind.clone(), *width),
        }
    }

    /// Whether a column of type `found` can be read so.
    pub(super) fn reads(&self, found: &DataType) -> bool {
        match self {
            Target::Key | Target::Id => is_id(found),
            Target::Ids => element(found).is_some_and(is_id),
            Target::Number | Target::Input => is_number(found),
            Target::Vector(_, width) => {
                let fits = !matches!(found, DataType::FixedSizeList(_, size) if usize::try_from(*size) != Ok(*width));
                fits && element(found).is_some_and(is_number)
            }
            Target::Time(_) => {
                let dated = matches!(
                    found,
                    DataType::Timestamp(..) | DataType::Date32 | DataType::Date64
                );
                dated || value_type(found).is_integer()
            }
            Target::Position => {
                value_type(found).is_integer() || found.is_floating() || *found == DataType::Null
            }
        }
    }

    /// What is expected of a column.
    pub(super) fn expected(&self) -> String {
        match self {
            Target::Key | Target::Id => "ids: strings, whole numbers or booleans".to_owned(),
            Target::Ids => "lists of strings or whole numbers".to_owned(),
            Target::Number | Target::Input => "numbers or booleans".to_owned(),
            Target::Vector(_, width) => format!("lists of {width} numbers"),
            Target::Time(_) => "timestamps, dates or whole numbers".to_owned(),
            Target::Position => "whole numbers from 1".to_owned(),
        }
    }

    /// `rows` missing values.
    pub(super) fn nulls(&self, rows: usize) -> ArrayRef {
        let kind = match self {
            Target::Key | Target::Id => DataType::Utf8,
            Target::Ids => ids_type(),
            Target::Number => DataType::Float32,
            Target::Vector(kind, _) => data_type(kind),
            Target::Input => DataType::Float64,
            Target::Time(_) => DataType::Int64,
            Target::Position => DataType::UInt32,
        };
        new_null_array(&kind, rows)
    }
}

/// `array` as `target`, whose [`Target::reads`] is true of its type.
pub(super) fn cast(array: &ArrayRef, target: &Target) -> Result<ArrayRef, BadCell> {
    match target {
        Target::Key => no_null(texts(array)?, "an id"),
        Target::Id => texts(array),
        Target::Ids => list::ids(array),
        Target::Number => numbers(array),
        Target::Vector(_, width) => list::vectors(array, *width),
        Target::Input => inputs(array),
        Target::Time(unit) => no_null(times(array, *unit)?, "a time"),
        Target::Position => positions(array),
    }
}

fn ids_type() -> DataType {
    DataType::List(Arc::new(arrow_schema::Field::new_list_field(
        DataType::Utf8,
        true,
    )))
}

fn value_type(found: &DataType) -> &DataType {
    match found {
        DataType::Dictionary(_, value) => value,
        other => other,
    }
}

fn is_id(found: &DataType) -> bool {
    let found = value_type(found);
    let text = matches!(
        found,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Binary | DataType::Null
    );
    text || found.is_integer() || found.is_floating() || *found == DataType::Boolean
}

fn is_number(found: &DataType) -> bool {
    let found = value_type(found);
    found.is_numeric() || matches!(found, DataType::Boolean | DataType::Null)
}

fn element(found: &DataType) -> Option<&DataType> {
    match found {
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            Some(field.data_type())
        }
        _ => None,
    }
}

/// Arrow's cast; what it refuses is reported for the first row, as Arrow does not say which one.
pub(super) fn arrow(array: &dyn Array, to: &DataType, expected: &str) -> Result<ArrayRef, BadCell> {
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    cast_with_options(array, to, &options).map_err(|error| BadCell {
        row: 0,
        found: format!("a value here or below that cannot be read ({error})"),
        expected: expected.to_owned(),
    })
}

fn no_null(array: ArrayRef, expected: &str) -> Result<ArrayRef, BadCell> {
    match (0..array.len()).find(|row| array.is_null(*row)) {
        Some(row) if array.null_count() > 0 => Err(BadCell {
            row,
            found: "an empty cell".to_owned(),
            expected: expected.to_owned(),
        }),
        _ => Ok(array),
    }
}

/// Ids: texts as they are, numbers in decimal without fraction, booleans as 1 and 0.
pub(super) fn texts(array: &ArrayRef) -> Result<ArrayRef, BadCell> {
    let kind = value_type(array.data_type());
    if *kind == DataType::Boolean {
        let numbers = arrow(array, &DataType::Int64, "an id")?;
        return arrow(&numbers, &DataType::Utf8, "an id");
    }
    if !kind.is_floating() {
        return arrow(array, &DataType::Utf8, "an id");
    }
    let numbers = arrow(array, &DataType::Float64, "an id")?;
    let mut builder = StringBuilder::new();
    for (row, number) in numbers.as_primitive::<Float64Type>().iter().enumerate() {
        match number {
            None => builder.append_null(),
            Some(number) => {
                let expected = "an id: a whole number of at most 53 bits".to_owned();
                let id = decimal(number).ok_or(BadCell {
                    row,
                    found: number.to_string(),
                    expected,
                })?;
                builder.append_value(id);
            }
        }
    }
    Ok(Arc::new(builder.finish()))
}

fn finite(row: usize, number: f64) -> Result<f32, BadCell> {
    let narrow = number as f32;
    if narrow.is_finite() {
        return Ok(narrow);
    }
    Err(BadCell {
        row,
        found: number.to_string(),
        expected: "a finite number in the range of f32".to_owned(),
    })
}

fn numbers(array: &ArrayRef) -> Result<ArrayRef, BadCell> {
    let numbers = arrow(array, &DataType::Float64, "a number")?;
    let mut builder = Float32Builder::with_capacity(array.len());
    for (row, number) in numbers.as_primitive::<Float64Type>().iter().enumerate() {
        builder.append_option(number.map(|number| finite(row, number)).transpose()?);
    }
    Ok(Arc::new(builder.finish()))
}

fn inputs(array: &ArrayRef) -> Result<ArrayRef, BadCell> {
    let numbers = arrow(array, &DataType::Float64, "a number")?;
    let mut builder = Float64Builder::with_capacity(array.len());
    for (row, number) in numbers.as_primitive::<Float64Type>().iter().enumerate() {
        if let Some(number) = number.filter(|number| !number.is_finite()) {
            return Err(BadCell {
                row,
                found: number.to_string(),
                expected: "a finite number".to_owned(),
            });
        }
        builder.append_option(number);
    }
    Ok(Arc::new(builder.finish()))
}

fn positions(array: &ArrayRef) -> Result<ArrayRef, BadCell> {
    let numbers = arrow(array, &DataType::Float64, "a position")?;
    let mut builder = UInt32Builder::with_capacity(array.len());
    for (row, number) in numbers.as_primitive::<Float64Type>().iter().enumerate() {
        let whole = |number: f64| number.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(&number);
        if let Some(number) = number.filter(|number| !whole(*number)) {
            let expected = "a whole number from 1 (positions count from 1)".to_owned();
            return Err(BadCell {
                row,
                found: number.to_string(),
                expected,
            });
        }
        builder.append_option(number.map(|number| number as u32));
    }
    Ok(Arc::new(builder.finish()))
}

fn times(array: &ArrayRef, unit: TimeUnit) -> Result<ArrayRef, BadCell> {
    // (multiply, divide) from the stored whole number to milliseconds.
    let scale = match array.data_type() {
        DataType::Timestamp(ArrowUnit::Second, _) => (1_000, 1),
        DataType::Timestamp(ArrowUnit::Millisecond, _) | DataType::Date64 => (1, 1),
        DataType::Timestamp(ArrowUnit::Microsecond, _) => (1, 1_000),
        DataType::Timestamp(ArrowUnit::Nanosecond, _) => (1, 1_000_000),
        DataType::Date32 => (86_400_000, 1),
        _ => match unit {
            TimeUnit::Seconds => (1_000, 1),
            TimeUnit::Milliseconds => (1, 1),
            TimeUnit::Microseconds => (1, 1_000),
        },
    };
    let whole = match array.data_type() {
        DataType::Date32 => arrow(
            &arrow(array, &DataType::Int32, "a date")?,
            &DataType::Int64,
            "a date",
        )?,
        _ => arrow(array, &DataType::Int64, "a time")?,
    };
    let mut builder = Int64Builder::with_capacity(array.len());
    for (row, time) in whole.as_primitive::<Int64Type>().iter().enumerate() {
        let ms = time.map(|time| time.checked_mul(scale.0).map(|time| time.div_euclid(scale.1)));
        match ms {
            None => builder.append_null(),
            Some(Some(ms)) => builder.append_value(ms),
            Some(None) => {
                let expected = "a time whose milliseconds fit 64 bits: see `time_unit`".to_owned();
                return Err(BadCell {
                    row,
                    found: time.unwrap_or_default().to_string(),
                    expected,
                });
            }
        }
    }
    Ok(Arc::new(builder.finish()))
}
