//! Rates: the share of an item's impressions within a window that were given a kind of feedback. In: slates and feedback
//! that counts. Out: numbers in `[0, 1]`.
//!
//! An impression is of its slate's time, and so is what it was given, whenever that came: what was given is always part of
//! what was shown. The same kind given twice to one impression counts once. A window is counted by binary search, in the
//! time of a handful of comparisons however many impressions there are.

mod item;

use std::collections::{HashMap, VecDeque};

use xxhash_rust::xxh3::xxh3_128;

use super::RateRule;
use crate::{Event, Feedback, Slate};
use item::{Item, Window};

/// Impressions of an item that its rates count at most, the newest by time.
const KEPT: usize = 65_536;
/// Impressions kept beside them, so that values at a somewhat earlier sequence are known.
const SPARE: usize = 8_192;
/// A request this far behind the newest slate has no rates, so that what is older than the longest window can go.
pub(super) const LATE_MS: i64 = 2 * DAY_MS;
const DAY_MS: i64 = 86_400_000;

/// An impression's place among those of its item: ordered by time, then by the sequence of its slate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Shown {
    time: i64,
    seq: u64,
}

/// What the rates of some kinds are counted from. Holds 16 bytes an impression, 24 a piece of counted feedback and about 60
/// a slate, of the longest window and two days more.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rates {
    /// Kinds of feedback, sorted.
    kinds: Vec<String>,
    longest_ms: i64,
    /// [`KEPT`] and [`SPARE`].
    kept: usize,
    spare: usize,
    /// Slates by the hash of their id, and those hashes in the order of sequences.
    slates: HashMap<u128, Shown>,
    order: VecDeque<u128>,
    items: Vec<Item>,
    /// Index into `items`.
    places: HashMap<String, usize>,
    /// The item that is looked at next for what can go.
    cursor: usize,
    /// Time of the newest slate.
    newest: Option<i64>,
}

impl Rates {
    /// Of an empty log, for `rules`.
    pub(crate) fn new(rules: &[RateRule]) -> Rates {
        let of_nothing = Rates {
            kept: KEPT,
            spare: SPARE,
            ..Rates::default()
        };
        of_nothing.extended(rules)
    }

    /// Of an empty log, for its own rules and `rules`.
    pub(super) fn extended(&self, rules: &[RateRule]) -> Rates {
        let mut kinds = self.kinds.clone();
        kinds.extend(rules.iter().map(|rule| rule.feedback.clone()));
        kinds.sort();
        kinds.dedup();
        let windows = rules.iter().map(|rule| rule.window_ms);
        Rates {
            kinds,
            longest_ms: windows.fold(self.longest_ms, i64::max),
            kept: self.kept,
            spare: self.spare,
            ..Rates::default()
        }
    }

    /// Whether it gives the values of `rules`.
    pub(super) fn cover(&self, rules: &[RateRule]) -> bool {
        let covers =
            |rule: &RateRule| self.kind(&rule.feedback).is_some() && rule.window_ms <= self.longest_ms;
        rules.iter().all(covers)
    }

    /// How far before the arrival of the newest slate a slate that still counts can have arrived, in ms: a day more than
    /// times go back, since a slate's time may be a day ahead of its arrival.
    pub(crate) fn reach_ms(&self) -> i64 {
        self.longest_ms.saturating_add(LATE_MS + DAY_MS)
    }

    /// Takes in an event of the log.
    pub(crate) fn apply_event(&mut self, event: &Event) {
        match event {
            Event::Slate { seq, slate } => self.apply_slate(*seq, slate),
            Event::Feedback {
                seq,
                feedback,
                user: Some(_),
            } if super::counts(feedback) => self.apply(*seq, feedback),
            Event::Feedback { .. } | Event::Mark { .. } => {}
        }
    }

    pub(super) fn apply_slate(&mut self, seq: u64, slate: &Slate) {
        let newest = self.newest.map_or(slate.time, |newest| newest.max(slate.time));
        self.newest = Some(newest);
        let gone = newest.saturating_sub(LATE_MS).saturating_sub(self.longest_ms);
        if slate.time <= gone {
            return;
        }
        let shown = Shown {
            time: slate.time,
            seq,
        };
        let id = xxh3_128(slate.id.as_bytes());
        self.slates.insert(id, shown);
        self.order.push_back(id);
        let most = self.kept + self.spare;
        for impression in &slate.impressions {
            let place = self.place(&impression.item);
            self.items[place].show(shown, most);
        }
        // As many looks as impressions: nothing waits for all items to be looked through, and each has its turn.
        for _ in &slate.impressions {
            self.forget_of_next_item(gone);
        }
        while let Some(oldest) = self.order.front()
            && self.slates.get(oldest).is_none_or(|shown| shown.time <= gone)
        {
            self.slates.remove(oldest);
            self.order.pop_front();
        }
    }

    /// Takes in feedback that counts.
    pub(super) fn apply(&mut self, seq: u64, feedback: &Feedback) {
        let given = || {
            let kind = self.kind(&feedback.kind)?;
            let shown = self.slates.get(&xxh3_128(feedback.slate.as_bytes()))?;
            Some((kind, *shown, *self.places.get(&feedback.item)?))
        };
        if let Some((kind, shown, place)) = given() {
            self.items[place].give(kind, shown, seq);
        }
    }

    /// The value now, in a request at `time`.
    pub(super) fn now(&self, item: &str, rule: &RateRule, time: i64) -> Option<f64> {
        if self.is_late(time) {
            return None;
        }
        self.counted(item, rule, time, u64::MAX)?
    }

    /// The value when `as_of` was the last sequence; outer `None` where that cannot be told any more.
    pub(super) fn at(&self, item: &str, rule: &RateRule, time: i64, as_of: u64) -> Option<Option<f64>> {
        // Behind the newest slate of now is not behind that of then; but what it would take is gone.
        if self.is_late(time) {
            return None;
        }
        self.counted(item, rule, time, as_of)
    }

    fn counted(&self, item: &str, rule: &RateRule, time: i64, as_of: u64) -> Option<Option<f64>> {
        let (Some(place), Some(kind)) = (self.places.get(item), self.kind(&rule.feedback)) else {
            return Some(None);
        };
        let window = Window {
            after: time.saturating_sub(rule.window_ms),
            until: time,
        };
        let counts = self.items[*place].count(kind, window, as_of, self.kept)?;
        let rate = counts.given as f64 / counts.shown as f64;
        Some((counts.shown > 0).then_some(rate))
    }

    fn is_late(&self, time: i64) -> bool {
        self.newest
            .is_some_and(|newest| time <= newest.saturating_sub(LATE_MS))
    }

    fn kind(&self, kind: &str) -> Option<usize> {
        self.kinds.binary_search_by(|known| known.as_str().cmp(kind)).ok()
    }

    fn place(&mut self, item: &str) -> usize {
        if let Some(place) = self.places.get(item) {
            return *place;
        }
        let place = self.items.len();
        self.items.push(Item::new(item, self.kinds.len()));
        self.places.insert(item.to_owned(), place);
        place
    }

    /// Drops what one item has of times up to `gone`, and the item where nothing is left.
    fn forget_of_next_item(&mut self, gone: i64) {
        if self.cursor >= self.items.len() {
            self.cursor = 0;
        }
        let Some(item) = self.items.get_mut(self.cursor) else {
            return;
        };
        if item.forget(gone) {
            self.cursor += 1;
            return;
        }
        let empty = self.items.swap_remove(self.cursor);
        self.places.remove(empty.id());
        if let Some(moved) = self.items.get(self.cursor)
            && let Some(place) = self.places.get_mut(moved.id())
        {
            *place = self.cursor;
        }
    }
}

#[cfg(test)]
mod tests;
