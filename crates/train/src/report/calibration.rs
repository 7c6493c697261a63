//! Calibration: what was observed where the model predicted so much, a figure an objective.

use draw::{Axes, Curve, Style};
use maud::{Markup, html};
use spec::{Loss, Spec};

use super::figure::figure;
use crate::TrainReport;
use crate::anatomy::Bin;

/// Pixels of a figure, at which an axis has at least two round numbers; the page shows them a little smaller.
const WIDTH: u32 = 400;
const HEIGHT: u32 = 370;

pub(super) fn body(spec: &Spec, report: &TrainReport) -> Option<Markup> {
    let drawn: Vec<(&spec::Objective, &Vec<Bin>)> = (spec.objectives.iter())
        .zip(&report.anatomy.calibration)
        .filter(|(_, bins)| !bins.is_empty())
        .collect();
    (!drawn.is_empty()).then(|| {
        html! {
            p {
                "Each dot is a bin of about equally many test examples, from the lowest predictions to the highest: mean \
                 prediction across, mean label upwards. On the dashed line the model is right; below it, it predicts too much. "
                "Upright lines of binary objectives: 95 % intervals of the observed rate (Wilson)."
            }
            div.multiples { @for (objective, bins) in drawn { (calibration(objective, bins)) } }
        }
    })
}

fn calibration(objective: &spec::Objective, bins: &[Bin]) -> Markup {
    let points: Vec<(f64, f64)> = bins.iter().map(|bin| (bin.predicted, bin.observed)).collect();
    let intervals: Vec<(f64, f64)> = match objective.loss {
        Loss::Binary => bins.iter().map(wilson).collect(),
        _ => Vec::new(),
    };
    let curve = Curve {
        name: "",
        points: &points,
        low_high: &intervals,
        style: Style::Points,
    };
    let axes = Axes {
        log_x: false,
        diagonal: Some(""),
    };
    figure(draw::curves(
        &objective.name,
        "predicted",
        "observed",
        &[curve],
        axes,
        WIDTH,
        HEIGHT,
    ))
}

/// (low, high) of an observed rate at 95 % confidence (Wilson, 1927).
fn wilson(bin: &Bin) -> (f64, f64) {
    const Z: f64 = 1.959_964;
    let (rate, examples) = (bin.observed, bin.examples as f64);
    let share = Z * Z / examples;
    let middle = (rate + share / 2.0) / (1.0 + share);
    let half = Z / (1.0 + share) * (rate * (1.0 - rate) / examples + share / (4.0 * examples)).sqrt();
    (middle - half, middle + half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_wilsons() {
        let (low, high) = wilson(&Bin {
            predicted: 0.0,
            observed: 0.1,
            examples: 100,
        });
        // Ten of a hundred, in the tables of Newcombe (1998): 0.0552 to 0.1744.
        assert!(
            (low - 0.0552).abs() < 1e-4 && (high - 0.1744).abs() < 1e-4,
            "{low}, {high}"
        );
        let (low, high) = wilson(&Bin {
            predicted: 0.0,
            observed: 0.0,
            examples: 10,
        });
        assert!(low.abs() < 1e-9 && high > 0.25, "{low}, {high}");
    }
}
