//! Tiles of 6 x 16 and below with 256-bit vectors: 12 sums in registers.
#![allow(unsafe_code)]

use core::arch::x86_64::*;

use super::Tile;
use super::pack::LEFT_ROW;

/// Computes a tile of `rows` rows.
///
/// # Safety
/// The processor has AVX2 and FMA, `rows <= 6`, and the tile's pointers are as its type says.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn values(rows: usize, tile: &Tile) {
    // SAFETY: as the caller promises.
    unsafe {
        match (rows, tile.by_rows) {
            (1, true) => tile_of_values::<1, true>(tile),
            (1, false) => tile_of_values::<1, false>(tile),
            (2, true) => tile_of_values::<2, true>(tile),
            (2, false) => tile_of_values::<2, false>(tile),
            (3, true) => tile_of_values::<3, true>(tile),
            (3, false) => tile_of_values::<3, false>(tile),
            (4, true) => tile_of_values::<4, true>(tile),
            (4, false) => tile_of_values::<4, false>(tile),
            (5, true) => tile_of_values::<5, true>(tile),
            (5, false) => tile_of_values::<5, false>(tile),
            (6, true) => tile_of_values::<6, true>(tile),
            (6, false) => tile_of_values::<6, false>(tile),
            _ => {}
        }
    }
}

#[target_feature(enable = "avx2,fma")]
unsafe fn tile_of_values<const ROWS: usize, const BY_ROWS: bool>(tile: &Tile) {
    let mut sums = [[_mm256_setzero_ps(); 2]; ROWS];
    let mut right = tile.right.cast::<f32>();
    let mut left = tile.left.cast::<f32>();
    // Known when compiled, so that one pointer reaches all rows.
    let (row, unit) = if BY_ROWS { (LEFT_ROW, 1) } else { (1, ROWS) };
    for _ in 0..tile.depth {
        // SAFETY: units d < depth of rows i < ROWS of `left`, and 16 units of `right` for each, may be read.
        unsafe {
            let b = [_mm256_loadu_ps(right), _mm256_loadu_ps(right.add(8))];
            for (i, sums) in sums.iter_mut().enumerate() {
                let a = _mm256_broadcast_ss(&*left.add(i * row));
                for (sum, b) in sums.iter_mut().zip(b) {
                    *sum = _mm256_fmadd_ps(a, b, *sum);
                }
            }
            right = right.add(16);
            left = left.add(unit);
        }
    }
    for (i, sums) in sums.iter().enumerate() {
        let mut row = [0.0f32; 16];
        // SAFETY: the row has room for both vectors; `write` touches what the tile lets a kernel touch.
        unsafe {
            _mm256_storeu_ps(row.as_mut_ptr(), sums[0]);
            _mm256_storeu_ps(row.as_mut_ptr().add(8), sums[1]);
            tile.write(i, &row);
        }
    }
}
