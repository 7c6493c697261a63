//! `watchnext bench`: how fast this machine trains, and how fast it reads and encodes a log.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use events::FlatLog;
use train::{BenchOptions, BenchReport, Net, bench, bench_encode};

use super::files::LogFiles;
use super::read_spec;
use super::train::all_threads;
use crate::terminal::table;

/// Time this machine: examples a second, and the share of what its registers alone could do
#[derive(Parser)]
#[command(
    after_help = "Examples:\n  watchnext bench train --net small --batch 512 --seconds 1\n  \
    watchnext bench encode ranker.toml --data log.parquet --seconds 1"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Train(TrainArgs),
    Encode(EncodeArgs),
}

/// Time training steps on random examples: 20 fields of ids and 8 numbers, 8 experts, 4 objectives
#[derive(Parser)]
#[command(
    after_help = "Example:\n  watchnext bench train --net small --precision bf16 --batch 4096 --seconds 1\n\n\
    Leave the machine to it: whatever else runs makes it slower. Compare programs by their ratio in one sitting, in several\n\
    processes each."
)]
struct TrainArgs {
    /// The net: 0.43 or 5.7 million multiplications an example
    #[arg(long, value_enum, default_value = "small")]
    net: NetName,
    /// Another number of fields than the net's 20
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1000))]
    fields: Option<u16>,
    /// Another number of ids a field than 1
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1000))]
    ids: Option<u16>,
    /// Another number of rows a table than 100,000
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    rows: Option<u32>,
    /// Another width of the shared layer than the net's 256 or 1024
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=16_384))]
    shared: Option<u16>,
    /// Another number of experts than 8
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=256))]
    experts: Option<u16>,
    /// How products read their factors
    #[arg(long, value_enum, default_value = "f32")]
    precision: PrecisionName,
    /// Examples of a step
    #[arg(long, default_value = "1024", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    batch: u32,
    /// Threads that share a step, 1 to 4. Default: a core each
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=4))]
    threads: Option<u8>,
    /// For how long steps are timed, after as much to warm up
    #[arg(long, default_value = "3", value_parser = clap::value_parser!(u64).range(0..=3600))]
    seconds: u64,
    /// Seed of weights, ids and labels
    #[arg(long, default_value = "1")]
    seed: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Time one thread that reads a log and encodes it, as `train` does before each step
#[derive(Parser)]
#[command(after_help = "Example:\n  watchnext bench encode ranker.toml --data log.parquet")]
struct EncodeArgs {
    /// The declaration
    ranker: PathBuf,
    #[command(flatten)]
    files: LogFiles,
    /// For how long whole passes through the log are timed, at least one, after one to warm up
    #[arg(long, default_value = "3", value_parser = clap::value_parser!(u64).range(0..=3600))]
    seconds: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum NetName {
    Small,
    Paper,
}

#[derive(Clone, Copy, ValueEnum)]
enum PrecisionName {
    F32,
    Bf16,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    match args.what {
        What::Train(args) => train(args),
        What::Encode(args) => encode(args),
    }
}

fn train(args: TrainArgs) -> anyhow::Result<()> {
    let net = match args.net {
        NetName::Small => Net::SMALL,
        NetName::Paper => Net::PAPER,
    };
    // Eight batches are held: as many as fit the offsets of a field, and a few gigabytes.
    let ids =
        8 * u64::from(args.batch) * u64::from(args.ids.unwrap_or(1)) * u64::from(args.fields.unwrap_or(20));
    anyhow::ensure!(
        ids <= 1_000_000_000,
        "8 batches of {} examples with so many ids and fields are {ids} ids, 1,000,000,000 at most: lower `--batch`, `--ids` or `--fields`",
        args.batch
    );
    let other = |given: Option<u16>, own: usize| given.map_or(own, usize::from);
    let report = bench(&BenchOptions {
        net: Net {
            fields: other(args.fields, net.fields),
            ids: args.ids.map_or(net.ids, u32::from),
            rows: args.rows.unwrap_or(net.rows),
            shared: other(args.shared, net.shared),
            experts: other(args.experts, net.experts),
            ..net
        },
        precision: match args.precision {
            PrecisionName::F32 => spec::Precision::F32,
            PrecisionName::Bf16 => spec::Precision::Bf16,
        },
        batch: args.batch as usize,
        threads: args.threads.map_or_else(all_threads, usize::from),
        time: Duration::from_secs(args.seconds),
        seed: args.seed,
    })?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(())
}

fn encode(args: EncodeArgs) -> anyhow::Result<()> {
    let spec = read_spec(&args.ranker)?;
    let log = FlatLog::open(&spec, args.files.options()?)?;
    let report = bench_encode(&spec, &log, Duration::from_secs(args.seconds))?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!(
            "{:.0} examples/s on one thread (fastest {:.0}): read {:.0}, encoded {:.0}; {} passes through {} rows",
            report.rows_per_second,
            report.fastest_per_second,
            report.read_per_second,
            report.encode_per_second,
            report.passes,
            report.rows
        );
    }
    Ok(())
}

fn print(report: &BenchReport) {
    println!(
        "{:.0} examples/s: {:.3} ms a step (fastest {:.3}, {} steps) on {} threads, {}",
        report.examples_per_second,
        report.step_ms,
        report.fastest_ms,
        report.steps,
        report.threads,
        report.path
    );
    let peak = match (report.peak_gflops, report.share_of_peak) {
        (Some(peak), Some(share)) => format!(", {:.0} % of the registers' {peak:.0}", 100.0 * share),
        _ => String::new(),
    };
    println!("{:.1} GFLOP/s{peak}\n", report.gflops);
    let parts = report.parts_ms.iter();
    let rows: Vec<_> = parts
        .map(|(name, time)| vec![(*name).to_owned(), format!("{time:.3}")])
        .collect();
    println!("{}", table(&["part of a step", "ms"], &rows));
}
