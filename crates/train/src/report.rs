//! `report.html`: what training came to, for the engineer who decides what to do next.
//!
//! In: the declaration and a [`TrainReport`]. Out: a page as text that needs nothing beside it: style and figures are in it,
//! there is no script, and it reaches no network. Equal input gives equal bytes.

mod calibration;
mod debias;
mod experts;
mod figure;
mod head;
mod learning;
mod metrics;
mod number;
mod origin;
mod positions;
mod shuffled;
mod tables;
#[cfg(test)]
mod tests;
mod units;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use spec::Spec;

pub use figure::figure;
pub use number::count;

use crate::TrainReport;

const STYLE: &str = include_str!("report/style.css");
/// Whatever a name holds, the page loads nothing and runs nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// A part of the page, left out where the report has nothing for it.
struct Section {
    id: &'static str,
    title: &'static str,
    body: fn(&Spec, &TrainReport) -> Option<Markup>,
}

const fn section(
    id: &'static str,
    title: &'static str,
    body: fn(&Spec, &TrainReport) -> Option<Markup>,
) -> Section {
    Section { id, title, body }
}

/// In the order in which a reader asks.
const SECTIONS: [Section; 9] = [
    section("metrics", "Metrics on the test part", metrics::body),
    section("learning", "Learning curves", learning::body),
    section("calibration", "Calibration", calibration::body),
    section("experts", "Use of experts", experts::body),
    section("units", "Dead units", units::body),
    section(
        "debias",
        "Whether positions can be told from relevance",
        debias::body,
    ),
    section("positions", "Position bias", positions::body),
    section("tables", "Fill of the embedding tables", tables::body),
    section("origin", "How it was made", origin::body),
];

/// The page. A figure that cannot be drawn leaves the reason in its place: nothing that was trained is lost for it.
pub fn html(spec: &Spec, report: &TrainReport) -> String {
    let sections = SECTIONS.iter().filter_map(|section| {
        let Section { id, title, body } = section;
        Some((*id, *title, body(spec, report)?))
    });
    let title = format!("Training report: {}", head::objectives(spec, 5));
    page(&title, &head::head(spec, report), &sections.collect::<Vec<_>>())
}

/// A page that needs nothing beside it: `head`, then sections (id, title, body) behind a list of links to them.
pub fn page(title: &str, head: &Markup, sections: &[(&str, &str, Markup)]) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (head)
                nav { @for (id, title, _) in sections { a href={ "#" (id) } { (title) } } }
                @for (id, title, body) in sections {
                    section id=(id) {
                        h2 { (title) }
                        (body)
                    }
                }
            }
        }
    };
    page.into_string()
}
