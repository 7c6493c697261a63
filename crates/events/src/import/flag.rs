//! Columns that say yes or no, in whichever type. In: 1 and 0, or true and false, as numbers, booleans or texts. Out: booleans.

use std::sync::Arc;

use arrow_array::builder::BooleanBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use super::cast::{BadCell, arrow};

/// What is expected of a cell.
pub(super) const EXPECTED: &str = "1 or 0, true or false";

/// True where it is 1 or true, false where it is 0 or false, null where it is empty.
pub(super) fn cast(array: &ArrayRef) -> Result<ArrayRef, BadCell> {
    let texts = arrow(array, &DataType::Utf8, EXPECTED)?;
    let mut builder = BooleanBuilder::with_capacity(array.len());
    for (row, text) in texts.as_string::<i32>().iter().enumerate() {
        builder.append_option(match text.map(str::trim) {
            None | Some("") => None,
            Some("1" | "1.0" | "true" | "True" | "TRUE") => Some(true),
            Some("0" | "0.0" | "false" | "False" | "FALSE") => Some(false),
            Some(other) => {
                let found = other.chars().take(40).collect();
                let expected = EXPECTED.to_owned();
                return Err(BadCell { row, found, expected });
            }
        });
    }
    Ok(Arc::new(builder.finish()))
}
