use std::io::Write;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use super::*;

#[test]
fn a_csv_file_that_is_no_table_is_an_error_with_its_line() {
    let place = Place::new();
    for (content, says) in [
        (
            "a,b\n1,2\n\n3\n",
            "line 4: found 1 cell, expected 2 as there are column names",
        ),
        (
            "a,b\r\n1,2\r\n3,4,5\r\n",
            "line 3: found 3 cells, expected 2 as there are column names",
        ),
        (
            "a,b\n1,\"2\n3,4\n5,6\"\",7\",8\n9,10\n",
            "line 2: found 3 cells, expected 2 as there are column names (the row goes on to line 4: is a quote `\"` not closed?)",
        ),
        (
            "a,b\n1,2\n3,\"4\n5,6\n",
            "line 3: a quote `\"` that opens in this row is not closed before the file ends",
        ),
        (
            "1,2.5\n3,4\n",
            "line 1: found numbers only (the first is `1`), expected column names",
        ),
        (
            ",b,\n1,2,3\n",
            "line 1: no name for column 1, 3 of 3: give each a name",
        ),
        (
            ",b\n1,2\n",
            "line 1: no name for column 1 of 2: give each a name (a table's index",
        ),
        (
            "a,b,a,c,b\n",
            "line 1: column names that are there more than once: `a` (columns 1, 3), `b` (columns 2, 5)",
        ),
    ] {
        let error = place.error("a.csv", content);
        assert!(error.starts_with(&format!("`a.csv`, {says}")), "{error}");
    }
    let error = place.error("a.csv", b"a,b\n1,2\n3,\xff\n");
    assert_eq!(
        error,
        "`a.csv`, line 3: cell 2 is not UTF-8: save the file as UTF-8"
    );
    assert!(
        place
            .error("a.csv", "\n\n")
            .starts_with("`a.csv` holds blank lines only")
    );
    let file = place.open("a.csv", "a,b\n1,5\" disk\n2,\"he said \"\"no\"\"\"");
    assert_eq!(column(&file, "b"), cells(&["5\" disk", "he said \"no\""]));
    assert_eq!(place.open("a.csv", "a,b\n").rows(), 0);
}

#[test]
fn a_jsonl_file_that_is_no_table_is_an_error_with_its_line() {
    let place = Place::new();
    for (content, says) in [
        (
            "{\"a\":1}\n\n{\"a\":\n",
            "line 3: the line ends within an object, expected a whole object in each line",
        ),
        ("{\"a\":1}\n[1]\n", "line 2: found a list, expected an object"),
        (
            "{\"a\":1}\n{\"a\":NaN}\n",
            "line 2: no JSON: expected value at byte 6: found `NaN}`",
        ),
        (
            "{\"a\":1,\"a\":2}\n",
            "line 1: `a` is there twice, expected each key once",
        ),
        ("{\"a.b\":1,\"a\":{\"b\":2}}\n", "line 1: `a.b` is there twice"),
    ] {
        let error = place.error("a.jsonl", content);
        assert!(error.starts_with(&format!("`a.jsonl`, {says}")), "{error}");
    }
    let error = place.error("a.jsonl", b"{\"a\":1}\n{\"a\":\"\xff\"}\n");
    assert_eq!(
        error,
        "`a.jsonl`, line 2: byte 7 is not UTF-8: save the file as UTF-8"
    );
}

#[test]
fn a_line_without_end_is_an_error_and_not_memory() {
    let place = Place::new();
    let long = "x".repeat(17 << 20);
    let size = long.len();
    let error = place.error("a.csv", format!("a,b\n1,2\n3,{long}\n4,5\n"));
    let expected = format!(
        "`a.csv`, line 3: found {} bytes in one line, expected at most 16777216 (16 MiB)",
        size + 3
    );
    assert_eq!(error, expected);
    let error = place.error("a.csv", format!("a,b\n1,2\n3,\"{}\n4,5\n", "x\n".repeat(9 << 20)));
    assert!(
        error.starts_with("`a.csv`, line 3: the row that begins here has more than"),
        "{error}"
    );
    let error = place.error("a.jsonl", format!("{{}}\n{{\"a\":\"{long}\"}}\n{{}}\n"));
    let expected = format!(
        "`a.jsonl`, line 2: found {} bytes in one line, expected at most 16777216 (16 MiB)",
        size + 9
    );
    assert_eq!(error, expected);
    // The most that is read.
    let cell = "y".repeat((16 << 20) - 8);
    let file = place.open("b.jsonl", format!("{{\"a\":\"{cell}\"}}"));
    assert_eq!(column(&file, "a")[0].as_deref(), Some(cell.as_str()));
}

#[test]
fn keys_without_number_are_refused() {
    let keys: Vec<String> = (0..20_001).map(|key| format!("k{key}")).collect();
    let names = keys.join(",");
    let object: Map<String, Value> = keys.into_iter().map(|key| (key, json!(1))).collect();
    let place = Place::new();
    for (name, content) in [("a.csv", names), ("a.jsonl", Value::Object(object).to_string())] {
        let error = place.error(name, content);
        assert!(
            error.contains("line 1: found 20001 columns, expected at most 20000"),
            "{error}"
        );
    }
}

#[test]
fn a_file_that_changes_after_it_was_opened_is_an_error() {
    let place = Place::new();
    let csv: String = (0..100).map(|row| format!("{row}\n")).collect();
    let jsonl: String = (0..100).map(|row| format!("{{\"a\":{row}}}\n")).collect();
    for (name, content) in [("a.csv", format!("a\n{csv}")), ("a.jsonl", jsonl)] {
        let file = place.open(name, &content);
        let mut batches = file.read(&[0], 0..file.rows(), 10).unwrap();
        assert_eq!(batches.next().unwrap().unwrap().num_rows(), 10);
        let mut appended = File::options().append(true).open(&file.path).unwrap();
        appended.write_all(b"\n").unwrap();
        let changed = format!("`{name}` changed while it was read: read it again when nothing writes to it");
        assert_eq!(place.named(&batches.next().unwrap().unwrap_err()), changed);
        assert!(batches.next().is_none());
        assert_eq!(place.named(&file.read(&[0], 0..1, 1).err().unwrap()), changed);
        assert!(matches!(file.ends_early(3), EventsError::Changed { .. }));

        let file = place.open(name, &content);
        let written = File::options().append(true).open(&file.path).unwrap();
        written
            .set_modified(SystemTime::now() + Duration::from_secs(60))
            .unwrap();
        assert_eq!(place.named(&file.read(&[0], 0..1, 1).err().unwrap()), changed);

        let file = place.open(name, &content);
        let mut batches = file.read(&[0], 0..file.rows(), 10).unwrap();
        fs::remove_file(&file.path).unwrap();
        assert_eq!(place.named(&batches.next().unwrap().unwrap_err()), changed);
        assert_eq!(place.named(&file.read(&[0], 0..1, 1).err().unwrap()), changed);
    }
}

#[test]
fn what_is_no_file_is_refused() {
    let place = Place::new();
    let error = DataFile::open(place.0.path()).unwrap_err();
    assert!(
        error.to_string().ends_with("is a directory, expected a file"),
        "{error}"
    );
    assert!(error.is_bad_input());
}
