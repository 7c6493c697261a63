//! Tiles of 12 x 32 and below with 512-bit vectors: 24 sums in registers, one unit of the left factor spread over a vector.
#![allow(unsafe_code)]

use core::arch::x86_64::*;

use super::Tile;
use super::pack::LEFT_ROW;

/// Vectors across a tile.
const VECTORS: usize = 2;

/// Lanes of a vector.
const LANES: usize = 16;

/// The lanes of vector `v` that lie before column `end`.
#[inline(always)]
fn lanes_before(end: usize, v: usize) -> __mmask16 {
    let count = end.saturating_sub(v * LANES).min(LANES);
    ((1u32 << count) - 1) as __mmask16
}

macro_rules! tiles {
    ($run:ident, $tile:ident, $features:literal, $multiply_add:expr) => {
        /// Computes a tile of `rows` rows.
        ///
        /// # Safety
        #[doc = concat!("The processor has ", $features, ", `rows <= 12`, and the tile's pointers are as its type says.")]
        #[target_feature(enable = $features)]
        pub(super) unsafe fn $run(rows: usize, tile: &Tile) {
            // SAFETY: as the caller promises.
            unsafe {
                match (rows, tile.by_rows) {
                    (1, true) => $tile::<1, true>(tile),
                    (1, false) => $tile::<1, false>(tile),
                    (2, true) => $tile::<2, true>(tile),
                    (2, false) => $tile::<2, false>(tile),
                    (3, true) => $tile::<3, true>(tile),
                    (3, false) => $tile::<3, false>(tile),
                    (4, true) => $tile::<4, true>(tile),
                    (4, false) => $tile::<4, false>(tile),
                    (5, true) => $tile::<5, true>(tile),
                    (5, false) => $tile::<5, false>(tile),
                    (6, true) => $tile::<6, true>(tile),
                    (6, false) => $tile::<6, false>(tile),
                    (7, true) => $tile::<7, true>(tile),
                    (7, false) => $tile::<7, false>(tile),
                    (8, true) => $tile::<8, true>(tile),
                    (8, false) => $tile::<8, false>(tile),
                    (9, true) => $tile::<9, true>(tile),
                    (9, false) => $tile::<9, false>(tile),
                    (10, true) => $tile::<10, true>(tile),
                    (10, false) => $tile::<10, false>(tile),
                    (11, true) => $tile::<11, true>(tile),
                    (11, false) => $tile::<11, false>(tile),
                    (12, true) => $tile::<12, true>(tile),
                    (12, false) => $tile::<12, false>(tile),
                    _ => {}
                }
            }
        }

        #[target_feature(enable = $features)]
        unsafe fn $tile<const ROWS: usize, const BY_ROWS: bool>(tile: &Tile) {
            let mut sums = [[_mm512_setzero_ps(); VECTORS]; ROWS];
            let mut right = tile.right.cast::<f32>();
            let mut left = tile.left.cast::<f32>();
            // Known when compiled, so that one pointer reaches all rows.
            let (row, unit) = if BY_ROWS { (LEFT_ROW, 1) } else { (1, ROWS) };
            for _ in 0..tile.depth {
                // SAFETY: units d < depth of rows i < ROWS of `left`, and 32 units of `right` for each, may be read.
                unsafe {
                    let b = [_mm512_loadu_ps(right), _mm512_loadu_ps(right.add(LANES))];
                    for (i, sums) in sums.iter_mut().enumerate() {
                        let a = _mm512_set1_ps(*left.add(i * row));
                        for (sum, b) in sums.iter_mut().zip(b) {
                            *sum = $multiply_add(a, b, *sum);
                        }
                    }
                    right = right.add(VECTORS * LANES);
                    left = left.add(unit);
                }
            }
            // A copy, so that the sums themselves have no address and stay in registers.
            let sums = sums.map(|row| row);
            // SAFETY: the masks keep every access inside the `cols` columns that the tile lets a kernel touch.
            unsafe { write(tile, &sums) }
        }
    };
}

tiles!(values, tile_of_values, "avx512f,avx512bw", |a, b, sum| {
    _mm512_fmadd_ps(a, b, sum)
});
tiles!(
    pairs,
    tile_of_pairs,
    "avx512f,avx512bw,avx512bf16",
    |a, b, sum| _mm512_dpbf16_ps(
        sum,
        core::mem::transmute::<__m512, __m512bh>(a),
        core::mem::transmute::<__m512, __m512bh>(b)
    )
);

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn write<const ROWS: usize>(tile: &Tile, sums: &[[__m512; VECTORS]; ROWS]) {
    for v in 0..VECTORS {
        let mask = lanes_before(tile.cols, v);
        if mask == 0 {
            break;
        }
        let relu = lanes_before(tile.relu, v);
        // SAFETY: the mask is of columns below `cols`, of rows below ROWS.
        unsafe {
            let bias = if tile.bias.is_null() {
                _mm512_setzero_ps()
            } else {
                _mm512_maskz_loadu_ps(mask, tile.bias.add(v * LANES))
            };
            for (i, sums) in sums.iter().enumerate() {
                let out = tile.out.add(i * tile.out_stride + v * LANES);
                let mut value = sums[v];
                if tile.add {
                    value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(mask, out));
                }
                if !tile.bias.is_null() {
                    value = _mm512_add_ps(value, bias);
                }
                let positive = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(value, _mm512_setzero_ps());
                value = _mm512_maskz_mov_ps(positive | !relu, value);
                if !tile.open.is_null() {
                    let open = _mm512_maskz_loadu_ps(mask, tile.open.add(i * tile.open_stride + v * LANES));
                    let open = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(open, _mm512_setzero_ps());
                    value = _mm512_maskz_mov_ps(open, value);
                }
                _mm512_mask_storeu_ps(out, mask, value);
            }
        }
    }
}

/// Sixteen rows of `[16]` units become its sixteen columns: unit j of row i goes to `to[j * to_row + i]`.
///
/// # Safety
/// The processor has AVX-512. `from + i * from_row` has 16 units for each i < 16, `to + j * to_row` for each j < 16.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) unsafe fn transpose_16(from: *const u32, from_row: usize, to: *mut u32, to_row: usize) {
    let mut rows = [_mm512_setzero_si512(); 16];
    for (i, row) in rows.iter_mut().enumerate() {
        // SAFETY: as the caller promises.
        *row = unsafe { _mm512_loadu_si512(from.add(i * from_row).cast()) };
    }
    let mut pairs = rows;
    for i in 0..8 {
        pairs[2 * i] = _mm512_unpacklo_epi32(rows[2 * i], rows[2 * i + 1]);
        pairs[2 * i + 1] = _mm512_unpackhi_epi32(rows[2 * i], rows[2 * i + 1]);
    }
    let mut quads = rows;
    for i in 0..4 {
        for half in 0..2 {
            let (a, b) = (pairs[4 * i + half], pairs[4 * i + 2 + half]);
            quads[4 * i + 2 * half] = _mm512_unpacklo_epi64(a, b);
            quads[4 * i + 2 * half + 1] = _mm512_unpackhi_epi64(a, b);
        }
    }
    // quads[4 i + c] holds, in each 128-bit part p, rows 4 i .. 4 i + 4 of column 4 p + c.
    for c in 0..4 {
        let [q0, q1, q2, q3] = [quads[c], quads[4 + c], quads[8 + c], quads[12 + c]];
        let even_01 = _mm512_shuffle_i32x4::<0b10_00_10_00>(q0, q1);
        let odd_01 = _mm512_shuffle_i32x4::<0b11_01_11_01>(q0, q1);
        let even_23 = _mm512_shuffle_i32x4::<0b10_00_10_00>(q2, q3);
        let odd_23 = _mm512_shuffle_i32x4::<0b11_01_11_01>(q2, q3);
        let columns = [
            _mm512_shuffle_i32x4::<0b10_00_10_00>(even_01, even_23),
            _mm512_shuffle_i32x4::<0b10_00_10_00>(odd_01, odd_23),
            _mm512_shuffle_i32x4::<0b11_01_11_01>(even_01, even_23),
            _mm512_shuffle_i32x4::<0b11_01_11_01>(odd_01, odd_23),
        ];
        for (p, column) in columns.into_iter().enumerate() {
            // SAFETY: as the caller promises.
            unsafe { _mm512_storeu_si512(to.add((4 * p + c) * to_row).cast(), column) };
        }
    }
}

/// Two rows of 32 values as 32 pairs of bfloat16: the first row in the low halves.
///
/// # Safety
/// The processor has AVX-512 with bfloat16. Each row has 32 values, `to` room for 32 units.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) unsafe fn interleave_32(low: *const f32, high: *const f32, to: *mut u32) {
    for at in [0, LANES] {
        // SAFETY: as the caller promises.
        unsafe {
            let halves = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(high.add(at)), _mm512_loadu_ps(low.add(at)));
            let halves = core::mem::transmute::<__m512bh, __m512i>(halves);
            let low = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(halves));
            let high = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64::<1>(halves));
            let pairs = _mm512_or_si512(low, _mm512_slli_epi32::<16>(high));
            _mm512_storeu_si512(to.add(at).cast(), pairs);
        }
    }
}

/// 32 values as 16 pairs of bfloat16.
///
/// # Safety
/// The processor has AVX-512 with bfloat16. There are 32 values at `from` and room for 16 units at `to`.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) unsafe fn round_32(from: *const f32, to: *mut u32) {
    // SAFETY: as the caller promises.
    unsafe {
        let halves = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(from.add(LANES)), _mm512_loadu_ps(from));
        _mm512_storeu_si512(to.cast(), core::mem::transmute::<__m512bh, __m512i>(halves));
    }
}
