//! The shallow tower: position crossed with context, added to the logits of the biased objectives (YT section 4.3).
//!
//! `logit[k] = main[k] + weight[k][cell][position]`. Position 0 is *missing*: position drop-out trains it, serving reads it.

use spec::{Bias, Kind, Spec};

use crate::Encoded;

/// Layer number of position drop-out's draws.
pub(crate) const POSITION_LAYER: u32 = 3;

/// Weights of the shallow tower; a gradient has the same type.
#[derive(Debug, Clone, PartialEq)]
pub struct ShallowTower {
    /// Objectives with a shallow logit, by index.
    pub objectives: Vec<usize>,
    /// Per such objective `[cells, positions + 1]`; column 0 is the missing position.
    pub weight: Vec<Vec<f32>>,
    /// Cells of the crossed bias fields.
    pub cells: usize,
    /// Highest position.
    pub positions: usize,
}

impl ShallowTower {
    /// All zeros: before training, no position is better than another.
    pub fn new(spec: &Spec, bias: &Bias) -> ShallowTower {
        let cells = bias
            .fields
            .iter()
            .map(|&field| match spec.fields[field].kind {
                Kind::Id { table, .. } => spec.tables[table].len() + 1,
                _ => 1,
            })
            .product();
        let positions = bias.max_position as usize;
        let weight = vec![vec![0.0; cells * (positions + 1)]; bias.objectives.len()];
        ShallowTower {
            objectives: bias.objectives.clone(),
            weight,
            cells,
            positions,
        }
    }

    /// The same shape, all zeros.
    pub fn zeros_like(&self) -> ShallowTower {
        let weight = self.weight.iter().map(|weight| vec![0.0; weight.len()]).collect();
        ShallowTower {
            weight,
            ..self.clone()
        }
    }

    /// Whether training never met a known position: all its weights are as they began.
    pub fn met_no_position(&self) -> bool {
        let cells = self
            .weight
            .iter()
            .flat_map(|weight| weight.chunks_exact(self.positions + 1));
        cells.flat_map(|cell| &cell[1..]).all(|&weight| weight == 0.0)
    }

    /// Where the weight of a cell and position lies.
    fn index(&self, cell: u32, position: u32) -> usize {
        cell as usize * (self.positions + 1) + position as usize
    }

    /// Adds the shallow logits: logits per objective `[batch]`, positions `[batch]` with 0 = missing.
    pub fn forward(&self, batch: &Encoded, positions: &[u32], logits: &mut [Vec<f32>]) {
        for (weight, &objective) in self.weight.iter().zip(&self.objectives) {
            for (row, logit) in logits[objective][..batch.len].iter_mut().enumerate() {
                *logit += weight[self.index(batch.cells[row], positions[row])];
            }
        }
    }

    /// **Adds** to `grad`; d_logits per objective `[batch]`.
    pub fn backward(
        &self,
        batch: &Encoded,
        positions: &[u32],
        d_logits: &[Vec<f32>],
        grad: &mut ShallowTower,
    ) {
        for (grad, &objective) in grad.weight.iter_mut().zip(&self.objectives) {
            for (row, &d_logit) in d_logits[objective][..batch.len].iter().enumerate() {
                let cell = planted!(batch.cells[row], "shallow tower: one cell for all" => 0);
                let position = planted!(
                    positions[row],
                    "shallow tower: logged for drawn position" => batch.positions[row],
                    "shallow tower: missing for every position" => 0,
                );
                let d = planted!(d_logit, "shallow tower: sign" => -d_logit);
                grad[self.index(cell, position)] += d;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use nn::{GradientMismatch, check_gradient};

    use super::*;
    use crate::faults::assert_check_bites;
    use crate::testing::{BOTTOMS, Draws, START, TOLERANCE, added, spec_with, weighted_sum};

    /// Three objectives, of which the first two have a shallow logit; 3 x 3 cells, positions 1 to 3.
    fn tower() -> ShallowTower {
        let spec = spec_with(BOTTOMS[0]);
        let mut tower = ShallowTower::new(&spec, spec.bias.as_ref().unwrap());
        let mut draws = Draws::new(1);
        tower
            .weight
            .iter_mut()
            .flatten()
            .for_each(|weight| *weight = draws.value());
        tower
    }

    fn batch() -> Encoded {
        let cells = vec![0, 8, 4, 4, 1];
        Encoded {
            len: 5,
            cells,
            positions: vec![1, 2, 3, 3, 1],
            ..Encoded::default()
        }
    }

    const DRAWN: [u32; 5] = [1, 0, 3, 3, 0];

    fn check() -> Result<(), GradientMismatch> {
        let (tower, batch) = (tower(), batch());
        let d_logits: Vec<Vec<f32>> = (2..5).map(|seed| Draws::new(seed).values(5)).collect();
        let mut grad = tower.zeros_like();
        grad.weight.iter_mut().flatten().for_each(|d| *d = START);
        tower.backward(&batch, &DRAWN, &d_logits, &mut grad);
        for (at, gradient) in grad.weight.iter().enumerate() {
            let loss = |weight: &[f32]| {
                let mut probe = tower.clone();
                probe.weight[at].copy_from_slice(weight);
                let mut logits = vec![vec![0.0; 5]; 3];
                probe.forward(&batch, &DRAWN, &mut logits);
                d_logits
                    .iter()
                    .zip(&logits)
                    .map(|(d, logits)| weighted_sum(d, logits))
                    .sum()
            };
            check_gradient(
                "weight",
                &mut tower.weight[at].clone(),
                &added(gradient),
                loss,
                TOLERANCE,
            )?;
        }
        Ok(())
    }

    #[test]
    fn the_gradients_are_the_slopes_and_the_check_notices_planted_faults() {
        let faults = [
            "shallow tower: one cell for all",
            "shallow tower: logged for drawn position",
            "shallow tower: missing for every position",
            "shallow tower: sign",
        ];
        assert_check_bites("shallow tower", &faults, check);
    }

    #[test]
    fn it_adds_the_weight_of_cell_and_position_to_its_objectives_alone() {
        let (tower, batch) = (tower(), batch());
        let mut logits = vec![vec![10.0; 5]; 3];
        tower.forward(&batch, &DRAWN, &mut logits);
        for objective in [0, 1] {
            let expected = [(0, 1), (8, 0), (4, 3), (4, 3), (1, 0)]
                .map(|(c, p)| 10.0 + tower.weight[objective][c * 4 + p]);
            assert_eq!(logits[objective], expected);
        }
        assert_eq!(logits[2], [10.0; 5]);
    }
}
