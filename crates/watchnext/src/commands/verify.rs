//! `watchnext verify`: replays a store's log and compares with what was learned and served.

use std::path::PathBuf;

use anyhow::bail;
use clap::Parser;
use train::RunCheck;

use super::{demand_store, read_spec};
use crate::terminal::table;

/// Replay a store's log from its start: same examples, same models, same derived fields, to the byte
#[derive(Parser)]
#[command(
    after_help = "Example:\n  watchnext demo --once --store store\n  watchnext verify --store store\n\n\
    Exit code 1 where anything differs. What the log no longer retains is said and is no difference."
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
        let yes = |run: &RunCheck, same: bool| match same {
            _ if run.not_replayed.is_some() => "not replayed",
            true => "same",
            false => "DIFFERENT",
        };
        let rows: Vec<Vec<String>> = report
            .runs
            .iter()
            .map(|run| {
                let digest = run.examples_digest.get(..16).unwrap_or("-").to_owned();
                vec![
                    run.run.to_string(),
                    run.model.clone(),
                    run.examples.to_string(),
                    digest,
                    yes(run, run.same_examples).to_owned(),
                    yes(run, run.same_model).to_owned(),
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
        for run in &report.runs {
            if let Some(why) = &run.not_replayed {
                println!("run {} was not replayed: {why}", run.run);
            }
        }
        let recomputed = report.slates - report.unverifiable;
        println!(
            "\nderived fields of {recomputed} slates recomputed, {} differ",
            report.mismatches
        );
        if report.unverifiable > 0 {
            println!(
                "{} slates cannot be checked: feedback that they had seen is no longer kept",
                report.unverifiable
            );
        }
    }
    if !report.passed() {
        bail!("the replay differs from what was learned or served");
    }
    Ok(())
}
