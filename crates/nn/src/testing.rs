//! What the gradient checks of the layers share: numbers from a seed, a loss over an output, a gradient that was added to.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::init::normal;

/// Gradients start here in the checks, so that one that is written instead of added to is noticed.
pub(crate) const START: f32 = 0.5;

/// Within which the checks demand agreement; see [`crate::check_gradient`].
pub(crate) const TOLERANCE: f64 = 2e-3;

pub(crate) fn generator(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// `len` standard normal values.
pub(crate) fn values(len: usize, seed: u64) -> Vec<f32> {
    normal(len, 1.0, &mut generator(seed))
}

/// The loss of the checks, `sum_i weight_i output_i`: its gradient by `output` is `weights`.
pub(crate) fn weighted_sum(weights: &[f32], output: &[f32]) -> f64 {
    let products = weights.iter().zip(output);
    products.map(|(w, o)| f64::from(*w) * f64::from(*o)).sum()
}

/// What was added to a gradient that started at [`START`].
pub(crate) fn added(grad: &[f32]) -> Vec<f32> {
    grad.iter().map(|d| d - START).collect()
}
