//! A network that died is written, with an alarm: exit code 3, on standard error, in the report and in `metrics.json`.

use serde_json::Value;

use crate::fixture::{Columns, Feed, RANKER, edited, ended, log, numbers, run_well, write_log};

/// The log with every `appeal` the same.
fn monotonous() -> Columns {
    let mut columns = log(2_000);
    let (_, appeal) = columns.iter_mut().find(|(name, _)| *name == "appeal").unwrap();
    *appeal = numbers((0..2_000).map(|_| 1.0));
    columns
}

/// A declaration that reads nothing but `appeal`.
const NARROW: &str = r#"
[fields]
appeal = { side = "item", kind = "number" }

[objectives]
click = { group = "engagement", loss = "binary", absent = 0 }

[model]
architecture = "shared-bottom"
shared = [8]

[score]
click = 1.0

[train]
batch = 64
epochs = 2
"#;

/// Trains into `run`, demands the alarm everywhere and returns its sentences.
fn alarmed(feed: &Feed) -> Vec<String> {
    let [printed, message] = ended(feed.train("run", &[]), 3);
    assert!(
        printed.contains("click") && printed.contains(&feed.text("run")),
        "the result is printed all the same: {printed}"
    );
    let report = feed.metrics("run");
    let alarms: Vec<String> = serde_json::from_value(report["alarms"].clone()).unwrap();
    assert!(!alarms.is_empty());
    let page = std::fs::read_to_string(feed.path("run/report.html")).unwrap();
    assert!(page.contains("do not serve this model"));
    let (_, said) = message.split_once("alarm: ").expect("an alarm on standard error");
    for alarm in &alarms {
        assert!(said.contains(alarm.as_str()), "{alarm} is not in {message}");
        let marked = alarm.split('`').enumerate().map(|(at, part)| match at % 2 {
            1 => format!("<code>{part}</code>"),
            _ => part.to_owned(),
        });
        assert!(
            page.contains(&marked.collect::<String>()),
            "{alarm} is not in the report"
        );
    }
    // It is there to be looked at.
    let data = feed.text("log.parquet");
    let json = run_well(&["evaluate", &feed.text("run"), "--json", "--data", &data]);
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["rows"], 2_000);
    alarms
}

#[test]
fn inputs_that_never_differ_end_with_an_alarm_that_names_the_objective() {
    let feed = Feed::new();
    feed.write("ranker.toml", NARROW);
    write_log(&feed.path("log.parquet"), &monotonous());
    let alarms = alarmed(&feed);
    assert!(
        alarms
            .iter()
            .any(|alarm| alarm.starts_with("`click` is predicted to be the same")),
        "{alarms:?}"
    );

    let [printed, message] = ended(feed.train("run", &["--json", "--overwrite"]), 3);
    assert_eq!(
        serde_json::from_str::<Value>(&printed).unwrap(),
        feed.metrics("run")
    );
    assert!(message.starts_with("alarm: `click`"), "{message}");
}

#[test]
fn a_learning_rate_that_kills_the_units_ends_with_an_alarm_that_names_the_layer() {
    let feed = Feed::new();
    feed.write(
        "ranker.toml",
        &edited("learning_rate = 0.01", "learning_rate = 3.0"),
    );
    let alarms = alarmed(&feed);
    assert!(
        alarms
            .iter()
            .any(|alarm| alarm.contains("units of") && alarm.contains("are dead")),
        "{alarms:?}"
    );
    assert!(
        alarms.iter().all(|alarm| alarm.contains("learning_rate")),
        "each says what to do: {alarms:?}"
    );
    let layers = feed.metrics("run")["anatomy"]["layers"].clone();
    let died = layers
        .as_array()
        .unwrap()
        .iter()
        .filter(|layer| layer["dead"].as_f64().unwrap() >= 0.9 * layer["units"].as_f64().unwrap());
    for layer in died {
        let name = layer["name"].as_str().unwrap();
        assert!(
            alarms.iter().any(|alarm| alarm.contains(name)),
            "{name}: {alarms:?}"
        );
    }
}

#[test]
fn a_sound_run_ends_with_0_and_no_alarm() {
    let feed = Feed::new();
    assert_eq!(std::fs::read_to_string(feed.path("ranker.toml")).unwrap(), RANKER);
    let [_, message] = ended(feed.train("run", &[]), 0);
    assert!(!message.contains("alarm"), "{message}");
    assert_eq!(feed.metrics("run")["alarms"], Value::Array(vec![]));
    let page = std::fs::read_to_string(feed.path("run/report.html")).unwrap();
    assert!(!page.contains("do not serve this model"));
}

#[test]
fn training_that_diverges_writes_nothing_and_says_what_to_do() {
    let feed = Feed::new();
    feed.write(
        "ranker.toml",
        &edited("learning_rate = 0.01", "learning_rate = 1e30"),
    );
    let [_, message] = ended(feed.train("run", &[]), 1);
    assert!(
        message.contains("diverged") && message.contains("`[train] learning_rate`"),
        "{message}"
    );
    assert!(!feed.path("run").exists());
}
