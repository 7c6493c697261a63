//! Columns of any suitable type, cast to those of examples.

mod numbers;

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef, Float64Array, new_null_array};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::DataType;
use spec::{Keys, Kind};

use super::file::DataFile;
use super::times::Times;
use super::{flag, list, plain};
use crate::EventsError;
use crate::example::{data_type, decimal, has_weights};

pub(super) use numbers::{finite, shown};
use numbers::{inputs, numbers, positions, propensities, weights};

/// What a column is read as.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Target {
    /// An id that no row lacks.
    Key,
    Id,
    Text,
    Ids,
    /// Ids with weights: of maps, or of lists of ids and the lists of numbers beside them.
    Weighted,
    /// The lists of numbers beside the ids.
    Weights,
    Number,
    Vector(Kind, usize),
    /// A number in a label: f64.
    Input,
    /// Milliseconds since 1970, in every row.
    Time(Times),
    /// Milliseconds since 1970.
    Moment(Times),
    Position,
    /// How much an example counts: above 0.
    Weight,
    /// How likely the item was to be shown: above 0, at most 1.
    Propensity,
    /// Yes or no: 1, 0, true, false.
    Flag,
    /// Whether a text is this one: 1 or 0.
    Is(String),
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
    /// The error, for a batch that begins with row `first` (from 0) of `file`.
    pub(super) fn at(self, file: &DataFile, first: u64, column: &str) -> EventsError {
        let row = first + self.row as u64;
        EventsError::Cell {
            path: file.path.clone(),
            place: file.place(row),
            column: column.to_owned(),
            found: self.found.into(),
            expected: self.expected.into(),
        }
    }
}

impl Target {
    /// What a field of `kind` is read as.
    pub(super) fn of(kind: &Kind) -> Target {
        match kind {
            Kind::Id { .. } => Target::Id,
            kind if has_weights(kind) => Target::Weighted,
            Kind::Ids { .. } => Target::Ids,
            Kind::Number { .. } | Kind::Buckets { .. } => Target::Number,
            Kind::Text { .. } => Target::Text,
            Kind::Vector { width, .. } => Target::Vector(kind.clone(), *width),
        }
    }

    /// The time of the impression.
    pub(super) fn time(keys: &Keys) -> Target {
        Target::Time(Times::of(keys))
    }

    /// Whether a column of type `found` can be read so.
    pub(super) fn reads(&self, found: &DataType) -> bool {
        match self {
            Target::Key | Target::Id | Target::Text | Target::Is(_) => is_id(found),
            Target::Ids => element(found).is_some_and(is_id),
            Target::Weighted => match list::map_types(found) {
                Some((ids, weights)) => is_id(ids) && is_number(weights),
                None => Target::Ids.reads(found),
            },
            Target::Weights => element(found).is_some_and(is_number),
            Target::Number | Target::Input | Target::Weight | Target::Propensity => is_number(found),
            Target::Flag => is_number(found) || is_text(value_type(found)),
            Target::Vector(_, width) => {
                let fits = !matches!(found, DataType::FixedSizeList(_, size) if usize::try_from(*size) != Ok(*width));
                fits && element(found).is_some_and(is_number)
            }
            Target::Time(times) | Target::Moment(times) => times.reads(found),
            Target::Position => {
                value_type(found).is_integer() || found.is_floating() || *found == DataType::Null
            }
        }
    }

    /// What is expected of a column.
    pub(super) fn expected(&self) -> String {
        match self {
            Target::Key | Target::Id => "ids: text, whole numbers, or true or false".to_owned(),
            Target::Text | Target::Is(_) => "text".to_owned(),
            Target::Ids => "lists of text or of whole numbers".to_owned(),
            Target::Weighted => "lists of ids (text or whole numbers), or maps of ids to numbers".to_owned(),
            Target::Weights => "lists of numbers".to_owned(),
            Target::Number | Target::Input => "numbers, or true or false".to_owned(),
            Target::Vector(_, width) => format!("lists of {width} numbers"),
            Target::Time(_) | Target::Moment(_) => {
                "times: dates, timestamps, whole numbers, or text as `2024-05-31 14:00:00`".to_owned()
            }
            Target::Position => "whole numbers from 1".to_owned(),
            Target::Weight => "numbers above 0".to_owned(),
            Target::Propensity => "numbers above 0, at most 1".to_owned(),
            Target::Flag => flag::EXPECTED.to_owned(),
        }
    }

    /// `rows` missing values.
    pub(super) fn nulls(&self, rows: usize) -> ArrayRef {
        let kind = match self {
            Target::Key | Target::Id | Target::Text => DataType::Utf8,
            Target::Ids => list::ids_type(),
            Target::Weighted => list::weighted_type(),
            Target::Weights => crate::example::weights_type(),
            Target::Number | Target::Weight | Target::Propensity => DataType::Float32,
            Target::Vector(kind, _) => data_type(kind),
            Target::Input | Target::Is(_) => DataType::Float64,
            Target::Time(_) | Target::Moment(_) => DataType::Int64,
            Target::Position => DataType::UInt32,
            Target::Flag => DataType::Boolean,
        };
        new_null_array(&kind, rows)
    }
}

/// `array` as `target`, whose [`Target::reads`] is true of its type.
pub(super) fn cast(array: &ArrayRef, target: &Target) -> Result<ArrayRef, BadCell> {
    match target {
        Target::Key => no_null(ids(array)?, "an id"),
        Target::Id => ids(array),
        Target::Text => texts(array),
        Target::Ids => list::ids(array),
        Target::Weighted => list::weighted(array, None),
        // Read together with the ids.
        Target::Weights => Ok(Arc::clone(array)),
        Target::Number => numbers(array),
        Target::Vector(_, width) => list::vectors(array, *width),
        Target::Input => inputs(array),
        Target::Time(times) => no_null(times.cast(array)?, "a time"),
        Target::Moment(times) => times.cast(array),
        Target::Position => positions(array),
        Target::Weight => weights(array),
        Target::Propensity => propensities(array),
        Target::Flag => flag::cast(array),
        Target::Is(text) => is(array, text),
    }
}

pub(super) fn value_type(found: &DataType) -> &DataType {
    match found {
        DataType::Dictionary(_, value) => value,
        other => other,
    }
}

/// Whether `found` is text, in whichever layout.
pub(super) fn is_text(found: &DataType) -> bool {
    matches!(
        found,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Binary
    )
}

fn is_id(found: &DataType) -> bool {
    let found = value_type(found);
    is_text(found)
        || *found == DataType::Null
        || found.is_integer()
        || found.is_floating()
        || *found == DataType::Boolean
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

/// Arrow's cast. Arrow does not say which row it refuses: the first that it makes null when told to go on.
pub(super) fn arrow(array: &dyn Array, to: &DataType, expected: &str) -> Result<ArrayRef, BadCell> {
    let options = |safe| CastOptions {
        safe,
        ..CastOptions::default()
    };
    cast_with_options(array, to, &options(false)).map_err(|_| {
        let refused = cast_with_options(array, to, &options(true))
            .ok()
            .and_then(|cast| (0..array.len()).find(|row| cast.is_null(*row) && !array.is_null(*row)));
        let found = match array.data_type() {
            DataType::Binary => "bytes that are no UTF-8 text",
            _ => "a value that cannot be read, or one below it",
        };
        BadCell {
            row: refused.unwrap_or(0),
            found: found.to_owned(),
            expected: expected.to_owned(),
        }
    })
}

/// 1 where the id or text is `text`, else 0; null where it is missing.
fn is(array: &ArrayRef, text: &str) -> Result<ArrayRef, BadCell> {
    let texts = texts(array)?;
    let holds = texts
        .as_string::<i32>()
        .iter()
        .map(|found| Some(f64::from(u8::from(found? == text))));
    Ok(Arc::new(holds.collect::<Float64Array>()))
}

/// The cells of a column of any type as texts.
pub fn as_texts(array: &ArrayRef) -> Vec<Option<String>> {
    let texts = arrow_cast::cast(array, &DataType::Utf8);
    texts.map_or_else(
        |_| vec![None; array.len()],
        |texts| {
            texts
                .as_string::<i32>()
                .iter()
                .map(|text| text.map(str::to_owned))
                .collect()
        },
    )
}

/// The cells of a column of any type as numbers; `None` where one is none.
pub fn as_numbers(array: &ArrayRef) -> Vec<Option<f64>> {
    let numbers = arrow_cast::cast(array, &DataType::Float64);
    numbers.map_or_else(
        |_| vec![None; array.len()],
        |numbers| numbers.as_primitive::<Float64Type>().iter().collect(),
    )
}

fn no_null(array: ArrayRef, expected: &str) -> Result<ArrayRef, BadCell> {
    if array.null_count() == 0 {
        return Ok(array);
    }
    match (0..array.len()).find(|row| array.is_null(*row)) {
        Some(row) => Err(BadCell {
            row,
            found: "an empty cell".to_owned(),
            expected: expected.to_owned(),
        }),
        None => Ok(array),
    }
}

/// Ids: texts as they are, numbers in decimal without fraction, booleans as 1 and 0.
pub(super) fn ids(array: &ArrayRef) -> Result<ArrayRef, BadCell> {
    let kind = value_type(array.data_type());
    if *kind == DataType::Boolean {
        let numbers = arrow(array, &DataType::Int64, "an id")?;
        return arrow(&numbers, &DataType::Utf8, "an id");
    }
    if let Some(ids) = plain::decimals(array) {
        return Ok(Arc::new(ids));
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
                    found: shown(number),
                    expected,
                })?;
                builder.append_value(id);
            }
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// Texts as they are, whole numbers in decimal, `true` and `false`.
fn texts(array: &ArrayRef) -> Result<ArrayRef, BadCell> {
    if *value_type(array.data_type()) == DataType::Boolean {
        return arrow(array, &DataType::Utf8, "a text");
    }
    ids(array)
}
