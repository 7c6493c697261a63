//! `watchnext policy`: how often a log shows each item at each position, as a policy for `evaluate --policy`.

use std::path::PathBuf;

use clap::Parser;

/// Print how often a log shows each item at each position: the policy that made it, for `evaluate --policy`
#[derive(Parser)]
#[command(
    after_help = "Example:\n  watchnext policy new.parquet --item item_id > policy.csv\n  \
    watchnext evaluate run --data random.parquet --policy policy.csv"
)]
pub(crate) struct Args {
    /// The log: Parquet, CSV or JSONL
    log: PathBuf,
    /// Its column of items
    #[arg(long, default_value = "item")]
    item: String,
    /// Its column of positions
    #[arg(long, default_value = "position")]
    position: String,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    print!("{}", train::frequencies(&args.log, &args.item, &args.position)?);
    Ok(())
}
