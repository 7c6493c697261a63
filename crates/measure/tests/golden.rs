//! The same numbers as scikit-learn and SciPy; `golden/make.py` writes them.

#![allow(clippy::unwrap_used)]

use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/scikit_learn.json")).unwrap()
}

fn singles(value: &Value) -> Vec<f32> {
    numbers(value).iter().map(|number| *number as f32).collect()
}

fn ids(value: &Value) -> Vec<u64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_u64().unwrap())
        .collect()
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
        let (predictions, labels) = (singles(&case["predictions"]), singles(&case["labels"]));
        let groups = ids(&case["groups"]);
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
fn metrics_of_pairs_and_lists_equal_those_of_scikit_learn_and_scipy() {
    for case in golden()["cases"].as_array().unwrap() {
        let (predictions, labels) = (singles(&case["predictions"]), singles(&case["labels"]));
        let groups = ids(&case["groups"]);
        let positions: Vec<u32> = ids(&case["positions"]).iter().map(|id| *id as u32).collect();
        let (grades, amounts) = (singles(&case["grades"]), singles(&case["amounts"]));
        for (found, key) in [
            (measure::pooled_auc(&predictions, &labels, &groups), "pooled_auc"),
            (measure::mean_auc(&predictions, &labels, &groups), "mean_auc"),
            (
                measure::equal_position_auc(&predictions, &labels, &positions),
                "equal_position_auc",
            ),
            (
                measure::normalized_entropy(&predictions, &labels),
                "normalized_entropy",
            ),
            (
                measure::mean_absolute_error(&predictions, &amounts),
                "mean_absolute_error",
            ),
            (measure::xauc(&predictions, &amounts), "xauc"),
        ] {
            check(found.unwrap(), &case[key], 1e-12);
        }
        for (k, expected) in case["ndcg"].as_object().unwrap() {
            let found = measure::ndcg(&predictions, &grades, &groups, k.parse().unwrap());
            check(found.unwrap(), expected, 1e-12);
        }
    }
}

#[test]
fn calibration_bins_equal_the_quantile_bins_of_scikit_learn() {
    let cases = golden();
    let cases = cases["cases"].as_array().unwrap();
    let with_bins: Vec<&Value> = cases.iter().filter(|case| !case["bins"].is_null()).collect();
    assert!(!with_bins.is_empty());
    for case in with_bins {
        let (predictions, labels) = (singles(&case["predictions"]), singles(&case["labels"]));
        let found = measure::calibration_bins(&predictions, &labels, 8);
        assert_eq!(found.len(), case["bins"]["labels"].as_array().unwrap().len());
        for (index, bin) in found.iter().enumerate() {
            check(bin.mean_prediction, &case["bins"]["predictions"][index], 1e-12);
            check(bin.mean_label, &case["bins"]["labels"][index], 1e-12);
        }
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
