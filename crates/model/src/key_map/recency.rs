//! When rows were met, oldest first: a list linked through the rows, in ticks of a 64th of the time after which an id is
//! forgotten, so that a row that is met often moves rarely.

/// Ticks of the time after which an id is forgotten.
const TICKS: i64 = 64;
/// No row: the first row is `new`, which is in no list.
const END: u32 = 0;

/// The list.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Recency {
    /// Milliseconds of a tick, from 1.
    tick_ms: i64,
    /// Ticks after which a row that was not met is forgotten.
    keep: i64,
    /// The latest time that was seen, in ticks.
    now: i64,
    /// By row.
    places: Vec<Place>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Place {
    met: i64,
    earlier: u32,
    later: u32,
}

/// Of a row in no list. Place 0 holds both ends: `later` is the row met longest ago, `earlier` the one met last.
const NOWHERE: Place = Place {
    met: i64::MIN,
    earlier: END,
    later: END,
};

impl Recency {
    /// Bytes of a row.
    pub(super) const ROW_BYTES: u64 = size_of::<Place>() as u64;

    pub(super) fn new(forget_after_ms: i64) -> Recency {
        let tick_ms = (forget_after_ms / TICKS).max(1);
        Recency {
            tick_ms,
            // A meeting may lie anywhere in its tick: one tick more, and no id is forgotten too early.
            keep: (forget_after_ms + tick_ms - 1) / tick_ms,
            now: i64::MIN,
            places: vec![NOWHERE],
        }
    }

    pub(super) fn now(&self) -> i64 {
        self.now
    }

    /// Time does not go back: a late example is met now.
    pub(super) fn advance(&mut self, time_ms: i64) {
        self.now = self.now.max(time_ms.div_euclid(self.tick_ms));
    }

    /// `row` was met now.
    pub(super) fn meet(&mut self, row: u32) {
        let at = row as usize;
        if at >= self.places.len() {
            super::index::grow(&mut self.places);
            self.places.resize(at + 1, NOWHERE);
        }
        if self.places[at].met == self.now {
            return;
        }
        self.unlink(row);
        let last = self.places[END as usize].earlier;
        self.places[at] = Place {
            met: self.now,
            earlier: last,
            later: END,
        };
        self.places[last as usize].later = row;
        self.places[END as usize].earlier = row;
    }

    /// Takes the row met longest ago out of the list, if it is to be forgotten.
    pub(super) fn pop_forgotten(&mut self) -> Option<u32> {
        let row = self.places[END as usize].later;
        if row == END || self.now.saturating_sub(self.places[row as usize].met) <= self.keep {
            return None;
        }
        self.unlink(row);
        Some(row)
    }

    fn unlink(&mut self, row: u32) {
        let place = std::mem::replace(&mut self.places[row as usize], NOWHERE);
        if place.met != NOWHERE.met {
            self.places[place.earlier as usize].later = place.later;
            self.places[place.later as usize].earlier = place.earlier;
        }
    }

    /// The rows from the one met longest ago, with their ticks.
    pub(super) fn met(&self) -> impl Iterator<Item = (u32, i64)> {
        let next = |row: u32| Some(self.places[row as usize].later).filter(|row| *row != END);
        std::iter::successors(next(END), move |row| next(*row))
            .map(|row| (row, self.places[row as usize].met))
    }

    pub(super) fn resume(&mut self, met: &[(u32, i64)], now: i64) {
        for (row, tick) in met {
            self.now = *tick;
            self.meet(*row);
        }
        self.now = now;
    }
}
