//! What can go wrong with a ranker: an artifact that is damaged or does not fit, data of the wrong declaration.

use std::path::{Path, PathBuf};

/// Errors of this crate; each says which file or field, what was found and what was expected.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file could not be read or written.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not what its manifest says.
    #[error("`{}` is damaged: {message}; restore the folder or train again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found and expected.
        message: String,
    },
    /// The artifact's own declaration does not parse.
    #[error("{}", .0)]
    Spec(#[from] spec::Mistakes),
    /// Two parts that do not belong together.
    #[error("{0}")]
    Mismatch(String),
    /// The store refused.
    #[error(transparent)]
    Events(#[from] events::EventsError),
}

impl ModelError {
    /// The file system's refusal at `path`.
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        ModelError::Io {
            path: path.to_path_buf(),
            source,
        }
    }

    /// The file `path` is not what it should be.
    pub(crate) fn damaged(path: &Path, message: impl Into<String>) -> Self {
        ModelError::Damaged {
            path: path.to_path_buf(),
            message: message.into(),
        }
    }
}
