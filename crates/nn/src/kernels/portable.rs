//! Tiles of 4 x 16 and below in plain Rust, for processors without the vectors of the other paths.
#![allow(unsafe_code)]

use super::Tile;
use super::pack::LEFT_ROW;

const COLS: usize = 16;

/// Computes a tile of `rows` rows.
///
/// # Safety
/// `rows <= 4`, and the tile's pointers are as its type says.
pub(super) unsafe fn values(rows: usize, tile: &Tile) {
    // SAFETY: as the caller promises.
    unsafe {
        match rows {
            1 => tile_of_values::<1>(tile),
            2 => tile_of_values::<2>(tile),
            3 => tile_of_values::<3>(tile),
            4 => tile_of_values::<4>(tile),
            _ => {}
        }
    }
}

unsafe fn tile_of_values<const ROWS: usize>(tile: &Tile) {
    let mut sums = [[0.0f32; COLS]; ROWS];
    let (row, unit) = if tile.by_rows { (LEFT_ROW, 1) } else { (1, ROWS) };
    for d in 0..tile.depth {
        // SAFETY: units d < depth of rows i < ROWS of `left`, and 16 units of `right` for each, may be read.
        let b: &[f32; COLS] = unsafe { &*tile.right.add(d * COLS).cast() };
        for (i, sums) in sums.iter_mut().enumerate() {
            // SAFETY: as above.
            let a: f32 = unsafe { *tile.left.add(i * row + d * unit).cast() };
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum += a * b;
            }
        }
    }
    for (i, sums) in sums.iter().enumerate() {
        // SAFETY: row i < ROWS of the tile.
        unsafe { tile.write(i, sums) };
    }
}
