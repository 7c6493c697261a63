//! List columns: several ids, with weights or without, or the elements of a vector.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::builder::{FixedSizeListBuilder, Float32Builder, ListBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef, StructArray};
use arrow_schema::{DataType, Field, Fields};

use super::cast::{self, BadCell, arrow, finite, shown};
use crate::example::{sound, weights_type};

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
    let elements = cast::ids(&elements).map_err(|bad| row_of(bad, &ranges))?;
    let elements = elements.as_string::<i32>();
    let mut builder = ListBuilder::new(StringBuilder::new());
    for range in ranges {
        // An empty element says nothing.
        let ids = |at: usize| (!elements.is_null(at)).then(|| elements.value(at));
        builder.append_option(range.map(|range| range.filter_map(ids).map(Some)));
    }
    Ok(Arc::new(builder.finish()))
}

/// The type of lists of ids.
pub(super) fn ids_type() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)))
}

/// The type of ids with weights: an object of both lists.
pub(super) fn weighted_type() -> DataType {
    DataType::Struct(weighted_fields())
}

fn weighted_fields() -> Fields {
    let field = |name: &str, kind| Field::new(name, kind, true);
    Fields::from(vec![field("ids", ids_type()), field("weights", weights_type())])
}

/// The types of the keys and values of maps.
pub(super) fn map_types(found: &DataType) -> Option<(&DataType, &DataType)> {
    let DataType::Map(entries, _) = found else {
        return None;
    };
    match entries.data_type() {
        DataType::Struct(fields) if fields.len() == 2 => Some((fields[0].data_type(), fields[1].data_type())),
        _ => None,
    }
}

/// The lists of ids and of weights of [`weighted`].
pub(super) fn parts(weighted: &ArrayRef) -> [ArrayRef; 2] {
    let weighted = weighted.as_struct();
    [Arc::clone(weighted.column(0)), Arc::clone(weighted.column(1))]
}

/// Ids with weights, of maps, or of lists of ids and as long lists of `weights` beside them. As requests give them: in the
/// order of ids, each once, with the sum of its weights. An element without id or weight says nothing.
pub(super) fn weighted(array: &ArrayRef, weights: Option<&ArrayRef>) -> Result<ArrayRef, BadCell> {
    let (ids, ranges, weights) = match array.as_map_opt() {
        Some(maps) => {
            let ends = maps.value_offsets().windows(2);
            let size = |offset: i32| usize::try_from(offset).unwrap_or(0);
            let range =
                |(row, ends): (usize, &[i32])| (!maps.is_null(row)).then(|| size(ends[0])..size(ends[1]));
            let ranges: Vec<_> = ends.enumerate().map(range).collect();
            (
                Arc::clone(maps.keys()),
                ranges.clone(),
                Some((Arc::clone(maps.values()), ranges)),
            )
        }
        None => {
            let (ids, ranges) = lists(array);
            (ids, ranges, weights.map(lists))
        }
    };
    let Some((weights, weight_ranges)) = weights else {
        unreachable!("lists of ids with weights were planned without a column of weights")
    };
    let ids = cast::ids(&ids).map_err(|bad| row_of(bad, &ranges))?;
    let weights =
        arrow(&weights, &DataType::Float64, "numbers").map_err(|bad| row_of(bad, &weight_ranges))?;
    let (ids, weights) = (ids.as_string::<i32>(), weights.as_primitive::<Float64Type>());
    let mut all_ids = ListBuilder::new(StringBuilder::new());
    let mut all_weights = ListBuilder::new(Float32Builder::new());
    for (row, (of_ids, of_weights)) in ranges.into_iter().zip(weight_ranges).enumerate() {
        let length = |range: &Option<Range<usize>>| range.as_ref().map_or(0, Range::len);
        if length(&of_ids) != length(&of_weights) {
            return Err(BadCell {
                row,
                found: format!("{} ids and {} weights", length(&of_ids), length(&of_weights)),
                expected: "a weight for each id".to_owned(),
            });
        }
        let Some(of_ids) = of_ids else {
            all_ids.append_null();
            all_weights.append_null();
            continue;
        };
        let mut pairs: BTreeMap<&str, f64> = BTreeMap::new();
        for (id, weight) in of_ids.zip(of_weights.unwrap_or_default()) {
            if !ids.is_null(id) && !weights.is_null(weight) {
                *pairs.entry(ids.value(id)).or_default() += f64::from(finite(row, weights.value(weight))?);
            }
        }
        for (id, weight) in pairs {
            all_ids.values().append_value(id);
            all_weights.values().append_value(finite(row, weight)?);
        }
        all_ids.append(true);
        all_weights.append(true);
    }
    let columns: Vec<ArrayRef> = vec![Arc::new(all_ids.finish()), Arc::new(all_weights.finish())];
    Ok(Arc::new(sound(StructArray::try_new(
        weighted_fields(),
        columns,
        None,
    ))))
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
                    let found = number.map_or_else(|| "nothing".to_owned(), shown);
                    return Err(bad(format!("{found} as element {element}")));
                }
            }
        }
        builder.append(true);
    }
    Ok(Arc::new(builder.finish()))
}
