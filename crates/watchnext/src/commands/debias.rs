//! `watchnext debias`: whether a log can tell the bias of positions from relevance, which setting and which fields to take, and the
//! proof on worlds whose truth is known.

mod apply;
mod check;
mod choose;
mod discover;
mod graded;
mod prove;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use train::{DebiasSource, Run};

use super::demand_store;
use super::files::LogFiles;
use crate::failure::Usage;

/// Check whether a log can tell position bias from relevance, choose what to do about it, find the fields that act as a bias, and
/// prove all of it against truth
#[derive(Parser)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:\n  watchnext debias check run --data log.parquet\n  \
    watchnext debias check --store store\n  \
    watchnext debias discover run --data log.parquet\n  \
    watchnext debias discover run --data log.parquet --also propensity --apply ranker.toml\n  \
    watchnext debias choose ranker.toml --data log.parquet\n  \
    watchnext debias prove --quick --rows 12 --seeds 1 --out quick"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Args),
    Choose(choose::Args),
    Discover(discover::Args),
    Prove(prove::Args),
    Graded(graded::Args),
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    match args.command {
        Command::Check(args) => check::run(args),
        Command::Choose(args) => choose::run(&args),
        Command::Discover(args) => discover::run(args),
        Command::Prove(args) => prove::run(&args),
        Command::Graded(args) => graded::run(args),
    }
}

/// A ranker and a log: a run and flat files, or a store.
#[derive(clap::Args)]
pub(crate) struct Log {
    /// The folder that `train` wrote
    #[arg(required_unless_present = "store", requires = "data")]
    run: Option<PathBuf>,
    /// Parquet, CSV or JSONL files; together one log in the order of time. A pattern as 'days/*.csv' names files in the order of
    /// their names
    #[arg(long, num_args = 1.., requires = "run")]
    data: Vec<PathBuf>,
    /// A table of users, joined in by the user's id
    #[arg(long, requires = "data")]
    users: Option<PathBuf>,
    /// A table of items, joined in by the item's id
    #[arg(long, requires = "data")]
    items: Option<PathBuf>,
    /// A store's folder: what has closed in its log, for one of its models
    #[arg(long, conflicts_with = "run")]
    store: Option<PathBuf>,
    /// The model of the store; default: the one that serves
    #[arg(long, requires = "store")]
    model: Option<String>,
}

impl Log {
    /// Opens it.
    pub(crate) fn open(&self) -> anyhow::Result<DebiasSource> {
        if let Some(store) = &self.store {
            demand_store(store)?;
            return Ok(DebiasSource::store(store, self.model.as_deref())?);
        }
        let run = self.run()?;
        let files = self.files().options()?;
        let log = run.open(files.data, files.users, files.items)?;
        Ok(DebiasSource::flat(run.ranker, log))
    }

    /// The run.
    fn run(&self) -> anyhow::Result<Run> {
        let Some(run) = &self.run else {
            return Err(Usage("expected a run and `--data`, or `--store`".to_owned()).into());
        };
        Ok(Run::read(run)?)
    }

    /// The flat files.
    fn files(&self) -> LogFiles {
        LogFiles {
            data: self.data.clone(),
            users: self.users.clone(),
            items: self.items.clone(),
        }
    }
}
