//! What the newest slates show, so that feedback on an item that its slate does not show is noticed. In: slates of this run of
//! the service. Out: whether an item is not among those of a slate; nothing of slates that are not known here.

use std::collections::{HashMap, VecDeque};

use events::Slate;
use xxhash_rust::xxh3::xxh3_64;

/// Slates kept.
const SLATES: usize = 4_096;
/// Items kept, over all slates.
const ITEMS: usize = 1 << 20;

/// Hashes of the items of the newest slates.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    by_slate: HashMap<String, Box<[u64]>>,
    order: VecDeque<String>,
    items: usize,
}

/// The items of a slate, as [`Shown`] keeps them.
pub(crate) fn items_of(slate: &Slate) -> Box<[u64]> {
    let items = slate.impressions.iter();
    items.map(|shown| xxh3_64(shown.item.as_bytes())).collect()
}

impl Shown {
    /// Takes in a slate; the first of an id stands.
    pub(crate) fn note(&mut self, slate: String, items: Box<[u64]>) {
        if self.by_slate.contains_key(&slate) {
            return;
        }
        self.items += items.len();
        self.order.push_back(slate.clone());
        self.by_slate.insert(slate, items);
        while self.order.len() > SLATES || self.items > ITEMS {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            self.items -= self.by_slate.remove(&oldest).map_or(0, |items| items.len());
        }
    }

    /// Whether `slate` is known here and does not show `item`.
    pub(crate) fn lacks(&self, slate: &str, item: &str) -> bool {
        let items = self.by_slate.get(slate);
        items.is_some_and(|items| !items.contains(&xxh3_64(item.as_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_lacking_where_its_slate_is_known_and_shows_others() {
        let mut shown = Shown::default();
        shown.note("s".to_owned(), [xxh3_64(b"a")].into());
        shown.note("s".to_owned(), [xxh3_64(b"b")].into());
        assert!(shown.lacks("s", "b") && !shown.lacks("s", "a") && !shown.lacks("t", "b"));
    }

    #[test]
    fn the_oldest_slates_go_where_there_are_too_many_or_too_long_ones() {
        let mut shown = Shown::default();
        for number in 0..=SLATES {
            shown.note(format!("s{number}"), [0].into());
        }
        assert!(!shown.lacks("s0", "a") && shown.lacks("s1", "a"));
        assert_eq!((shown.by_slate.len(), shown.items), (SLATES, SLATES));
        shown.note("long".to_owned(), vec![0; ITEMS].into());
        assert_eq!((shown.by_slate.len(), shown.items), (1, ITEMS));
        assert!(shown.lacks("long", "a"));
    }
}
