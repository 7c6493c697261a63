//! How much of everything is run, fixed before the run; `prove.rs` says which worlds, `cell.rs` which arms.

use serde::{Deserialize, Serialize};

/// How much of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recipe {
    /// Seeds 0 to this, less one; each is another world.
    pub seeds: u64,
    /// Logged impressions of a cell.
    pub impressions: u64,
    /// Passes over them.
    pub epochs: usize,
    /// Fresh visits that judge.
    pub exam: u64,
    /// Slates of the shuffled slice.
    pub shuffled: u64,
    /// Days of the closed loop after day 0.
    pub days: u32,
    /// Visits of a day; day 0 has twice as many.
    pub visits: u32,
}

impl Recipe {
    /// The whole proof.
    pub(crate) fn full() -> Recipe {
        Recipe {
            seeds: 5,
            impressions: 100_000,
            epochs: 5,
            exam: 1_200,
            shuffled: 2_000,
            days: 10,
            visits: 4_000,
        }
    }

    /// What tells within a few minutes that nothing is broken.
    pub(crate) fn quick() -> Recipe {
        Recipe {
            seeds: 2,
            impressions: 30_000,
            epochs: 8,
            exam: 400,
            shuffled: 1_000,
            days: 2,
            visits: 1_000,
        }
    }
}
