//! One tile of a product: what every path's kernel is told, and how its sums are written.

/// What a 32-bit unit of a packed panel holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Units {
    /// One `f32`.
    Values,
    /// One `f32` that was rounded to bfloat16.
    Rounded,
    /// Two neighbours along the inner dimension as bfloat16, the first in the low half.
    Pairs,
}

impl Units {
    /// Units that hold `len` values along the inner dimension.
    pub(crate) fn depth(self, len: usize) -> usize {
        match self {
            Units::Values | Units::Rounded => len,
            Units::Pairs => len.div_ceil(2),
        }
    }

    /// Values that `depth` units hold.
    pub(crate) fn values(self, depth: usize) -> usize {
        match self {
            Units::Values | Units::Rounded => depth,
            Units::Pairs => 2 * depth,
        }
    }
}

/// `out = after(before + left · right)` for a block of rows and columns of `out`.
///
/// A kernel may read `depth` units of each row of `left` and `depth * tile_cols` units of `right`, read and write
/// `cols` values of each row of `out`, read `cols` values of `bias` where it is not null and of each row of `open` likewise.
pub(crate) struct Tile {
    /// Unit d of row i lies at `i * LEFT_ROW + d` where `by_rows`, else at `d * rows + i`.
    pub(crate) left: *const u32,
    pub(crate) by_rows: bool,
    /// `[depth, tile_cols]`.
    pub(crate) right: *const u32,
    pub(crate) depth: usize,
    pub(crate) out: *mut f32,
    pub(crate) out_stride: usize,
    pub(crate) cols: usize,
    /// Whether to add to what `out` holds.
    pub(crate) add: bool,
    /// Null, or what is added to each row.
    pub(crate) bias: *const f32,
    /// How many columns end in ReLU.
    pub(crate) relu: usize,
    /// Null, or where the result is kept: a value at which this is not positive becomes 0.
    pub(crate) open: *const f32,
    pub(crate) open_stride: usize,
}

impl Tile {
    /// Writes the sums of one row, `[cols]` or more.
    ///
    /// # Safety
    /// The tile's pointers are as its type says, and it has a row `row`.
    #[allow(unsafe_code)]
    #[inline(always)]
    pub(crate) unsafe fn write(&self, row: usize, sums: &[f32]) {
        for (col, &sum) in sums[..self.cols].iter().enumerate() {
            // SAFETY: `row` and `col` lie inside what the tile's type lets a kernel touch.
            unsafe {
                let out = self.out.add(row * self.out_stride + col);
                let mut value = sum;
                if self.add {
                    value += *out;
                }
                if !self.bias.is_null() {
                    value += *self.bias.add(col);
                }
                // `max` takes what is no number for 0, as the vector kernels do.
                if col < self.relu {
                    value = value.max(0.0);
                }
                if !self.open.is_null() {
                    let open = *self.open.add(row * self.open_stride + col);
                    value = if open > 0.0 { value } else { 0.0 };
                }
                *out = value;
            }
        }
    }
}
