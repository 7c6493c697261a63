//! Casts of columns that most logs are made of, without work or memory for each cell but its own. In: whole numbers, or numbers
//! that Arrow has cast to f64. Out: ids in decimal, finite numbers.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float32Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, Float32Array, Float64Array, PrimitiveArray, StringArray, UInt32Array};
use arrow_buffer::OffsetBuffer;
use arrow_schema::DataType;

/// Most digits of a whole number of 64 bits, with its sign.
const DIGITS: usize = 20;

/// Whole numbers in decimal; `None` for columns of another type, and for those whose text may need offsets of 64 bits.
pub(super) fn decimals(array: &ArrayRef) -> Option<StringArray> {
    match array.data_type() {
        DataType::Int8 => of_integers::<Int8Type>(array),
        DataType::Int16 => of_integers::<Int16Type>(array),
        DataType::Int32 => of_integers::<Int32Type>(array),
        DataType::Int64 => of_integers::<Int64Type>(array),
        DataType::UInt8 => of_integers::<UInt8Type>(array),
        DataType::UInt16 => of_integers::<UInt16Type>(array),
        DataType::UInt32 => of_integers::<UInt32Type>(array),
        DataType::UInt64 => of_integers::<UInt64Type>(array),
        _ => None,
    }
}

fn of_integers<T: ArrowPrimitiveType<Native: itoa::Integer>>(array: &ArrayRef) -> Option<StringArray> {
    let numbers: &PrimitiveArray<T> = array.as_primitive();
    i32::try_from(numbers.len().checked_mul(DIGITS)?).ok()?;
    let mut text = Vec::with_capacity(numbers.len() * 8);
    let mut offsets = Vec::with_capacity(numbers.len() + 1);
    offsets.push(0);
    let mut digits = itoa::Buffer::new();
    for (row, number) in numbers.values().iter().enumerate() {
        if numbers.is_valid(row) {
            text.extend_from_slice(digits.format(*number).as_bytes());
        }
        offsets.push(text.len() as i32);
    }
    let offsets = OffsetBuffer::new(offsets.into());
    StringArray::try_new(offsets, text.into(), numbers.nulls().cloned()).ok()
}

/// The first row whose number is there and not finite, with it.
pub(super) fn first_infinite(numbers: &Float64Array) -> Option<(usize, f64)> {
    if numbers.values().iter().all(|number| number.is_finite()) {
        return None;
    }
    let mut cells = numbers.iter().enumerate();
    cells.find_map(|(row, number)| Some((row, number.filter(|number| !number.is_finite())?)))
}

/// `numbers` as f32; or the first row whose number is there and is not finite as f32, with it.
pub(super) fn narrow(numbers: &Float64Array) -> Result<Float32Array, (usize, f64)> {
    let narrow: Vec<f32> = numbers.values().iter().map(|number| *number as f32).collect();
    if narrow.iter().any(|number| !number.is_finite()) {
        let bad = (0..narrow.len()).find(|&row| numbers.is_valid(row) && !narrow[row].is_finite());
        if let Some(row) = bad {
            return Err((row, numbers.value(row)));
        }
    }
    Ok(Float32Array::new(narrow.into(), numbers.nulls().cloned()))
}

/// Whether `array` is of f32 that are finite where they are there: as it is what is wanted.
pub(super) fn is_finite_f32(array: &ArrayRef) -> bool {
    let Some(numbers) = array.as_primitive_opt::<Float32Type>() else {
        return false;
    };
    numbers.values().iter().all(|number| number.is_finite())
        || numbers.iter().flatten().all(|number| number.is_finite())
}

/// Positions of `numbers`; or the first row whose number is there and is none, with it.
pub(super) fn positions(numbers: &Float64Array) -> Result<UInt32Array, (usize, f64)> {
    // Casting saturates, and takes fractions away: what it leaves alone is whole and in the range.
    let is_position = |number: f64| number >= 1.0 && f64::from(number as u32) == number;
    let whole: Vec<u32> = numbers.values().iter().map(|number| *number as u32).collect();
    if !numbers.values().iter().all(|number| is_position(*number)) {
        let bad = (0..whole.len()).find(|&row| numbers.is_valid(row) && !is_position(numbers.value(row)));
        if let Some(row) = bad {
            return Err((row, numbers.value(row)));
        }
    }
    Ok(PrimitiveArray::new(whole.into(), numbers.nulls().cloned()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_buffer::NullBuffer;
    use proptest::prelude::*;

    use super::*;

    /// Numbers with a few that are at an edge, and whether each is there: under a missing one lies any number.
    fn cells() -> impl Strategy<Value = Vec<(f64, bool)>> {
        let edges = prop::sample::select(vec![
            0.0,
            -0.0,
            0.5,
            1.0,
            1.5,
            f64::from(u32::MAX),
            f64::from(u32::MAX) + 1.0,
            f64::from(f32::MAX),
            1e39,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ]);
        let good = prop_oneof![1_u32.., 1_u32..20].prop_map(f64::from);
        prop::collection::vec(
            (
                prop_oneof![8 => good, 1 => edges, 1 => prop::num::f64::ANY],
                any::<bool>(),
            ),
            0..20,
        )
    }

    fn column(cells: &[(f64, bool)]) -> Float64Array {
        let nulls: NullBuffer = cells.iter().map(|(_, there)| *there).collect();
        Float64Array::new(cells.iter().map(|(number, _)| *number).collect(), Some(nulls))
    }

    /// The first number that is there and is refused.
    fn first(cells: &[(f64, bool)], refused: impl Fn(f64) -> bool) -> Option<(usize, u64)> {
        let row = cells
            .iter()
            .position(|&(number, there)| there && refused(number))?;
        Some((row, cells[row].0.to_bits()))
    }

    fn bits((row, number): (usize, f64)) -> (usize, u64) {
        (row, number.to_bits())
    }

    /// The texts of `numbers`, of which those at even rows are there, without the first row.
    fn texts<T: ArrowPrimitiveType<Native: ToString>>(
        numbers: &[T::Native],
    ) -> (Option<StringArray>, StringArray) {
        let there = |row: usize| row.is_multiple_of(2);
        let nulls: NullBuffer = (0..numbers.len()).map(there).collect();
        let array: ArrayRef = Arc::new(PrimitiveArray::<T>::new(numbers.to_vec().into(), Some(nulls)));
        let expected = numbers.iter().enumerate();
        let expected = expected.map(|(row, number)| there(row).then(|| number.to_string()));
        (
            decimals(&array.slice(1, numbers.len() - 1)),
            expected.skip(1).collect(),
        )
    }

    proptest! {
        #[test]
        fn whole_numbers_of_each_width_are_their_decimals(numbers in prop::collection::vec(any::<i64>(), 1..20)) {
            macro_rules! holds {
                ($($kind:ty: $number:ty),*) => {$(
                    let narrow: Vec<_> = numbers.iter().map(|number| *number as $number).collect();
                    let (found, expected) = texts::<$kind>(&narrow);
                    prop_assert_eq!(found, Some(expected));
                )*};
            }
            holds!(Int8Type: i8, Int16Type: i16, Int32Type: i32, Int64Type: i64);
            holds!(UInt8Type: u8, UInt16Type: u16, UInt32Type: u32, UInt64Type: u64);
        }

        #[test]
        fn the_first_number_that_is_there_and_cannot_be_is_named_and_others_are_kept(cells in cells()) {
            let column = column(&cells);

            let infinite = first_infinite(&column).map(bits);
            prop_assert_eq!(infinite, first(&cells, |number| !number.is_finite()));

            let kept: Float32Array = column.iter().map(|number| Some(number? as f32)).collect();
            match first(&cells, |number| !(number as f32).is_finite()) {
                Some(bad) => prop_assert_eq!(narrow(&column).map_err(bits), Err(bad)),
                None => prop_assert_eq!(narrow(&column).map_err(bits), Ok(kept.clone())),
            }
            let floats: ArrayRef = Arc::new(Float32Array::new(
                cells.iter().map(|(number, _)| *number as f32).collect(),
                column.nulls().cloned(),
            ));
            prop_assert_eq!(is_finite_f32(&floats), kept.iter().flatten().all(f32::is_finite));

            let whole = |number: f64| number.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(&number);
            match first(&cells, |number| !whole(number)) {
                Some(bad) => prop_assert_eq!(positions(&column).map_err(bits), Err(bad)),
                None => {
                    let kept = column.iter().map(|number| Some(number? as u32)).collect();
                    prop_assert_eq!(positions(&column).map_err(bits), Ok(kept));
                }
            }
        }
    }
}
