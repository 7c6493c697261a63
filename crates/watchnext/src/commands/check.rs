//! `watchnext check`: draws the declared network and what it costs.

use std::path::PathBuf;

use clap::Parser;
use model::Cost;
use spec::Spec;

use super::{read_spec, thousands};
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
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let spec = read_spec(&args.ranker)?;
    let cost = Cost::of(&spec);
    if args.json {
        let encoding = spec.encoding_fingerprint();
        let objectives = spec.objectives_fingerprint();
        let training = args
            .rows
            .map(|rows| cost.training_bytes_of(training_rows(&spec, rows)));
        let report = serde_json::json!({ "cost": cost, "training_bytes_of_rows": training, "encoding": encoding, "objectives": objectives });
        println!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    let rows: Vec<Vec<String>> = cost
        .layers
        .iter()
        .map(|layer| {
            let counts = [layer.parameters, layer.multiplications, layer.bytes].map(thousands);
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
        thousands(cost.parameters),
        thousands(cost.multiplications),
        thousands(cost.bytes),
        thousands(cost.network_bytes())
    );
    println!(
        "{}",
        memory(&cost, args.rows.map(|rows| training_rows(&spec, rows)))
    );
    Ok(())
}

/// Rows of the training part of a log of `rows`.
fn training_rows(spec: &Spec, rows: u64) -> u64 {
    (rows as f64 * spec.train.split[0]) as u64
}

/// What memory it takes; of a log whose training part has `rows`, where that is known.
fn memory(cost: &Cost, rows: Option<u64>) -> String {
    let (bytes, examples) = match rows {
        None => (cost.training_bytes, "two shuffle windows".to_owned()),
        Some(rows) if cost.keeps(rows) && cost.cache_bytes > 0 => (
            cost.training_bytes_of(rows),
            format!("the {} encoded examples of the training part", thousands(rows)),
        ),
        Some(rows) => (
            cost.training_bytes_of(rows),
            "two shuffle windows; each epoch reads the files".to_owned(),
        ),
    };
    let mut text = format!(
        "memory: {} to serve (each copy of the model), {} to train (weights, optimizer, gradients, {examples})",
        megabytes(cost.serving_bytes),
        megabytes(bytes)
    );
    if rows.is_none() && cost.cache_bytes > 0 {
        text += &format!(
            "; a training part of up to {} examples is kept encoded between epochs, in up to {} more",
            thousands(cost.cache_bytes / cost.example_bytes),
            megabytes(cost.cache_bytes)
        );
    }
    text
}

/// Bytes as `12.3 MB`.
fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
