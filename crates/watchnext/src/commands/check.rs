//! `watchnext check`: draws the declared network and what it costs.

use std::path::PathBuf;

use clap::Parser;
use model::Cost;
use spec::Spec;
use train::report::count;
use train::{Memory, MemoryOf};

use super::files::BATCH_ROWS;
use super::read_spec;
use super::train::all_threads;
use crate::terminal::table;

/// Check a declaration and draw its network: shapes, parameters, multiplications per candidate, memory
#[derive(Parser)]
#[command(after_help = "Examples:\n  watchnext check examples/kuairand/ranker.toml\n  \
    watchnext check examples/kuairand/ranker.toml --rows 1000000")]
pub(crate) struct Args {
    /// The declaration
    ranker: PathBuf,
    /// Rows of a log, for the memory that training on it takes
    #[arg(long)]
    rows: Option<u64>,
    /// Threads that share a training step, 1 to 4, as of `train`. Default: a core each
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=4))]
    threads: Option<u8>,
    /// Leave the memory of the logistic regression out
    #[arg(long)]
    no_baseline: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let spec = read_spec(&args.ranker)?;
    let cost = Cost::of(&spec);
    let run = MemoryOf {
        rows: args.rows,
        batch_rows: BATCH_ROWS as u64,
        threads: args.threads.map_or_else(all_threads, usize::from),
        baseline: !args.no_baseline,
    };
    let training = Memory::of(&spec, run);
    if args.json {
        let encoding = spec.encoding_fingerprint();
        let objectives = spec.objectives_fingerprint();
        let report = serde_json::json!({ "cost": cost, "training": training, "encoding": encoding, "objectives": objectives });
        println!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    let rows: Vec<Vec<String>> = cost
        .layers
        .iter()
        .map(|layer| {
            let counts = [layer.parameters, layer.multiplications, layer.bytes].map(count);
            [layer.name.clone(), layer.shape.clone()]
                .into_iter()
                .chain(counts)
                .collect()
        })
        .collect();
    println!(
        "{}",
        table(
            &[
                "layer",
                "shape",
                "parameters",
                "multiplications per candidate",
                "bytes per candidate"
            ],
            &rows
        )
    );
    println!(
        "\n{} input columns, {} parameters, {} multiplications per candidate\n{} bytes moved per candidate, beside the {} \
         bytes of the network's weights for each request",
        cost.input_width,
        count(cost.parameters),
        count(cost.multiplications),
        count(cost.bytes),
        count(cost.network_bytes())
    );
    println!("{}", memory(&spec, &cost, &training));
    Ok(())
}

/// What memory it takes.
fn memory(spec: &Spec, cost: &Cost, training: &Memory) -> String {
    let examples = match training.examples {
        Some(examples) if training.cached => {
            format!("the {} encoded examples of the training part", count(examples))
        }
        Some(_) => "two shuffle windows; each epoch reads the files".to_owned(),
        None => "two shuffle windows".to_owned(),
    };
    let mut text = format!(
        "memory: {} to serve (each copy of the model), {} to train at its peak, with {examples}:",
        megabytes(cost.serving_bytes),
        megabytes(training.peak)
    );
    for (what, bytes) in &training.parts {
        text += &format!("\n  {:>10}  {what}", megabytes(*bytes));
    }
    let cache = if spec.train.epochs > 1 {
        spec.train.cache
    } else {
        0
    };
    if training.examples.is_none() && cache > 0 {
        text += &format!(
            "\na training part of up to {} examples is kept encoded between epochs, in up to {} more",
            count(cache / cost.example_bytes),
            megabytes(cache)
        );
    }
    text
}

/// Bytes as `12.3 MB`.
fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
