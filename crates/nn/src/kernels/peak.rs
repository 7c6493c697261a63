//! What the registers alone could do: multiply-adds without memory, the roof that the products are measured against.

use std::time::{Duration, Instant};

use super::{Path, Precision, Tile};

/// Multiply-adds of the best tile over a panel that stays in the first-level cache's nearest lines, for about `time`, as
/// billions of operations (two for each multiply-add) a second on this thread. The best of several rounds.
#[allow(unsafe_code)]
pub fn register_peak(path: Path, precision: Precision, time: Duration) -> f64 {
    assert!(path.is_present(), "this machine has no {}", path.name());
    let units = path.units(precision);
    let (rows, cols) = (path.tile_rows(), path.tile_cols());
    /// Deep enough that writing the tile does not count; one unit each, so that nothing but registers is waited for.
    const DEPTH: usize = 64;
    let right = vec![0u32; DEPTH * cols];
    let left = vec![0u32; rows * DEPTH];
    let mut out = vec![0.0f32; rows * cols];
    let tile = Tile {
        left: left.as_ptr(),
        by_rows: false,
        right: right.as_ptr(),
        depth: DEPTH,
        out: out.as_mut_ptr(),
        out_stride: cols,
        cols,
        add: false,
        bias: std::ptr::null(),
        relu: 0,
        open: std::ptr::null(),
        open_stride: 0,
    };
    let operations = 2 * units.values(DEPTH) * rows * cols;
    let (begin, mut best) = (Instant::now(), 0.0f64);
    while begin.elapsed() < time {
        let (round, times) = (Instant::now(), 20_000);
        for _ in 0..times {
            // SAFETY: the path is present; the buffers are of the tile's shape.
            unsafe { path.run(units, rows, std::hint::black_box(&tile)) };
        }
        best = best.max((operations * times) as f64 / round.elapsed().as_secs_f64() / 1e9);
    }
    best
}
