//! `watchnext debias prove`: what debiasing recovers of a truth that is known, row by row.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Parser;

use crate::failure::{Missed, Usage};
use crate::proof::fusion::Fused;
use crate::proof::prove::{self, Options, Proof, ROWS};
use crate::proof::recipe::Recipe;
use crate::terminal::{Bar, Interrupt, table};

/// Prove on simulated worlds, whose truth is known, what debiasing wins and where it loses
#[derive(Parser)]
#[command(
    after_help = "Examples:\n  watchnext debias prove                      # about a quarter of an hour of processor time; then look at truth/truth.html\n  \
    watchnext debias prove --quick --out quick  # a few minutes: fewer seeds and impressions, the same gates\n  \
    watchnext debias prove --rows 1,2,11 --seeds 3 --out some\n\n\
    Each row states what was expected, with a gate that was fixed before the run. Results are kept as they come: a run that was\n\
    stopped goes on in the same folder. Exit code 1 where a row missed its gate. With `--quick` rows 3 to 6, 8 to 10, 13 to\n\
    16, 18 and 19, whose gates are meant for the whole recipe, are left out unless asked for."
)]
pub(crate) struct Args {
    /// The folder of the results
    #[arg(long, default_value = "truth")]
    out: PathBuf,
    /// Worlds: seeds 0 to this, less one (of row 19: from 100 on); default 5, with `--quick` 2
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: Option<u64>,
    /// Rows to prove, as `1,2,11`; default all
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=19))]
    rows: Vec<u32>,
    /// Less of everything
    #[arg(long)]
    quick: bool,
    /// Pieces at a time; default one for each core
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Rows whose gates hold on less data too.
const QUICK: [u32; 6] = [1, 2, 7, 11, 12, 17];

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let mut recipe = if args.quick {
        Recipe::quick()
    } else {
        Recipe::full()
    };
    if let Some(seeds) = args.seeds {
        recipe.seeds = seeds;
    }
    let rows: BTreeSet<u32> = match &args.rows[..] {
        [] if args.quick => QUICK.into(),
        [] => ROWS.collect(),
        asked => asked.iter().copied().collect(),
    };
    if recipe.seeds < 2 && rows.contains(&19) {
        return Err(Usage("row 19 asks for an interval over worlds: expected `--seeds` of 2 or more, or `--rows` without it".to_owned()).into());
    }
    let options = Options {
        out: args.out.clone(),
        recipe,
        rows,
        threads: args.threads.map_or_else(cores, usize::from),
    };
    let mut bar = Bar::new(args.json).stopped_by(&Interrupt::listen());
    let proof = prove::prove(&options, &mut bar)?;
    drop(bar);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&proof.rows)?);
    } else {
        print(&proof);
        println!(
            "\nwrote {0}/truth.json; look at {0}/truth.html",
            args.out.display()
        );
    }
    match proof.missed().as_slice() {
        [] => Ok(()),
        missed => {
            let missed: Vec<String> = missed.iter().map(u32::to_string).collect();
            Err(Missed(format!("outside of its gate: row {}", missed.join(", "))).into())
        }
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn print(proof: &Proof) {
    let number = |value: f64| {
        if value.is_finite() {
            format!("{value:+.4}")
        } else {
            "-".to_owned()
        }
    };
    let rows: Vec<Vec<String>> = proof
        .rows
        .iter()
        .flat_map(|row| {
            row.claims.iter().map(move |claim| {
                let half = claim.interval.high - claim.interval.mean;
                let half = if half.is_finite() {
                    format!("± {half:.4}")
                } else {
                    String::new()
                };
                vec![
                    format!("{:>2} {}", row.number, claim.what),
                    number(claim.interval.mean),
                    half,
                    claim.gate.to_string(),
                    if claim.held { "holds" } else { "MISSED" }.to_owned(),
                ]
            })
        })
        .collect();
    println!("{}", table(&["row", "measured", "95 %", "gate", ""], &rows));
    for way in serving(&proof.fusions) {
        println!("{way}");
    }
}

/// What other positions at serving change, over all worlds with several objectives.
fn serving(fusions: &[Fused]) -> Vec<String> {
    let ways = fusions.first().map_or(&[][..], |fused| &fused.serving);
    let line = |at: usize| {
        let all: Vec<_> = fusions.iter().filter_map(|fused| fused.serving.get(at)).collect();
        let reordered: usize = all.iter().map(|way| way.reordered).sum();
        let changed = all.iter().map(|way| way.combined_changed).sum::<f64>() / all.len() as f64;
        format!(
            "serve_position {} beside missing: {reordered} visits ordered otherwise by click alone, {:.1} % with another top 10 by the score",
            ways[at].serve_position,
            100.0 * changed
        )
    };
    (0..ways.len()).map(line).collect()
}
