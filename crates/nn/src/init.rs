//! First weights. In: a count, a standard deviation, a generator. Out: values.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// `len` draws of the normal distribution with mean 0 and the standard `deviation`.
pub(crate) fn normal(len: usize, deviation: f32, rng: &mut impl Rng) -> Vec<f32> {
    (0..len)
        .map(|_| {
            let value: f32 = StandardNormal.sample(rng);
            deviation * value
        })
        .collect()
}
