//! Columns of numbers: as they are, as labels' inputs, positions, weights, propensities. In: a column. Out: the same in the examples'
//! type, or the first cell that is out of range.

use std::sync::Arc;

use arrow_array::builder::Float32Builder;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use super::super::plain;
use super::{BadCell, arrow};

/// A number in a message: in a form that is short for one of any size.
pub(in crate::import) fn shown(number: f64) -> String {
    if number != 0.0 && number.is_finite() && !(1e-5..1e17).contains(&number.abs()) {
        format!("{number:e}")
    } else {
        number.to_string()
    }
}

pub(in crate::import) fn finite(row: usize, number: f64) -> Result<f32, BadCell> {
    let narrow = number as f32;
    if narrow.is_finite() {
        Ok(narrow)
    } else {
        Err(not_finite(row, number))
    }
}

fn not_finite(row: usize, number: f64) -> BadCell {
    BadCell {
        row,
        found: shown(number),
        expected: "a finite number in the range of f32".to_owned(),
    }
}

pub(super) fn numbers(array: &ArrayRef) -> Result<ArrayRef, BadCell> {
    if plain::is_finite_f32(array) {
        return Ok(Arc::clone(array));
    }
    let numbers = arrow(array, &DataType::Float64, "a number")?;
    let narrow = plain::narrow(numbers.as_primitive()).map_err(|(row, number)| not_finite(row, number))?;
    Ok(Arc::new(narrow))
}

pub(super) fn inputs(array: &ArrayRef) -> Result<ArrayRef, BadCell> {
    let numbers = arrow(array, &DataType::Float64, "a number")?;
    match plain::first_infinite(numbers.as_primitive()) {
        None => Ok(numbers),
        Some((row, number)) => Err(BadCell {
            row,
            found: shown(number),
            expected: "a finite number".to_owned(),
        }),
    }
}

pub(super) fn positions(array: &ArrayRef) -> Result<ArrayRef, BadCell> {
    let numbers = arrow(array, &DataType::Float64, "a position")?;
    match plain::positions(numbers.as_primitive()) {
        Ok(positions) => Ok(Arc::new(positions)),
        Err((row, number)) => Err(BadCell {
            row,
            found: shown(number),
            expected: "a whole number from 1 (positions count from 1); add 1 where yours begin at 0"
                .to_owned(),
        }),
    }
}

pub(super) fn weights(array: &ArrayRef) -> Result<ArrayRef, BadCell> {
    let numbers = arrow(array, &DataType::Float64, "a weight")?;
    let mut builder = Float32Builder::with_capacity(array.len());
    for (row, number) in numbers.as_primitive::<Float64Type>().iter().enumerate() {
        let narrow = number.map(|number| number as f32);
        if narrow.is_some_and(|weight| !(weight > 0.0 && weight.is_finite())) {
            return Err(BadCell {
                row,
                found: shown(number.unwrap_or_default()),
                expected: "a weight: a finite number above 0 (an empty cell counts 1)".to_owned(),
            });
        }
        builder.append_option(narrow);
    }
    Ok(Arc::new(builder.finish()))
}

pub(super) fn propensities(array: &ArrayRef) -> Result<ArrayRef, BadCell> {
    let numbers = numbers(array)?;
    let found = numbers.as_primitive::<Float32Type>().iter().enumerate();
    match found
        .filter_map(|(row, number)| Some((row, number?)))
        .find(|(_, number)| *number <= 0.0 || *number > 1.0)
    {
        Some((row, number)) => Err(BadCell {
            row,
            found: number.to_string(),
            expected: "a propensity: above 0, at most 1; leave the cell empty where it is not known"
                .to_owned(),
        }),
        None => Ok(numbers),
    }
}
