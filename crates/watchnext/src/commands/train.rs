//! `watchnext train`: flat files -> a folder with a model, a checkpoint and metrics.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Parser;
use events::{FlatLog, FlatOptions};
use spec::Spec;
use train::{Evaluation, TrainOptions, TrainReport};

use super::read_spec;
use crate::failure::Usage;
use crate::terminal::{Bar, Interrupt, number, table};

/// Rows that are read at a time.
const BATCH_ROWS: usize = 8192;

/// Train a ranker on a flat log: one row per impression, in the order of time
#[derive(Parser)]
#[command(
    after_help = "Example:\n  watchnext train examples/kuairand/ranker.toml \\\n    \
    --data log.parquet --users users.parquet --items videos.parquet --out run\n\n\
    Writes OUT/model (serve it with `watchnext serve --model OUT`), OUT/checkpoint and OUT/metrics.json, whole or not at all.\n\
    Exit codes: 0 trained, 2 usage or bad data, 130 stopped before the first epoch was complete, 1 anything else."
)]
pub(crate) struct Args {
    /// The declaration
    ranker: PathBuf,
    /// Parquet files; together one log in the order of time
    #[arg(long, required = true, num_args = 1..)]
    data: Vec<PathBuf>,
    /// A table of users, joined in by the user's id
    #[arg(long)]
    users: Option<PathBuf>,
    /// A table of items, joined in by the item's id
    #[arg(long)]
    items: Option<PathBuf>,
    /// The folder to write
    #[arg(long)]
    out: PathBuf,
    /// Replace OUT where `train` wrote it before
    #[arg(long)]
    overwrite: bool,
    /// Another seed than the declaration's
    #[arg(long, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: Option<u64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    check_out(&args.out, args.overwrite)?;
    let mut spec = read_spec(&args.ranker)?;
    if let Some(seed) = args.seed {
        spec = with_seed(&spec, seed)?;
    }
    let log = FlatLog::open(
        &spec,
        FlatOptions {
            data: args.data,
            users: args.users,
            items: args.items,
            batch_rows: BATCH_ROWS,
        },
    )?;
    let mut bar = Bar::new(args.json).stopped_by(&Interrupt::listen());
    let options = TrainOptions {
        out: args.out.clone(),
        overwrite: args.overwrite,
    };
    let report = train::train(&spec, &log, &options, &mut bar)?;
    drop(bar);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
        for warning in &report.warnings {
            println!("\nwarning: {warning}");
        }
        println!("\nwrote {}", args.out.display());
    }
    Ok(())
}

/// Refuses, before time is spent, an OUT that cannot be written, or whose replacing would delete what `train` did not write.
fn check_out(out: &Path, overwrite: bool) -> anyhow::Result<()> {
    let refuse = |why: &str| Err(Usage(format!("`--out {}`: {why}", out.display())).into());
    if out.file_name().is_none() {
        return refuse("expected a folder of its own, as `run`");
    }
    let parent = out.ancestors().skip(1).find(|parent| parent.exists());
    if parent.is_some_and(|parent| !parent.is_dir()) {
        return refuse("it is below a file; name another folder");
    }
    let empty = || std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_none());
    let run = || out.join("model").is_dir() && out.join("metrics.json").is_file();
    if overwrite && out.exists() && !empty() && !run() {
        return refuse(
            "it exists and `train` did not write it, so `--overwrite` does not replace it; name another folder",
        );
    }
    Ok(())
}

/// The declaration with `[train] seed` replaced, in its text too: an artifact says how it was made.
fn with_seed(spec: &Spec, seed: u64) -> anyhow::Result<Arc<Spec>> {
    let mut text: toml_edit::DocumentMut = spec.text.parse()?;
    text["train"]["seed"] = toml_edit::value(i64::try_from(seed)?);
    Ok(Arc::new(Spec::parse(
        "the declaration with `--seed`",
        &text.to_string(),
    )?))
}

fn print(report: &TrainReport) {
    let [train, validation, test] = report.rows;
    println!(
        "rows: {train} to train, {validation} to validate, {test} to test; {} multiplications per candidate",
        report.multiplications
    );
    println!(
        "kept epoch {} of {}; on the test part:\n",
        report.best_epoch,
        report.epochs.len()
    );
    println!("{}", metrics_table(&report.test));
}

/// A row per objective.
pub(crate) fn metrics_table(evaluation: &Evaluation) -> String {
    let header = [
        "objective",
        "examples",
        "mean label",
        "AUC",
        "GAUC",
        "loss",
        "constant",
        "",
        "calibration",
    ];
    let rows: Vec<Vec<String>> = evaluation
        .objectives
        .iter()
        .map(|metrics| {
            vec![
                metrics.name.clone(),
                metrics.examples.to_string(),
                number(Some(metrics.mean_label), 4),
                number(metrics.auc, 4),
                number(metrics.gauc, 4),
                number(metrics.loss, 4),
                number(metrics.constant_loss, 4),
                metrics.loss_name.to_owned(),
                number(metrics.calibration, 3),
            ]
        })
        .collect();
    table(&header, &rows)
}
