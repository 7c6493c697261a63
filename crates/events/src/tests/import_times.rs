use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, StringArray, TimestampSecondArray};

use super::import::{Column, SMALL, numbers, options, read_all, small, strings, times, with, without, write};
use super::import_errors::error_of;
use super::*;
use crate::{FlatLog, FlatOptions, FlatRow};

/// 2024-05-31 14:00:00 UTC, a Friday.
const AFTERNOON: i64 = 1_717_164_000_000;

fn log_of(text: &str, columns: &[Column]) -> (tempfile::TempDir, FlatLog) {
    let dir = tempfile::tempdir().unwrap();
    let path = write(&dir.path().join("a.parquet"), columns);
    let log = FlatLog::open(&parse(text), options(vec![path])).unwrap();
    (dir, log)
}

/// Times of a log whose column `time` is this.
fn read_times(keys: &str, time: ArrayRef) -> Vec<i64> {
    let columns = with(small(time.len()), "time", time);
    let (_dir, log) = log_of(&format!("[keys]\n{keys}\n{SMALL}"), &columns);
    read_all(&log).unwrap().times().to_vec()
}

#[test]
fn texts_read_as_times_in_iso_8601_or_the_declared_form() {
    let iso = strings(&[
        "2024-05-31",
        "2024-05-31T14:00:00Z",
        "2024-05-31 16:00:00.5+01:00",
    ]);
    assert_eq!(
        read_times("", iso),
        [AFTERNOON - 14 * HOUR, AFTERNOON, AFTERNOON + HOUR + 500]
    );
    let read =
        |format: &str, text: &str| read_times(&format!("time_format = \"{format}\""), strings(&[text]));
    assert_eq!(read("%d/%m/%Y %H:%M", "31/05/2024 14:00"), [AFTERNOON]);
    assert_eq!(read("%m/%d/%y %I %p", "05/31/24 02 PM"), [AFTERNOON]);
    assert_eq!(read("%d.%m.%Y", "31.05.2024"), [AFTERNOON - 14 * HOUR]);
    assert_eq!(read("%d %b %Y %T %z", "31 May 2024 16:00:00 +0200"), [AFTERNOON]);
    assert_eq!(read("%s", "1717164000"), [AFTERNOON]);
}

#[test]
fn whole_numbers_stay_whole_numbers_in_columns_of_fractions_and_in_a_form_of_digits() {
    let seconds = "time_unit = \"s\"";
    assert_eq!(
        read_times(seconds, numbers(&[1.0, 1_717_164_000.0])),
        [1000, AFTERNOON]
    );
    let declared = "time_format = \"%Y%m%d%H\"";
    assert_eq!(read_times(declared, times(&[2024053114])), [AFTERNOON]);
    assert_eq!(
        read_times("time_format = \"%d%m%Y\"", numbers(&[1062024.0])),
        [AFTERNOON + 10 * HOUR]
    );
    // A form of more than digits says nothing of whole numbers.
    assert_eq!(read_times("time_format = \"%d/%m/%Y\"", times(&[5])), [5]);
}

#[test]
fn a_text_that_is_no_time_is_named_with_its_row_and_what_was_expected() {
    let columns = |second: &str| with(small(2), "time", strings(&["2024-05-31", second]));
    assert_eq!(
        error_of(SMALL, &columns("31.5.2024")),
        "`a.parquet`, row 2, column `time`: found `31.5.2024`, expected a time as `2024-05-31T14:00:00Z`, \
         `2024-05-31 14:00:00` or `2024-05-31` (declare another form in `[keys] time_format`, as `%d/%m/%Y %H:%M`)"
    );
    assert_eq!(
        error_of(SMALL, &columns(" ")),
        "`a.parquet`, row 2, column `time`: found an empty cell, expected a time"
    );
    let declared = format!("[keys]\ntime_format = \"%Y-%m-%d\"\n{SMALL}");
    assert_eq!(
        error_of(&declared, &columns("2024-05-31 10:00")),
        "`a.parquet`, row 2, column `time`: found `2024-05-31 10:00`, expected a time in the form `%Y-%m-%d` of \
         `[keys] time_format`, as `2024-05-31`"
    );
    assert_eq!(
        error_of(&declared.replace("%Y-%m-%d", "%Y-%Q"), &columns("2024-05-31")),
        "`[keys] time_format` is `%Y-%Q`: expected `strftime` notation, as `%d/%m/%Y %H:%M`"
    );
    let fraction = with(small(2), "time", numbers(&[1.0, 2.5]));
    assert_eq!(
        error_of(SMALL, &fraction),
        "`a.parquet`, row 2, column `time`: found 2.5, expected a time: a whole number of at most 53 bits (see `[keys] \
         time_unit`)"
    );
    assert_eq!(
        error_of(
            SMALL,
            &with(small(2), "time", strings(&["2024-05-31", "2024-05-30"]))
        ),
        format!(
            "`a.parquet`: time goes backwards at row 2 ({} after {}): sort the log by `time`",
            AFTERNOON - 38 * HOUR,
            AFTERNOON - 14 * HOUR
        )
    );
}

/// Fields that are derived from times.
const DERIVED: &str = r#"
[keys]
time_unit = "s"
utc_offset = "+08:00"
[fields]
user = { side = "user", kind = "id", dim = 4, buckets = 100 }
member = { side = "user", kind = "number", since = "user.joined" }
watched_age = { side = "query", kind = "number", since = "query.uploaded_at" }
hour = { side = "context", kind = "id", dim = 2, part = "hour" }
item = { side = "item", kind = "id", dim = 4, buckets = 100 }
age = { side = "item", kind = "number", since = "item.uploaded_at" }
upload_day = { side = "item", kind = "id", dim = 2, part = "weekday", of = "item.uploaded_at" }
[objectives]
click = { group = "engagement", loss = "binary", absent = 0 }
[model]
architecture = "shared-bottom"
shared = [8]
[score]
click = 1.0
"#;

/// A log at 14:00, 15:00, 16:00 and the tables of its users and items.
fn derived_log(dir: &tempfile::TempDir, more: &[Column<'static>]) -> FlatLog {
    let seconds = [0, 3600, 7200].map(|s| AFTERNOON / 1000 + s);
    let mut columns = without(
        with(small(3), "time", times(&seconds)),
        &["age", "watched_age", "country"],
    );
    columns.extend(more.iter().cloned());
    let log = write(&dir.path().join("log"), &columns);
    let uploaded = Float64Array::from(vec![Some(1_717_160_400.0), Some(1_717_171_300.0), None]);
    let items: Vec<Column> = vec![
        ("item", strings(&["v0", "v1", "v2"])),
        ("uploaded_at", Arc::new(uploaded)),
    ];
    let users: Vec<Column> = vec![
        ("user", strings(&["u"])),
        (
            "joined",
            Arc::new(TimestampSecondArray::from(vec![1_717_164_000 - 86_400])),
        ),
    ];
    let options = FlatOptions {
        users: Some(write(&dir.path().join("users"), &users)),
        items: Some(write(&dir.path().join("items"), &items)),
        ..options(vec![log])
    };
    FlatLog::open(&parse(DERIVED), options).unwrap()
}

#[test]
fn an_age_is_hours_since_an_attribute_and_missing_where_its_time_is_unknown_or_still_to_come() {
    let dir = tempfile::tempdir().unwrap();
    let examples = read_all(&derived_log(&dir, &[])).unwrap();
    let spec = parse(DERIVED);
    let number = |name: &str| {
        examples
            .number(spec.field(name).unwrap())
            .iter()
            .collect::<Vec<_>>()
    };
    assert_eq!(number("member"), [Some(24.0), Some(25.0), Some(26.0)]);
    assert_eq!(number("watched_age"), [Some(1.0), Some(2.0), Some(3.0)]);
    assert_eq!(number("age"), [Some(1.0), None, None]);
    let ids = |name: &str| {
        let ids = examples.id(spec.field(name).unwrap());
        ids.iter().map(|id| id.map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(ids("hour"), ["22", "23", "0"].map(|hour| Some(hour.to_owned())));
    // 13:00 and 16:01:40 UTC are Friday 21:00 and Saturday 00:01:40 in local time.
    assert_eq!(
        ids("upload_day"),
        [Some("fri".to_owned()), Some("sat".to_owned()), None]
    );
}

#[test]
fn a_column_of_the_log_with_the_derived_values_is_taken_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let more: [Column; 2] = [
        ("age", numbers(&[-7.0, 8.0, 9.0])),
        ("hour", strings(&["5", "6", "7"])),
    ];
    let examples = read_all(&derived_log(&dir, &more)).unwrap();
    let spec = parse(DERIVED);
    assert_eq!(examples.number(spec.field("age").unwrap()).value(0), -7.0);
    assert_eq!(examples.id(spec.field("hour").unwrap()).value(2), "7");
    let uploads: [Column; 1] = [("uploaded_at", times(&[AFTERNOON / 1000; 3]))];
    let examples = read_all(&derived_log(&dir, &uploads)).unwrap();
    assert_eq!(examples.number(spec.field("age").unwrap()).value(1), 1.0);
}

#[test]
fn derived_values_are_sent_by_field_name_with_the_request_and_its_items() {
    let dir = tempfile::tempdir().unwrap();
    let rows: Vec<FlatRow> = derived_log(&dir, &[])
        .read_rows(0..3)
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(
        rows[0].context_fields,
        fields([("hour", text("22")), ("member", Value::Number(24.0))])
    );
    assert_eq!(rows[0].user_fields, fields([("user", text("u"))]));
    assert_eq!(
        rows[1].query_fields,
        fields([("watched_age", Value::Number(2.0))])
    );
    let item = [
        ("item", text("v0")),
        ("age", Value::Number(1.0)),
        ("upload_day", text("fri")),
    ];
    assert_eq!(rows[0].item_fields, fields(item));
}

#[test]
fn served_and_read_values_of_a_time_are_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let spec = parse(DERIVED);
    let entry = fields([("uploaded_at", Value::Number(1_717_160_400_000.0))]);
    for row in derived_log(&dir, &[]).read_rows(0..1) {
        let row = row.unwrap();
        for name in ["age", "upload_day"] {
            let source = &spec.fields[spec.field(name).unwrap()].source;
            let served = crate::derived_from_time(&spec.keys, source, Some(&entry), row.time);
            assert_eq!(served.as_ref(), row.item_fields.get(name));
        }
    }
}

#[test]
fn without_times_rows_are_in_order_and_what_needs_the_time_is_a_problem() {
    let no_time = format!("[keys]\nabsent = [\"time\"]\n{SMALL}");
    let (_dir, log) = log_of(&no_time, &with(small(3), "time", times(&[3, 2, 1])));
    assert_eq!(read_all(&log).unwrap().times(), [0, 0, 0]);
    let columns = with(without(small(2), &["age"]), "uploaded_at", times(&[1, 2]));
    let text = format!(
        "[keys]\nabsent = [\"time\"]\n{}",
        SMALL.replace(
            r#"age = { side = "item", kind = "number" }"#,
            r#"
age = { side = "item", kind = "number", since = "item.uploaded_at" }
hour = { side = "context", kind = "id", dim = 2, part = "hour" }
day = { side = "item", kind = "id", dim = 2, part = "weekday", of = "item.uploaded_at" }"#
        )
    );
    let says = "is derived from the time of the impression, and `[keys] absent` says that the log has none: give its values \
                in a column";
    assert_eq!(
        error_of(&text, &columns),
        format!(
            "field `age` {says} `age`, or leave the field out\nfield `hour` {says} `hour`, or leave the field out"
        )
    );
    let columns = with(
        with(columns, "age", numbers(&[1.0, 2.0])),
        "hour",
        strings(&["1", "2"]),
    );
    let (_dir, log) = log_of(&text, &columns);
    let spec = parse(&text);
    assert_eq!(
        read_all(&log).unwrap().id(spec.field("day").unwrap()).value(0),
        "thu"
    );
}

#[test]
fn a_time_that_no_column_holds_is_named_with_where_it_was_looked_for() {
    let columns = with(without(small(2), &["age"]), "upload_at", times(&[1, 2]));
    let text = SMALL.replace(
        r#"age = { side = "item", kind = "number" }"#,
        r#"age = { side = "item", kind = "number", since = "item.uploaded_at" }"#,
    );
    assert_eq!(
        error_of(&text, &columns),
        "the time of field `age`: no column `uploaded_at` in `a.parquet` (nearest: `upload_at`)"
    );
    let columns = with(columns, "uploaded_at", strings(&["2024-05-31", "soon"]));
    assert!(
        error_of(&text, &columns)
            .starts_with("`a.parquet`, row 2, column `uploaded_at`: found `soon`, expected a time as"),
    );
}

#[test]
fn null_times_of_attributes_are_missing_values() {
    let uploaded: ArrayRef = Arc::new(StringArray::from(vec![None, Some(""), Some("1970-01-01")]));
    let columns = with(without(small(3), &["age"]), "uploaded_at", uploaded);
    let columns = with(
        columns,
        "time",
        Arc::new(Int64Array::from(vec![0, HOUR, 2 * HOUR])),
    );
    let text = SMALL.replace(
        r#"age = { side = "item", kind = "number" }"#,
        r#"age = { side = "item", kind = "number", since = "item.uploaded_at" }"#,
    );
    let (_dir, log) = log_of(&text, &columns);
    let age = parse(&text).field("age").unwrap();
    let ages: Vec<_> = read_all(&log).unwrap().number(age).iter().collect();
    assert_eq!(ages, [None, None, Some(2.0)]);
}
