//! The cells of one column, gathered into an array. In: texts of a CSV file or values of JSON. Out: the array of a batch.

use std::sync::Arc;

use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, NullBuilder, StringBuilder,
};
use arrow_array::{ArrayRef, NullArray};
use serde_json::Value;

use super::flatten::{JsonCell, number_text};
use super::infer::{CsvCell, Kind, Scalar};

#[derive(Debug)]
pub(super) enum Cells {
    Nothing(usize),
    Whole(Int64Builder),
    Number(Float64Builder),
    Flag(BooleanBuilder),
    Text(StringBuilder),
    Nothings(ListBuilder<NullBuilder>),
    Wholes(ListBuilder<Int64Builder>),
    Numbers(ListBuilder<Float64Builder>),
    Flags(ListBuilder<BooleanBuilder>),
    Texts(ListBuilder<StringBuilder>),
}

/// A value that is none of its column's kind: the kind was inferred from all values, so the file is another now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misfit;

impl Cells {
    pub(super) fn of(kind: Kind) -> Cells {
        match kind {
            Kind::One(Scalar::Nothing) => Cells::Nothing(0),
            Kind::One(Scalar::Whole) => Cells::Whole(Int64Builder::new()),
            Kind::One(Scalar::Number) => Cells::Number(Float64Builder::new()),
            Kind::One(Scalar::Flag) => Cells::Flag(BooleanBuilder::new()),
            Kind::One(Scalar::Text) => Cells::Text(StringBuilder::new()),
            Kind::List(Scalar::Nothing) => Cells::Nothings(ListBuilder::new(NullBuilder::new())),
            Kind::List(Scalar::Whole) => Cells::Wholes(ListBuilder::new(Int64Builder::new())),
            Kind::List(Scalar::Number) => Cells::Numbers(ListBuilder::new(Float64Builder::new())),
            Kind::List(Scalar::Flag) => Cells::Flags(ListBuilder::new(BooleanBuilder::new())),
            Kind::List(Scalar::Text) => Cells::Texts(ListBuilder::new(StringBuilder::new())),
        }
    }

    pub(super) fn push_null(&mut self) {
        match self {
            Cells::Nothing(rows) => *rows += 1,
            Cells::Whole(cells) => cells.append_null(),
            Cells::Number(cells) => cells.append_null(),
            Cells::Flag(cells) => cells.append_null(),
            Cells::Text(cells) => cells.append_null(),
            Cells::Nothings(lists) => lists.append_null(),
            Cells::Wholes(lists) => lists.append_null(),
            Cells::Numbers(lists) => lists.append_null(),
            Cells::Flags(lists) => lists.append_null(),
            Cells::Texts(lists) => lists.append_null(),
        }
    }

    /// A cell of a CSV file.
    pub(super) fn push_csv(&mut self, cell: &str) -> Result<(), Misfit> {
        if let Cells::Text(cells) = self {
            cells.append_option((!cell.is_empty()).then_some(cell));
            return Ok(());
        }
        match (self, CsvCell::of(cell)) {
            (Cells::Whole(cells), CsvCell::Whole(number)) => cells.append_value(number),
            (Cells::Number(cells), CsvCell::Whole(number)) => cells.append_value(number as f64),
            (Cells::Number(cells), CsvCell::Number(number)) => cells.append_value(number),
            (Cells::Flag(cells), CsvCell::Flag(flag)) => cells.append_value(flag),
            (cells, CsvCell::Empty) => cells.push_null(),
            (cells @ (Cells::Whole(_) | Cells::Number(_) | Cells::Flag(_)), CsvCell::Missing) => {
                cells.push_null()
            }
            _ => return Err(Misfit),
        }
        Ok(())
    }

    /// A value of JSON.
    pub(super) fn push_json(&mut self, cell: &JsonCell<'_>) -> Result<(), Misfit> {
        match (self, cell) {
            (cells, JsonCell::Null) => cells.push_null(),
            (Cells::Text(cells), cell) => match cell {
                JsonCell::Text(text) => cells.append_value(text),
                cell => cells.append_value(cell.text()),
            },
            (Cells::Whole(cells), JsonCell::Whole(number)) => cells.append_value(*number),
            (Cells::Number(cells), JsonCell::Whole(number)) => cells.append_value(*number as f64),
            (Cells::Number(cells), JsonCell::Number(number)) => cells.append_value(*number),
            (Cells::Flag(cells), JsonCell::Flag(flag)) => cells.append_value(*flag),
            (Cells::Nothings(lists), JsonCell::List(values)) => {
                if values.iter().any(|value| !value.is_null()) {
                    return Err(Misfit);
                }
                lists.values().append_nulls(values.len());
                lists.append(true);
            }
            (Cells::Wholes(lists), JsonCell::List(values)) => {
                append(lists, values, Value::as_i64, Int64Builder::append_option)?;
            }
            (Cells::Numbers(lists), JsonCell::List(values)) => {
                append(lists, values, Value::as_f64, Float64Builder::append_option)?;
            }
            (Cells::Flags(lists), JsonCell::List(values)) => {
                append(lists, values, Value::as_bool, BooleanBuilder::append_option)?;
            }
            (Cells::Texts(lists), JsonCell::List(values)) => {
                append(
                    lists,
                    values,
                    |value| Some(value_text(value)),
                    StringBuilder::append_option,
                )?;
            }
            _ => return Err(Misfit),
        }
        Ok(())
    }

    /// All cells since the last call.
    pub(super) fn finish(&mut self) -> ArrayRef {
        match self {
            Cells::Nothing(rows) => Arc::new(NullArray::new(std::mem::take(rows))),
            Cells::Whole(cells) => Arc::new(cells.finish()),
            Cells::Number(cells) => Arc::new(cells.finish()),
            Cells::Flag(cells) => Arc::new(cells.finish()),
            Cells::Text(cells) => Arc::new(cells.finish()),
            Cells::Nothings(lists) => Arc::new(lists.finish()),
            Cells::Wholes(lists) => Arc::new(lists.finish()),
            Cells::Numbers(lists) => Arc::new(lists.finish()),
            Cells::Flags(lists) => Arc::new(lists.finish()),
            Cells::Texts(lists) => Arc::new(lists.finish()),
        }
    }
}

/// One list: its elements as `read` reads them; null ones stay null.
fn append<'v, B: ArrayBuilder, T>(
    lists: &mut ListBuilder<B>,
    values: &'v [Value],
    read: impl Fn(&'v Value) -> Option<T>,
    push: impl Fn(&mut B, Option<T>),
) -> Result<(), Misfit> {
    for value in values {
        let element = if value.is_null() {
            None
        } else {
            Some(read(value).ok_or(Misfit)?)
        };
        push(lists.values(), element);
    }
    lists.append(true);
    Ok(())
}

/// An element of a list of texts.
fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => number.as_f64().map_or_else(String::new, number_text),
        value => value.to_string(),
    }
}
