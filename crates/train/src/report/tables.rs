//! Fill of the embedding tables.

use maud::{Markup, html};
use spec::{Rows, Spec, Table};

use super::number::{bar, count, percent};
use crate::TrainReport;
use crate::anatomy::TableFill;

/// A hashed table that is fuller is marked.
const FULL: f64 = 0.5;

pub(super) fn body(spec: &Spec, report: &TrainReport) -> Option<Markup> {
    let tables: Vec<(&TableFill, Option<&Table>)> = (report.anatomy.tables.iter())
        .map(|fill| (fill, spec.tables.iter().find(|table| table.name == fill.name)))
        // Only the shallow tower reads a table without width: none of its rows is ever met.
        .filter(|(_, table)| table.is_none_or(|table| table.dim > 0))
        .collect();
    if tables.is_empty() {
        return None;
    }
    Some(html! {
        p {
            "Admitted rows were met often enough in training to be read; waiting ones were met, but too rarely; ids of both \
             waiting and never met rows read the row " code { "new" } ". Of a hashed table the share of rows met is also about \
             the chance that an id shares its row with another: where it is over a half (amber), declare more "
            code { "buckets" } ". A table by id gives each id its own row; where it is full (amber), declare more "
            code { "capacity" } ", or " code { "forget_after" } ". Its share admitted is of the rows that it may have."
        }
        div.scroll {
            table {
                thead {
                    tr {
                        th.name { "table" }
                        th.left { "rows by" }
                        th { "rows" }
                        th { "admitted" }
                        th { "waiting" }
                        th { "share admitted" }
                        th.left { "admitted, waiting" }
                    }
                }
                tbody { @for (fill, table) in tables { (row(fill, table)) } }
            }
        }
    })
}

fn row(fill: &TableFill, table: Option<&Table>) -> Markup {
    let by = table.map_or("", |table| match table.rows {
        Rows::Hashed(_) => "hash",
        Rows::Keyed { .. } => "id",
        Rows::Values(_) => "value",
        Rows::Edges(_) => "range",
    });
    let share = |rows: usize| rows as f64 / fill.rows.max(1) as f64;
    let full = by == "hash" && share(fill.admitted + fill.waiting) > FULL || fill.refused > 0;
    html! {
        tr.worse[full] {
            td.name { (fill.name) }
            td.left { (by) @if fill.refused > 0 { ", full: " (count(fill.refused)) " refused" } }
            td { (count(fill.rows as u64)) }
            td { (count(fill.admitted as u64)) }
            td { (count(fill.waiting as u64)) }
            td { (percent(share(fill.admitted))) }
            td.left { (bar(&[share(fill.admitted), share(fill.waiting)])) }
        }
    }
}
