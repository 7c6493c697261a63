//! A layer's weight as its products read it: packed once for many products, by all threads.
//!
//! In: a weight. Out: the panels of it, as a right factor and turned. What a product gives does not change by it.

use crate::kernels::pack;
use crate::kernels::{Lines, Path, Precision, Units};
use crate::product::{Factor, depths};
use crate::{Mat, Threads};

/// The panels of a weight, or none. No part of a layer's value: layers with and without are equal, and a copy has none.
#[derive(Debug, Default)]
pub struct Packed(Option<Box<Both>>);

/// The panels of a weight.
#[derive(Debug, Default)]
struct Both {
    /// As it is, for the forward product.
    plain: Panels,
    /// Turned, for the gradient of the input.
    turned: Panels,
}

impl Clone for Packed {
    fn clone(&self) -> Self {
        Packed::default()
    }
}

impl PartialEq for Packed {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// A right factor, `[K, N]`, as panels: by block along K, then by panel.
#[derive(Debug, Default)]
pub(crate) struct Panels {
    lines: Lines,
    /// What they are made for; `None`: they hold nothing.
    made_for: Option<(Path, Units)>,
}

impl Packed {
    /// Packs `weight` for products in `precision`.
    pub(crate) fn fill(&mut self, weight: Mat, precision: Precision, threads: &Threads) {
        let Both { plain, turned } = &mut **self.0.get_or_insert_default();
        plain.fill(Factor::plain(weight), precision, threads);
        turned.fill(Factor::transposed(weight), precision, threads);
    }

    /// Forgets what was packed; the room stays.
    pub(crate) fn forget(&mut self) {
        if let Some(both) = &mut self.0 {
            both.plain.made_for = None;
            both.turned.made_for = None;
        }
    }

    /// Of the weight, where there was one to pack.
    pub(crate) fn plain(&self) -> Option<&Panels> {
        self.0.as_ref().map(|both| &both.plain)
    }

    /// Of the weight turned, likewise.
    pub(crate) fn turned(&self) -> Option<&Panels> {
        self.0.as_ref().map(|both| &both.turned)
    }
}

impl Panels {
    fn fill(&mut self, factor: Factor, precision: Precision, threads: &Threads) {
        let path = Path::best();
        let units = path.units(precision);
        let wide = path.tile_cols();
        let panels = factor.cols.div_ceil(wide);
        let whole: usize = depths(units, factor.rows)
            .map(|(_, inner)| units.depth(inner))
            .sum();
        let mut rest = self.lines.units(whole * panels * wide);
        for (k0, inner) in depths(units, factor.rows) {
            let size = units.depth(inner) * wide;
            let (block, tail) = rest.split_at_mut(panels * size);
            rest = tail;
            threads.runs(block, size, |first, some| {
                for (at, to) in some.chunks_mut(size.max(1)).enumerate() {
                    let j0 = (first + at) * wide;
                    let cols = wide.min(factor.cols - j0);
                    pack::right(path, units, factor.block.from(k0, j0), inner, cols, to);
                }
            });
        }
        self.made_for = Some((path, units));
    }

    /// The units of all panels, if they are made for such products.
    pub(crate) fn units(&self, path: Path, units: Units) -> Option<&[u32]> {
        (self.made_for == Some((path, units))).then(|| self.lines.all())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{generator, values};
    use crate::{Dense, InputGradient, MatMut};

    /// Output, gradients of weight and input, as bits.
    fn results(dense: &Dense, precision: Precision) -> Vec<u32> {
        let (batch, inputs, outputs) = (13, dense.inputs, dense.outputs);
        let (input, d_output) = (values(batch * inputs, 2), values(batch * outputs, 3));
        let (input, d_output) = (
            Mat::new(&input, batch, inputs),
            Mat::new(&d_output, batch, outputs),
        );
        let (mut output, mut d_input) = (vec![0.0; batch * outputs], vec![0.0; batch * inputs]);
        let mut grad = dense.zeros_like();
        dense.run(
            precision,
            input,
            MatMut::new(&mut output, batch, outputs),
            outputs / 2,
        );
        let wanted = InputGradient::Whole(MatMut::new(&mut d_input, batch, inputs));
        dense.backward(precision, input, d_output, wanted, &mut grad);
        let all = [output, d_input, grad.weight, grad.bias].concat();
        all.into_iter().map(f32::to_bits).collect()
    }

    #[test]
    fn a_packed_layer_gives_the_same_bits_until_it_is_unpacked() {
        let shapes = [(1, 1), (7, 33), (300, 65), (600, 40), (40, 600), (1030, 96)];
        for (inputs, outputs) in shapes {
            for precision in [Precision::F32, Precision::Bf16] {
                for threads in [1, 3] {
                    let threads = Threads::new(threads);
                    let mut dense = Dense::new(inputs, outputs, 1.0, &mut generator(1));
                    let plain = results(&dense, precision);
                    dense.pack(precision, &threads);
                    assert_eq!(
                        results(&dense, precision),
                        plain,
                        "{inputs} x {outputs}, {precision:?}"
                    );
                    // What is read now are the panels: they do not see this change.
                    dense.weight.iter_mut().for_each(|weight| *weight += 1.0);
                    assert_eq!(results(&dense, precision)[..13 * outputs], plain[..13 * outputs]);
                    dense.unpack();
                    assert_ne!(results(&dense, precision)[..13 * outputs], plain[..13 * outputs]);
                }
            }
        }
    }

    #[test]
    fn what_was_packed_for_one_precision_is_not_read_in_another() {
        let mut dense = Dense::new(50, 70, 1.0, &mut generator(1));
        let plain = results(&dense, Precision::F32);
        dense.pack(Precision::Bf16, &Threads::one());
        assert_eq!(results(&dense, Precision::F32), plain);
        assert_ne!(results(&dense, Precision::Bf16), plain);
        assert_eq!(dense.clone(), dense);
    }
}
