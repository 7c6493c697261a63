//! `train --held-out`: all of the data are learned from, and each held-out row either stops training or tests it.

use serde_json::{Value, json};

use crate::fixture::{Feed, RANKER, ended, log, numbers, rows, run, write_log};

/// Held-out rows; twice as many powers of two are exact in an `f32`.
const ROWS: usize = 22;

/// A log whose objective `mark` is, in the held-out rows, another power of two in each: sums say which rows were added.
fn marked() -> Feed {
    let feed = Feed::new();
    let mark = "mark = { group = \"other\", loss = \"squared\" }\n\n[model]";
    let text = RANKER
        .replace("[model]", mark)
        .replace("[train]", "[train]\nstop_by = [\"click\"]");
    feed.write("ranker.toml", &text);
    let columns = log(1_000);
    let with = |mut columns: crate::fixture::Columns, marks: Vec<f64>| {
        // Rows are drawn by themselves where there are no slates to keep whole.
        columns.retain(|(name, _)| *name != "slate");
        columns.push(("mark", numbers(marks)));
        columns
    };
    write_log(
        &feed.path("log.parquet"),
        &with(
            rows(&columns, 0, 900),
            (0..900).map(|row| f64::from(row % 2)).collect(),
        ),
    );
    write_log(
        &feed.path("held.parquet"),
        &with(
            rows(&columns, 900, ROWS),
            (0..ROWS).map(|row| (1u64 << row) as f64).collect(),
        ),
    );
    feed
}

fn trained(feed: &Feed, out: &str, seed: &str) -> Value {
    let held = feed.text("held.parquet");
    let output = feed.train(
        out,
        &["--held-out", &held, "--seed", seed, "--json", "--no-baseline"],
    );
    serde_json::from_str(&ended(output, 0)[0]).unwrap()
}

/// Which held-out rows an evaluation is of, a bit each.
fn rows_of(evaluation: &Value) -> u64 {
    let objectives = evaluation["objectives"].as_array().unwrap();
    let mark = objectives
        .iter()
        .find(|objective| objective["name"] == "mark")
        .unwrap();
    let sum = mark["mean_label"].as_f64().unwrap() * mark["examples"].as_f64().unwrap();
    sum.round() as u64
}

#[test]
fn all_of_the_data_are_learned_from_and_each_held_out_row_is_in_one_of_two_halves() {
    let feed = marked();
    let report = trained(&feed, "run", "0");
    assert_eq!(report["rows"], json!([900, ROWS / 2, ROWS / 2]));
    let validation = rows_of(&report["epochs"][0]["validation"]);
    let test = rows_of(&report["test"]);
    assert_eq!(
        [validation, test].map(u64::count_ones),
        [ROWS as u32 / 2; 2],
        "{validation:b} {test:b}"
    );
    assert_eq!(validation & test, 0, "no row is in both");
    assert_eq!(validation | test, (1 << ROWS) - 1, "every row is in one");
    // One of each two neighbours.
    assert!(
        (0..ROWS / 2).all(|pair| (test >> (2 * pair) & 0b11).count_ones() == 1),
        "{test:b}"
    );
    assert!(report["logistic"].is_null() && !feed.path("run/baseline").exists());
}

#[test]
fn the_halves_are_drawn_by_the_seed() {
    let feed = marked();
    let [first, again, other] =
        [("a", "1"), ("b", "1"), ("c", "2")].map(|(out, seed)| rows_of(&trained(&feed, out, seed)["test"]));
    assert_eq!(first, again);
    assert_ne!(first, other);
}

#[test]
fn held_out_files_that_do_not_fit_the_declaration_are_named() {
    let feed = Feed::new();
    let mut columns = log(100);
    columns.retain(|(name, _)| *name != "appeal");
    write_log(&feed.path("held.parquet"), &columns);
    let held = feed.text("held.parquet");
    let [_, message] = ended(feed.train("run", &["--held-out", &held]), 2);
    assert!(
        message.contains(&held) && message.contains("`appeal`"),
        "{message}"
    );
    let nowhere = feed.text("nowhere.parquet");
    let [_, message] = ended(
        run(&[
            "train",
            &feed.text("ranker.toml"),
            "--data",
            &feed.text("log.parquet"),
            "--held-out",
            &nowhere,
            "--out",
            &feed.text("run"),
        ]),
        2,
    );
    assert!(message.contains(&nowhere), "{message}");
}
