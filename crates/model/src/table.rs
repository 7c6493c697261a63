//! One embedding table with its `new` row: what an id that training has hardly met means.

use nn::{Bags, Embedding, MatMut, Pool};

use crate::key_map::NEW_ROW;
use crate::{EncodedIds, KeyMap, PublishedRows};

/// Rows that a growing table gains at least, so that it rarely grows.
const FEWEST_NEW_ROWS: usize = 1024;

/// Rows of one table. Until training has met a row's ids `admit_after` times, whoever reads the row gets `new`, which such
/// sightings and id drop-out train. On its admission a row starts as a copy of `new`.
#[derive(Debug, Clone, PartialEq)]
pub struct IdTable {
    /// `[rows, dim]`, `new` among them: the last row, the first where rows are given to ids. It grows as they are.
    pub embedding: Embedding,
    /// `[rows]`: how often training met each row, up to `admit_after`; `new` itself is always admitted. Empty where rows are given
    /// to ids.
    pub sightings: Vec<u8>,
    /// Sightings that admit a row, from 1.
    pub admit_after: u8,
    /// Where rows are given to ids: which row each has.
    pub by_key: Option<ByKey>,
}

/// Which row an id has, of a table that gives its rows to ids.
#[derive(Debug, Clone, PartialEq)]
pub enum ByKey {
    /// As training goes on.
    Learning(Box<KeyMap>),
    /// As an artifact holds it, with the rows themselves: `embedding` is empty. Nothing is learned.
    Published(PublishedRows),
}

impl IdTable {
    /// No row admitted but `new`.
    pub fn new(embedding: Embedding, admit_after: u8) -> IdTable {
        let mut sightings = vec![0; embedding.rows];
        if let Some(new) = sightings.last_mut() {
            *new = admit_after;
        }
        IdTable {
            embedding,
            sightings,
            admit_after,
            by_key: None,
        }
    }

    /// A table that gives rows to ids; `new` is its only row, `[1, dim]`.
    pub fn keyed(new: Embedding, admit_after: u8, map: KeyMap) -> IdTable {
        IdTable {
            embedding: new,
            sightings: Vec::new(),
            admit_after,
            by_key: Some(ByKey::Learning(Box::new(map))),
        }
    }

    /// A table that gives rows to ids, as an artifact holds it.
    pub fn published(rows: PublishedRows, admit_after: u8) -> IdTable {
        let embedding = Embedding {
            weight: Vec::new(),
            rows: 0,
            dim: rows.dim(),
        };
        IdTable {
            embedding,
            sightings: Vec::new(),
            admit_after,
            by_key: Some(ByKey::Published(rows)),
        }
    }

    /// The map of rows that are given to ids while training goes on.
    pub fn map(&self) -> Option<&KeyMap> {
        match &self.by_key {
            Some(ByKey::Learning(map)) => Some(map),
            _ => None,
        }
    }

    fn map_mut(&mut self) -> Option<&mut KeyMap> {
        match &mut self.by_key {
            Some(ByKey::Learning(map)) => Some(map),
            _ => None,
        }
    }

    /// Number of the `new` row.
    pub fn new_row(&self) -> u32 {
        match &self.by_key {
            None => (self.embedding.rows - 1) as u32,
            Some(ByKey::Learning(_)) => NEW_ROW,
            Some(ByKey::Published(rows)) => rows.new_row(),
        }
    }

    /// Rows that ids read, `new` apart: those admitted.
    pub fn rows_in_use(&self) -> usize {
        match &self.by_key {
            None => {
                let admitted = self.sightings.iter().filter(|met| **met >= self.admit_after);
                admitted.count().saturating_sub(1)
            }
            Some(ByKey::Learning(map)) => map.rows_in_use(),
            Some(ByKey::Published(rows)) => rows.len(),
        }
    }

    /// Rows that the step under way gave to an id, where the optimizer begins anew.
    pub fn assigned(&self) -> &[u32] {
        self.map().map_or(&[], KeyMap::assigned)
    }

    /// The row that is read for element `at` of `ids`.
    pub fn read_id(&self, ids: &EncodedIds, at: usize) -> u32 {
        match &self.by_key {
            None => self.read(ids.rows[at]),
            Some(ByKey::Learning(map)) => map.find(ids.keys[at]),
            Some(ByKey::Published(rows)) => rows.find(ids.keys[at]),
        }
    }

    /// Counts one sighting by training of element `at` of `ids`, of an example of `time_ms` since 1970, and returns the row to
    /// read: the sighting that admits still reads `new`. Between [`IdTable::begin_step`] and [`IdTable::start_rows`].
    pub fn meet_id(&mut self, ids: &EncodedIds, at: usize, time_ms: i64) -> u32 {
        match &mut self.by_key {
            None => self.meet(ids.rows[at]),
            Some(ByKey::Learning(map)) => map.meet(ids.keys[at], time_ms),
            Some(ByKey::Published(rows)) => rows.find(ids.keys[at]),
        }
    }

    /// Asks for what is needed to read element `at` of `ids`, where it is rows that are counted.
    pub fn ask(&self, ids: &EncodedIds, at: usize) {
        if let (None, Some(&row)) = (&self.by_key, ids.rows.get(at)) {
            nn::prefetch(&self.sightings[row as usize..][..1]);
        }
    }

    /// A step begins: before its ids are met.
    pub fn begin_step(&mut self) {
        if let Some(map) = self.map_mut() {
            map.begin_step();
        }
    }

    /// A step's ids have been met: makes room for the rows that it gave to ids, each a copy of `new`.
    pub fn start_rows(&mut self) {
        let Some(ByKey::Learning(map)) = &self.by_key else {
            return;
        };
        let table = &mut self.embedding;
        if map.rows() > table.rows {
            let step = (table.rows / 8).max(FEWEST_NEW_ROWS);
            let rows = map.rows().max(table.rows + step).min(map.most_rows());
            table.weight.reserve_exact(rows * table.dim - table.weight.len());
            table.weight.resize(rows * table.dim, 0.0);
            table.rows = rows;
        }
        let (dim, new) = (table.dim, NEW_ROW as usize);
        for &row in map.assigned() {
            let new = new * dim..(new + 1) * dim;
            table.weight.copy_within(new, row as usize * dim);
        }
    }

    /// The pooled rows of each bag. Shapes: B bags, output `[B, dim]`.
    pub fn forward(&self, bags: Bags, pool: Pool, output: MatMut) {
        match &self.by_key {
            Some(ByKey::Published(rows)) => rows.forward(bags, pool, output),
            _ => self.embedding.forward(bags, pool, output),
        }
    }

    /// The row that is read for `row`: itself once admitted.
    pub fn read(&self, row: u32) -> u32 {
        if self.sightings[row as usize] >= self.admit_after {
            row
        } else {
            self.new_row()
        }
    }

    /// Counts one sighting by training and returns the row to read: the sighting that admits still reads `new`.
    pub fn meet(&mut self, row: u32) -> u32 {
        let read = self.read(row);
        let sightings = &mut self.sightings[row as usize];
        if *sightings < self.admit_after {
            *sightings += 1;
            if *sightings == self.admit_after {
                let (dim, new) = (self.embedding.dim, self.new_row() as usize);
                self.embedding
                    .weight
                    .copy_within(new * dim..(new + 1) * dim, row as usize * dim);
            }
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(admit_after: u8) -> IdTable {
        IdTable::new(
            Embedding {
                weight: vec![0., 0., 1., 1., 5., 6.],
                rows: 3,
                dim: 2,
            },
            admit_after,
        )
    }

    #[test]
    fn a_row_reads_as_new_until_it_is_met_and_starts_as_its_copy() {
        let mut table = table(1);
        assert_eq!([table.read(0), table.read(1), table.read(2)], [2, 2, 2]);
        assert_eq!(table.meet(0), 2, "the first sighting trains `new`");
        assert_eq!(table.embedding.weight, [5., 6., 1., 1., 5., 6.]);
        assert_eq!([table.meet(0), table.read(0), table.read(1)], [0, 0, 2]);
    }

    #[test]
    fn a_row_is_admitted_after_as_many_sightings_as_declared() {
        let mut table = table(3);
        assert_eq!([table.meet(0), table.meet(0), table.read(0)], [2, 2, 2]);
        table.embedding.weight[4] = 7.0;
        assert_eq!([table.meet(0), table.meet(0)], [2, 0]);
        assert_eq!(
            table.embedding.weight[..2],
            [7.0, 6.0],
            "it starts as `new` was when it was admitted"
        );
    }

    fn keyed(capacity: u32) -> IdTable {
        let new = Embedding {
            weight: vec![5., 6.],
            rows: 1,
            dim: 2,
        };
        IdTable::keyed(new, 1, KeyMap::new(capacity, 1, None))
    }

    fn ids(keys: impl Iterator<Item = u64>) -> EncodedIds {
        EncodedIds {
            keys: keys.collect(),
            ..EncodedIds::default()
        }
    }

    #[test]
    fn a_row_given_to_an_id_starts_as_new_and_is_read_from_the_next_sighting_on() {
        let (mut table, ids) = (keyed(9), ids([7, 8, 7].into_iter()));
        table.begin_step();
        let read: Vec<u32> = (0..3).map(|at| table.meet_id(&ids, at, 0)).collect();
        table.start_rows();
        assert_eq!((read, table.assigned()), (vec![0, 0, 1], &[1, 2][..]));
        assert_eq!(table.embedding.weight[..6], [5., 6., 5., 6., 5., 6.]);
        assert_eq!(table.embedding.rows, 10, "no more than declared");
        assert_eq!((table.read_id(&ids, 1), table.rows_in_use()), (2, 2));
    }

    #[test]
    fn a_table_of_a_hundred_million_takes_memory_for_the_rows_in_use() {
        let (mut table, ids) = (keyed(100_000_000), ids(1..=5000));
        for at in 0..5000 {
            table.begin_step();
            table.meet_id(&ids, at, 0);
            table.start_rows();
        }
        assert_eq!(table.rows_in_use(), 5000);
        let room = table.embedding.weight.capacity() / table.embedding.dim;
        assert!((5001..=5001 + FEWEST_NEW_ROWS).contains(&room), "{room}");
    }
}
