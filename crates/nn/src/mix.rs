//! The mixture: each gate's sum of the experts, weighted by its shares: `f^g = sum_e gate^g_e · expert_e`.
//!
//! Ma et al. 2018 (MMoE), section 4.2. Letters: B batch, G gates, E choices (experts), W width of an expert.

use crate::{Mat, MatMut, executed};

for_each_path! {
    /// Shapes: gates `[B, G * E]`, experts `[B, E * W]`, output `[B, G * W]`, with E = `choices`.
    pub fn mix(gates: Mat, experts: Mat, output: MatMut, choices: usize) {
        let mut output = output;
        output.fill(0.0);
        add_mixtures(gates, experts, output, choices);
    }
}

for_each_path! {
    /// As [`mix`], **added** to `output`: a gate over several groups of experts is called with the shares of one after the other.
    pub fn mix_add(gates: Mat, experts: Mat, output: MatMut, choices: usize) {
        add_mixtures(gates, experts, output, choices);
    }
}

#[inline(always)]
fn add_mixtures(gates: Mat, experts: Mat, mut output: MatMut, choices: usize) {
    let width = width_of(gates, experts, (output.rows(), output.cols()), choices);
    if width == 0 {
        return;
    }
    executed::count(
        output.rows(),
        gates.cols() * width,
        experts.cols() + output.cols(),
    );
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

for_each_path! {
    /// Of [`mix_add`]: **writes** `d_gates`, and **adds** to `d_experts`, the gradient of what the experts gave. Shapes as there.
    pub fn mix_add_backward(
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
            let (shares, d_shares, d_mixtures) = (gates.row(b), d_gates.row_mut(b), d_output.row(b));
            let of_experts = experts.row(b).chunks_exact(width).zip(d_experts.row_mut(b).chunks_exact_mut(width));
            for (e, (expert, d_expert)) in of_experts.enumerate() {
                for (g, d_mixture) in d_mixtures.chunks_exact(width).enumerate() {
                    let d = dot(d_mixture, expert);
                    planted!(
                        d_shares[g * choices + e] = d,
                        "mix add: d_gates added, not written" => d_shares[g * choices + e] += d,
                    );
                    planted!(
                        add_scaled(d_expert, shares[g * choices + e], d_mixture),
                        "mix add: d_experts written, not added" => {
                            d_expert.fill(0.0);
                            add_scaled(d_expert, shares[g * choices + e], d_mixture);
                        },
                        "mix add: d_experts without the share" => add_scaled(d_expert, 1.0, d_mixture),
                    );
                }
            }
        }
    }
}

for_each_path! {
    /// **Writes** `d_gates`, and `d_experts`: experts end in ReLU, it is the gradient of what the ReLU was given, 0 where an expert
    /// is not positive. Shapes: gates and d_gates `[B, G * E]`, experts and d_experts `[B, E * W]`, d_output `[B, G * W]`, with
    /// E = `choices`.
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
            let (shares, d_shares, d_mixtures) = (gates.row(b), d_gates.row_mut(b), d_output.row(b));
            let of_experts = experts.row(b).chunks_exact(width).zip(d_experts.row_mut(b).chunks_exact_mut(width));
            for (e, (expert, d_expert)) in of_experts.enumerate() {
                planted!(d_expert.fill(0.0), "mix: d_experts added, not written" => ());
                for (g, d_mixture) in d_mixtures.chunks_exact(width).enumerate() {
                    let (share, d) = (shares[g * choices + e], dot(d_mixture, expert));
                    let d_share = &mut d_shares[g * choices + e];
                    planted!(
                        *d_share = d,
                        "mix: d_gates added, not written" => *d_share += d,
                        "mix: sign of d_gates" => *d_share = -d,
                    );
                    let by = planted!(share, "mix: d_experts without the share" => 1.0, "mix: d_experts by d_gates" => d);
                    add_scaled(d_expert, by, d_mixture);
                }
                for (d, value) in d_expert.iter_mut().zip(expert) {
                    let open = planted!(*value > 0.0, "mix: no ReLU below" => true);
                    *d = if open { *d } else { 0.0 };
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

/// `to += scale * from`.
#[inline(always)]
pub(crate) fn add_scaled(to: &mut [f32], scale: f32, from: &[f32]) {
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
        // Away from the kink of the ReLU, where there is no slope.
        let below = values(BATCH * CHOICES * WIDTH, 2);
        let mut below: Vec<f32> = below.iter().map(|v| v + 0.1 * v.signum()).collect();
        let rectified = |below: &[f32]| below.iter().map(|v| v.max(0.0)).collect::<Vec<f32>>();
        let experts = rectified(&below);
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
        check_gradient("gates", &mut gates, &d_gates, by_gates, TOLERANCE)?;
        let by_experts = |v: &[f32]| weighted_sum(&d_output, &run(&gates, &rectified(v)));
        check_gradient("experts", &mut below, &d_experts, by_experts, TOLERANCE)
    }

    #[test]
    fn the_gradients_are_the_slopes_and_the_check_notices_planted_faults() {
        let faults = [
            "mix: d_gates added, not written",
            "mix: d_experts added, not written",
            "mix: no ReLU below",
            "mix: sign of d_gates",
            "mix: d_experts without the share",
            "mix: d_experts by d_gates",
        ];
        assert_check_bites("mix", &faults, check);
    }

    /// Two groups of experts, of which each gate has the shares one after the other.
    fn run_added(gates: &[f32], experts: [&[f32]; 2]) -> Vec<f32> {
        let mut output = vec![0.0; BATCH * WIDTH];
        let gates = Mat::new(gates, BATCH, 3 * CHOICES);
        for (at, experts) in experts.into_iter().enumerate() {
            let choices = CHOICES * (at + 1);
            mix_add(
                gates.columns(at * CHOICES, choices),
                Mat::new(experts, BATCH, choices * WIDTH),
                MatMut::new(&mut output, BATCH, WIDTH),
                choices,
            );
        }
        output
    }

    fn check_added() -> Result<(), GradientMismatch> {
        let mut gates = values(BATCH * 3 * CHOICES, 1);
        let experts = [1, 2].map(|groups| values(BATCH * groups * CHOICES * WIDTH, groups as u64 + 1));
        let d_output = values(BATCH * WIDTH, 5);
        let mut d_gates = vec![START; gates.len()];
        let mut d_experts = experts.each_ref().map(|group| vec![START; group.len()]);
        for (at, (experts, d_experts)) in experts.iter().zip(&mut d_experts).enumerate() {
            let choices = CHOICES * (at + 1);
            mix_add_backward(
                Mat::new(&gates, BATCH, 3 * CHOICES).columns(at * CHOICES, choices),
                Mat::new(experts, BATCH, choices * WIDTH),
                Mat::new(&d_output, BATCH, WIDTH),
                MatMut::new(&mut d_gates, BATCH, 3 * CHOICES).columns_mut(at * CHOICES, choices),
                MatMut::new(d_experts, BATCH, choices * WIDTH),
                choices,
            );
        }
        let [mut first, mut second] = experts.clone();
        let by_gates = |v: &[f32]| weighted_sum(&d_output, &run_added(v, [&first, &second]));
        check_gradient("gates", &mut gates, &d_gates, by_gates, TOLERANCE)?;
        let by_first = |v: &[f32]| weighted_sum(&d_output, &run_added(&gates, [v, &experts[1]]));
        check_gradient("first", &mut first, &added(&d_experts[0]), by_first, TOLERANCE)?;
        let by_second = |v: &[f32]| weighted_sum(&d_output, &run_added(&gates, [&experts[0], v]));
        check_gradient("second", &mut second, &added(&d_experts[1]), by_second, TOLERANCE)
    }

    #[test]
    fn a_gate_over_two_groups_has_the_slopes_of_both_and_the_check_notices_planted_faults() {
        let faults = [
            "mix add: d_gates added, not written",
            "mix add: d_experts written, not added",
            "mix add: d_experts without the share",
        ];
        assert_check_bites("mix add", &faults, check_added);
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
