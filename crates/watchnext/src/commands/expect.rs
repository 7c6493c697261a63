//! `watchnext expect`: holds the test metrics of several runs against bounds, against their baseline and against other runs.

mod bounds;
mod curve;

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Parser;
use train::TrainReport;

use crate::failure::Usage;
use crate::terminal::table;
use bounds::{Bound, Expected};

/// Hold the test metrics of several runs, one per seed, against expected bounds
#[derive(Parser)]
#[command(
    after_help = "Example:\n  watchnext expect examples/kuairand/expected.toml run-0 run-1 run-2\n\n\
    The bounds, per objective and metric of metrics.json (auc, gauc, loss, calibration, equal_position_auc, ...):\n\n  \
    [click]\n  \
    auc = { min = 0.745, max = 0.80 }             # the mean of the runs\n  \
    gauc = { each_min = 0.62 }                    # every run (each_max too)\n  \
    loss = { max_over_logistic = 0.0 }            # mean of the differences from the run's logistic regression\n  \
    slate_auc = { each_over_logistic = 0.0015 }   # each of these differences, at least\n  \
    equal_position_auc = { min_over_other = -0.001 }  # mean of the differences from the runs of --against, pair by pair\n  \
    position_curve = { rows = 500, mean_within = 0.25, each_within = 0.45, falls = [1, 2, 5] }\n\n\
    Several of them may bound one metric. A position curve is held against the log-odds of the raw rates, at positions of at\n\
    least so many training rows: the largest distance of the runs' mean and of each run, and where the mean has to fall.\n\n\
    Exit code 1 where a bound is missed."
)]
pub(crate) struct Args {
    /// The bounds
    expected: PathBuf,
    /// Folders that `watchnext train` wrote, one per seed
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// As many other runs, in the same order of seeds
    #[arg(long, num_args = 1..)]
    against: Vec<PathBuf>,
}

/// What was measured of one bound.
struct Measured {
    name: String,
    mean: f64,
    each: Vec<f64>,
    expected: String,
    holds: bool,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let expected = bounds::read(&args.expected)?;
    let read = |runs: &[PathBuf]| {
        runs.iter()
            .map(|run| read_report(run))
            .collect::<Result<Vec<_>, _>>()
    };
    let (runs, others) = (read(&args.runs)?, read(&args.against)?);
    if !others.is_empty() && others.len() != runs.len() {
        let message = format!(
            "{} runs `--against` {}: expected as many",
            runs.len(),
            others.len()
        );
        return Err(Usage(message).into());
    }
    let mut measured = Vec::new();
    for expected in &expected {
        match expected {
            Expected::Metric(bound) => measured.push(metric(bound, &runs, &others)?),
            Expected::Curve(bound) => measured.extend(curve::measure(bound, &runs)?),
        }
    }
    let rows: Vec<Vec<String>> = measured.iter().map(Measured::row).collect();
    println!("{}", table(&["metric", "mean", "runs", "expected", ""], &rows));
    let missed: Vec<&str> = measured
        .iter()
        .filter(|measured| !measured.holds)
        .map(|measured| measured.name.as_str())
        .collect();
    if !missed.is_empty() {
        bail!("out of bounds: {}", missed.join(", "));
    }
    Ok(())
}

impl Measured {
    fn row(&self) -> Vec<String> {
        let each: Vec<String> = self.each.iter().map(|value| format!("{value:.4}")).collect();
        vec![
            self.name.clone(),
            format!("{:.4}", self.mean),
            each.join(" "),
            self.expected.clone(),
            if self.holds { "holds" } else { "MISSED" }.to_owned(),
        ]
    }
}

fn metric(bound: &Bound, runs: &[TrainReport], others: &[TrainReport]) -> anyhow::Result<Measured> {
    let of = |runs: &[TrainReport]| {
        runs.iter()
            .map(|run| bound.value(run))
            .collect::<Result<Vec<_>, _>>()
    };
    let mut each = of(runs)?;
    let mut name = format!("{} {}", bound.objective, bound.metric);
    match bound.over() {
        bounds::Over::Nothing => {}
        bounds::Over::Logistic => {
            name.push_str(" over logistic regression");
            for (value, run) in each.iter_mut().zip(runs) {
                *value -= bound.logistic_value(run)?;
            }
        }
        bounds::Over::Other => {
            name.push_str(" over the other runs");
            if others.is_empty() {
                let message = format!(
                    "the bound of `{}` is over other runs: name them by `--against`",
                    bound.metric
                );
                return Err(Usage(message).into());
            }
            for (value, other) in each.iter_mut().zip(of(others)?) {
                *value -= other;
            }
        }
    }
    let mean = each.iter().sum::<f64>() / each.len() as f64;
    Ok(Measured {
        name,
        mean,
        holds: bound.holds(mean, &each),
        each,
        expected: bound.words(),
    })
}

fn read_report(run: &Path) -> anyhow::Result<TrainReport> {
    let path = run.join("metrics.json");
    let bad = |error: String| Usage(format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(&path).map_err(|error| bad(error.to_string()))?;
    Ok(serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?)
}
