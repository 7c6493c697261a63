//! Room for packed panels: a thread's, kept between products so that a step allocates nothing, and what a layer keeps.

use std::cell::RefCell;

/// A cache line of units: panels begin on one.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Line {
    _units: [u32; 16],
}

/// Units that begin on a cache line. The room only grows.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    lines: Vec<Line>,
    len: usize,
}

thread_local! {
    static SCRATCH: RefCell<[Lines; 2]> = const { RefCell::new([Lines::new(), Lines::new()]) };
}

/// Lends two buffers of at least this many units each; what they hold is left from before.
pub(crate) fn with_scratch<R>(left: usize, right: usize, run: impl FnOnce(&mut [u32], &mut [u32]) -> R) -> R {
    SCRATCH.with_borrow_mut(|[a, b]| run(a.units(left), b.units(right)))
}

impl Lines {
    const fn new() -> Lines {
        Lines {
            lines: Vec::new(),
            len: 0,
        }
    }

    /// Room for `len` units; what it holds is left from before.
    pub(crate) fn units(&mut self, len: usize) -> &mut [u32] {
        let count = len.div_ceil(16);
        if self.lines.len() < count {
            self.lines.reserve_exact(count - self.lines.len());
            self.lines.resize(count, Line { _units: [0; 16] });
        }
        self.len = len;
        &mut all_mut(&mut self.lines)[..len]
    }

    /// The units that [`Lines::units`] lent last.
    #[allow(unsafe_code)]
    pub(crate) fn all(&self) -> &[u32] {
        // SAFETY: a line is 16 units without padding, so the same memory is that many units, for as long as it is borrowed.
        let all = unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.lines.len() * 16) };
        &all[..self.len]
    }
}

#[allow(unsafe_code)]
fn all_mut(lines: &mut [Line]) -> &mut [u32] {
    // SAFETY: as above, borrowed exclusively.
    unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), lines.len() * 16) }
}
