//! Which rows of the tables a step reads. In: the pieces' encoded ids. Out: row numbers after admission and id drop-out.
//!
//! Sightings change which rows are admitted, so a table's ids are met in the order of the batch; tables are apart from each
//! other and are shared out among threads.

use nn::{Threads, draw};

use super::StepKeys;
use crate::{Encoded, IdTable, Plan};

/// The first id field's layer number; the others follow.
const ID_LAYER: u32 = 16;

/// The rows that one step reads, by table.
#[derive(Debug)]
pub(crate) struct StepRows {
    tables: Vec<TableRows>,
    /// Per embedded field of the plan: its table, and which of the table's fields it is.
    places: Vec<(usize, usize)>,
}

#[derive(Debug, Default)]
pub(crate) struct TableRows {
    /// Embedded fields of the plan that read the table.
    pub(crate) fields: Vec<usize>,
    /// Per such field, per piece of the batch: one row for each of the piece's encoded ids.
    pub(crate) rows: Vec<Vec<Vec<u32>>>,
}

impl StepRows {
    pub(crate) fn new(plan: &Plan, tables: usize, pieces: usize) -> StepRows {
        let mut rows = StepRows {
            tables: (0..tables).map(|_| TableRows::default()).collect(),
            places: Vec::new(),
        };
        for (field, input) in plan.ids.iter().enumerate() {
            let table = &mut rows.tables[input.table];
            rows.places.push((input.table, table.fields.len()));
            table.fields.push(field);
            table.rows.push(vec![Vec::new(); pieces]);
        }
        rows
    }

    /// What `field` reads for the examples of `piece`.
    pub(crate) fn of(&self, field: usize, piece: usize) -> &[u32] {
        let (table, at) = self.places[field];
        &self.tables[table].rows[at][piece]
    }

    /// The fields and rows of a table.
    pub(crate) fn table(&self, table: usize) -> &TableRows {
        &self.tables[table]
    }

    /// Draws the rows: `new` by id drop-out and until a row is admitted. `batches` gives the pieces' examples, in order.
    pub(crate) fn draw<'a, I: Iterator<Item = &'a Encoded>>(
        &mut self,
        plan: &Plan,
        tables: &mut [IdTable],
        batches: impl Fn() -> I + Sync,
        keys: StepKeys,
        threads: &Threads,
    ) {
        threads.each_pair(tables, &mut self.tables, |_, table, rows| {
            table.begin_step();
            for (&field, of_pieces) in rows.fields.iter().zip(&mut rows.rows) {
                for (batch, rows) in batches().zip(of_pieces) {
                    draw_field(table, plan.ids[field].dropout, field, batch, keys, rows);
                }
            }
            table.start_rows();
        });
    }
}

pub(super) fn draw_field(
    table: &mut IdTable,
    dropout: f32,
    field: usize,
    batch: &Encoded,
    keys: StepKeys,
    rows: &mut Vec<u32>,
) {
    let (new, encoded, seed) = (table.new_row(), &batch.ids[field], keys.seed());
    rows.clear();
    for example in 0..batch.len {
        let bag = encoded.offsets[example] as usize..encoded.offsets[example + 1] as usize;
        for (element, at) in (0u32..).zip(bag) {
            table.ask(encoded, at + nn::AHEAD);
            let read = if keys.first_pass {
                table.meet_id(encoded, at, batch.times[example])
            } else {
                table.read_id(encoded, at)
            };
            let dropped =
                dropout > 0.0 && draw(seed, batch.keys[example], ID_LAYER + field as u32, element) < dropout;
            rows.push(if dropped { new } else { read });
        }
    }
}
