//! `watchnext debias check`: how far positions and relevance are confounded in a log, and what to do about it.

use clap::Parser;
use train::{DebiasCheck, Spread};

use super::Log;
use crate::terminal::{Bar, Interrupt, number, table};

/// Check how far positions and relevance are confounded in a log: ok, caution, or cannot tell
#[derive(Parser)]
#[command(after_help = "Examples:\n  watchnext debias check run --data log.parquet\n  \
    watchnext debias check run --data log.csv --json\n  \
    watchnext debias check --store store\n\n\
    eta2 is the share of the variance of the main tower's logit that lies between positions: 0 in a random order. swap is how\n\
    freely items change between the halves of the list: 1 as in a random order. slope is between what a fitted position curve\n\
    may be of the true one, as measured on simulated logs: too steep where the ranker that made the log knew what is relevant,\n\
    too flat where it went by popularity. ok: eta2 below 0.10. cannot tell: eta2 above 0.30, or swap below 0.60. caution: between.\n\
    Neither number tells whether the shallow tower helps: only slates in random order do.")]
pub(crate) struct Args {
    #[command(flatten)]
    log: Log,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let source = args.log.open()?;
    let mut bar = Bar::new(args.json).stopped_by(&Interrupt::listen());
    let check = train::check_debias(&source, &mut bar)?;
    drop(bar);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&check)?);
    } else {
        print(&check);
    }
    Ok(())
}

fn print(check: &DebiasCheck) {
    println!("{} examples at a known position:\n", check.rows);
    let mut rows = Vec::new();
    for objective in &check.objectives {
        rows.push(row(objective.objective.clone(), &objective.all));
        for cell in &objective.cells {
            rows.push(row(format!("  {}", cell.cell), &cell.spread));
        }
        if let Some(shuffled) = &objective.shuffled {
            rows.push(row("  (shuffled slates)".to_owned(), shuffled));
        }
    }
    let header = [
        "objective",
        "examples",
        "positions",
        "eta2",
        "swap",
        "slope",
        "verdict",
    ];
    println!("{}", table(&header, &rows));
    for note in &check.notes {
        println!("\nnote: {note}");
    }
    if let Some(verdict) = check.verdict {
        println!("\n{verdict}: {}", check.advice());
    }
}

fn row(name: String, spread: &Spread) -> Vec<String> {
    let slope = spread.slope;
    let beyond = if slope.beyond { " or further" } else { "" };
    vec![
        name,
        spread.rows.to_string(),
        spread.positions.to_string(),
        number(Some(spread.eta2), 3),
        number(spread.swap, 2),
        format!("{:.2} to {:.2}{beyond}", slope.low, slope.high),
        spread.verdict.to_string(),
    ]
}
