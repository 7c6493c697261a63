//! A slate with an open window, and what has been said about it so far.

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::label::Labels;
use crate::Slate;

/// A slate with an open window.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) slate: Slate,
    /// Impressions in the order of positions.
    pub(super) order: Vec<usize>,
    /// Last value of each kind of feedback: `[impression][kind]`.
    pub(super) feedback: Vec<Vec<Option<f64>>>,
    /// Labels that have closed: `[impression][objective]`.
    pub(super) frozen: Vec<Vec<Option<f32>>>,
    /// Number of windows that have closed.
    pub(super) closed: usize,
    /// Hashes of the ids of the feedback so far, sorted.
    seen: Vec<u64>,
}

impl Open {
    pub(super) fn new(slate: &Slate, labels: &Labels) -> Open {
        let slate = slate.without_candidates();
        let count = slate.impressions.len();
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by_key(|impression| slate.impressions[*impression].position);
        Open {
            slate,
            order,
            feedback: vec![vec![None; labels.kinds.len()]; count],
            frozen: vec![vec![None; labels.objectives.len()]; count],
            closed: 0,
            seen: Vec::new(),
        }
    }

    /// Whether `id` is not that of an earlier piece of feedback.
    pub(super) fn is_new(&mut self, id: &str) -> bool {
        let hash = xxh3_64(id.as_bytes());
        match self.seen.binary_search(&hash) {
            Ok(_) => false,
            Err(at) => {
                self.seen.insert(at, hash);
                true
            }
        }
    }
}

/// An example's key: xxh3 of slate, item and window, the texts with their lengths.
pub(super) fn key(slate: &str, item: &str, window_ms: i64) -> u64 {
    let mut hash = Xxh3::new();
    for text in [slate, item] {
        hash.update(&(text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
    hash.update(&window_ms.to_le_bytes());
    hash.digest()
}
