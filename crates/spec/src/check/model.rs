//! `[model]`: the main tower's shape.

use super::value::{choice, dropout_or, whole, whole_or};
use crate::raw::{self, Declaration};
use crate::reference::ARCHITECTURES_LATER;
use crate::report::{At, Report};
use crate::{Architecture, Experts, Model};

/// Widest layer.
const WIDEST: u32 = 65536;

const ARCHITECTURES: [(&str, Architecture); 2] = [
    ("shared-bottom", Architecture::SharedBottom),
    ("mmoe", Architecture::Mmoe),
];

/// Checks `[model]`.
pub(super) fn check(declared: &Declaration, report: &Report) -> Model {
    let mut model = Model {
        architecture: Architecture::SharedBottom,
        shared: Vec::new(),
        experts: None,
        towers: Vec::new(),
        gate_dropout: 0.0,
        input_dropout: 0.0,
    };
    let Some(raw) = &declared.model else {
        report.missing(
            &declared.top,
            "model",
            "expected `[model]` with an `architecture`",
        );
        return model;
    };
    model.shared = widths(&raw.shared, report);
    model.towers = widths(&raw.towers, report);
    model.input_dropout = dropout_or(&raw.input_dropout, 0.0, report);
    let experts = raw.experts.as_ref().map(|raw| experts(raw, report));
    let Some(at) = &raw.architecture else {
        report.missing(&raw.place, "architecture", "expected `shared-bottom` or `mmoe`");
        return model;
    };
    match choice(at, &ARCHITECTURES, ARCHITECTURES_LATER, report) {
        None => {}
        Some(Architecture::SharedBottom) => {
            let places = [
                raw.experts.as_ref().map(|experts| &experts.place),
                raw.gate_dropout.as_ref().map(|at| &at.place),
            ];
            for place in places.into_iter().flatten() {
                let message = format!("`{}` does not belong to `shared-bottom`", place.key());
                report.add(place, message, "leave it out, or use `architecture = \"mmoe\"`");
            }
        }
        Some(Architecture::Mmoe) => {
            model.architecture = Architecture::Mmoe;
            model.gate_dropout = dropout_or(&raw.gate_dropout, 0.1, report);
            if experts.is_none() {
                report.missing(
                    &raw.place,
                    "experts",
                    "expected `experts = { count = 8, widths = [256, 128] }`",
                );
            }
            model.experts = experts;
        }
    }
    model
}

fn experts(raw: &raw::Experts, report: &Report) -> Experts {
    if raw.count.is_none() {
        report.missing(&raw.place, "count", "expected the number of experts");
    }
    match &raw.widths {
        None => report.missing(
            &raw.place,
            "widths",
            "expected the widths of an expert's layers, as `[256, 128]`",
        ),
        Some(at) if at.value.is_empty() => {
            report.add(&at.place, "`widths` is empty", "expected at least one layer")
        }
        Some(_) => {}
    }
    Experts {
        count: whole_or(&raw.count, 1, 64, 1, report),
        widths: widths(&raw.widths, report),
    }
}

fn widths(list: &Option<At<raw::List<i64>>>, report: &Report) -> Vec<usize> {
    let elements = list.iter().flat_map(|at| &at.value);
    elements
        .filter_map(|width| whole(width, 1, WIDEST, report))
        .collect()
}
