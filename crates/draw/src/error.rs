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
    /// The plotting library refused.
    #[error("the figure `{title}` could not be drawn: {reason}")]
    Plot {
        /// Title of the figure.
        title: String,
        /// What the library said.
        reason: String,
    },
}
