//! What can go wrong in training.

use std::path::PathBuf;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The log or the store.
    #[error(transparent)]
    Events(#[from] events::EventsError),
    /// An artifact or a checkpoint.
    #[error(transparent)]
    Model(#[from] model::ModelError),
    /// The data do not allow what was asked.
    #[error("{0}")]
    Data(String),
    /// A loss or weight stopped being finite.
    #[error("training diverged: {0}; lower `[train] learning_rate` or scale the numbers")]
    Diverged(String),
    /// A thread that feeds training could not be started, or panicked.
    #[error("the thread `{name}` of `train` failed: {problem}")]
    Thread {
        /// What it is for.
        name: &'static str,
        /// What it said.
        problem: String,
    },
    /// Stopped by the user before anything worth keeping existed.
    #[error("stopped before the first epoch was complete; nothing was written")]
    Stopped,
    /// Stopped by the user; this folder has all that was learned.
    #[error("stopped; `{}` has a checkpoint: go on with `--resume`", .0.display())]
    Interrupted(PathBuf),
}

impl TrainError {
    /// Whether the user's data or declaration is at fault, rather than the machine.
    pub fn is_bad_input(&self) -> bool {
        match self {
            TrainError::Events(error) => error.is_bad_input(),
            TrainError::Model(error) => {
                !matches!(error, model::ModelError::Io { .. } | model::ModelError::Events(_))
            }
            TrainError::Data(_) => true,
            TrainError::Diverged(_)
            | TrainError::Thread { .. }
            | TrainError::Stopped
            | TrainError::Interrupted(_) => false,
        }
    }
}
