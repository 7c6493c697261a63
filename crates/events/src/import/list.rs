//! List columns: several ids, or the elements of a vector.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::builder::{FixedSizeListBuilder, Float32Builder, ListBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use super::cast::{BadCell, arrow, texts};

/// A list column: all its elements, and where those of each row lie among them.
fn lists(array: &ArrayRef) -> (ArrayRef, Vec<Option<Range<usize>>>) {
    let size = |offset: i64| usize::try_from(offset).unwrap_or(0);
    let (elements, ranges): (&ArrayRef, Vec<Range<usize>>) = match array.data_type() {
        DataType::List(_) => {
            let lists = array.as_list::<i32>();
            let ends = lists.value_offsets().windows(2);
            (
                lists.values(),
                ends.map(|ends| size(ends[0].into())..size(ends[1].into()))
                    .collect(),
            )
        }
        DataType::LargeList(_) => {
            let lists = array.as_list::<i64>();
            let ends = lists.value_offsets().windows(2);
            (
                lists.values(),
                ends.map(|ends| size(ends[0])..size(ends[1])).collect(),
            )
        }
        _ => {
            let lists = array.as_fixed_size_list();
            let at = |row: usize| lists.value_offset_at(row);
            (
                lists.values(),
                (0..lists.len()).map(|row| at(row)..at(row + 1)).collect(),
            )
        }
    };
    let ranges = ranges.into_iter().enumerate();
    (
        Arc::clone(elements),
        ranges
            .map(|(row, range)| (!array.is_null(row)).then_some(range))
            .collect(),
    )
}

/// The row whose list holds the bad element.
fn row_of(bad: BadCell, ranges: &[Option<Range<usize>>]) -> BadCell {
    let holds = |range: &Option<Range<usize>>| range.as_ref().is_some_and(|range| range.contains(&bad.row));
    BadCell {
        row: ranges.iter().position(holds).unwrap_or(0),
        ..bad
    }
}

/// Lists of ids.
pub(super) fn ids(array: &ArrayRef) -> Result<ArrayRef, BadCell> {
    let (elements, ranges) = lists(array);
    let elements = texts(&elements).map_err(|bad| row_of(bad, &ranges))?;
    let elements = elements.as_string::<i32>();
    let mut builder = ListBuilder::new(StringBuilder::new());
    for range in ranges {
        // An empty element says nothing.
        let ids = |at: usize| (!elements.is_null(at)).then(|| elements.value(at));
        builder.append_option(range.map(|range| range.filter_map(ids).map(Some)));
    }
    Ok(Arc::new(builder.finish()))
}

/// Vectors of `width` finite numbers.
pub(super) fn vectors(array: &ArrayRef, width: usize) -> Result<ArrayRef, BadCell> {
    let (elements, ranges) = lists(array);
    let elements = arrow(&elements, &DataType::Float64, "numbers").map_err(|bad| row_of(bad, &ranges))?;
    let elements = elements.as_primitive::<Float64Type>();
    let size = i32::try_from(width).unwrap_or(i32::MAX);
    let mut builder = FixedSizeListBuilder::with_capacity(Float32Builder::new(), size, array.len());
    for (row, range) in ranges.into_iter().enumerate() {
        let Some(range) = range else {
            builder.values().append_nulls(width);
            builder.append(false);
            continue;
        };
        let bad = |found: String| BadCell {
            row,
            found,
            expected: format!("a vector of {width} finite numbers"),
        };
        if range.len() != width {
            return Err(bad(format!("{} numbers", range.len())));
        }
        for (element, at) in range.enumerate() {
            let number = (!elements.is_null(at)).then(|| elements.value(at));
            match number
                .map(|number| number as f32)
                .filter(|number| number.is_finite())
            {
                Some(number) => builder.values().append_value(number),
                None => {
                    let found = number.map_or_else(|| "nothing".to_owned(), |number| number.to_string());
                    return Err(bad(format!("{found} as element {element}")));
                }
            }
        }
        builder.append(true);
    }
    Ok(Arc::new(builder.finish()))
}
