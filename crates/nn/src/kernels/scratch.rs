//! A thread's room for packed panels, kept between products so that a step allocates nothing.

use std::cell::RefCell;

/// A cache line of units: panels begin on one.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line {
    _units: [u32; 16],
}

thread_local! {
    static SCRATCH: RefCell<[Vec<Line>; 2]> = const { RefCell::new([Vec::new(), Vec::new()]) };
}

/// Lends two buffers of at least this many units each; what they hold is left from before.
pub(crate) fn with_scratch<R>(left: usize, right: usize, run: impl FnOnce(&mut [u32], &mut [u32]) -> R) -> R {
    SCRATCH.with_borrow_mut(|[a, b]| run(grown(a, left), grown(b, right)))
}

fn grown(lines: &mut Vec<Line>, units: usize) -> &mut [u32] {
    let count = units.div_ceil(16);
    if lines.len() < count {
        lines.resize(count, Line { _units: [0; 16] });
    }
    units_of(lines)
}

#[allow(unsafe_code)]
fn units_of(lines: &mut [Line]) -> &mut [u32] {
    // SAFETY: a line is 16 units without padding, so the same memory is that many units, for as long as it is borrowed.
    unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), lines.len() * 16) }
}
