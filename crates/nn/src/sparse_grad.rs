//! The row-sparse gradient of an embedding table. In: gradients of single rows. Out: those rows, each once, in order of first touch.

use crate::kernels::prefetch::prefetch;
use crate::mix::add_scaled;

/// The gradient of an [`crate::Embedding`]: only the rows that were touched, each once. It keeps its room when cleared.
#[derive(Clone, Debug)]
pub struct SparseGrad {
    dim: usize,
    /// Distinct row numbers, in order of first touch.
    rows: Vec<u32>,
    /// `[rows.len(), dim]`.
    values: Vec<f32>,
    /// By row of the table: where its gradient is in `values`, or [`UNTOUCHED`].
    slots: Vec<u32>,
}

const UNTOUCHED: u32 = u32::MAX;

impl SparseGrad {
    /// The empty gradient of a table of `rows` x `dim`.
    pub fn new(rows: usize, dim: usize) -> Self {
        assert!(rows < UNTOUCHED as usize, "a table of {rows} rows");
        Self {
            dim,
            rows: Vec::new(),
            values: Vec::new(),
            slots: vec![UNTOUCHED; rows],
        }
    }

    /// Makes room for a table that has grown to `rows` rows.
    pub fn reserve_rows(&mut self, rows: usize) {
        assert!(rows < UNTOUCHED as usize, "a table of {rows} rows");
        if rows > self.slots.len() {
            self.slots.reserve_exact(rows - self.slots.len());
            self.slots.resize(rows, UNTOUCHED);
        }
    }

    /// Forgets all rows.
    pub fn clear(&mut self) {
        for row in &self.rows {
            self.slots[*row as usize] = UNTOUCHED;
        }
        self.rows.clear();
        self.values.clear();
    }

    /// The touched rows' numbers: distinct, in order of first touch.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Values of a row.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The gradient of the table's row `rows()[i]`, `[D]`.
    pub fn row(&self, i: usize) -> &[f32] {
        &self.values[i * self.dim..][..self.dim]
    }

    /// Adds `scale * d` to the gradient of the table's row `row`. Shapes: d `[D]`.
    #[inline(always)]
    pub fn add(&mut self, row: u32, scale: f32, d: &[f32]) {
        assert_eq!(d.len(), self.dim, "values of a row");
        let slot = &mut self.slots[row as usize];
        if *slot == UNTOUCHED {
            *slot = self.rows.len() as u32;
            self.rows.push(row);
            let start = self.values.len();
            self.values.resize(start + self.dim, 0.0);
            add_scaled(&mut self.values[start..], scale, d);
        } else {
            let start = *slot as usize * self.dim;
            add_scaled(&mut self.values[start..][..self.dim], scale, d);
        }
    }

    /// Asks for what [`SparseGrad::add`] reads of `row`.
    #[inline(always)]
    pub(crate) fn ask(&self, row: u32) {
        prefetch(&self.slots[row as usize..][..1]);
    }

    /// Adds every row of `other`, the gradient of the same table for another part of the batch.
    pub fn add_all(&mut self, other: &SparseGrad) {
        for (i, row) in other.rows.iter().enumerate() {
            self.add(*row, 1.0, other.row(i));
        }
    }

    /// Rows and values that it has room for.
    #[cfg(test)]
    pub(crate) fn room(&self) -> (usize, usize) {
        (self.rows.capacity(), self.values.capacity())
    }

    #[cfg(test)]
    pub(crate) fn erase(&mut self, row: u32) {
        if let Some(i) = self.rows.iter().position(|r| *r == row) {
            self.values[i * self.dim..][..self.dim].fill(0.0);
        }
    }
}
