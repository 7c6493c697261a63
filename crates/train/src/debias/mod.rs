//! Debiasing, examined: whether the positions of a log can be told from relevance at all, and which fields act as a bias.
//!
//! In: a ranker's main logits over a log. Out: a [`DebiasCheck`] with a plain [`Confounding`], and a [`Discovery`]. Nothing here
//! changes a ranker: what to do about it is the user's choice.

mod check;
mod source;
mod spread;
mod traffic;

pub(crate) use check::CheckRows;
pub use check::{CellCheck, DebiasCheck, ObjectiveCheck, check};
pub use source::DebiasSource;
pub use spread::{Confounding, SlopeRange, Spread};
pub use traffic::{ANCHOR_SLATES, CHOICE_SLATES, SHUFFLE_SHARE, Traffic};
