//! The optimizers over several steps.

use nn::{Adam, Embedding, Moments, RowAdagrad, SparseGrad};

use crate::vectors::{Golden, table_of};

#[test]
fn adam_is_pytorch_s_over_several_steps_with_and_without_l2() {
    for (golden, l2) in [(golden!("adam"), 0.0), (golden!("adam_l2"), 0.05)] {
        let (mut params, mut moments) = (golden.get("start"), Moments::new(9));
        let mut weights = Vec::new();
        for (step, grad) in golden.get("gradients").chunks(9).enumerate() {
            Adam::with_rate(0.02).step(step as u64 + 1, l2, &mut params, grad, &mut moments);
            weights.extend_from_slice(&params);
        }
        assert_eq!(weights.len(), 6 * 9);
        golden.compare("weights", &weights);
        golden.compare("first", &moments.first);
        // 1 - beta2 in f32 is off by 1.3e-5 of itself; the correction divides it out of the weights.
        golden.compare_within("second", &moments.second, 3e-5);
    }
}

/// The rows that each of the six steps touches.
const TOUCHED: [&[u32]; 6] = [&[2, 0], &[5], &[0, 5, 1], &[2], &[1, 2, 0], &[4]];

/// Feeds the gradients of `golden` step by step to `update` and compares the table after each.
fn compare_steps(golden: &Golden, mut update: impl FnMut(u64, &mut Embedding, &SparseGrad)) {
    let mut table = table_of(golden.get("start"), 6);
    let mut grad = SparseGrad::new(6, table.dim);
    let (gradients, mut weights) = (golden.get("gradients"), Vec::new());
    let mut rows = gradients.chunks(table.dim);
    for (step, touched) in TOUCHED.iter().enumerate() {
        grad.clear();
        for row in *touched {
            grad.add(*row, 1.0, rows.next().unwrap());
        }
        update(step as u64 + 1, &mut table, &grad);
        weights.extend_from_slice(&table.weight);
    }
    let touched: Vec<f32> = TOUCHED.concat().iter().map(|row| *row as f32).collect();
    assert_eq!(touched, golden.get("touched"));
    golden.compare("weights", &weights);
}

#[test]
fn adam_of_touched_rows_is_pytorch_s_sparse_adam() {
    let golden = golden!("adam_rows");
    let mut moments = Moments::new(24);
    compare_steps(&golden, |step, table, grad| {
        Adam::with_rate(0.02).step_rows(step, table, grad, &mut moments);
    });
    golden.compare("first", &moments.first);
    golden.compare_within("second", &moments.second, 3e-5);
}

#[test]
fn row_wise_adagrad_is_pytorch_s_adagrad_with_one_accumulator_a_row() {
    let adagrad = RowAdagrad {
        rate: 0.05,
        epsilon: 1e-6,
        scale: 1.0,
    };
    for golden in [golden!("adagrad_1"), golden!("adagrad_4")] {
        let mut accumulators = [0.0; 6];
        compare_steps(&golden, |_, table, grad| {
            adagrad.step_rows(table, grad, &mut accumulators);
        });
        golden.compare("accumulators", &accumulators);
    }
}
