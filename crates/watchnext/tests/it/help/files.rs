//! The folder in which examples run: the names that they use exist.

use std::path::Path;
use std::sync::OnceLock;

use arrow_array::cast::AsArray;
use serde_json::{Value, json};
use tempfile::TempDir;
use toml_edit::DocumentMut;

use crate::fixture::{
    Columns, RANKER, Serving, chance, log, numbers, run_well, texts, unfinished, whole, write_csv, write_log,
};

const ROWS: usize = 2_000;

/// A fresh copy of the folder.
pub(super) fn prepared() -> TempDir {
    static FIRST: OnceLock<TempDir> = OnceLock::new();
    let first = FIRST.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path());
        folder
    });
    let copy = tempfile::tempdir().unwrap();
    copy_into(first.path(), copy.path());
    copy
}

fn copy_into(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_into(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn fill(folder: &Path) {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    copy_into(&sources, &folder.join("examples"));
    std::fs::write(folder.join("ranker.toml"), RANKER).unwrap();

    let log = wide_log();
    write_csv(&folder.join("log.csv"), &crate::fixture::log(ROWS));
    for name in ["log.parquet", "day9.parquet", "new.parquet", "random.parquet"] {
        write_log(&folder.join(name), &log);
    }
    let (users, items) = tables(&log);
    write_log(&folder.join("users.parquet"), &users);
    write_log(&folder.join("videos.parquet"), &items);

    let name = |name: &str| folder.join(name).display().to_string();
    let [ranker, data, run, store] = ["ranker.toml", "log.parquet", "run", "store"].map(name);
    run_well(&["train", &ranker, "--data", &data, "--out", &run]);
    unfinished(&["train", &ranker, "--data", &data, "--out", &name("long")]);
    let policy = run_well(&["policy", &data]);
    std::fs::write(folder.join("policy.csv"), policy).unwrap();
    for seed in 0..3 {
        within_bounds(folder, &format!("run-{seed}"));
    }

    // What was served and answered is in the store.
    let arguments = ["serve", "--store", &store, "--model", &run, "--clock", "events"];
    let serving = Serving::start(&[&arguments[..], &["--listen", "127.0.0.1:0"]].concat());
    run_well(&["send", &ranker, "--data", &data, "--to", &serving.base]);
    log_candidates(&serving.base);
}

/// Slates of another ranker with the candidates that each was chosen from.
fn log_candidates(base: &str) {
    let slate = |number: usize| {
        let items = |count: usize| -> Vec<String> {
            (0..count).map(|at| format!("v{}", (number + at) % 40)).collect()
        };
        let shown: Vec<Value> = items(5).into_iter().map(|item| json!({ "item": item })).collect();
        json!({ "id": format!("chosen-{number}"), "user": format!("u{}", number % 7), "items": shown, "candidates": items(12) })
    };
    let slates: Vec<Value> = (0..40).map(slate).collect();
    ureq::post(format!("{base}/v1/slates"))
        .send_json(&slates)
        .unwrap();
}

/// The fixture's log, with the columns of the examples' declarations beside its own.
fn wide_log() -> Columns {
    let mut columns = log(ROWS);
    let column = |name: &str| {
        columns
            .iter()
            .find(|(other, _)| *other == name)
            .unwrap()
            .1
            .clone()
    };
    let copies = [
        ("user_id", column("user")),
        ("video_id", column("item")),
        ("item_id", column("item")),
        ("time_ms", column("time")),
        ("is_click", column("click")),
    ];
    let mut chance = chance(3);
    let mut labels = |share: f64| whole((0..ROWS).map(|_| i64::from(chance() < share)).collect::<Vec<_>>());
    let made = [
        ("long_view", labels(0.4)),
        ("is_follow", labels(0.1)),
        ("is_comment", labels(0.1)),
        ("is_forward", labels(0.1)),
        ("is_profile_enter", labels(0.1)),
        ("label", labels(0.7)),
        ("propensity", numbers((0..ROWS).map(|_| 1.0 / 40.0))),
        (
            "shuffled",
            whole((0..ROWS).map(|row| (row / 5 % 2) as i64).collect::<Vec<_>>()),
        ),
        (
            "hourmin",
            texts((0..ROWS).map(|row| format!("{:02}00", row / 5 % 24))),
        ),
        (
            "duration_ms",
            numbers((0..ROWS).map(|row| 1_000.0 * (row % 40 + 5) as f64)),
        ),
        (
            "play_time_ms",
            numbers((0..ROWS).map(|row| 1_000.0 * (row % 5) as f64)),
        ),
    ];
    columns.extend(copies);
    columns.extend(made);
    columns
}

/// A table of the log's users and one of its items, each by both names that declarations know its key by.
fn tables(log: &Columns) -> (Columns, Columns) {
    let distinct = |name: &str| -> Vec<String> {
        let (_, column) = log.iter().find(|(other, _)| *other == name).unwrap();
        let ids: std::collections::BTreeSet<&str> = column.as_string::<i32>().iter().flatten().collect();
        ids.into_iter().map(str::to_owned).collect()
    };
    let (users, items) = (distinct("user"), distinct("item"));
    let ranges = |name: &'static str| {
        (
            name,
            texts(users.iter().map(|user| format!("{name} {}", user.len()))),
        )
    };
    let users_table = vec![
        ("user", texts(&users)),
        ("user_id", texts(&users)),
        ranges("user_active_degree"),
        ranges("follow_user_num_range"),
        ranges("fans_user_num_range"),
        ranges("register_days_range"),
    ];
    let items_table = vec![
        ("item", texts(&items)),
        ("video_id", texts(&items)),
        ("tag", texts(items.iter().map(|item| format!("t{}", item.len())))),
    ];
    (users_table, items_table)
}

/// A run's folder whose metrics meet each file of bounds in `examples/kuairand`: as if its log had been the real one.
fn within_bounds(folder: &Path, name: &str) {
    let metrics = folder.join("run/metrics.json");
    let mut report: Value = serde_json::from_slice(&std::fs::read(metrics).unwrap()).unwrap();
    let like = report["test"]["objectives"][0].clone();
    let objectives = report["test"]["objectives"].as_array_mut().unwrap();
    objectives.clear();
    let text = std::fs::read_to_string(folder.join("examples/kuairand/expected.toml")).unwrap();
    let bounds: DocumentMut = text.parse().unwrap();
    for (objective, metrics) in bounds.iter() {
        let mut met = like.clone();
        met["name"] = objective.into();
        for (metric, limits) in metrics.as_table_like().unwrap().iter() {
            let limit = |key: &str| limits.get(key)?.as_float();
            let inside = limit("min")
                .map(|least| least + 1e-3)
                .or(limit("max").map(|most| most - 1e-3));
            met[metric] = inside.unwrap().into();
        }
        objectives.push(met);
    }
    let run = folder.join(name);
    std::fs::create_dir(&run).unwrap();
    std::fs::write(run.join("metrics.json"), report.to_string()).unwrap();
}
