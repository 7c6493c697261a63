//! The kernels: what a processor's vector units are told directly. In: packed panels and plain slices. Out: tiles of products.
//!
//! Three paths do the same work: AVX-512, AVX2 and portable Rust. The best that the machine has is chosen at run time, so one
//! binary runs everywhere. On one path the bits of a result depend on nothing but the numbers that go in.

#[macro_use]
mod dispatch;

mod allocator;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod avx512_pack;
mod crew;
pub(crate) mod pack;
mod peak;
mod portable;
pub(crate) mod prefetch;
mod scratch;
mod tile;

use std::sync::OnceLock;

pub use allocator::Aligned;
pub(crate) use crew::Crew;
pub use peak::register_peak;
pub(crate) use scratch::{Lines, with_scratch};
pub(crate) use tile::{Tile, Units};

/// How the factors of a product are read. Sums are `f32` in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Precision {
    /// As they are.
    #[default]
    F32,
    /// Rounded to bfloat16: 8 bits of mantissa, the exponents of `f32`.
    Bf16,
}

/// Which instructions compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// 512-bit vectors with a product of pairs of bfloat16.
    Avx512Bf16,
    /// 512-bit vectors.
    Avx512,
    /// 256-bit vectors with fused multiply-add.
    Avx2,
    /// Whatever the compiler makes of plain Rust.
    Portable,
}

impl Path {
    /// All of them, best first.
    pub const ALL: [Path; 4] = [Path::Avx512Bf16, Path::Avx512, Path::Avx2, Path::Portable];

    /// The best that this machine has.
    pub fn best() -> Path {
        static BEST: OnceLock<Path> = OnceLock::new();
        *BEST.get_or_init(|| {
            Path::ALL
                .into_iter()
                .find(|path| path.is_present())
                .unwrap_or(Path::Portable)
        })
    }

    /// Whether this machine has it.
    pub fn is_present(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        {
            let avx512 = || {
                let features = [
                    is_x86_feature_detected!("avx512f"),
                    is_x86_feature_detected!("avx512bw"),
                    is_x86_feature_detected!("avx512vl"),
                    is_x86_feature_detected!("avx512dq"),
                ];
                features == [true; 4]
            };
            match self {
                Path::Avx512Bf16 => avx512() && is_x86_feature_detected!("avx512bf16"),
                Path::Avx512 => avx512(),
                Path::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
                Path::Portable => true,
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            self == Path::Portable
        }
    }

    /// The name that a report gives it.
    pub fn name(self) -> &'static str {
        match self {
            Path::Avx512Bf16 => "avx512-bf16",
            Path::Avx512 => "avx512",
            Path::Avx2 => "avx2",
            Path::Portable => "portable",
        }
    }

    /// Rows of its largest tile.
    pub(crate) fn tile_rows(self) -> usize {
        match self {
            Path::Avx512Bf16 | Path::Avx512 => 12,
            Path::Avx2 => 6,
            Path::Portable => 4,
        }
    }

    /// Columns of its tiles: the width of a panel of the right factor.
    pub(crate) fn tile_cols(self) -> usize {
        match self {
            Path::Avx512Bf16 | Path::Avx512 => 32,
            Path::Avx2 | Path::Portable => 16,
        }
    }

    /// What one unit of a panel holds for products of this precision. Without instructions for pairs, values rounded to
    /// bfloat16 are multiplied as `f32`.
    pub(crate) fn units(self, precision: Precision) -> Units {
        match (self, precision) {
            (_, Precision::F32) => Units::Values,
            (Path::Avx512Bf16, Precision::Bf16) => Units::Pairs,
            (_, Precision::Bf16) => Units::Rounded,
        }
    }

    /// Computes one tile.
    ///
    /// # Safety
    /// The machine has this path, `rows <= self.tile_rows()`, and what `tile` asks for holds.
    #[allow(unsafe_code)]
    pub(crate) unsafe fn run(self, units: Units, rows: usize, tile: &Tile) {
        // SAFETY: the caller's promises are those of each path.
        unsafe {
            match self {
                #[cfg(target_arch = "x86_64")]
                Path::Avx512Bf16 if units == Units::Pairs => avx512::pairs(rows, tile),
                #[cfg(target_arch = "x86_64")]
                Path::Avx512Bf16 | Path::Avx512 => avx512::values(rows, tile),
                #[cfg(target_arch = "x86_64")]
                Path::Avx2 => avx2::values(rows, tile),
                _ => portable::values(rows, tile),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_path_is_the_first_that_the_processor_has() {
        assert!(Path::Portable.is_present());
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            assert_eq!(Path::Avx2.is_present(), avx2);
            assert!(!is_x86_feature_detected!("avx512dq") || Path::Avx512.is_present());
            assert!(!is_x86_feature_detected!("avx512bf16") || Path::best() == Path::Avx512Bf16);
            assert!(!avx2 || Path::best() != Path::Portable);
        }
        let before = Path::ALL.iter().take_while(|path| **path != Path::best());
        assert!(before.into_iter().all(|path| !path.is_present()));
    }
}
