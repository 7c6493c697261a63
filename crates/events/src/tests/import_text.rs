use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, Float64Array};
use arrow_schema::DataType;
use serde_json::{Map, Value as Json, json};

use super::import::{Column, SMALL, numbers, options, read_all, small, times, with, without, write};
use super::*;
use crate::{EventsError, Examples, FlatLog, FlatOptions};

fn json(array: &ArrayRef, row: usize) -> Json {
    match array.data_type() {
        _ if array.is_null(row) => Json::Null,
        DataType::Int64 => json!(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => json!(array.as_primitive::<Float64Type>().value(row)),
        _ => json!(array.as_string::<i32>().value(row)),
    }
}

/// The same columns as CSV, with what is missing left empty.
fn write_csv(path: &Path, columns: &[Column]) -> PathBuf {
    let mut writer = csv::Writer::from_path(path).unwrap();
    writer.write_record(columns.iter().map(|(name, _)| name)).unwrap();
    for row in 0..columns[0].1.len() {
        let cells = columns.iter().map(|(_, array)| match json(array, row) {
            Json::Null => String::new(),
            Json::String(text) => text,
            number => number.to_string(),
        });
        writer.write_record(cells).unwrap();
    }
    writer.flush().unwrap();
    path.to_owned()
}

/// The same columns as JSONL; every second missing cell is null, the others are left out.
fn write_jsonl(path: &Path, columns: &[Column]) -> PathBuf {
    let mut text = String::new();
    for row in 0..columns[0].1.len() {
        let cells = columns
            .iter()
            .map(|(name, array)| ((*name).to_owned(), json(array, row)));
        let kept = cells.filter(|(_, cell)| !cell.is_null() || row % 2 == 0);
        text.push_str(&format!("{}\n", Json::Object(kept.collect::<Map<_, _>>())));
    }
    fs::write(path, text).unwrap();
    path.to_owned()
}

/// Rows with missing cells, ids that are numbers, and texts that need quotes.
fn log() -> Vec<Column<'static>> {
    let rows = 50;
    let gaps = |scale: f64| -> ArrayRef {
        Arc::new(
            (0..rows)
                .map(|row| (row % 3 > 0).then_some(row as f64 * scale))
                .collect::<Float64Array>(),
        )
    };
    let countries: Vec<String> = (0..rows).map(|row| format!("d\"{}\n,\u{e9}", row % 5)).collect();
    let countries: Vec<&str> = countries.iter().map(String::as_str).collect();
    let clicks: Vec<f64> = (0..rows).map(|row| (row % 2) as f64).collect();
    let columns = with(small(rows), "age", gaps(0.1));
    let columns = with(columns, "watched_age", gaps(1e-7));
    let columns = with(columns, "country", super::import::strings(&countries));
    let columns = with(
        columns,
        "user",
        times(&(0..rows as i64).map(|row| row * 7 - 99).collect::<Vec<_>>()),
    );
    with(columns, "click", numbers(&clicks))
}

fn open(path: PathBuf) -> Result<FlatLog, EventsError> {
    FlatLog::open(&parse(SMALL), options(vec![path]))
}

#[test]
fn the_same_log_as_parquet_csv_and_jsonl_gives_the_same_examples_to_the_byte() {
    let dir = tempfile::tempdir().unwrap();
    let columns = log();
    let parquet = open(write(&dir.path().join("a.parquet"), &columns)).unwrap();
    let csv = open(write_csv(&dir.path().join("a.csv"), &columns)).unwrap();
    let jsonl = open(write_jsonl(&dir.path().join("a.jsonl"), &columns)).unwrap();
    let expected = read_all(&parquet).unwrap();
    assert_eq!(expected.len(), 50);
    for log in [&csv, &jsonl] {
        assert_eq!(read_all(log).unwrap().to_bytes(), expected.to_bytes());
        let some: Vec<_> = log.read(13..29).collect::<Result<_, _>>().unwrap();
        assert_eq!(
            Examples::concat(&some).to_bytes(),
            expected.slice(13, 16).to_bytes()
        );
        let rows: Vec<_> = log.read_rows(0..50).collect::<Result<_, _>>().unwrap();
        assert_eq!(
            rows,
            parquet.read_rows(0..50).collect::<Result<Vec<_>, _>>().unwrap()
        );
    }
}

#[test]
fn files_of_several_formats_are_one_log_and_tables_may_be_text() {
    let dir = tempfile::tempdir().unwrap();
    let columns = without(small(3), &["country"]);
    let files = vec![
        write(&dir.path().join("a"), &columns),
        write_csv(
            &dir.path().join("b.csv"),
            &with(columns.clone(), "time", times(&[2, 3, 4])),
        ),
        write_jsonl(
            &dir.path().join("c.ndjson"),
            &with(columns, "time", times(&[4, 5, 6])),
        ),
    ];
    let users = dir.path().join("users.tsv");
    fs::write(&users, "user\tcountry\nx\tfr\nu\tat\n").unwrap();
    let options = FlatOptions {
        users: Some(users),
        ..options(files)
    };
    let log = FlatLog::open(&parse(SMALL), options).unwrap();
    let examples = read_all(&log).unwrap();
    assert_eq!(examples.times(), [0, 1, 2, 2, 3, 4, 4, 5, 6]);
    let country = parse(SMALL).field("country").unwrap();
    assert!((0..9).all(|row| examples.id(country).value(row) == "at"));
}

const NAMES: &str = "time,user,item,query,country,age,watched_age,click,like,play_ms,length";

fn csv_error(rows: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.csv");
    fs::write(&path, format!("{NAMES}\n{rows}")).unwrap();
    let error = open(path).and_then(|log| read_all(&log)).unwrap_err();
    assert!(error.is_bad_input());
    error
        .to_string()
        .replace(&format!("{}/", dir.path().display()), "")
}

#[test]
fn a_byte_order_mark_crlf_quoted_newlines_and_blank_lines_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.csv");
    let rows = "1,u,v,,\"d\r\ne\",1,2,1,0,5,10\r\n\r\n2,u,w,,de,,2,0,0,5,10\r\n";
    fs::write(&path, format!("\u{feff}{NAMES}\r\n{rows}")).unwrap();
    let examples = read_all(&open(path).unwrap()).unwrap();
    let country = parse(SMALL).field("country").unwrap();
    assert_eq!(examples.id(country).value(0), "d\r\ne");
    assert_eq!(examples.times(), [1, 2]);
    assert_eq!(super::labels(&examples), ["v: 0 1 0.5", "w: - 0 0.5"]);
}

#[test]
fn a_time_that_goes_back_in_a_text_file_is_named_by_its_line() {
    let row = |time: i64| format!("{time},u,v,,\"d\ne\",1,2,1,0,5,10\n");
    assert_eq!(
        csv_error(&[row(1), row(2), row(1)].concat()),
        "`a.csv`: time goes backwards at line 6 (1 after 2): sort the log by `time`"
    );
}

#[test]
fn mistakes_of_text_files_are_named_by_file_and_line() {
    let row = "1,u,v,,de,1,2,1,0,5,10\n";
    assert_eq!(
        csv_error(&format!("{row}{row}2,u,v\n")),
        "`a.csv`, line 4: found 3 cells, expected 11 as there are column names"
    );
    let mixed = csv_error(&format!("{row}{row}2,u,v,,de,abc,2,1,0,5,10\n"));
    assert!(mixed.starts_with("`a.csv`, column `age`: found "), "{mixed}");
    let long = csv_error(&format!("{row}2,u,v,,{},1,2,1,0,5,10\n", "x".repeat(17 << 20)));
    assert!(long.starts_with("`a.csv`, line 3: found 178258"), "{long}");

    let dir = tempfile::tempdir().unwrap();
    for (name, content, says) in [
        (
            "a.jsonl",
            "{\"time\":1}\n{\"time\":2,\"us",
            "line 2: the line ends within an object",
        ),
        (
            "b.csv",
            "time,user,time\n1,u,1\n",
            "line 1: column names that are there more than once: `time` (columns 1, 3)",
        ),
        ("c.csv", "1,2,3\n", "line 1: found numbers only"),
    ] {
        let path = dir.path().join(name);
        fs::write(&path, content).unwrap();
        let error = open(path).unwrap_err();
        assert!(error.is_bad_input() && matches!(error, EventsError::Text { .. }));
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn a_log_that_is_written_to_after_it_was_opened_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    for (name, path) in [
        ("csv", write_csv(&dir.path().join("a.csv"), &small(20))),
        ("parquet", write(&dir.path().join("a.parquet"), &small(20))),
    ] {
        let log = open(path.clone()).unwrap();
        let mut batches = log.read(0..20);
        assert_eq!(batches.next().unwrap().unwrap().len(), 4);
        let mut content = fs::read(&path).unwrap();
        content.truncate(content.len() / 2);
        fs::write(&path, content).unwrap();
        let error = batches.next().unwrap().unwrap_err();
        assert!(matches!(error, EventsError::Changed { .. }), "{name}: {error}");
        assert!(batches.next().is_none());
        assert!(matches!(
            log.read(0..1).next(),
            Some(Err(EventsError::Changed { .. }))
        ));
    }
}
