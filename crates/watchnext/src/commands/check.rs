//! `watchnext check`: draws the declared network and what it costs.

use std::path::PathBuf;

use clap::Parser;
use model::Cost;

use super::read_spec;
use crate::terminal::table;

/// Check a declaration and draw its network: shapes, parameters, multiplications per candidate, memory
#[derive(Parser)]
#[command(after_help = "Example:\n  watchnext check examples/kuairand/ranker.toml")]
pub(crate) struct Args {
    /// The declaration
    ranker: PathBuf,
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
        let report = serde_json::json!({ "cost": cost, "encoding": encoding, "objectives": objectives });
        println!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    let rows: Vec<Vec<String>> = cost
        .layers
        .iter()
        .map(|layer| {
            let counts = [layer.parameters, layer.multiplications].map(thousands);
            [layer.name.clone(), layer.shape.clone()]
                .into_iter()
                .chain(counts)
                .collect()
        })
        .collect();
    println!(
        "{}",
        table(
            &["layer", "shape", "parameters", "multiplications per candidate"],
            &rows
        )
    );
    println!(
        "\n{} input columns, {} parameters, {} multiplications per candidate",
        cost.input_width,
        thousands(cost.parameters),
        thousands(cost.multiplications)
    );
    println!(
        "memory: {} to serve (each copy of the model), {} to train (weights, optimizer, gradients, shuffle window)",
        megabytes(cost.serving_bytes),
        megabytes(cost.training_bytes)
    );
    Ok(())
}

/// Bytes as `12.3 MB`.
fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// `1234567` as `1,234,567`.
fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_three() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(thousands),
            ["0", "999", "1,000", "1,234,567"]
        );
    }
}
