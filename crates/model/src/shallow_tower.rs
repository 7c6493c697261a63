//! The shallow tower: position crossed with context, which joins the logits of the biased objectives.
//!
//! Its output is `b = weight[k][cell][position]`. Additive (YT section 4.3): `logit = m + b`. Product (PAL, Guo et al., RecSys
//! 2019): `P = sigmoid(b) sigmoid(m)`, see [`product`]. Position 0 is *missing*: position drop-out trains it, serving reads it.

mod reversal;
#[cfg(test)]
mod tests;

use nn::draw;
use spec::{Bias, BiasForm, Kind, Loss, Spec};

use crate::Encoded;

/// Layer number of position drop-out's draws.
pub(crate) const POSITION_LAYER: u32 = 3;
/// Layer number of output drop-out's draws.
const OUTPUT_LAYER: u32 = 5;

/// Where a product's outputs begin: examined with probability 0.88. A product leaves open which factor is below 1; started at
/// 1/2 each, position 1 would have to climb to where it belongs, near 1, while the main tower sinks. From here the positions that
/// are examined less come down, which their labels demand. The main tower begins at the base rate over this.
const FIRST_PRODUCT: f32 = 2.0;

/// Weights of the shallow tower; a gradient has the same type.
#[derive(Debug, Clone, PartialEq)]
pub struct ShallowTower {
    /// How its output joins the main logit.
    pub form: TowerForm,
    /// Objectives with a shallow logit, by index.
    pub objectives: Vec<usize>,
    /// Per such objective `[cells, positions + 1]`; column 0 is the missing position.
    pub weight: Vec<Vec<f32>>,
    /// `[objectives, 2]`: per such objective the scale and the offset of the head whose gradient comes back reversed; empty where
    /// none does.
    pub reversal: Vec<f32>,
    /// Cells of the crossed bias fields.
    pub cells: usize,
    /// Highest position.
    pub positions: usize,
}

/// How the shallow tower's output `b` joins the main logit `m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TowerForm {
    /// `m + b`.
    Additive,
    /// The logit of `sigmoid(m) sigmoid(b)`.
    Product,
}

impl TowerForm {
    /// What an output says of a position: its logit, or the logarithm of the probability of being examined, `ln sigmoid(b)`.
    pub fn effect(self, b: f32) -> f64 {
        let b = f64::from(b);
        match self {
            TowerForm::Additive => b,
            TowerForm::Product => (b.min(0.0)) - (-b.abs()).exp().ln_1p(),
        }
    }
}

/// What a pass leaves for its way back, sized once: per biased objective `[batch]`.
#[derive(Debug)]
pub(crate) struct TowerActivations {
    /// Slope of the joint logit by the main one.
    d_main: Vec<Vec<f32>>,
    /// Slope of the joint logit by the tower's output; 0 where that was left out.
    d_output: Vec<Vec<f32>>,
    /// The reversed gradient of the output; empty where there is none.
    d_reversed: Vec<Vec<f32>>,
}

/// Cells of the cross of the bias fields.
pub fn bias_cells(spec: &Spec, bias: &Bias) -> usize {
    let rows = bias.fields.iter().map(|&field| match spec.fields[field].kind {
        Kind::Id { table, .. } => spec.tables[table].len() + 1,
        _ => 1,
    });
    rows.product()
}

/// The logit of `sigmoid(m) sigmoid(b)`, with its slopes by `m` and by `b`, all between 0 and 1:
/// `m + b - ln(1 + e^m + e^b)`, of which the largest term is taken out so that nothing overflows.
fn product(m: f32, b: f32) -> (f32, f32, f32) {
    let (m, b) = (f64::from(m), f64::from(b));
    let most = m.max(b).max(0.0);
    let [one, e_m, e_b] = [0.0, m, b].map(|term| (term - most).exp());
    let sum = one + e_m + e_b;
    let logit = m + b - most - sum.ln();
    let d_main = planted!((one + e_b) / sum, "product: slopes exchanged" => (one + e_m) / sum);
    let d_output = planted!(
        (one + e_m) / sum,
        "product: slopes exchanged" => (one + e_b) / sum,
        "product: added" => 1.0,
        "product: unexamined forgotten" => e_m / sum,
    );
    (logit as f32, d_main as f32, d_output as f32)
}

/// The logit of `probability * sigmoid(m)`.
pub(crate) fn seen_with(probability: f32, m: f32) -> f32 {
    if probability >= 1.0 {
        return m;
    }
    let probability = probability.max(f32::MIN_POSITIVE);
    product(m, (probability / (1.0 - probability)).ln()).0
}

impl ShallowTower {
    /// Before training no position is better than another.
    pub fn new(spec: &Spec, bias: &Bias) -> ShallowTower {
        let (form, first) = match bias.form {
            BiasForm::Product => (TowerForm::Product, FIRST_PRODUCT),
            _ => (TowerForm::Additive, 0.0),
        };
        let cells = bias_cells(spec, bias);
        let positions = bias.max_position as usize;
        let objectives = bias.objectives.clone();
        let reversed = bias.gradient_reversal > 0.0;
        ShallowTower {
            form,
            weight: vec![vec![first; cells * (positions + 1)]; objectives.len()],
            reversal: vec![0.0; if reversed { 2 * objectives.len() } else { 0 }],
            objectives,
            cells,
            positions,
        }
    }

    /// The curve of biased objective `at` in `cell`, positions 1 and on: each position's effect less that of position 1.
    pub fn curve(&self, at: usize, cell: u32) -> Vec<f64> {
        let of_cell = &self.weight[at][cell as usize * (self.positions + 1)..][..=self.positions];
        let first = self.form.effect(of_cell[1]);
        of_cell[1..]
            .iter()
            .map(|&b| self.form.effect(b) - first)
            .collect()
    }

    /// The tower of `spec`, where its form of bias has one.
    pub fn of(spec: &Spec) -> Option<ShallowTower> {
        let bias = spec.bias.as_ref().filter(|bias| bias.form.has_tower())?;
        Some(ShallowTower::new(spec, bias))
    }

    /// The same shape, all zeros.
    pub fn zeros_like(&self) -> ShallowTower {
        let mut zeros = self.clone();
        zeros.parts_mut().for_each(|part| part.fill(0.0));
        zeros
    }

    /// All its weights, in a fixed order.
    pub fn parts(&self) -> impl Iterator<Item = &[f32]> {
        let weight = self.weight.iter().map(Vec::as_slice);
        weight.chain(Some(self.reversal.as_slice()).filter(|part| !part.is_empty()))
    }

    /// The same, to change.
    pub fn parts_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        let weight = self.weight.iter_mut().map(Vec::as_mut_slice);
        weight.chain(Some(self.reversal.as_mut_slice()).filter(|part| !part.is_empty()))
    }

    /// The share of main predictions that the untrained tower lets through of `objective`.
    pub(crate) fn first_share(&self, objective: usize) -> f64 {
        match self.form {
            TowerForm::Product if self.objectives.contains(&objective) => {
                f64::from(nn::sigmoid(FIRST_PRODUCT))
            }
            _ => 1.0,
        }
    }

    /// Where the weight of a cell and position lies.
    fn index(&self, cell: u32, position: u32) -> usize {
        cell as usize * (self.positions + 1) + position as usize
    }

    /// The joint logit of `m` and the output `b`, with its slopes by both.
    fn joint(&self, m: f32, b: f32) -> (f32, f32, f32) {
        match self.form {
            TowerForm::Additive => (m + b, 1.0, 1.0),
            TowerForm::Product => product(m, b),
        }
    }

    /// Joins the shallow logits: logits per objective `[batch]`, positions `[batch]` with 0 = missing.
    pub fn forward(&self, batch: &Encoded, positions: &[u32], logits: &mut [Vec<f32>]) {
        for (weight, &objective) in self.weight.iter().zip(&self.objectives) {
            for (row, logit) in logits[objective][..batch.len].iter_mut().enumerate() {
                *logit = self
                    .joint(*logit, weight[self.index(batch.cells[row], positions[row])])
                    .0;
            }
        }
    }

    /// Buffers for up to `capacity` examples.
    pub(crate) fn activations(&self, capacity: usize) -> TowerActivations {
        let buffers = || vec![vec![0.0; capacity]; self.objectives.len()];
        TowerActivations {
            d_main: buffers(),
            d_output: buffers(),
            d_reversed: if self.reversal.is_empty() {
                Vec::new()
            } else {
                buffers()
            },
        }
    }

    /// As [`ShallowTower::forward`] in training: with a probability of `dropout`, drawn by `seed`, example and objective, the output
    /// is left out, and the main logit stands alone. What is kept is not scaled up: the joint logit of a kept example is then what
    /// serving with a position reads, and stays calibrated.
    pub(crate) fn forward_in_training(
        &self,
        batch: &Encoded,
        positions: &[u32],
        (dropout, seed): (f32, u64),
        acts: &mut TowerActivations,
        logits: &mut [Vec<f32>],
    ) {
        for (at, (weight, &objective)) in self.weight.iter().zip(&self.objectives).enumerate() {
            for (row, logit) in logits[objective][..batch.len].iter_mut().enumerate() {
                let draw = || draw(seed, batch.keys[row], OUTPUT_LAYER, objective as u32);
                let left_out = dropout > 0.0 && draw() < dropout;
                let (joint, d_main, d_output) = if left_out {
                    (
                        *logit,
                        1.0,
                        planted!(0.0, "shallow tower: left out and trained" => 1.0),
                    )
                } else {
                    self.joint(*logit, weight[self.index(batch.cells[row], positions[row])])
                };
                (*logit, acts.d_main[at][row], acts.d_output[at][row]) = (joint, d_main, d_output);
            }
        }
    }

    /// **Adds** to `grad`, and makes the gradient of the joint logits `d_logits`, per objective `[batch]`, that of the main ones.
    pub(crate) fn backward(
        &self,
        batch: &Encoded,
        positions: &[u32],
        acts: &TowerActivations,
        d_logits: &mut [Vec<f32>],
        grad: &mut ShallowTower,
    ) {
        for (at, &objective) in self.objectives.iter().enumerate() {
            for (row, d_logit) in d_logits[objective][..batch.len].iter_mut().enumerate() {
                let cell = planted!(batch.cells[row], "shallow tower: one cell for all" => 0);
                let position = planted!(
                    positions[row],
                    "shallow tower: logged for drawn position" => batch.positions[row],
                    "shallow tower: missing for every position" => 0,
                );
                let d = planted!(*d_logit, "shallow tower: sign" => -*d_logit);
                let reversed = acts.d_reversed.get(at).map_or(0.0, |reversed| reversed[row]);
                grad.weight[at][self.index(cell, position)] += d * acts.d_output[at][row] + reversed;
                let slope = planted!(acts.d_main[at][row], "shallow tower: main slope forgotten" => 1.0);
                *d_logit *= slope;
            }
        }
    }
}

/// Whether a gradient can come back reversed to the output of this objective.
pub(crate) fn is_reversible(loss: Loss) -> bool {
    loss == Loss::Binary
}
