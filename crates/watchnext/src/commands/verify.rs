//! `watchnext verify`: replays a store's log and compares with what was learned and served.

use std::path::PathBuf;

use anyhow::bail;
use clap::Parser;

use super::{demand_store, read_spec};
use crate::terminal::table;

/// Replay a store's log from its start: same examples, same models, same derived fields, to the byte
#[derive(Parser)]
#[command(
    after_help = "Example:\n  watchnext demo --once --store store && watchnext verify --store store\n\n\
    Exit code 1 where anything differs."
)]
pub(crate) struct Args {
    /// The store's folder
    #[arg(long, default_value = "store")]
    store: PathBuf,
    /// The declaration that the first run started from, where no trained model was served first; default the first model's own
    #[arg(long)]
    spec: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let spec = args.spec.as_deref().map(read_spec).transpose()?;
    demand_store(&args.store)?;
    let report = train::verify(&args.store, spec.as_ref())?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        let yes = |same: bool| if same { "same" } else { "DIFFERENT" }.to_owned();
        let rows: Vec<Vec<String>> = report
            .runs
            .iter()
            .map(|run| {
                let digest = run.examples_digest[..16].to_owned();
                vec![
                    run.run.to_string(),
                    run.model.clone(),
                    run.examples.to_string(),
                    digest,
                    yes(run.same_examples),
                    yes(run.same_model),
                ]
            })
            .collect();
        println!(
            "{}",
            table(
                &["run", "model", "examples", "digest", "examples", "model"],
                &rows
            )
        );
        println!(
            "\nderived fields of {} slates recomputed, {} differ",
            report.slates, report.mismatches
        );
    }
    if !report.passed() {
        bail!("the replay differs from what was learned or served");
    }
    Ok(())
}
