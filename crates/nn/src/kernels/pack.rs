//! Packing: blocks of a factor become panels of units in the order in which a kernel reads them, rounded to bfloat16 if asked.

use std::ops::Range;

use super::{Path, Units};

/// Units from one row of a packed block of rows to the next. No multiple of 64 lines, so that rows do not share cache sets.
pub(crate) const LEFT_ROW: usize = MOST_UNITS + 16;
/// Units along the inner dimension of one block: a panel of the right factor fits the first-level cache.
pub(crate) const MOST_UNITS: usize = 256;

/// Where a block of a factor lies: value (i, j) at `data[i * row + j * col]`, of which `row` or `col` is 1.
#[derive(Clone, Copy)]
pub(crate) struct Block<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) row: usize,
    pub(crate) col: usize,
}

impl<'a> Block<'a> {
    /// Whether it is packed row by row, as its rows lie along the inner dimension.
    pub(crate) fn by_rows(self) -> bool {
        self.col == 1
    }

    /// The block from row `i`, column `j`.
    pub(crate) fn from(self, i: usize, j: usize) -> Block<'a> {
        let start = (i * self.row + j * self.col).min(self.data.len());
        Block {
            data: &self.data[start..],
            ..self
        }
    }

    /// `len` values from row `i` on, of a block whose columns are neighbours.
    fn along_row(self, i: usize, len: usize) -> &'a [f32] {
        &self.data[i * self.row..][..len]
    }

    /// `len` values from column `j` on, of a block whose rows are neighbours.
    fn along_col(self, j: usize, len: usize) -> &'a [f32] {
        &self.data[j * self.col..][..len]
    }
}

/// Packs `rows` x `inner` values of the left factor, in panels of `path.tile_rows()` rows.
pub(crate) fn left(path: Path, units: Units, block: Block, rows: usize, inner: usize, to: &mut [u32]) {
    let depth = units.depth(inner);
    if block.by_rows() {
        for (i, to) in to.chunks_mut(LEFT_ROW).take(rows).enumerate() {
            along(path, units, block.along_row(i, inner), &mut to[..depth]);
        }
    } else {
        for from in (0..rows).step_by(path.tile_rows()) {
            let count = path.tile_rows().min(rows - from);
            let panel = &mut to[from * depth..][..count * depth];
            across(path, units, block.from(from, 0), count, inner, count, panel);
        }
    }
}

/// Where [`left`] puts the panel of `rows` rows that begins at row `from`, and the units that it spans.
pub(crate) fn left_panel(block: Block, depth: usize, from: usize, rows: usize) -> Range<usize> {
    let (start, span) = if block.by_rows() {
        (from * LEFT_ROW, (rows - 1) * LEFT_ROW + depth)
    } else {
        (from * depth, rows * depth)
    };
    start..start + span
}

/// Packs `inner` x `cols` values of the right factor as one panel `[depth, tile_cols]`; columns past `cols` are 0.
pub(crate) fn right(path: Path, units: Units, block: Block, inner: usize, cols: usize, to: &mut [u32]) {
    let (wide, depth) = (path.tile_cols(), units.depth(inner));
    let to = &mut to[..depth * wide];
    if cols < wide {
        to.fill(0);
    }
    if block.col == 1 {
        let turned = Block {
            row: 1,
            col: block.row,
            ..block
        };
        across(path, units, turned, cols, inner, wide, to);
    } else {
        turn(path, units, block, inner, cols, to);
    }
}

/// Units of one row that lies along the inner dimension.
fn along(path: Path, units: Units, from: &[f32], to: &mut [u32]) {
    match units {
        Units::Values => copy(from, to),
        Units::Rounded => {
            for (to, from) in to.iter_mut().zip(from) {
                *to = rounded(*from) << 16;
            }
        }
        Units::Pairs => round_pairs(path, from, to),
    }
}

/// Units `[depth, wide]` of a block whose rows are neighbours: rows 0 to `count`.
fn across(path: Path, units: Units, block: Block, count: usize, inner: usize, wide: usize, to: &mut [u32]) {
    match units {
        Units::Values | Units::Rounded => {
            for (k, to) in to.chunks_exact_mut(wide).enumerate() {
                along(path, units, block.along_col(k, count), &mut to[..count]);
            }
        }
        Units::Pairs => {
            for (d, to) in to.chunks_exact_mut(wide).enumerate() {
                let low = block.along_col(2 * d, count);
                let high = (2 * d + 1 < inner).then(|| block.along_col(2 * d + 1, count));
                interleave(path, low, high, &mut to[..count]);
            }
        }
    }
}

/// Columns that are turned at a time.
const TURNED: usize = 16;

/// A right panel of a factor that is stored transposed: each column's values along the inner dimension are neighbours.
fn turn(path: Path, units: Units, block: Block, inner: usize, cols: usize, to: &mut [u32]) {
    let wide = path.tile_cols();
    let depth = units.depth(inner);
    let mut square = [0u32; TURNED * TURNED];
    for from in (0..cols).step_by(TURNED) {
        let count = TURNED.min(cols - from);
        for d in (0..depth).step_by(TURNED) {
            let deep = TURNED.min(depth - d);
            let first = units.values(d);
            let values = units.values(deep).min(inner - first);
            if count < TURNED || deep < TURNED {
                square.fill(0);
            }
            for (i, row) in square.chunks_exact_mut(TURNED).take(count).enumerate() {
                let column = &block.along_col(from + i, inner)[first..][..values];
                along(path, units, column, &mut row[..deep]);
            }
            transpose(path, &square, &mut to[d * wide + from..], wide, deep);
        }
    }
}

/// Writes the first `deep` columns of a square `[16, 16]` as rows, `to_row` apart.
#[allow(unsafe_code)]
fn transpose(path: Path, square: &[u32; TURNED * TURNED], to: &mut [u32], to_row: usize, deep: usize) {
    #[cfg(target_arch = "x86_64")]
    if matches!(path, Path::Avx512 | Path::Avx512Bf16) && deep == TURNED {
        assert!(to.len() >= 15 * to_row + TURNED);
        // SAFETY: a path is used only where the machine has it; the square has 16 rows of 16, `to` as the assert says.
        return unsafe { super::avx512::transpose_16(square.as_ptr(), TURNED, to.as_mut_ptr(), to_row) };
    }
    for j in 0..deep {
        for (i, to) in to[j * to_row..][..TURNED].iter_mut().enumerate() {
            *to = square[i * TURNED + j];
        }
    }
}

fn copy(from: &[f32], to: &mut [u32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = from.to_bits();
    }
}

/// A value's bfloat16, rounded to the nearest, ties to even; what lies below the smallest normal number is 0, as for the
/// processor's own conversion.
fn rounded(value: f32) -> u32 {
    let bits = value.to_bits();
    if value.is_nan() {
        (bits >> 16) | 0x40
    } else if value.abs() < f32::MIN_POSITIVE {
        (bits >> 16) & 0x8000
    } else {
        (bits + 0x7fff + ((bits >> 16) & 1)) >> 16
    }
}

/// Neighbours of `from` as pairs; a last one alone is paired with 0.
#[allow(unsafe_code)]
fn round_pairs(path: Path, from: &[f32], to: &mut [u32]) {
    assert_eq!(to.len(), from.len().div_ceil(2));
    let mut done = 0;
    #[cfg(target_arch = "x86_64")]
    if path == Path::Avx512Bf16 {
        while done + 32 <= from.len() {
            // SAFETY: a path is used only where the machine has it; 32 values and 16 units are left.
            unsafe { super::avx512::round_32(from.as_ptr().add(done), to.as_mut_ptr().add(done / 2)) };
            done += 32;
        }
    }
    for (to, pair) in to[done / 2..].iter_mut().zip(from[done..].chunks(2)) {
        *to = rounded(pair[0]) | pair.get(1).map_or(0, |high| rounded(*high) << 16);
    }
}

/// Two rows as pairs: `low` in the low halves; without `high`, 0.
#[allow(unsafe_code)]
fn interleave(path: Path, low: &[f32], high: Option<&[f32]>, to: &mut [u32]) {
    let mut done = 0;
    #[cfg(target_arch = "x86_64")]
    if let (Path::Avx512Bf16, Some(high)) = (path, high) {
        assert!(high.len() == low.len() && to.len() == low.len());
        while done + 32 <= low.len() {
            let (low, high) = (low[done..].as_ptr(), high[done..].as_ptr());
            // SAFETY: a path is used only where the machine has it; 32 values of both rows and 32 units are left.
            unsafe { super::avx512::interleave_32(low, high, to[done..].as_mut_ptr()) };
            done += 32;
        }
    }
    for at in done..low.len() {
        to[at] = rounded(low[at]) | high.map_or(0, |high| rounded(high[at]) << 16);
    }
}
