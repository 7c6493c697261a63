//! `debias discover`: what was planted is found, and what was not is not.

use serde_json::Value;
use world::Logger;

use super::site::{RANKER, Site};
use super::trained_with;
use crate::fixture::{Feed, ended, run, run_well};

/// The fields that are looked at, beside those of the site's own declaration: they enter the main tower.
const FIELDS: &str = r#"
thumbnail = { side = "item", kind = "id", dim = 2, values = ["small", "medium", "large"] } # drawn for each impression
patient = { side = "user", kind = "id", dim = 2, values = ["no", "yes"] }
hour = { side = "context", kind = "id", dim = 2, buckets = 48 }

[objectives]"#;

fn site(logger: Logger) -> Site {
    Site {
        slates: 5_000,
        thumbnail: 0.6,
        patience: 0.8,
        ..Site::new(logger)
    }
}

fn found(feed: &Feed, more: &[&str]) -> Value {
    let (folder, data) = (feed.text("run"), feed.text("log.parquet"));
    let mut arguments = vec!["debias", "discover", &folder, "--data", &data, "--json"];
    arguments.extend(more);
    serde_json::from_str(&run_well(&arguments)).unwrap()
}

/// The names of the fields that act as a bias.
fn acting(discovery: &Value) -> Vec<&str> {
    let fields = discovery["fields"].as_array().unwrap().iter();
    fields
        .filter(|field| field["acts"] == true)
        .map(|field| field["field"].as_str().unwrap())
        .collect()
}

fn verdict<'a>(discovery: &'a Value, name: &str) -> &'a str {
    let mut fields = discovery["fields"].as_array().unwrap().iter();
    let field = fields.find(|field| field["field"] == name).unwrap();
    field["verdict"].as_str().unwrap()
}

#[test]
fn a_planted_bias_is_found_and_applied_and_attributes_are_not() {
    let ranker = RANKER.replace("\n[objectives]", FIELDS);
    let feed = trained_with(&site(Logger::Weak), &ranker);
    let discovery = found(&feed, &[]);
    assert_eq!(
        acting(&discovery),
        ["position", "device", "thumbnail"],
        "{discovery:#}"
    );
    assert_eq!(verdict(&discovery, "patient"), "no: the user decides it");
    assert_eq!(
        verdict(&discovery, "hour"),
        "no: it adds nothing sure to the main logit"
    );
    for field in ["quality", "clickbait", "popularity", "fresh"] {
        assert!(
            verdict(&discovery, field).starts_with("no: "),
            "{field}: {discovery:#}"
        );
    }

    let before = std::fs::read_to_string(feed.path("ranker.toml")).unwrap();
    let (folder, data, file) = (
        feed.text("run"),
        feed.text("log.parquet"),
        feed.text("ranker.toml"),
    );
    let printed = run_well(&["debias", "discover", &folder, "--data", &data, "--apply", &file]);
    let line = "thumbnail = { side = \"item\", kind = \"id\", dim = 2, values = [\"small\", \"medium\", \"large\"], use = \"bias\" } \
                # drawn for each impression";
    for says in [
        format!("+{line}"),
        "+fields = [\"position\", \"device\", \"thumbnail\"]".to_owned(),
    ] {
        assert!(printed.contains(&says), "{printed}");
    }
    let after = std::fs::read_to_string(&file).unwrap();
    assert!(
        after.contains(line) && after.lines().count() == before.lines().count(),
        "{after}"
    );
    ended(feed.train("applied", &["--no-baseline"]), 0);
    // What is the shallow tower's already is no news.
    let folder = feed.text("applied");
    let printed = run_well(&["debias", "discover", &folder, "--data", &data, "--apply", &file]);
    assert!(printed.contains("stays as it is"), "{printed}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), after);
}

#[test]
fn a_column_that_the_declaration_does_not_name_can_be_looked_at_and_declared() {
    let feed = trained_with(&site(Logger::Random), RANKER);
    let file = feed.text("ranker.toml");
    let discovery = found(
        &feed,
        &[
            "--also",
            "thumbnail",
            "--also",
            "hour",
            "--also",
            "patient",
            "--apply",
            &file,
        ],
    );
    assert_eq!(
        acting(&discovery),
        ["position", "device", "thumbnail"],
        "{discovery:#}"
    );
    let after = std::fs::read_to_string(&file).unwrap();
    let line = "thumbnail = { side = \"item\", kind = \"id\", values = [\"large\", \"medium\", \"small\"], use = \"bias\" }";
    assert!(after.contains(line), "{after}");
    ended(feed.train("applied", &["--no-baseline"]), 0);
}

#[test]
fn what_cannot_be_looked_for_is_named() {
    let feed = Feed::new();
    ended(feed.train("run", &["--no-baseline"]), 0);
    let (folder, data) = (feed.text("run"), feed.text("log.parquet"));
    for (more, says) in [
        (
            ["--objective", "watch"],
            "no binary objective `watch`; the binary ones are: click",
        ),
        (
            ["--also", "device"],
            "`--also device`: the declaration names it already",
        ),
        (["--also", "nothing"], "nothing"),
        (["--apply", "nowhere.toml"], "nowhere.toml"),
    ] {
        let arguments = [&["debias", "discover", &folder, "--data", &data], &more[..]].concat();
        let [_, message] = ended(run(&arguments), 2);
        assert!(message.contains(says), "{message}");
    }
}
