//! The rows of the proof: what is claimed, the gate that was fixed before the run, and what was measured.
//!
//! In: the results of all pieces. Out: a [`Row`] each, with its verdict.

mod of_cells;
mod of_fusion;
mod of_loop;

use measure::{Interval, mean_interval};
use serde::Serialize;

use super::cell::Outcome;
use super::days::Worth;
use super::discovery::{self, Discovered};
use super::fusion::Fused;

/// What a mean over seeds, or every seed, must be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Gate {
    MeanAtLeast(f64),
    MeanAbove(f64),
    MeanAtMost(f64),
    MeanWithin(f64, f64),
    EveryAbove(f64),
    EveryEqual(f64),
    /// The lower bound of the mean's interval.
    LowAbove(f64),
}

impl Gate {
    fn holds(self, values: &[f64]) -> bool {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        !values.is_empty()
            && match self {
                Gate::MeanAtLeast(least) => mean >= least,
                Gate::MeanAbove(bound) => mean > bound,
                Gate::MeanAtMost(most) => mean <= most,
                Gate::MeanWithin(least, most) => (least..=most).contains(&mean),
                Gate::EveryAbove(bound) => values.iter().all(|&value| value > bound),
                Gate::EveryEqual(value) => values.iter().all(|&other| other == value),
                Gate::LowAbove(bound) => mean_interval(values, 0.95).low > bound,
            }
    }
}

impl std::fmt::Display for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Gate::MeanAtLeast(least) => write!(f, "mean >= {least}"),
            Gate::MeanAbove(bound) => write!(f, "mean > {bound}"),
            Gate::MeanAtMost(most) => write!(f, "mean <= {most}"),
            Gate::MeanWithin(least, most) => write!(f, "mean in {least} .. {most}"),
            Gate::EveryAbove(bound) => write!(f, "every seed > {bound}"),
            Gate::EveryEqual(value) => write!(f, "every seed = {value}"),
            Gate::LowAbove(bound) => write!(f, "interval above {bound}"),
        }
    }
}

/// One measured quantity of a row.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Claim {
    /// In which world, of which quantity.
    pub what: String,
    /// Per seed.
    pub values: Vec<f64>,
    /// Their mean and its 95 % interval.
    pub interval: Interval,
    pub gate: Gate,
    pub held: bool,
}

impl Claim {
    pub(crate) fn new(what: impl Into<String>, values: Vec<f64>, gate: Gate) -> Claim {
        Claim {
            what: what.into(),
            interval: mean_interval(&values, 0.95),
            held: gate.holds(&values),
            gate,
            values,
        }
    }
}

/// One row of the table.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    pub number: u32,
    pub title: &'static str,
    pub claims: Vec<Claim>,
    pub held: bool,
}

impl Row {
    pub(crate) fn new(number: u32, title: &'static str, claims: Vec<Claim>) -> Row {
        Row {
            number,
            title,
            held: claims.iter().all(|claim| claim.held),
            claims,
        }
    }
}

/// All rows, in the order of their numbers.
pub(super) fn all(cells: &[Outcome], loops: &[Worth], fusions: &[Fused], found: &[Discovered]) -> Vec<Row> {
    let mut rows = [
        of_cells::rows(cells),
        of_loop::rows(loops),
        of_fusion::rows(fusions),
        discovery::rows(found),
    ]
    .concat();
    rows.sort_by_key(|row| row.number);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_holds_by_what_it_says_and_nothing_holds_without_values() {
        let values = [0.01, 0.03];
        for (gate, held) in [
            (Gate::MeanAtLeast(0.02), true),
            (Gate::MeanAtLeast(0.021), false),
            (Gate::MeanAbove(0.02), false),
            (Gate::MeanAtMost(0.02), true),
            (Gate::MeanWithin(0.0, 0.01), false),
            (Gate::EveryAbove(0.01), false),
            (Gate::EveryAbove(0.0), true),
            (Gate::EveryEqual(0.01), false),
        ] {
            assert_eq!(gate.holds(&values), held, "{gate}");
            assert!(!gate.holds(&[]), "{gate} without values");
        }
        assert!(!Gate::MeanAtLeast(0.0).holds(&[f64::NAN]));
    }

    #[test]
    fn a_row_holds_where_all_its_claims_do() {
        let claim = |gate| Claim::new("x", vec![1.0], gate);
        assert!(
            Row::new(
                1,
                "t",
                vec![claim(Gate::MeanAbove(0.0)), claim(Gate::EveryEqual(1.0))]
            )
            .held
        );
        assert!(
            !Row::new(
                1,
                "t",
                vec![claim(Gate::MeanAbove(0.0)), claim(Gate::EveryEqual(0.0))]
            )
            .held
        );
    }
}
