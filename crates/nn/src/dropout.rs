//! Drop-out by counter: a draw is a function of its key and nothing else, so it is the same whatever the thread, batch or order.

use crate::MatMut;

/// The finaliser of splitmix64 (Steele, Lea, Flood 2014; constants of variant 13 of Stafford).
fn mix64(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The step of splitmix64: the golden ratio as a fraction of 2^64, odd.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// All draws of one example in one layer: the part of the key that a row shares.
#[derive(Clone, Copy)]
pub(crate) struct RowDraws(u64);

impl RowDraws {
    pub(crate) fn new(seed: u64, example: u64, layer: u32) -> Self {
        let key = mix64(seed.wrapping_add(GOLDEN));
        let key = mix64((key ^ example).wrapping_add(GOLDEN));
        Self(mix64((key ^ u64::from(layer)).wrapping_add(GOLDEN)))
    }

    /// Uniform in `[0, 1)`, a multiple of 2^-24.
    pub(crate) fn draw(self, element: u32) -> f32 {
        let step = GOLDEN.wrapping_mul(u64::from(element) + 1);
        let bits = mix64(self.0.wrapping_add(step));
        (bits >> 40) as f32 * (1.0 / 16_777_216.0)
    }
}

/// Uniform in `[0, 1)`, by the key alone.
pub fn draw(seed: u64, example: u64, layer: u32, element: u32) -> f32 {
    RowDraws::new(seed, example, layer).draw(element)
}

/// Drop-out of activations: each value is zeroed with `probability`, the rest divided by `1 - probability`.
#[derive(Clone, Copy, Debug)]
pub struct Dropout<'a> {
    /// In `[0, 1)`.
    pub probability: f32,
    /// Seed of the run.
    pub seed: u64,
    /// Tells this place of the network from the others.
    pub layer: u32,
    /// `[B]`: the key of each row.
    pub examples: &'a [u64],
}

impl Dropout<'_> {
    /// Zeroes and scales `x`. Shapes: x `[B, N]`.
    pub fn apply(&self, x: MatMut) {
        self.mask(x);
    }

    /// From the gradient of the output to that of the input: the same mask, the same scale. Shapes: d `[B, N]`.
    pub fn backward(&self, d: MatMut) {
        planted!(
            self.mask(d),
            "dropout: no mask" => (),
            "dropout: mask of another layer" => Dropout { layer: self.layer + 1, ..*self }.mask(d),
            "dropout: mask applied twice" => { let mut d = d; self.mask(d.reborrow()); self.mask(d) },
        );
    }

    fn mask(&self, mut x: MatMut) {
        assert!(
            (0.0..1.0).contains(&self.probability),
            "a drop-out of {}",
            self.probability
        );
        assert_eq!(self.examples.len(), x.rows(), "one key for each row");
        let scale = 1.0 / (1.0 - self.probability);
        for (b, example) in self.examples.iter().enumerate() {
            let draws = RowDraws::new(self.seed, *example, self.layer);
            for (element, value) in x.row_mut(b).iter_mut().enumerate() {
                let kept = draws.draw(element as u32) >= self.probability;
                *value = if kept { *value * scale } else { 0.0 };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::assert_check_bites;
    use crate::testing::{TOLERANCE, values, weighted_sum};
    use crate::{GradientMismatch, Mat, check_gradient};

    const EXAMPLES: [u64; 3] = [7, 8, 1 << 40];
    const DROPOUT: Dropout = Dropout {
        probability: 0.4,
        seed: 1,
        layer: 2,
        examples: &EXAMPLES,
    };

    fn check() -> Result<(), GradientMismatch> {
        let (mut x, d_output) = (values(24, 1), values(24, 2));
        let mut d = d_output.clone();
        DROPOUT.backward(MatMut::new(&mut d, 3, 8));
        let loss = |x: &[f32]| {
            let mut output = x.to_vec();
            DROPOUT.apply(MatMut::new(&mut output, 3, 8));
            weighted_sum(&d_output, &output)
        };
        check_gradient("x", &mut x, &d, loss, TOLERANCE)
    }

    #[test]
    fn the_gradient_is_the_slope_and_the_check_notices_planted_faults() {
        let faults = [
            "dropout: no mask",
            "dropout: mask of another layer",
            "dropout: mask applied twice",
        ];
        assert_check_bites("dropout", &faults, check);
    }

    #[test]
    fn an_example_loses_the_same_values_wherever_it_stands() {
        let mut all = [1.0; 24];
        DROPOUT.apply(MatMut::new(&mut all, 3, 8));
        let mut last = [1.0; 8];
        let alone = Dropout {
            examples: &EXAMPLES[2..],
            ..DROPOUT
        };
        alone.apply(MatMut::new(&mut last, 1, 8));
        assert_eq!(Mat::new(&all, 3, 8).row(2), last);
    }

    #[test]
    fn the_mean_is_kept_and_the_share_of_zeros_is_the_probability() {
        let examples: Vec<u64> = (0..1000).collect();
        for probability in [0.0, 0.1, 0.5, 0.9] {
            let mut x = vec![1.0; 100_000];
            let dropout = Dropout {
                probability,
                examples: &examples,
                ..DROPOUT
            };
            dropout.apply(MatMut::new(&mut x, 1000, 100));
            let zeros = x.iter().filter(|v| **v == 0.0).count() as f32 / 1e5;
            // Five standard deviations of the share.
            let bound = 5.0 * (probability * (1.0 - probability) / 1e5).sqrt();
            assert!((zeros - probability).abs() <= bound, "{zeros} for {probability}");
            let kept = 1.0 / (1.0 - probability);
            assert!(x.iter().all(|v| *v == 0.0 || *v == kept));
        }
    }

    /// Pearson's statistic of counts that should be equal, in standard deviations from its mean.
    fn excess(counts: &[u32]) -> f64 {
        let freedom = counts.len() as f64 - 1.0;
        let expected = f64::from(counts.iter().sum::<u32>()) / counts.len() as f64;
        let squares = counts.iter().map(|c| (f64::from(*c) - expected).powi(2));
        (squares.sum::<f64>() / expected - freedom) / (2.0 * freedom).sqrt()
    }

    /// `(seed, example, layer, element)`.
    type Key = (u64, u64, u32, u32);
    type KeyOf = fn(u32) -> Key;
    type NextKey = fn(Key) -> Key;

    /// Keys that count in one place, as they do in a run, and keys that count in high bits.
    fn sequences() -> [(&'static str, KeyOf); 8] {
        [
            ("elements", |i| (1, 5, 0, i)),
            ("examples", |i| (1, u64::from(i), 0, 0)),
            ("high examples", |i| (1, u64::from(i) << 44, 0, 0)),
            ("layers", |i| (1, 5, i, 0)),
            ("seeds", |i| (u64::from(i), 5, 0, 0)),
            ("seed = example", |i| (u64::from(i), u64::from(i), 0, 0)),
            ("example and element", |i| (1, u64::from(i / 64), 3, i % 64)),
            ("layer = element", |i| (1, 2, i, i)),
        ]
    }

    fn draw_at((seed, example, layer, element): Key) -> f32 {
        draw(seed, example, layer, element)
    }

    #[test]
    fn draws_are_uniform_along_every_part_of_the_key() {
        for (name, key) in sequences() {
            let mut counts = [0; 256];
            for i in 0..200_000 {
                let value = draw_at(key(i));
                assert!((0.0..1.0).contains(&value));
                counts[(value * 256.0) as usize] += 1;
            }
            let excess = excess(&counts);
            assert!(excess.abs() < 5.0, "{name}: {excess} standard deviations");
        }
    }

    #[test]
    fn draws_of_neighbouring_keys_are_independent() {
        let neighbours: [(&str, NextKey); 5] = [
            ("next element", |(s, x, l, e)| (s, x, l, e.wrapping_add(1))),
            ("next example", |(s, x, l, e)| (s, x + 1, l, e)),
            ("next layer", |(s, x, l, e)| (s, x, l.wrapping_add(1), e)),
            ("next seed", |(s, x, l, e)| (s + 1, x, l, e)),
            ("seed and example exchanged", |(s, x, l, e)| (x + 1000, s, l, e)),
        ];
        for (name, key) in sequences() {
            for (neighbour, next) in neighbours {
                // A joint 16 x 16 table: any dependence of one on the other fills its cells unequally.
                let mut counts = [0; 256];
                for i in 0..100_000 {
                    let (here, there) = (draw_at(key(i)), draw_at(next(key(i))));
                    counts[(here * 16.0) as usize * 16 + (there * 16.0) as usize] += 1;
                }
                let excess = excess(&counts);
                assert!(
                    excess.abs() < 5.0,
                    "{name}, {neighbour}: {excess} standard deviations"
                );
            }
        }
    }
}
