//! The embedding table: bags of row numbers in, pooled rows out, a row-sparse gradient back.
//! Letters: B batch, D dim (values of a table row).

use std::ops::Range;

use rand::Rng;

use crate::init::normal;
use crate::kernels::prefetch::{AHEAD, prefetch};
use crate::mix::add_scaled;
use crate::{Mat, MatMut, SparseGrad};

/// A table of `rows` x `dim`.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding {
    /// `[rows, dim]`, row-major.
    pub weight: Vec<f32>,
    /// Number of rows.
    pub rows: usize,
    /// D, values of a row.
    pub dim: usize,
}

/// B bags of row numbers: bag b is `rows[offsets[b]..offsets[b + 1]]`.
#[derive(Clone, Copy, Debug)]
pub struct Bags<'a> {
    /// `[B + 1]`, not falling.
    pub offsets: &'a [u32],
    /// Row numbers of all bags, one bag after the other; a number may come twice.
    pub rows: &'a [u32],
    /// How much each of `rows` counts in its bag, of either sign; empty: all count 1.
    pub weights: &'a [f32],
}

/// How the rows r of a bag become one; an empty bag gives zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// Their mean; with weights w, `sum w r / sum |w|`, zeros where no weight differs from 0.
    Mean,
    /// Their sum; with weights w, `sum w r`.
    Sum,
}

impl<'a> Bags<'a> {
    /// B, number of bags.
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether there is no bag.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The row numbers of bag `b`.
    pub fn bag(&self, b: usize) -> &'a [u32] {
        &self.rows[self.range(b)]
    }

    fn range(&self, b: usize) -> Range<usize> {
        self.offsets[b] as usize..self.offsets[b + 1] as usize
    }

    /// What the rows of bag `b` are multiplied by: all by the same share, and where they have weights each by its own too.
    #[inline(always)]
    fn shares(&self, b: usize, pool: Pool) -> Shares<'a> {
        let weights = (!self.weights.is_empty()).then(|| &self.weights[self.range(b)]);
        let of_all = match (pool, weights) {
            (Pool::Sum, _) => 1.0,
            (Pool::Mean, None) => 1.0 / self.bag(b).len() as f32,
            (Pool::Mean, Some(weights)) => {
                let sum: f64 = weights.iter().map(|weight| f64::from(weight.abs())).sum();
                if sum > 0.0 { (1.0 / sum) as f32 } else { 0.0 }
            }
        };
        Shares { of_all, weights }
    }
}

/// See [`Bags::shares`].
struct Shares<'a> {
    of_all: f32,
    weights: Option<&'a [f32]>,
}

impl Shares<'_> {
    /// Of the bag's row `i`.
    #[inline(always)]
    fn of(&self, i: usize) -> f32 {
        match self.weights {
            None => self.of_all,
            Some(weights) => self.of_all * weights[i],
        }
    }
}

impl Embedding {
    /// Rows normal with mean 0 and the standard `deviation`.
    pub fn new(rows: usize, dim: usize, deviation: f32, rng: &mut impl Rng) -> Self {
        Self {
            weight: normal(rows * dim, deviation, rng),
            rows,
            dim,
        }
    }

    /// Row `i`, `[D]`.
    pub fn row(&self, i: u32) -> &[f32] {
        &self.weight[i as usize * self.dim..][..self.dim]
    }

    /// Row `i`, `[D]`, to write.
    pub fn row_mut(&mut self, i: u32) -> &mut [f32] {
        &mut self.weight[i as usize * self.dim..][..self.dim]
    }

    /// The pooled rows of each bag. Shapes: B bags, output `[B, D]`.
    pub fn forward(&self, bags: Bags, pool: Pool, output: MatMut) {
        assert_eq!(
            (output.rows(), output.cols()),
            (bags.len(), self.dim),
            "shape of output"
        );
        pool_bags(self, bags, pool, output);
    }

    /// **Adds** to `grad`. Shapes: B bags, d_output `[B, D]`.
    pub fn backward(&self, bags: Bags, pool: Pool, d_output: Mat, grad: &mut SparseGrad) {
        assert_eq!(
            (d_output.rows(), d_output.cols()),
            (bags.len(), self.dim),
            "shape of d_output"
        );
        scatter(bags, pool, d_output, grad);
    }
}

for_each_path! {
    /// See [`Embedding::forward`].
    fn pool_bags(table: &Embedding, bags: Bags, pool: Pool, output: MatMut) {
        let mut output = output;
        for b in 0..bags.len() {
            let (range, output) = (bags.range(b), output.row_mut(b));
            output.fill(0.0);
            let shares = bags.shares(b, pool);
            for (i, at) in range.enumerate() {
                if let Some(soon) = bags.rows.get(at + AHEAD) {
                    prefetch(table.row(*soon));
                }
                add_scaled(output, shares.of(i), table.row(bags.rows[at]));
            }
        }
    }
}

for_each_path! {
    /// See [`Embedding::backward`].
    fn scatter(bags: Bags, pool: Pool, d_output: Mat, grad: &mut SparseGrad) {
        for b in 0..bags.len() {
            if let Some(soon) = bags.rows.get(bags.range(b).start + AHEAD) {
                grad.ask(*soon);
            }
            if b + AHEAD < bags.len() {
                prefetch(d_output.row(b + AHEAD));
            }
            let shares = planted!(
                bags.shares(b, pool),
                "embedding: sum for mean" => bags.shares(b, Pool::Sum),
                "embedding: weights forgotten" => Bags { weights: &[], ..bags }.shares(b, pool),
                "embedding: weights of the first bag" => Shares {
                    weights: bags.shares(0, pool).weights.map(|_| bags.weights),
                    ..bags.shares(b, pool)
                },
            );
            let bag = planted!(
                bags.bag(b),
                "embedding: first row of a bag only" => &bags.bag(b)[..bags.bag(b).len().min(1)]
            );
            for (i, row) in bag.iter().enumerate() {
                let share = planted!(shares.of(i), "embedding: sign" => -shares.of(i));
                planted!(
                    grad.add(*row, share, d_output.row(b)),
                    "embedding: a row's gradient written, not added" => {
                        grad.erase(*row);
                        grad.add(*row, share, d_output.row(b));
                    },
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::assert_check_bites;
    use crate::testing::{START, TOLERANCE, generator, values, weighted_sum};
    use crate::{GradientMismatch, check_gradient};
    use proptest::prelude::*;

    /// An empty bag, a bag that repeats a row, rows in several bags; row 4 is in none.
    const BAGS: Bags = Bags {
        offsets: &[0, 2, 2, 5, 8, 9],
        rows: &[3, 0, 5, 5, 1, 3, 2, 0, 3],
        weights: &[],
    };

    /// The same with weights: above 0, below 0, a bag of zeros.
    const WEIGHTED: Bags = Bags {
        weights: &[2.0, 0.5, -1.5, 0.25, 0.0, 3.0, -1.0, 0.5, 0.0],
        ..BAGS
    };

    fn run(table: &Embedding, bags: Bags, pool: Pool) -> Vec<f32> {
        let mut output = vec![f32::NAN; bags.len() * table.dim];
        table.forward(bags, pool, MatMut::new(&mut output, bags.len(), table.dim));
        output
    }

    /// `grad` as a gradient of the whole table, `[rows, dim]`.
    fn spread(grad: &SparseGrad, rows: usize) -> Vec<f32> {
        let mut all = vec![0.0; rows * grad.dim()];
        for (i, row) in grad.rows().iter().enumerate() {
            all[*row as usize * grad.dim()..][..grad.dim()].copy_from_slice(grad.row(i));
        }
        all
    }

    fn check(bags: Bags, pool: Pool) -> Result<(), GradientMismatch> {
        let mut table = Embedding::new(6, 3, 1.0, &mut generator(1));
        let d_output = values(bags.len() * table.dim, 2);
        let mut grad = SparseGrad::new(table.rows, table.dim);
        grad.add(3, START, &[1.0; 3]);
        table.backward(bags, pool, Mat::new(&d_output, bags.len(), table.dim), &mut grad);
        let mut analytic = spread(&grad, table.rows);
        analytic[9..12].iter_mut().for_each(|d| *d -= START);

        let mut probe = table.clone();
        let by_weight = |v: &[f32]| {
            probe.weight.copy_from_slice(v);
            weighted_sum(&d_output, &run(&probe, bags, pool))
        };
        check_gradient("weight", &mut table.weight, &analytic, by_weight, TOLERANCE)
    }

    #[test]
    fn the_gradient_is_the_slope_and_the_check_notices_planted_faults() {
        let faults = [
            "embedding: sum for mean",
            "embedding: weights forgotten",
            "embedding: weights of the first bag",
            "embedding: sign",
            "embedding: first row of a bag only",
            "embedding: a row's gradient written, not added",
        ];
        assert_check_bites("embedding", &faults, || {
            for bags in [BAGS, WEIGHTED] {
                check(bags, Pool::Mean)?;
                check(bags, Pool::Sum)?;
            }
            Ok::<(), GradientMismatch>(())
        });
    }

    #[test]
    fn weights_count_rows_and_a_mean_is_by_the_size_of_the_weights() {
        let table = Embedding {
            weight: vec![1.0, 10.0, 100.0],
            rows: 3,
            dim: 1,
        };
        let bags = Bags {
            offsets: &[0, 2, 4, 4, 6],
            rows: &[0, 1, 1, 2, 0, 2],
            weights: &[3.0, 1.0, -1.0, 1.0, 0.0, 0.0],
        };
        assert_eq!(run(&table, bags, Pool::Sum), [13.0, 90.0, 0.0, 0.0]);
        assert_eq!(run(&table, bags, Pool::Mean), [13.0 / 4.0, 45.0, 0.0, 0.0]);
    }

    #[test]
    fn weights_of_one_change_no_bit() {
        let table = Embedding::new(6, 3, 1.0, &mut generator(1));
        let ones = Bags {
            weights: &[1.0; 9],
            ..BAGS
        };
        for pool in [Pool::Mean, Pool::Sum] {
            assert_eq!(run(&table, ones, pool), run(&table, BAGS, pool));
        }
    }

    #[test]
    fn an_empty_bag_gives_zeros_and_touches_no_row() {
        let table = Embedding::new(4, 2, 1.0, &mut generator(1));
        let bags = Bags {
            offsets: &[0, 0, 0],
            rows: &[],
            weights: &[],
        };
        for pool in [Pool::Mean, Pool::Sum] {
            let mut output = [f32::NAN; 4];
            table.forward(bags, pool, MatMut::new(&mut output, 2, 2));
            assert_eq!(output, [0.0; 4]);
            let mut grad = SparseGrad::new(4, 2);
            table.backward(bags, pool, Mat::new(&[1.0; 4], 2, 2), &mut grad);
            assert!(grad.rows().is_empty());
        }
    }

    #[test]
    fn rows_come_in_order_of_first_touch_and_clearing_keeps_the_room() {
        let mut grad = SparseGrad::new(6, 3);
        let table = Embedding::new(6, 3, 1.0, &mut generator(1));
        let d_output = values(15, 2);
        table.backward(BAGS, Pool::Sum, Mat::new(&d_output, 5, 3), &mut grad);
        assert_eq!(grad.rows(), [3, 0, 5, 1, 2]);
        let before = spread(&grad, 6);
        let room = grad.room();
        grad.clear();
        assert!(grad.rows().is_empty());
        table.backward(BAGS, Pool::Sum, Mat::new(&d_output, 5, 3), &mut grad);
        assert_eq!(spread(&grad, 6), before);
        assert_eq!(grad.room(), room);
    }

    /// Batches of additions: `(row, value)`.
    fn additions() -> impl Strategy<Value = Vec<Vec<(u32, f32)>>> {
        prop::collection::vec(prop::collection::vec((0u32..9, -4.0f32..4.0), 0..30), 1..4)
    }

    proptest! {
        #[test]
        fn a_sparse_gradient_is_the_dense_one_without_its_untouched_rows(batches in additions()) {
            let mut grad = SparseGrad::new(9, 2);
            for batch in batches {
                grad.clear();
                let mut dense = [0.0; 18];
                let mut order = Vec::new();
                for (row, value) in batch {
                    grad.add(row, value, &[1.0, -2.0]);
                    dense[row as usize * 2] += value;
                    dense[row as usize * 2 + 1] += value * -2.0;
                    if !order.contains(&row) {
                        order.push(row);
                    }
                }
                prop_assert_eq!(grad.rows(), order);
                prop_assert_eq!(spread(&grad, 9), dense);
            }
        }

        #[test]
        fn parts_of_a_batch_sum_to_the_whole(parts in additions()) {
            let mut whole = SparseGrad::new(9, 1);
            let mut sum = SparseGrad::new(9, 1);
            for additions in parts {
                let mut part = SparseGrad::new(9, 1);
                for (row, value) in additions {
                    whole.add(row, value, &[1.0]);
                    part.add(row, value, &[1.0]);
                }
                sum.add_all(&part);
            }
            prop_assert_eq!(sum.rows(), whole.rows());
            for (a, b) in spread(&sum, 9).iter().zip(spread(&whole, 9)) {
                prop_assert!((a - b).abs() < 1e-4);
            }
        }
    }
}
