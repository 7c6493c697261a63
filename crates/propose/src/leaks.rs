//! Columns that give a label away. In: a column's values. Out: the objective that it predicts best by itself, and how well.

use std::fmt;

use measure::Single;

use crate::data::{MISSING, Values};
use crate::labels::Labels;

/// Rows that are looked at, spread over the sample.
const ROWS: usize = 20_000;
/// From this AUC on a column by itself is too good to be known before.
pub(crate) const CERTAIN: f64 = 0.97;
/// From this AUC on a column by itself is to be looked at.
pub(crate) const SUSPECT: f64 = 0.9;
/// From this AUC on a column with a suspicious name is too good.
pub(crate) const NAMED: f64 = 0.85;

/// A column that is probably known only after the impression.
#[derive(Debug, Clone, PartialEq)]
pub struct Leak {
    /// The column.
    pub column: String,
    /// The objective that it predicts best by itself, and the AUC (at least 0.5); `None` where the sample has too few positives.
    pub predicts: Option<(String, f64)>,
    /// Whether it was left out of the fields, rather than kept with a mark.
    pub left_out: bool,
    /// Why.
    pub reason: String,
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` {}: {}",
            self.column,
            if self.left_out {
                "is left out"
            } else {
                "is kept, to be checked"
            },
            self.reason
        )?;
        match &self.predicts {
            Some((objective, auc)) => write!(f, "; alone it predicts `{objective}` with AUC {auc:.3}"),
            None => Ok(()),
        }
    }
}

/// The objective that `values` predict best by themselves: numbers by their order, ids by the mean label of the id.
pub(crate) fn best(values: &Values, numeric: bool, labels: &Labels) -> Option<(String, f64)> {
    // Lists are not looked at.
    if values.codes.is_empty() {
        return None;
    }
    let step = values.codes.len().div_ceil(ROWS).max(1);
    let single = if numeric {
        Single::Numbers(
            values
                .numbers
                .iter()
                .step_by(step)
                .map(|number| *number as f32)
                .collect(),
        )
    } else {
        let id = |code: &u32| if *code == MISSING { 0 } else { u64::from(*code) + 1 };
        Single::Ids(values.codes.iter().step_by(step).map(id).collect())
    };
    let mut best: Option<(String, f64)> = None;
    for label in labels.found.iter().filter(|label| !label.truth.is_empty()) {
        let truth: Vec<f32> = label.truth.iter().step_by(step).copied().collect();
        let auc = single.auc(&truth);
        if let Some(auc) = auc.filter(|auc| best.as_ref().is_none_or(|(_, best)| auc > best)) {
            best = Some((label.name.clone(), auc));
        }
    }
    best
}
