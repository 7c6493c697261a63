//! Optimizers: from a gradient to new weights. In: weights, a gradient, what the optimizer remembers. Out: both, updated in place.

mod adagrad;
mod adam;

pub use adagrad::RowAdagrad;
pub use adam::{Adam, Moments};
