//! `watchnext debias graded`: the proof on a file of real features and grades, with clicks simulated on them.

use std::path::PathBuf;

use clap::Parser;
use measure::Interval;

use crate::failure::Usage;
use crate::proof::graded::{self, Graded, Options};
use crate::terminal::{Bar, Interrupt, table};

/// Debias clicks that are simulated on your own graded lists, and judge by the grades
#[derive(Parser)]
#[command(
    after_help = "Examples:\n  watchnext debias graded lists.parquet --query query_id --grade label\n  \
    watchnext debias graded lists.csv --query query --grade relevance --leave-out document_id --eta 0.5\n\n\
    Every column of numbers is a feature but for the query, the grade and those left out. A weak ranker orders ten random documents\n\
    of a query; position k is examined with probability k^-eta. Each fold's queries are judged by rankers that did not see them."
)]
pub(crate) struct Args {
    /// Parquet, CSV or JSONL: one row a graded document
    file: PathBuf,
    /// The column of the query
    #[arg(long)]
    query: String,
    /// The column of the grade, 0 and above
    #[arg(long)]
    grade: String,
    /// A column that is no feature
    #[arg(long)]
    leave_out: Vec<String>,
    /// Parts of the queries; each is judged once
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(2..=100))]
    folds: u64,
    /// Seeds 0 to this, less one
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
    /// Simulated impressions of each seed and fold
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    impressions: u64,
    /// Passes over them
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    epochs: u16,
    /// The power of the examination curve; 0 is no position bias
    #[arg(long, default_value_t = 1.0)]
    eta: f64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    if !(0.0..=10.0).contains(&args.eta) {
        return Err(Usage(format!("`--eta {}`: expected a number from 0 to 10", args.eta)).into());
    }
    let folder = tempfile::tempdir()?;
    let options = Options {
        file: args.file,
        query: args.query,
        grade: args.grade,
        leave_out: args.leave_out,
        folds: args.folds,
        seeds: args.seeds,
        impressions: args.impressions,
        epochs: usize::from(args.epochs),
        eta: args.eta,
        out: folder.path().to_owned(),
        threads: std::thread::available_parallelism().map_or(1, usize::from),
    };
    let mut bar = Bar::new(args.json).stopped_by(&Interrupt::listen());
    let graded = graded::graded(&options, &mut bar)?;
    drop(bar);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&graded)?);
    } else {
        print(&graded, options.eta);
    }
    Ok(())
}

fn print(graded: &Graded, eta: f64) {
    let Graded {
        rows,
        queries,
        features,
        seeds,
        folds,
        arms,
    } = graded;
    println!(
        "{rows} rows of {queries} queries, {features} features; {seeds} seeds of {folds} folds; true curve -{eta} ln k\n"
    );
    let value = |value: &Interval| {
        let half = value.high - value.mean;
        if half.is_finite() {
            format!("{:.4} ± {half:.4}", value.mean)
        } else {
            format!("{:.4}", value.mean)
        }
    };
    let optional = |interval: &Option<Interval>| interval.as_ref().map_or("-".to_owned(), value);
    let rows: Vec<Vec<String>> = arms
        .iter()
        .enumerate()
        .map(|(at, of)| {
            let uses_truth = if of.arm.uses_truth() { " (uses truth)" } else { "" };
            vec![
                format!("{}{uses_truth}", of.arm.name()),
                value(&of.ndcg),
                if at == 0 { "-".to_owned() } else { value(&of.gain) },
                optional(&of.curve_error),
                optional(&of.slope),
            ]
        })
        .collect();
    println!(
        "{}",
        table(
            &[
                "arm",
                "NDCG@10",
                "less no position",
                "error of the curve",
                "slope / true"
            ],
            &rows
        )
    );
}
