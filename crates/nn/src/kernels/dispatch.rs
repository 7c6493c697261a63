//! Loops over slices, compiled once for each path. In: a function in plain Rust. Out: the same function, whose loops use the vectors
//! that this machine has. No sum is reordered and nothing is fused: every path gives the same bits.

/// Compiles a function for each path; a call runs the best that this machine has.
macro_rules! for_each_path {
    ($(#[$about:meta])* $visible:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block) => {
        $(#[$about])*
        #[allow(unsafe_code)]
        $visible fn $name($($argument: $type),*) $(-> $result)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn portable($($argument: $type),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            {
                use $crate::kernels::Path;

                #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
                fn avx512($($argument: $type),*) $(-> $result)? {
                    portable($($argument),*)
                }
                #[target_feature(enable = "avx2")]
                fn avx2($($argument: $type),*) $(-> $result)? {
                    portable($($argument),*)
                }
                match Path::best() {
                    // SAFETY: a path is the best only where the machine has all of its features.
                    Path::Avx512Bf16 | Path::Avx512 => return unsafe { avx512($($argument),*) },
                    // SAFETY: as above.
                    Path::Avx2 => return unsafe { avx2($($argument),*) },
                    Path::Portable => {}
                }
            }
            portable($($argument),*)
        }
    };
}
