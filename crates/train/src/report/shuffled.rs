//! What shuffled slates say: a list AUC without position bias, and the position curves by themselves.

use draw::{Axes, Curve, Style};
use maud::{Markup, html};
use spec::Spec;

use super::figure::figure;
use super::number::{count, decimal};
use crate::{AnchoredCurve, NO_SHUFFLED_SLATES, TrainReport};

/// Most cells of a figure.
const MOST: usize = 8;

/// The table of list AUCs; without shuffled slates, how to come by some, where there is a shallow tower to be judged.
pub(super) fn list_auc(spec: &Spec, report: &TrainReport) -> Markup {
    if !report.test.has_shuffled() {
        return html! { @if spec.bias.is_some() { p { (super::head::sentence(NO_SHUFFLED_SLATES)) } } };
    }
    let logistic = |at: usize| report.logistic.as_ref()?.objectives.get(at)?.shuffled_list_auc;
    let objectives = report.test.objectives.iter().enumerate();
    html! {
        h3 { "On shuffled slates" }
        p {
            "The mean AUC within a slate, as served, on slates whose order was drawn at random. There position is independent of \
             relevance, so it is unbiased but for noise: by it, and not by the metrics above, models with and without a shallow tower are \
             compared."
        }
        div.scroll {
            table {
                thead {
                    tr {
                        th.name { "objective" }
                        th { "slates" }
                        th { "list AUC" }
                        th { "95 % interval" }
                        @if report.logistic.is_some() { th { "logistic regression" } }
                    }
                }
                tbody {
                    @for (at, metrics) in objectives {
                        @if let Some(of) = metrics.shuffled_list_auc {
                            tr {
                                td.name { (metrics.name) }
                                td { (count(of.slates as u64)) }
                                td { (decimal(Some(of.auc.mean), 4)) }
                                td { (decimal(Some(of.auc.low), 4)) " to " (decimal(Some(of.auc.high), 4)) }
                                @if report.logistic.is_some() { td { (decimal(logistic(at).map(|of| of.auc.mean), 4)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The anchored curves beside the learned ones; nothing without them.
pub(super) fn anchored(report: &TrainReport) -> Markup {
    let curves = &report.anchored_curves;
    html! {
        @if !curves.is_empty() {
            h3 { "By shuffled slates alone" }
            p {
                "On shuffled slates a position has nothing to do with the item at it. There a line in the logarithm of the position was \
                 fitted beside the main tower's logit, and mixed with the learned curve: the fewer the slates, the less of the line. Where \
                 the two slopes differ by more than a few errors, the learned curve holds relevance for position."
            }
            @for cells in curves.chunk_by(|a, b| a.objective == b.objective) { (plane(cells)) }
            (table(curves))
        }
    }
}

/// The curves of an objective's cells: where there is one, beside the learned one.
fn plane(cells: &[AnchoredCurve]) -> Markup {
    let cells = &cells[..cells.len().min(MOST)];
    let points = |curve: &AnchoredCurve, joint: bool| -> Vec<(f64, f64)> {
        let points = curve.points.iter();
        points
            .map(|point| {
                let y = if joint { point.joint } else { point.anchored };
                (f64::from(point.position), y)
            })
            .collect()
    };
    let series: Vec<(&str, Vec<(f64, f64)>)> = match cells {
        [only] => vec![("anchored", points(only, false)), ("learned", points(only, true))],
        cells => cells
            .iter()
            .map(|curve| (curve.cell.as_str(), points(curve, false)))
            .collect(),
    };
    let curves: Vec<Curve> = series
        .iter()
        .map(|(name, points)| Curve {
            name,
            points,
            low_high: &[],
            style: Style::Marked,
        })
        .collect();
    let name = cells.first().map_or("", |curve| &curve.objective);
    let title = format!("{name}: anchored");
    let axes = Axes::default();
    figure(draw::curves(&title, "position", "logit", &curves, axes, 720, 330))
}

fn table(curves: &[AnchoredCurve]) -> Markup {
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th.name { "objective" }
                        th.name { "cell" }
                        th { "slates" }
                        th { "slope per ln position" }
                        th { "its error" }
                        th { "learned slope" }
                        th { "share of the line" }
                    }
                }
                tbody {
                    @for curve in curves {
                        tr {
                            td.name { (curve.objective) }
                            td.name { (curve.cell) }
                            td { (count(curve.slates as u64)) }
                            td { (decimal(Some(curve.slope), 3)) }
                            td { (decimal(Some(curve.slope_error), 3)) }
                            td { (decimal(Some(curve.joint_slope), 3)) }
                            td { (decimal(Some(curve.weight), 2)) }
                        }
                    }
                }
            }
        }
    }
}
