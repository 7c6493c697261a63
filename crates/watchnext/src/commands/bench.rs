//! `watchnext bench`: how fast this machine trains, how fast it reads and encodes a log, what a checkpoint takes.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use events::FlatLog;
use train::{BenchOptions, BenchReport, Net, bench, bench_checkpoint, bench_encode};

use super::files::LogFiles;
use super::read_spec;
use super::train::all_threads;
use crate::terminal::table;

/// Time this machine: examples a second, and the share of what its registers alone could do
#[derive(Parser)]
#[command(
    after_help = "Examples:\n  watchnext bench train --net small --batch 512 --seconds 1\n  \
    watchnext bench encode ranker.toml --data log.parquet --seconds 1\n  \
    watchnext bench checkpoint --rows 50000 --seconds 1"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Train(TrainArgs),
    Encode(EncodeArgs),
    Checkpoint(CheckpointArgs),
}

/// Time training steps on random examples: 20 fields of ids and 8 numbers, 8 experts, 4 objectives
#[derive(Parser)]
#[command(
    after_help = "Example:\n  watchnext bench train --net small --precision bf16 --batch 4096 --seconds 1\n\n\
    Leave the machine to it: whatever else runs makes it slower. Compare programs by their ratio in one sitting, in several\n\
    processes each."
)]
struct TrainArgs {
    #[command(flatten)]
    net: NetArgs,
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

/// Which net.
#[derive(Parser)]
struct NetArgs {
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

/// Time writing a checkpoint, going on from it, and publishing a model: the net of `bench train` after a step
#[derive(Parser)]
#[command(after_help = "Example:\n  watchnext bench checkpoint --rows 50000 --seconds 1")]
struct CheckpointArgs {
    #[command(flatten)]
    net: NetArgs,
    /// The folder to write in, which is left as it was: on the disk that is to be timed
    #[arg(long, default_value = ".")]
    folder: PathBuf,
    /// For how long at least; three rounds at least
    #[arg(long, default_value = "3", value_parser = clap::value_parser!(u64).range(0..=3600))]
    seconds: u64,
    /// Seed of weights, ids and labels
    #[arg(long, default_value = "1")]
    seed: u64,
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
        What::Checkpoint(args) => checkpoint(args),
    }
}

impl NetArgs {
    /// What is to be timed.
    fn options(&self, threads: usize, seconds: u64, seed: u64) -> anyhow::Result<BenchOptions> {
        let net = match self.net {
            NetName::Small => Net::SMALL,
            NetName::Paper => Net::PAPER,
        };
        // Eight batches are held: as many as fit the offsets of a field, and a few gigabytes.
        let ids = 8
            * u64::from(self.batch)
            * u64::from(self.ids.unwrap_or(1))
            * u64::from(self.fields.unwrap_or(20));
        anyhow::ensure!(
            ids <= 1_000_000_000,
            "8 batches of {} examples with so many ids and fields are {ids} ids, 1,000,000,000 at most: lower `--batch`, `--ids` or `--fields`",
            self.batch
        );
        let other = |given: Option<u16>, own: usize| given.map_or(own, usize::from);
        Ok(BenchOptions {
            net: Net {
                fields: other(self.fields, net.fields),
                ids: self.ids.map_or(net.ids, u32::from),
                rows: self.rows.unwrap_or(net.rows),
                shared: other(self.shared, net.shared),
                experts: other(self.experts, net.experts),
                ..net
            },
            precision: match self.precision {
                PrecisionName::F32 => spec::Precision::F32,
                PrecisionName::Bf16 => spec::Precision::Bf16,
            },
            batch: self.batch as usize,
            threads,
            time: Duration::from_secs(seconds),
            seed,
        })
    }
}

fn train(args: TrainArgs) -> anyhow::Result<()> {
    let threads = args.threads.map_or_else(all_threads, usize::from);
    let report = bench(&args.net.options(threads, args.seconds, args.seed)?)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(())
}

fn checkpoint(args: CheckpointArgs) -> anyhow::Result<()> {
    let report = bench_checkpoint(&args.net.options(1, args.seconds, args.seed)?, &args.folder)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!(
            "{} rows of tables, {} dense weights; medians of {} rounds:",
            report.table_rows, report.dense_weights, report.rounds
        );
        let megabytes = |bytes: u64| format!("{:.1}", bytes as f64 / 1e6);
        let seconds = |seconds: f64| format!("{seconds:.3}");
        let rows = [
            [
                "checkpoint".to_owned(),
                megabytes(report.checkpoint_bytes),
                seconds(report.checkpoint_seconds),
            ],
            [
                "going on from it".to_owned(),
                String::new(),
                seconds(report.resume_seconds),
            ],
            [
                "published model".to_owned(),
                megabytes(report.publish_bytes),
                seconds(report.publish_seconds),
            ],
        ];
        println!("{}", table(&["what", "MB", "s"], &rows.map(Vec::from)));
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
