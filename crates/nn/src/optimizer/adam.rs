//! Adam: Kingma and Ba 2015, algorithm 1.

use crate::{Embedding, SparseGrad, Threads};

/// Adam's settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Learning rate.
    pub rate: f32,
    /// Decay of the mean of the gradient, in `[0, 1)`.
    pub beta1: f32,
    /// Decay of the mean of its square, in `[0, 1)`.
    pub beta2: f32,
    /// Added to the root of the latter.
    pub epsilon: f32,
}

/// What Adam remembers: one pair for each weight.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// Running mean of the gradient.
    pub first: Vec<f32>,
    /// Running mean of its square.
    pub second: Vec<f32>,
}

impl Moments {
    /// The moments of `len` weights before the first step.
    pub fn new(len: usize) -> Self {
        Self {
            first: vec![0.0; len],
            second: vec![0.0; len],
        }
    }
}

/// The factors of one step, with both corrections for the start from zero.
struct Step {
    rate: f32,
    root_correction: f32,
    beta1: f32,
    beta2: f32,
    epsilon: f32,
}

impl Adam {
    /// The paper's settings (0.9, 0.999, 1e-8) at this learning rate.
    pub fn with_rate(rate: f32) -> Self {
        Self {
            rate,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
        }
    }

    /// One step, number `step` from 1. `l2 * w` is added to the gradient of each weight w. Shapes: all `[N]`.
    pub fn step(&self, step: u64, l2: f32, params: &mut [f32], grad: &[f32], moments: &mut Moments) {
        let Moments { first, second } = moments;
        self.at(step).update(l2, params, grad, first, second);
    }

    /// The same, shared out among the threads.
    pub fn step_in(
        &self,
        threads: &Threads,
        step: u64,
        l2: f32,
        params: &mut [f32],
        grad: &[f32],
        moments: &mut Moments,
    ) {
        assert_eq!(grad.len(), params.len(), "weights, gradient");
        let at = self.at(step);
        let Moments { first, second } = moments;
        threads.chunks_of_three([params, first, second], |from, [params, first, second]| {
            at.update(l2, params, &grad[from..][..params.len()], first, second);
        });
    }

    /// One step, number `step` from 1, of the touched rows; the others and their moments stay.
    /// Shapes: moments of `[rows * D]`.
    pub fn step_rows(&self, step: u64, table: &mut Embedding, grad: &SparseGrad, moments: &mut Moments) {
        let at = self.at(step);
        for (i, row) in grad.rows().iter().enumerate() {
            let start = *row as usize * table.dim;
            let first = &mut moments.first[start..][..table.dim];
            let second = &mut moments.second[start..][..table.dim];
            at.update(0.0, table.row_mut(*row), grad.row(i), first, second);
        }
    }

    fn at(&self, step: u64) -> Step {
        assert!(step > 0, "the first step is number 1");
        // 1 - beta^step, in f64: at step 1 with beta2 = 0.999 f32 would lose four digits.
        let correction = |beta: f32| 1.0 - f64::from(beta).powf(step as f64);
        Step {
            rate: (f64::from(self.rate) / correction(self.beta1)) as f32,
            root_correction: correction(self.beta2).sqrt() as f32,
            beta1: self.beta1,
            beta2: self.beta2,
            epsilon: self.epsilon,
        }
    }
}

impl Step {
    fn update(&self, l2: f32, params: &mut [f32], grad: &[f32], first: &mut [f32], second: &mut [f32]) {
        let len = params.len();
        assert_eq!(
            [grad.len(), first.len(), second.len()],
            [len; 3],
            "weights, gradient, moments"
        );
        update(self, l2, params, grad, first, second);
    }
}

for_each_path! {
    fn update(step: &Step, l2: f32, params: &mut [f32], grad: &[f32], first: &mut [f32], second: &mut [f32]) {
        let moments = first.iter_mut().zip(second);
        for ((param, grad), (first, second)) in params.iter_mut().zip(grad).zip(moments) {
            let d = grad + l2 * *param;
            *first = step.beta1 * *first + (1.0 - step.beta1) * d;
            *second = step.beta2 * *second + (1.0 - step.beta2) * d * d;
            let root = second.sqrt() / step.root_correction;
            *param -= step.rate * *first / (root + step.epsilon);
        }
    }
}
