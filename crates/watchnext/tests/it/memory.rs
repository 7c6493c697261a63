//! What `check` announces that training takes of memory is what it takes.

use serde_json::Value;

use crate::fixture::{Feed, edited, ended, run, run_well};

/// Bytes that `check` announces and that `train` had in memory, for the usual log and a changed declaration.
fn announced_and_taken(from: &str, to: &str) -> [f64; 2] {
    let feed = Feed::new();
    let ranker = feed.write("ranker.toml", &edited(from, to));
    let how = ["--threads", "2", "--no-baseline"];
    let check = [&["check", &ranker, "--rows", "2000", "--json"], &how[..]].concat();
    let check: Value = serde_json::from_str(&run_well(&check)).unwrap();
    let announced = check["training"]["peak"].as_f64().unwrap();
    let (log, out) = (feed.text("log.parquet"), feed.text("run"));
    let train = [&["train", &ranker, "--data", &log, "--out", &out], &how[..]].concat();
    let train = [&train[..], &["--overwrite"]].concat();
    let peak = |_| -> f64 {
        let [_, said] = ended(run(&train), 0);
        let peak = said
            .lines()
            .find_map(|line| line.strip_prefix("memory at its peak: ")?.strip_suffix(" MB"));
        1e6 * peak.unwrap_or_else(|| panic!("{said}")).parse::<f64>().unwrap()
    };
    // Threads that a busy machine holds up keep what they hold for longer, which only adds: the least of three runs counts.
    let taken = (0..3).map(peak).fold(f64::INFINITY, f64::min);
    [announced, taken]
}

#[test]
#[cfg(target_os = "linux")]
fn what_check_announces_is_what_training_takes() {
    // Large tables, then a large network.
    let shapes = [
        (
            "user = { side = \"user\", kind = \"id\", dim = 4, buckets = 64",
            "user = { side = \"user\", kind = \"id\", dim = 32, buckets = 1_000_000",
            130e6,
        ),
        ("shared = [8]", "shared = [2048, 1024]", 80e6),
    ];
    for (from, to, least) in shapes {
        let [announced, taken] = announced_and_taken(from, to);
        let ratio = taken / announced;
        assert!(
            taken > least,
            "{to}: {taken} bytes say little of the announcement"
        );
        assert!(
            (0.9..1.1).contains(&ratio),
            "{to}: announced {announced}, taken {taken}: {ratio}"
        );
    }
}
