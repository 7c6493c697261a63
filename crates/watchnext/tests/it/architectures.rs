//! Every architecture, and a conditional over the entire space: trained, stopped and resumed, served.

use serde_json::json;

use crate::fixture::{Feed, edited, files, unfinished};

const MMOE: &str = "architecture = \"mmoe\"\nshared = [8]\nexperts = { count = 2, widths = [8] }";

/// What the fixture's network becomes.
const NETWORKS: [&str; 7] = [
    "architecture = \"single-task\"",
    "architecture = \"shared-bottom\"\nshared = [8]",
    "architecture = \"omoe\"\nexperts = { count = 3, widths = [8] }",
    "architecture = \"ple\"\nshared = [8]\nexperts = { count = 1, shared = 1, widths = [8] }",
    "architecture = \"ple\"\nexperts = { count = 2, shared = 1, levels = 2, widths = [8] }",
    "architecture = \"snr-trans\"\nsubnetworks = { count = 3, widths = [8, 8] }",
    "architecture = \"snr-aver\"\nshared = [8]\nsubnetworks = { count = 3, widths = [8, 8], l0 = 0.01 }",
];

/// Trains `declaration` in one go and with a stop, to the same bytes; serves it; returns what it predicted of `watch`.
fn trained_and_served(declaration: &str) -> Vec<f64> {
    let feed = Feed::new();
    let ranker = feed.write("ranker.toml", declaration);
    let (log, out) = (feed.text("log.parquet"), feed.text("stopped"));
    unfinished(&["train", &ranker, "--data", &log, "--out", &out]);
    for (run, more) in [
        ("run", &[][..]),
        ("stopped", &["--checkpoint-every", "64", "--resume"]),
    ] {
        let output = feed.train(run, more);
        assert!(
            output.status.success(),
            "{declaration}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let models = ["run", "stopped"].map(|run| files(&feed.path(run).join("model")));
    assert!(models[0] == models[1], "other bytes with a stop:\n{declaration}");
    let serving = feed.serve(&[]);
    let request = json!({ "user": "u1", "context": { "device": "tv" }, "candidates": [
        { "item": "v1", "fields": { "appeal": -3.0, "minutes": 4.0 } },
        { "item": "v2", "fields": { "appeal": 3.0, "minutes": 4.0 } },
    ] });
    let (status, answer) = serving.post("/v1/rank", &request);
    assert_eq!(status, 200, "{declaration}\n{answer}");
    let items = answer["items"].as_array().unwrap();
    // Appealing items are clicked more.
    assert_eq!(items[0]["item"], "v2", "{declaration}\n{answer}");
    let watch = |item: &serde_json::Value| item["predictions"]["watch"].as_f64().unwrap();
    items.iter().map(watch).collect()
}

#[test]
fn every_architecture_trains_and_resumes_to_the_same_bytes_and_serves() {
    for network in NETWORKS {
        trained_and_served(&edited(MMOE, network));
    }
}

#[test]
fn a_conditional_over_the_entire_space_is_served_as_the_conditional() {
    let squared = "loss = \"squared\", label = \"played / minutes\", clip = [0, 1], given = \"click\"";
    let entire = "loss = \"binary\", label = \"played / minutes\", given = \"click\", space = \"entire\"";
    let watched = trained_and_served(&edited(squared, entire));
    // Half of what is clicked is watched, whatever it is; of all that is shown a fifth would be.
    for share in watched {
        assert!((0.3..0.7).contains(&share), "{share}");
    }
}
