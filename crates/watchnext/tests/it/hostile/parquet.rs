//! Parquet files that are damaged, and cells of types that cannot be what the declaration says.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, Date32Array, Float64Array, NullArray, Time64MicrosecondArray,
    TimestampSecondArray, UInt64Array,
};

use super::{Case, parquet_bytes};
use crate::fixture::log;

/// `train` on a flat log of 300 rows as Parquet, with other cells in `column`.
fn parquet(name: &str, column: &str, cells: ArrayRef) -> Case {
    let mut columns = log(300);
    let (_, old) = columns.iter_mut().find(|(name, _)| *name == column).unwrap();
    *old = cells;
    Case::of(name, "log.parquet", parquet_bytes(&columns))
}

#[test]
fn a_damaged_parquet_file_is_read_or_refused_and_never_a_crash() {
    let whole = parquet_bytes(&log(300));
    let case = Case::called("Parquet with a changed byte", &["init", "log.parquet"]);
    let file = case.dir.path().join("log.parquet");
    // Many in the footer, which says how much to read and where; some in the pages.
    let footer = whole.len().saturating_sub(5_000);
    let places = (footer..whole.len()).step_by(61).chain((4..footer).step_by(701));
    for place in places {
        let mut bytes = whole.clone();
        bytes[place] ^= 0xff;
        std::fs::write(&file, &bytes).unwrap();
        let output = case.output();
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(
            matches!(output.status.code(), Some(0 | 2)) && !message.contains("panicked"),
            "byte {place} of {}: {:?} {message}",
            whole.len(),
            output.status
        );
        if output.status.code() == Some(2) {
            assert!(message.contains("log.parquet"), "byte {place}: {message}");
        }
    }
}

#[test]
fn cells_of_parquet_are_named_with_their_row() {
    let seconds = |row: i64| if row == 11 { i64::MAX } else { row };
    parquet("seconds of Parquet that do not fit", "time", Arc::new(TimestampSecondArray::from_iter_values((0..300).map(seconds))))
        .refused(&["`log.parquet`, row 12, column `time`: found 9223372036854775807, expected a time whose milliseconds fit"]);
    let last_day = Arc::new(Date32Array::from_iter_values(
        (0..300).map(|row| i32::MAX - 300 + row),
    ));
    parquet("the last days that there are", "time", last_day).works();
    parquet(
        "times of day",
        "time",
        Arc::new(Time64MicrosecondArray::from_iter_values(0..300)),
    )
    .refused(&["`log.parquet`, column `time`: found times of day, expected times: dates, timestamps"]);
    let bytes = |row: usize| if row == 11 { b"\xff\xfe".as_slice() } else { b"u1" };
    parquet(
        "bytes that are no text",
        "user",
        Arc::new(BinaryArray::from_iter_values((0..300).map(bytes))),
    )
    .refused(&["`log.parquet`, row 12, column `user`: found bytes that are no UTF-8 text, expected an id"]);
    let fractions = |row: u32| if row == 11 { 1.5 } else { f64::from(row) };
    parquet(
        "ids with fractions",
        "user",
        Arc::new(Float64Array::from_iter_values((0..300).map(fractions))),
    )
    .refused(&["`log.parquet`, row 12, column `user`: found 1.5, expected an id: a whole number"]);
    let wide = Arc::new(UInt64Array::from_iter_values((0..300).map(|row| u64::MAX - row)));
    parquet("ids of 64 bits", "user", wide.clone()).works();
    parquet("positions of 64 bits", "position", wide)
        .refused(&["`log.parquet`, row 1, column `position`: found 1.8446744073709552e19, expected a whole number from 1"]);
    for (name, value) in [("NaN", f64::NAN), ("infinity", f64::INFINITY), ("1e300", 1e300)] {
        let cells = |row: usize| if row == 11 { value } else { 0.5 };
        let cells: ArrayRef = Arc::new(Float64Array::from_iter_values((0..300).map(cells)));
        parquet(&format!("{name} in Parquet"), "appeal", cells).refused(&[
            "`log.parquet`, row 12, column `appeal`: found ",
            "expected a finite number",
        ]);
    }
    parquet("a column of nothing", "appeal", Arc::new(NullArray::new(300)))
        .refused(&["field `appeal` has no value in the training part"]);
    parquet("ids of nothing", "user", Arc::new(NullArray::new(300)))
        .refused(&["`log.parquet`, row 1, column `user`: found an empty cell, expected an id"]);
}
