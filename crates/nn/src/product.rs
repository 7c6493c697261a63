//! The matrix products, all of them: the one file that calls the crate `gemm`, hence the one with `unsafe` code.
//!
//! In: views. Out: their product, written or added. Letters: A `[M, K]`, B `[K, N]`, out `[M, N]`. A row of `out` depends on
//! its own row of A and on B: not on where it stands among the rows, nor on what the other rows hold, to the bit. It may
//! depend, in its last bits, on how many rows there are: `gemm` takes another path for a single one.
#![allow(unsafe_code)]

use crate::{Mat, MatMut};

/// `out = a · b`. Shapes: a `[M, K]`, b `[K, N]`, out `[M, N]`.
pub fn product(a: Mat, b: Mat, out: MatMut) {
    multiply(Operand::plain(a), Operand::plain(b), out, false);
}

/// `out += a · b`. Shapes: a `[M, K]`, b `[K, N]`, out `[M, N]`.
pub fn add_product(a: Mat, b: Mat, out: MatMut) {
    multiply(Operand::plain(a), Operand::plain(b), out, true);
}

/// `out += aᵀ · b`. Shapes: a `[K, M]`, b `[K, N]`, out `[M, N]`.
pub fn add_product_left_transposed(a: Mat, b: Mat, out: MatMut) {
    multiply(Operand::transposed(a), Operand::plain(b), out, true);
}

/// `out += a · bᵀ`. Shapes: a `[M, K]`, b `[N, K]`, out `[M, N]`.
pub fn add_product_right_transposed(a: Mat, b: Mat, out: MatMut) {
    multiply(Operand::plain(a), Operand::transposed(b), out, true);
}

/// A factor as `gemm` takes it: value `(i, j)` at `data[i * row_stride + j * col_stride]`.
struct Operand<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a> Operand<'a> {
    fn plain(mat: Mat<'a>) -> Self {
        Self {
            data: mat.data(),
            rows: mat.rows(),
            cols: mat.cols(),
            row_stride: mat.stride(),
            col_stride: 1,
        }
    }

    fn transposed(mat: Mat<'a>) -> Self {
        Self {
            data: mat.data(),
            rows: mat.cols(),
            cols: mat.rows(),
            row_stride: 1,
            col_stride: mat.stride(),
        }
    }

    fn assert_inside(&self) {
        if self.rows > 0 && self.cols > 0 {
            let last = (self.rows - 1) * self.row_stride + (self.cols - 1) * self.col_stride;
            assert!(last < self.data.len(), "a factor ends outside its buffer");
        }
    }
}

/// `out = left · right`, or `out += left · right` if `add`.
fn multiply(left: Operand, right: Operand, mut out: MatMut, add: bool) {
    let (m, n, k) = (out.rows(), out.cols(), left.cols);
    assert_eq!((left.rows, right.cols), (m, n), "shape of the product");
    assert_eq!(k, right.rows, "inner size of the product");
    if m == 0 || n == 0 {
        return;
    }
    left.assert_inside();
    right.assert_inside();
    let out_stride = out.stride();
    let data = out.data_mut();
    assert!((m - 1) * out_stride + n <= data.len());
    // SAFETY: all three pointers come from live slices, `out` from an exclusive one, so it overlaps neither factor. The
    // asserts above hold the farthest index that these shapes and strides can reach inside each slice, and strides are
    // not negative, so no index lies before the start; a slice has at most `isize::MAX` bytes, so no stride that is used
    // wraps. `gemm` reads `out` only if asked to, where it is initialised like every slice.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            data.as_mut_ptr(),
            1,
            out_stride as isize,
            add,
            left.data.as_ptr(),
            left.col_stride as isize,
            left.row_stride as isize,
            right.data.as_ptr(),
            right.col_stride as isize,
            right.row_stride as isize,
            1.0f32,
            1.0f32,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use crate::init::normal;

    /// A buffer for `rows` x `cols` with `gap` unused values after each row.
    fn buffer(rows: usize, cols: usize, gap: usize, seed: u64) -> Vec<f32> {
        normal(rows * (cols + gap), 1.0, &mut ChaCha8Rng::seed_from_u64(seed))
    }

    fn view(data: &[f32], rows: usize, cols: usize, gap: usize) -> Mat<'_> {
        Mat::strided(data, rows, cols, cols + gap)
    }

    fn transposed(mat: Mat) -> Vec<f32> {
        let values = (0..mat.cols()).flat_map(|j| (0..mat.rows()).map(move |i| mat.row(i)[j]));
        values.collect()
    }

    /// `start + a · b`, summed in `f64`, and what rounding can be off by.
    fn naive(a: Mat, b: Mat, start: f32, i: usize, j: usize) -> (f64, f64) {
        let terms = (0..a.cols()).map(|k| f64::from(a.row(i)[k]) * f64::from(b.row(k)[j]));
        let size: f64 = terms.clone().map(f64::abs).sum::<f64>() + f64::from(start.abs());
        let rounding = 1e-6 * size;
        (f64::from(start) + terms.sum::<f64>(), rounding)
    }

    type Product = fn(Mat, Mat, MatMut);

    /// One of the products, with the factors stored as it takes them, against the naive loop; gaps must stay untouched.
    fn check(m: usize, n: usize, k: usize, gap: usize) {
        let (a, b) = (buffer(m, k, gap, 1), buffer(k, n, gap, 2));
        let (a, b) = (view(&a, m, k, gap), view(&b, k, n, gap));
        let (at, bt) = (transposed(a), transposed(b));
        let (at, bt) = (Mat::new(&at, k, m), Mat::new(&bt, n, k));
        let cases: [(&str, Product, Mat, Mat, bool); 4] = [
            ("product", product, a, b, false),
            ("add_product", add_product, a, b, true),
            ("left_transposed", add_product_left_transposed, at, b, true),
            ("right_transposed", add_product_right_transposed, a, bt, true),
        ];
        for (name, multiply, left, right, adds) in cases {
            let start = buffer(m, n, gap, 3);
            let mut out = start.clone();
            multiply(left, right, MatMut::strided(&mut out, m, n, n + gap));
            for i in 0..m {
                for j in 0..n + gap {
                    let at = i * (n + gap) + j;
                    if j >= n {
                        assert_eq!(out[at], start[at], "{name}: gap written");
                        continue;
                    }
                    let (expected, rounding) = naive(a, b, if adds { start[at] } else { 0.0 }, i, j);
                    let difference = (f64::from(out[at]) - expected).abs();
                    assert!(
                        difference <= rounding,
                        "{name} {m}x{k}x{n} at ({i}, {j}): {} for {expected}",
                        out[at]
                    );
                }
            }
        }
    }

    proptest! {
        #[test]
        fn every_product_equals_the_naive_loop(m in 0usize..40, n in 0usize..40, k in 0usize..70, gap in 0usize..5) {
            check(m, n, k, gap);
        }
    }

    #[test]
    fn every_product_equals_the_naive_loop_at_the_edges_of_its_blocks() {
        for (m, n, k) in [
            (1, 1, 1),
            (1, 1, 300),
            (300, 1, 7),
            (1, 300, 7),
            (257, 65, 513),
            (64, 17, 1100),
            (5, 1, 1100),
            (33, 129, 2),
        ] {
            for gap in [0, 3] {
                check(m, n, k, gap);
            }
        }
    }

    /// The products whose rows are examples.
    fn by_rows(right: Mat, right_t: Mat, input: Mat, gap: usize) -> [Vec<f32>; 3] {
        let (m, n) = (input.rows(), right.cols());
        let cases: [(Product, Mat); 3] = [
            (product, right),
            (add_product, right),
            (add_product_right_transposed, right_t),
        ];
        cases.map(|(multiply, right)| {
            let mut out = vec![0.25; m * (n + gap)];
            multiply(input, right, MatMut::strided(&mut out, m, n, n + gap));
            out
        })
    }

    /// Rows rotated by a few, reversed, and among strangers give the same bits as where they stood first.
    fn check_rows_alone_decide(m: usize, n: usize, k: usize, gap: usize) {
        let b = buffer(k, n, 0, 5);
        let b = Mat::new(&b, k, n);
        let bt = transposed(b);
        let bt = Mat::new(&bt, n, k);
        let a = buffer(m, k, gap, 6);
        let first = by_rows(b, bt, view(&a, m, k, gap), gap);
        let orders: [&dyn Fn(usize) -> usize; 3] = [&|i| (i + 1) % m, &|i| (i + m / 2) % m, &|i| m - 1 - i];
        for order in orders {
            for strangers in [false, true] {
                let mut moved = buffer(m, k, gap, 7);
                let stays = |i: usize| !strangers || i.is_multiple_of(3);
                for i in (0..m).filter(|i| stays(*i)) {
                    let (from, to) = (i * (k + gap), order(i) * (k + gap));
                    moved[to..][..k].copy_from_slice(&a[from..][..k]);
                }
                let second = by_rows(b, bt, view(&moved, m, k, gap), gap);
                for (which, (first, second)) in first.iter().zip(&second).enumerate() {
                    for i in (0..m).filter(|i| stays(*i)) {
                        let here = &first[i * (n + gap)..][..n];
                        let there = &second[order(i) * (n + gap)..][..n];
                        let same = here.iter().zip(there).all(|(x, y)| x.to_bits() == y.to_bits());
                        assert!(
                            same,
                            "product {which} of {m}x{k}x{n}, gap {gap}: row {i} moved to {}",
                            order(i)
                        );
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn a_row_s_product_does_not_depend_on_its_place_or_its_neighbours(
            m in 1usize..70, n in 1usize..40, k in 1usize..70, gap in 0usize..3,
        ) {
            check_rows_alone_decide(m, n, k, gap);
        }
    }

    #[test]
    fn a_row_s_product_does_not_depend_on_its_place_in_large_or_thin_shapes() {
        for m in [2, 3, 5, 7, 15, 17, 31, 33, 47, 63, 65, 97, 129, 255, 256, 257] {
            for (n, k) in [
                (1, 64),
                (1, 513),
                (2, 33),
                (7, 129),
                (64, 128),
                (100, 1),
                (100, 2),
                (129, 700),
                (520, 65),
            ] {
                for gap in [0, 1] {
                    check_rows_alone_decide(m, n, k, gap);
                }
            }
        }
    }
}
