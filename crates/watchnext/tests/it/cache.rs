//! The encoded cache: what is kept in memory between epochs changes no bit of what is learned.

use std::collections::BTreeMap;

use crate::fixture::{Feed, edited, ended, files, log, run, run_well, write_parts};

/// What `train` writes with this `cache`.
fn trained(feed: &Feed, data: &[String], cache: &str, threads: &str) -> BTreeMap<String, Vec<u8>> {
    let train = format!("[train]\nshuffle_window = 300\ncache = \"{cache}\"");
    let ranker = feed.write("ranker.toml", &edited("[train]", &train));
    let name = format!("{cache}-{threads}");
    let out = feed.text(&name);
    let mut arguments = vec!["train", &ranker, "--out", &out, "--threads", threads, "--data"];
    arguments.extend(data.iter().map(String::as_str));
    run_well(&arguments);
    let mut files = files(&feed.path(&name));
    // Where the declaration itself is written, the cache differs.
    files.retain(|name, _| {
        !["ranker.toml", "manifest.json", "report.html"]
            .iter()
            .any(|of| name.ends_with(of))
    });
    files
}

#[test]
fn with_and_without_the_cache_the_same_bytes_are_written() {
    let feed = Feed::new();
    // A file ends a batch: five windows in the training part.
    let data = write_parts(feed.dir.path(), &log(2_000), 100);
    let alone = trained(&feed, &data, "0", "1");
    assert!(
        alone.contains_key("model/weights.safetensors"),
        "{:?}",
        alone.keys()
    );
    for (cache, threads) in [("1GiB", "1"), ("1GiB", "2"), ("20kB", "1"), ("0", "2")] {
        assert!(
            trained(&feed, &data, cache, threads) == alone,
            "{cache}, {threads} threads"
        );
    }
}

#[test]
fn check_says_what_memory_a_log_of_known_size_takes() {
    let feed = Feed::new();
    let of = |cache: &str, rows: &str| {
        let train = format!("[train]\nshuffle_window = 1000\ncache = \"{cache}\"");
        let ranker = feed.write("ranker.toml", &edited("[train]", &train));
        run_well(&["check", &ranker, "--rows", rows])
    };
    let kept = of("1GB", "1000000");
    assert!(
        kept.contains("the 700,000 encoded examples of the training part"),
        "{kept}"
    );
    let read = of("1MB", "1000000");
    assert!(
        read.contains("two shuffle windows; each epoch reads the files"),
        "{read}"
    );
    let unknown = run_well(&["check", &feed.text("ranker.toml")]);
    assert!(
        unknown.contains("examples is kept encoded between epochs, in up to 1.0 MB more"),
        "{unknown}"
    );
}

#[test]
fn a_cache_that_is_no_size_is_refused_with_what_is_expected() {
    let feed = Feed::new();
    let ranker = feed.write("ranker.toml", &edited("[train]", "[train]\ncache = \"lots\""));
    let [_, message] = ended(run(&["check", &ranker]), 2);
    assert!(
        message.contains("`cache` is `lots`") && message.contains("as `512MiB`"),
        "{message}"
    );
}
