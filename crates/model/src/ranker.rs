//! A ranker that predicts: an encoder and weights.

use std::ops::Range;
use std::sync::Arc;

use events::Examples;
use nn::{Bags, Mat, MatMut};
use spec::{BiasForm, Spec};

use crate::shallow_tower::seen_with;
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
        let read = positions.read(self.spec(), &batch.positions);
        let mut logits = self.logits(batch, read.as_deref());
        if let (Some(shallow), Some(read)) = (&self.weights.shallow, &read) {
            shallow.forward(batch, read, &mut logits);
        }
        if let (Some(bias), Positions::Logged) = (&self.spec().bias, positions)
            && bias.form == BiasForm::Ips
        {
            for &objective in &bias.objectives {
                for (logit, &propensity) in logits[objective].iter_mut().zip(&batch.propensities) {
                    *logit = seen_with(propensity, *logit);
                }
            }
        }
        Predictions::of(&self.encoder, batch, logits)
    }

    /// Logits of the main tower per objective `[batch]`, without the shallow tower and before any recalibration; at the missing
    /// position, where the position is an input.
    pub fn main_logits(&self, batch: &Encoded) -> Vec<Vec<f32>> {
        self.logits(batch, None)
    }

    /// Logits of the main tower at these positions, `None`: missing ones.
    fn logits(&self, batch: &Encoded, positions: Option<&[u32]>) -> Vec<Vec<f32>> {
        let mut logits = vec![Vec::with_capacity(batch.len); self.spec().objectives.len()];
        self.forward(batch, positions, |chunk, _, of_chunk| {
            for (logits, of_chunk) in logits.iter_mut().zip(of_chunk) {
                logits.extend_from_slice(&of_chunk[..chunk]);
            }
        });
        logits
    }

    /// Runs the main tower over `batch` at these positions (`None`: missing ones), chunk by chunk: calls `take` with the examples of
    /// the chunk, its activations, and its logits per objective, of which the first ones are valid.
    pub(crate) fn forward(
        &self,
        batch: &Encoded,
        positions: Option<&[u32]>,
        mut take: impl FnMut(usize, &NetworkActivations, &[Vec<f32>]),
    ) {
        let room = batch.len.min(CHUNK);
        let mut acts = self.weights.network.activations(room, nn::Precision::F32);
        let mut logits = vec![vec![0.0; room]; self.spec().objectives.len()];
        let rows = self.rows_to_read(batch);
        let mut input = Vec::new();
        for from in (0..batch.len).step_by(CHUNK) {
            let chunk = from..batch.len.min(from + CHUNK);
            self.gather(batch, chunk.clone(), positions, |field| &rows[field], &mut input);
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

    /// Fills the network's input `[chunk, width]` for the examples `chunk` of `batch`: pooled rows, then dense columns, then the
    /// position where it is an input. `rows` are what each embedded field reads over the whole batch, `positions` `[batch]` what
    /// position is read (`None`: missing ones).
    pub(crate) fn gather<'r>(
        &self,
        batch: &Encoded,
        chunk: Range<usize>,
        positions: Option<&[u32]>,
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
            let (of_fields, of_position) =
                x.row_mut(to)[plan.embedded_width..].split_at_mut(plan.dense_width);
            of_fields.copy_from_slice(dense);
            if let Some(input) = plan.position {
                let position = positions.map_or(0, |positions| positions[row]);
                of_position.fill(0.0);
                of_position[position as usize] = 1.0;
                if input.cells > 0 {
                    of_position[input.positions + batch.cells[row] as usize] = 1.0;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
