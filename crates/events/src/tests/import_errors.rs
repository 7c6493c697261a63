use std::fs;
use std::sync::Arc;

use arrow_array::builder::{Float64Builder, ListBuilder};
use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray};

use super::import::{Column, SMALL, numbers, options, read_all, small, strings, times, with, without, write};
use super::*;
use crate::{EventsError, FlatLog, FlatOptions};

/// The error of a log of `columns`, without the directory's name.
pub(super) fn error_of(text: &str, columns: &[Column]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = write(&dir.path().join("a.parquet"), columns);
    let error = FlatLog::open(&parse(text), options(vec![path]))
        .and_then(|log| read_all(&log))
        .unwrap_err();
    assert!(error.is_bad_input());
    error
        .to_string()
        .replace(&format!("{}/", dir.path().display()), "")
}

fn error_with(name: &'static str, array: ArrayRef) -> String {
    error_of(SMALL, &with(small(6), name, array))
}

#[test]
fn time_that_goes_back_is_an_error_with_its_row() {
    assert_eq!(
        error_with("time", times(&[1, 2, 3, 3, 2, 9])),
        "`a.parquet`: time goes backwards at row 5 (2 after 3): sort the log by `time`"
    );
    let dir = tempfile::tempdir().unwrap();
    let files = ["a", "b"].map(|name| write(&dir.path().join(name), &small(3)));
    let error = FlatLog::open(&parse(SMALL), options(files.to_vec())).unwrap_err();
    assert!(
        matches!(
            error,
            EventsError::TimeBackwards {
                row: 1,
                before: 2,
                ..
            }
        ),
        "{error}"
    );
    let null = Arc::new(Int64Array::from(vec![
        Some(1),
        Some(1),
        Some(1),
        Some(1),
        None,
        Some(2),
    ]));
    assert_eq!(
        error_with("time", null),
        "`a.parquet`, row 5, column `time`: found an empty cell, expected a time"
    );
}

#[test]
fn all_missing_columns_are_named_at_once_with_the_nearest_known() {
    let columns = without(
        small(2),
        &["user", "age", "country", "length", "watched_age", "query"],
    );
    let columns = with(columns, "ages", numbers(&[1.0, 2.0]));
    assert_eq!(
        error_of(SMALL, &columns),
        "no column `user` in `a.parquet`: name yours in `[keys] user`, or write `absent = [\"user\"]` where the log has none\n\
         field `country`: no column `country` in `a.parquet`\n\
         field `watched_age`: no column `watched_age` in `a.parquet`\n\
         field `age`: no column `age` in `a.parquet` (nearest: `ages`)\n\
         `length` in a label: no column `length` in `a.parquet`: name your column in the `label` of `watch` in \
         `[objectives]`"
    );
}

#[test]
fn a_missing_attribute_says_where_it_was_looked_for() {
    let dir = tempfile::tempdir().unwrap();
    let log = write(
        &dir.path().join("log"),
        &without(small(2), &["age", "watched_age", "query"]),
    );
    let items = write(
        &dir.path().join("items"),
        &[("item", strings(&["v0"])), ("agee", numbers(&[1.0]))],
    );
    let users = write(&dir.path().join("users"), &[("person", strings(&["u"]))]);
    let options = FlatOptions {
        users: Some(users),
        items: Some(items),
        ..options(vec![log])
    };
    let error = FlatLog::open(&parse(SMALL), options).unwrap_err();
    let message = error
        .to_string()
        .replace(&format!("{}/", dir.path().display()), "");
    assert_eq!(
        message,
        "no column `user` in `users`: name yours in `[keys] user`\n\
         field `watched_age`: no column `watched_age` in `log`, no column `query` in `log`, \
         no column `age` in `items` (nearest: `agee`)\n\
         field `age`: no column `age` in `log`, no column `age` in `items` (nearest: `agee`)"
    );
}

#[test]
fn a_derived_field_is_a_column_or_an_error_that_says_why() {
    let columns = small(2);
    let error = error_of(DECLARATION, &columns);
    let expected = "field `history`, which is not derived from feedback in flat files: no column `history` in `a.parquet`";
    assert!(error.lines().any(|line| line == expected), "{error}");
}

#[test]
fn a_column_of_an_unsuitable_type_is_named_before_anything_is_read() {
    assert_eq!(
        error_with("age", strings(&["1"; 6])),
        "`a.parquet`, column `age`: found text, expected numbers, or true or false for field `age`"
    );
    assert_eq!(
        error_with("time", Arc::new(BooleanArray::from(vec![true; 6]))),
        "`a.parquet`, column `time`: found true or false, expected times: dates, timestamps, whole numbers, or text as \
         `2024-05-31 14:00:00` for the time of the impression"
    );
}

#[test]
fn a_bad_cell_is_named_by_file_row_and_column() {
    let infinite = numbers(&[1.0, 2.0, 3.0, 4.0, f64::INFINITY, 1.0]);
    assert_eq!(
        error_with("age", infinite),
        "`a.parquet`, row 5, column `age`: found inf, expected a finite number in the range of f32"
    );
    assert_eq!(
        error_with("play_ms", numbers(&[1.0, f64::NAN, 3.0, 4.0, 5.0, 1.0])),
        "`a.parquet`, row 2, column `play_ms`: found NaN, expected a finite number"
    );
    assert_eq!(
        error_with("position", times(&[1, 2, 3, 4, 5, 0])),
        "`a.parquet`, row 6, column `position`: found 0, expected a whole number from 1 (positions count from 1); add 1 where yours begin at 0"
    );
    assert_eq!(
        error_with("country", numbers(&[1.0, 2.0, 3.0, 4.5, 5.0, 0.0])),
        "`a.parquet`, row 4, column `country`: found 4.5, expected an id: a whole number of at most 53 bits"
    );
    let user = Arc::new(StringArray::from(vec![Some("a"), None, None, None, None, None]));
    assert_eq!(
        error_with("user", user),
        "`a.parquet`, row 2, column `user`: found an empty cell, expected an id"
    );
    assert_eq!(
        error_with("click", numbers(&[1.0, 1.0, 1.0, 1.0, 1.0, 2.0])),
        "`a.parquet`, row 6, column `click`: found the label 2, expected a label from 0 to 1 for the binary objective \
         `click` (label out of range)"
    );
}

#[test]
fn a_vector_of_another_width_or_with_a_hole_is_named_by_its_row() {
    let text = SMALL.replace(
        "[objectives]",
        "content = { side = \"item\", kind = \"vector\", width = 2 }\n[objectives]",
    );
    let error = |second: &[Option<f64>]| {
        let mut content = ListBuilder::new(Float64Builder::new());
        content.append_value([Some(1.0), Some(2.0)]);
        content.append_value(second.iter().copied());
        error_of(&text, &with(small(2), "content", Arc::new(content.finish())))
    };
    let place = "`a.parquet`, row 2, column `content`: found";
    assert_eq!(
        error(&[Some(1.0)]),
        format!("{place} 1 numbers, expected a vector of 2 finite numbers")
    );
    assert_eq!(
        error(&[Some(1.0), None]),
        format!("{place} nothing as element 1, expected a vector of 2 finite numbers")
    );
    assert_eq!(
        error(&[Some(f64::NAN), None]),
        format!("{place} NaN as element 0, expected a vector of 2 finite numbers")
    );
}

#[test]
fn an_id_twice_in_a_table_is_an_error_with_both_rows() {
    let dir = tempfile::tempdir().unwrap();
    let log = write(&dir.path().join("log"), &small(2));
    let items = write(
        &dir.path().join("items"),
        &[("item", strings(&["a", "b", "c", "a"]))],
    );
    let options = FlatOptions {
        items: Some(items),
        ..options(vec![log])
    };
    let error = FlatLog::open(&parse(SMALL), options).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("items`, row 4: `item` `a` is already in row 1"),
        "{error}"
    );
}

#[test]
fn a_file_that_is_missing_no_parquet_or_cut_short_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let open = |name: &str| FlatLog::open(&parse(SMALL), options(vec![dir.path().join(name)])).unwrap_err();
    assert!(matches!(open("nothing"), EventsError::MissingFile { .. }));
    fs::write(dir.path().join("text.parquet"), "time,user\n1,2\n").unwrap();
    let whole = fs::read(write(&dir.path().join("whole"), &small(50))).unwrap();
    fs::write(dir.path().join("cut"), &whole[..whole.len() / 2]).unwrap();
    for name in ["text.parquet", "cut"] {
        let error = open(name);
        let says = format!(
            "`{}` is not a whole Parquet file: ",
            dir.path().join(name).display()
        );
        assert!(
            error.to_string().starts_with(&says) && error.is_bad_input(),
            "{error}"
        );
    }
    assert!(matches!(open("cut"), EventsError::Parquet { .. }));
    let error = FlatLog::open(&parse(SMALL), options(vec![])).unwrap_err();
    assert_eq!(error.to_string(), "no data file was named");
}

#[test]
fn damaged_pages_are_an_error_and_not_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(&dir.path().join("a"), &small(200));
    let whole = fs::read(&path).unwrap();
    for at in (4..whole.len() / 2).step_by(97) {
        let mut damaged = whole.clone();
        damaged[at..at + 8].fill(0xff);
        fs::write(&path, damaged).unwrap();
        let _ = FlatLog::open(&parse(SMALL), options(vec![path.clone()])).and_then(|log| read_all(&log));
    }
}

#[test]
fn a_number_beyond_f32_is_refused_and_an_input_beyond_it_is_clipped() {
    let huge = Arc::new(Float64Array::from(vec![1e300; 6]));
    assert!(error_with("age", huge.clone()).contains("row 1, column `age`"));
    let dir = tempfile::tempdir().unwrap();
    let path = write(&dir.path().join("a"), &with(small(6), "play_ms", huge));
    let examples = read_all(&FlatLog::open(&parse(SMALL), options(vec![path])).unwrap()).unwrap();
    assert_eq!(examples.label(2).value(0), 1.0);
}
