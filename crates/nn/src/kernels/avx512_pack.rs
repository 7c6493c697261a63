//! Packing with 512-bit vectors: rows copied, rounded to pairs of bfloat16, interleaved or turned.
#![allow(unsafe_code)]

use core::arch::x86_64::*;

use super::avx512::{LANES, lanes_before};

/// Where values are read: value (k, i) at `data + k * stride + i`.
#[derive(Clone, Copy)]
pub(super) struct Source {
    pub(super) data: *const f32,
    pub(super) stride: usize,
}

/// Copies `inner` rows of `count <= 32` values to rows of `wide` units.
///
/// # Safety
/// The processor has AVX-512; `from` has the rows, `to` room for `inner * wide` units, `count <= wide`.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) unsafe fn across_values(from: Source, inner: usize, count: usize, to: *mut u32, wide: usize) {
    let masks = [lanes_before(count, 0), lanes_before(count, 1)];
    let vectors = count.div_ceil(LANES);
    for k in 0..inner {
        for (v, mask) in masks.into_iter().enumerate().take(vectors) {
            // SAFETY: lanes below `count` of row k.
            unsafe {
                let row = from.data.add(k * from.stride);
                let values = _mm512_maskz_loadu_ps(mask, row.wrapping_add(v * LANES));
                _mm512_mask_storeu_ps(to.add(k * wide).wrapping_add(v * LANES).cast(), mask, values);
            }
        }
    }
}

/// Rounds two rows each of `count <= 32` values to a row of `wide` pairs, the first row in the low halves; a last row alone is
/// paired with 0.
///
/// # Safety
/// As [`across_values`], with bfloat16 and room for `inner.div_ceil(2) * wide` units.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) unsafe fn across_pairs(from: Source, inner: usize, count: usize, to: *mut u32, wide: usize) {
    let masks = [lanes_before(count, 0), lanes_before(count, 1)];
    let vectors = count.div_ceil(LANES);
    for d in 0..inner.div_ceil(2) {
        for (v, mask) in masks.into_iter().enumerate().take(vectors) {
            // SAFETY: lanes below `count` of rows 2 d and, where there is one, 2 d + 1.
            unsafe {
                let row = from.data.add(2 * d * from.stride).wrapping_add(v * LANES);
                let low = _mm512_maskz_loadu_ps(mask, row);
                let mask_high = if 2 * d + 1 < inner { mask } else { 0 };
                let high = _mm512_maskz_loadu_ps(mask_high, row.wrapping_add(from.stride));
                let to = to.add(d * wide).wrapping_add(v * LANES);
                _mm512_mask_storeu_epi32(to.cast(), mask, interleave(low, high));
            }
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn interleave(low: __m512, high: __m512) -> __m512i {
    // SAFETY: 64 bytes as 64 bytes.
    let halves = unsafe { core::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(high, low)) };
    let low = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(halves));
    let high = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64::<1>(halves));
    _mm512_or_si512(low, _mm512_slli_epi32::<16>(high))
}

/// Neighbours of `len` values as pairs; a last one alone is paired with 0.
///
/// # Safety
/// The processor has AVX-512 with bfloat16; `from` has `len` values, `to` room for `len.div_ceil(2)` units.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) unsafe fn along_pairs(from: *const f32, len: usize, to: *mut u32) {
    for at in (0..len).step_by(2 * LANES) {
        let left = len - at;
        // SAFETY: the masks keep to the values that are left.
        unsafe {
            let pairs = pairs_of(from.add(at), left);
            _mm512_mask_storeu_epi32(to.add(at / 2).cast(), lanes_before(left.div_ceil(2), 0), pairs);
        }
    }
}

/// Up to 32 values as 16 pairs, zeros after `left` values.
///
/// # Safety
/// The processor has AVX-512 with bfloat16; there are `left` values, or 32.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn pairs_of(from: *const f32, left: usize) -> __m512i {
    // SAFETY: the masks keep to the values that are left; 64 bytes as 64 bytes.
    unsafe {
        let low = _mm512_maskz_loadu_ps(lanes_before(left, 0), from);
        let high = _mm512_maskz_loadu_ps(lanes_before(left, 1), from.wrapping_add(LANES));
        core::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(high, low))
    }
}

/// Turns `count <= 16` rows of `inner` values: value (i, k) goes to unit `to[k * wide + i]`, zeros where i >= count.
///
/// # Safety
/// The processor has AVX-512; `from` has the rows; `to` has 16 units after each `k * wide`, k < inner.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) unsafe fn turn_values(from: Source, inner: usize, count: usize, to: *mut u32, wide: usize) {
    for k in (0..inner).step_by(LANES) {
        let mask = lanes_before(inner - k, 0);
        let mut rows = [_mm512_setzero_si512(); 16];
        for (i, row) in rows.iter_mut().enumerate().take(count) {
            // SAFETY: the mask keeps to the values that are left of row i < count.
            *row = unsafe { _mm512_maskz_loadu_epi32(mask, from.data.add(i * from.stride + k).cast()) };
        }
        // SAFETY: as the caller promises, of the rows that are left.
        unsafe { transpose(rows, to.add(k * wide), wide, LANES.min(inner - k)) };
    }
}

/// The same with pairs: pair (k, k + 1) of row i goes to unit `to[k / 2 * wide + i]`.
///
/// # Safety
/// As [`turn_values`], with bfloat16, for k / 2 < inner.div_ceil(2).
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) unsafe fn turn_pairs(from: Source, inner: usize, count: usize, to: *mut u32, wide: usize) {
    for k in (0..inner).step_by(2 * LANES) {
        let mut rows = [_mm512_setzero_si512(); 16];
        for (i, row) in rows.iter_mut().enumerate().take(count) {
            // SAFETY: `inner - k` values are left of row i < count.
            *row = unsafe { pairs_of(from.data.add(i * from.stride + k), inner - k) };
        }
        // SAFETY: as the caller promises, of the pairs that are left.
        unsafe {
            transpose(
                rows,
                to.add(k / 2 * wide),
                wide,
                LANES.min((inner - k).div_ceil(2)),
            )
        };
    }
}

/// Writes the first `deep` columns of 16 rows as rows of 16 units, `to_row` apart.
///
/// # Safety
/// The processor has AVX-512; `to` has 16 units after each `j * to_row`, j < deep.
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn transpose(rows: [__m512i; 16], to: *mut u32, to_row: usize, deep: usize) {
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
            if 4 * p + c < deep {
                // SAFETY: as the caller promises.
                unsafe { _mm512_storeu_si512(to.add((4 * p + c) * to_row).cast(), column) };
            }
        }
    }
}
