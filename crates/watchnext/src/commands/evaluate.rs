//! `watchnext evaluate`: a trained run on other files, whole and by slices, and the value of another policy.

use std::path::PathBuf;

use clap::Parser;
use measure::Interval;
use train::{
    EvaluateOptions, NO_SHUFFLED_SLATES, PolicyEstimate, PolicyOptions, PolicyReport, Run, RunEvaluation,
};

use super::files::LogFiles;
use crate::metrics;
use crate::terminal::{Bar, Interrupt, number, table};

/// Evaluate what `train` wrote on other files: by slices, within groups, against another policy
#[derive(Parser)]
#[command(after_help = "Examples:\n  watchnext evaluate run --data day9.parquet\n  \
    watchnext evaluate run --data day9.parquet --by device --within user\n  \
    watchnext evaluate run --data random.parquet --policy policy.csv --reward click\n\n\
    A policy is a table (CSV, JSONL or Parquet) with the columns `item`, `probability` and, where it differs by position,\n\
    `position`. The log needs the propensity of each shown item, in the column that `[keys] propensity` names. The run's own\n\
    predictions are the model of rewards of the doubly robust estimate: it should have been trained on other rows.")]
pub(crate) struct Args {
    /// The folder that `train` wrote
    run: PathBuf,
    #[command(flatten)]
    files: LogFiles,
    /// A field to slice by: each value's metrics
    #[arg(long)]
    by: Vec<String>,
    /// A field to take AUC within, as GAUC is within users
    #[arg(long)]
    within: Vec<String>,
    /// A policy to value on the log's propensities
    #[arg(long)]
    policy: Option<PathBuf>,
    /// The objective that the policy earns; default the first binary one
    #[arg(long, requires = "policy")]
    reward: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let run = Run::read(&args.run)?;
    let files = args.files.options()?;
    let log = run.open(files.data, files.users, files.items)?;
    let options = EvaluateOptions {
        by: args.by,
        within: args.within,
        policy: args.policy.map(|file| PolicyOptions {
            file,
            reward: args.reward,
        }),
    };
    let mut bar = Bar::new(args.json).stopped_by(&Interrupt::listen());
    let evaluation = run.evaluate(&log, &options, &mut bar)?;
    drop(bar);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&evaluation)?);
    } else {
        print(&evaluation);
        let has_bias = run.ranker.spec().bias.is_some();
        if has_bias && !evaluation.model.has_shuffled() {
            println!("\n{NO_SHUFFLED_SLATES}");
        }
    }
    Ok(())
}

fn print(evaluation: &RunEvaluation) {
    let RunEvaluation { rows, judged, .. } = evaluation;
    if judged < rows {
        println!("{judged} of {rows} rows, drawn:\n");
    } else {
        println!("{rows} rows:\n");
    }
    println!(
        "{}",
        metrics::tables(&evaluation.model, evaluation.logistic.as_ref())
    );
    for slice in &evaluation.slices {
        println!("\n{} = {} ({} rows)", slice.field, slice.value, slice.rows);
        println!("{}", metrics::main(&slice.model, slice.logistic.as_ref()));
    }
    if !evaluation.within.is_empty() {
        let rows: Vec<Vec<String>> = evaluation
            .within
            .iter()
            .map(|within| {
                vec![
                    within.objective.clone(),
                    within.field.clone(),
                    within.values.to_string(),
                    number(within.gauc, 4),
                    number(within.logistic_gauc, 4),
                ]
            })
            .collect();
        println!(
            "\n{}",
            table(&["objective", "within", "values", "GAUC", "LR"], &rows)
        );
    }
    if let Some(policy) = &evaluation.policy {
        print_policy(policy);
    }
}

fn print_policy(report: &PolicyReport) {
    println!(
        "\nthe policy's `{}` per row, on {} rows with {} positives:\n",
        report.reward, report.rows, report.positives
    );
    let interval = |value: &Interval| format!("{:.5} [{:.5}, {:.5}]", value.mean, value.low, value.high);
    let estimate = |name: &str, estimate: &PolicyEstimate| {
        vec![
            name.to_owned(),
            interval(&estimate.value),
            estimate.positives.to_string(),
            format!("{:.0}", estimate.effective_sample_size),
            format!("{:.1}", estimate.max_weight),
        ]
    };
    let logged = vec![
        "as logged".to_owned(),
        interval(&report.logged),
        report.positives.to_string(),
        report.rows.to_string(),
        "1.0".to_owned(),
    ];
    let mut rows = vec![logged, estimate("IPS", &report.ips)];
    rows.extend(report.snips.as_ref().map(|snips| estimate("SNIPS", snips)));
    rows.push(estimate("DR", &report.doubly_robust));
    let header = [
        "estimate",
        "value and 95 % interval",
        "positives",
        "effective rows",
        "largest weight",
    ];
    println!("{}", table(&header, &rows));
    if report.unseen > 0.01 {
        println!(
            "\nnot to be trusted: {:.0} % of the policy's probability is on items that the log never shows; IPS counts them as earning \
             nothing, SNIPS as the others, DR as the run predicts",
            report.unseen * 100.0
        );
    }
    if let Some(few) = &report.ips.too_few {
        println!("\nnot to be trusted: {few}");
    }
}
