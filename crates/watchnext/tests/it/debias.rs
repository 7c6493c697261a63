//! `debias`: what its verdicts say of logs whose logger is known, and what it says of logs that do not allow one.

mod discover;
mod site;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array};
use serde_json::{Map, Value, json};
use world::Logger;

use crate::fixture::{
    Columns, Feed, Serving, ended, log, objects, rows, run, run_well, texts, whole, write_log,
};
use site::{RANKER, Site};

/// A feed with a run that was trained on the site's log.
fn trained(site: &Site) -> Feed {
    trained_with(site, RANKER)
}

fn trained_with(site: &Site, ranker: &str) -> Feed {
    let feed = Feed::new();
    std::fs::write(feed.path("ranker.toml"), ranker).unwrap();
    write_log(&feed.path("log.parquet"), &site.log());
    ended(feed.train("run", &["--no-baseline"]), 0);
    feed
}

/// What `debias check` prints as JSON of the run and a log.
fn checked(feed: &Feed, data: &str) -> Value {
    let (folder, data) = (feed.text("run"), feed.text(data));
    let printed = run_well(&["debias", "check", &folder, "--data", &data, "--json"]);
    serde_json::from_str(&printed).unwrap()
}

fn eta2(check: &Value) -> f64 {
    check["objectives"][0]["all"]["eta2"].as_f64().unwrap()
}

#[test]
fn a_random_order_is_ok_and_every_report_says_so() {
    let feed = trained(&Site::new(Logger::Random));
    let check = checked(&feed, "log.parquet");
    assert_eq!(check["verdict"], "ok", "{check}");
    assert!(eta2(&check) < 0.01, "{check}");
    let swap = check["objectives"][0]["all"]["swap"].as_f64().unwrap();
    assert!((swap - 1.0).abs() < 0.03, "{swap}");
    let cells: Vec<&str> = (check["objectives"][0]["cells"].as_array().unwrap().iter())
        .map(|cell| cell["cell"].as_str().unwrap())
        .collect();
    assert_eq!(cells, ["phone", "desktop", "tv"]);

    let report = feed.metrics("run");
    assert_eq!(report["debias_check"]["verdict"], "ok");
    let page = std::fs::read_to_string(feed.path("run/report.html")).unwrap();
    assert!(
        page.contains("id=\"debias\"") && page.contains("ok"),
        "no section of it"
    );
    let again = feed.train("again", &["--no-baseline"]);
    let [printed, _] = ended(again, 0);
    assert!(
        printed.contains("\nposition bias: ok (`click`: eta2 0.0"),
        "{printed}"
    );
}

#[test]
fn a_logger_that_knows_the_truth_cannot_be_told_from_position_bias() {
    let feed = trained(&Site::new(Logger::Strong));
    let check = checked(&feed, "log.parquet");
    assert_eq!(check["verdict"], "cannot tell", "{check}");
    assert!((0.3..0.7).contains(&eta2(&check)), "{check}");
    let traffic = &check["traffic"];
    assert_eq!(
        (&traffic["shuffled"], &traffic["slates"]),
        (&0.into(), &3_000.into())
    );
    assert!(traffic["needed"].as_u64().unwrap() >= 2_000, "{traffic}");

    let (folder, data) = (feed.text("run"), feed.text("log.parquet"));
    let printed = run_well(&["debias", "check", &folder, "--data", &data]);
    let says = format!("collect {} shuffled slates, about ", traffic["needed"]);
    assert!(
        printed.contains("\ncannot tell: ") && printed.contains(&says),
        "{printed}"
    );
    // What it knows is not what to turn on.
    assert!(
        !printed.contains("turn") && !printed.contains("switch"),
        "{printed}"
    );
}

#[test]
fn a_logger_that_goes_by_popularity_is_told_by_items_that_keep_their_half() {
    let feed = trained(&Site::new(Logger::Popularity));
    let check = checked(&feed, "log.parquet");
    assert_eq!(check["verdict"], "cannot tell", "{check}");
    let swap = check["objectives"][0]["all"]["swap"].as_f64().unwrap();
    assert!(swap < 0.5, "{swap}");
}

#[test]
fn a_logger_that_knows_a_little_is_ok_or_calls_for_caution() {
    let feed = trained(&Site {
        eta: 0.0,
        ..Site::new(Logger::Weak)
    });
    let check = checked(&feed, "log.parquet");
    assert!(
        ["ok", "caution"].contains(&check["verdict"].as_str().unwrap()),
        "{check}"
    );
    assert!(eta2(&check) > 0.03, "{check}");
}

/// Checks another log with a run of the fixture's; it is refused with all of `says`.
fn refused(columns: &Columns, says: &[&str]) {
    let feed = Feed::new();
    ended(feed.train("run", &["--no-baseline"]), 0);
    write_log(&feed.path("other.parquet"), columns);
    let (folder, data) = (feed.text("run"), feed.text("other.parquet"));
    let [_, message] = ended(run(&["debias", "check", &folder, "--data", &data]), 2);
    for words in says {
        assert!(message.contains(words), "`{words}` is not in: {message}");
    }
}

/// The fixture's log with another column in the place of one, or beside them.
fn with(name: &'static str, column: ArrayRef) -> Columns {
    let mut columns = log(2_000);
    columns.retain(|(other, _)| *other != name);
    columns.push((name, column));
    columns
}

#[test]
fn a_log_without_positions_is_named_with_what_to_do() {
    let mut columns = log(2_000);
    columns.retain(|(name, _)| *name != "position");
    refused(
        &columns,
        &["no row has a position", "`[keys] position`", "counts from 1"],
    );
}

#[test]
fn a_log_of_one_position_is_named_with_what_to_do() {
    refused(
        &with("position", whole(vec![1; 2_000])),
        &["every row is at position 1", "log all items of a slate"],
    );
}

#[test]
fn slates_of_one_item_are_named_with_what_to_do() {
    let mut columns = with("position", whole(vec![1; 2_000]));
    columns.retain(|(name, _)| *name != "slate");
    columns.push(("slate", texts((0..2_000).map(|row| format!("s{row}")))));
    refused(&columns, &["each slate has one item", "log all items of a slate"]);
}

#[test]
fn an_id_of_rows_in_the_place_of_slates_is_noted() {
    let feed = Feed::new();
    ended(feed.train("run", &["--no-baseline"]), 0);
    let columns = with("slate", texts((0..2_000).map(|row| format!("s{row}"))));
    write_log(&feed.path("other.parquet"), &columns);
    let check = checked(&feed, "other.parquet");
    assert_eq!(check["verdict"], "ok");
    let notes = check["notes"].to_string();
    assert!(
        notes.contains("each slate has one row: is `slate` the slate's id"),
        "{notes}"
    );
}

#[test]
fn positions_that_begin_at_0_are_named_with_what_to_do() {
    let zero: ArrayRef = Arc::new(Int64Array::from_iter_values((0..2_000).map(|row| row % 5)));
    refused(
        &with("position", zero),
        &[
            "row 1",
            "column `position`",
            "found 0",
            "positions count from 1",
            "add 1",
        ],
    );
}

#[test]
fn a_propensity_of_0_is_named_with_what_to_do() {
    let numbers = crate::fixture::numbers((0..2_000).map(|row| if row == 7 { 0.0 } else { 0.2 }));
    refused(
        &with("propensity", numbers),
        &[
            "row 8",
            "column `propensity`",
            "found 0",
            "above 0",
            "leave the cell empty",
        ],
    );
}

#[test]
fn a_short_log_is_named_with_what_to_do() {
    refused(
        &rows(&log(2_000), 0, 150),
        &["150 examples with a position", "take a longer log"],
    );
}

/// Posts the fixture's log as slates that another ranker showed, and its clicks.
fn post(serving: &Serving, columns: &Columns) {
    let rows = objects(columns);
    let items: BTreeMap<&str, &Map<String, Value>> = rows
        .iter()
        .map(|row| (row["item"].as_str().unwrap(), row))
        .collect();
    let items: Vec<Value> = items
        .into_iter()
        .map(
            |(id, row)| json!({ "id": id, "fields": { "appeal": row["appeal"], "minutes": row["minutes"] } }),
        )
        .collect();
    assert_eq!(serving.put("/v1/items", &items.into()).0, 200);
    let (mut slates, mut feedback) = (Vec::new(), Vec::new());
    for (number, rows) in rows.chunks(5).enumerate() {
        let id = format!("p{number}");
        let time = rows[0]["time"].as_i64().unwrap() + 1;
        let shown: Vec<Value> = rows.iter().map(|row| json!({ "item": row["item"] })).collect();
        for (row, shown) in rows.iter().enumerate().filter(|(_, row)| row["click"] == 1) {
            feedback.push(json!({
                "id": format!("{id}-{row}"), "slate": id, "item": shown["item"], "kind": "click", "time": time,
            }));
        }
        slates.push(json!({
            "id": id, "user": rows[0]["user"], "context": { "device": rows[0]["device"] }, "items": shown, "time": time,
        }));
    }
    // An item twice in a slate is one slate's mistake.
    slates.retain(|slate| {
        let shown: BTreeSet<String> = (slate["items"].as_array().unwrap().iter())
            .map(|item| item["item"].to_string())
            .collect();
        shown.len() == 5
    });
    for slates in slates.chunks(50) {
        let (status, answer) = serving.post("/v1/slates", &slates.into());
        assert_eq!(status, 202, "{answer}");
    }
    for feedback in feedback.chunks(200) {
        let (status, answer) = serving.post("/v1/feedback", &feedback.into());
        assert_eq!(status, 202, "{answer}");
    }
    // All windows close.
    let late = json!({ "id": "late", "user": "u0", "items": [{ "item": "v0" }], "time": 10_000_000 });
    assert_eq!(serving.post("/v1/slates", &late).0, 202);
}

#[test]
fn the_log_of_a_store_is_checked_as_files_are_and_the_page_of_the_service_says_so() {
    let feed = Feed::new();
    let serving = feed.serve(&["--clock", "events"]);
    post(&serving, &log(2_000));
    let store = feed.text("store");
    let [_, message] = ended(
        run(&["debias", "check", "--store", &store, "--model", "m-0009"]),
        2,
    );
    assert!(message.contains("no model `m-0009`"), "{message}");
    let printed = run_well(&["debias", "check", "--store", &store, "--json"]);
    let of_store: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(of_store["verdict"], "ok", "{of_store}");
    assert!(of_store["rows"].as_u64().unwrap() > 1_000, "{of_store}");

    // Before the store has learned, what its first model's training said.
    let page = || serving.get("/").1.to_string();
    assert!(
        page().contains("position bias: ok") && page().contains("<td>400</td>"),
        "{}",
        page()
    );
    let learned = run_well(&["learn", "--store", &store]);
    assert!(learned.contains("position bias: ok"), "{learned}");
    assert!(
        page().contains("position bias: ok") && !page().contains("<td>400</td>"),
        "{}",
        page()
    );
}
