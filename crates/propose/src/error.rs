//! Why there is no proposal.

use std::path::PathBuf;

/// Why there is no proposal.
#[derive(Debug, thiserror::Error)]
pub enum ProposeError {
    /// A file that cannot be read.
    #[error(transparent)]
    Data(#[from] events::EventsError),
    /// No file was named.
    #[error("no data file was named: name at least one Parquet, CSV or JSONL file")]
    NoFile,
    /// A file has columns, and nothing below them.
    #[error("`{}` has no rows: a declaration is guessed from values, so name a file that holds some", path.display())]
    NoRows {
        /// The file.
        path: PathBuf,
    },
    /// Every column was left out.
    #[error(
        "none of the {} columns can be a field: {}; add what is known of users and items before an impression is shown",
        left_out.len(),
        left_out.join("; ")
    )]
    NoField {
        /// Each column, with the reason.
        left_out: Vec<String>,
    },
    /// The text that was written is no valid declaration, which is a defect of this crate.
    #[error("the proposed declaration does not parse, which is a defect of `propose`:\n{mistakes}\n{text}")]
    Invalid {
        /// What is wrong with it.
        mistakes: spec::Mistakes,
        /// The text.
        text: String,
    },
}
