//! `watchnext learn`: continues from the last checkpoint on what closed in a store's log since.

use std::path::PathBuf;

use clap::Parser;
use train::{LearnOptions, LearnOutcome, LearnReport};

use super::train::all_threads;
use super::{demand_store, now_ms, read_spec};
use crate::metrics;

/// Learn from what closed in the log since the last run; promote the challenger if it passes its gates
#[derive(Parser)]
#[command(after_help = "Example:\n  watchnext learn --store store\n\n\
    A running `watchnext serve` on the same store swaps a promoted model in while it answers.\n\
    Where too little has closed to learn from and to judge by, nothing is learned and it waits for the next run;\n\
    with --json that prints null, and the reason to standard error.")]
pub(crate) struct Args {
    /// The store's folder
    #[arg(long, default_value = "store")]
    store: PathBuf,
    /// The declaration to start from, where the store has no checkpoint yet
    #[arg(long)]
    spec: Option<PathBuf>,
    /// Threads that share a training step, 1 to 4; their number changes no bit of the result. Default: a core each
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=4))]
    threads: Option<u8>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let spec = args.spec.as_deref().map(read_spec).transpose()?;
    demand_store(&args.store)?;
    let outcome = train::learn(&LearnOptions {
        store: args.store,
        spec,
        now_ms: now_ms(),
        threads: args.threads.map_or_else(all_threads, usize::from),
    })?;
    match &outcome {
        LearnOutcome::Learned(report) if !args.json => print(report),
        LearnOutcome::NotYet(reason) if !args.json => println!("{reason}"),
        LearnOutcome::NotYet(reason) => eprintln!("{reason}"),
        LearnOutcome::Learned(_) => {}
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&outcome.report())?);
    }
    Ok(())
}

fn print(report: &LearnReport) {
    let LearnReport {
        run,
        model,
        trained,
        held,
        ..
    } = report;
    println!("run {run}: {model} learned {trained} examples, judged on the newest {held}");
    if let Some(progressive) = &report.progressive {
        println!(
            "\nbefore it learned from them, the last checkpoint predicted them with:\n{}\n",
            metrics::tables(progressive, None)
        );
    }
    if let Some(form) = &report.form {
        println!("{form}");
    }
    for gate in &report.verdict.gates {
        println!(
            "  {} {}: {}",
            if gate.passed { "pass" } else { "FAIL" },
            gate.gate,
            gate.measured
        );
    }
    println!("  {}", report.debias_check.summary);
    println!(
        "{model} is {}",
        if report.promoted {
            "promoted"
        } else {
            "rejected; what serves stays"
        }
    );
}
