//! Gradient reversal on the shallow tower: what of its output alone tells the label is unlearned.
//!
//! After "Towards Disentangling Relevance and Bias in Unbiased Learning to Rank" (arXiv 2212.13937, section 4), in our reading: a head
//! `sigmoid(a o + c)` predicts the label by the tower's output `o` and learns as it likes; its gradient reaches the tower with
//! the sign turned, times the strength. `o` is the logit `b` where the form is additive, and the logarithm of the examination
//! probability, `ln sigmoid(b)`, where it is a product.
//!
//! It is stable because the head's scale counts for at most 1 there, and the strength is below 1: as `b` grows without
//! bound either way, the label's gradient outweighs the reversed one, so that no weight runs away.

use super::{ShallowTower, TowerActivations, TowerForm};
use crate::Encoded;

impl ShallowTower {
    /// Trains the head of biased objective number `at` on `targets` `[batch]` (`NaN`: none), of which the gradient is **added** to
    /// `grad`, and leaves the reversed gradient of the output in `acts`. `strength` is of the reversal, `scale` of the loss.
    pub(crate) fn reverse(
        &self,
        at: usize,
        (batch, positions): (&Encoded, &[u32]),
        targets: &[f32],
        (strength, scale): (f32, f32),
        acts: &mut TowerActivations,
        grad: &mut ShallowTower,
    ) {
        let (Some(&[a, c]), Some(reversed)) = (
            self.reversal.as_chunks::<2>().0.get(at),
            acts.d_reversed.get_mut(at),
        ) else {
            return;
        };
        let turned = planted!(-a.clamp(-1.0, 1.0), "reversal: sign" => a.clamp(-1.0, 1.0));
        for (row, &target) in targets.iter().enumerate() {
            reversed[row] = 0.0;
            // An output that was left out told nothing.
            if target.is_nan() || acts.d_output[at][row] == 0.0 {
                continue;
            }
            let (output, d_output) =
                self.output(self.weight[at][self.index(batch.cells[row], positions[row])]);
            let slope = scale * batch.weights[row] * (nn::sigmoid(a * output + c) - target);
            grad.reversal[2 * at] += planted!(slope * output, "reversal: output forgotten" => slope);
            grad.reversal[2 * at + 1] += slope;
            let slope = planted!(strength * slope * d_output, "reversal: strength forgotten" => slope * d_output,
                "reversal: slope of the output forgotten" => strength * slope);
            reversed[row] = turned * slope;
        }
    }

    /// What the head reads of the weight `b`, and its slope.
    fn output(&self, b: f32) -> (f32, f32) {
        match self.form {
            TowerForm::Additive => (b, 1.0),
            TowerForm::Product => (self.form.effect(b) as f32, nn::sigmoid(-b)),
        }
    }
}
