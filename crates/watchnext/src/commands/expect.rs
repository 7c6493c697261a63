//! `watchnext expect`: holds the mean of runs' test metrics against floors and ceilings.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Parser;
use serde_json::Value;

use crate::failure::Usage;
use crate::terminal::table;

/// Hold the mean test metrics of several runs against expected bounds
#[derive(Parser)]
#[command(
    after_help = "Example:\n  watchnext expect examples/kuairand/expected.toml run-0 run-1 run-2\n\n\
    The bounds, per objective and metric (auc, gauc, loss, calibration):\n  \
    [click]\n  auc = { min = 0.745, max = 0.80 }\n\n\
    Exit code 1 where a mean is out of bounds."
)]
pub(crate) struct Args {
    /// The bounds
    expected: PathBuf,
    /// Folders that `watchnext train` wrote, one per seed
    #[arg(required = true)]
    runs: Vec<PathBuf>,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let bounds = read_bounds(&args.expected)?;
    let runs: Vec<Value> = args
        .runs
        .iter()
        .map(|run| read_metrics(run))
        .collect::<Result<_, _>>()?;
    let mut rows = Vec::new();
    let mut missed = Vec::new();
    for bound in &bounds {
        let values: Vec<f64> = runs
            .iter()
            .map(|run| bound.value(run))
            .collect::<Result<_, _>>()?;
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let holds = mean >= bound.min && mean <= bound.max;
        let name = format!("{} {}", bound.objective, bound.metric);
        if !holds {
            missed.push(name.clone());
        }
        let each = values
            .iter()
            .map(|value| format!("{value:.4}"))
            .collect::<Vec<_>>()
            .join(" ");
        let verdict = if holds { "holds" } else { "MISSED" };
        rows.push(vec![
            name,
            format!("{mean:.4}"),
            each,
            bound.words(),
            verdict.to_owned(),
        ]);
    }
    println!("{}", table(&["metric", "mean", "runs", "expected", ""], &rows));
    if !missed.is_empty() {
        bail!("out of bounds: {}", missed.join(", "));
    }
    Ok(())
}

struct Bound {
    objective: String,
    metric: String,
    min: f64,
    max: f64,
}

impl Bound {
    fn read(objective: &str, metric: &str, limits: &toml_edit::Item) -> Result<Bound, String> {
        let (mut min, mut max) = (None, None);
        for (key, item) in limits.as_table_like().into_iter().flat_map(|table| table.iter()) {
            let limit = match key {
                "min" => &mut min,
                "max" => &mut max,
                _ => {
                    return Err(format!(
                        "`{objective}.{metric}` has an unknown key `{key}`; expected `min` or `max`"
                    ));
                }
            };
            let number = item
                .as_float()
                .or_else(|| item.as_integer().map(|whole| whole as f64));
            *limit = Some(number.ok_or_else(|| format!("`{objective}.{metric}.{key}` is no number"))?);
        }
        if min.is_none() && max.is_none() {
            return Err(format!("`{objective}.{metric}` needs `min` or `max`, a number"));
        }
        Ok(Bound {
            objective: objective.to_owned(),
            metric: metric.to_owned(),
            min: min.unwrap_or(f64::NEG_INFINITY),
            max: max.unwrap_or(f64::INFINITY),
        })
    }

    fn value(&self, run: &Value) -> anyhow::Result<f64> {
        let objectives = run["test"]["objectives"].as_array();
        let found = objectives
            .into_iter()
            .flatten()
            .find(|metrics| metrics["name"] == self.objective.as_str());
        let value = found.and_then(|metrics| metrics[&self.metric].as_f64());
        value.ok_or_else(|| Usage(format!("a run has no `{}` of `{}`", self.metric, self.objective)).into())
    }

    fn words(&self) -> String {
        match (self.min.is_finite(), self.max.is_finite()) {
            (true, true) => format!("{} to {}", self.min, self.max),
            (true, false) => format!("at least {}", self.min),
            _ => format!("at most {}", self.max),
        }
    }
}

fn read_bounds(path: &Path) -> anyhow::Result<Vec<Bound>> {
    let bad = |problem: String| Usage(format!("{}: {problem}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
    let document: toml_edit::DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| bad(error.to_string()))?;
    let mut bounds = Vec::new();
    for (objective, metrics) in document.iter() {
        let Some(metrics) = metrics.as_table_like() else {
            return Err(bad(format!(
                "`{objective}` is no table of metrics; expected `[{objective}]`"
            ))
            .into());
        };
        for (metric, limits) in metrics.iter() {
            bounds.push(Bound::read(objective, metric, limits).map_err(bad)?);
        }
    }
    // A file that bounds nothing would hold whatever the runs are.
    if bounds.is_empty() {
        return Err(bad("it has no bounds; expected, as `[click]`, `auc = { min = 0.7 }`".to_owned()).into());
    }
    Ok(bounds)
}

fn read_metrics(run: &Path) -> anyhow::Result<Value> {
    let path = run.join("metrics.json");
    let text =
        std::fs::read_to_string(&path).map_err(|error| Usage(format!("{}: {error}", path.display())))?;
    let report =
        serde_json::from_str(&text).map_err(|error| Usage(format!("{}: {error}", path.display())))?;
    Ok(report)
}
