//! The matrix products, all of them.
//!
//! In: views. Out: their product, written or added. Letters: A `[M, K]`, B `[K, N]`, out `[M, N]`. A value of `out` is summed
//! along K in an order that K alone decides: it does not depend on where its row or column stands, nor on how many there are,
//! to the bit. Blocks of A are packed to stay in the second-level cache, panels of B in the first.
#![allow(unsafe_code)]

use crate::kernels::pack::{self, Block, LEFT_ROW, MOST_UNITS};
use crate::kernels::{Path, Precision, Tile, Units, with_scratch};
use crate::{Mat, MatMut};

/// Rows of A that are packed at a time.
const MOST_ROWS: usize = 384;

/// `out = a · b`. Shapes: a `[M, K]`, b `[K, N]`, out `[M, N]`.
pub fn product(a: Mat, b: Mat, out: MatMut) {
    multiply(Factor::plain(a), Factor::plain(b), out, Job::default());
}

/// `out += a · b`. Shapes: a `[M, K]`, b `[K, N]`, out `[M, N]`.
pub fn add_product(a: Mat, b: Mat, out: MatMut) {
    multiply(Factor::plain(a), Factor::plain(b), out, Job::adding());
}

/// `out += aᵀ · b`. Shapes: a `[K, M]`, b `[K, N]`, out `[M, N]`.
pub fn add_product_left_transposed(a: Mat, b: Mat, out: MatMut) {
    multiply(Factor::transposed(a), Factor::plain(b), out, Job::adding());
}

/// `out += a · bᵀ`. Shapes: a `[M, K]`, b `[N, K]`, out `[M, N]`.
pub fn add_product_right_transposed(a: Mat, b: Mat, out: MatMut) {
    multiply(Factor::plain(a), Factor::transposed(b), out, Job::adding());
}

/// `out = a · b` in a precision. Shapes: a `[M, K]`, b `[K, N]`, out `[M, N]`.
pub fn product_in(precision: Precision, a: Mat, b: Mat, out: MatMut) {
    multiply(Factor::plain(a), Factor::plain(b), out, Job::of(precision));
}

/// `out = aᵀ · b` in a precision. Shapes: a `[K, M]`, b `[K, N]`, out `[M, N]`.
pub fn product_left_transposed_in(precision: Precision, a: Mat, b: Mat, out: MatMut) {
    multiply(Factor::transposed(a), Factor::plain(b), out, Job::of(precision));
}

/// `out = a · bᵀ` in a precision. Shapes: a `[M, K]`, b `[N, K]`, out `[M, N]`.
pub fn product_right_transposed_in(precision: Precision, a: Mat, b: Mat, out: MatMut) {
    multiply(Factor::plain(a), Factor::transposed(b), out, Job::of(precision));
}

/// How a product is computed, and what becomes of its sums.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) path: Path,
    pub(crate) precision: Precision,
    /// Whether to add to what `out` holds.
    pub(crate) add: bool,
    /// `[N]`, added to every row; empty: none.
    pub(crate) bias: &'a [f32],
    /// How many columns end in ReLU, after the bias.
    pub(crate) relu: usize,
    /// `[M, N]`: a result becomes 0 where this is not positive, the slope of the ReLU that gave it.
    pub(crate) open: Option<Mat<'a>>,
}

impl Default for Job<'_> {
    fn default() -> Self {
        Job {
            path: Path::best(),
            precision: Precision::F32,
            add: false,
            bias: &[],
            relu: 0,
            open: None,
        }
    }
}

impl Job<'_> {
    fn of(precision: Precision) -> Self {
        Job {
            precision,
            ..Job::default()
        }
    }

    fn adding() -> Self {
        Job {
            add: true,
            ..Job::default()
        }
    }
}

/// A factor, plain or read transposed.
#[derive(Clone, Copy)]
pub(crate) struct Factor<'a> {
    block: Block<'a>,
    rows: usize,
    cols: usize,
}

impl<'a> Factor<'a> {
    pub(crate) fn plain(mat: Mat<'a>) -> Self {
        let (data, row, col) = (mat.data(), mat.stride(), 1);
        Self {
            block: Block { data, row, col },
            rows: mat.rows(),
            cols: mat.cols(),
        }
    }

    pub(crate) fn transposed(mat: Mat<'a>) -> Self {
        let (data, row, col) = (mat.data(), 1, mat.stride());
        Self {
            block: Block { data, row, col },
            rows: mat.cols(),
            cols: mat.rows(),
        }
    }
}

/// As even parts of `whole` as multiples of `unit` allow, none above `most`: their size.
fn part(whole: usize, most: usize, unit: usize) -> usize {
    let parts = whole.div_ceil(most).max(1);
    whole.div_ceil(parts).next_multiple_of(unit)
}

/// `out = left · right` as `job` says.
pub(crate) fn multiply(left: Factor, right: Factor, mut out: MatMut, job: Job) {
    let (m, n, k) = (out.rows(), out.cols(), left.cols);
    assert_eq!((left.rows, right.cols), (m, n), "shape of the product");
    assert_eq!(k, right.rows, "inner size of the product");
    assert!(job.bias.is_empty() || job.bias.len() == n, "values of the bias");
    assert!(
        job.open.is_none_or(|open| (open.rows(), open.cols()) == (m, n)),
        "shape of the slopes"
    );
    assert!(job.relu <= n, "columns that end in ReLU");
    if m == 0 || n == 0 {
        return;
    }
    let path = job.path;
    let units = path.units(job.precision);
    let deep = units.values(part(units.depth(k).max(1), MOST_UNITS, 1));
    let high = part(m, MOST_ROWS, path.tile_rows());
    let room = (high * LEFT_ROW, MOST_UNITS * path.tile_cols());
    with_scratch(room.0, room.1, |a, b| {
        for k0 in (0..k.max(1)).step_by(deep) {
            let inner = deep.min(k - k0);
            let (first, last) = (k0 == 0, k0 + inner == k);
            for i0 in (0..m).step_by(high) {
                let rows = high.min(m - i0);
                pack::left(path, units, left.block.from(i0, k0), rows, inner, a);
                for j0 in (0..n).step_by(path.tile_cols()) {
                    let cols = path.tile_cols().min(n - j0);
                    pack::right(path, units, right.block.from(k0, j0), inner, cols, b);
                    let at = Place {
                        i0,
                        j0,
                        rows,
                        cols,
                        first,
                        last,
                    };
                    tiles(units, left.block, units.depth(inner), (a, b), &mut out, at, &job);
                }
            }
        }
    });
}

/// The block of `out` that one panel of B and one block of A give, and whether it is the first or last along K.
#[derive(Clone, Copy)]
struct Place {
    i0: usize,
    j0: usize,
    rows: usize,
    cols: usize,
    first: bool,
    last: bool,
}

/// Computes the tiles of one block of rows and one panel of columns.
fn tiles(
    units: Units,
    left: Block,
    depth: usize,
    packed: (&[u32], &[u32]),
    out: &mut MatMut,
    at: Place,
    job: &Job,
) {
    let (a, b) = packed;
    let stride = out.stride();
    let add = job.add || !at.first;
    let open = job.open.filter(|_| at.last);
    for r in (0..at.rows).step_by(job.path.tile_rows()) {
        let rows = job.path.tile_rows().min(at.rows - r);
        let a = &a[pack::left_panel(left, depth, r, rows)];
        assert!(depth * job.path.tile_cols() <= b.len());
        let from = (at.i0 + r) * stride + at.j0;
        let to = &mut out.data_mut()[from..];
        assert!((rows - 1) * stride + at.cols <= to.len());
        let (open, open_stride) = match open {
            Some(open) => (
                open.rows_range(at.i0 + r, rows)
                    .columns(at.j0, at.cols)
                    .data()
                    .as_ptr(),
                open.stride(),
            ),
            None => (std::ptr::null(), 0),
        };
        let bias = if at.last && !job.bias.is_empty() {
            job.bias[at.j0..at.j0 + at.cols].as_ptr()
        } else {
            std::ptr::null()
        };
        let relu = if at.last {
            job.relu.saturating_sub(at.j0).min(at.cols)
        } else {
            0
        };
        let tile = Tile {
            left: a.as_ptr(),
            by_rows: left.by_rows(),
            right: b.as_ptr(),
            depth,
            out: to.as_mut_ptr(),
            out_stride: stride,
            cols: at.cols,
            add,
            bias,
            relu,
            open,
            open_stride,
        };
        // SAFETY: a path is used only where the machine has it, and `rows` is at most its tile's. The asserts above hold the
        // panel of B and the farthest value of `out` inside their slices; the slices of `bias` and `open`
        // have `cols` values (for each row); `out` is borrowed exclusively, so it overlaps nothing.
        unsafe { job.path.run(units, rows, &tile) };
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
