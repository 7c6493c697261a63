//! `watchnext init`: a file that nobody declared -> a declaration that trains as written.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Parser;
use propose::Options;

use super::files::expand;
use crate::failure::Usage;

/// Write a declaration for a log that has none: sides and kinds guessed, leaks pointed out, open choices marked
#[derive(Parser)]
#[command(
    after_help = "Example:\n  watchnext init log.csv --out ranker.toml\n  watchnext train ranker.toml --data log.csv --out run\n\n\
    Reads a sample of Parquet, CSV or JSONL files, one row per impression. What it leaves out, what looks like a leak of a label\n\
    and what it could not decide goes to standard error and, as comments, into the declaration."
)]
pub(crate) struct Args {
    /// The log's files
    #[arg(required = true)]
    data: Vec<PathBuf>,
    /// A table of users, one row per user
    #[arg(long)]
    users: Option<PathBuf>,
    /// A table of items, one row per item
    #[arg(long)]
    items: Option<PathBuf>,
    /// Rows to look at
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(1..))]
    rows: u64,
    /// The file to write; default standard output
    #[arg(long)]
    out: Option<PathBuf>,
    /// Replace the file to write
    #[arg(long, requires = "out")]
    overwrite: bool,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    if let Some(out) = &args.out {
        check_out(out, args.overwrite)?;
    }
    let mut data = Vec::new();
    for path in &args.data {
        data.extend(expand(path)?);
    }
    let proposal = propose::propose(&Options {
        data,
        users: args.users,
        items: args.items,
        rows: usize::try_from(args.rows)?,
    })?;
    for note in &proposal.notes {
        eprintln!("{note}");
    }
    for leak in &proposal.leaks {
        eprintln!("leak: {leak}");
    }
    for choice in &proposal.choices {
        eprintln!("choose: {choice}");
    }
    match args.out {
        None => print!("{}", proposal.toml),
        Some(out) => {
            write_whole(&out, &proposal.toml)?;
            eprintln!("wrote {}", out.display());
        }
    }
    Ok(())
}

/// Refuses, before time is spent, a file that is not to be replaced or cannot be written.
fn check_out(out: &Path, overwrite: bool) -> Result<(), Usage> {
    if out.exists() && !overwrite {
        return Err(Usage(format!(
            "`{}` exists; name another `--out` or add `--overwrite`",
            out.display()
        )));
    }
    let below = out.parent().filter(|parent| !parent.as_os_str().is_empty());
    if out.is_dir() || out.file_name().is_none() || below.is_some_and(|parent| !parent.is_dir()) {
        return Err(Usage(format!(
            "`--out {}`: expected a file in a folder that exists",
            out.display()
        )));
    }
    Ok(())
}

/// Writes a file whole or not at all.
fn write_whole(out: &Path, text: &str) -> anyhow::Result<()> {
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    let fresh = out.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let written = std::fs::write(&fresh, text).and_then(|()| std::fs::rename(&fresh, out));
    if written.is_err() {
        // What cannot be removed either is removed by nobody.
        let _ = std::fs::remove_file(&fresh);
    }
    written.with_context(|| format!("`{}`", out.display()))
}
