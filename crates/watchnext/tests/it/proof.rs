//! `debias prove`, `debias choose`, `score tune`: a proof goes on where it stopped, the slice chooses, and what is missing is named.

use serde_json::{Value, json};

use crate::fixture::{Columns, Feed, ended, log, run, run_well, whole, write_log};

/// The fixture's log, every other slate of which was shuffled.
fn shuffled(rows: usize) -> Columns {
    let mut columns = log(rows);
    columns.push((
        "shuffled",
        whole((0..rows).map(|row| (row / 5 % 2) as i64).collect::<Vec<_>>()),
    ));
    columns
}

#[test]
fn a_proof_keeps_its_pieces_and_refuses_those_of_another_recipe() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("proof").display().to_string();
    let prove = |seeds: &str, threads: &str| {
        let asked = ["debias", "prove", "--quick", "--rows", "12", "--json"];
        run(&[
            &asked[..],
            &["--seeds", seeds, "--threads", threads, "--out", &out],
        ]
        .concat())
    };
    let [first, _] = ended(prove("1", "2"), 0);
    let rows: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(rows[0]["number"], 12);
    let claims = rows[0]["claims"].as_array().unwrap();
    assert!(claims.iter().all(|claim| claim["held"] == true), "{rows}");
    let page = std::fs::read_to_string(folder.path().join("proof/truth.html")).unwrap();
    assert!(page.contains("does no harm") && !page.contains("<script"));

    // What is there is not done again: a piece that says otherwise is believed.
    let piece = folder.path().join("proof/cells/additive-weak-eta0-seed0.json");
    let mut kept: Value = serde_json::from_slice(&std::fs::read(&piece).unwrap()).unwrap();
    kept["verdict"] = "cannot tell".into();
    std::fs::write(&piece, kept.to_string()).unwrap();
    let [second, said] = ended(prove("1", "1"), 1);
    assert!(
        second.contains("\"held\": false") && said.contains("row 12"),
        "{said}"
    );

    let [_, said] = ended(prove("2", "1"), 2);
    assert!(
        said.contains("another recipe") && said.contains("--out"),
        "{said}"
    );
}

#[test]
fn shuffled_slates_choose_and_without_them_it_says_how_to_get_some() {
    let feed = Feed::new();
    write_log(&feed.path("log.parquet"), &shuffled(2_000));
    let (ranker, data) = (feed.text("ranker.toml"), feed.text("log.parquet"));
    let chosen = run_well(&["debias", "choose", &ranker, "--data", &data, "--json"]);
    let choice = &serde_json::from_str::<Value>(&chosen).unwrap()["choice"];
    let arms: Vec<&str> = choice["arms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|arm| arm["name"].as_str().unwrap())
        .collect();
    // A product is none of them: this declaration gives `watch` a shallow logit too.
    assert!(arms.contains(&"no tower") && arms.len() == 5, "{arms:?}");
    let mean = |arm: &Value| arm["list_auc"]["mean"].as_f64().unwrap();
    let all = choice["arms"].as_array().unwrap();
    let best = &all[choice["chosen"].as_u64().unwrap() as usize];
    assert!(all.iter().all(|arm| mean(arm) <= mean(best)));
    assert!(choice["too_small"].as_str().unwrap().contains("2000"), "{choice}");

    write_log(&feed.path("log.parquet"), &log(2_000));
    let [_, said] = ended(run(&["debias", "choose", &ranker, "--data", &data]), 2);
    assert!(
        said.contains("[explore] shuffle") && said.contains("`shuffled`"),
        "{said}"
    );
}

#[test]
fn weights_are_tuned_on_logged_candidates_and_applied_only_where_they_are_better() {
    let feed = Feed::new();
    ended(feed.train("run", &["--no-baseline"]), 0);
    let serving = feed.serve(&[]);
    let store = feed.text("store");
    let tune = |more: &[&str]| run(&[&["score", "tune", "--store", &store][..], more].concat());
    let [_, said] = ended(tune(&["--reward", "click"]), 2);
    assert!(said.contains("[log] candidates"), "{said}");
    let [_, said] = ended(tune(&["--reward", "clicks"]), 2);
    assert!(
        said.contains("`clicks`") && said.contains("known: click"),
        "{said}"
    );

    let slate = |number: usize| {
        let items = |count: usize| -> Vec<String> {
            (0..count).map(|at| format!("i{}", (number + at) % 40)).collect()
        };
        let shown: Vec<Value> = items(5).into_iter().map(|item| json!({ "item": item })).collect();
        json!({ "id": format!("c{number}"), "user": format!("u{}", number % 7), "items": shown, "candidates": items(12) })
    };
    let slates: Vec<Value> = (0..40).map(slate).collect();
    let (status, answer) = serving.post("/v1/slates", &slates.into());
    assert_eq!(status, 202, "{answer}");
    let front = feed.text("front.svg");
    let [tuned, _] = ended(
        tune(&["--reward", "click", "--apply", "--json", "--front", &front]),
        0,
    );
    let tuned: Value = serde_json::from_str(&tuned).unwrap();
    let gain = &tuned["tuning"]["gain"];
    assert!(gain["mean"].as_f64().unwrap() >= 0.0, "{gain}");
    assert_eq!(
        tuned["applied"].is_null(),
        gain["low"].as_f64().unwrap() <= 0.0,
        "{tuned}"
    );
    assert!(std::fs::read_to_string(front).unwrap().starts_with("<svg"));
}
