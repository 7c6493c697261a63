//! Which row of a table an id has: rows are given to ids as training meets them, each id its own.
//!
//! In: 64-bit keys of ids with the times of their examples, in the order of learning. Out: row numbers, 0 for new ids; never
//! more rows than declared. What it does depends on that sequence alone.

mod counts;
mod index;
mod recency;

use counts::Counts;
pub(crate) use index::KeyIndex;
use recency::Recency;

/// The row that new ids read.
pub const NEW_ROW: u32 = 0;
/// The key of a missing id, which is always new.
pub const NO_ID: u64 = 0;

/// Rows of ids: who has which, who waits for one, who has not been met for long.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyMap {
    /// Most rows without `new`.
    capacity: u32,
    /// Sightings that admit an id, from 1.
    admit_after: u8,
    /// Key of each row; [`NO_ID`] for `new` and for free rows.
    index: KeyIndex,
    /// Rows that may be given to another id, the last one first.
    free: Vec<u32>,
    /// Rows given back in this step: the step may have read them.
    freed: Vec<u32>,
    /// Rows given to an id in this step.
    assigned: Vec<u32>,
    /// Sightings of ids without a row.
    waiting: Counts,
    /// When each row was met; only where ids are forgotten.
    recency: Option<Recency>,
    /// Sightings that would have admitted an id, had there been a row.
    refused: u64,
}

/// What a map goes on by, read from a checkpoint.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct KeyMapState {
    /// `[rows]`: key of each row.
    pub(crate) keys: Vec<u64>,
    /// Free rows, the last one first.
    pub(crate) free: Vec<u32>,
    /// Keys that wait, of the older generation and of the newer one, with their sightings.
    pub(crate) waiting: [(Vec<u64>, Vec<u8>); 2],
    /// Met rows from the one longest ago, with the ticks of their last meeting.
    pub(crate) met: Vec<(u32, i64)>,
    /// The clock's tick, and refusals.
    pub(crate) now: i64,
    pub(crate) refused: u64,
}

impl KeyMap {
    /// No id has a row. `forget_after_ms`: how long an id keeps its row without being met, in ms of event time.
    pub fn new(capacity: u32, admit_after: u8, forget_after_ms: Option<i64>) -> KeyMap {
        KeyMap {
            capacity,
            admit_after,
            index: KeyIndex::with_new(),
            free: Vec::new(),
            freed: Vec::new(),
            assigned: Vec::new(),
            waiting: Counts::new(capacity),
            recency: forget_after_ms.map(Recency::new),
            refused: 0,
        }
    }

    /// The map of a declared table; `None` where its rows are fixed.
    pub fn of(table: &spec::Table) -> Option<KeyMap> {
        match table.rows {
            spec::Rows::Keyed {
                capacity,
                forget_after_ms,
            } => Some(KeyMap::new(capacity, table.admit_after, forget_after_ms)),
            _ => None,
        }
    }

    /// Rows that exist, `new` and free ones among them: at most the capacity and one.
    pub fn rows(&self) -> usize {
        self.index.len()
    }

    /// Most rows that may exist, `new` among them.
    pub fn most_rows(&self) -> usize {
        self.capacity as usize + 1
    }

    /// Ids that have a row.
    pub fn rows_in_use(&self) -> usize {
        self.rows() - 1 - self.free.len() - self.freed.len()
    }

    /// Ids that were met, too rarely for a row.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Sightings that would have admitted an id, had there been a free row.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Rows that the step under way gave to an id: they start as a copy of `new`, and their optimizer from nothing.
    pub fn assigned(&self) -> &[u32] {
        &self.assigned
    }

    /// Key of each row; 0 for `new` and for free rows.
    pub fn keys(&self) -> &[u64] {
        self.index.keys()
    }

    /// The row that `key` reads: its own, or `new`.
    pub fn find(&self, key: u64) -> u32 {
        self.index.find(key).unwrap_or(NEW_ROW)
    }

    /// Begins a step: rows given back in the last one can be given to other ids.
    pub fn begin_step(&mut self) {
        self.assigned.clear();
        self.free.append(&mut self.freed);
    }

    /// Counts one sighting by training, at `time_ms` since 1970, and returns the row to read: the sighting that admits still
    /// reads `new`. Ids not met for long are forgotten first.
    pub fn meet(&mut self, key: u64, time_ms: i64) -> u32 {
        self.forget(time_ms);
        if key == NO_ID {
            return NEW_ROW;
        }
        if let Some(row) = self.index.find(key) {
            if let Some(recency) = &mut self.recency {
                recency.meet(row);
            }
            return row;
        }
        let sightings = if self.admit_after > 1 {
            self.waiting.add(key, self.admit_after)
        } else {
            1
        };
        if sightings >= self.admit_after {
            self.admit(key);
        }
        NEW_ROW
    }

    /// Gives `key` a row, if there is one.
    fn admit(&mut self, key: u64) {
        let row = match self.free.pop() {
            Some(row) => {
                self.index.reuse(row, key);
                row
            }
            None if self.rows() <= self.capacity as usize => self.index.push(key),
            None => {
                self.refused += 1;
                return;
            }
        };
        self.waiting.clear(key);
        if let Some(recency) = &mut self.recency {
            recency.meet(row);
        }
        self.assigned.push(row);
    }

    /// Takes the rows of ids that were not met for long before `time_ms`.
    fn forget(&mut self, time_ms: i64) {
        let Some(recency) = &mut self.recency else { return };
        recency.advance(time_ms);
        while let Some(row) = recency.pop_forgotten() {
            self.index.free(row);
            self.freed.push(row);
        }
    }

    /// About the bytes of a full map: 8 for a row's key and 5 for each place of the index, of which there are up to twice as many
    /// where ids are forgotten; where ids wait, two more such indexes; 16 for a row's last meeting.
    pub fn bytes(capacity: u32, admit_after: u8, forgets: bool) -> u64 {
        let rows = u64::from(capacity) + 1;
        let waiting = if admit_after > 1 {
            Counts::bytes(capacity)
        } else {
            0
        };
        KeyIndex::bytes(rows, forgets) + waiting + if forgets { rows * Recency::ROW_BYTES } else { 0 }
    }

    /// Free rows between two steps, the last one first.
    pub(crate) fn free_rows(&self) -> impl Iterator<Item = u32> {
        self.free.iter().chain(&self.freed).copied()
    }

    /// Keys that wait, of the older generation and of the newer one, with their sightings.
    pub(crate) fn waiting_ids(&self) -> [(&[u64], &[u8]); 2] {
        self.waiting.generations()
    }

    /// Met rows from the one longest ago, with the ticks of their last meeting.
    pub(crate) fn met(&self) -> impl Iterator<Item = (u32, i64)> {
        self.recency.iter().flat_map(Recency::met)
    }

    /// The clock's tick.
    pub(crate) fn now(&self) -> i64 {
        self.recency.as_ref().map_or(i64::MIN, Recency::now)
    }

    /// Goes on from `state`; says what in it does not fit this declaration.
    pub(crate) fn resume(mut self, state: KeyMapState) -> Result<KeyMap, String> {
        let rows = state.keys.len();
        if rows == 0 || rows > self.capacity as usize + 1 {
            return Err(format!(
                "{rows} rows; the declaration allows {} and `new`",
                self.capacity
            ));
        }
        let known = |row: &u32| (1..rows).contains(&(*row as usize));
        if !state.free.iter().all(known) || !state.met.iter().all(|(row, _)| known(row)) {
            return Err(format!("a row beyond {rows}"));
        }
        self.index = KeyIndex::of(state.keys)?;
        self.free = state.free;
        self.waiting.resume(state.waiting)?;
        if let Some(recency) = &mut self.recency {
            recency.resume(&state.met, state.now);
        }
        self.refused = state.refused;
        Ok(self)
    }
}

#[cfg(test)]
mod tests;
