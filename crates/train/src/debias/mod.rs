//! Debiasing, examined: whether the positions of a log can be told from relevance at all, which fields act as a bias, and which
//! setting orders shuffled lists best.
//!
//! In: a ranker's main logits over a log. Out: a [`DebiasCheck`] with a plain [`Confounding`], a [`Discovery`], a [`Choice`]. Nothing
//! here changes a ranker: what to do about it is the user's choice.

mod check;
mod choose;
mod discover;
mod entropy;
mod lists;
mod offsets;
mod source;
mod spread;
mod traffic;

pub(crate) use check::CheckRows;
pub use check::{CellCheck, DebiasCheck, ObjectiveCheck, check};
pub use choose::{ArmResult, Choice, ChoiceArm, ChoiceLog, choose};
pub use discover::{DiscoverOptions, Discovery, FieldFinding, discover, discover_examples};
pub use lists::{ListRows, Lists, best as best_of};
pub use source::DebiasSource;
pub use spread::{Confounding, SlopeRange, Spread};
pub use traffic::{ANCHOR_SLATES, CHOICE_SLATES, SHUFFLE_SHARE, Traffic};

/// Whether the slate of the example at `row` was shown in random order.
fn is_shuffled(examples: &events::Examples, row: usize) -> bool {
    use arrow_array::Array;
    let shuffled = examples.shuffled();
    !shuffled.is_null(row) && shuffled.value(row)
}
