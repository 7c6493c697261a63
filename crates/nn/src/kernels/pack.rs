//! Packing: blocks of a factor become panels of units in the order in which a kernel reads them, rounded to bfloat16 if asked.

use std::ops::Range;

use super::prefetch::{prefetch, prefetch_second};
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

    /// Its first `runs` runs of `len` neighbours, for the vector kernels.
    #[cfg(target_arch = "x86_64")]
    fn source(self, runs: usize, len: usize) -> super::avx512_pack::Source {
        let stride = self.row.max(self.col);
        assert!(
            runs == 0 || (runs - 1) * stride + len <= self.data.len(),
            "a factor ends outside its buffer"
        );
        super::avx512_pack::Source {
            data: self.data.as_ptr(),
            stride,
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

/// Runs of neighbours ahead of the one that is packed that are asked for.
const AHEAD: usize = 4;
/// Values along the inner dimension that are packed of each panel before the next, where the rows are neighbours: what is read
/// stays close together. Even, so that pairs stay whole.
const ACROSS: usize = 16;

/// Packs `rows` x `inner` values of the left factor, in panels of `path.tile_rows()` rows.
pub(crate) fn left(path: Path, units: Units, block: Block, rows: usize, inner: usize, to: &mut [u32]) {
    let depth = units.depth(inner);
    if block.by_rows() {
        for (i, to) in to.chunks_mut(LEFT_ROW).take(rows).enumerate() {
            if i + AHEAD < rows {
                prefetch(block.along_row(i + AHEAD, inner));
            }
            along(path, units, block.along_row(i, inner), &mut to[..depth]);
        }
        return;
    }
    for k in (0..inner).step_by(ACROSS) {
        let part = ACROSS.min(inner - k);
        for next in k + part..inner.min(k + 2 * ACROSS) {
            prefetch(block.along_col(next, rows));
        }
        for from in (0..rows).step_by(path.tile_rows()) {
            let count = path.tile_rows().min(rows - from);
            let panel = &mut to[from * depth..][..count * depth];
            let panel = &mut panel[count * units.depth(k)..];
            across(path, units, block.from(from, k), count, part, count, panel);
        }
    }
}

/// Asks for part `part` of `parts` of what [`right`] will read.
pub(crate) fn ask_right(block: Block, inner: usize, cols: usize, part: usize, parts: usize) {
    let (runs, len) = if block.col == 1 {
        (inner, cols)
    } else {
        (cols, inner)
    };
    let stride = block.row.max(block.col);
    for run in part * runs / parts..(part + 1) * runs / parts {
        if let Some(values) = block.data.get(run * stride..run * stride + len) {
            prefetch_second(values);
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
    if depth == 0 {
        return;
    }
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
#[allow(unsafe_code)]
fn across(path: Path, units: Units, block: Block, count: usize, inner: usize, wide: usize, to: &mut [u32]) {
    let depth = units.depth(inner);
    assert!(count <= wide && depth * wide <= to.len());
    #[cfg(target_arch = "x86_64")]
    if matches!(path, Path::Avx512 | Path::Avx512Bf16) && units != Units::Rounded && count <= 32 && inner > 0
    {
        let source = block.source(inner, count);
        // SAFETY: a path is used only where the machine has it, pairs only on the one that has bfloat16; `source` has the
        // values, `to` the room.
        return unsafe {
            match units {
                Units::Pairs => super::avx512_pack::across_pairs(source, inner, count, to.as_mut_ptr(), wide),
                _ => super::avx512_pack::across_values(source, inner, count, to.as_mut_ptr(), wide),
            }
        };
    }
    for (d, to) in to.chunks_exact_mut(wide).take(depth).enumerate() {
        match units {
            Units::Pairs => {
                let low = block.along_col(2 * d, count);
                let high = (2 * d + 1 < inner).then(|| block.along_col(2 * d + 1, count));
                for (i, to) in to[..count].iter_mut().enumerate() {
                    *to = rounded(low[i]) | high.map_or(0, |high| rounded(high[i]) << 16);
                }
            }
            _ => along(path, units, block.along_col(d, count), &mut to[..count]),
        }
    }
}

/// Columns that are turned at a time.
const TURNED: usize = 16;

/// A right panel of a factor that is stored transposed: each column's values along the inner dimension are neighbours.
#[allow(unsafe_code)]
fn turn(path: Path, units: Units, block: Block, inner: usize, cols: usize, to: &mut [u32]) {
    let wide = path.tile_cols();
    let depth = units.depth(inner);
    let mut row = [0u32; MOST_UNITS];
    for from in (0..cols).step_by(TURNED) {
        let count = TURNED.min(cols - from);
        let to = &mut to[from..];
        #[cfg(target_arch = "x86_64")]
        if matches!(path, Path::Avx512 | Path::Avx512Bf16) && units != Units::Rounded && inner > 0 {
            let source = block.from(0, from).source(count, inner);
            assert!((depth - 1) * wide + TURNED <= to.len());
            // SAFETY: as in `across`; 16 units follow each row's start in `to`, as the assert says.
            unsafe {
                match units {
                    Units::Pairs => {
                        super::avx512_pack::turn_pairs(source, inner, count, to.as_mut_ptr(), wide)
                    }
                    _ => super::avx512_pack::turn_values(source, inner, count, to.as_mut_ptr(), wide),
                }
            }
            continue;
        }
        for i in 0..count {
            along(path, units, block.along_col(from + i, inner), &mut row[..depth]);
            for (d, unit) in row[..depth].iter().enumerate() {
                to[d * wide + i] = *unit;
            }
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
    #[cfg(target_arch = "x86_64")]
    if path == Path::Avx512Bf16 {
        // SAFETY: a path is used only where the machine has it; the assert holds the room.
        return unsafe { super::avx512_pack::along_pairs(from.as_ptr(), from.len(), to.as_mut_ptr()) };
    }
    for (to, pair) in to.iter_mut().zip(from.chunks(2)) {
        *to = rounded(pair[0]) | pair.get(1).map_or(0, |high| rounded(*high) << 16);
    }
}
