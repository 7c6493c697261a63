//! `evaluate`: the same metrics as `train` for the same rows, by slices that sum up, within groups.

mod policy;

use serde_json::Value;

use crate::fixture::{Feed, ended, log, rows, run, run_well, write_csv, write_jsonl, write_log};

/// A trained feed with the test part of its log in `test.parquet`.
fn trained() -> Feed {
    let feed = Feed::new();
    ended(feed.train("run", &[]), 0);
    write_log(&feed.path("test.parquet"), &rows(&log(2_000), 1_600, 400));
    feed
}

/// Evaluates `run` on the test part.
fn evaluated(feed: &Feed, more: &[&str]) -> Value {
    let (folder, data) = (feed.text("run"), feed.text("test.parquet"));
    let mut arguments = vec!["evaluate", &folder, "--json", "--data", &data];
    arguments.extend(more);
    serde_json::from_str(&run_well(&arguments)).unwrap()
}

fn objectives(evaluation: &Value) -> &Vec<Value> {
    evaluation["objectives"].as_array().unwrap()
}

#[test]
fn the_rows_that_train_tested_on_have_the_metrics_that_train_reported() {
    let feed = trained();
    let report = feed.metrics("run");
    let evaluation = evaluated(&feed, &[]);
    assert_eq!(
        (&evaluation["rows"], &evaluation["judged"]),
        (&400.into(), &400.into())
    );
    assert_eq!(evaluation["model"], report["test"]);
    assert_eq!(evaluation["logistic"], report["logistic"]);
    assert!(evaluation["policy"].is_null() && evaluation["slices"] == Value::Array(vec![]));

    // And in the same table.
    let [folder, data] = ["run", "test.parquet"].map(|name| feed.text(name));
    let printed = run_well(&["evaluate", &folder, "--data", &data]);
    let again = feed.train("again", &[]);
    let lines = |text: &str| -> Vec<String> {
        let of_metrics = |line: &&str| line.starts_with("click ") || line.starts_with("watch ");
        text.lines().filter(of_metrics).map(str::to_owned).collect()
    };
    let trained = lines(&ended(again, 0)[0]);
    assert!(trained.len() >= 4, "{trained:?}");
    assert_eq!(lines(&printed), trained);
}

#[test]
fn the_format_of_the_log_does_not_matter() {
    let feed = trained();
    let parquet = evaluated(&feed, &["--by", "device"]);
    write_csv(&feed.path("test.csv"), &rows(&log(2_000), 1_600, 400));
    let [folder, data] = ["run", "test.csv"].map(|name| feed.text(name));
    let csv = run_well(&["evaluate", &folder, "--json", "--data", &data, "--by", "device"]);
    assert_eq!(serde_json::from_str::<Value>(&csv).unwrap(), parquet);
}

#[test]
fn slices_of_ids_keys_and_numbers_hold_every_example_once() {
    let feed = trained();
    let fields = ["device", "item", "position", "minutes", "user"];
    let mut arguments = Vec::new();
    fields.iter().for_each(|field| arguments.extend(["--by", field]));
    let evaluation = evaluated(&feed, &arguments);
    let slices = evaluation["slices"].as_array().unwrap();
    for field in fields {
        let of_field: Vec<&Value> = slices.iter().filter(|slice| slice["field"] == field).collect();
        let sum = |count: &dyn Fn(&Value) -> u64| of_field.iter().map(|slice| count(slice)).sum::<u64>();
        assert!(of_field.len() > 1, "{field}");
        assert_eq!(sum(&|slice| slice["rows"].as_u64().unwrap()), 400, "{field}");
        for model in ["model", "logistic"] {
            for (at, whole) in objectives(&evaluation[model]).iter().enumerate() {
                for count in ["examples", "positives"] {
                    let Some(expected) = whole[count].as_u64() else {
                        continue;
                    };
                    let sum = sum(&|slice| objectives(&slice[model])[at][count].as_u64().unwrap());
                    assert_eq!(sum, expected, "{count} of {} by {field}", whole["name"]);
                }
            }
        }
    }
    let values = |field: &str| -> Vec<&str> {
        let of_field = slices.iter().filter(|slice| slice["field"] == field);
        of_field.map(|slice| slice["value"].as_str().unwrap()).collect()
    };
    assert_eq!(values("position"), ["1", "2", "3", "4", "5"]);
    // Forty items are more than are shown one by one; those that are stand in the order of their names.
    let items = values("item");
    let (others, shown) = items.split_last().unwrap();
    assert!(others.ends_with("others)"), "{items:?}");
    assert!(shown.len() == 30 && shown.is_sorted(), "{items:?}");
}

#[test]
fn a_slice_has_the_metrics_of_its_rows_alone() {
    let feed = trained();
    let sliced = evaluated(&feed, &["--by", "device"]);
    // Every second slate of five rows is shown on a television.
    write_jsonl(&feed.path("test.jsonl"), &rows(&log(2_000), 1_600, 400));
    let lines = std::fs::read_to_string(feed.path("test.jsonl")).unwrap();
    let tv: Vec<&str> = lines.lines().filter(|line| line.contains("\"tv\"")).collect();
    assert_eq!(tv.len(), 200);
    let [folder, data] = [feed.text("run"), feed.write("tv.jsonl", &tv.join("\n"))];
    let alone = run_well(&["evaluate", &folder, "--json", "--data", &data]);
    let alone: Value = serde_json::from_str(&alone).unwrap();
    let slice = sliced["slices"].as_array().unwrap();
    let slice = slice.iter().find(|slice| slice["value"] == "tv").unwrap();
    assert_eq!(slice["rows"], alone["rows"]);
    for model in ["model", "logistic"] {
        for (slice, alone) in objectives(&slice[model]).iter().zip(objectives(&alone[model])) {
            for (metric, expected) in alone.as_object().unwrap() {
                let Some(expected) = expected.as_f64() else {
                    assert_eq!(&slice[metric], expected, "{metric}");
                    continue;
                };
                // Products of matrices of another height may round differently.
                let found = slice[metric].as_f64().unwrap();
                assert!((found - expected).abs() < 1e-5, "{metric}: {found} {expected}");
            }
        }
    }
}

#[test]
fn auc_within_users_is_gauc() {
    let feed = trained();
    let evaluation = evaluated(&feed, &["--within", "user", "--within", "slate"]);
    let within = evaluation["within"].as_array().unwrap();
    // Sums over people in another order.
    let same = |within: &Value, model: &str| {
        let [within, whole] =
            [within, &objectives(&evaluation[model])[0]["gauc"]].map(|gauc| gauc.as_f64().unwrap());
        assert!((within - whole).abs() < 1e-12 && whole > 0.5, "{within} {whole}");
    };
    assert_eq!(within.len(), 2, "one binary objective within two keys");
    assert_eq!(
        (&within[0]["field"], &within[0]["objective"], &within[0]["values"]),
        (&"user".into(), &"click".into(), &30.into())
    );
    same(&within[0]["gauc"], "model");
    same(&within[0]["logistic_gauc"], "logistic");
    assert_eq!(within[1]["values"], 80);
}

#[test]
fn an_unknown_field_is_refused_with_the_known_ones() {
    let feed = trained();
    let [folder, data] = ["run", "test.parquet"].map(|name| feed.text(name));
    for option in ["--by", "--within"] {
        let output = run(&["evaluate", &folder, "--data", &data, option, "devise"]);
        let [_, message] = ended(output, 2);
        for name in [
            "`devise`", "device", "item", "minutes", "user", "slate", "position",
        ] {
            assert!(message.contains(name), "no {name} in {message}");
        }
    }
}

#[test]
fn a_log_without_rows_is_refused() {
    let feed = trained();
    write_log(&feed.path("test.parquet"), &rows(&log(10), 0, 0));
    let [folder, data] = ["run", "test.parquet"].map(|name| feed.text(name));
    let [printed, message] = ended(run(&["evaluate", &folder, "--data", &data]), 2);
    assert!(printed.is_empty() && message.contains("no row"), "{message}");
}

#[test]
fn a_folder_that_train_did_not_write_is_refused() {
    let feed = Feed::new();
    let data = feed.text("log.parquet");
    let nowhere = feed.text("nowhere");
    let [_, message] = ended(run(&["evaluate", &nowhere, "--data", &data]), 2);
    assert!(
        message.contains(&nowhere) && message.contains("train"),
        "{message}"
    );
    std::fs::create_dir(feed.path("other")).unwrap();
    feed.write("other/metrics.json", "{}");
    let [_, message] = ended(run(&["evaluate", &feed.text("other"), "--data", &data]), 2);
    assert!(message.contains("metrics.json"), "{message}");
}
