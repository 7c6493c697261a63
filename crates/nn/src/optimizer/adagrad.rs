//! Row-wise Adagrad: one accumulator for each row of a table, of the mean square of its gradient
//! (Duchi et al. 2011, with a row's values sharing their accumulator).

use crate::kernels::prefetch::{AHEAD, prefetch};
use crate::mix::dot;
use crate::{Embedding, SparseGrad};

/// Row-wise Adagrad's settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowAdagrad {
    /// Learning rate.
    pub rate: f32,
    /// Added to the root of the accumulator.
    pub epsilon: f32,
    /// What accumulators are kept in: one counts so many times the number that is kept of it, above 0. Where it falls from step to
    /// step, all accumulators decay, and no row is touched for it. 1: as they are.
    pub scale: f32,
}

impl RowAdagrad {
    /// Updates the touched rows: `a += mean(d^2)`, `w -= rate * d / (sqrt(a) + epsilon)`, `a / scale` being kept. Shapes:
    /// accumulators `[rows]`.
    pub fn step_rows(&self, table: &mut Embedding, grad: &SparseGrad, accumulators: &mut [f32]) {
        assert_eq!(accumulators.len(), table.rows, "one accumulator a row");
        update_rows(*self, table, grad, accumulators);
    }
}

for_each_path! {
    /// See [`RowAdagrad::step_rows`].
    fn update_rows(settings: RowAdagrad, table: &mut Embedding, grad: &SparseGrad, accumulators: &mut [f32]) {
        let rows = grad.rows();
        for (i, row) in rows.iter().enumerate() {
            if let Some(soon) = rows.get(i + AHEAD) {
                prefetch(table.row(*soon));
                prefetch(&accumulators[*soon as usize..][..1]);
            }
            let d_row = grad.row(i);
            let accumulator = &mut accumulators[*row as usize];
            *accumulator += dot(d_row, d_row) / table.dim as f32 / settings.scale;
            let rate = settings.rate / ((*accumulator * settings.scale).sqrt() + settings.epsilon);
            for (weight, d) in table.row_mut(*row).iter_mut().zip(d_row) {
                *weight -= rate * d;
            }
        }
    }
}
