//! `watchnext bench`: encoding passes through the whole log, whatever the time; a checkpoint's bytes are what is written; both say so in
//! words and in JSON.

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

#[test]
fn bench_checkpoint_tells_the_bytes_that_rows_and_weights_take_and_leaves_nothing() {
    let feed = Feed::new();
    let folder = feed.text("empty");
    std::fs::create_dir(&folder).unwrap();
    let report = |rows: &str, shared: &str| -> Value {
        let arguments = [
            "bench",
            "checkpoint",
            "--rows",
            rows,
            "--shared",
            shared,
            "--fields",
            "2",
        ];
        let rest = ["--batch", "64", "--seconds", "0", "--folder", &folder, "--json"];
        serde_json::from_str(&run_well(&[&arguments[..], &rest].concat())).unwrap()
    };
    let (few, many, wide) = (report("100", "8"), report("1100", "8"), report("100", "16"));
    let grown = |to: &Value, name: &str| to[name].as_u64().unwrap() - few[name].as_u64().unwrap();
    assert_eq!(grown(&many, "table_rows"), 2000);
    // A row: 16 values, sightings in a byte, an accumulator. Beside, digits in headers.
    let rows = grown(&many, "checkpoint_bytes");
    assert!((2000 * 69..2000 * 69 + 200).contains(&rows), "{rows}");
    let rows = grown(&many, "publish_bytes");
    assert!((2000 * 65..2000 * 65 + 200).contains(&rows), "{rows}");
    let weights = grown(&wide, "dense_weights");
    let bytes = grown(&wide, "checkpoint_bytes");
    assert!(
        (weights * 12..weights * 12 + 200).contains(&bytes),
        "{weights}: {bytes}"
    );
    for name in ["checkpoint_seconds", "resume_seconds", "publish_seconds"] {
        assert!(many[name].as_f64().unwrap() > 0.0, "{name}");
    }
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "nothing is left");
    let rest = ["--batch", "64", "--seconds", "0", "--folder", &folder];
    let text = run_well(&[&["bench", "checkpoint", "--rows", "10"][..], &rest].concat());
    assert!(
        text.contains("3 rounds") && text.contains("going on from it"),
        "{text}"
    );
}
