//! The map against a plain one that keeps lists, over random sequences.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use proptest::prelude::*;

use super::*;

/// What the map must do, in lists.
struct Plain {
    capacity: usize,
    admit_after: u8,
    /// Milliseconds of a tick, and ticks that an id is kept.
    forget: Option<(i64, i64)>,
    now: i64,
    /// Ids with a row, and the tick of their last meeting.
    rows: BTreeMap<u64, i64>,
    /// Rows given back in this step.
    freed: usize,
    waiting: [Vec<(u64, u8)>; 2],
    refused: u64,
}

impl Plain {
    fn new(capacity: u32, admit_after: u8, forget_after_ms: Option<i64>) -> Plain {
        let tick = |ms: i64| (ms / 64).max(1);
        Plain {
            capacity: capacity as usize,
            admit_after,
            forget: forget_after_ms.map(|ms| (tick(ms), (ms + tick(ms) - 1) / tick(ms))),
            now: i64::MIN,
            rows: BTreeMap::new(),
            freed: 0,
            waiting: Default::default(),
            refused: 0,
        }
    }

    /// Whether `key` has a row before this sighting of it.
    fn meet(&mut self, key: u64, time_ms: i64) -> bool {
        if let Some((tick, keep)) = self.forget {
            self.now = self.now.max(time_ms.div_euclid(tick));
            let before = self.rows.len();
            self.rows.retain(|_, met| self.now - *met <= keep);
            self.freed += before - self.rows.len();
        }
        if key == NO_ID {
            return false;
        }
        if let Some(met) = self.rows.get_mut(&key) {
            *met = self.now;
            return true;
        }
        if self.admit_after == 1 || self.sight(key) >= self.admit_after {
            if self.rows.len() + self.freed < self.capacity {
                self.rows.insert(key, self.now);
                for (_, sightings) in self
                    .waiting
                    .iter_mut()
                    .flatten()
                    .filter(|(other, _)| *other == key)
                {
                    *sightings = 0;
                }
            } else {
                self.refused += 1;
            }
        }
        false
    }

    fn sight(&mut self, key: u64) -> u8 {
        let find = |list: &[(u64, u8)]| list.iter().position(|(other, _)| *other == key);
        if let Some(at) = find(&self.waiting[1]) {
            let sightings = &mut self.waiting[1][at].1;
            *sightings = self.admit_after.min(*sightings + 1);
            return *sightings;
        }
        let before = find(&self.waiting[0]).map_or(0, |at| std::mem::take(&mut self.waiting[0][at].1));
        if self.waiting[1].len() >= self.capacity {
            self.waiting[0] = std::mem::take(&mut self.waiting[1]);
        }
        let sightings = self.admit_after.min(before + 1);
        self.waiting[1].push((key, sightings));
        sightings
    }
}

/// What a checkpoint keeps of it.
fn kept(map: &KeyMap) -> KeyMapState {
    KeyMapState {
        keys: map.keys().to_vec(),
        free: map.free_rows().collect(),
        waiting: map
            .waiting_ids()
            .map(|(keys, sightings)| (keys.to_vec(), sightings.to_vec())),
        met: map.met().collect(),
        now: map.now(),
        refused: map.refused(),
    }
}

/// Keys that share low and high bits, and the one that stands for no id.
fn key(id: u64) -> u64 {
    match id % 3 {
        0 => id << 40,
        1 => id,
        _ => id.wrapping_mul(0x9e37_79b9_7f4a_7c15),
    }
}

/// Steps of sightings: an id, and by how much its time lies after the latest before it.
fn steps() -> impl Strategy<Value = Vec<Vec<(u64, i64)>>> {
    let sighting = (0u64..24, prop_oneof![8 => -20i64..40, 1 => 0i64..3000]);
    proptest::collection::vec(proptest::collection::vec(sighting, 1..12), 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn rows_are_given_admitted_refused_and_forgotten_as_lists_say(
        capacity in 1u32..12,
        admit_after in 1u8..4,
        forget_after_ms in proptest::option::of(1i64..600),
        steps in steps(),
        resumed_at in 0usize..30,
    ) {
        let new = || KeyMap::new(capacity, admit_after, forget_after_ms);
        let (mut map, mut plain) = (new(), Plain::new(capacity, admit_after, forget_after_ms));
        let mut time = 0;
        for (at, step) in steps.iter().enumerate() {
            map.begin_step();
            plain.freed = 0;
            if at == resumed_at {
                let resumed = new().resume(kept(&map));
                map = resumed.map_err(TestCaseError::fail)?;
            }
            let read_before: BTreeSet<u32> = (0..24).map(|id| map.find(key(id))).collect();
            for (id, later) in step {
                let key = key(*id);
                let read = map.meet(key, time + later);
                let has_row = plain.meet(key, time + later);
                prop_assert_eq!(read != NEW_ROW, has_row);
                prop_assert!(!has_row || read == map.find(key));
                time = time.max(time + later);
            }
            for row in map.assigned() {
                prop_assert!(!read_before.contains(row), "a row that the step could read went to another id");
            }
            let rows: HashMap<u32, u64> = (0..24)
                .map(|id| (map.find(key(id)), key(id)))
                .filter(|(row, _)| *row != NEW_ROW)
                .collect();
            let keys: BTreeSet<u64> = rows.values().copied().collect();
            prop_assert_eq!(keys, plain.rows.keys().copied().collect::<BTreeSet<u64>>());
            prop_assert_eq!(map.rows_in_use(), plain.rows.len());
            prop_assert_eq!(map.refused(), plain.refused);
            let waiting = plain.waiting.iter().flatten().filter(|(_, sightings)| *sightings > 0);
            prop_assert_eq!(map.waiting(), waiting.count());
            prop_assert!(map.rows() <= capacity as usize + 1, "more rows than declared");
        }
    }

    #[test]
    fn the_index_finds_what_a_hash_map_finds(
        events in proptest::collection::vec((1u64..60, any::<bool>()), 1..300),
    ) {
        let (mut index, mut plain) = (KeyIndex::with_new(), HashMap::new());
        let mut free = Vec::new();
        for (id, takes) in events {
            let key = key(id);
            match (takes, plain.get(&key)) {
                (true, Some(row)) => {
                    index.free(*row);
                    free.push(*row);
                    plain.remove(&key);
                }
                (false, None) if key != NO_ID => {
                    let row = match free.pop() {
                        Some(row) => {
                            index.reuse(row, key);
                            row
                        }
                        None => index.push(key),
                    };
                    plain.insert(key, row);
                }
                _ => {}
            }
            for id in 1..60 {
                let key = self::key(id);
                prop_assert_eq!(index.find(key), plain.get(&key).copied());
            }
        }
    }
}

#[test]
fn an_id_is_kept_for_as_long_as_declared_and_forgotten_a_64th_later() {
    let day = 24 * 60 * 60 * 1000;
    let start = 1_700_000_000_000;
    for (age, kept) in [(day, true), (day + day / 32, false)] {
        let mut map = KeyMap::new(9, 1, Some(day));
        for (key, time) in [(5, start), (6, start + age)] {
            map.begin_step();
            map.meet(key, time);
        }
        assert_eq!(map.find(5) != NEW_ROW, kept, "{age}");
    }
}

#[test]
fn a_full_table_gives_a_new_id_the_row_of_a_forgotten_one_and_counts_refusals() {
    let mut map = KeyMap::new(1, 1, Some(1000));
    let mut at = |key, time| {
        map.begin_step();
        map.meet(key, time);
        (map.find(5), map.find(6), map.refused(), map.assigned().to_vec())
    };
    assert_eq!(at(5, 0), (1, 0, 0, vec![1]));
    assert_eq!(at(6, 500), (1, 0, 1, vec![]), "no row is free");
    assert_eq!(
        at(6, 3000),
        (0, 0, 2, vec![]),
        "freed in this step, which may have read it"
    );
    assert_eq!(at(6, 3000), (0, 1, 2, vec![1]));
}

#[test]
fn the_announced_bytes_are_what_a_full_map_takes() {
    let capacity = 10_000;
    let announced = KeyMap::bytes(capacity, 1, true);
    let taken = 10_001 * 8 + 10_001 * 16 + 2 * 16_384 * 5;
    assert_eq!(announced, taken);
    assert_eq!(
        KeyMap::bytes(capacity, 2, true) - announced,
        2 * (10_000 * 9 + 16_384 * 5)
    );
}

#[test]
fn a_state_that_does_not_fit_is_refused_with_what_is_wrong() {
    let state = |keys: &[u64], free: &[u32]| KeyMapState {
        keys: keys.to_vec(),
        free: free.to_vec(),
        ..KeyMapState::default()
    };
    for (state, expected) in [
        (
            state(&[0, 5, 6, 7], &[]),
            "4 rows; the declaration allows 2 and `new`",
        ),
        (state(&[0, 5, 5], &[]), "the key 0000000000000005 is there twice"),
        (state(&[0, 5], &[2]), "a row beyond 2"),
    ] {
        assert_eq!(KeyMap::new(2, 1, None).resume(state).unwrap_err(), expected);
    }
}
