//! `OUT/report.html`: there after every training, complete by itself, about every objective.

use crate::fixture::{Feed, edited, ended, log, texts, write_log};

/// Addresses that are names of a format, which nothing fetches.
const NAMESPACE: &str = "http://www.w3.org/2000/svg";

#[test]
fn the_report_is_a_page_by_itself_that_names_every_objective_and_reaches_no_network() {
    let feed = Feed::new();
    feed.write(
        "ranker.toml",
        &edited(
            "watch = { group",
            "finished = { group = \"satisfaction\", loss = \"binary\", label = \"click\" }\nwatch = { group",
        ),
    );
    let [printed, _] = ended(feed.train("run", &[]), 0);
    let page = std::fs::read_to_string(feed.path("run/report.html")).unwrap();
    assert!(
        printed.contains(&feed.text("run/report.html")),
        "it says where the report is: {printed}"
    );
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"));
    let metrics = page.split("id=\"metrics\"").nth(1).expect("a section of metrics");
    for objective in ["click", "finished", "watch"] {
        assert!(metrics.contains(objective), "{objective}");
    }
    let quiet = page.replace(NAMESPACE, "");
    for reaching in [
        "http:", "https:", "//cdn", "src=", "url(", "@import", "<script", "<link", "<iframe",
    ] {
        assert!(!quiet.contains(reaching), "the page has `{reaching}`");
    }
    let targets = page.split("href=").skip(1);
    assert!(
        targets.clone().count() > 3 && targets.clone().all(|target| target.starts_with("\"#")),
        "links lead within the page"
    );
    assert!(page.contains("<svg") && page.contains("default-src 'none'"));
}

#[test]
fn the_report_of_the_same_training_is_the_same_to_the_byte() {
    let feed = Feed::new();
    let report = |out: &str| {
        ended(feed.train(out, &[]), 0);
        std::fs::read(feed.path(out).join("report.html")).unwrap()
    };
    assert!(report("a") == report("b"));
}

#[test]
fn what_a_value_holds_cannot_become_part_of_the_page() {
    let feed = Feed::new();
    feed.write("ranker.toml", &edited("\"phone\"", "\"<b>phone</b>\""));
    let mut columns = log(2_000);
    let (_, device) = columns.iter_mut().find(|(name, _)| *name == "device").unwrap();
    *device = texts((0..2_000).map(|row| ["<b>phone</b>", "tv"][row / 5 % 2]));
    write_log(&feed.path("log.parquet"), &columns);
    ended(feed.train("run", &[]), 0);
    let page = std::fs::read_to_string(feed.path("run/report.html")).unwrap();
    assert!(!page.contains("<b>phone</b>") && page.contains("&lt;b&gt;phone&lt;/b&gt;"));
}
