//! What the registers alone could do: multiply-adds without memory, the roof that the products are measured against.
#![allow(unsafe_code)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::{Path, Precision};

/// Billions of operations a second (two for each multiply-add) that this thread's vector units do on values in registers: the
/// best of the rounds that fit into `time`. `None` where the path has no such loop.
pub fn register_peak(path: Path, precision: Precision, time: Duration) -> Option<f64> {
    const TIMES: usize = 200_000;
    /// Vectors of 16 sums in flight.
    const SUMS: usize = 24;
    let (spin, each): (fn(usize) -> f32, usize) = match (path, precision) {
        _ if !path.is_present() => return None,
        // SAFETY: the path is present.
        #[cfg(target_arch = "x86_64")]
        (Path::Avx512Bf16, Precision::Bf16) => (|times| unsafe { super::avx512::spin_pairs(times) }, 64),
        // SAFETY: the path is present.
        #[cfg(target_arch = "x86_64")]
        (Path::Avx512Bf16 | Path::Avx512, _) => (|times| unsafe { super::avx512::spin_values(times) }, 32),
        _ => return None,
    };
    let (begin, mut best) = (Instant::now(), 0.0f64);
    while begin.elapsed() < time {
        let round = Instant::now();
        black_box(spin(black_box(TIMES)));
        best = best.max((each * SUMS * TIMES) as f64 / round.elapsed().as_secs_f64() / 1e9);
    }
    Some(best)
}
