//! What `train`, `check` and `expect` promise: same seed, same bytes; metrics that mean something; whole folders or none.

mod expect;
#[cfg(target_os = "linux")]
mod interrupt;
mod learning;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{ArrayRef, Float64Array, StringArray};
use serde_json::{Value, json};

use crate::fixture::{Columns, Feed, RANKER, edited, files, log, run, run_well, write_log};

fn declared(text: &str) -> Feed {
    let feed = Feed::new();
    std::fs::write(feed.path("ranker.toml"), text).unwrap();
    feed
}

/// What `train` reports.
fn trained(feed: &Feed) -> Value {
    let output = feed.train("run", &["--json"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// An objective's metrics on the test part.
fn metrics<'r>(report: &'r Value, objective: &str) -> &'r Value {
    let objectives = report["test"]["objectives"].as_array().unwrap();
    objectives
        .iter()
        .find(|metrics| metrics["name"] == objective)
        .unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_does_not() {
    let feed = Feed::new();
    for (run, more) in [
        ("a", &[][..]),
        ("b", &[]),
        ("c", &["--seed", "1"]),
        ("d", &["--seed", "1"]),
    ] {
        assert!(feed.train(run, more).status.success());
    }
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|run| files(&feed.path(run)));
    let listed = [
        "baseline/manifest.json",
        "baseline/weights.safetensors",
        "checkpoint/manifest.json",
        "checkpoint/optimizer.safetensors",
        "checkpoint/place.json",
        "checkpoint/ranker.toml",
        "checkpoint/scalers.json",
        "checkpoint/weights.safetensors",
        "metrics.json",
        "model/manifest.json",
        "model/ranker.toml",
        "model/scalers.json",
        "model/table-0.safetensors",
        "model/table-1.safetensors",
        "model/table-2.safetensors",
        "model/weights.safetensors",
        "report.html",
    ];
    assert_eq!(a.keys().collect::<Vec<_>>(), listed);
    assert!(a == b && c == d, "two runs of one seed differ");
    for file in [
        "model/weights.safetensors",
        "model/table-0.safetensors",
        "checkpoint/optimizer.safetensors",
        "metrics.json",
    ] {
        assert!(a[file] != c[file], "{file} does not depend on the seed");
    }
    // Scalers are of the data, not of chance; the declaration says the seed that was used.
    assert!(a["model/scalers.json"] == c["model/scalers.json"]);
    assert_eq!(a["model/ranker.toml"], RANKER.as_bytes());
    assert!(String::from_utf8_lossy(&c["model/ranker.toml"]).contains("seed = 1"));
    assert_eq!(
        names(feed.dir.path()),
        ["a", "b", "c", "d", "log.parquet", "ranker.toml"],
        "nothing else is left"
    );
}

#[test]
fn a_declaration_without_a_train_section_takes_a_seed_too() {
    let start = RANKER.find("[train]").unwrap();
    let end = RANKER.find("[join]").unwrap();
    let feed = declared(&format!("{}{}", &RANKER[..start], &RANKER[end..]));
    let output = feed.train("run", &["--seed", "3", "--json"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["seed"], 3);
}

#[test]
fn metrics_of_every_objective_are_sane_and_better_than_a_constant_where_there_is_something_to_learn() {
    let feed = Feed::new();
    let output = feed.train("run", &[]);
    assert!(output.status.success());
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(
        table.contains("click") && table.contains("watch") && table.contains(&feed.text("run")),
        "{table}"
    );
    let report: Value =
        serde_json::from_slice(&std::fs::read(feed.path("run/metrics.json")).unwrap()).unwrap();
    assert_eq!(report["rows"], json!([1_400, 200, 400]));

    let click = metrics(&report, "click");
    let of = |metrics: &Value, name: &str| {
        metrics[name]
            .as_f64()
            .unwrap_or_else(|| panic!("no `{name}`: {metrics}"))
    };
    assert_eq!(
        (&click["loss_name"], &click["examples"]),
        (&json!("log loss"), &json!(400))
    );
    assert!((0.6..1.0).contains(&of(click, "auc")), "{click}");
    assert!((0.55..1.0).contains(&of(click, "gauc")), "{click}");
    assert!(of(click, "loss") < of(click, "constant_loss"), "{click}");
    assert!((0.7..1.4).contains(&of(click, "calibration")), "{click}");
    assert!((0.05..0.95).contains(&of(click, "mean_label")), "{click}");

    // What is watched of a clicked item is uniform: nothing to learn, and no ranking of labels that are no classes.
    let watch = metrics(&report, "watch");
    assert_eq!(watch["loss_name"], "squared error");
    assert!(watch["auc"].is_null() && watch["gauc"].is_null(), "{watch}");
    assert!(
        (1.0 / 12.0 - 0.03..1.0 / 12.0 + 0.03).contains(&of(watch, "constant_loss")),
        "{watch}"
    );
    assert!(of(watch, "loss") < 1.3 * of(watch, "constant_loss"), "{watch}");
    assert!((0.7..1.4).contains(&of(watch, "calibration")), "{watch}");

    let epochs = report["epochs"].as_array().unwrap();
    let losses: Vec<f64> = epochs.iter().map(|epoch| of(epoch, "relative_loss")).collect();
    let best = losses
        .iter()
        .enumerate()
        .min_by(|a, b| a.1.total_cmp(b.1))
        .unwrap()
        .0
        + 1;
    assert_eq!(report["best_epoch"], best, "{losses:?}");
    assert!(losses[best - 1] < 1.0, "{losses:?}");
}

#[test]
fn with_json_standard_output_is_one_document_and_nothing_else() {
    let feed = Feed::new();
    let output = feed.train("run", &["--json"]);
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let written: Value =
        serde_json::from_slice(&std::fs::read(feed.path("run/metrics.json")).unwrap()).unwrap();
    assert_eq!(printed, written);
    let checked: Value =
        serde_json::from_str(&run_well(&["check", "--json", &feed.text("ranker.toml")])).unwrap();
    assert_eq!(checked["cost"]["multiplications"], printed["multiplications"]);
}

/// One row an id, with what the log's rows of that id say in `columns`.
fn table_of(log: &Columns, key: &'static str, columns: &[&'static str]) -> Columns {
    let column = |name: &str| &log.iter().find(|(other, _)| *other == name).unwrap().1;
    let ids = column(key).as_string::<i32>();
    let firsts: BTreeMap<&str, usize> = ids
        .iter()
        .flatten()
        .enumerate()
        .map(|(row, id)| (id, row))
        .collect();
    let values = |name: &str| -> ArrayRef {
        let values = column(name).as_primitive::<Float64Type>();
        Arc::new(Float64Array::from_iter_values(
            firsts.values().map(|&row| values.value(row)),
        ))
    };
    let ids: ArrayRef = Arc::new(StringArray::from_iter_values(firsts.keys()));
    [(key, ids)]
        .into_iter()
        .chain(columns.iter().map(|&name| (name, values(name))))
        .collect()
}

#[test]
fn tables_joined_in_give_the_same_bytes_as_the_same_values_in_the_log() {
    let feed = declared(&edited(
        "item = {",
        "loyalty = { side = \"user\", kind = \"number\" }\nitem = {",
    ));
    let mut wide = log(2_000);
    let users = wide
        .iter()
        .find(|(name, _)| *name == "user")
        .unwrap()
        .1
        .as_string::<i32>();
    let loyalty = users
        .iter()
        .flatten()
        .map(|user| user[1..].parse::<f64>().unwrap() / 7.0);
    let loyalty: ArrayRef = Arc::new(Float64Array::from_iter_values(loyalty));
    wide.push(("loyalty", loyalty));
    write_log(&feed.path("log.parquet"), &wide);
    assert!(feed.train("wide", &[]).status.success());

    write_log(
        &feed.path("users.parquet"),
        &table_of(&wide, "user", &["loyalty"]),
    );
    write_log(
        &feed.path("items.parquet"),
        &table_of(&wide, "item", &["appeal", "minutes"]),
    );
    wide.retain(|(name, _)| !["loyalty", "appeal", "minutes"].contains(name));
    write_log(&feed.path("log.parquet"), &wide);
    let (users, items) = (feed.text("users.parquet"), feed.text("items.parquet"));
    let output = feed.train("joined", &["--users", &users, "--items", &items]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(files(&feed.path("wide")) == files(&feed.path("joined")));
}

#[test]
fn an_objective_that_is_given_another_has_examples_only_where_that_label_is_1() {
    let mut columns = log(2_000);
    let clicks: Vec<i64> = {
        let (_, click) = columns.iter().find(|(name, _)| *name == "click").unwrap();
        click.as_primitive::<Int64Type>().values().to_vec()
    };
    // Everything is played for a minute, clicked or not.
    let (_, played) = columns.iter_mut().find(|(name, _)| *name == "played").unwrap();
    *played = Arc::new(Float64Array::from(vec![1.0; clicks.len()]));
    let feed = Feed::new();
    write_log(&feed.path("log.parquet"), &columns);
    let clicked = clicks[1_600..].iter().sum::<i64>();
    assert!((1..400).contains(&clicked));
    assert_eq!(metrics(&trained(&feed), "watch")["examples"], clicked);

    let everywhere = declared(&edited(", given = \"click\"", ""));
    write_log(&everywhere.path("log.parquet"), &columns);
    assert_eq!(metrics(&trained(&everywhere), "watch")["examples"], 400);
}

#[test]
fn shared_bottom_trains_too() {
    let text = edited("architecture = \"mmoe\"", "architecture = \"shared-bottom\"");
    let feed = declared(&text.replace("experts = { count = 2, widths = [8] }\n", ""));
    let report = trained(&feed);
    let click = metrics(&report, "click");
    assert!(click["auc"].as_f64().unwrap() > 0.6, "{click}");
    // Input 14, one shared layer of 8, two towers of 4 and 1.
    assert_eq!(report["multiplications"], 14 * 8 + 2 * (8 * 4 + 4));
}

#[test]
fn check_counts_the_multiplications_that_a_hand_counts() {
    let feed = Feed::new();
    let report: Value =
        serde_json::from_str(&run_well(&["check", "--json", &feed.text("ranker.toml")])).unwrap();
    // Rows of user and item, 4 each; appeal and whether it is missing; minutes with its powers and whether it is missing.
    let input = 4 + 4 + 2 + 4;
    let (shared, experts, gates) = (input * 8, 2 * (8 * 8), 2 * (8 * 2));
    let (mix, towers) = (2 * 2 * 8, 2 * (8 * 4 + 4));
    assert_eq!(report["cost"]["input_width"], input);
    assert_eq!(
        report["cost"]["multiplications"],
        shared + experts + gates + mix + towers
    );
    let tables = 2 * (64 + 1) * 4;
    let dense = (shared + 8) + (experts + 2 * 8) + gates + (towers + 2 * (4 + 1));
    // Two objectives, phone, tv and any other device, five positions and none.
    let shallow = 2 * 3 * 6;
    assert_eq!(report["cost"]["parameters"], tables + dense + shallow);
    let drawn = run_well(&["check", &feed.text("ranker.toml")]);
    assert!(
        drawn.contains("2 x [8 -> 8]") && drawn.contains("376 multiplications per candidate"),
        "{drawn}"
    );
}

#[test]
fn overwrite_replaces_the_folder_whole() {
    let feed = Feed::new();
    assert!(feed.train("first", &[]).status.success());
    std::fs::create_dir(feed.path("run")).unwrap();
    assert!(
        feed.train("run", &["--seed", "1", "--overwrite"])
            .status
            .success(),
        "an empty folder has nothing to lose"
    );
    std::fs::write(feed.path("run/model/stale.txt"), "old").unwrap();
    assert!(feed.train("run", &["--overwrite"]).status.success());
    assert!(files(&feed.path("first")) == files(&feed.path("run")));
    assert_eq!(
        names(feed.dir.path()),
        ["first", "log.parquet", "ranker.toml", "run"]
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let feed = Feed::new();
    let (ranker, log) = (feed.text("ranker.toml"), feed.text("log.parquet"));
    let below_a_file = feed.text("log.parquet/run");
    // Nobody makes folders in /proc, whoever runs this.
    let mut places = vec![below_a_file.as_str()];
    if cfg!(target_os = "linux") {
        places.push("/proc/run");
    }
    for out in places {
        let output = run(&["train", &ranker, "--data", &log, "--out", out]);
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(matches!(output.status.code(), Some(1 | 2)), "{message}");
        assert!(
            output.stdout.is_empty() && message.contains(Path::new(out).parent().unwrap().to_str().unwrap()),
            "{message}"
        );
    }
    assert_eq!(names(feed.dir.path()), ["log.parquet", "ranker.toml"]);
}

#[test]
fn a_log_without_positions_trains_with_a_warning_that_no_position_bias_is_taken_out() {
    let feed = Feed::new();
    let warned = |columns: &Columns| {
        write_log(&feed.path("log.parquet"), columns);
        let output = feed.train("run", &["--json", "--overwrite"]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        report["warnings"]
            .to_string()
            .contains("no row of the training part has a position")
    };
    let mut columns = log(600);
    assert!(!warned(&columns));
    columns.retain(|(name, _)| *name != "position");
    assert!(warned(&columns));
}
