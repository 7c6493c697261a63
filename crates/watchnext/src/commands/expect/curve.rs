//! Position curves against the raw rates of the training part.

use std::collections::{BTreeMap, BTreeSet};

use toml_edit::TableLike;
use train::{PositionCurve, TrainReport};

use super::Measured;
use super::bounds::number_at;
use crate::failure::Usage;

/// By values of the crossed bias fields and position: what was learned, and the raw log-odds.
type Points = BTreeMap<(String, u32), (f64, f64)>;

/// How near a learned position curve must be to the raw log-odds.
pub(super) struct CurveBound {
    objective: String,
    /// Positions with fewer training rows are not looked at.
    rows: u64,
    /// Of the mean curve.
    mean_within: f64,
    /// Of every run's.
    each_within: f64,
    /// Positions over which the mean curve falls.
    falls: Vec<u32>,
}

impl CurveBound {
    pub(super) fn read(objective: &str, table: &dyn TableLike) -> Result<CurveBound, String> {
        let known = ["rows", "mean_within", "each_within", "falls"];
        if let Some((key, _)) = table.iter().find(|(key, _)| !known.contains(key)) {
            return Err(format!(
                "`{objective}.position_curve` has an unknown key `{key}`; expected any of {}",
                known.join(", ")
            ));
        }
        let number = |key: &str| {
            number_at(table, key)
                .ok_or_else(|| format!("`{objective}.position_curve` needs the number `{key}`"))
        };
        let no_position =
            || format!("`{objective}.position_curve.falls` is no list of positions, whole numbers from 1");
        let falls = match table.get("falls") {
            None => Vec::new(),
            Some(falls) => {
                let falls = falls.as_array().ok_or_else(no_position)?.iter();
                let position = |value: &toml_edit::Value| u32::try_from(value.as_integer()?).ok();
                let falls: Option<Vec<u32>> = falls.map(position).collect();
                falls.ok_or_else(no_position)?
            }
        };
        Ok(CurveBound {
            objective: objective.to_owned(),
            rows: number("rows")? as u64,
            mean_within: number("mean_within")?,
            each_within: number("each_within")?,
            falls,
        })
    }

    /// Learned and raw, relative to the first position, of one run.
    fn points(&self, run: &TrainReport) -> anyhow::Result<Points> {
        let of_objective = |curve: &&PositionCurve| curve.objective == self.objective;
        let curves: Vec<&PositionCurve> = run.position_curves.iter().filter(of_objective).collect();
        if curves.is_empty() {
            return Err(Usage(format!("a run has no position curve of `{}`", self.objective)).into());
        }
        let mut points = Points::new();
        for curve in curves {
            for point in curve.points.iter().filter(|point| point.rows >= self.rows) {
                if let Some(raw) = point.raw {
                    points.insert((curve.cell.clone(), point.position), (point.learned, raw));
                }
            }
        }
        let known = |position: &u32| points.keys().any(|(_, other)| other == position);
        // The first position is 0 by itself: one alone would hold whatever was learned.
        if points.keys().all(|(_, position)| *position == 1) || !self.falls.iter().all(known) {
            let (objective, rows) = (&self.objective, self.rows);
            let message = format!(
                "a run's position curve of `{objective}` has too few positions of {rows} training rows to hold a bound against"
            );
            return Err(Usage(message).into());
        }
        Ok(points)
    }
}

/// The largest distance of the mean curve, of each run's, and whether the mean curve falls.
pub(super) fn measure(bound: &CurveBound, runs: &[TrainReport]) -> anyhow::Result<Vec<Measured>> {
    let curves = runs
        .iter()
        .map(|run| bound.points(run))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mean_at = |place: &(String, u32)| {
        let learned: Vec<f64> = curves
            .iter()
            .filter_map(|curve| Some(curve.get(place)?.0))
            .collect();
        learned.iter().sum::<f64>() / learned.len() as f64
    };
    let gap = |learned: &dyn Fn(&(String, u32)) -> f64, curve: &Points| {
        let gaps = curve.iter().map(|(place, (_, raw))| (learned(place) - raw).abs());
        gaps.fold(0.0, f64::max)
    };
    let each: Vec<f64> = curves
        .iter()
        .map(|curve| gap(&|place| curve[place].0, curve))
        .collect();
    let mean = curves
        .iter()
        .map(|curve| gap(&mean_at, curve))
        .fold(0.0, f64::max);
    let name = format!("{} position curve: largest distance", bound.objective);
    let mut measured = vec![Measured {
        name,
        mean,
        holds: mean <= bound.mean_within && each.iter().all(|gap| *gap <= bound.each_within),
        each,
        expected: format!(
            "mean curve within {}, each within {}",
            bound.mean_within, bound.each_within
        ),
    }];
    let cells: BTreeSet<&String> = curves
        .iter()
        .flat_map(BTreeMap::keys)
        .map(|(cell, _)| cell)
        .collect();
    for cell in cells.into_iter().filter(|_| !bound.falls.is_empty()) {
        let each: Vec<f64> = bound
            .falls
            .iter()
            .map(|position| mean_at(&(cell.clone(), *position)))
            .collect();
        let of = if cell.is_empty() {
            String::new()
        } else {
            format!(" of {cell}")
        };
        measured.push(Measured {
            name: format!("{} position curve{of} at {:?}", bound.objective, bound.falls),
            mean: each.last().copied().unwrap_or(f64::NAN),
            holds: each.windows(2).all(|pair| pair[1] < pair[0]),
            each,
            expected: "falls".to_owned(),
        });
    }
    Ok(measured)
}
