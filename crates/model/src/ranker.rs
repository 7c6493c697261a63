//! A ranker that predicts: an encoder and weights.

use std::ops::Range;
use std::sync::Arc;

use events::Examples;
use nn::{Bags, Mat, MatMut};
use spec::Spec;

use crate::{Encoded, Encoder, NetworkActivations, Positions, Predictions, Weights};

/// Examples that go through the network at a time: bounds the buffers of a prediction.
const CHUNK: usize = 512;

/// An encoder with frozen scalers, and weights. Predictions borrow it immutably.
#[derive(Debug, Clone)]
pub struct Ranker {
    /// The encoder.
    pub encoder: Encoder,
    /// The weights.
    pub weights: Weights,
}

impl Ranker {
    /// The declaration that it was made from.
    pub fn spec(&self) -> &Arc<Spec> {
        self.encoder.spec()
    }

    /// Predicts every objective for raw examples.
    pub fn predict_examples(&self, examples: &Examples, positions: Positions) -> Predictions {
        self.predict(&self.encoder.encode(examples), positions)
    }

    /// Predicts every objective. A row's prediction does not depend on what the other rows hold, nor on its place among them
    /// within 512 rows; in its last bits it may depend on how many rows there are.
    pub fn predict(&self, batch: &Encoded, positions: Positions) -> Predictions {
        let mut logits = self.main_logits(batch);
        if let Some(shallow) = &self.weights.shallow {
            match positions {
                Positions::Logged => shallow.forward(batch, &batch.positions, &mut logits),
                Positions::Missing => shallow.forward(batch, &vec![0; batch.len], &mut logits),
            }
        }
        Predictions::of(&self.encoder, batch, logits)
    }

    /// Logits of the main tower per objective `[batch]`, without the shallow tower and before any recalibration.
    pub fn main_logits(&self, batch: &Encoded) -> Vec<Vec<f32>> {
        let mut logits = vec![Vec::with_capacity(batch.len); self.spec().objectives.len()];
        self.forward(batch, |chunk, _, of_chunk| {
            for (logits, of_chunk) in logits.iter_mut().zip(of_chunk) {
                logits.extend_from_slice(&of_chunk[..chunk]);
            }
        });
        logits
    }

    /// Runs the main tower over `batch`, chunk by chunk: calls `take` with the examples of the chunk, its activations, and its
    /// logits per objective, of which the first ones are valid.
    pub(crate) fn forward(
        &self,
        batch: &Encoded,
        mut take: impl FnMut(usize, &NetworkActivations, &[Vec<f32>]),
    ) {
        let room = batch.len.min(CHUNK);
        let mut acts = self.weights.network.activations(room, nn::Precision::F32);
        let mut logits = vec![vec![0.0; room]; self.spec().objectives.len()];
        let rows = self.rows_to_read(batch);
        let mut input = Vec::new();
        for from in (0..batch.len).step_by(CHUNK) {
            let chunk = from..batch.len.min(from + CHUNK);
            self.gather(batch, chunk.clone(), |field| &rows[field], &mut input);
            let x = Mat::new(&input, chunk.len(), self.encoder.plan().width());
            self.weights.network.forward(x, None, &mut acts, &mut logits);
            take(chunk.len(), &acts, &logits);
        }
    }

    /// Per embedded field, the rows that a prediction reads.
    fn rows_to_read(&self, batch: &Encoded) -> Vec<Vec<u32>> {
        let ids = self.encoder.plan().ids.iter().zip(&batch.ids);
        ids.map(|(input, encoded)| {
            let table = &self.weights.tables[input.table];
            (0..encoded.len()).map(|at| table.read_id(encoded, at)).collect()
        })
        .collect()
    }

    /// Fills the network's input `[chunk, width]` for the examples `chunk` of `batch`: pooled rows, then dense columns. `rows`
    /// are what each embedded field reads over the whole batch.
    pub(crate) fn gather<'r>(
        &self,
        batch: &Encoded,
        chunk: Range<usize>,
        rows: impl Fn(usize) -> &'r [u32],
        input: &mut Vec<f32>,
    ) {
        let plan = self.encoder.plan();
        // Every value is written below: what is left of the chunk before needs no clearing.
        input.resize(chunk.len() * plan.width(), 0.0);
        let mut x = MatMut::new(input, chunk.len(), plan.width());
        for (field, (id_input, encoded)) in plan.ids.iter().zip(&batch.ids).enumerate() {
            let bags = Bags {
                offsets: &encoded.offsets[chunk.start..=chunk.end],
                rows: rows(field),
                weights: &encoded.weights,
            };
            let table = &self.weights.tables[id_input.table];
            table.forward(bags, id_input.pool, x.columns_mut(id_input.column, id_input.dim));
        }
        for (to, row) in chunk.enumerate() {
            let dense = &batch.dense[row * plan.dense_width..(row + 1) * plan.dense_width];
            x.row_mut(to)[plan.embedded_width..].copy_from_slice(dense);
        }
    }
}

#[cfg(test)]
mod tests;
