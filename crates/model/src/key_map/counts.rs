//! Sightings of ids that have no row yet, in bounded memory: two generations, of which the older one is dropped whole.

use super::KeyIndex;

/// How often ids without a row were met. The ids met last, at least as many distinct ones as the table has rows, are counted exactly;
/// those not met since are dropped, and begin again.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Counts {
    /// Ids of a generation: the table's capacity.
    room: usize,
    older: Generation,
    newer: Generation,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct Generation {
    index: KeyIndex,
    /// Sightings by the index's rows; 0: it has a row of the table, or moved to the newer generation.
    sightings: Vec<u8>,
}

impl Generation {
    fn sightings_mut(&mut self, key: u64) -> Option<&mut u8> {
        let row = self.index.find(key)?;
        self.sightings.get_mut(row as usize)
    }
}

impl Counts {
    pub(super) fn new(capacity: u32) -> Counts {
        Counts {
            room: capacity as usize,
            older: Generation::default(),
            newer: Generation::default(),
        }
    }

    /// Ids that are counted.
    pub(super) fn len(&self) -> usize {
        let sightings = self.older.sightings.iter().chain(&self.newer.sightings);
        sightings.filter(|sightings| **sightings > 0).count()
    }

    /// Counts one sighting of `key`, up to `most`, and returns how many there were.
    pub(super) fn add(&mut self, key: u64, most: u8) -> u8 {
        if let Some(sightings) = self.newer.sightings_mut(key) {
            *sightings = most.min(sightings.saturating_add(1));
            return *sightings;
        }
        let before = self.older.sightings_mut(key).map_or(0, std::mem::take);
        if self.newer.sightings.len() >= self.room {
            // The room of the one that is dropped serves again.
            std::mem::swap(&mut self.older, &mut self.newer);
            self.newer.index.clear();
            self.newer.sightings.clear();
        }
        let sightings = most.min(before.saturating_add(1));
        self.newer.index.push(key);
        self.newer.sightings.push(sightings);
        sightings
    }

    /// Forgets the sightings of `key`.
    pub(super) fn clear(&mut self, key: u64) {
        for generation in [&mut self.older, &mut self.newer] {
            if let Some(sightings) = generation.sightings_mut(key) {
                *sightings = 0;
            }
        }
    }

    /// Bytes of two full generations.
    pub(super) fn bytes(capacity: u32) -> u64 {
        let room = u64::from(capacity);
        2 * (room + KeyIndex::bytes(room, false))
    }

    /// Keys and sightings of both generations, the older one first.
    pub(super) fn generations(&self) -> [(&[u64], &[u8]); 2] {
        [&self.older, &self.newer]
            .map(|generation| (generation.index.keys(), generation.sightings.as_slice()))
    }

    pub(super) fn resume(&mut self, state: [(Vec<u64>, Vec<u8>); 2]) -> Result<(), String> {
        for (generation, (keys, sightings)) in [&mut self.older, &mut self.newer].into_iter().zip(state) {
            if keys.len() != sightings.len() || keys.len() > self.room {
                let room = self.room;
                return Err(format!("{} ids wait; there is room for {room}", keys.len()));
            }
            *generation = Generation {
                index: KeyIndex::of(keys)?,
                sightings,
            };
        }
        Ok(())
    }
}
