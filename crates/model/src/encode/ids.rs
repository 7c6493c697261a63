//! Fields with a table: ids, pairs of ids, texts and numbers in buckets become row numbers, or keys where the table gives
//! rows to ids.

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use arrow_array::{Array, Float32Array, StringArray};
use events::Examples;
use spec::{Kind, Rows, Table};
use xxhash_rust::xxh3::xxh3_64;

use super::text::Words;
use super::{Encoder, bounded, given_numbers};
use crate::EncodedIds;
use crate::key_map::NO_ID;

/// An id of an example.
#[derive(Clone, Copy)]
pub(super) enum Id<'a> {
    Missing,
    Text(&'a str),
    /// Two ids, as bytes that no other pair has.
    Pair(&'a [u8]),
}

impl<'a> Id<'a> {
    pub(super) fn of(text: Option<&'a str>) -> Id<'a> {
        text.map_or(Id::Missing, Id::Text)
    }

    /// Its hash; `None` where it is missing.
    fn hash(self) -> Option<u64> {
        match self {
            Id::Missing => None,
            Id::Text(id) => Some(xxh3_64(id.as_bytes())),
            Id::Pair(ids) => Some(xxh3_64(ids)),
        }
    }
}

/// Rows of a table's declared values.
pub(super) fn value_rows(table: &Table) -> HashMap<String, u32> {
    match &table.rows {
        Rows::Hashed(_) | Rows::Keyed { .. } | Rows::Edges(_) => HashMap::new(),
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
                    let rows = words.ngrams().map(|ngram| self.row(table, Id::Text(ngram)));
                    encoded.rows.extend(rows);
                    encoded.end_bag();
                }
            }
            Kind::Buckets { missing, .. } => {
                let numbers = given_numbers(examples, field, *missing);
                encoded
                    .rows
                    .extend(numbers.map(|number| self.bucket(table, number)));
                encoded.end_bags_of_one();
            }
            _ => {
                self.one_id(examples, field, table, &mut encoded);
                encoded.end_bags_of_one();
            }
        }
        encoded
    }

    /// Appends each example's one id; what its table is decides, once for all of them, what is appended.
    fn one_id(&self, examples: &Examples, field: usize, table: usize, encoded: &mut EncodedIds) {
        let EncodedIds { rows, keys, .. } = encoded;
        match self.spec.tables[table].rows {
            Rows::Keyed { .. } => {
                keys.reserve(examples.len());
                self.each_id(examples, field, |id| keys.push(id.hash().unwrap_or(NO_ID)));
            }
            Rows::Hashed(buckets) => {
                let (buckets, new) = (u64::from(buckets), self.new_row(table));
                let row = |id: Id| id.hash().map_or(new, |hash| (hash % buckets) as u32);
                rows.reserve(examples.len());
                self.each_id(examples, field, |id| rows.push(row(id)));
            }
            Rows::Values(_) | Rows::Edges(_) => {
                self.each_id(examples, field, |id| rows.push(self.row(table, id)));
            }
        }
    }

    /// Appends an id: its key where the table gives rows to ids, else its row.
    fn push(&self, table: usize, id: Id, encoded: &mut EncodedIds) {
        if self.spec.tables[table].is_keyed() {
            encoded.keys.push(id.hash().unwrap_or(NO_ID));
        } else {
            encoded.rows.push(self.row(table, id));
        }
    }

    fn several_ids(&self, examples: &Examples, field: usize, table: usize, encoded: &mut EncodedIds) {
        let (lists, weights) = (examples.ids(field), examples.id_weights(field));
        for row in 0..examples.len() {
            if !lists.is_null(row) {
                let ids = lists.value(row);
                let ids: &StringArray = ids.as_string();
                for id in ids {
                    self.push(table, Id::of(id), encoded);
                }
                if let Some(weights) = weights {
                    let given = weights.value(row);
                    let given: &Float32Array = given.as_primitive::<Float32Type>();
                    // As many as ids, by the columns' contract.
                    let given = given.iter().map(|weight| bounded(weight.unwrap_or(1.0)));
                    encoded.weights.extend(given);
                    encoded.weights.resize(encoded.len(), 1.0);
                }
            }
            encoded.end_bag();
        }
    }

    /// Calls `take` with each example's id, in order, of a field of one id: its own, or a pair's.
    fn each_id(&self, examples: &Examples, field: usize, mut take: impl FnMut(Id)) {
        let Kind::Id { cross, .. } = self.spec.fields[field].kind else {
            unreachable!("a field of one id")
        };
        let Some((a, b)) = cross else {
            return examples.id(field).iter().for_each(|id| take(Id::of(id)));
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
                    Id::Pair(&pair)
                }
                _ => Id::Missing,
            });
        }
    }

    /// The row of an id; a missing or undeclared one is `new`.
    pub(super) fn row(&self, table: usize, id: Id) -> u32 {
        let row = match (&self.spec.tables[table].rows, id) {
            (Rows::Hashed(buckets), id) => id.hash().map(|hash| (hash % u64::from(*buckets)) as u32),
            (Rows::Values(_), Id::Text(id)) => self.values[table].get(id).copied(),
            _ => None,
        };
        row.unwrap_or_else(|| self.new_row(table))
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
                self.each_id(examples, field, |id| {
                    if let Some(cell) = of_examples.next() {
                        *cell = *cell * rows + self.row(table, id);
                    }
                });
            }
        }
        cells
    }
}
