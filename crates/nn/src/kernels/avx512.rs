//! Tiles of 12 x 32 and below with 512-bit vectors: 24 sums in registers, one unit of the left factor spread over a vector.
#![allow(unsafe_code)]

use core::arch::x86_64::*;

use super::Tile;
use super::pack::LEFT_ROW;

/// Vectors across a tile.
const VECTORS: usize = 2;

/// Lanes of a vector.
pub(super) const LANES: usize = 16;

/// The lanes of vector `v` that lie before column `end`.
#[inline(always)]
pub(super) fn lanes_before(end: usize, v: usize) -> __mmask16 {
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
            for i in 0..ROWS {
                // What is written at the end is asked for now: it comes while the sums are computed. A prefetch may name any
                // address.
                let out = tile.out.wrapping_add(i * tile.out_stride).cast::<i8>();
                _mm_prefetch::<_MM_HINT_T0>(out);
                _mm_prefetch::<_MM_HINT_T0>(out.wrapping_add(64));
            }
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
            let sums = sums;
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

/// `times` rounds of 24 independent multiply-adds of vectors in registers; returns one of the sums.
///
/// # Safety
/// The processor has AVX-512.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) unsafe fn spin_values(times: usize) -> f32 {
    let (a, b) = (_mm512_set1_ps(0.5), _mm512_set1_ps(1.0));
    let mut sums = [a; 24];
    for _ in 0..times {
        for sum in &mut sums {
            *sum = _mm512_fmadd_ps(*sum, a, b);
        }
    }
    _mm512_reduce_add_ps(sums.into_iter().fold(a, |x, y| _mm512_add_ps(x, y)))
}

/// The same with pairs of bfloat16.
///
/// # Safety
/// The processor has AVX-512 with bfloat16.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) unsafe fn spin_pairs(times: usize) -> f32 {
    let a = _mm512_set1_ps(0.5);
    // SAFETY: a vector of 64 bytes as another one.
    let pairs = unsafe { core::mem::transmute::<__m512, __m512bh>(a) };
    let mut sums = [a; 24];
    for _ in 0..times {
        for sum in &mut sums {
            *sum = _mm512_dpbf16_ps(*sum, pairs, pairs);
        }
    }
    _mm512_reduce_add_ps(sums.into_iter().fold(a, |x, y| _mm512_add_ps(x, y)))
}

/// What becomes of a tile's sums, known when compiled.
const ADD: u8 = 1;
const BIAS: u8 = 2;
const OPEN: u8 = 4;

/// Writes the sums of a tile.
///
/// # Safety
/// The processor has AVX-512, and the tile's pointers are as its type says.
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn write<const ROWS: usize>(tile: &Tile, sums: &[[__m512; VECTORS]; ROWS]) {
    // SAFETY: as the caller promises; BIAS and OPEN are there only with their pointers.
    unsafe {
        match (
            tile.add,
            tile.bias.is_null() && tile.relu == 0,
            tile.open.is_null(),
        ) {
            (false, true, true) => write_as::<ROWS, 0>(tile, sums),
            (true, true, true) => write_as::<ROWS, ADD>(tile, sums),
            (false, false, true) => write_as::<ROWS, BIAS>(tile, sums),
            (true, false, true) => write_as::<ROWS, { ADD | BIAS }>(tile, sums),
            (false, true, false) => write_as::<ROWS, OPEN>(tile, sums),
            (true, true, false) => write_as::<ROWS, { ADD | OPEN }>(tile, sums),
            (false, false, false) => write_as::<ROWS, { BIAS | OPEN }>(tile, sums),
            (true, false, false) => write_as::<ROWS, { ADD | BIAS | OPEN }>(tile, sums),
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn write_as<const ROWS: usize, const WHAT: u8>(tile: &Tile, sums: &[[__m512; VECTORS]; ROWS]) {
    for v in 0..VECTORS {
        let mask = lanes_before(tile.cols, v);
        if mask == 0 {
            break;
        }
        // Columns without ReLU keep what is not positive.
        let linear = !lanes_before(tile.relu, v);
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
                if WHAT & ADD != 0 {
                    value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(mask, out));
                }
                if WHAT & BIAS != 0 {
                    // Without a bias it is 0, which changes no more than the sign of a 0.
                    value = _mm512_add_ps(value, bias);
                    let positive = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(value, _mm512_setzero_ps());
                    value = _mm512_maskz_mov_ps(positive | linear, value);
                }
                if WHAT & OPEN != 0 {
                    let open = _mm512_maskz_loadu_ps(mask, tile.open.add(i * tile.open_stride + v * LANES));
                    let open = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(open, _mm512_setzero_ps());
                    value = _mm512_maskz_mov_ps(open, value);
                }
                _mm512_mask_storeu_ps(out, mask, value);
            }
        }
    }
}
