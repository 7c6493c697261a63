//! `watchnext train`: flat files -> a folder with a model, a checkpoint, metrics and a report.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use events::FlatLog;
use train::{CheckpointEvery, Parts, TrainOptions, TrainReport};

use super::files::LogFiles;
use super::read_spec;
use crate::declaration;
use crate::failure::{Alarm, Usage};
use crate::metrics;
use crate::terminal::{Bar, Interrupt};

/// Train a ranker on a flat log: one row per impression, in the order of time
#[derive(Parser)]
#[command(
    after_help = "Examples:\n  watchnext train examples/kuairand/ranker.toml \\\n    \
    --data log.parquet --users users.parquet --items videos.parquet --out run\n  \
    watchnext train ranker.toml --data log.parquet --out run --checkpoint-every 5m\n  \
    watchnext train ranker.toml --data log.parquet --out long --resume    # after a crash or Ctrl-C: to the same bytes\n\n\
    Writes OUT/model (serve it with `watchnext serve --model OUT`), OUT/report.html, OUT/metrics.json, OUT/checkpoint and\n\
    OUT/baseline, whole or not at all; until then checkpoints are in the folder OUT.unfinished. Beside each metric stands that of a logistic regression on the same inputs.\n\
    Exit codes: 0 trained, 3 trained with an alarm (dead units, an objective that is predicted constant), 2 usage or bad data,\n\
    130 stopped before the first epoch was complete, or with a checkpoint, 1 anything else."
)]
pub(crate) struct Args {
    /// The declaration
    ranker: PathBuf,
    #[command(flatten)]
    files: LogFiles,
    /// Files that are not learned from: one row of each two (half of the slates, where they are known), drawn by the seed, to stop by, the others to test on; then all of
    /// the data are learned from. Default: the newest shares of the data, by `[train] split`
    #[arg(long, num_args = 1..)]
    held_out: Vec<PathBuf>,
    /// The folder to write
    #[arg(long)]
    out: PathBuf,
    /// Replace OUT where `train` wrote it before, and what an unfinished run left, unless it is resumed
    #[arg(long)]
    overwrite: bool,
    /// Write a checkpoint every so often, by time as `5m` or by examples as `1000000`, and where Ctrl-C stops it: `--resume` goes on
    /// from the last one
    #[arg(long, value_parser = checkpoint_every)]
    checkpoint_every: Option<CheckpointEvery>,
    /// Go on with the run that OUT.unfinished is of, from its last checkpoint, and write others as often as before: with the same
    /// declaration, files and options it comes to the same bytes as if it had never stopped
    #[arg(long)]
    resume: bool,
    /// Another seed than the declaration's
    #[arg(long, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: Option<u64>,
    /// Leave the logistic regression out
    #[arg(long)]
    no_baseline: bool,
    /// Threads that share a training step, 1 to 4; their number changes no bit of the result. Default: a core each
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=4))]
    threads: Option<u8>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    check_out(&args.out, args.overwrite)?;
    let mut spec = read_spec(&args.ranker)?;
    if let Some(seed) = args.seed {
        let seed = i64::try_from(seed)?;
        spec = declaration::with(
            &spec,
            "the declaration with `--seed`",
            &[("train", "seed", Some(seed.into()))],
        )?;
    }
    let log = FlatLog::open(&spec, args.files.options()?)?;
    let parts = if args.held_out.is_empty() {
        Parts::of(&spec, &log)?
    } else {
        let held_out = args.files.with_data(&args.held_out)?;
        Parts::held_out(&spec, &log, &FlatLog::open(&spec, held_out)?)?
    };
    let mut bar = Bar::new(args.json).stopped_by(&Interrupt::listen());
    let options = TrainOptions {
        out: args.out.clone(),
        overwrite: args.overwrite,
        baseline: !args.no_baseline,
        threads: args.threads.map_or_else(all_threads, usize::from),
        checkpoint_every: args.checkpoint_every,
        resume: args.resume,
    };
    let report = train::train(&spec, &parts, &options, &mut bar)?;
    drop(bar);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report, &args.out);
    }
    match report.alarms.as_slice() {
        [] => Ok(()),
        alarms => Err(Alarm(alarms.join("\n")).into()),
    }
}

fn checkpoint_every(typed: &str) -> Result<CheckpointEvery, String> {
    if let Some(every) = spec::milliseconds(typed) {
        return Ok(CheckpointEvery::Time(Duration::from_millis(every.unsigned_abs())));
    }
    match typed.parse() {
        Ok(0) | Err(_) => {
            Err("expected a duration, as `90s`, `5m`, `1h`, or a number of examples above 0".to_owned())
        }
        Ok(examples) => Ok(CheckpointEvery::Examples(examples)),
    }
}

/// A thread for each core, up to one for each shard of a step.
pub(crate) fn all_threads() -> usize {
    std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(model::SHARDS)
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

fn print(report: &TrainReport, out: &Path) {
    let [train, validation, test] = report.rows;
    println!(
        "rows: {train} to train, {validation} to validate, {test} to test; {} multiplications per candidate",
        report.multiplications
    );
    let judged = if report.judged < test {
        format!(" ({} of its rows, drawn)", report.judged)
    } else {
        String::new()
    };
    println!(
        "kept epoch {} of {}; on the test part{judged}:\n",
        report.best_epoch,
        report.epochs.len()
    );
    println!("{}", metrics::tables(&report.test, report.logistic.as_ref()));
    if let Some(check) = &report.debias_check {
        println!("\n{}", check.summary);
    }
    if let Some(form) = &report.form {
        println!("\n{form}");
    }
    for warning in &report.warnings {
        println!("\nwarning: {warning}");
    }
    println!("\nwrote {0}; look at {0}/report.html", out.display());
    // Standard output is the same each time; this is not.
    if let Some(bytes) = peak_memory() {
        eprintln!("memory at its peak: {:.1} MB", bytes as f64 / 1e6);
    }
}

/// The most bytes that this process had in memory, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
