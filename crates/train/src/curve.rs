//! The position curve: what the shallow tower learned of each position, beside the raw rates of the training part.
//!
//! In: encoded training batches, then the trained shallow tower. Out: a [`PositionCurve`] per biased objective and cell.

mod anchored;
mod line;

use model::{Encoded, Ranker, ShallowTower, TowerForm};
use spec::{Kind, Rows, Spec};

pub(crate) use anchored::ShuffledRows;
pub use anchored::{AnchoredCurve, AnchoredPoint};

/// What was learned of one objective's positions in one cell of the bias fields.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PositionCurve {
    /// The objective.
    pub objective: String,
    /// The values of the crossed bias fields; empty where position is the only one.
    pub cell: String,
    /// Whether the form of bias is a product: the points are then logarithms of probabilities, else logits.
    #[serde(default)]
    pub product: bool,
    /// By position, from the lowest met.
    pub points: Vec<PositionPoint>,
}

/// One position.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PositionPoint {
    /// From 1.
    pub position: u32,
    /// Training rows with an observed label there.
    pub rows: u64,
    /// Log-odds of the raw rate there less those at the first point, of a product the logarithm of the rate; `None` where one
    /// class is absent.
    pub raw: Option<f64>,
    /// The shallow logit less that of the first point; of a product the logarithm of the examination probability.
    pub learned: f64,
}

/// Counts of the training part.
#[derive(Debug, Clone)]
pub(crate) struct PositionCounts {
    positions: usize,
    objectives: Vec<usize>,
    /// Per biased objective, cell and position: rows and sum of labels.
    counts: Vec<Vec<(u64, f64)>>,
}

impl PositionCounts {
    pub(crate) fn new(spec: &Spec) -> Option<PositionCounts> {
        let bias = spec.bias.as_ref()?;
        let cells = model::bias_cells(spec, bias);
        let positions = bias.max_position as usize + 1;
        Some(PositionCounts {
            positions,
            objectives: bias.objectives.clone(),
            counts: vec![vec![(0, 0.0); cells * positions]; bias.objectives.len()],
        })
    }

    pub(crate) fn add(&mut self, batch: &Encoded) {
        for (counts, &objective) in self.counts.iter_mut().zip(&self.objectives) {
            for row in 0..batch.len {
                let label = batch.labels[objective][row];
                if !label.is_nan() {
                    let at = batch.cells[row] as usize * self.positions + batch.positions[row] as usize;
                    counts[at].0 += 1;
                    counts[at].1 += f64::from(label);
                }
            }
        }
    }

    /// Whether no row had a position.
    pub(crate) fn met_no_position(&self) -> bool {
        let cells = self
            .counts
            .iter()
            .flat_map(|counts| counts.chunks_exact(self.positions));
        cells.flat_map(|cell| &cell[1..]).all(|(rows, _)| *rows == 0)
    }

    /// The counts as numbers, for a checkpoint: rows, then the bits of the sums of labels.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = u64> {
        let counts = || self.counts.iter().flatten();
        counts()
            .map(|(rows, _)| *rows)
            .chain(counts().map(|(_, sum)| sum.to_bits()))
    }

    /// Takes such numbers back; `false`, and nothing is taken, where they are of other positions.
    pub(crate) fn fill(&mut self, numbers: &[u64]) -> bool {
        let (rows, sums) = numbers.split_at(numbers.len() / 2);
        if numbers.len() != 2 * self.counts.iter().map(Vec::len).sum::<usize>() {
            return false;
        }
        let counts = self.counts.iter_mut().flatten();
        for ((count, rows), sum) in counts.zip(rows).zip(sums) {
            *count = (*rows, f64::from_bits(*sum));
        }
        true
    }

    /// How far the curves of `shallow` have moved from where its weights were `before`: of the mean over cells, each counted by its
    /// rows, less that of the first position, the largest difference at a position that a hundredth of the rows has. `None` where
    /// fewer than two have.
    pub(crate) fn moved(&self, shallow: &ShallowTower, before: &[f32]) -> Option<f64> {
        let size = shallow.cells * self.positions;
        let objectives = self
            .counts
            .iter()
            .zip(&shallow.weight)
            .zip(before.chunks_exact(size));
        let moved = objectives.filter_map(|((counts, now), before)| {
            let rows: u64 = counts.iter().map(|(rows, _)| rows).sum();
            let shift = |position: usize| {
                let cells = (position..size).step_by(self.positions);
                let of: u64 = cells.clone().map(|at| counts[at].0).sum();
                let sum: f64 = cells
                    .map(|at| {
                        let moved = shallow.form.effect(now[at]) - shallow.form.effect(before[at]);
                        counts[at].0 as f64 * moved
                    })
                    .sum();
                (of > 0 && of * 100 >= rows).then(|| sum / of as f64)
            };
            let shifts: Vec<f64> = (1..self.positions).filter_map(shift).collect();
            let (first, others) = shifts.split_first()?;
            others.iter().map(|shift| (shift - first).abs()).reduce(f64::max)
        });
        moved.reduce(f64::max)
    }

    /// The curves, of cells with a known position.
    pub(crate) fn curves(&self, ranker: &Ranker) -> Vec<PositionCurve> {
        let spec = ranker.spec();
        let Some(shallow) = &ranker.weights.shallow else {
            return Vec::new();
        };
        let product = shallow.form == TowerForm::Product;
        let mut curves = Vec::new();
        for ((counts, weight), &objective) in self.counts.iter().zip(&shallow.weight).zip(&self.objectives) {
            let cells = counts
                .chunks_exact(self.positions)
                .zip(weight.chunks_exact(self.positions));
            for (cell, (counts, weight)) in cells.enumerate() {
                let effects: Vec<f64> = weight.iter().map(|&weight| shallow.form.effect(weight)).collect();
                let points = points(counts, &effects, product);
                if points.len() > 1 {
                    curves.push(PositionCurve {
                        product,
                        objective: spec.objectives[objective].name.clone(),
                        cell: cell_name(spec, cell),
                        points,
                    });
                }
            }
        }
        curves
    }
}

fn points(counts: &[(u64, f64)], effects: &[f64], product: bool) -> Vec<PositionPoint> {
    let raw = |(rows, sum): (u64, f64)| {
        let rate = sum / rows as f64;
        let of = if product { rate } else { rate / (1.0 - rate) };
        (rate > 0.0 && rate < 1.0).then(|| of.ln())
    };
    let known = || (1..counts.len()).filter(|position| counts[*position].0 > 0);
    let Some(first) = known().next() else {
        return Vec::new();
    };
    known()
        .map(|position| PositionPoint {
            position: position as u32,
            rows: counts[position].0,
            raw: raw(counts[position])
                .zip(raw(counts[first]))
                .map(|(raw, first)| raw - first),
            learned: effects[position] - effects[first],
        })
        .collect()
}

/// The values of the bias fields in a cell, as `phone, de`.
pub(crate) fn cell_name(spec: &Spec, cell: usize) -> String {
    let mut rest = cell;
    let mut names = Vec::new();
    for &field in spec.bias.iter().flat_map(|bias| bias.fields.iter().rev()) {
        let Kind::Id { table, .. } = spec.fields[field].kind else {
            continue;
        };
        let table = &spec.tables[table];
        let row = rest % (table.len() + 1);
        rest /= table.len() + 1;
        names.push(match &table.rows {
            _ if row == table.len() => "other".to_owned(),
            Rows::Values(values) => values[row].clone(),
            _ => format!("bucket {row}"),
        });
    }
    names.reverse();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_relative_to_its_first_known_position() {
        // Position 0 is missing; 2 was never met; 3 has one class only.
        let counts = [(5, 1.0), (10, 5.0), (0, 0.0), (4, 0.0), (10, 1.0)];
        let effects = [9.0, 1.0, 7.0, 0.5, -1.0];
        let points = points(&counts, &effects, false);
        let positions: Vec<u32> = points.iter().map(|point| point.position).collect();
        assert_eq!(positions, [1, 3, 4]);
        assert_eq!([points[0].raw, points[1].raw], [Some(0.0), None]);
        assert!((points[2].raw.unwrap() - (1.0f64 / 9.0).ln()).abs() < 1e-12);
        assert_eq!(points[2].learned, -2.0);
        let rates = super::points(&counts, &effects, true);
        assert!((rates[2].raw.unwrap() - 0.2f64.ln()).abs() < 1e-12);
        assert!(super::points(&[(5, 1.0), (0, 0.0)], &[0.0, 0.0], false).is_empty());
    }

    #[test]
    fn a_curve_moves_as_far_as_its_mean_over_cells_does_at_positions_that_count() {
        // Two cells, positions 1 to 3; of position 3 there is too little to tell.
        let counts = vec![
            (0, 0.0),
            (600, 1.0),
            (300, 1.0),
            (1, 0.0),
            (0, 0.0),
            (200, 1.0),
            (100, 1.0),
            (0, 0.0),
        ];
        let positions = PositionCounts {
            positions: 4,
            objectives: vec![0],
            counts: vec![counts],
        };
        let before = [0.0; 8];
        let moved = |weight: [f32; 8]| {
            let shallow = ShallowTower {
                form: TowerForm::Additive,
                objectives: vec![0],
                weight: vec![weight.to_vec()],
                reversal: Vec::new(),
                cells: 2,
                positions: 3,
            };
            positions.moved(&shallow, &before).unwrap()
        };
        assert_eq!(moved([9.0, 0.0, 0.0, 9.0, 9.0, 0.0, 0.0, 9.0]), 0.0);
        assert_eq!(
            moved([0.0, 0.5, 0.5, 0.0, 0.0, 0.5, 0.5, 0.0]),
            0.0,
            "all by as much"
        );
        // At position 2, three rows of four move by 0.4.
        let of = moved([0.0, 0.0, -0.4, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert!((of - 0.3).abs() < 1e-6, "{of}");
        assert!(!positions.met_no_position());
    }
}
