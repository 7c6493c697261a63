use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{
    FixedSizeListBuilder, Float64Builder, Int64Builder, ListBuilder, StringDictionaryBuilder,
};
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Float32Array, Float64Array, Int8Array, Int32Array,
    Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, UInt64Array,
};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use super::*;
use crate::{EventsError, Examples, FlatLog, FlatOptions};

pub(super) type Column<'n> = (&'n str, ArrayRef);

pub(super) fn write(path: &Path, columns: &[Column]) -> PathBuf {
    let batch = RecordBatch::try_from_iter(columns.iter().cloned()).unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(3))
        .build();
    let mut writer =
        ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path.to_owned()
}

pub(super) fn strings(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

pub(super) fn numbers(values: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

pub(super) fn times(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

pub(super) const SMALL: &str = r#"
[fields]
user = { side = "user", kind = "id", dim = 4, buckets = 100 }
country = { side = "user", kind = "id", dim = 4, buckets = 100 }
watched_age = { side = "query", kind = "number", attribute = "age" }
item = { side = "item", kind = "id", dim = 4, buckets = 100 }
age = { side = "item", kind = "number" }
[objectives]
like = { group = "satisfaction", loss = "binary", given = "click" }
click = { group = "engagement", loss = "binary", absent = 0 }
watch = { group = "engagement", loss = "squared", label = "play_ms / length", clip = [0, 1] }
[model]
architecture = "shared-bottom"
shared = [8]
[score]
click = 1.0
"#;

pub(super) fn small(rows: usize) -> Vec<Column<'static>> {
    let names: Vec<String> = (0..rows).map(|row| format!("v{row}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    vec![
        ("time", times(&(0..rows as i64).collect::<Vec<_>>())),
        ("user", strings(&vec!["u"; rows])),
        ("item", strings(&names)),
        ("query", strings(&vec!["v0"; rows])),
        ("country", strings(&vec!["de"; rows])),
        ("age", numbers(&vec![1.0; rows])),
        ("watched_age", numbers(&vec![2.0; rows])),
        ("click", numbers(&vec![1.0; rows])),
        ("like", numbers(&vec![0.0; rows])),
        ("play_ms", numbers(&vec![50.0; rows])),
        ("length", numbers(&vec![100.0; rows])),
        ("unused", strings(&vec!["x"; rows])),
    ]
}

pub(super) fn with(
    mut columns: Vec<Column<'static>>,
    name: &'static str,
    array: ArrayRef,
) -> Vec<Column<'static>> {
    columns.retain(|(other, _)| *other != name);
    columns.push((name, array));
    columns
}

pub(super) fn without(mut columns: Vec<Column<'static>>, names: &[&str]) -> Vec<Column<'static>> {
    columns.retain(|(other, _)| !names.contains(other));
    columns
}

pub(super) fn options(data: Vec<PathBuf>) -> FlatOptions {
    FlatOptions {
        data,
        users: None,
        items: None,
        batch_rows: 4,
    }
}

pub(super) fn read_all(log: &FlatLog) -> Result<Examples, EventsError> {
    Ok(Examples::concat(
        &log.read(0..log.rows()).collect::<Result<Vec<_>, _>>()?,
    ))
}

#[test]
fn any_range_of_rows_over_files_and_row_groups_is_read_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let first = write(&dir.path().join("a.parquet"), &small(10));
    let empty = write(&dir.path().join("b.parquet"), &small(0));
    let later = with(small(7), "time", times(&[9, 9, 10, 11, 12, 13, 14]));
    let last = write(&dir.path().join("c.parquet"), &later);
    let log = FlatLog::open(&parse(SMALL), options(vec![first, empty, last])).unwrap();
    assert_eq!(log.rows(), 17);
    let whole = read_all(&log).unwrap();
    assert_eq!(whole.keys(), (0..17).collect::<Vec<u64>>());
    assert_eq!(
        whole.times(),
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 10, 11, 12, 13, 14]
    );
    assert_eq!(whole.items().value(12), "v2");
    for (from, to) in [
        (0, 17),
        (2, 5),
        (8, 13),
        (10, 10),
        (16, 17),
        (0, 99),
        (17, 20),
        (3, 4),
    ] {
        let parts = log.read(from..to).collect::<Result<Vec<_>, _>>().unwrap();
        assert!(parts.iter().all(|part| part.len() <= 4 && !part.is_empty()));
        let keys: Vec<u64> = parts.iter().flat_map(|part| part.keys().to_vec()).collect();
        assert_eq!(keys, (from..to.min(17)).collect::<Vec<_>>());
        if let Some(rows) = keys.last().map(|_| keys.len()) {
            assert_eq!(
                Examples::concat(&parts).to_bytes(),
                whole.slice(from as usize, rows).to_bytes()
            );
        }
    }
}

#[test]
fn columns_of_many_types_become_the_declared_kinds() {
    let dir = tempfile::tempdir().unwrap();
    let mut tags = ListBuilder::new(Int64Builder::new());
    tags.append_value([Some(7), None, Some(8)]);
    tags.append_null();
    let mut content = ListBuilder::new(Float64Builder::new());
    content.append_null();
    content.append_value([Some(0.5), Some(2.0)]);
    let mut taste = FixedSizeListBuilder::new(Float64Builder::new(), 2);
    for values in [[1.0, 2.0], [3.0, 4.0]] {
        taste.values().append_slice(&values);
        taste.append(true);
    }
    let mut device = StringDictionaryBuilder::<Int32Type>::new();
    device.append_value("phone");
    device.append_null();
    let mut history = ListBuilder::new(arrow_array::builder::StringBuilder::new());
    history.append_value([Some("v1")]);
    history.append_value(std::iter::empty::<Option<&str>>());
    let columns: Vec<Column> = vec![
        (
            "time",
            Arc::new(TimestampMicrosecondArray::from(vec![1_999, 2_000]).with_timezone("UTC")),
        ),
        ("user", Arc::new(UInt64Array::from(vec![u64::MAX, 1]))),
        ("item", Arc::new(Int32Array::from(vec![-5, 6]))),
        ("slate", times(&[1, 1])),
        ("position", Arc::new(Int8Array::from(vec![Some(3), None]))),
        ("query", Arc::new(Float64Array::from(vec![Some(12.0), None]))),
        ("history", Arc::new(history.finish())),
        ("taste", Arc::new(taste.finish())),
        ("device", Arc::new(device.finish())),
        ("query_age", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("age", Arc::new(Float32Array::from(vec![Some(0.1), None]))),
        ("tags", Arc::new(tags.finish())),
        ("content", Arc::new(content.finish())),
        ("click", Arc::new(BooleanArray::from(vec![true, true]))),
        ("like", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("rating", Arc::new(Int8Array::from(vec![9, 3]))),
        ("play_ms", times(&[50, 50])),
    ];
    let path = write(&dir.path().join("a.parquet"), &columns);
    let spec = spec();
    let log = FlatLog::open(&spec, options(vec![path])).unwrap();
    let examples = read_all(&log).unwrap();
    let index = |name: &str| spec.field(name).unwrap();
    assert_eq!(examples.times(), [1, 2]);
    assert_eq!(examples.users().value(0), "18446744073709551615");
    assert_eq!(
        (examples.items().value(0), examples.slates().value(1)),
        ("-5", "1")
    );
    assert_eq!(examples.positions().value(0), 3);
    assert!(examples.positions().is_null(1));
    assert_eq!(examples.id(index("query")).value(0), "12");
    assert_eq!(examples.number(index("query_age")).value(0), 1.0);
    assert_eq!(examples.number(index("age")).value(0), 0.1);
    assert_eq!(super::labels(&examples), ["-5: 5 1 0.5 1", "6: - 1 - -"]);
    let (shared, item) = examples.to_slate_fields(&spec, 0);
    assert_eq!(item["tags"], texts(&["7", "8"]));
    assert_eq!(
        (&shared["device"], &shared["history"]),
        (&text("phone"), &texts(&["v1"]))
    );
    let (shared, item) = examples.to_slate_fields(&spec, 1);
    assert_eq!((item.get("age"), item.get("tags")), (None, None));
    assert_eq!(item["content"], Value::Numbers(vec![0.5, 2.0]));
    assert_eq!(
        (&shared["taste"], shared.get("device")),
        (&Value::Numbers(vec![3.0, 4.0]), None)
    );
}

#[test]
fn whole_number_times_are_in_the_declared_unit_and_dates_in_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let read = |unit: &str, time: ArrayRef| {
        let path = write(&dir.path().join("a.parquet"), &with(small(2), "time", time));
        let spec = parse(&format!("[keys]\ntime_unit = \"{unit}\"\n{SMALL}"));
        read_all(&FlatLog::open(&spec, options(vec![path])).unwrap())
            .unwrap()
            .times()
            .to_vec()
    };
    assert_eq!(read("s", times(&[1, 2])), [1000, 2000]);
    assert_eq!(read("us", times(&[-1, 1999])), [-1, 1]);
    assert_eq!(read("s", Arc::new(Date32Array::from(vec![0, 1]))), [0, DAY]);
}

#[test]
fn attributes_come_from_the_tables_and_a_row_without_entry_has_none() {
    let dir = tempfile::tempdir().unwrap();
    let log = without(small(3), &["country", "age", "watched_age", "length"]);
    let log = write(&dir.path().join("log.parquet"), &log);
    let users: Vec<Column> = vec![
        ("country", strings(&["fr", "at"])),
        ("user", strings(&["x", "u"])),
    ];
    let items: Vec<Column> = vec![
        ("item", strings(&["v2", "v0", "v9"])),
        ("age", numbers(&[4.0, 5.0, 6.0])),
        ("length", times(&[100, 200, 300])),
        ("unused", strings(&["", "", ""])),
    ];
    let options = FlatOptions {
        users: Some(write(&dir.path().join("users.parquet"), &users)),
        items: Some(write(&dir.path().join("items.parquet"), &items)),
        ..options(vec![log])
    };
    let spec = parse(SMALL);
    let log = FlatLog::open(&spec, options).unwrap();
    let examples = read_all(&log).unwrap();
    let age = examples.number(spec.field("age").unwrap());
    assert_eq!((age.value(0), age.is_null(1), age.value(2)), (5.0, true, 4.0));
    assert_eq!(examples.number(spec.field("watched_age").unwrap()).value(1), 5.0);
    assert_eq!(examples.id(spec.field("country").unwrap()).value(2), "at");
    assert_eq!(
        super::labels(&examples),
        ["v0: 0 1 0.25", "v1: 0 1 -", "v2: 0 1 0.5"]
    );

    let rows: Vec<_> = log.read_rows(1..3).collect::<Result<_, _>>().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (rows[1].time, rows[1].user.as_str(), rows[1].item.as_str()),
        (2, "u", "v2")
    );
    assert_eq!(
        (rows[1].query.as_deref(), &rows[1].slate, rows[1].position),
        (Some("v0"), &None, None)
    );
    assert_eq!(
        rows[1].user_fields,
        fields([("user", text("u")), ("country", text("at"))])
    );
    assert_eq!(
        rows[1].query_fields,
        fields([("watched_age", Value::Number(5.0))])
    );
    assert_eq!(rows[0].item_fields, fields([("item", text("v1"))]));
    let inputs = |row: usize| {
        rows[row]
            .label_inputs
            .iter()
            .map(|(name, value)| (name.as_str(), *value))
            .collect::<Vec<_>>()
    };
    assert_eq!(inputs(0), [("like", 0.0), ("click", 1.0), ("play_ms", 50.0)]);
    assert_eq!(
        inputs(1),
        [
            ("like", 0.0),
            ("click", 1.0),
            ("play_ms", 50.0),
            ("length", 100.0)
        ]
    );
}

#[test]
fn an_empty_cell_is_not_observed_whatever_absent_says_and_given_is_heeded() {
    let dir = tempfile::tempdir().unwrap();
    let clicks = Arc::new(Float64Array::from(vec![
        None,
        Some(0.0),
        Some(1.0),
        Some(0.5),
        Some(1.0),
    ]));
    let likes = Arc::new(Float64Array::from(vec![
        Some(1.0),
        Some(1.0),
        Some(1.0),
        Some(1.0),
        None,
    ]));
    let columns = with(with(small(5), "click", clicks), "like", likes);
    let columns = with(columns, "play_ms", numbers(&[-5.0, 50.0, 500.0, 50.0, 50.0]));
    let columns = with(columns, "length", numbers(&[100.0, 100.0, 100.0, 0.0, 100.0]));
    let path = write(&dir.path().join("a.parquet"), &columns);
    let log = FlatLog::open(&parse(SMALL), options(vec![path])).unwrap();
    let examples = read_all(&log).unwrap();
    let expected = [
        "v0: - - 0",
        "v1: - 0 0.5",
        "v2: 1 1 1",
        "v3: - 0.5 -",
        "v4: - 1 0.5",
    ];
    assert_eq!(super::labels(&examples), expected);
}

#[test]
fn batches_of_a_log_can_be_made_on_another_thread() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(&dir.path().join("a.parquet"), &small(10));
    let batches = FlatLog::open(&parse(SMALL), options(vec![path]))
        .unwrap()
        .read(0..10);
    let rows = std::thread::spawn(move || batches.map(|batch| batch.unwrap().len()).sum::<usize>());
    assert_eq!(rows.join().unwrap(), 10);
}
