//! One embedding table with its `new` row: what an id that training has hardly met means.

use nn::Embedding;

/// Rows of one table. Until training has met a row's ids `admit_after` times, whoever reads the row gets the last one,
/// `new`, which such sightings and id drop-out train. On its admission a row starts as a copy of `new`.
#[derive(Debug, Clone, PartialEq)]
pub struct IdTable {
    /// `[len + 1, dim]`; the last row is `new`.
    pub embedding: Embedding,
    /// `[len + 1]`: how often training met each row, up to `admit_after`; `new` itself is always admitted.
    pub sightings: Vec<u8>,
    /// Sightings that admit a row, from 1.
    pub admit_after: u8,
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
        }
    }

    /// Number of the `new` row.
    pub fn new_row(&self) -> u32 {
        (self.embedding.rows - 1) as u32
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
}
