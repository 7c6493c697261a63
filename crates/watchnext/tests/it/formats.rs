//! One log in three formats: what `train` writes does not depend on which.

use crate::fixture::{Feed, ended, log, rows, run, run_well, write_csv, write_jsonl, write_log};

fn trained(feed: &Feed, out: &str, data: &[&str]) -> [Vec<u8>; 5] {
    let (ranker, out) = (feed.text("ranker.toml"), feed.text(out));
    let data: Vec<String> = data.iter().map(|name| feed.text(name)).collect();
    let mut arguments = vec!["train", &ranker, "--out", &out, "--data"];
    arguments.extend(data.iter().map(String::as_str));
    ended(run(&arguments), 0);
    [
        "metrics.json",
        "model/weights.safetensors",
        "model/table-0.safetensors",
        "model/table-1.safetensors",
        "model/table-2.safetensors",
    ]
    .map(|file| std::fs::read(std::path::Path::new(&out).join(file)).unwrap())
}

#[test]
fn parquet_csv_and_jsonl_of_the_same_log_give_the_same_metrics_and_weights_to_the_byte() {
    let feed = Feed::new();
    let columns = log(2_000);
    write_csv(&feed.path("log.csv"), &columns);
    write_jsonl(&feed.path("log.jsonl"), &columns);
    let parquet = trained(&feed, "parquet", &["log.parquet"]);
    assert!(parquet == trained(&feed, "csv", &["log.csv"]), "CSV differs");
    assert!(
        parquet == trained(&feed, "jsonl", &["log.jsonl"]),
        "JSONL differs"
    );
}

#[test]
fn one_log_may_be_several_files_of_several_formats() {
    let feed = Feed::new();
    let columns = log(2_000);
    write_log(&feed.path("a.parquet"), &rows(&columns, 0, 700));
    write_csv(&feed.path("b.csv"), &rows(&columns, 700, 600));
    write_jsonl(&feed.path("c.jsonl"), &rows(&columns, 1_300, 700));
    let whole = trained(&feed, "whole", &["log.parquet"]);
    let parts = trained(&feed, "parts", &["a.parquet", "b.csv", "c.jsonl"]);
    assert!(whole == parts, "the cuts between files change the result");
}

#[test]
fn a_pattern_names_files_in_the_order_of_their_names() {
    let feed = Feed::new();
    let columns = log(2_000);
    std::fs::create_dir(feed.path("days")).unwrap();
    for (name, first, count) in [
        ("days/2.csv", 900, 600),
        ("days/1.csv", 0, 900),
        ("days/3.csv", 1_500, 500),
    ] {
        write_csv(&feed.path(name), &rows(&columns, first, count));
    }
    let whole = trained(&feed, "whole", &["log.parquet"]);
    assert!(whole == trained(&feed, "days-run", &["days/*.csv"]));
    let ranker = feed.text("ranker.toml");
    let none = feed.text("days/*.jsonl");
    let [_, message] = ended(
        run(&["train", &ranker, "--data", &none, "--out", &feed.text("none")]),
        2,
    );
    assert!(message.contains(&none), "{message}");
}

#[test]
fn a_log_is_sent_from_any_format_and_by_a_pattern() {
    let feed = Feed::new();
    let columns = log(2_000);
    std::fs::create_dir(feed.path("days")).unwrap();
    write_csv(&feed.path("days/1.csv"), &rows(&columns, 0, 900));
    write_jsonl(&feed.path("days/2.jsonl"), &rows(&columns, 900, 1_100));
    let ranker = feed.text("ranker.toml");
    let sent = |data: &str| {
        let serving = feed.serve(&["--clock", "events"]);
        let sent = run_well(&["send", &ranker, "--data", data, "--to", &serving.base]);
        drop(serving);
        std::fs::remove_dir_all(feed.path("store")).unwrap();
        sent
    };
    let whole = sent(&feed.text("log.parquet"));
    assert!(whole.contains("ranked 400 items"), "{whole}");
    assert_eq!(sent(&feed.text("days/*")), whole);
}
