//! `[model]`: the main tower's shape.

use super::value::{choice, dropout_or, single_or, whole, whole_or};
use crate::raw::{self, Declaration};
use crate::report::{At, Place, Report};
use crate::{Architecture, Experts, Model, Subnetworks};

/// Widest layer.
const WIDEST: u32 = 65536;

/// What an open connection costs where nothing else is said.
const L0: f32 = 1e-4;

/// Checks `[model]`.
pub(super) fn check(declared: &Declaration, report: &Report) -> Model {
    let mut model = Model {
        architecture: Architecture::SharedBottom,
        shared: Vec::new(),
        experts: None,
        subnetworks: None,
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
    let subnetworks = raw.subnetworks.as_ref().map(|raw| subnetworks(raw, report));
    let Some(at) = &raw.architecture else {
        let words: Vec<String> = Architecture::ALL
            .iter()
            .map(|of| format!("`{}`", of.word()))
            .collect();
        let help = format!("expected one of: {}", words.join(", "));
        report.missing(&raw.place, "architecture", help);
        return model;
    };
    let words = Architecture::ALL.map(|architecture| (architecture.word(), architecture));
    let Some(architecture) = choice(at, &words, &[], report) else {
        return model;
    };
    model.architecture = architecture;
    strangers(raw, architecture, report);
    if architecture.has_experts() {
        model.gate_dropout = dropout_or(&raw.gate_dropout, 0.1, report);
        if experts.is_none() {
            let help = match architecture {
                Architecture::Ple => "expected `experts = { count = 2, shared = 1, widths = [256, 128] }`",
                _ => "expected `experts = { count = 8, widths = [256, 128] }`",
            };
            report.missing(&raw.place, "experts", help);
        }
        model.experts = experts;
    }
    if architecture.has_subnetworks() {
        if subnetworks.is_none() {
            let help = "expected `subnetworks = { count = 4, widths = [256, 128] }`";
            report.missing(&raw.place, "subnetworks", help);
        }
        model.subnetworks = subnetworks;
    }
    model
}

/// Reports keys that the architecture has no use for.
fn strangers(raw: &raw::Model, architecture: Architecture, report: &Report) {
    let stranger = |place: Option<&Place>, instead: &str| {
        if let Some(place) = place {
            let message = format!("`{}` does not belong to `{}`", place.key(), architecture.word());
            report.add(place, message, format!("leave it out, {instead}"));
        }
    };
    if !architecture.has_experts() {
        let instead = "or use `architecture = \"mmoe\"`";
        stranger(raw.experts.as_ref().map(|experts| &experts.place), instead);
        stranger(raw.gate_dropout.as_ref().map(|at| &at.place), instead);
    }
    if !architecture.has_subnetworks() {
        let instead = "or use `architecture = \"snr-trans\"`";
        stranger(raw.subnetworks.as_ref().map(|nets| &nets.place), instead);
    }
    if let Some(experts) = raw.experts.as_ref().filter(|_| architecture.has_experts()) {
        if architecture != Architecture::Ple {
            let instead = "or use `architecture = \"ple\"`";
            stranger(experts.shared.as_ref().map(|at| &at.place), instead);
            stranger(experts.levels.as_ref().map(|at| &at.place), instead);
        } else if experts.shared.is_none() {
            report.missing(
                &experts.place,
                "shared",
                "expected the number of experts that all objectives share",
            );
        }
    }
    let shared = raw.shared.as_ref().filter(|at| !at.value.is_empty());
    if let Some(at) = shared.filter(|_| architecture == Architecture::SingleTask) {
        stranger(
            Some(&at.place),
            "and put the widths into `towers`, which each objective has for itself",
        );
    }
}

fn experts(raw: &raw::Experts, report: &Report) -> Experts {
    if raw.count.is_none() {
        report.missing(&raw.place, "count", "expected the number of experts");
    }
    Experts {
        count: whole_or(&raw.count, 1, 64, 1, report),
        shared: whole_or(&raw.shared, 1, 64, 0, report),
        levels: whole_or(&raw.levels, 1, 16, 1, report),
        widths: some_widths(&raw.widths, &raw.place, "an expert", report),
    }
}

fn subnetworks(raw: &raw::Subnetworks, report: &Report) -> Subnetworks {
    if raw.count.is_none() {
        report.missing(
            &raw.place,
            "count",
            "expected the number of sub-networks in a layer",
        );
    }
    Subnetworks {
        count: whole_or(&raw.count, 1, 64, 1, report),
        widths: some_widths(&raw.widths, &raw.place, "a sub-network", report),
        l0: single_or(&raw.l0, |cost| cost >= 0.0, "a number from 0", L0, report),
    }
}

/// Widths of which there must be one.
fn some_widths(list: &Option<At<raw::List<i64>>>, place: &Place, whose: &str, report: &Report) -> Vec<usize> {
    match list {
        None => {
            let help = format!("expected the widths of {whose}'s layers, as `[256, 128]`");
            report.missing(place, "widths", help);
        }
        Some(at) if at.value.is_empty() => {
            report.add(&at.place, "`widths` is empty", "expected at least one layer")
        }
        Some(_) => {}
    }
    widths(list, report)
}

fn widths(list: &Option<At<raw::List<i64>>>, report: &Report) -> Vec<usize> {
    let elements = list.iter().flat_map(|at| &at.value);
    elements
        .filter_map(|width| whole(width, 1, WIDEST, report))
        .collect()
}
