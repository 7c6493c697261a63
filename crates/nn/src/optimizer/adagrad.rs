//! Row-wise Adagrad: one accumulator for each row of a table, of the mean square of its gradient
//! (Duchi et al. 2011, with a row's values sharing their accumulator).

use crate::{Embedding, SparseGrad};

/// Row-wise Adagrad's settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowAdagrad {
    /// Learning rate.
    pub rate: f32,
    /// Added to the root of the accumulator.
    pub epsilon: f32,
}

impl RowAdagrad {
    /// Updates the touched rows: `a += mean(d^2)`, `w -= rate * d / (sqrt(a) + epsilon)`. Shapes: accumulators `[rows]`.
    pub fn step_rows(&self, table: &mut Embedding, grad: &SparseGrad, accumulators: &mut [f32]) {
        assert_eq!(accumulators.len(), table.rows, "one accumulator a row");
        for (i, row) in grad.rows().iter().enumerate() {
            let d_row = grad.row(i);
            let squares: f32 = d_row.iter().map(|d| d * d).sum();
            let accumulator = &mut accumulators[*row as usize];
            *accumulator += squares / table.dim as f32;
            let rate = self.rate / (accumulator.sqrt() + self.epsilon);
            for (weight, d) in table.row_mut(*row).iter_mut().zip(d_row) {
                *weight -= rate * d;
            }
        }
    }
}
