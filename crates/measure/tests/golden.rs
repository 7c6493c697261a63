//! The same numbers as scikit-learn and SciPy; `golden/make.py` writes them.

#![allow(clippy::unwrap_used)]

use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/scikit_learn.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_f64().unwrap())
        .collect()
}

#[track_caller]
fn check(found: f64, expected: &Value, tolerance: f64) {
    let expected = expected.as_f64().unwrap();
    assert!(
        (found - expected).abs() <= tolerance,
        "{found} instead of {expected}"
    );
}

#[test]
fn metrics_equal_those_of_scikit_learn() {
    for case in golden()["cases"].as_array().unwrap() {
        let single =
            |key: &str| -> Vec<f32> { numbers(&case[key]).iter().map(|number| *number as f32).collect() };
        let (predictions, labels) = (single("predictions"), single("labels"));
        let groups: Vec<u64> = case["groups"]
            .as_array()
            .unwrap()
            .iter()
            .map(|group| group.as_u64().unwrap())
            .collect();
        check(measure::auc(&predictions, &labels).unwrap(), &case["auc"], 1e-12);
        check(
            measure::gauc(&predictions, &labels, &groups).unwrap(),
            &case["gauc"],
            1e-12,
        );
        check(measure::log_loss(&predictions, &labels), &case["log_loss"], 1e-12);
        check(
            measure::squared_error(&predictions, &labels),
            &case["squared_error"],
            1e-12,
        );
    }
}

#[test]
fn intervals_equal_those_of_scipy() {
    for case in golden()["intervals"].as_array().unwrap() {
        let interval =
            measure::mean_interval(&numbers(&case["values"]), case["confidence"].as_f64().unwrap());
        check(interval.mean, &case["mean"], 1e-12);
        check(interval.low, &case["low"], 1e-9);
        check(interval.high, &case["high"], 1e-9);
    }
}
