//! The encoded cache: what is kept in memory between epochs changes no bit of what is learned.

use crate::fixture::{Feed, edited, ended, files, run, run_well};

/// What `train` writes with this `cache`.
fn trained(feed: &Feed, cache: &str, threads: &str) -> std::collections::BTreeMap<String, Vec<u8>> {
    let train = format!("[train]\nshuffle_window = 300\ncache = \"{cache}\"");
    feed.write("ranker.toml", &edited("[train]", &train));
    let name = format!("{cache}-{threads}");
    ended(feed.train(&name, &["--threads", threads]), 0);
    // The declaration itself says what the cache is.
    let mut files = files(&feed.path(&name));
    files.retain(|name, _| !name.ends_with("ranker.toml") && !name.ends_with("manifest.json"));
    files
}

#[test]
fn with_and_without_the_cache_the_same_bytes_are_written() {
    let feed = Feed::new();
    let alone = trained(&feed, "0", "1");
    assert!(
        alone.contains_key("model/weights.safetensors"),
        "{:?}",
        alone.keys()
    );
    for (cache, threads) in [("1GiB", "1"), ("1GiB", "4"), ("20kB", "2"), ("0", "3")] {
        assert!(
            trained(&feed, cache, threads) == alone,
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
