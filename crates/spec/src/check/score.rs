//! `[score]`: the weights of what is sorted by.

use crate::raw::Entries;
use crate::report::{At, Report};
use crate::{Loss, Objective, suggestion};

/// Weights are within this on either side.
const LARGEST: f64 = 100.0;

/// Checks `[score]`. One weight for each objective.
pub(super) fn check(declared: &Entries<At<f64>>, objectives: &[Objective], report: &Report) -> Vec<f64> {
    let mut weights = vec![0.0; objectives.len()];
    for at in &declared.entries {
        let name = at.place.key();
        match objectives.iter().position(|objective| objective.name == name) {
            None => {
                if !report.blames(&format!("objectives.{name}")) {
                    let known: Vec<&str> = objectives
                        .iter()
                        .map(|objective| objective.name.as_str())
                        .collect();
                    report.add(
                        &at.place,
                        format!("no objective `{name}`"),
                        suggestion::choose("objectives", name, &known),
                    );
                }
            }
            Some(index) => {
                weights[index] = at.value;
                weight(at, &objectives[index], report);
            }
        }
    }
    if report.blames(&declared.place.path) {
        return weights;
    }
    let help = "expected the weight of at least one objective, as `click = 1.0`";
    if declared.entries.is_empty() {
        report.add(
            &declared.place,
            "no objective has a score weight, so there is nothing to sort by",
            help,
        );
    } else if weights.iter().all(|weight| *weight == 0.0) && !report.blames("objectives") {
        report.add(
            &declared.place,
            "every score weight is 0, so there is nothing to sort by",
            help,
        );
    }
    weights
}

/// The score takes the logarithm of a prediction, so that must not be below 0.
fn weight(at: &At<f64>, objective: &Objective, report: &Report) {
    let name = &objective.name;
    if !(-LARGEST..=LARGEST).contains(&at.value) {
        report.add(
            &at.place,
            format!("`{name}` is {}", at.value),
            format!("expected a number from -{LARGEST} to {LARGEST}"),
        );
    }
    if objective.loss != Loss::Squared || report.blames(&format!("objectives.{name}")) {
        return;
    }
    let help = "give it `clip = [lo, hi]` with lo at least 0, or leave it out of the score";
    match objective.clip {
        None => report.add(
            &at.place,
            format!("the squared objective `{name}` has no `clip`"),
            help,
        ),
        Some((low, _)) if low < 0.0 => {
            report.add(&at.place, format!("the `clip` of `{name}` begins at {low}"), help)
        }
        Some(_) => {}
    }
}
