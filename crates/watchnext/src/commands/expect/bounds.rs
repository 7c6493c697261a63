//! The bounds as typed in TOML.

use std::path::Path;

use anyhow::Context;
use serde_json::Value;
use toml_edit::{DocumentMut, Item, TableLike};
use train::{Evaluation, TrainReport};

use super::curve::CurveBound;
use crate::failure::Usage;

const KEYS: [&str; 9] = [
    "min",
    "max",
    "each_min",
    "each_max",
    "min_over_logistic",
    "max_over_logistic",
    "each_over_logistic",
    "min_over_other",
    "max_over_other",
];

/// What is expected of runs.
pub(super) enum Expected {
    /// A metric within limits.
    Metric(Bound),
    /// A position curve near the raw rates.
    Curve(CurveBound),
}

/// Limits of one metric; all compare it with the same thing.
pub(super) struct Bound {
    pub(super) objective: String,
    pub(super) metric: String,
    /// Key as typed, and the number.
    limits: Vec<(String, f64)>,
}

/// What a metric is compared with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    Nothing,
    Logistic,
    Other,
}

fn over(key: &str) -> Over {
    match key {
        _ if key.ends_with("over_logistic") => Over::Logistic,
        _ if key.ends_with("over_other") => Over::Other,
        _ => Over::Nothing,
    }
}

impl Bound {
    pub(super) fn over(&self) -> Over {
        self.limits.first().map_or(Over::Nothing, |(key, _)| over(key))
    }

    pub(super) fn holds(&self, mean: f64, each: &[f64]) -> bool {
        self.limits.iter().all(|(key, limit)| match key.as_str() {
            "max" | "max_over_logistic" | "max_over_other" => mean <= *limit,
            "each_min" | "each_over_logistic" => each.iter().all(|value| value >= limit),
            "each_max" => each.iter().all(|value| value <= limit),
            _ => mean >= *limit,
        })
    }

    pub(super) fn words(&self) -> String {
        let word = |(key, limit): &(String, f64)| {
            let word = match key.as_str() {
                "max" | "max_over_logistic" | "max_over_other" => "at most",
                "each_min" | "each_over_logistic" => "each at least",
                "each_max" => "each at most",
                _ => "at least",
            };
            format!("{word} {limit}")
        };
        self.limits.iter().map(word).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn value(&self, run: &TrainReport) -> anyhow::Result<f64> {
        self.find(&run.test)
    }

    pub(super) fn logistic_value(&self, run: &TrainReport) -> anyhow::Result<f64> {
        let logistic = run.logistic.as_ref().ok_or_else(|| {
            Usage("a run has no logistic regression: train it without `--no-baseline`".to_owned())
        })?;
        self.find(logistic)
    }

    fn find(&self, evaluation: &Evaluation) -> anyhow::Result<f64> {
        let metrics = evaluation
            .objectives
            .iter()
            .find(|metrics| metrics.name == self.objective)
            .map(serde_json::to_value)
            .transpose()?
            .unwrap_or(Value::Null);
        let value = metrics[&self.metric].as_f64();
        value.ok_or_else(|| Usage(format!("a run has no `{}` of `{}`", self.metric, self.objective)).into())
    }
}

/// Reads a file of bounds.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<Expected>> {
    let bad = |problem: String| Usage(format!("{}: {problem}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
    let document: DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| bad(error.to_string()))?;
    let mut expected = Vec::new();
    for (objective, metrics) in document.iter() {
        let Some(metrics) = metrics.as_table_like() else {
            let problem = format!("`{objective}` is no table of metrics; expected `[{objective}]`");
            return Err(bad(problem).into());
        };
        for (metric, limits) in metrics.iter() {
            expected.extend(limits_of(objective, metric, limits).map_err(bad)?);
        }
    }
    // A file that bounds nothing would hold whatever the runs are.
    if expected.is_empty() {
        let problem = "it has no bounds; expected, as `[click]`, `auc = { min = 0.7 }`";
        return Err(bad(problem.to_owned())).context("nothing to hold the runs against");
    }
    Ok(expected)
}

/// One bound for each thing that the metric is compared with.
fn limits_of(objective: &str, metric: &str, limits: &Item) -> Result<Vec<Expected>, String> {
    let empty = || format!("`{objective}.{metric}` needs `min` or `max`, a number");
    let table = limits.as_table_like().ok_or_else(empty)?;
    if metric == "position_curve" {
        return Ok(vec![Expected::Curve(CurveBound::read(objective, table)?)]);
    }
    let mut bounds: Vec<Bound> = Vec::new();
    for (key, item) in table.iter() {
        if !KEYS.contains(&key) {
            let known = KEYS.map(|key| format!("`{key}`")).join(", ");
            return Err(format!(
                "`{objective}.{metric}` has an unknown key `{key}`; expected any of {known}"
            ));
        }
        let limit = number(item).ok_or_else(|| format!("`{objective}.{metric}.{key}` is no number"))?;
        let limit = (key.to_owned(), limit);
        match bounds.iter_mut().find(|bound| bound.over() == over(key)) {
            Some(bound) => bound.limits.push(limit),
            None => bounds.push(Bound {
                objective: objective.to_owned(),
                metric: metric.to_owned(),
                limits: vec![limit],
            }),
        }
    }
    if bounds.is_empty() {
        return Err(empty());
    }
    Ok(bounds.into_iter().map(Expected::Metric).collect())
}

/// A number of TOML, whole or not.
pub(super) fn number(item: &Item) -> Option<f64> {
    item.as_float()
        .or_else(|| item.as_integer().map(|whole| whole as f64))
}

/// The number at `key` of a table.
pub(super) fn number_at(table: &dyn TableLike, key: &str) -> Option<f64> {
    table.get(key).and_then(number)
}
