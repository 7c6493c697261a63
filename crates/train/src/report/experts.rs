//! Use of experts: what each objective's gate mixes.

use maud::{Markup, html};
use spec::Spec;

use super::figure::{WIDTH, figure, pixels};
use super::number::{bar, percent, plural};
use crate::TrainReport;

/// An expert with less than this share of every mixture is used by nobody.
const UNUSED: f64 = 0.01;
/// Gates that are polarised on more of the examples are marked.
const MOSTLY: f64 = 0.5;

pub(super) fn body(spec: &Spec, report: &TrainReport) -> Option<Markup> {
    let gates: Vec<(&str, &Vec<f64>)> = (spec.objectives.iter())
        .map(|objective| objective.name.as_str())
        .zip(&report.anatomy.gates)
        .collect();
    let experts = gates.iter().map(|(_, shares)| shares.len()).max()?;
    if experts == 0 {
        return None;
    }
    Some(html! {
        p {
            "Mean share of each expert in an objective's mixture, over the test part. Objectives that use the same experts \
             share what they know; one with experts of its own is kept apart from the others."
        }
        (map(&gates, experts))
        p { (unused(&gates, experts)) }
        @if experts > 1 { (polarised(spec, report, &gates)) }
    })
}

fn map(gates: &[(&str, &Vec<f64>)], experts: usize) -> Markup {
    let rows: Vec<&str> = gates.iter().map(|(name, _)| *name).collect();
    let names: Vec<String> = (1..=experts).map(|expert| format!("expert {expert}")).collect();
    let columns: Vec<&str> = names.iter().map(String::as_str).collect();
    let values: Vec<f64> = (gates.iter())
        .flat_map(|(_, shares)| (0..experts).map(|expert| shares.get(expert).copied().unwrap_or(f64::NAN)))
        .collect();
    let width = pixels(260, 74, experts, (420, WIDTH));
    let height = pixels(100, 28, rows.len(), (200, 8192));
    let title = "Use of experts by objective";
    figure(draw::heat_map(
        title,
        &rows,
        &columns,
        &values,
        (0.0, 1.0),
        width,
        height,
    ))
}

fn unused(gates: &[(&str, &Vec<f64>)], experts: usize) -> String {
    let share = |expert: usize| {
        let shares = gates.iter().filter_map(|(_, shares)| shares.get(expert));
        shares.copied().fold(0.0, f64::max)
    };
    let unused: Vec<String> = (0..experts)
        .filter(|expert| share(*expert) < UNUSED)
        .map(|expert| (expert + 1).to_string())
        .collect();
    if unused.is_empty() {
        return "Every expert has at least 1 % of some objective's mixture.".to_owned();
    }
    format!(
        "{} with less than 1 % of every mixture: {}. What they cost buys nothing; train with fewer, or with more gate drop-out.",
        plural(unused.len(), "expert"),
        unused.join(", ")
    )
}

fn polarised(spec: &Spec, report: &TrainReport, gates: &[(&str, &Vec<f64>)]) -> Markup {
    html! {
        h3 { "Polarised gates" }
        p {
            "A gate is polarised on an example where one expert has more than 0.95 of the mixture. Where that is so on most \
             examples, the other experts are not used and hardly trained. Zhao et al. (2019) met it in a fifth of their \
             distributed runs and mended it by dropping gates out: in training each expert's weight is set to 0 with a small \
             probability and the others are scaled up to sum to 1. Here " code { "gate_dropout = " (spec.model.gate_dropout) }
            "."
        }
        div.scroll {
            table {
                thead {
                    tr {
                        th.name { "objective" }
                        th { "polarised on" }
                        th.left { "of the test part" }
                        th.left { "strongest expert" }
                        th { "its mean share" }
                    }
                }
                tbody {
                    @for ((name, shares), polarised) in gates.iter().zip(&report.anatomy.polarised) {
                        tr.worse[*polarised > MOSTLY] {
                            td.name { (name) }
                            td { (percent(*polarised)) }
                            td.left { (bar(&[*polarised])) }
                            @if let Some((expert, share)) = strongest(shares) {
                                td.left { "expert " (expert + 1) }
                                td { (percent(share)) }
                            } @else {
                                td.left {}
                                td {}
                            }
                        }
                    }
                }
            }
        }
    }
}

fn strongest(shares: &[f64]) -> Option<(usize, f64)> {
    let finite = shares
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, share)| share.is_finite());
    finite.max_by(|(_, a), (_, b)| a.total_cmp(b))
}
