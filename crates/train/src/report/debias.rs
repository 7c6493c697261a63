//! The check of positions: whether they can be told from relevance in the test part.

use maud::{Markup, html};
use spec::Spec;

use super::number::{count, decimal};
use crate::TrainReport;
use crate::debias::Spread;

pub(super) fn body(_: &Spec, report: &TrainReport) -> Option<Markup> {
    let check = report.debias_check.as_ref()?;
    Some(html! {
        p {
            @if let Some(verdict) = check.verdict { b { (verdict) } ": " (check.advice()) "." }
            @if let Some(problem) = &check.problem { b { "not known" } ": " (problem) "." }
        }
        @if !check.objectives.is_empty() {
            table {
                tr {
                    th { "objective" } th { "examples" } th { "positions" } th { "eta2" } th { "swap" } th { "slope" } th { "verdict" }
                }
                @for objective in &check.objectives {
                    (row(&objective.objective, &objective.all))
                    @for cell in &objective.cells { (row(&format!("\u{2003}{}", cell.cell), &cell.spread)) }
                    @if let Some(shuffled) = &objective.shuffled { (row("\u{2003}shuffled slates", shuffled)) }
                }
            }
            p {
                "eta2: share of the variance of the main tower's logit that lies between positions; 0 in a random order. swap: how \
                 freely items change between the halves of the list; 1 in a random order. slope: between what a fitted position \
                 curve may be of the true one, as measured on simulated logs: too steep where the ranker that made the log knew what is \
                 relevant, too flat where it went by popularity. Neither number tells whether the shallow tower helps: only slates in \
                 random order do."
            }
        }
        @for note in &check.notes { p { (note) "." } }
    })
}

fn row(name: &str, spread: &Spread) -> Markup {
    let slope = spread.slope;
    html! {
        tr {
            td { (name) }
            td { (count(spread.rows)) }
            td { (spread.positions) }
            td { (decimal(Some(spread.eta2), 3)) }
            td { (decimal(spread.swap, 2)) }
            td {
                (decimal(Some(slope.low), 2)) " to " (decimal(Some(slope.high), 2))
                @if slope.beyond { " or further" }
            }
            td { (spread.verdict) }
        }
    }
}
