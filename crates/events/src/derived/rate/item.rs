//! One item's impressions and what they were given, sorted by time, and their counts within a window at a log sequence.

use std::collections::VecDeque;

use super::Shown;

/// Times looked at: above `after`, up to `until`, ms since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) after: i64,
    pub(super) until: i64,
}

/// Impressions within a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) shown: usize,
    /// Those of them that were given the feedback.
    pub(super) given: usize,
}

/// An impression that was given feedback, and the sequence of that feedback.
#[derive(Debug, Clone, Copy)]
struct Given {
    shown: Shown,
    seq: u64,
}

/// An item.
#[derive(Debug, Clone)]
pub(super) struct Item {
    id: String,
    impressions: VecDeque<Shown>,
    /// For each kind, in the order of `impressions`.
    given: Vec<VecDeque<Given>>,
    /// Sequence of its last event.
    last: u64,
    /// The latest impression that was dropped: all before it were too.
    dropped: Option<Shown>,
}

impl Item {
    pub(super) fn new(id: &str, kinds: usize) -> Item {
        Item {
            id: id.to_owned(),
            impressions: VecDeque::new(),
            given: vec![VecDeque::new(); kinds],
            last: 0,
            dropped: None,
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Takes in an impression; beyond `most`, the oldest goes.
    pub(super) fn show(&mut self, shown: Shown, most: usize) {
        if self.dropped.is_some_and(|dropped| shown <= dropped) {
            return;
        }
        self.last = shown.seq;
        // Nearly always the newest.
        let at = match self.impressions.back() {
            Some(newest) if *newest > shown => self.impressions.partition_point(|other| *other < shown),
            _ => self.impressions.len(),
        };
        self.impressions.insert(at, shown);
        if self.impressions.len() > most {
            self.drop_oldest();
        }
    }

    /// Takes in feedback of sequence `seq`, if the impression is there and has not been given it before.
    pub(super) fn give(&mut self, kind: usize, shown: Shown, seq: u64) {
        if self.impressions.binary_search(&shown).is_err() {
            return;
        }
        let given = &mut self.given[kind];
        if let Err(at) = given.binary_search_by_key(&shown, |given| given.shown) {
            given.insert(at, Given { shown, seq });
            self.last = seq;
        }
    }

    /// Drops what is of times up to `gone`; whether anything is left.
    pub(super) fn forget(&mut self, gone: i64) -> bool {
        while self.impressions.front().is_some_and(|oldest| oldest.time <= gone) {
            self.drop_oldest();
        }
        !self.impressions.is_empty()
    }

    fn drop_oldest(&mut self) {
        let Some(oldest) = self.impressions.pop_front() else {
            return;
        };
        self.dropped = Some(oldest);
        for given in &mut self.given {
            while given.front().is_some_and(|given| given.shown <= oldest) {
                given.pop_front();
            }
        }
    }

    /// Counts within `window`, of the newest `kept` impressions, when `as_of` was the last sequence; `None` where some of
    /// them have been dropped since.
    pub(super) fn count(&self, kind: usize, window: Window, as_of: u64, kept: usize) -> Option<Counts> {
        let Window { after, until } = window;
        let all = self.last <= as_of;
        let seen = if all {
            self.impressions.len()
        } else {
            let seen = self.impressions.iter().filter(|shown| shown.seq <= as_of);
            seen.count()
        };
        if seen < kept && self.dropped.is_some_and(|dropped| dropped.time > after) {
            return None;
        }
        let skip = seen.saturating_sub(kept);
        if all {
            return Some(self.count_all(kind, window, skip));
        }
        let mut shown = self
            .impressions
            .iter()
            .filter(|shown| shown.seq <= as_of)
            .skip(skip)
            .skip_while(|shown| shown.time <= after)
            .take_while(|shown| shown.time <= until);
        let Some(first) = shown.next() else {
            return Some(Counts { shown: 0, given: 0 });
        };
        let within =
            |given: &&Given| given.seq <= as_of && given.shown >= *first && given.shown.time <= until;
        Some(Counts {
            shown: 1 + shown.count(),
            given: self.given[kind].iter().filter(within).count(),
        })
    }

    /// As [`Item::count`], of all there is but the oldest `skip`.
    fn count_all(&self, kind: usize, Window { after, until }: Window, skip: usize) -> Counts {
        let from = self.impressions.partition_point(|shown| shown.time <= after);
        let from = from.max(skip);
        let to = self.impressions.partition_point(|shown| shown.time <= until);
        let Some(first) = self.impressions.get(from).filter(|_| from < to) else {
            return Counts { shown: 0, given: 0 };
        };
        let given = &self.given[kind];
        let before = given.partition_point(|given| given.shown < *first);
        let through = given.partition_point(|given| given.shown.time <= until);
        Counts {
            shown: to - from,
            given: through - before,
        }
    }
}
