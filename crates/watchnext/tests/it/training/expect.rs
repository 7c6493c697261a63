//! `expect`: bounds that hold, that are missed, and that cannot be read.

use std::process::Output;

use serde_json::{Value, json};

use super::metrics;
use crate::fixture::{Feed, ended, run};

#[test]
fn expect_holds_means_of_runs_against_bounds() {
    let feed = Feed::new();
    assert!(feed.train("a", &[]).status.success());
    assert!(feed.train("b", &["--seed", "1"]).status.success());
    let runs = [feed.text("a"), feed.text("b")];
    let expect = |bounds: &str| {
        std::fs::write(feed.path("expected.toml"), bounds).unwrap();
        run(&["expect", &feed.text("expected.toml"), &runs[0], &runs[1]])
    };

    let holds = expect(
        "[click]\nauc = { min = 0.6, max = 1 }\nloss = { max = 0.7 }\n[watch]\ncalibration = { min = 0.5 }\n",
    );
    assert!(
        holds.status.success(),
        "{}",
        String::from_utf8_lossy(&holds.stderr)
    );
    let table = String::from_utf8(holds.stdout).unwrap();
    let [a, b] = ["a", "b"].map(|run| {
        let report = std::fs::read(feed.path(run).join("metrics.json")).unwrap();
        metrics(&serde_json::from_slice(&report).unwrap(), "click")["auc"]
            .as_f64()
            .unwrap()
    });
    assert!(
        table.contains(&format!("{:.4}", (a + b) / 2.0)) && table.contains(&format!("{a:.4} {b:.4}")),
        "{table}"
    );
    assert_eq!(table.matches("holds").count(), 3, "{table}");

    let missed = expect("[click]\nauc = { min = 0.999 }\nloss = { min = 0 }\n");
    assert_eq!(missed.status.code(), Some(1));
    assert!(String::from_utf8(missed.stdout).unwrap().contains("MISSED"));
    let message = String::from_utf8(missed.stderr).unwrap();
    assert!(
        message.contains("click auc") && !message.contains("click loss"),
        "{message}"
    );

    for (bounds, says) in [
        ("[click]\naux = { min = 0.5 }\n", "no `aux` of `click`"),
        ("[like]\nauc = { min = 0.5 }\n", "no `auc` of `like`"),
        ("[watch]\nauc = { min = 0.5 }\n", "no `auc` of `watch`"),
        ("[click]\nauc = 0.7\n", "`click.auc` needs `min` or `max`"),
        (
            "[click]\nauc = { min = \"high\" }\n",
            "`click.auc.min` is no number",
        ),
        ("[click]\nauc = { min = 0.5, mx = 0.9 }\n", "unknown key `mx`"),
        ("click = 0.7\n", "`click` is no table"),
        ("[click]\n", "no bounds"),
        ("", "no bounds"),
        ("[click\n", "expected.toml"),
    ] {
        let unusable = expect(bounds);
        let message = String::from_utf8(unusable.stderr).unwrap();
        assert_eq!(unusable.status.code(), Some(2), "{bounds}: {message}");
        assert!(message.contains(says), "{message}");
    }
    std::fs::write(feed.path("expected.toml"), "[click]\nauc = { min = 0.5 }\n").unwrap();
    let nowhere = run(&["expect", &feed.text("expected.toml"), &feed.text("nowhere")]);
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(
        String::from_utf8(nowhere.stderr)
            .unwrap()
            .contains(&feed.text("nowhere"))
    );
}

/// Runs made by hand: the metrics of a real one, changed in places.
struct Runs(Feed);

impl Runs {
    /// A real run in the folder `real`.
    fn new() -> Runs {
        let feed = Feed::new();
        ended(feed.train("real", &[]), 0);
        Runs(feed)
    }

    /// A run whose metrics `change` has changed.
    fn with(&self, name: &str, change: impl Fn(&mut Value)) {
        let mut report = self.0.metrics("real");
        change(&mut report);
        std::fs::create_dir(self.0.path(name)).unwrap();
        self.0.write(&format!("{name}/metrics.json"), &report.to_string());
    }

    fn expect(&self, bounds: &str, runs: &[&str], against: &[&str]) -> Output {
        let bounds = self.0.write("expected.toml", bounds);
        let folders =
            |names: &[&str]| -> Vec<String> { names.iter().map(|name| self.0.text(name)).collect() };
        let (runs, against) = (folders(runs), folders(against));
        let mut arguments = vec!["expect", &bounds];
        arguments.extend(runs.iter().map(String::as_str));
        if !against.is_empty() {
            arguments.push("--against");
            arguments.extend(against.iter().map(String::as_str));
        }
        run(&arguments)
    }

    fn holds(&self, bounds: &str, runs: &[&str], against: &[&str]) -> String {
        let [table, _] = ended(self.expect(bounds, runs, against), 0);
        assert!(!table.contains("MISSED"), "{table}");
        table
    }

    fn misses(&self, bounds: &str, runs: &[&str], against: &[&str]) {
        let [table, message] = ended(self.expect(bounds, runs, against), 1);
        assert!(
            table.contains("MISSED") && message.contains("out of bounds"),
            "{table}{message}"
        );
    }

    fn cannot(&self, bounds: &str, runs: &[&str], against: &[&str], says: &str) {
        let [table, message] = ended(self.expect(bounds, runs, against), 2);
        assert!(table.is_empty() && message.contains(says), "{bounds}: {message}");
    }
}

/// Sets `auc` of `click`, the first objective.
fn auc(part: &'static str, value: f64) -> impl Fn(&mut Value) {
    move |report| report[part]["objectives"][0]["auc"] = json!(value)
}

#[test]
fn expect_holds_each_run_where_the_bound_says_so() {
    let runs = Runs::new();
    for (name, value) in [("low", 0.60), ("high", 0.80)] {
        runs.with(name, auc("test", value));
    }
    let both = ["low", "high"];
    let table = runs.holds(
        "[click]\nauc = { min = 0.69, each_min = 0.59, each_max = 0.81 }\n",
        &both,
        &[],
    );
    assert!(
        table.contains("0.7000") && table.contains("each at least 0.59"),
        "{table}"
    );
    runs.misses("[click]\nauc = { min = 0.69, each_min = 0.61 }\n", &both, &[]);
    runs.misses("[click]\nauc = { each_max = 0.79 }\n", &both, &[]);
}

#[test]
fn expect_holds_differences_from_the_logistic_regression_of_the_same_run() {
    let runs = Runs::new();
    for (name, value, baseline) in [("a", 0.75, 0.70), ("b", 0.72, 0.71)] {
        runs.with(name, |report| {
            auc("test", value)(report);
            auc("logistic", baseline)(report);
        });
    }
    let both = ["a", "b"];
    // +0.05 and +0.01.
    let table = runs.holds(
        "[click]\nauc = { min_over_logistic = 0.029, max_over_logistic = 0.031 }\n",
        &both,
        &[],
    );
    assert!(
        table.contains("0.0300") && table.contains("0.0500 0.0100"),
        "{table}"
    );
    runs.misses("[click]\nauc = { min_over_logistic = 0.031 }\n", &both, &[]);
    runs.misses("[click]\nauc = { max_over_logistic = 0.029 }\n", &both, &[]);
    runs.holds("[click]\nauc = { each_over_logistic = 0.009 }\n", &both, &[]);
    runs.misses("[click]\nauc = { each_over_logistic = 0.011 }\n", &both, &[]);
    // The value and the difference, two lines.
    let table = runs.holds(
        "[click]\nauc = { min = 0.73, min_over_logistic = 0.0 }\n",
        &both,
        &[],
    );
    assert_eq!(table.matches("holds").count(), 2, "{table}");

    ended(runs.0.train("bare", &["--no-baseline"]), 0);
    let bound = "[click]\nauc = { min_over_logistic = 0 }\n";
    runs.cannot(bound, &["bare"], &[], "`--no-baseline`");
    runs.holds("[click]\nauc = { min = 0.5 }\n", &["bare"], &[]);
}

#[test]
fn expect_holds_differences_from_other_runs_pair_by_pair() {
    let runs = Runs::new();
    for (name, value) in [("a", 0.75), ("b", 0.72), ("c", 0.70), ("d", 0.73)] {
        runs.with(name, auc("test", value));
    }
    // +0.05 and -0.01.
    let (these, others) = (["a", "b"], ["c", "d"]);
    let table = runs.holds(
        "[click]\nauc = { min_over_other = 0.019, max_over_other = 0.021 }\n",
        &these,
        &others,
    );
    assert!(
        table.contains("0.0200") && table.contains("0.0500 -0.0100"),
        "{table}"
    );
    runs.misses("[click]\nauc = { min_over_other = 0.021 }\n", &these, &others);
    runs.misses("[click]\nauc = { max_over_other = 0.019 }\n", &these, &others);
    let bound = "[click]\nauc = { min_over_other = 0 }\n";
    runs.cannot(bound, &these, &[], "`--against`");
    runs.cannot(bound, &these, &["c"], "2 runs `--against` 1: expected as many");
    runs.cannot(bound, &these, &["c", "nowhere"], "nowhere");
}

/// Makes the curve of `click` in one cell: (position, rows, raw, learned).
fn curve(points: &'static [(u32, u64, f64, f64)]) -> impl Fn(&mut Value) {
    move |report| {
        let points = points.iter().map(|(position, rows, raw, learned)| {
            json!({ "position": position, "rows": rows, "raw": raw, "learned": learned })
        });
        let points: Vec<Value> = points.collect();
        report["position_curves"] = json!([{ "objective": "click", "cell": "", "points": points }]);
    }
}

#[test]
fn expect_holds_position_curves_near_the_raw_rates() {
    let runs = Runs::new();
    // Off by +0.3 and -0.1: by +0.1 in the mean. The last position has too few rows to count.
    runs.with(
        "a",
        curve(&[
            (1, 900, 0.0, 0.0),
            (2, 900, -0.5, -0.2),
            (3, 900, -1.0, -0.7),
            (4, 10, -1.5, 9.0),
        ]),
    );
    runs.with(
        "b",
        curve(&[
            (1, 900, 0.0, 0.0),
            (2, 900, -0.5, -0.6),
            (3, 900, -1.0, -1.1),
            (4, 10, -1.5, 9.0),
        ]),
    );
    let bound = |rows: u32, mean: f64, each: f64, falls: &str| {
        format!(
            "[click]\nposition_curve = {{ rows = {rows}, mean_within = {mean}, each_within = {each}, falls = {falls} }}\n"
        )
    };
    let both = ["a", "b"];
    let table = runs.holds(&bound(500, 0.11, 0.31, "[1, 2, 3]"), &both, &[]);
    assert!(
        table.contains("0.1000") && table.contains("0.3000 0.1000"),
        "{table}"
    );
    assert!(table.contains("-0.4000 -0.9000"), "the mean curve: {table}");
    runs.misses(&bound(500, 0.09, 0.31, "[]"), &both, &[]);
    runs.misses(&bound(500, 0.11, 0.29, "[]"), &both, &[]);
    runs.misses(&bound(5, 0.11, 0.31, "[]"), &both, &[]);
    runs.misses(&bound(500, 0.11, 0.31, "[1, 3, 2]"), &both, &[]);

    // What nothing can be held against does not hold.
    runs.cannot(
        &bound(1_000, 9.0, 9.0, "[]"),
        &both,
        &[],
        "too few positions of 1000 training rows",
    );
    runs.cannot(&bound(500, 9.0, 9.0, "[1, 4]"), &both, &[], "too few positions");
    runs.with("none", |report| report["position_curves"] = json!([]));
    runs.cannot(
        &bound(500, 9.0, 9.0, "[]"),
        &["none"],
        &[],
        "no position curve of `click`",
    );
    runs.cannot(
        &bound(500, 9.0, 9.0, "[\"1\"]"),
        &both,
        &[],
        "no list of positions",
    );
    let bare = "[click]\nposition_curve = { rows = 500, mean_within = 0.1 }\n";
    runs.cannot(bare, &both, &[], "needs the number `each_within`");
    let typo = "[click]\nposition_curve = { row = 500 }\n";
    runs.cannot(typo, &both, &[], "unknown key `row`");
}

#[test]
fn expect_looks_at_the_curve_of_every_cell_of_the_bias_fields() {
    let runs = Runs::new();
    let cells = |report: &mut Value| {
        let points = |last: f64| json!([{ "position": 1, "rows": 900, "raw": 0.0, "learned": 0.0 }, { "position": 2, "rows": 900, "raw": -1.0, "learned": last }]);
        report["position_curves"] = json!([
            { "objective": "click", "cell": "phone", "points": points(-1.0) },
            { "objective": "click", "cell": "tv", "points": points(0.5) },
        ]);
    };
    runs.with("cells", cells);
    let bound = |within: f64, falls: &str| {
        format!(
            "[click]\nposition_curve = {{ rows = 500, mean_within = {within}, each_within = {within}{falls} }}\n"
        )
    };
    runs.holds(&bound(1.6, ""), &["cells"], &[]);
    runs.misses(&bound(1.4, ""), &["cells"], &[]);
    let [table, _] = ended(runs.expect(&bound(1.6, ", falls = [1, 2]"), &["cells"], &[]), 1);
    assert!(
        table.contains("of phone at [1, 2]") && table.contains("of tv at [1, 2]"),
        "{table}"
    );
}
