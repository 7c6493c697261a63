//! The anchored position curve: a line fitted on shuffled slates alone, where position is independent of relevance, shrunk to the
//! jointly learned curve as far as those slates are few.
//!
//! In: encoded batches, and the trained ranker. Out: an [`AnchoredCurve`] per biased binary objective and cell, where the shallow tower
//! adds to the logit. Of a product there is none: its logarithms of examination are no offset of a logit.

use std::collections::{BTreeMap, BTreeSet};

use model::{Encoded, Ranker};
use spec::{BiasForm, Loss};

use super::cell_name;
use super::line::{Labelled, Line, slope_of, weights};

/// What shuffled slates say of one objective's positions in one cell of the bias fields.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct AnchoredCurve {
    /// The objective.
    pub objective: String,
    /// The values of the crossed bias fields; empty where position is the only one.
    pub cell: String,
    /// Shuffled slates.
    pub slates: usize,
    /// Their rows with an observed label.
    pub rows: usize,
    /// Logit added at position 1 to the main tower's, by the shuffled slates alone.
    pub level: f64,
    /// Logit added for each unit of the logarithm of the position, by the shuffled slates alone.
    pub slope: f64,
    /// Standard error of `slope`.
    pub slope_error: f64,
    /// The same slope of the jointly learned curve: least squares, weighted by the shuffled rows at each position.
    pub joint_slope: f64,
    /// Share of the shuffled slates' line in `anchored`; the rest is the jointly learned curve. 0 to 1.
    pub weight: f64,
    /// By position, from the lowest met on shuffled slates.
    pub points: Vec<AnchoredPoint>,
}

/// One position.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct AnchoredPoint {
    /// From 1.
    pub position: u32,
    /// Shuffled rows with an observed label there.
    pub rows: usize,
    /// The mixture: `weight slope ln(position / first) + (1 - weight) joint`.
    pub anchored: f64,
    /// The shallow logit less that of the first point.
    pub joint: f64,
}

/// Rows of shuffled slates, collected batch by batch.
#[derive(Debug, Clone, Default)]
pub(crate) struct ShuffledRows {
    /// By biased objective and cell.
    cells: BTreeMap<(usize, u32), Vec<Row>>,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    slate: u64,
    position: u32,
    labelled: Labelled,
}

/// A cell whose shuffled rows give a line.
struct Found<'r> {
    objective: usize,
    cell: u32,
    rows: &'r [Row],
    line: Line,
    joint_slope: f64,
    /// Position, rows, joint curve.
    points: Vec<(u32, usize, f64)>,
}

impl ShuffledRows {
    /// Adds the shuffled rows of a batch that have a slate and a position.
    pub(crate) fn add(&mut self, ranker: &Ranker, batch: &Encoded) {
        let bias = ranker.spec().bias.as_ref();
        let (Some(shallow), false) = (
            &ranker.weights.shallow,
            bias.is_none_or(|bias| bias.form == BiasForm::Product),
        ) else {
            return;
        };
        let is_random =
            |row: usize| batch.shuffled[row] && batch.slates[row] != 0 && batch.positions[row] > 0;
        let rows: Vec<u32> = (0..batch.len)
            .filter(|&row| is_random(row))
            .map(|row| row as u32)
            .collect();
        if rows.is_empty() {
            return;
        }
        let batch = batch.select(&rows);
        let logits = ranker.main_logits(&batch);
        let binary = |objective: &&usize| ranker.spec().objectives[**objective].loss == Loss::Binary;
        for &objective in shallow.objectives.iter().filter(binary) {
            let labels = batch.labels[objective].iter().zip(&logits[objective]);
            for (row, (&label, &logit)) in labels.enumerate().filter(|(_, (label, _))| !label.is_nan()) {
                let position = batch.positions[row];
                let labelled = Labelled {
                    x: f64::from(position).ln(),
                    offset: f64::from(logit),
                    label: f64::from(label),
                };
                self.cells
                    .entry((objective, batch.cells[row]))
                    .or_default()
                    .push(Row {
                        slate: batch.slates[row],
                        position,
                        labelled,
                    });
            }
        }
    }

    /// The curves of the cells whose rows tell of positions. An objective's cells share the variance of the joint slopes' errors; see
    /// [`weights`].
    pub(crate) fn curves(&self, ranker: &Ranker) -> Vec<AnchoredCurve> {
        let found: Vec<Found> = (self.cells.iter())
            .filter_map(|(&(objective, cell), rows)| Found::of(ranker, objective, cell, rows))
            .collect();
        let of_objectives = found.chunk_by(|a, b| a.objective == b.objective);
        of_objectives
            .flat_map(|cells| {
                let pairs: Vec<(f64, f64)> = cells.iter().map(Found::difference).collect();
                let curves = cells.iter().zip(weights(&pairs));
                curves.map(|(found, weight)| found.curve(ranker, weight))
            })
            .collect()
    }
}

impl<'r> Found<'r> {
    fn of(ranker: &Ranker, objective: usize, cell: u32, rows: &'r [Row]) -> Option<Found<'r>> {
        let shallow = ranker.weights.shallow.as_ref()?;
        let at = shallow.objectives.iter().position(|other| *other == objective)?;
        let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
        rows.iter()
            .for_each(|row| *counts.entry(row.position).or_default() += 1);
        let first = *counts.keys().next()?;
        let width = shallow.positions + 1;
        let logit = |position: u32| f64::from(shallow.weight[at][cell as usize * width + position as usize]);
        let points: Vec<(u32, usize, f64)> = counts
            .into_iter()
            .map(|(position, rows)| (position, rows, logit(position) - logit(first)))
            .collect();
        let weighted: Vec<(f64, f64, f64)> = points
            .iter()
            .map(|&(position, rows, joint)| (f64::from(position).ln(), joint, rows as f64))
            .collect();
        let labelled: Vec<Labelled> = rows.iter().map(|row| row.labelled).collect();
        Some(Found {
            objective,
            cell,
            rows,
            line: Line::fit(&labelled)?,
            joint_slope: slope_of(&weighted)?,
            points,
        })
    }

    /// By how much the two slopes differ, and the variance of the line's.
    fn difference(&self) -> (f64, f64) {
        (self.line.slope - self.joint_slope, self.line.variance)
    }

    fn curve(&self, ranker: &Ranker, weight: f64) -> AnchoredCurve {
        let spec = ranker.spec();
        let slates: BTreeSet<u64> = self.rows.iter().map(|row| row.slate).collect();
        let first = self.points.first().map_or(1, |point| point.0);
        let points = self.points.iter().map(|&(position, rows, joint)| {
            let line = self.line.slope * (f64::from(position) / f64::from(first)).ln();
            AnchoredPoint {
                position,
                rows,
                anchored: weight * line + (1.0 - weight) * joint,
                joint,
            }
        });
        AnchoredCurve {
            objective: spec.objectives[self.objective].name.clone(),
            cell: cell_name(spec, self.cell as usize),
            slates: slates.len(),
            rows: self.rows.len(),
            level: self.line.level,
            slope: self.line.slope,
            slope_error: self.line.variance.sqrt(),
            joint_slope: self.joint_slope,
            weight,
            points: points.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{examples, ranker, spec_with};

    /// The curves of 400 shuffled slates of five, of which the first places are clicked more, under a form of bias.
    fn curves(form: &str) -> Vec<AnchoredCurve> {
        let bias = format!(
            "[bias]\nfields = [\"position\"]\ngroups = [\"engagement\"]\nform = \"{form}\"\n\n[score]"
        );
        let spec = spec_with("[score]", &bias);
        let ranker = ranker(&spec, 0.3);
        let mut batch = ranker.encoder.encode(&examples(&spec, 2_000, 10));
        for row in 0..batch.len {
            batch.slates[row] = 1 + row as u64 / 5;
            batch.positions[row] = 1 + row as u32 % 5;
            batch.shuffled[row] = true;
            // 5 to 1 of 10 slates.
            batch.labels[0][row] = f32::from(u8::from(row / 5 % 10 < 5 - row % 5));
        }
        let mut rows = ShuffledRows::default();
        // Of an unshuffled copy, or one without slates, nothing is taken.
        for change in [
            |batch: &mut Encoded| batch.shuffled.fill(false),
            |batch: &mut Encoded| batch.slates.fill(0),
        ] {
            let mut other = batch.clone();
            change(&mut other);
            rows.add(&ranker, &other);
        }
        rows.add(&ranker, &batch);
        rows.curves(&ranker)
    }

    #[test]
    fn it_is_of_the_shuffled_rows_and_where_the_tower_adds_to_the_logit() {
        let found = curves("additive");
        let [curve] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!((curve.slates, curve.rows, curve.points.len()), (400, 2_000, 5));
        // The tower has learned nothing: its slope is 0, and many slates speak against it.
        assert!(
            curve.slope < -1.0 && curve.joint_slope == 0.0 && curve.weight > 0.9,
            "{curve:?}"
        );
        let last = &curve.points[4];
        let line = curve.weight * curve.slope * 5f64.ln();
        assert!(
            (last.anchored - line).abs() < 1e-12 && last.joint == 0.0,
            "{last:?}"
        );
        assert_eq!((curve.points[0].position, curve.points[0].anchored), (1, 0.0));
        for form in ["product", "none", "input", "adversarial"] {
            assert_eq!(curves(form), [], "{form}");
        }
    }
}
