//! `watchnext bench encode`: it passes through the whole log, whatever the time, and says so in words and in JSON.

use serde_json::Value;

use crate::fixture::{Feed, run_well};

#[test]
fn bench_encode_passes_through_every_row_and_both_together_are_slower_than_either() {
    let feed = Feed::new();
    let (ranker, log) = (feed.text("ranker.toml"), feed.text("log.parquet"));
    let arguments = ["bench", "encode", &ranker, "--data", &log, "--seconds", "0"];
    let json = run_well(&[&arguments[..], &["--json"]].concat());
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (report["rows"].as_u64(), report["passes"].as_u64()),
        (Some(2_000), Some(1)),
        "{json}"
    );
    let rate = |name: &str| report[name].as_f64().unwrap();
    let both = rate("rows_per_second");
    assert!(
        0.0 < both && both < rate("read_per_second").min(rate("encode_per_second")),
        "{json}"
    );
    assert_eq!(
        both,
        rate("fastest_per_second"),
        "one pass is the fastest: {json}"
    );

    let text = run_well(&arguments);
    assert!(
        text.contains("examples/s on one thread") && text.contains("2000 rows"),
        "{text}"
    );
}
