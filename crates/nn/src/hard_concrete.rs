//! Hard concrete gates: numbers in `[0, 1]` that are often exactly 0 or 1 and yet learned by gradient.
//!
//! Louizos, Welling and Kingma, ICLR 2018, equations 10 to 13; Ma et al., AAAI 2019 (SNR), which gates connections with them.
//! In: ln alpha of each gate, and the keys of its draws. Out: the gates, their slopes, and how many are expected to be open.

use crate::{draw, sigmoid};

/// Beta: how near the draws before clipping come to 0 and 1.
const TEMPERATURE: f32 = 2.0 / 3.0;
/// Gamma and zeta: the bounds that a draw is stretched to before it is clipped to `[0, 1]`.
const STRETCH: (f32, f32) = (-0.1, 1.1);
/// Half of the distance between two draws: none is 0 or 1.
const HALF: f64 = 1.0 / 33_554_432.0;

/// Gates by their ln alpha, `[N]`.
#[derive(Debug, Clone, Copy)]
pub struct HardConcrete<'a> {
    /// Of each gate; a large one is mostly open.
    pub log_alpha: &'a [f32],
}

/// Keys of the draws of gates: one draw for a gate and step, whatever the examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConcreteDraws {
    /// Seed of the run.
    pub seed: u64,
    /// The step.
    pub step: u64,
    /// Tells these gates from the other places of the network that draw.
    pub layer: u32,
}

impl HardConcrete<'_> {
    /// Writes the gates `[N]`: drawn, `clip(stretch(sigmoid((ln u - ln(1 - u) + ln alpha) / beta)))`; without draws, as a network
    /// serves, `clip(stretch(sigmoid(ln alpha)))`.
    pub fn forward(&self, draws: Option<ConcreteDraws>, gates: &mut [f32]) {
        assert_eq!(self.log_alpha.len(), gates.len(), "a gate for each ln alpha");
        for (at, (gate, log_alpha)) in gates.iter_mut().zip(self.log_alpha).enumerate() {
            let s = match draws {
                None => sigmoid(*log_alpha),
                Some(draws) => {
                    let u = f64::from(draw(draws.seed, draws.step, draws.layer, at as u32)) + HALF;
                    sigmoid(((u.ln() - (1.0 - u).ln()) as f32 + log_alpha) / TEMPERATURE)
                }
            };
            let (low, high) = STRETCH;
            *gate = (s * (high - low) + low).clamp(0.0, 1.0);
        }
    }

    /// **Adds** to `d_log_alpha`; `gates` are those of a forward with draws. Shapes: all `[N]`.
    pub fn backward(&self, gates: &[f32], d_gates: &[f32], d_log_alpha: &mut [f32]) {
        let (low, high) = STRETCH;
        for ((d_log_alpha, gate), d_gate) in d_log_alpha.iter_mut().zip(gates).zip(d_gates) {
            // Clipped gates have no slope. Before the stretch the gate was s, whose slope is s (1 - s) / beta.
            let inside =
                planted!(*gate > 0.0 && *gate < 1.0, "hard concrete: slope of clipped gates" => true);
            if inside {
                let s = (gate - low) / (high - low);
                let slope = s * (1.0 - s) / planted!(TEMPERATURE, "hard concrete: no temperature" => 1.0);
                let stretch = planted!(high - low, "hard concrete: no stretch" => 1.0);
                *d_log_alpha += d_gate * slope * stretch;
            }
        }
    }

    /// How many gates are expected to be above 0: the sum of `sigmoid(ln alpha - beta ln(-gamma / zeta))`, equation 12.
    pub fn expected_open(&self) -> f64 {
        self.log_alpha
            .iter()
            .map(|log_alpha| f64::from(open(*log_alpha)))
            .sum()
    }

    /// **Adds** `scale` times the slope of [`HardConcrete::expected_open`].
    pub fn add_open_slope(&self, scale: f32, d_log_alpha: &mut [f32]) {
        for (d_log_alpha, log_alpha) in d_log_alpha.iter_mut().zip(self.log_alpha) {
            let open = open(*log_alpha);
            *d_log_alpha += scale
                * planted!(
                    open * (1.0 - open),
                    "hard concrete: open gates cost nothing" => 0.0,
                    "hard concrete: the cost of a gate for its slope" => open,
                );
        }
    }
}

/// Probability that a drawn gate is above 0.
fn open(log_alpha: f32) -> f32 {
    let (low, high) = STRETCH;
    sigmoid(log_alpha - TEMPERATURE * (-low / high).ln())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::assert_check_bites;
    use crate::testing::{START, TOLERANCE, added, values, weighted_sum};
    use crate::{GradientMismatch, check_gradient};

    const COUNT: usize = 40;
    const DRAWS: ConcreteDraws = ConcreteDraws {
        seed: 5,
        step: 3,
        layer: 7,
    };

    fn gates(log_alpha: &[f32], draws: Option<ConcreteDraws>) -> Vec<f32> {
        let mut gates = vec![f32::NAN; log_alpha.len()];
        HardConcrete { log_alpha }.forward(draws, &mut gates);
        gates
    }

    fn check() -> Result<(), GradientMismatch> {
        let mut log_alpha: Vec<f32> = values(COUNT, 1).iter().map(|v| 1.5 * v).collect();
        let d_gates = values(COUNT, 2);
        let found = gates(&log_alpha, Some(DRAWS));
        let clipped = found.iter().filter(|gate| **gate == 0.0 || **gate == 1.0).count();
        assert!(
            (5..COUNT - 5).contains(&clipped),
            "both kinds are checked: {found:?}"
        );
        let of = HardConcrete {
            log_alpha: &log_alpha,
        };
        let mut d = vec![START; COUNT];
        of.backward(&found, &d_gates, &mut d);
        of.add_open_slope(0.3, &mut d);
        let loss = |v: &[f32]| {
            let open = HardConcrete { log_alpha: v }.expected_open();
            weighted_sum(&d_gates, &gates(v, Some(DRAWS))) + 0.3 * open
        };
        check_gradient("ln alpha", &mut log_alpha, &added(&d), loss, TOLERANCE)
    }

    #[test]
    fn the_gradients_are_the_slopes_and_the_check_notices_planted_faults() {
        let faults = [
            "hard concrete: slope of clipped gates",
            "hard concrete: no temperature",
            "hard concrete: no stretch",
            "hard concrete: open gates cost nothing",
            "hard concrete: the cost of a gate for its slope",
        ];
        assert_check_bites("hard concrete", &faults, check);
    }

    #[test]
    fn the_share_of_draws_above_0_is_the_expected_one_and_each_step_draws_anew() {
        for log_alpha in [-3.0, -1.0, 0.0, 2.0] {
            let of_step = |step| gates(&[log_alpha; 500], Some(ConcreteDraws { step, ..DRAWS }));
            let open = (0..40).flat_map(of_step).filter(|gate| *gate > 0.0).count() as f64 / 2e4;
            let expected = HardConcrete {
                log_alpha: &[log_alpha],
            }
            .expected_open();
            // Five standard deviations of the share.
            let bound = 5.0 * (expected * (1.0 - expected) / 2e4).sqrt();
            assert!(
                (open - expected).abs() < bound,
                "{log_alpha}: {open}, expected {expected}"
            );
            assert_ne!(of_step(1), of_step(2));
            assert_eq!(of_step(1), of_step(1));
        }
    }

    #[test]
    fn without_draws_a_gate_is_what_its_alpha_says() {
        let found = gates(&[-10.0, -2.5, 0.0, 2.5, 10.0], None);
        assert_eq!((found[0], found[4]), (0.0, 1.0));
        assert_eq!(found[2], 0.5);
        assert!((found[1] + found[3] - 1.0).abs() < 1e-6, "{found:?}");
    }
}
