//! The matrix products, all of them.
//!
//! In: views. Out: their product, written or added. Letters: A `[M, K]`, B `[K, N]`, out `[M, N]`. A value of `out` is summed
//! along K in an order that K alone decides: it does not depend on where its row or column stands, nor on how many there are,
//! to the bit. Blocks of A are packed to stay in the second-level cache, panels of B in the first.
#![allow(unsafe_code)]

use crate::kernels::pack::{self, Block, LEFT_ROW, MOST_UNITS};
use crate::kernels::{Path, Precision, Tile, Units, with_scratch};
use crate::packed::Panels;
use crate::{Mat, MatMut, executed};

/// Rows of A that are packed at a time.
const MOST_ROWS: usize = 516;

/// `out = a · b`, the factors read in `precision`. Shapes: a `[M, K]`, b `[K, N]`, out `[M, N]`.
pub fn product(precision: Precision, a: Mat, b: Mat, out: MatMut) {
    multiply(Factor::plain(a), Factor::plain(b), out, Job::of(precision));
}

/// `out = aᵀ · b`, the factors read in `precision`. Shapes: a `[K, M]`, b `[K, N]`, out `[M, N]`.
pub fn product_left_transposed(precision: Precision, a: Mat, b: Mat, out: MatMut) {
    multiply(Factor::transposed(a), Factor::plain(b), out, Job::of(precision));
}

/// `out = a · bᵀ`, the factors read in `precision`. Shapes: a `[M, K]`, b `[N, K]`, out `[M, N]`.
pub fn product_right_transposed(precision: Precision, a: Mat, b: Mat, out: MatMut) {
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
}

/// A factor, plain or read transposed.
#[derive(Clone, Copy)]
pub(crate) struct Factor<'a> {
    pub(crate) block: Block<'a>,
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    /// The same as a right factor's panels, where they were made before.
    panels: Option<&'a Panels>,
}

impl<'a> Factor<'a> {
    pub(crate) fn plain(mat: Mat<'a>) -> Self {
        let (data, row, col) = (mat.data(), mat.stride(), 1);
        Self {
            block: Block { data, row, col },
            rows: mat.rows(),
            cols: mat.cols(),
            panels: None,
        }
    }

    /// The same factor, to be read from `panels` where they are made for the product.
    pub(crate) fn packed(self, panels: Option<&'a Panels>) -> Self {
        Self { panels, ..self }
    }

    pub(crate) fn transposed(mat: Mat<'a>) -> Self {
        let (data, row, col) = (mat.data(), 1, mat.stride());
        Self {
            block: Block { data, row, col },
            rows: mat.cols(),
            cols: mat.rows(),
            panels: None,
        }
    }
}

#[cfg(test)]
impl Factor<'_> {
    /// The factor transposed: for planted faults.
    pub(crate) fn turned(self) -> Self {
        let Block { data, row, col } = self.block;
        Self {
            block: Block {
                data,
                row: col,
                col: row,
            },
            rows: self.cols,
            cols: self.rows,
            panels: None,
        }
    }
}

/// Takes the calling thread's room for packed panels at its full size, so that no later product has to.
pub(crate) fn take_room() {
    let cols = Path::best().tile_cols();
    with_scratch(MOST_ROWS * LEFT_ROW, MOST_UNITS * cols, |_, _| ());
}

/// As even parts of `whole` as multiples of `unit` allow, none above `most`: their size.
fn part(whole: usize, most: usize, unit: usize) -> usize {
    let parts = whole.div_ceil(most).max(1);
    whole.div_ceil(parts).next_multiple_of(unit)
}

/// The blocks along an inner dimension of `k`: where each begins, and how many values it has. One of none where `k` is 0.
pub(crate) fn depths(units: Units, k: usize) -> impl Iterator<Item = (usize, usize)> {
    let deep = units.values(part(units.depth(k).max(1), MOST_UNITS, 1));
    (0..k.max(1)).step_by(deep).map(move |k0| (k0, deep.min(k - k0)))
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
    executed::count(m, n * k, n + k);
    if m == 0 || n == 0 {
        return;
    }
    let path = job.path;
    let units = path.units(job.precision);
    let high = part(m, MOST_ROWS, path.tile_rows());
    let room = (high * LEFT_ROW, MOST_UNITS * path.tile_cols());
    let wide = path.tile_cols();
    let mut made = right.panels.and_then(|panels| panels.units(path, units));
    with_scratch(room.0, room.1, |a, b| {
        for (k0, inner) in depths(units, k) {
            let (first, last) = (k0 == 0, k0 + inner == k);
            let panel = units.depth(inner) * wide;
            let of_block = made.map(|made| made.split_at(n.div_ceil(wide) * panel));
            made = of_block.map(|(_, rest)| rest);
            for i0 in (0..m).step_by(high) {
                let rows = high.min(m - i0);
                pack::left(path, units, left.block.from(i0, k0), rows, inner, a);
                for j0 in (0..n).step_by(wide) {
                    let cols = wide.min(n - j0);
                    let b = match of_block {
                        Some((block, _)) => &block[j0 / wide * panel..][..panel],
                        None => {
                            pack::right(path, units, right.block.from(k0, j0), inner, cols, b);
                            &*b
                        }
                    };
                    let at = Place {
                        i0,
                        j0,
                        rows,
                        cols,
                        depth: units.depth(inner),
                        first,
                        last,
                    };
                    let next = right.block.from(k0, j0 + cols);
                    let ask = |part: usize, parts: usize| {
                        if of_block.is_none() {
                            pack::ask_right(next, inner, wide.min(n - j0 - cols), part, parts);
                        }
                    };
                    tiles(units, left.block, (a, b), &mut out, at, &job, ask);
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
    /// Units along K.
    depth: usize,
    first: bool,
    last: bool,
}

/// Computes the tiles of one block of rows and one panel of columns.
fn tiles(
    units: Units,
    left: Block,
    packed: (&[u32], &[u32]),
    out: &mut MatMut,
    at: Place,
    job: &Job,
    ask: impl Fn(usize, usize),
) {
    let depth = at.depth;
    let parts = at.rows.div_ceil(job.path.tile_rows());
    let (a, b) = packed;
    let stride = out.stride();
    let add = job.add || !at.first;
    let open = job.open.filter(|_| at.last);
    for r in (0..at.rows).step_by(job.path.tile_rows()) {
        ask(r / job.path.tile_rows(), parts);
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
mod tests;
