//! Shuffled slates and logged candidate sets: from the declaration over the service and the log to what `train`, `evaluate` and
//! `learn` report.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{ArrayRef, StringArray};
use events::{Event, Replay, Slate};
use serde_json::{Value, json};

use crate::fixture::{Columns, Feed, RANKER, Serving, ended, log, run_well, whole, write_csv, write_log};

const REQUESTS: usize = 400;
const CANDIDATES: usize = 20;
const SHOWN: usize = 12;

/// A feed whose declaration says this too.
fn declared(more: &str) -> Feed {
    let feed = Feed::new();
    feed.write("ranker.toml", &format!("{RANKER}\n{more}\n"));
    feed
}

fn rank(serving: &Serving, request: &str) -> Value {
    let candidates: Vec<Value> = (0..CANDIDATES)
        .map(|item| json!({ "item": format!("v{item}"), "fields": { "appeal": item % 7, "minutes": item + 1 } }))
        .collect();
    let body = json!({
        "user": "u1", "context": { "device": "tv" }, "candidates": candidates, "limit": SHOWN, "request": request,
    });
    let (status, answer) = serving.post("/v1/rank", &body);
    assert_eq!(status, 200, "{answer}");
    answer
}

fn items(answer: &Value) -> Vec<&str> {
    let items = answer["items"].as_array().unwrap().iter();
    items.map(|item| item["item"].as_str().unwrap()).collect()
}

fn is_shuffled(answer: &Value) -> bool {
    answer["shuffled"] == true
}

/// The slates of a store's log, by id.
fn slates(feed: &Feed) -> HashMap<String, Slate> {
    let events = Replay::open(&feed.path("store"), 1, None).unwrap();
    let slates = events.filter_map(|event| match event.unwrap() {
        Event::Slate { slate, .. } => Some((slate.id.clone(), slate)),
        _ => None,
    });
    slates.collect()
}

/// Feedback is acknowledged after its slate, so that the slate and all before it are on disk then.
fn settle(serving: &Serving, answer: &Value) {
    let item = &answer["items"][0]["item"];
    let feedback = json!({ "id": "last", "slate": answer["slate"], "item": item, "kind": "click" });
    assert_eq!(serving.post("/v1/feedback", &feedback).0, 202);
}

#[test]
fn a_share_of_the_slates_has_its_first_ten_in_random_order_and_is_marked_in_answer_log_and_page() {
    let feed = declared("[explore]\nshuffle = 0.5\n\n[log]\ncandidates = 0.2");
    let mut serving = feed.serve(&[]);
    let answers: Vec<Value> = (0..REQUESTS)
        .map(|request| rank(&serving, &request.to_string()))
        .collect();

    // A hash decides: six standard deviations of 10.
    let (shuffled, plain): (Vec<&Value>, Vec<&Value>) =
        answers.iter().partition(|answer| is_shuffled(answer));
    assert!(
        (140..260).contains(&shuffled.len()),
        "{} of {REQUESTS}",
        shuffled.len()
    );
    let by_rank = items(plain[0]);
    assert!(plain.iter().all(|answer| items(answer) == by_rank));

    // How often each of the first ten stands at each of the first ten places.
    let mut counts = BTreeMap::new();
    for answer in &shuffled {
        let shown = items(answer);
        assert_eq!(shown[10..], by_rank[10..], "what comes after ten stays");
        for (place, item) in shown[..10].iter().enumerate() {
            assert!(by_rank[..10].contains(item), "{item} is of the first ten");
            *counts.entry((*item, place)).or_insert(0u32) += 1;
        }
        // Position is the place after shuffling; score and predictions go with the item.
        for (place, item) in answer["items"].as_array().unwrap().iter().enumerate() {
            assert_eq!(item["position"], place + 1);
            let ranked = by_rank.iter().position(|other| item["item"] == *other).unwrap();
            let before = &plain[0]["items"][ranked];
            assert_eq!(
                (&item["score"], &item["predictions"]),
                (&before["score"], &before["predictions"])
            );
        }
    }
    let expected = shuffled.len() as f64 / 10.0;
    let chi: f64 = (0..100)
        .map(|cell| f64::from(*counts.get(&(by_rank[cell / 10], cell % 10)).unwrap_or(&0)))
        .map(|count| (count - expected).powi(2) / expected)
        .sum();
    // 81 degrees of freedom: 1 of 10 million is above 165.
    assert!(chi < 165.0, "the places are not even: chi square {chi}");

    // A retry gets the same, at once and from the log after a crash.
    for (request, answer) in answers.iter().enumerate() {
        assert_eq!(rank(&serving, &request.to_string()), *answer);
    }
    let page = serving.get("/").1;
    let page = page.as_str().unwrap();
    let said = format!(
        "<b>{REQUESTS}</b> slates that were ranked since the start <b>{}</b> were shuffled",
        shuffled.len()
    );
    assert!(page.contains(&said), "{page}");
    settle(&serving, &answers[REQUESTS - 1]);
    serving.kill();
    let logged = slates(&feed);
    let serving = feed.serve(&[]);
    for (request, answer) in answers.iter().enumerate().take(20) {
        assert_eq!(rank(&serving, &request.to_string()), *answer);
    }

    // The log holds what was answered.
    assert_eq!(logged.len(), REQUESTS);
    for answer in &answers {
        let slate = &logged[answer["slate"].as_str().unwrap()];
        assert_eq!(slate.shuffled, is_shuffled(answer));
        let shown: Vec<&str> = slate
            .impressions
            .iter()
            .map(|shown| shown.item.as_str())
            .collect();
        assert_eq!(shown, items(answer));
    }
    let with: Vec<&Slate> = logged
        .values()
        .filter(|slate| slate.candidates.is_some())
        .collect();
    // Six standard deviations of 8.
    assert!((32..128).contains(&with.len()), "{} of {REQUESTS}", with.len());
    for slate in with {
        let candidates = slate.candidates.as_ref().unwrap();
        assert_eq!(candidates.len(), CANDIDATES);
        assert!(candidates.is_sorted_by(|a, b| a.item < b.item));
        for shown in &slate.impressions {
            let candidate = candidates.iter().find(|other| other.item == shown.item).unwrap();
            assert_eq!(
                (&candidate.fields, &candidate.predictions),
                (&shown.fields, &shown.predictions)
            );
        }
    }
}

#[test]
fn nothing_is_shuffled_unless_declared_and_a_declaration_that_is_named_takes_effect_on_the_same_model() {
    let feed = Feed::new();
    let mut serving = feed.serve(&[]);
    let plain = rank(&serving, "a");
    assert!(!is_shuffled(&plain));
    serving.kill();
    let spec = feed.write(
        "explore.toml",
        &format!("{RANKER}\n[explore]\nshuffle = 0.999999\n\n[log]\ncandidates = 1\n"),
    );
    let mut serving = feed.serve(&["--spec", &spec]);
    let answer = rank(&serving, "b");
    assert!(
        is_shuffled(&answer) && answer["model"] == plain["model"],
        "{answer}"
    );
    settle(&serving, &answer);
    serving.kill();
    let slate = &slates(&feed)[answer["slate"].as_str().unwrap()];
    assert_eq!(slate.candidates.as_ref().map(Vec::len), Some(CANDIDATES));
}

/// The fixture's log with a column that says which slates were shuffled: those that `is` says.
fn marked(rows: usize, is: impl Fn(usize) -> bool) -> Columns {
    let mut columns = log(rows);
    columns.push(("shuffled", whole((0..rows).map(|row| i64::from(is(row / 5))))));
    columns
}

#[test]
fn train_and_evaluate_report_the_list_auc_and_the_curves_of_shuffled_slates() {
    let feed = Feed::new();
    write_log(&feed.path("log.parquet"), &marked(2_000, |slate| slate % 3 > 0));
    let [printed, _] = ended(feed.train("run", &[]), 0);
    assert!(printed.contains("list AUC, as served"), "{printed}");
    let report = feed.metrics("run");
    let click = &report["test"]["objectives"][0];
    let of = &click["shuffled_list_auc"];
    let slates = of["slates"].as_u64().unwrap();
    // 53 of the 80 slates of the test part, less those with a click on nothing or on everything.
    assert!((20..=54).contains(&slates), "{of}");
    assert!(of["low"].as_f64() < of["mean"].as_f64() && of["mean"].as_f64() < of["high"].as_f64());
    assert!(of["mean"].as_f64().unwrap() > 0.6, "{of}");
    assert!(report["logistic"]["objectives"][0]["shuffled_list_auc"].is_object());
    assert!(
        report["test"]["objectives"][1]["shuffled_list_auc"].is_null(),
        "an amount"
    );
    for curve in report["anchored_curves"].as_array().unwrap() {
        assert_eq!(curve["objective"], "click");
        assert_eq!(curve["points"].as_array().unwrap().len(), 5);
    }
    assert_eq!(
        report["anchored_curves"].as_array().unwrap().len(),
        2,
        "phone and tv"
    );
    let page = std::fs::read_to_string(feed.path("run/report.html")).unwrap();
    assert!(page.contains("On shuffled slates") && page.contains("By shuffled slates alone"));

    // Where all slates are shuffled it is the AUC within slates, as served.
    write_csv(&feed.path("all.csv"), &marked(500, |_| true));
    let all = run_well(&[
        "evaluate",
        &feed.text("run"),
        "--json",
        "--data",
        &feed.text("all.csv"),
    ]);
    let all: Value = serde_json::from_str(&all).unwrap();
    let click = &all["model"]["objectives"][0];
    let [list, slate] = [&click["shuffled_list_auc"]["mean"], &click["missing_slate_auc"]];
    assert!(
        (list.as_f64().unwrap() - slate.as_f64().unwrap()).abs() < 1e-12,
        "{click}"
    );
    assert_eq!(all["anchored_curves"].as_array().unwrap().len(), 2);
}

#[test]
fn without_shuffled_slates_evaluate_and_the_report_say_how_to_get_some() {
    let feed = Feed::new();
    write_log(&feed.path("log.parquet"), &marked(2_000, |_| false));
    let [printed, _] = ended(feed.train("run", &[]), 0);
    assert!(!printed.contains("list AUC, as served"), "{printed}");
    let page = std::fs::read_to_string(feed.path("run/report.html")).unwrap();
    assert!(page.contains("no shuffled slates: set <code>[explore] shuffle = 0.02</code>"));
    let printed = run_well(&["evaluate", &feed.text("run"), "--data", &feed.text("log.parquet")]);
    assert!(
        printed.contains("no shuffled slates: set `[explore] shuffle = 0.02`"),
        "{printed}"
    );
}

#[test]
fn a_column_of_other_values_is_refused_with_its_row() {
    for (cell, found) in [("2", "found 2"), ("yes", "found yes"), ("0.5", "found 0.5")] {
        let feed = Feed::new();
        let mut columns = log(2_000);
        let cells = (0..2_000).map(|row| if row == 7 { cell } else { "1" });
        columns.push((
            "shuffled",
            Arc::new(StringArray::from_iter_values(cells)) as ArrayRef,
        ));
        write_log(&feed.path("log.parquet"), &columns);
        let [_, said] = ended(feed.train("run", &[]), 2);
        for expected in [
            "log.parquet`, row 8, column `shuffled`",
            found,
            "expected 1 or 0, true or false",
        ] {
            assert!(said.contains(expected), "{expected}: {said}");
        }
    }
}

/// The fixture's log as slates of another ranker, every one shuffled, and its clicks.
fn posted(rows: usize, time: i64) -> (Vec<Value>, Vec<Value>) {
    let columns = log(rows);
    let column = |name: &str| &columns.iter().find(|(other, _)| *other == name).unwrap().1;
    let text = |name: &str, row: usize| column(name).as_string::<i32>().value(row).to_owned();
    let number = |name: &str, row: usize| column(name).as_primitive::<Float64Type>().value(row);
    let (mut slates, mut clicks) = (Vec::new(), Vec::new());
    for first in (0..rows).step_by(5) {
        let mut items: BTreeMap<String, Value> = BTreeMap::new();
        for row in first..first + 5 {
            let (item, id) = (text("item", row), format!("p{}", first / 5));
            if items.contains_key(&item) {
                continue;
            }
            if column("click").as_primitive::<Int64Type>().value(row) == 1 {
                clicks.push(json!({
                    "id": format!("{id} {item}"), "slate": id, "item": item, "kind": "click", "time": time + 1,
                }));
            }
            let fields = json!({ "appeal": number("appeal", row), "minutes": number("minutes", row) });
            let posted = json!({ "item": item, "position": row - first + 1, "fields": fields });
            items.insert(item, posted);
        }
        slates.push(json!({
            "id": format!("p{}", first / 5), "user": text("user", first), "time": time, "shuffled": true,
            "context": { "device": text("device", first) }, "items": items.into_values().collect::<Vec<_>>(),
        }));
    }
    (slates, clicks)
}

#[test]
fn slates_of_another_ranker_may_be_shuffled_and_name_their_candidates_and_learn_reports_them() {
    let feed = Feed::new();
    let serving = feed.serve(&["--clock", "events"]);
    let (mut slates, clicks) = posted(2_000, 1_000);
    let shown: Vec<Value> = slates[0]["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| json!({ "item": item["item"], "fields": item["fields"] }))
        .collect();
    slates[0]["candidates"] = [&shown[..], &[json!("other")]].concat().into();

    // Nothing of a bad one is stored.
    for (candidates, says) in [
        (json!(["other"]), "and not among the candidates"),
        (json!([]), "`candidates` has 0 items"),
        (json!(["other", "other"]), "candidate `other` is named twice"),
    ] {
        let mut bad = slates[0].clone();
        bad["candidates"] = candidates;
        let (status, answer) = serving.post("/v1/slates", &bad);
        let detail = answer["detail"].as_str().unwrap_or_default();
        assert!(
            status == 422 && detail.contains("slate `p0`") && detail.contains(says),
            "{answer}"
        );
    }
    let count = slates.len();
    let (status, answer) = serving.post("/v1/slates", &Value::Array(slates));
    assert_eq!((status, &answer["stored"]), (202, &json!(count)), "{answer}");
    assert_eq!(serving.post("/v1/feedback", &Value::Array(clicks)).0, 202);
    assert_eq!(serving.put("/v1/clock", &json!({ "time": 20_000 })).0, 200);

    let learned = run_well(&["learn", "--json", "--store", &feed.text("store")]);
    let learned: Value = serde_json::from_str(&learned).unwrap();
    let of = &learned["progressive"]["objectives"][0]["shuffled_list_auc"];
    assert!(
        of["slates"].as_u64().unwrap() > 100 && of["mean"].as_f64().unwrap() > 0.6,
        "{learned}"
    );
    let stored = self::slates(&feed);
    assert!(stored.values().all(|slate| slate.shuffled));
    let candidates = stored["p0"].candidates.as_ref().unwrap();
    assert_eq!(candidates.len(), shown.len() + 1);
    let appeal = |item: &str| {
        candidates
            .iter()
            .find(|other| other.item == item)
            .unwrap()
            .fields
            .get("appeal")
    };
    assert!(appeal("other").is_none() && appeal(shown[0]["item"].as_str().unwrap()).is_some());
}
