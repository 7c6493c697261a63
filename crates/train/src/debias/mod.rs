//! Debiasing, examined: whether the positions of a log can be told from relevance at all, and which fields act as a bias.
//!
//! In: a ranker's main logits over a log. Out: a [`DebiasCheck`] with a plain [`Confounding`], and a [`Discovery`]. Nothing here
//! changes a ranker: what to do about it is the user's choice.

mod check;
mod discover;
mod entropy;
mod offsets;
mod source;
mod spread;
mod traffic;

pub(crate) use check::CheckRows;
pub use check::{CellCheck, DebiasCheck, ObjectiveCheck, check};
pub use discover::{DiscoverOptions, Discovery, FieldFinding, discover};
pub use source::DebiasSource;
pub use spread::{Confounding, SlopeRange, Spread};
pub use traffic::{ANCHOR_SLATES, CHOICE_SLATES, SHUFFLE_SHARE, Traffic};

/// Whether the slate of the example at `row` was shown in random order.
fn is_shuffled(_examples: &events::Examples, _row: usize) -> bool {
    // No log says so yet.
    false
}
