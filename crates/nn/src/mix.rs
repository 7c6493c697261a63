//! The mixture: each gate's sum of the experts, weighted by its shares: `f^g = sum_e gate^g_e · expert_e`.
//!
//! Ma et al. 2018 (MMoE), section 4.2. Letters: B batch, G gates, E choices (experts), W width of an expert.

use crate::{Mat, MatMut};

for_each_path! {
    /// Shapes: gates `[B, G * E]`, experts `[B, E * W]`, output `[B, G * W]`, with E = `choices`.
    pub fn mix(gates: Mat, experts: Mat, output: MatMut, choices: usize) {
        let mut output = output;
        let width = width_of(gates, experts, (output.rows(), output.cols()), choices);
        output.fill(0.0);
        if width == 0 {
            return;
        }
        for b in 0..output.rows() {
            let (gates, experts) = (gates.row(b), experts.row(b));
            let mixtures = output.row_mut(b).chunks_exact_mut(width);
            for (shares, mixture) in gates.chunks_exact(choices).zip(mixtures) {
                for (share, expert) in shares.iter().zip(experts.chunks_exact(width)) {
                    add_scaled(mixture, *share, expert);
                }
            }
        }
    }
}

for_each_path! {
    /// **Adds** to `d_gates` and `d_experts`. Shapes: gates and d_gates `[B, G * E]`, experts and d_experts `[B, E * W]`,
    /// d_output `[B, G * W]`, with E = `choices`.
    pub fn mix_backward(
        gates: Mat,
        experts: Mat,
        d_output: Mat,
        d_gates: MatMut,
        d_experts: MatMut,
        choices: usize,
    ) {
        let (mut d_gates, mut d_experts) = (d_gates, d_experts);
        let width = width_of(gates, experts, (d_output.rows(), d_output.cols()), choices);
        if width == 0 {
            return;
        }
        for b in 0..d_output.rows() {
            let (experts, d_experts) = (experts.row(b), d_experts.row_mut(b));
            let d_gates = d_gates.row_mut(b).chunks_exact_mut(choices);
            let d_mixtures = d_output.row(b).chunks_exact(width);
            for ((shares, d_shares), d_mixture) in gates.row(b).chunks_exact(choices).zip(d_gates).zip(d_mixtures)
            {
                for (e, (share, d_share)) in shares.iter().zip(d_shares).enumerate() {
                    let expert = e * width..(e + 1) * width;
                    let d = dot(d_mixture, &experts[expert.clone()]);
                    planted!(
                        *d_share += d,
                        "mix: d_gates written, not added" => *d_share = d,
                        "mix: sign of d_gates" => *d_share -= d,
                    );
                    let d_share_of = planted!(*share, "mix: d_experts without the share" => 1.0, "mix: d_experts by d_gates" => d);
                    add_scaled(&mut d_experts[expert], d_share_of, d_mixture);
                }
            }
        }
    }
}

/// W, once the shapes agree.
fn width_of(gates: Mat, experts: Mat, output: (usize, usize), choices: usize) -> usize {
    assert!(choices > 0, "a mixture of no experts");
    let (width, count) = (experts.cols() / choices, gates.cols() / choices);
    assert_eq!(width * choices, experts.cols(), "columns of experts");
    assert_eq!(count * choices, gates.cols(), "columns of gates");
    assert_eq!(output, (gates.rows(), count * width), "shape of the mixture");
    width
}

#[inline(always)]
fn add_scaled(to: &mut [f32], scale: f32, from: &[f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += scale * from;
    }
}

/// Sums that run beside each other.
const LANES: usize = 16;

/// `sum_i a_i b_i`, in an order that the length alone decides.
#[inline(always)]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::assert_check_bites;
    use crate::testing::{START, TOLERANCE, added, values, weighted_sum};
    use crate::{GradientMismatch, check_gradient};

    const BATCH: usize = 3;
    const GATES: usize = 2;
    const CHOICES: usize = 4;
    const WIDTH: usize = 5;

    fn run(gates: &[f32], experts: &[f32]) -> Vec<f32> {
        let mut output = vec![f32::NAN; BATCH * GATES * WIDTH];
        mix(
            Mat::new(gates, BATCH, GATES * CHOICES),
            Mat::new(experts, BATCH, CHOICES * WIDTH),
            MatMut::new(&mut output, BATCH, GATES * WIDTH),
            CHOICES,
        );
        output
    }

    fn check() -> Result<(), GradientMismatch> {
        let mut gates = values(BATCH * GATES * CHOICES, 1);
        let mut experts = values(BATCH * CHOICES * WIDTH, 2);
        let d_output = values(BATCH * GATES * WIDTH, 3);
        let (mut d_gates, mut d_experts) = (vec![START; gates.len()], vec![START; experts.len()]);
        mix_backward(
            Mat::new(&gates, BATCH, GATES * CHOICES),
            Mat::new(&experts, BATCH, CHOICES * WIDTH),
            Mat::new(&d_output, BATCH, GATES * WIDTH),
            MatMut::new(&mut d_gates, BATCH, GATES * CHOICES),
            MatMut::new(&mut d_experts, BATCH, CHOICES * WIDTH),
            CHOICES,
        );
        let by_gates = |v: &[f32]| weighted_sum(&d_output, &run(v, &experts));
        check_gradient("gates", &mut gates, &added(&d_gates), by_gates, TOLERANCE)?;
        let by_experts = |v: &[f32]| weighted_sum(&d_output, &run(&gates, v));
        check_gradient("experts", &mut experts, &added(&d_experts), by_experts, TOLERANCE)
    }

    #[test]
    fn the_gradients_are_the_slopes_and_the_check_notices_planted_faults() {
        let faults = [
            "mix: d_gates written, not added",
            "mix: sign of d_gates",
            "mix: d_experts without the share",
            "mix: d_experts by d_gates",
        ];
        assert_check_bites("mix", &faults, check);
    }

    #[test]
    fn a_gate_with_all_its_share_on_one_expert_gives_that_expert() {
        let experts = values(BATCH * CHOICES * WIDTH, 2);
        let mut gates = vec![0.0; BATCH * GATES * CHOICES];
        for row in gates.chunks_mut(GATES * CHOICES) {
            row[2] = 1.0;
            row[CHOICES] = 1.0;
        }
        let output = run(&gates, &experts);
        for b in 0..BATCH {
            let expert = |e: usize| &experts[(b * CHOICES + e) * WIDTH..][..WIDTH];
            let mixture = |g: usize| &output[(b * GATES + g) * WIDTH..][..WIDTH];
            assert_eq!((mixture(0), mixture(1)), (expert(2), expert(0)));
        }
    }
}
