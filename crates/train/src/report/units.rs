//! Dead units: what no example of the test part makes active.

use maud::{Markup, html};
use spec::Spec;

use super::number::{bar, count, percent};
use crate::TrainReport;

/// Layers with such a share of dead units are marked, as `train` warns of them.
const DEAD: f64 = 0.5;

pub(super) fn body(_: &Spec, report: &TrainReport) -> Option<Markup> {
    let layers = &report.anatomy.layers;
    if layers.is_empty() {
        return None;
    }
    let units: usize = layers.iter().map(|layer| layer.units).sum();
    let dead: usize = layers.iter().map(|layer| layer.dead).sum();
    Some(html! {
        p {
            b { (count(dead as u64)) " of " (count(units as u64)) " units" } " are dead: their ReLU gives 0 on every example of \
             the test part, so they neither contribute nor learn. A few are usual. Layers that are half dead or more are red \
             and raise an alarm: lower the learning rate, scale the numbers or widen the layer."
        }
        div.scroll {
            table {
                thead {
                    tr {
                        th.name { "layer" }
                        th { "units" }
                        th { "dead" }
                        th { "share" }
                        th.left {}
                        th { "mean activity" }
                    }
                }
                tbody {
                    @for layer in layers {
                        @let share = layer.dead as f64 / layer.units.max(1) as f64;
                        tr.bad[layer.units > 0 && share >= DEAD] {
                            td.name { (layer.name) }
                            td { (count(layer.units as u64)) }
                            td { (count(layer.dead as u64)) }
                            td { (percent(share)) }
                            td.left { (bar(&[share])) }
                            td { (percent(layer.active)) }
                        }
                    }
                }
            }
        }
        p { "Mean activity: share of the examples that a unit of the layer is above 0 on, mean over its units." }
    })
}
