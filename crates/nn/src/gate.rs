//! Gates: from an input to shares of E choices that sum to 1. Letters: B batch, I inputs, G gates, E choices.
//!
//! Ma et al. 2018 (MMoE), section 4.2; Zhao et al. 2019, section 4.2, which also names the drop-out of shares.

use rand::Rng;

use crate::dropout::RowDraws;
use crate::{Dense, Mat, MatMut};

/// G gates over the same E choices: `softmax(input · weight)`, each gate by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Gates {
    /// `[I, G * E]`, no bias: gate g owns the columns from `g * E`.
    pub weight: Dense,
    /// G, number of gates.
    pub gates: usize,
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
    /// Weights normal with mean 0 and deviation `1 / sqrt(inputs)`.
    pub fn new(inputs: usize, gates: usize, choices: usize, rng: &mut impl Rng) -> Self {
        Self {
            weight: Dense::without_bias(inputs, gates * choices, 1.0, rng),
            gates,
            choices,
        }
    }

    /// Gates of the same shape, all zero: the start of a gradient.
    pub fn zeros_like(&self) -> Self {
        Self {
            weight: self.weight.zeros_like(),
            gates: self.gates,
            choices: self.choices,
        }
    }

    /// The shares, before drop-out into `soft` and after it into `output`; without `dropout` the two are the same.
    /// Shapes: input `[B, I]`, soft `[B, G * E]`, output `[B, G * E]`.
    pub fn forward(&self, input: Mat, dropout: Option<&GateDropout>, mut soft: MatMut, mut output: MatMut) {
        assert_eq!(output.cols(), self.gates * self.choices, "columns of output");
        self.weight.forward(input, soft.reborrow());
        for b in 0..input.rows() {
            let (logits, output) = (soft.row_mut(b), output.row_mut(b));
            output.copy_from_slice(logits);
            if let Some(dropout) = dropout {
                dropout.drop_logits(b, logits, output, self.choices);
            }
            for gate in output.chunks_exact_mut(self.choices) {
                softmax(gate);
            }
            for gate in logits.chunks_exact_mut(self.choices) {
                softmax(gate);
            }
        }
    }

    /// **Adds** to `d_input` and `grad`; `output` is that of the forward of `input`, with or without drop-out.
    /// Shapes: input `[B, I]`, output, d_output and scratch `[B, G * E]`, d_input `[B, I]`.
    pub fn backward(
        &self,
        input: Mat,
        output: Mat,
        d_output: Mat,
        mut scratch: MatMut,
        d_input: Option<MatMut>,
        grad: &mut Gates,
    ) {
        // Shares after drop-out are the softmax of the kept logits, so `output` alone gives the slope, with or without it:
        // d_logit_i = output_i (d_output_i - sum_j d_output_j output_j), zero where share i was dropped.
        for b in 0..input.rows() {
            let d_logits = scratch.row_mut(b).chunks_exact_mut(self.choices);
            let shares = output.row(b).chunks_exact(self.choices);
            let d_shares = d_output.row(b).chunks_exact(self.choices);
            for ((d_logits, shares), d_shares) in d_logits.zip(shares).zip(d_shares) {
                let mean: f32 = shares.iter().zip(d_shares).map(|(p, d)| p * d).sum();
                for ((d_logit, p), d) in d_logits.iter_mut().zip(shares).zip(d_shares) {
                    *d_logit = planted!(
                        p * (d - mean),
                        "gates: mean not subtracted" => p * d,
                        "gates: share forgotten" => d - mean,
                        "gates: drop-out forgotten" => if *p > 0.0 { p * (d - mean) } else { d - mean },
                        "gates: slope of a sigmoid" => p * (1.0 - p) * d,
                    );
                }
            }
        }
        self.weight.backward(
            input,
            scratch.as_mat(),
            planted!(d_input, "gates: no d_input" => None),
            &mut grad.weight,
        );
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

/// `x_i = exp(x_i) / sum_j exp(x_j)`, shifted by the largest so that nothing overflows.
fn softmax(x: &mut [f32]) {
    let largest = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for value in x.iter_mut() {
        *value = (*value - largest).exp();
        sum += *value;
    }
    for value in x {
        *value /= sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::assert_check_bites;
    use crate::testing::{START, TOLERANCE, added, generator, values, weighted_sum};
    use crate::{GradientMismatch, check_gradient, draw};

    const EXAMPLES: [u64; 5] = [3, 1, 4, 1 << 50, 5];
    const DROPOUT: GateDropout = GateDropout {
        probability: 0.4,
        seed: 9,
        layer: 2,
        examples: &EXAMPLES,
    };
    const BATCH: usize = EXAMPLES.len();
    const INPUTS: usize = 3;
    const CHOICES: usize = 4;

    /// Shares before and after drop-out.
    fn run(gates: &Gates, input: &[f32], dropout: Option<&GateDropout>) -> [Vec<f32>; 2] {
        let cols = gates.gates * gates.choices;
        let (mut soft, mut output) = (vec![0.0; BATCH * cols], vec![0.0; BATCH * cols]);
        gates.forward(
            Mat::new(input, BATCH, INPUTS),
            dropout,
            MatMut::new(&mut soft, BATCH, cols),
            MatMut::new(&mut output, BATCH, cols),
        );
        [soft, output]
    }

    fn check(dropout: Option<&GateDropout>, count: usize) -> Result<(), GradientMismatch> {
        let mut gates = Gates::new(INPUTS, count, CHOICES, &mut generator(1));
        let cols = count * CHOICES;
        let mut input = values(BATCH * INPUTS, 2);
        let d_output = values(BATCH * cols, 3);
        let [_, output] = run(&gates, &input, dropout);
        let (mut scratch, mut d_input) = (vec![f32::NAN; BATCH * cols], vec![START; input.len()]);
        let mut grad = gates.zeros_like();
        grad.weight.weight.fill(START);
        gates.backward(
            Mat::new(&input, BATCH, INPUTS),
            Mat::new(&output, BATCH, cols),
            Mat::new(&d_output, BATCH, cols),
            MatMut::new(&mut scratch, BATCH, cols),
            Some(MatMut::new(&mut d_input, BATCH, INPUTS)),
            &mut grad,
        );

        let mut probe = gates.clone();
        let by_weight = |v: &[f32]| {
            probe.weight.weight.copy_from_slice(v);
            weighted_sum(&d_output, &run(&probe, &input, dropout)[1])
        };
        let analytic = added(&grad.weight.weight);
        check_gradient(
            "weight",
            &mut gates.weight.weight,
            &analytic,
            by_weight,
            TOLERANCE,
        )?;
        let by_input = |v: &[f32]| weighted_sum(&d_output, &run(&gates, v, dropout)[1]);
        check_gradient("input", &mut input, &added(&d_input), by_input, TOLERANCE)
    }

    #[test]
    fn the_gradients_are_the_slopes_and_the_check_notices_planted_faults() {
        let faults = [
            "gates: drop-out forgotten",
            "gates: mean not subtracted",
            "gates: share forgotten",
            "gates: slope of a sigmoid",
            "gates: no d_input",
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
        let gates = Gates::new(INPUTS, 3, CHOICES, &mut generator(1));
        let [soft, output] = run(&gates, &values(BATCH * INPUTS, 2), Some(&DROPOUT));
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
        let gates = Gates::new(INPUTS, 2, CHOICES, &mut generator(1));
        let all = GateDropout {
            probability: 1.0,
            ..DROPOUT
        };
        let [soft, output] = run(&gates, &values(BATCH * INPUTS, 2), Some(&all));
        assert_eq!(soft, output);
    }

    #[test]
    fn without_drop_out_both_outputs_are_the_same_to_the_bit() {
        let gates = Gates::new(INPUTS, 2, CHOICES, &mut generator(1));
        let [soft, output] = run(&gates, &values(BATCH * INPUTS, 2), None);
        assert_eq!(soft, output);
    }

    #[test]
    fn logits_of_any_size_give_finite_shares() {
        let mut gates = Gates::new(INPUTS, 2, CHOICES, &mut generator(1));
        gates.weight.weight.iter_mut().for_each(|w| *w *= 1e6);
        for dropout in [None, Some(&DROPOUT)] {
            let [_, output] = run(&gates, &values(BATCH * INPUTS, 2), dropout);
            for shares in output.chunks(CHOICES) {
                assert!((shares.iter().sum::<f32>() - 1.0).abs() < 1e-6, "{shares:?}");
            }
        }
    }
}
