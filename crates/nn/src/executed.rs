//! What was executed: multiplications, and values read and written, counted as products and mixtures run, on each thread by itself.
//!
//! In: the shapes of what runs. Out: sums since the thread began, to be held against what a network is said to cost.

use std::cell::Cell;

/// Sums over what this thread ran: products, forward or back, mixtures and routes forward.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Executed {
    /// Multiplications: one for each row x inner x column of a product, one for each value that a share scales.
    pub multiplications: u64,
    /// Values of left factors that were read and values of results that were written; weights and shares apart.
    pub values: u64,
}

thread_local! {
    static EXECUTED: Cell<Executed> = const { Cell::new(Executed { multiplications: 0, values: 0 }) };
}

impl Executed {
    /// The sums of this thread so far.
    pub fn here() -> Executed {
        EXECUTED.get()
    }

    /// What came after `before`.
    pub fn since(self, before: Executed) -> Executed {
        Executed {
            multiplications: self.multiplications - before.multiplications,
            values: self.values - before.values,
        }
    }
}

/// Counts `rows` rows, each of so many multiplications and values.
pub(crate) fn count(rows: usize, multiplications: usize, values: usize) {
    let sums = EXECUTED.get();
    EXECUTED.set(Executed {
        multiplications: sums.multiplications + (rows * multiplications) as u64,
        values: sums.values + (rows * values) as u64,
    });
}
