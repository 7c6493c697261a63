//! The files of a flat log, as several commands take them.

use std::path::{Path, PathBuf};

use events::FlatOptions;

use crate::failure::Usage;

/// Rows that are read at a time.
pub(crate) const BATCH_ROWS: usize = 8192;

/// Files of a flat log: Parquet, CSV or JSONL.
#[derive(clap::Args)]
pub(crate) struct LogFiles {
    /// Parquet, CSV or JSONL files; together one log in the order of time. A pattern as 'days/*.csv' names files in the order of
    /// their names
    #[arg(long, required = true, num_args = 1..)]
    pub(crate) data: Vec<PathBuf>,
    /// A table of users, joined in by the user's id
    #[arg(long)]
    pub(crate) users: Option<PathBuf>,
    /// A table of items, joined in by the item's id
    #[arg(long)]
    pub(crate) items: Option<PathBuf>,
}

impl LogFiles {
    /// For opening the log.
    pub(crate) fn options(&self) -> Result<FlatOptions, Usage> {
        self.with_data(&self.data)
    }

    /// For opening another log with the same tables.
    pub(crate) fn with_data(&self, data: &[PathBuf]) -> Result<FlatOptions, Usage> {
        let mut files = Vec::new();
        for path in data {
            files.extend(expand(path)?);
        }
        Ok(FlatOptions {
            data: files,
            users: self.users.clone(),
            items: self.items.clone(),
            batch_rows: BATCH_ROWS,
        })
    }
}

/// The files that a pattern names, in the order of their names; a path that exists is itself.
pub(crate) fn expand(path: &Path) -> Result<Vec<PathBuf>, Usage> {
    let typed = path.to_string_lossy();
    if path.exists() || !typed.contains(['*', '?', '[']) {
        return Ok(vec![path.to_owned()]);
    }
    let bad = |why: String| Usage(format!("`--data {typed}`: {why}"));
    let found = glob::glob(&typed).map_err(|error| bad(error.to_string()))?;
    let files = found
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| bad(error.to_string()))?;
    if files.is_empty() {
        return Err(bad("no file has such a name".to_owned()));
    }
    Ok(files)
}
