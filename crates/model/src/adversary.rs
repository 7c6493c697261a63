//! The adversary: a small network that tells the position by the main tower's logits of the biased objectives, and a main tower that
//! unlearns what it goes by (the adversarial baseline of YT section 4.3, table 2).
//!
//! In: logits, logged positions, the label's gradient of the logits. Out: that gradient with the adversary's reversed one added,
//! and the adversary's own. Serving has no use for it.

use rand_chacha::ChaCha8Rng;
use spec::{BiasForm, Spec};

use crate::Encoded;

/// Units of its one layer, of tanh, which bounds what it gives back.
const UNITS: usize = 8;

/// Of each example and objective, the most that the reversed gradient is of the label's. So it cannot delete the main tower: whatever
/// the adversary says, it acts as if labels of either kind counted between 1/2 and 3/2, which moves a logit by at most ln 3. It is
/// bounded example by example, and so over a batch too, without a sum over shards.
const MOST: f32 = 0.5;

/// Weights of the adversary; a gradient has the same type.
#[derive(Debug, Clone, PartialEq)]
pub struct Adversary {
    /// Objectives whose logits it reads, by index.
    pub objectives: Vec<usize>,
    /// `[objectives, UNITS]`, `[UNITS]`, `[UNITS]`, `[1]`: the layer's weights and biases, the output's weights and bias.
    parts: [Vec<f32>; 4],
    /// Mean and deviation of the logarithm of positions from 1 to the highest.
    log_position: (f32, f32),
}

impl Adversary {
    /// The adversary of `spec`, where its form of bias has one: random weights.
    pub(crate) fn of(spec: &Spec, rng: &mut ChaCha8Rng) -> Option<Adversary> {
        let bias = spec
            .bias
            .as_ref()
            .filter(|bias| bias.form == BiasForm::Adversarial)?;
        let objectives = bias.objectives.clone();
        let hidden = nn::Dense::new(objectives.len(), UNITS, 1.0, rng);
        let out = nn::Dense::new(UNITS, 1, 1.0, rng);
        Some(Adversary {
            objectives,
            parts: [hidden.weight, hidden.bias, out.weight, out.bias],
            log_position: moments(bias.max_position),
        })
    }

    /// The same shape, all zeros.
    pub(crate) fn zeros_like(&self) -> Adversary {
        let mut zeros = self.clone();
        zeros.parts_mut().for_each(|part| part.fill(0.0));
        zeros
    }

    /// Names of [`Adversary::parts`].
    pub(crate) const NAMES: [&str; 4] = ["hidden.weight", "hidden.bias", "position.weight", "position.bias"];

    /// All its weights, in a fixed order.
    pub fn parts(&self) -> impl Iterator<Item = &[f32]> {
        self.parts.iter().map(Vec::as_slice)
    }

    /// The same, to change.
    pub fn parts_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.parts.iter_mut().map(Vec::as_mut_slice)
    }

    /// **Adds** to `grad` the gradient of `scale` times the squared error, halved, of the standardised logarithm of each known
    /// position, and to `d_logits` (per objective `[batch]`) the reversed gradient of the logits at this strength, as far as it is
    /// [allowed](MOST).
    pub(crate) fn run(
        &self,
        batch: &Encoded,
        logits: &[Vec<f32>],
        (strength, scale): (f32, f32),
        d_logits: &mut [Vec<f32>],
        grad: &mut Adversary,
    ) {
        let [weight, bias, out, offset] = &self.parts;
        let [d_weight, d_bias, d_out, d_offset] = &mut grad.parts;
        for row in (0..batch.len).filter(|&row| batch.positions[row] > 0) {
            let read = || self.objectives.iter().zip(weight.chunks_exact(UNITS));
            let mut units: [f32; UNITS] = std::array::from_fn(|unit| bias[unit]);
            for (&objective, weight) in read() {
                let logit = logits[objective][row];
                units
                    .iter_mut()
                    .zip(weight)
                    .for_each(|(unit, weight)| *unit += logit * weight);
            }
            units = units.map(f32::tanh);
            let told: f32 = offset[0] + units.iter().zip(out).map(|(unit, out)| unit * out).sum::<f32>();
            let error = told - self.target(batch.positions[row]);
            let d = scale * batch.weights[row] * error;
            d_offset[0] += d;
            let mut d_units = [0.0; UNITS];
            for unit in 0..UNITS {
                d_out[unit] += planted!(d * units[unit], "adversary: units forgotten" => d);
                let slope = planted!(1.0 - units[unit] * units[unit], "adversary: no tanh" => 1.0);
                d_units[unit] = d * out[unit] * slope;
                d_bias[unit] += d_units[unit];
            }
            for ((&objective, weight), d_weight) in read().zip(d_weight.chunks_exact_mut(UNITS)) {
                let logit = logits[objective][row];
                let mut d_logit = 0.0;
                for unit in 0..UNITS {
                    d_weight[unit] +=
                        planted!(logit * d_units[unit], "adversary: logit forgotten" => d_units[unit]);
                    d_logit += weight[unit] * d_units[unit];
                }
                let of_label = &mut d_logits[objective][row];
                let most = MOST * of_label.abs();
                let turned = planted!(-strength * d_logit, "adversary: not reversed" => strength * d_logit);
                *of_label += turned.max(-most).min(most);
            }
        }
    }

    /// What a position is to be told as.
    fn target(&self, position: u32) -> f32 {
        ((position as f32).ln() - self.log_position.0) / self.log_position.1
    }
}

/// Mean and deviation of the logarithms of 1 to `highest`; a deviation of 1 where there is but one.
fn moments(highest: u32) -> (f32, f32) {
    let logs = || (1..=highest).map(|position| f64::from(position).ln());
    let mean = logs().sum::<f64>() / f64::from(highest);
    let variance = logs().map(|log| (log - mean).powi(2)).sum::<f64>() / f64::from(highest);
    let deviation = if variance > 0.0 { variance.sqrt() } else { 1.0 };
    (mean as f32, deviation as f32)
}

#[cfg(test)]
mod tests;
