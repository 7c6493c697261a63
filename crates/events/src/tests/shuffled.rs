//! Shuffled slates and logged candidate sets: through the join, through flat files, into the log.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray};

use super::import::{SMALL, options, read_all, small, with, write};
use super::*;
use crate::{Event, EventsError, Examples, FlatLog, Join, SHUFFLED_PLACES};

fn candidate(item: &str) -> Candidate {
    Candidate {
        item: item.to_owned(),
        fields: fields([("age", Value::Number(1.0))]),
        predictions: vec![0.5],
    }
}

#[test]
fn the_join_marks_the_places_that_were_drawn_at_random() {
    let items: Vec<String> = (0..SHUFFLED_PLACES + 2).map(|item| format!("v{item}")).collect();
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    let marked = |shuffled: bool, model: Option<&str>| -> Vec<bool> {
        let mut join = Join::new(&spec());
        let shown = Slate {
            shuffled,
            model: model.map(str::to_owned),
            candidates: Some(items.iter().map(|item| candidate(item)).collect()),
            ..slate("s", 0, "u", &items)
        };
        join.apply(&Event::Slate { seq: 1, slate: shown }).unwrap();
        join.apply(&Event::Mark { seq: 2, time: HOUR }).unwrap();
        let examples = join.take();
        examples.shuffled().iter().map(|row| row.unwrap()).collect()
    };
    let first = [vec![true; SHUFFLED_PLACES as usize], vec![false; 2]].concat();
    assert_eq!(
        marked(true, Some("m-1")),
        first,
        "our own ranker shuffles the first"
    );
    assert_eq!(marked(true, None), [true; SHUFFLED_PLACES as usize + 2]);
    assert_eq!(marked(false, Some("m-1")), [false; SHUFFLED_PLACES as usize + 2]);
}

/// What is read of a column `shuffled` in a file of six rows.
fn read(path: PathBuf) -> Result<Vec<Option<bool>>, EventsError> {
    let log = FlatLog::open(&parse(SMALL), options(vec![path]))?;
    let examples: Examples = read_all(&log)?;
    Ok(examples.shuffled().iter().collect())
}

fn parquet(dir: &Path, column: ArrayRef) -> Result<Vec<Option<bool>>, EventsError> {
    read(write(
        &dir.join("log.parquet"),
        &with(small(6), "shuffled", column),
    ))
}

/// The small log as text of `lines`, each of which ends with its cell of `shuffled`.
fn csv(dir: &Path, cells: [&str; 6]) -> Result<Vec<Option<bool>>, EventsError> {
    let mut text =
        "time,user,item,query,country,age,watched_age,click,like,play_ms,length,shuffled\n".to_owned();
    for (row, cell) in cells.iter().enumerate() {
        text.push_str(&format!("{row},u,v{row},v0,de,1,2,1,0,50,100,{cell}\n"));
    }
    fs::write(dir.join("log.csv"), text).unwrap();
    read(dir.join("log.csv"))
}

fn jsonl(dir: &Path, cells: [&str; 6]) -> Result<Vec<Option<bool>>, EventsError> {
    let line = |(row, cell): (usize, &&str)| {
        format!(
            r#"{{"time":{row},"user":"u","item":"v{row}","query":"v0","country":"de","age":1,"watched_age":2,"click":1,"like":0,"play_ms":50,"length":100,"shuffled":{cell}}}"#
        )
    };
    let lines: Vec<String> = cells.iter().enumerate().map(line).collect();
    fs::write(dir.join("log.jsonl"), lines.join("\n")).unwrap();
    read(dir.join("log.jsonl"))
}

#[test]
fn a_flat_log_says_it_as_1_and_0_or_true_and_false_in_every_format() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let expected = [Some(true), Some(false), None, Some(true), Some(false), None];
    let whole = [Some(1), Some(0), None, Some(1), Some(0), None];
    let columns: [ArrayRef; 4] = [
        Arc::new(BooleanArray::from(expected.to_vec())),
        Arc::new(Int64Array::from(whole.to_vec())),
        Arc::new(Float64Array::from(
            whole.map(|cell| cell.map(|cell| cell as f64)).to_vec(),
        )),
        Arc::new(StringArray::from(vec![
            Some("true"),
            Some("0"),
            None,
            Some("1"),
            Some("false"),
            Some(""),
        ])),
    ];
    for column in columns {
        let kind = column.data_type().clone();
        assert_eq!(parquet(dir, column).unwrap(), expected, "{kind}");
    }
    assert_eq!(csv(dir, ["1", "0", "", "1", "0", ""]).unwrap(), expected);
    assert_eq!(
        csv(dir, ["true", "false", "", "true", "false", ""]).unwrap(),
        expected
    );
    assert_eq!(csv(dir, ["true", "0", "", "1", "false", ""]).unwrap(), expected);
    assert_eq!(
        jsonl(dir, ["1", "0", "null", "1", "0", "null"]).unwrap(),
        expected
    );
    assert_eq!(
        jsonl(dir, ["true", "false", "null", "true", "false", "null"]).unwrap(),
        expected
    );
    let absent = read(write(&dir.join("absent.parquet"), &small(6))).unwrap();
    assert_eq!(absent, [None; 6]);
}

#[test]
fn another_value_is_refused_with_its_row() {
    let dir = tempfile::tempdir().unwrap();
    let said = |outcome: Result<_, EventsError>| {
        let error = outcome.unwrap_err();
        assert!(error.is_bad_input());
        error
            .to_string()
            .replace(&format!("{}/", dir.path().display()), "")
    };
    let column = Arc::new(Int64Array::from(vec![1, 0, 0, 2, 0, 1]));
    assert_eq!(
        said(parquet(dir.path(), column)),
        "`log.parquet`, row 4, column `shuffled`: found 2, expected 1 or 0, true or false"
    );
    assert_eq!(
        said(csv(dir.path(), ["1", "0", "yes", "1", "0", ""])),
        "`log.csv`, line 4, column `shuffled`: found yes, expected 1 or 0, true or false"
    );
    assert_eq!(
        said(jsonl(dir.path(), ["1", "0", "0.5", "1", "0", "1"])),
        "`log.jsonl`, line 3, column `shuffled`: found 0.5, expected 1 or 0, true or false"
    );
    let lists = said(jsonl(dir.path(), ["[1]", "[0]", "[1]", "[1]", "[0]", "[1]"]));
    assert!(
        lists.contains("column `shuffled`") && lists.contains("name yours in `[keys] shuffled`"),
        "{lists}"
    );
}

#[test]
fn a_candidate_set_names_every_item_once_and_those_that_were_shown() {
    let with = |candidates: &[&str]| Slate {
        candidates: Some(candidates.iter().map(|item| candidate(item)).collect()),
        ..slate("s", 0, "u", &["a", "b"])
    };
    let mut unsound = with(&["a", "b"]);
    unsound.candidates.as_mut().unwrap()[1].predictions = vec![f32::NAN];
    let dir = tempfile::tempdir().unwrap();
    let recorder = recorder::open(dir.path(), &Arc::default());
    for (slate, says) in [
        (
            with(&["a", "b", "a"]),
            "slate `s`: candidate `a`: it is named twice",
        ),
        (
            with(&["a", "c"]),
            "slate `s`: item `b`: it is shown, and not among the candidates",
        ),
        (unsound, "slate `s`: candidate `b`: a prediction is not finite"),
    ] {
        let error = recorder.record_slate(slate).map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), says);
    }
    let sound = Slate {
        shuffled: true,
        ..with(&["a", "b", "c"])
    };
    recorder.record_slate(sound.clone()).unwrap().wait().unwrap();
    assert_eq!(recorder.slate("s").unwrap(), Some(sound));
}
