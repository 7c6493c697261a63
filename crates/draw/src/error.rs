//! Why a figure could not be drawn.

/// A figure that could not be drawn.
#[derive(Debug, thiserror::Error)]
pub enum DrawError {
    /// Too small to read or too large to show.
    #[error("a figure of {width} x {height} pixels: expected 160 to 8192 pixels each way")]
    Size {
        /// Pixels asked for.
        width: u32,
        /// Pixels asked for.
        height: u32,
    },
    /// Numbers that do not belong to the names or points beside them one to one.
    #[error("the figure `{title}`: {found} {what}, expected {expected}")]
    Count {
        /// Title of the figure.
        title: String,
        /// Which numbers.
        what: String,
        /// How many there are.
        found: usize,
        /// How many there must be.
        expected: usize,
    },
    /// A scale of colours without a beginning or an end.
    #[error(
        "the figure `{title}`: a scale from {low} to {high}, expected two finite numbers, the lower first"
    )]
    Scale {
        /// Title of the figure.
        title: String,
        /// Beginning asked for.
        low: f64,
        /// End asked for.
        high: f64,
    },
    /// The plotting library refused.
    #[error("the figure `{title}` could not be drawn: {reason}")]
    Plot {
        /// Title of the figure.
        title: String,
        /// What the library said.
        reason: String,
    },
}

/// Refuses `found` numbers where there must be `expected`.
pub(crate) fn counted(
    title: &str,
    what: impl FnOnce() -> String,
    found: usize,
    expected: usize,
) -> Result<(), DrawError> {
    if found == expected {
        return Ok(());
    }
    Err(DrawError::Count {
        title: title.to_owned(),
        what: what(),
        found,
        expected,
    })
}
