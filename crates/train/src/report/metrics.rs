//! Metrics on the test part: tables with the baselines below each objective, bars, and what each metric means.

mod column;

use draw::Bars;
use maud::{Markup, html};
use spec::Spec;

use self::column::{ALL, AMOUNTS, Column, SLATES};
use super::figure::{WIDTH, figure, parts, pixels};
use super::number::{count, decimal};
use crate::{Evaluation, ObjectiveMetrics, TrainReport};

/// Most objectives of a chart of bars.
const MOST: usize = 9;

pub(super) fn body(spec: &Spec, report: &TrainReport) -> Option<Markup> {
    let objectives = &report.test.objectives;
    (!objectives.is_empty()).then(|| {
        html! {
            p {
                "Below each objective's metrics stand those of "
                @if report.logistic.is_some() { "a logistic regression on the same inputs and of " }
                "the constant that always predicts the training part's mean. "
                span.worse { "Amber" }
                ": worse than "
                @if report.logistic.is_some() { "one of them." } @else { "that." }
            }
            (grid(&ALL, report))
            (charts(report))
            @for (title, columns) in [("Within slates, and as served", &SLATES[..]), ("Amounts", &AMOUNTS)] {
                @if objectives.iter().any(|metrics| said(columns, metrics)) {
                    h3 { (title) }
                    (grid(columns, report))
                }
            }
            (super::shuffled::list_auc(spec, report))
        }
    })
}

fn said(columns: &[Column], metrics: &ObjectiveMetrics) -> bool {
    columns.iter().any(|column| (column.of)(metrics).is_some())
}

/// The metrics of an objective by another predictor.
fn of<'a>(evaluation: Option<&'a Evaluation>, name: &str) -> Option<&'a ObjectiveMetrics> {
    let mut objectives = evaluation?.objectives.iter();
    objectives.find(|metrics| metrics.name == name)
}

/// A table of the objectives and columns that have anything to say, with the columns' meanings below it.
fn grid(columns: &[Column], report: &TrainReport) -> Markup {
    let objectives: Vec<(usize, &ObjectiveMetrics)> = (report.test.objectives.iter().enumerate())
        .filter(|(_, metrics)| columns.len() == ALL.len() || said(columns, metrics))
        .collect();
    let columns: Vec<&Column> = columns
        .iter()
        .filter(|column| (objectives.iter()).any(|(_, metrics)| (column.of)(metrics).is_some()))
        .collect();
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th.name { "objective" }
                        th { "examples" }
                        th { "mean label" }
                        th {}
                        @for column in &columns { th { (column.name) } }
                    }
                }
                @for (at, metrics) in &objectives { (group(&columns, report, *at, metrics)) }
            }
        }
        dl.words { @for column in &columns { div { dt { (column.name) } dd { (column.meaning) } } } }
    }
}

/// The rows of one objective: the model, the logistic regression, the constant.
fn group(columns: &[&Column], report: &TrainReport, at: usize, metrics: &ObjectiveMetrics) -> Markup {
    let logistic = of(report.logistic.as_ref(), &metrics.name);
    let mean = report.means.get(at).copied().flatten();
    let constant = |column: &Column| column.constant(metrics, mean);
    let has_constant = columns.iter().any(|column| constant(column).is_some());
    let rows = 1 + usize::from(logistic.is_some()) + usize::from(has_constant);
    let worse = |column: &Column| {
        let beside = [logistic.and_then(column.of), constant(column)];
        beside
            .into_iter()
            .flatten()
            .any(|other| (column.of)(metrics).is_some_and(|model| column.is_worse(model, other)))
    };
    html! {
        tbody.group {
            tr.model {
                td.name rowspan=(rows) { b { (metrics.name) } }
                td rowspan=(rows) { (count(metrics.examples as u64)) }
                td rowspan=(rows) { (decimal((metrics.examples > 0).then_some(metrics.mean_label), 4)) }
                td.left { "model" }
                @for column in columns {
                    td.worse[worse(column)] { (decimal((column.of)(metrics), column.digits)) }
                }
            }
            @if let Some(logistic) = logistic {
                tr.beside {
                    td.left { "logistic regression" }
                    @for column in columns { td { (decimal((column.of)(logistic), column.digits)) } }
                }
            }
            @if has_constant {
                tr.beside {
                    td.left { "constant" }
                    @for column in columns { td { (decimal(constant(column), column.digits)) } }
                }
            }
        }
    }
}

fn charts(report: &TrainReport) -> Markup {
    // With more digits the numbers on the bars would not fit.
    let rounded = |value: f64| (value * 1e3).round() / 1e3;
    let skill = |metrics: &ObjectiveMetrics| metrics.auc.map(|auc| rounded(auc - 0.5));
    let gain = |metrics: &ObjectiveMetrics| metrics.relative_loss().map(|loss| rounded(1.0 - loss));
    html! {
        (chart(report, "AUC above chance", "AUC - 0.5", skill))
        (chart(report, "Loss below the constant's", "1 - loss / constant", gain))
    }
}

/// Bars of a number that is 0 where nothing was learned; nothing where no objective has it.
fn chart(
    report: &TrainReport,
    title: &str,
    axis: &str,
    height: impl Fn(&ObjectiveMetrics) -> Option<f64>,
) -> Markup {
    let objectives: Vec<&ObjectiveMetrics> = (report.test.objectives.iter())
        .filter(|metrics| height(metrics).is_some())
        .collect();
    html! {
        @for (of_all, objectives) in parts(&objectives, MOST) {
            @let names: Vec<&str> = objectives.iter().map(|metrics| metrics.name.as_str()).collect();
            @let model: Vec<Option<f64>> = objectives.iter().map(|metrics| height(metrics)).collect();
            @let logistic: Vec<Option<f64>> = (names.iter())
                .map(|name| height(of(report.logistic.as_ref(), name)?))
                .collect();
            @let series = [("model", &model), ("logistic regression", &logistic)]
                .map(|(name, values)| Bars { name, values, low_high: &[] });
            @let series = if report.logistic.is_some() { &series[..] } else { &series[..1] };
            @let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
            @let width = pixels(270, 92, names.len(), (480, WIDTH));
            @let height = pixels(220, 11, longest, (320, 480));
            (figure(draw::bars(&format!("{title}{of_all}"), axis, &names, series, width, height)))
        }
    }
}
