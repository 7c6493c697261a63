//! What was typed, made to mean something: choices, ranges, defaults, references between sections.
//!
//! In: a raw [`Declaration`]. Out: a [`Spec`], which is valid exactly if the [`Report`] stayed empty; else it holds defaults in
//! the places of mistakes, so that the checks after them can go on.

mod bias;
mod fields;
mod keys;
mod model;
mod objectives;
mod pairs;
mod score;
mod settings;
mod sources;
mod tables;
mod value;

use crate::Spec;
use crate::raw::Declaration;
use crate::report::Report;

/// Checks everything.
pub(crate) fn check(declared: &Declaration, text: &str, report: &Report) -> Spec {
    let keys = keys::check(&declared.keys, report);
    let (fields, tables) = fields::check(&declared.fields, &keys, report);
    let objectives = objectives::check(&declared.objectives, &fields, report);
    let bias = bias::check(declared, &fields, &tables, &objectives, report);
    Spec {
        model: model::check(declared, report),
        score: score::check(&declared.score, &objectives, report),
        train: settings::train(&declared.train, &objectives, keys.no_time, report),
        join: settings::join(declared, report),
        gates: settings::gates(declared, report),
        explore: settings::explore(declared, report),
        log: settings::log(declared, report),
        text: text.to_owned(),
        keys,
        fields,
        tables,
        objectives,
        bias,
    }
}
