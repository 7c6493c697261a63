//! Gates: from logits to shares of E choices that sum to 1. Letters: B batch, G gates, E choices.
//!
//! Ma et al. 2018 (MMoE), section 4.2; Zhao et al. 2019, section 4.2, which also names the drop-out of shares.

use crate::dropout::RowDraws;
use crate::exp::exp;
use crate::{Mat, MatMut};

/// Gates over the same E choices: `softmax(logits)`, each gate by itself. Their weights are [`crate::Experts`]'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gates {
    /// E, number of choices.
    pub choices: usize,
}

/// Drop-out of gate shares: each is zeroed with `probability`, the rest of its gate renormalised to sum 1. A gate that would
/// lose all its shares keeps them all.
#[derive(Clone, Copy, Debug)]
pub struct GateDropout<'a> {
    /// In `[0, 1]`.
    pub probability: f32,
    /// Seed of the run.
    pub seed: u64,
    /// Tells these gates from the other places of the network that draw.
    pub layer: u32,
    /// `[B]`: the key of each row.
    pub examples: &'a [u64],
}

impl Gates {
    /// The shares, after drop-out. Shapes: logits and output `[B, G * E]`, gate g in the columns from `g * E`.
    pub fn forward(&self, logits: Mat, dropout: Option<&GateDropout>, mut output: MatMut) {
        self.demand(logits.rows(), logits.cols(), (output.rows(), output.cols()));
        for b in 0..logits.rows() {
            let (logits, output) = (logits.row(b), output.row_mut(b));
            output.copy_from_slice(logits);
            if let Some(dropout) = dropout {
                dropout.drop_logits(b, logits, output, self.choices);
            }
            softmax(output, self.choices);
        }
    }

    /// **Writes** `d_logits`; `output` is that of the forward, with or without drop-out.
    /// Shapes: output, d_output and d_logits `[B, G * E]`.
    pub fn backward(&self, output: Mat, d_output: Mat, d_logits: MatMut) {
        self.demand(output.rows(), output.cols(), (d_output.rows(), d_output.cols()));
        self.demand(output.rows(), output.cols(), (d_logits.rows(), d_logits.cols()));
        softmax_backward(output, d_output, d_logits, self.choices);
    }

    fn demand(&self, rows: usize, cols: usize, other: (usize, usize)) {
        assert_eq!(
            (rows, cols),
            other,
            "shapes of logits, shares and their gradients"
        );
        assert_eq!(cols % self.choices, 0, "columns of whole gates");
    }
}

impl GateDropout<'_> {
    /// Sets the dropped of row `b`'s logits to minus infinity, so that softmax gives them 0 and renormalises the rest,
    /// exactly even where the kept shares are tiny. Element `g * E + e` of the key is share e of gate g.
    fn drop_logits(&self, b: usize, logits: &[f32], kept: &mut [f32], choices: usize) {
        let draws = RowDraws::new(self.seed, self.examples[b], self.layer);
        let gates = logits.chunks_exact(choices).zip(kept.chunks_exact_mut(choices));
        for (g, (logits, kept)) in gates.enumerate() {
            let mut all_dropped = true;
            for (e, logit) in kept.iter_mut().enumerate() {
                if draws.draw((g * choices + e) as u32) < self.probability {
                    *logit = f32::NEG_INFINITY;
                } else {
                    all_dropped = false;
                }
            }
            if all_dropped {
                kept.copy_from_slice(logits);
            }
        }
    }
}

for_each_path! {
    /// See [`Gates::backward`].
    fn softmax_backward(output: Mat, d_output: Mat, d_logits: MatMut, choices: usize) {
        let mut d_logits = d_logits;
        // Shares after drop-out are the softmax of the kept logits, so `output` alone gives the slope, with or without it:
        // d_logit_i = output_i (d_output_i - sum_j d_output_j output_j), zero where share i was dropped.
        for b in 0..output.rows() {
            let d_logits = d_logits.row_mut(b).chunks_exact_mut(choices);
            let shares = output.row(b).chunks_exact(choices);
            let d_shares = d_output.row(b).chunks_exact(choices);
            for ((d_logits, shares), d_shares) in d_logits.zip(shares).zip(d_shares) {
                let mean: f32 = shares.iter().zip(d_shares).map(|(p, d)| p * d).sum();
                for ((d_logit, p), d) in d_logits.iter_mut().zip(shares).zip(d_shares) {
                    *d_logit = planted!(
                        p * (d - mean),
                        "gates: mean not subtracted" => p * d,
                        "gates: share forgotten" => d - mean,
                        "gates: drop-out forgotten" => if *p > 0.0 { p * (d - mean) } else { d - mean },
                        "gates: slope of a sigmoid" => p * (1.0 - p) * d,
                        "gates: added, not written" => *d_logit + p * (d - mean),
                    );
                }
            }
        }
    }
}

for_each_path! {
    /// `x_i = exp(x_i) / sum_j exp(x_j)` over each run of `choices` of `x`, shifted by the largest so that nothing overflows.
    fn softmax(x: &mut [f32], choices: usize) {
        for gate in x.chunks_exact_mut(choices) {
            let mut largest = f32::NEG_INFINITY;
            for &value in gate.iter() {
                largest = if value > largest { value } else { largest };
            }
            for value in gate {
                *value -= largest;
            }
        }
        for value in x.iter_mut() {
            *value = exp(*value);
        }
        for gate in x.chunks_exact_mut(choices) {
            let sum: f32 = gate.iter().sum();
            for value in gate {
                *value /= sum;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::assert_check_bites;
    use crate::testing::{START, TOLERANCE, values, weighted_sum};
    use crate::{GradientMismatch, check_gradient, draw};

    const EXAMPLES: [u64; 5] = [3, 1, 4, 1 << 50, 5];
    const DROPOUT: GateDropout = GateDropout {
        probability: 0.4,
        seed: 9,
        layer: 2,
        examples: &EXAMPLES,
    };

    #[test]
    #[should_panic(expected = "shapes of logits, shares and their gradients")]
    fn a_gradient_of_another_shape_is_refused() {
        let (output, d_output, mut d_logits) = ([0.5; 8], [0.0; 4], [0.0; 8]);
        let gates = Gates { choices: 2 };
        let output = Mat::new(&output, 2, 4);
        gates.backward(
            output,
            Mat::new(&d_output, 2, 2),
            MatMut::new(&mut d_logits, 2, 4),
        );
    }

    #[test]
    #[should_panic(expected = "columns of whole gates")]
    fn columns_that_cut_a_gate_are_refused() {
        let (output, d_output, mut d_logits) = ([0.5; 6], [0.0; 6], [0.0; 6]);
        let gates = Gates { choices: 2 };
        let (output, d_output) = (Mat::new(&output, 2, 3), Mat::new(&d_output, 2, 3));
        gates.backward(output, d_output, MatMut::new(&mut d_logits, 2, 3));
    }
    const BATCH: usize = EXAMPLES.len();
    const CHOICES: usize = 4;
    const OF_FOUR: Gates = Gates { choices: CHOICES };

    fn run(logits: &[f32], dropout: Option<&GateDropout>) -> Vec<f32> {
        let cols = logits.len() / BATCH;
        let mut output = vec![f32::NAN; logits.len()];
        OF_FOUR.forward(
            Mat::new(logits, BATCH, cols),
            dropout,
            MatMut::new(&mut output, BATCH, cols),
        );
        output
    }

    fn check(dropout: Option<&GateDropout>, count: usize) -> Result<(), GradientMismatch> {
        let cols = count * CHOICES;
        let mut logits = values(BATCH * cols, 2);
        let d_output = values(BATCH * cols, 3);
        let output = run(&logits, dropout);
        let mut d_logits = vec![START; BATCH * cols];
        OF_FOUR.backward(
            Mat::new(&output, BATCH, cols),
            Mat::new(&d_output, BATCH, cols),
            MatMut::new(&mut d_logits, BATCH, cols),
        );
        let by_logits = |v: &[f32]| weighted_sum(&d_output, &run(v, dropout));
        check_gradient("logits", &mut logits, &d_logits, by_logits, TOLERANCE)
    }

    #[test]
    fn the_gradients_are_the_slopes_and_the_check_notices_planted_faults() {
        let faults = [
            "gates: drop-out forgotten",
            "gates: mean not subtracted",
            "gates: share forgotten",
            "gates: slope of a sigmoid",
            "gates: added, not written",
        ];
        let all_dropped = GateDropout {
            probability: 1.0,
            ..DROPOUT
        };
        assert_check_bites("gates", &faults, || {
            let mut dropouts = [None, Some(&DROPOUT), Some(&all_dropped)].into_iter();
            dropouts.try_for_each(|dropout| check(dropout, 1).and_then(|()| check(dropout, 3)))
        });
    }

    #[test]
    fn each_gate_s_shares_sum_to_one_and_the_dropped_are_zero() {
        let logits = values(BATCH * 3 * CHOICES, 2);
        let (soft, output) = (run(&logits, None), run(&logits, Some(&DROPOUT)));
        let rows = soft.chunks(3 * CHOICES).zip(output.chunks(3 * CHOICES));
        let mut dropped_shares = 0;
        for ((soft, output), example) in rows.zip(EXAMPLES) {
            for g in 0..3 {
                let dropped = |e| draw(9, example, 2, (g * CHOICES + e) as u32) < 0.4;
                let all_dropped = (0..CHOICES).all(dropped);
                let kept = |e: usize| all_dropped || !dropped(e);
                let [soft, output] = [soft, output].map(|row| &row[g * CHOICES..][..CHOICES]);
                let kept_sum: f32 = (0..CHOICES).filter(|e| kept(*e)).map(|e| soft[e]).sum();
                for e in 0..CHOICES {
                    let expected = if kept(e) { soft[e] / kept_sum } else { 0.0 };
                    assert!((output[e] - expected).abs() < 1e-6);
                    dropped_shares += usize::from(!kept(e));
                }
                for shares in [soft, output] {
                    assert!((shares.iter().sum::<f32>() - 1.0).abs() < 1e-6);
                }
            }
        }
        assert!(dropped_shares > 10, "{dropped_shares} of 60 shares dropped");
    }

    #[test]
    fn a_gate_that_would_lose_every_share_keeps_them_all() {
        let logits = values(BATCH * 2 * CHOICES, 2);
        let all = GateDropout {
            probability: 1.0,
            ..DROPOUT
        };
        assert_eq!(run(&logits, None), run(&logits, Some(&all)));
    }

    #[test]
    fn logits_of_any_size_give_finite_shares() {
        let logits: Vec<f32> = values(BATCH * 2 * CHOICES, 2).iter().map(|v| 1e6 * v).collect();
        for dropout in [None, Some(&DROPOUT)] {
            for shares in run(&logits, dropout).chunks(CHOICES) {
                assert!((shares.iter().sum::<f32>() - 1.0).abs() < 1e-6, "{shares:?}");
            }
        }
    }
}
