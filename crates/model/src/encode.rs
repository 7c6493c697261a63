//! The only encoder: examples of a log, of a file or of a request become the same numbers.
//!
//! In: [`events::Examples`]. Out: [`Encoded`]: dense columns scaled, ids as row numbers, bias fields as cells of the shallow
//! tower, labels per objective. It holds frozen scalers and no training state.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use arrow_array::{Array, FixedSizeListArray, StringArray};
use events::Examples;
use spec::{Kind, Rows, Spec, Table};
use xxhash_rust::xxh3::xxh3_64;

use crate::{DenseSource, Plan, Scaler, ScalerFit, Scalers};

/// Dense columns are kept within this on either side, so that no value of a log or a request makes a prediction infinite.
const LARGEST: f32 = 1e12;

/// Row numbers of one id field over a batch.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EncodedIds {
    /// `[batch + 1]`: where each example's rows begin.
    pub offsets: Vec<u32>,
    /// Row numbers, before unseen rows are read as `new`.
    pub rows: Vec<u32>,
}

/// A batch of encoded examples.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Encoded {
    /// Number of examples.
    pub len: usize,
    /// `[batch, dense width]`, within 1e12 on either side (squares within 1e24).
    pub dense: Vec<f32>,
    /// Per embedded field of the plan.
    pub ids: Vec<EncodedIds>,
    /// `[batch]`: cell of the crossed bias fields.
    pub cells: Vec<u32>,
    /// `[batch]`: position from 1, clipped at the spec's maximum; 0 = missing.
    pub positions: Vec<u32>,
    /// Per objective `[batch]`; NaN = not observed.
    pub labels: Vec<Vec<f32>>,
    /// `[batch]`: the examples' drop-out keys.
    pub keys: Vec<u64>,
    /// `[batch]`: hash of the person, for metrics within a person.
    pub users: Vec<u64>,
}

impl Encoded {
    /// The given rows, in that order.
    pub fn select(&self, rows: &[u32]) -> Encoded {
        let pick = |values: &[u32]| rows.iter().map(|&row| values[row as usize]).collect();
        let width = self.dense.len().checked_div(self.len).unwrap_or(0);
        let mut dense = Vec::with_capacity(rows.len() * width);
        for &row in rows {
            dense.extend_from_slice(&self.dense[row as usize * width..(row as usize + 1) * width]);
        }
        let labels = |values: &Vec<f32>| rows.iter().map(|&row| values[row as usize]).collect();
        Encoded {
            len: rows.len(),
            dense,
            ids: self.ids.iter().map(|ids| ids.select(rows)).collect(),
            cells: pick(&self.cells),
            positions: pick(&self.positions),
            labels: self.labels.iter().map(labels).collect(),
            keys: rows.iter().map(|&row| self.keys[row as usize]).collect(),
            users: rows.iter().map(|&row| self.users[row as usize]).collect(),
        }
    }

    /// Appends the rows of `more`, which must come from the same encoder.
    pub fn append(&mut self, more: &Encoded) {
        if self.len == 0 {
            *self = more.clone();
            return;
        }
        self.len += more.len;
        self.dense.extend_from_slice(&more.dense);
        for (ids, more) in self.ids.iter_mut().zip(&more.ids) {
            let base = ids.rows.len() as u32;
            ids.offsets
                .extend(more.offsets[1..].iter().map(|offset| base + offset));
            ids.rows.extend_from_slice(&more.rows);
        }
        self.cells.extend_from_slice(&more.cells);
        self.positions.extend_from_slice(&more.positions);
        for (labels, more) in self.labels.iter_mut().zip(&more.labels) {
            labels.extend_from_slice(more);
        }
        self.keys.extend_from_slice(&more.keys);
        self.users.extend_from_slice(&more.users);
    }
}

impl EncodedIds {
    fn select(&self, rows: &[u32]) -> EncodedIds {
        let mut selected = EncodedIds {
            offsets: Vec::with_capacity(rows.len() + 1),
            rows: Vec::new(),
        };
        selected.offsets.push(0);
        for &row in rows {
            let bag = self.offsets[row as usize] as usize..self.offsets[row as usize + 1] as usize;
            selected.rows.extend_from_slice(&self.rows[bag]);
            selected.offsets.push(selected.rows.len() as u32);
        }
        selected
    }
}

/// The encoder of one spec with its fitted scalers.
#[derive(Debug, Clone)]
pub struct Encoder {
    spec: Arc<Spec>,
    plan: Plan,
    scalers: Scalers,
    /// Per table: rows of declared values; empty for hashed tables.
    values: Vec<HashMap<String, u32>>,
}

impl Encoder {
    /// An encoder with the given scalers (one per field; `None` where the field is no number).
    pub fn new(spec: Arc<Spec>, scalers: Scalers) -> Encoder {
        let plan = Plan::of(&spec);
        let values = spec.tables.iter().map(value_rows).collect();
        Encoder {
            spec,
            plan,
            scalers,
            values,
        }
    }

    /// Adds the raw numbers of `examples` to `fit`.
    pub fn fit(spec: &Spec, examples: &Examples, fit: &mut ScalerFit) {
        for (source, _, _) in &Plan::of(spec).dense {
            if let DenseSource::Number { field, .. } | DenseSource::Dot { field, .. } = source {
                for row in 0..examples.len() {
                    if let Some(value) = raw_number(examples, source, row) {
                        fit.add(*field, value);
                    }
                }
            }
        }
    }

    /// The layout of its output.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Its declaration.
    pub fn spec(&self) -> &Arc<Spec> {
        &self.spec
    }

    /// Its scalers.
    pub fn scalers(&self) -> &Scalers {
        &self.scalers
    }

    /// Encodes a batch.
    pub fn encode(&self, examples: &Examples) -> Encoded {
        let len = examples.len();
        let max_position = self.spec.bias.as_ref().map_or(u32::MAX, |bias| bias.max_position);
        let positions = examples.positions();
        Encoded {
            len,
            dense: self.dense(examples),
            ids: self
                .plan
                .ids
                .iter()
                .map(|input| self.ids(examples, input.field, input.table))
                .collect(),
            cells: self.cells(examples),
            positions: (0..len)
                .map(|row| {
                    if positions.is_null(row) {
                        0
                    } else {
                        positions.value(row).min(max_position)
                    }
                })
                .collect(),
            labels: (0..self.spec.objectives.len())
                .map(|objective| labels(examples, objective))
                .collect(),
            keys: examples.keys().to_vec(),
            users: (0..len)
                .map(|row| xxh3_64(examples.users().value(row).as_bytes()))
                .collect(),
        }
    }

    fn dense(&self, examples: &Examples) -> Vec<f32> {
        let width = self.plan.dense_width;
        let mut dense = vec![0.0; examples.len() * width];
        for (source, from, count) in &self.plan.dense {
            for (row, columns) in dense.chunks_exact_mut(width.max(1)).enumerate() {
                self.dense_field(examples, source, row, &mut columns[*from..from + count]);
            }
        }
        dense
    }

    fn dense_field(&self, examples: &Examples, source: &DenseSource, row: usize, out: &mut [f32]) {
        match source {
            DenseSource::Number { field, powers, .. } | DenseSource::Dot { field, powers, .. } => {
                let scaler = self.scalers[*field].as_ref().unwrap_or(&Scaler::None);
                match raw_number(examples, source, row) {
                    Some(value) => {
                        let x = bounded(scaler.apply(value));
                        out[0] = x;
                        if *powers {
                            out[1] = x * x;
                            out[2] = x.max(0.0).sqrt();
                        }
                    }
                    None => out[out.len() - 1] = 1.0,
                }
            }
            DenseSource::Vector { field } => {
                if let Some(values) = elements(examples.vector(*field), row) {
                    for (out, &value) in out.iter_mut().zip(values) {
                        *out = bounded(value);
                    }
                }
            }
            DenseSource::Product { of: (a, b), .. } => {
                if let (Some(a), Some(b)) = (
                    elements(examples.vector(*a), row),
                    elements(examples.vector(*b), row),
                ) {
                    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                        *out = bounded(a * b);
                    }
                }
            }
        }
    }

    fn ids(&self, examples: &Examples, field: usize, table: usize) -> EncodedIds {
        let mut encoded = EncodedIds {
            offsets: Vec::with_capacity(examples.len() + 1),
            rows: Vec::new(),
        };
        encoded.offsets.push(0);
        match self.spec.fields[field].kind {
            Kind::Ids { .. } => {
                let lists = examples.ids(field);
                for row in 0..examples.len() {
                    if !lists.is_null(row) {
                        let ids = lists.value(row);
                        let ids: &StringArray = ids.as_string();
                        encoded.rows.extend(ids.iter().map(|id| self.row(table, id)));
                    }
                    encoded.offsets.push(encoded.rows.len() as u32);
                }
            }
            _ => {
                let ids = examples.id(field);
                for id in ids {
                    encoded.rows.push(self.row(table, id));
                    encoded.offsets.push(encoded.rows.len() as u32);
                }
            }
        }
        encoded
    }

    /// The row of an id; a missing or undeclared one is `new`.
    fn row(&self, table: usize, id: Option<&str>) -> u32 {
        let declared = &self.spec.tables[table];
        let new = declared.len() as u32;
        match (id, &declared.rows) {
            (None, _) => new,
            (Some(id), Rows::Hashed(buckets)) => (xxh3_64(id.as_bytes()) % u64::from(*buckets)) as u32,
            (Some(id), Rows::Values(_)) => self.values[table].get(id).copied().unwrap_or(new),
        }
    }

    fn cells(&self, examples: &Examples) -> Vec<u32> {
        let mut cells = vec![0; examples.len()];
        for &field in self.spec.bias.iter().flat_map(|bias| &bias.fields) {
            if let Kind::Id { table, .. } = self.spec.fields[field].kind {
                let rows = self.spec.tables[table].len() as u32 + 1;
                for (cell, id) in cells.iter_mut().zip(examples.id(field)) {
                    *cell = *cell * rows + self.row(table, id);
                }
            }
        }
        cells
    }
}

/// Rows of a table's declared values.
fn value_rows(table: &Table) -> HashMap<String, u32> {
    match &table.rows {
        Rows::Hashed(_) => HashMap::new(),
        Rows::Values(values) => values
            .iter()
            .zip(0..)
            .map(|(value, row)| (value.clone(), row))
            .collect(),
    }
}

/// Labels of one objective; NaN where not observed.
fn labels(examples: &Examples, objective: usize) -> Vec<f32> {
    examples
        .label(objective)
        .iter()
        .map(|label| label.unwrap_or(f32::NAN))
        .collect()
}

/// The unscaled number of a `Number` or `Dot` source; `None` where it is missing.
fn raw_number(examples: &Examples, source: &DenseSource, row: usize) -> Option<f32> {
    match source {
        DenseSource::Number { field, missing, .. } => {
            let numbers = examples.number(*field);
            let value = (!numbers.is_null(row)).then(|| numbers.value(row))?;
            (Some(value) != *missing).then_some(value)
        }
        DenseSource::Dot { of: (a, b), .. } => {
            let (a, b) = (
                elements(examples.vector(*a), row)?,
                elements(examples.vector(*b), row)?,
            );
            let dot: f64 = a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
            Some(dot.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32)
        }
        DenseSource::Vector { .. } | DenseSource::Product { .. } => None,
    }
}

fn bounded(value: f32) -> f32 {
    value.clamp(-LARGEST, LARGEST)
}

/// The elements of a vector field in one row; `None` where it is missing.
fn elements(vectors: &FixedSizeListArray, row: usize) -> Option<&[f32]> {
    if vectors.is_null(row) {
        return None;
    }
    let width = vectors.value_length() as usize;
    let from = vectors.value_offset_at(row);
    vectors
        .values()
        .as_primitive::<Float32Type>()
        .values()
        .get(from..from + width)
}

#[cfg(test)]
mod tests;
