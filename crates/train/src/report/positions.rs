//! Position curves: what the shallow tower learned of each position, beside the raw rates.

use draw::{Axes, Curve, Style};
use maud::{Markup, html};
use spec::{ServePosition, Spec};

use super::figure::figure;
use super::number::{count, plural};
use crate::TrainReport;
use crate::curve::{PositionCurve, PositionPoint};

/// Positions with fewer rows are named: what was learned there may be noise.
const FEW: u64 = 500;
/// Most cells of a figure.
const MOST: usize = 8;

pub(super) fn body(spec: &Spec, report: &TrainReport) -> Option<Markup> {
    let curves = &report.position_curves;
    if curves.is_empty() {
        return None;
    }
    let mut objectives: Vec<(&str, Vec<&PositionCurve>)> = Vec::new();
    for curve in curves {
        match objectives.iter_mut().find(|(name, _)| *name == curve.objective) {
            Some((_, cells)) => cells.push(curve),
            None => objectives.push((&curve.objective, vec![curve])),
        }
    }
    let crossed: Vec<&str> = (spec.bias.iter())
        .flat_map(|bias| &bias.fields)
        .filter_map(|at| Some(spec.fields.get(*at)?.name.as_str()))
        .collect();
    let (what, raw) = if curves.iter().any(|curve| curve.product) {
        (
            "The logarithm of the probability of being examined at each position, by the shallow tower, less that of the first \
             position",
            "the logarithms of the raw rates",
        )
    } else {
        (
            "The logit that the shallow tower adds at each position, less that of the first position",
            "the log-odds of the raw rates",
        )
    };
    Some(html! {
        p {
            (what) ": its estimate of what a label owes to the place."
            @if !crossed.is_empty() { " One curve for each value of " (crossed.join(" x ")) "." }
            " Beside it stand " (raw) ", which mix the place with the items in it: where good items stand high, the learned \
             curve is the flatter one. " (served(spec))
        }
        @if let Some(form) = &report.form { p { "Chosen of two: " (form.to_string()) "." } }
        @for (objective, cells) in &objectives { (figures(objective, cells)) }
        (few(curves))
        (super::shuffled::anchored(report))
    })
}

/// What of it enters what is served.
fn served(spec: &Spec) -> &'static str {
    match spec.bias.as_ref().map(|bias| bias.serve_position) {
        Some(ServePosition::First) => {
            "Requests are ranked as if each item stood at position 1, so that the order is the main tower's."
        }
        Some(ServePosition::None) => {
            "Requests are ranked by the main tower alone, so none of it enters what is served."
        }
        _ => "Requests are ranked with the position missing, so none of it enters what is served.",
    }
}

/// The points of a curve that `y` is known of.
fn points(curve: &PositionCurve, y: fn(&PositionPoint) -> Option<f64>) -> Vec<(f64, f64)> {
    let points = curve.points.iter();
    points
        .filter_map(|point| Some((f64::from(point.position), y(point)?)))
        .collect()
}

fn learned(point: &PositionPoint) -> Option<f64> {
    Some(point.learned)
}

fn raw(point: &PositionPoint) -> Option<f64> {
    point.raw
}

fn figures(objective: &str, cells: &[&PositionCurve]) -> Markup {
    let (shown, left_out) = largest(cells);
    let product = cells.iter().any(|curve| curve.product);
    html! {
        h3 { (objective) }
        @if let [only] = shown.as_slice() {
            @let both = [("learned", points(only, learned)), ("raw", points(only, raw))];
            @let unit = if product { "logarithm of a probability" } else { "logit" };
            (plane("learned and raw", unit, &both, 720))
        } @else {
            @let of = |y| -> Vec<(&str, Vec<(f64, f64)>)> {
                shown.iter().map(|curve| (curve.cell.as_str(), points(curve, y))).collect()
            };
            div.figures {
                @let unit = if product { "logarithm of the examination probability" } else { "logit of the shallow tower" };
                (plane("learned", unit, &of(learned), 530))
                @let raw = of(raw);
                // Amounts have no odds.
                @if raw.iter().any(|(_, points)| !points.is_empty()) {
                    (plane("raw", if product { "logarithm of the rate" } else { "log-odds of the rate" }, &raw, 530))
                }
            }
        }
        @if left_out > 0 {
            p { (plural(left_out, "other cell")) " with fewer rows: see " code { "position_curves" } " in " code { "metrics.json" } "." }
        }
    }
}

/// The cells with the most rows, in their order, and how many are left out.
fn largest<'a>(cells: &[&'a PositionCurve]) -> (Vec<&'a PositionCurve>, usize) {
    let rows = |at: usize| -> u64 { cells[at].points.iter().map(|point| point.rows).sum() };
    let mut places: Vec<usize> = (0..cells.len()).collect();
    places.sort_by_key(|at| std::cmp::Reverse(rows(*at)));
    places.truncate(MOST);
    places.sort_unstable();
    let shown: Vec<&PositionCurve> = places.iter().map(|at| cells[*at]).collect();
    let left_out = cells.len() - shown.len();
    (shown, left_out)
}

fn plane(title: &str, y_label: &str, series: &[(&str, Vec<(f64, f64)>)], width: u32) -> Markup {
    let curves: Vec<Curve> = series
        .iter()
        .map(|(name, points)| Curve {
            name,
            points,
            low_high: &[],
            style: Style::Marked,
        })
        .collect();
    figure(draw::curves(
        title,
        "position",
        y_label,
        &curves,
        Axes::default(),
        width,
        330,
    ))
}

/// The positions that few rows tell of.
fn few(curves: &[PositionCurve]) -> Markup {
    let rows: Vec<(&PositionCurve, Vec<&PositionPoint>)> = curves
        .iter()
        .map(|curve| {
            let points = curve.points.iter();
            (curve, points.filter(|point| point.rows < FEW).collect::<Vec<_>>())
        })
        .filter(|(_, points)| !points.is_empty())
        .collect();
    if rows.is_empty() {
        return html! { p { "Every position has at least " (FEW) " rows of the training part." } };
    }
    html! {
        p { "Positions with fewer than " (FEW) " rows of the training part, whose values may be noise:" }
        div.scroll {
            table {
                thead { tr { th.name { "objective" } th.name { "cell" } th.name { "positions" } th { "rows there" } } }
                tbody {
                    @for (curve, points) in &rows {
                        tr {
                            td.name { (curve.objective) }
                            td.name { (curve.cell) }
                            td.name { (runs(points)) }
                            td { (count(points.iter().map(|point| point.rows).sum())) }
                        }
                    }
                }
            }
        }
    }
}

/// As `3, 7 to 12`.
fn runs(points: &[&PositionPoint]) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for point in points {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(point.position) => *last = point.position,
            _ => runs.push((point.position, point.position)),
        }
    }
    let said = runs.iter().map(|(first, last)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first} to {last}")
        }
    });
    said.collect::<Vec<_>>().join(", ")
}
