//! What is read soon is asked for now. In: values that lie far apart. Out: nothing; they come closer while other work goes on.

/// How many reads ahead are asked for: enough to hide the way to memory, few enough to stay in the first-level cache.
pub const AHEAD: usize = 16;

/// Asks for `values`, a cache line at a time: they come while other work goes on.
#[inline(always)]
pub fn prefetch<T>(values: &[T]) {
    ask::<T, { Cache::First as i32 }>(values);
}

/// The same into the second-level cache.
#[inline(always)]
pub(crate) fn prefetch_second<T>(values: &[T]) {
    ask::<T, { Cache::Second as i32 }>(values);
}

/// Which cache: the instruction's hint.
enum Cache {
    First = 3,
    Second = 2,
}

#[allow(unsafe_code)]
#[inline(always)]
fn ask<T, const CACHE: i32>(values: &[T]) {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::_mm_prefetch;
        const LINE: usize = 64;
        let start = values.as_ptr().cast::<i8>();
        for byte in (0..size_of_val(values)).step_by(LINE) {
            // SAFETY: every processor of this family has the instruction, and it may name any address.
            unsafe { _mm_prefetch::<CACHE>(start.wrapping_add(byte)) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = values;
}
