//! Fields with a table: ids, pairs of ids, texts and numbers in buckets become row numbers.

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use arrow_array::{Array, Float32Array, StringArray};
use events::Examples;
use spec::{Kind, Rows, Table};
use xxhash_rust::xxh3::xxh3_64;

use super::text::Words;
use super::{Encoder, bounded, given_number};
use crate::EncodedIds;

/// Rows of a table's declared values.
pub(super) fn value_rows(table: &Table) -> HashMap<String, u32> {
    match &table.rows {
        Rows::Hashed(_) | Rows::Edges(_) => HashMap::new(),
        Rows::Values(values) => values
            .iter()
            .zip(0..)
            .map(|(value, row)| (value.clone(), row))
            .collect(),
    }
}

impl Encoder {
    /// The rows of an embedded field.
    pub(super) fn ids(&self, examples: &Examples, field: usize, table: usize) -> EncodedIds {
        let mut encoded = EncodedIds::with_capacity(examples.len());
        match &self.spec.fields[field].kind {
            Kind::Ids { .. } => self.several_ids(examples, field, table, &mut encoded),
            Kind::Text { ngrams, .. } => {
                let mut words = Words::default();
                for text in examples.id(field) {
                    words.read(text.unwrap_or_default(), usize::from(*ngrams));
                    let rows = words.ngrams().map(|ngram| self.row(table, Some(ngram)));
                    encoded.rows.extend(rows);
                    encoded.end_bag();
                }
            }
            Kind::Buckets { missing, .. } => {
                for row in 0..examples.len() {
                    let number = given_number(examples, field, *missing, row);
                    encoded.rows.push(self.bucket(table, number));
                    encoded.end_bag();
                }
            }
            _ => {
                self.each_id(examples, field, |row| {
                    encoded.rows.push(row);
                    encoded.end_bag();
                });
            }
        }
        encoded
    }

    fn several_ids(&self, examples: &Examples, field: usize, table: usize, encoded: &mut EncodedIds) {
        let (lists, weights) = (examples.ids(field), examples.id_weights(field));
        for row in 0..examples.len() {
            if !lists.is_null(row) {
                let ids = lists.value(row);
                let ids: &StringArray = ids.as_string();
                encoded.rows.extend(ids.iter().map(|id| self.row(table, id)));
                if let Some(weights) = weights {
                    let given = weights.value(row);
                    let given: &Float32Array = given.as_primitive::<Float32Type>();
                    // As many as ids, by the columns' contract.
                    let given = given.iter().map(|weight| bounded(weight.unwrap_or(1.0)));
                    encoded.weights.extend(given);
                    encoded.weights.resize(encoded.rows.len(), 1.0);
                }
            }
            encoded.end_bag();
        }
    }

    /// Calls `take` with the row of each example's id, in order, of a field of one id: its own, or of a pair's.
    fn each_id(&self, examples: &Examples, field: usize, mut take: impl FnMut(u32)) {
        let Kind::Id { table, cross, .. } = self.spec.fields[field].kind else {
            unreachable!("a field of one id")
        };
        let Some((a, b)) = cross else {
            return examples.id(field).iter().for_each(|id| take(self.row(table, id)));
        };
        let mut pair = Vec::new();
        for ids in examples.id(a).iter().zip(examples.id(b)) {
            take(match ids {
                (Some(a), Some(b)) => {
                    // With its length before it, the first id ends where it ends: no two pairs are the same bytes.
                    pair.clear();
                    pair.extend_from_slice(&(a.len() as u64).to_le_bytes());
                    pair.extend_from_slice(a.as_bytes());
                    pair.extend_from_slice(b.as_bytes());
                    self.hashed(table, &pair)
                }
                _ => self.row(table, None),
            });
        }
    }

    /// The row of an id; a missing or undeclared one is `new`.
    pub(super) fn row(&self, table: usize, id: Option<&str>) -> u32 {
        match (id, &self.spec.tables[table].rows) {
            (Some(id), Rows::Hashed(_)) => self.hashed(table, id.as_bytes()),
            (Some(id), Rows::Values(_)) => {
                let row = self.values[table].get(id);
                row.copied().unwrap_or_else(|| self.new_row(table))
            }
            _ => self.new_row(table),
        }
    }

    fn hashed(&self, table: usize, id: &[u8]) -> u32 {
        match &self.spec.tables[table].rows {
            Rows::Hashed(buckets) => (xxh3_64(id) % u64::from(*buckets)) as u32,
            _ => self.new_row(table),
        }
    }

    /// The row of a number: how many edges are not above it; a missing one is `new`.
    pub(super) fn bucket(&self, table: usize, number: Option<f32>) -> u32 {
        match (number, &self.spec.tables[table].rows) {
            (Some(number), Rows::Edges(edges)) => edges.partition_point(|edge| *edge <= number) as u32,
            _ => self.new_row(table),
        }
    }

    fn new_row(&self, table: usize) -> u32 {
        self.spec.tables[table].len() as u32
    }

    /// Cells of the shallow tower: the rows of the crossed bias fields.
    pub(super) fn cells(&self, examples: &Examples) -> Vec<u32> {
        let mut cells = vec![0; examples.len()];
        for &field in self.spec.bias.iter().flat_map(|bias| &bias.fields) {
            if let Kind::Id { table, .. } = self.spec.fields[field].kind {
                let rows = self.spec.tables[table].len() as u32 + 1;
                let mut of_examples = cells.iter_mut();
                self.each_id(examples, field, |row| {
                    if let Some(cell) = of_examples.next() {
                        *cell = *cell * rows + row;
                    }
                });
            }
        }
        cells
    }
}
