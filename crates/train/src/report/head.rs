//! The head of the page: whether the model may be served, and what was trained.

use std::fmt::Write as _;

use maud::{Markup, html};
use model::Cost;
use spec::{Architecture, BiasForm, Side, Spec};

use super::number::{count, decimal, plural};
use crate::TrainReport;

pub(super) fn head(spec: &Spec, report: &TrainReport) -> Markup {
    html! {
        h1 { "Training report: " (objectives(spec, 5)) }
        (verdict(report))
        p { (beside(report)) }
        (facts(spec, report))
        (layers(spec))
    }
}

/// The first `most` names, and how many more there are.
pub(super) fn objectives(spec: &Spec, most: usize) -> String {
    let names: Vec<&str> = (spec.objectives.iter().take(most))
        .map(|objective| objective.name.as_str())
        .collect();
    let more = match spec.objectives.len() - names.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    names.join(", ") + &more
}

/// Sentences that are shown at once; the others unfold.
const SHOWN: usize = 5;

fn list(sentences: &[String]) -> Markup {
    let (shown, folded) = sentences.split_at(sentences.len().min(SHOWN));
    html! {
        ul { @for text in shown { li { (sentence(text)) } } }
        @if !folded.is_empty() {
            details {
                summary { (folded.len()) " more" }
                ul { @for text in folded { li { (sentence(text)) } } }
            }
        }
    }
}

/// What stands between backquotes is shown as code.
pub(super) fn sentence(text: &str) -> Markup {
    html! {
        @for (at, part) in text.split('`').enumerate() {
            @if at % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

fn verdict(report: &TrainReport) -> Markup {
    let leaks = report.leaks.iter().map(ToString::to_string);
    let unsaid = leaks.filter(|leak| !report.warnings.contains(leak));
    let warnings: Vec<String> = report.warnings.iter().cloned().chain(unsaid).collect();

    html! {
        @if !report.alarms.is_empty() {
            div.alarm {
                b { (plural(report.alarms.len(), "alarm")) ": do not serve this model" }
                (list(&report.alarms))
            }
        }
        @if !warnings.is_empty() {
            div.warning {
                b { @if report.alarms.is_empty() { "No alarm, but " } (plural(warnings.len(), "warning")) }
                (list(&warnings))
            }
        }
        @if report.alarms.is_empty() && warnings.is_empty() {
            div.fine { b { "No alarm" } ", no warning." }
        }
    }
}

/// In a sentence, what the model is better than.
fn beside(report: &TrainReport) -> String {
    let losses = |of: &crate::Evaluation| -> Vec<Option<f64>> {
        of.objectives
            .iter()
            .map(crate::ObjectiveMetrics::relative_loss)
            .collect()
    };
    let model = losses(&report.test);
    let than = |other: &[Option<f64>]| {
        let pairs = model
            .iter()
            .zip(other)
            .filter_map(|(model, other)| Some((*model)?.total_cmp(&(*other)?)));
        let below: Vec<bool> = pairs.map(std::cmp::Ordering::is_lt).collect();
        let won = below.iter().filter(|below| **below).count();
        format!("{won} of {}", plural(below.len(), "objective"))
    };
    let constant = than(&vec![Some(1.0); model.len()]);
    let logistic = report.logistic.as_ref().map_or_else(String::new, |logistic| {
        format!(
            ", and below a logistic regression's on the same inputs for {}",
            than(&losses(logistic))
        )
    });
    format!("On the test part the loss is below that of always predicting the mean for {constant}{logistic}.")
}

fn facts(spec: &Spec, report: &TrainReport) -> Markup {
    let [training, validation, test] = report.rows;
    let cost = Cost::of(spec);
    html! {
        dl.facts {
            dt { "objectives" }
            dd { (groups(spec)) }
            dt { "fields" }
            dd { (fields(spec)) }
            dt { "network" }
            dd { (network(spec)) }
            dt { "shallow tower" }
            dd { (shallow(spec)) }
            dt { "size" }
            dd {
                (count(cost.parameters)) " parameters, " (count(report.multiplications)) " multiplications per candidate"
            }
            dt { "rows" }
            dd {
                (count(training)) " to train, " (count(validation)) " to validate, " (count(test)) " to test"
                @if report.judged < test { " (metrics are of " (count(report.judged)) " of these, drawn)" }
            }
            dt { "epochs" }
            dd { "epoch " (report.best_epoch) " kept of " (report.epochs.len()) " run" }
            dt { "seed" }
            dd { (report.seed) }
        }
    }
}

/// Objectives by group, groups in the order declared.
fn groups(spec: &Spec) -> String {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for objective in &spec.objectives {
        match groups.iter_mut().find(|(group, _)| *group == objective.group) {
            Some((_, names)) => names.push(&objective.name),
            None => groups.push((&objective.group, vec![&objective.name])),
        }
    }
    let groups = groups.iter();
    let said: Vec<String> = groups
        .map(|(group, names)| format!("{group}: {}", names.join(", ")))
        .collect();
    said.join("; ")
}

fn fields(spec: &Spec) -> String {
    let sides = [
        (Side::User, "user"),
        (Side::Context, "context"),
        (Side::Query, "query"),
        (Side::Item, "item"),
        (Side::Pair, "pair"),
    ];
    let sides = sides.iter().filter_map(|(side, name)| {
        let count = spec.fields.iter().filter(|field| field.side == *side).count();
        (count > 0).then(|| format!("{count} {name}"))
    });
    format!("{} ({})", spec.fields.len(), sides.collect::<Vec<_>>().join(", "))
}

fn network(spec: &Spec) -> String {
    let model = &spec.model;
    let mut said = match model.architecture {
        Architecture::SingleTask => "a tower of its own for each objective".to_owned(),
        Architecture::SharedBottom => "shared bottom".to_owned(),
        Architecture::Omoe => "one-gate mixture of experts".to_owned(),
        Architecture::Mmoe => "multi-gate mixture of experts".to_owned(),
        Architecture::Ple => "progressive layered extraction".to_owned(),
        Architecture::SnrTrans => "sub-network routing, a matrix for each connection".to_owned(),
        Architecture::SnrAver => "sub-network routing, connections added up".to_owned(),
    };
    if !model.shared.is_empty() {
        said.push_str(&format!(", shared layers {:?}", model.shared));
    }
    if let Some(experts) = &model.experts {
        let of = if experts.shared > 0 {
            " of each objective"
        } else {
            ""
        };
        said.push_str(&format!(", {} experts{of} {:?}", experts.count, experts.widths));
        if experts.shared > 0 {
            said.push_str(&format!(", {} shared, {} levels", experts.shared, experts.levels));
        }
    }
    if let Some(nets) = &model.subnetworks {
        said.push_str(&format!(
            ", {} sub-networks {:?}, an open connection costs {}",
            nets.count, nets.widths, nets.l0
        ));
    }
    if !model.towers.is_empty() {
        said.push_str(&format!(", towers {:?}", model.towers));
    }
    for (name, share) in [("gate", model.gate_dropout), ("input", model.input_dropout)] {
        if share > 0.0 {
            said.push_str(&format!(", {name} drop-out {share}"));
        }
    }
    said
}

fn shallow(spec: &Spec) -> String {
    let Some(bias) = &spec.bias else {
        return "none".to_owned();
    };
    let names = |of: &[usize], name: fn(&Spec, usize) -> &str| -> Vec<String> {
        of.iter().map(|at| name(spec, *at).to_owned()).collect()
    };
    let mut crossed = names(&bias.fields, |spec, at| &spec.fields[at].name);
    crossed.insert(0, "position".to_owned());
    let objectives = names(&bias.objectives, |spec, at| &spec.objectives[at].name);
    let form = match bias.form {
        BiasForm::Additive => String::new(),
        form => format!("{}: ", form.word()),
    };
    let mut said = format!("{form}{}, on {}", crossed.join(" x "), objectives.join(", "));
    for (name, share) in [
        ("position drop-out", Some(bias.position_dropout)),
        (
            "output drop-out",
            Some(bias.output_dropout).filter(|share| *share > 0.0),
        ),
        (
            "gradient reversal",
            Some(bias.gradient_reversal).filter(|share| *share > 0.0),
        ),
    ] {
        if let Some(share) = share {
            let _ = write!(said, "; {name} {}", decimal(Some(f64::from(share)), 2));
        }
    }
    said
}

fn layers(spec: &Spec) -> Markup {
    html! {
        details {
            summary { "The network layer by layer" }
            div.scroll {
                table {
                    thead {
                        tr {
                            th.name { "layer" }
                            th.left { "shape" }
                            th { "parameters" }
                            th { "multiplications" }
                        }
                    }
                    tbody {
                        @for layer in &Cost::of(spec).layers {
                            tr {
                                td.name { (layer.name) }
                                td.left { (layer.shape) }
                                td { (count(layer.parameters)) }
                                td { (count(layer.multiplications)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
