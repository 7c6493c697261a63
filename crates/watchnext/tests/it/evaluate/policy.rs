//! `evaluate --policy`: what another policy would earn, on a log whose propensities and rewards are known.

use serde_json::Value;

use crate::fixture::{Columns, Feed, chance, ended, numbers, run, run_well, texts, whole, write_log};

/// Items; at each position each is shown with the same probability.
const ITEMS: usize = 8;
const ROWS: usize = 6_000;

const RANKER: &str = r#"
[keys]
absent = ["user"]

[fields]
item = { side = "item", kind = "id", dim = 4, values = ["v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7"] }

[objectives]
click = { group = "engagement", loss = "binary" }
watch = { group = "engagement", loss = "squared", label = "click" }

[model]
architecture = "shared-bottom"
shared = [4]

[score]
click = 1.0

[train]
batch = 64
epochs = 2
learning_rate = 0.01
"#;

/// The chance of a click on item `item` at position `position`.
fn truth(item: usize, position: usize) -> f64 {
    (0.1 + 0.08 * item as f64) / position as f64
}

/// Items drawn with equal chances, at positions 1 and 2.
fn uniform_log(seed: u64) -> Columns {
    let mut chance = chance(seed);
    let (mut items, mut clicks) = (Vec::new(), Vec::new());
    for row in 0..ROWS {
        let item = (chance() * ITEMS as f64) as usize;
        items.push(item);
        clicks.push(i64::from(chance() < truth(item, row % 2 + 1)));
    }
    vec![
        ("time", whole((0..ROWS).map(|row| row as i64 / 2))),
        ("item", texts(items.iter().map(|item| format!("v{item}")))),
        ("position", whole((0..ROWS).map(|row| row as i64 % 2 + 1))),
        ("propensity", numbers((0..ROWS).map(|_| 1.0 / ITEMS as f64))),
        ("click", whole(clicks)),
    ]
}

/// Trained on one log of uniform choices; another one, `random.parquet`, is to judge by.
fn judged() -> (Feed, Columns) {
    let feed = Feed::new();
    feed.write("ranker.toml", RANKER);
    write_log(&feed.path("log.parquet"), &uniform_log(1));
    ended(feed.train("run", &[]), 0);
    let random = uniform_log(2);
    write_log(&feed.path("random.parquet"), &random);
    (feed, random)
}

fn valued(feed: &Feed, policy: &str) -> Value {
    let [folder, data, policy] = [
        feed.text("run"),
        feed.text("random.parquet"),
        feed.write("policy.csv", policy),
    ];
    let json = run_well(&[
        "evaluate", &folder, "--json", "--data", &data, "--policy", &policy,
    ]);
    serde_json::from_str::<Value>(&json).unwrap()["policy"].clone()
}

fn holds(interval: &Value, value: f64) -> bool {
    let of = |key: &str| interval[key].as_f64().unwrap();
    assert!(of("low") < of("mean") && of("mean") < of("high"), "{interval}");
    of("low") <= value && value <= of("high")
}

/// Labels of the rows for which `keep` says so: their mean.
fn mean_click(columns: &Columns, keep: impl Fn(&str, i64) -> bool) -> f64 {
    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;
    let column = |name: &str| {
        columns
            .iter()
            .find(|(other, _)| *other == name)
            .unwrap()
            .1
            .clone()
    };
    let (items, positions, clicks) = (column("item"), column("position"), column("click"));
    let (positions, clicks) = (
        positions.as_primitive::<Int64Type>(),
        clicks.as_primitive::<Int64Type>(),
    );
    let kept: Vec<f64> = (0..ROWS)
        .filter(|row| keep(items.as_string::<i32>().value(*row), positions.value(*row)))
        .map(|row| clicks.value(row) as f64)
        .collect();
    kept.iter().sum::<f64>() / kept.len() as f64
}

#[test]
fn the_value_of_always_showing_one_item_is_its_click_rate() {
    let (feed, random) = judged();
    let report = valued(&feed, "item,probability\nv7,1\n");
    // Both positions come equally often.
    let value = (truth(7, 1) + truth(7, 2)) / 2.0;
    for estimate in ["ips", "snips", "doubly_robust"] {
        assert!(
            holds(&report[estimate]["value"], value),
            "{estimate}: {value} in {report}"
        );
        assert!(report[estimate]["too_few"].is_null(), "{report}");
    }
    assert_eq!(report["reward"], "click");
    // Self-normalised, it is the mean of the rows that show the item.
    let own = mean_click(&random, |item, _| item == "v7");
    let snips = report["snips"]["value"]["mean"].as_f64().unwrap();
    assert!((snips - own).abs() < 1e-9, "{snips} {own}");
    assert!((report["ips"]["max_weight"].as_f64().unwrap() - ITEMS as f64).abs() < 1e-4);
    // No other item's value.
    assert!(!holds(&report["ips"]["value"], (truth(3, 1) + truth(3, 2)) / 2.0));
}

#[test]
fn a_policy_may_differ_by_position() {
    let (feed, _) = judged();
    let report = valued(&feed, "item,position,probability\nv7,1,1\nv0,2,0.5\nv7,2,0.5\n");
    let value = (truth(7, 1) + (truth(0, 2) + truth(7, 2)) / 2.0) / 2.0;
    for estimate in ["ips", "snips", "doubly_robust"] {
        assert!(
            holds(&report[estimate]["value"], value),
            "{estimate}: {value} in {report}"
        );
    }
    // Rows of a position that the policy does not know are left out.
    let first = valued(&feed, "item,position,probability\nv7,1,1\n");
    assert_eq!(
        (&report["rows"], &first["rows"]),
        (&ROWS.into(), &(ROWS / 2).into())
    );
    assert!(holds(&first["ips"]["value"], truth(7, 1)));
}

#[test]
fn as_logged_is_the_mean_label_and_the_policy_of_the_log_weighs_every_row_about_1() {
    let (feed, random) = judged();
    let own = run_well(&["policy", &feed.text("random.parquet")]);
    let report = valued(&feed, &own);
    let mean = mean_click(&random, |_, _| true);
    let of = |value: &Value| value["mean"].as_f64().unwrap();
    assert!((of(&report["logged"]) - mean).abs() < 1e-9, "{report}");
    assert_eq!(report["rows"], ROWS);
    assert_eq!(report["positives"], (mean * ROWS as f64).round() as u64);
    for estimate in ["ips", "snips", "doubly_robust"] {
        assert!((of(&report[estimate]["value"]) - mean).abs() < 0.005, "{report}");
        let rows = report[estimate]["effective_sample_size"].as_f64().unwrap();
        assert!(
            rows > 0.98 * ROWS as f64 && rows <= ROWS as f64 + 1e-6,
            "{report}"
        );
        let most = report[estimate]["max_weight"].as_f64().unwrap();
        assert!((1.0..1.25).contains(&most), "{report}");
    }

    let [folder, data, policy] = ["run", "random.parquet", "policy.csv"].map(|name| feed.text(name));
    let printed = run_well(&["evaluate", &folder, "--data", &data, "--policy", &policy]);
    let line = printed
        .lines()
        .find(|line| line.starts_with("as logged"))
        .unwrap();
    assert!(line.contains(&format!("{mean:.5}")), "{line}");
    for estimate in ["IPS", "SNIPS", "DR"] {
        assert!(
            printed
                .lines()
                .any(|line| line.starts_with(&format!("{estimate} "))),
            "{printed}"
        );
    }
}

#[test]
fn the_policy_of_a_log_is_how_often_it_shows_each_item_at_each_position() {
    let feed = Feed::new();
    let log = feed.write("log.csv", "doc,place,x\na,1,0\na,1,0\n\"b,c\",1,1\na,2,1\n");
    let printed = run_well(&["policy", &log, "--item", "doc", "--position", "place"]);
    let expected = "item,position,probability\na,1,0.6666666666666666\n\"b,c\",1,0.3333333333333333\na,2,1\n";
    assert_eq!(printed, expected);
    let [_, message] = ended(run(&["policy", &log, "--item", "doc", "--position", "x"]), 2);
    assert!(
        message.contains(&format!(
            "`{log}`, row 1, column `x`: found 0, expected a whole number from 1"
        )),
        "{message}"
    );
    let [_, message] = ended(run(&["policy", &log, "--position", "place"]), 2);
    assert!(
        message.contains("`item`") && message.contains("doc, place, x"),
        "{message}"
    );
}

#[test]
fn items_are_the_same_whatever_type_their_column_has() {
    let feed = Feed::new();
    let positions = || ("position", whole([1, 1, 2]));
    write_log(
        &feed.path("whole.parquet"),
        &vec![("item", whole([7, 8, 7])), positions()],
    );
    write_log(
        &feed.path("numbers.parquet"),
        &vec![("item", numbers([7.0, 8.0, 7.0])), positions()],
    );
    write_log(
        &feed.path("texts.parquet"),
        &vec![("item", texts(["7", "8", "7"])), positions()],
    );
    for name in ["whole.parquet", "numbers.parquet", "texts.parquet"] {
        let printed = run_well(&["policy", &feed.text(name)]);
        assert_eq!(
            printed, "item,position,probability\n7,1,0.5\n8,1,0.5\n7,2,1\n",
            "{name}"
        );
    }
}

#[test]
fn a_policy_a_reward_or_a_log_that_cannot_be_used_is_refused_with_what_to_do() {
    let (feed, random) = judged();
    let [folder, data] = ["run", "random.parquet"].map(|name| feed.text(name));
    for (policy, says) in [
        ("item,chance\nv1,1\n", "`probability`"),
        ("item,probability\nv1,0.5\n", "sum to 0.5"),
        ("item,probability\nv1,1.5\n", "row 1 has the probability 1.5"),
        (
            "item,probability\nv1,0.5\nv1,0.5\n",
            "row 2: `v1` is already there",
        ),
        (
            "item,position,probability\nv1,0,1\n",
            "row 1 has no position from 1",
        ),
    ] {
        let file = feed.write("policy.csv", policy);
        let [_, message] = ended(run(&["evaluate", &folder, "--data", &data, "--policy", &file]), 2);
        assert!(
            message.contains(&file) && message.contains(says),
            "{policy}: {message}"
        );
    }
    let policy = feed.write("policy.csv", "item,probability\nv1,1\n");
    let arguments = ["evaluate", &folder, "--data", &data, "--policy", &policy];
    let [_, message] = ended(run(&[&arguments[..], &["--reward", "clicks"]].concat()), 2);
    assert!(message.contains("click, watch"), "{message}");
    let [_, message] = ended(run(&[&arguments[..4], &["--reward", "click"]].concat()), 2);
    assert!(message.contains("--policy"), "{message}");

    let mut bare = random;
    bare.retain(|(name, _)| *name != "propensity");
    write_log(&feed.path("random.parquet"), &bare);
    let [_, message] = ended(run(&arguments), 2);
    assert!(message.contains("`[keys] propensity`"), "{message}");
}
