//! Learning curves: the validation part after each epoch.

use draw::{Axes, Curve, Style};
use maud::{Markup, html};
use spec::Spec;

use super::figure::{figure, parts};
use super::number::{decimal, plural};
use crate::{EpochMetrics, ObjectiveMetrics, TrainReport};

/// Most objectives of a figure: with the kept epoch they have a colour each.
const MOST: usize = 7;

/// A named row of points, one an epoch.
struct Series<'a> {
    name: &'a str,
    points: Vec<(f64, f64)>,
    style: Style,
}

pub(super) fn body(spec: &Spec, report: &TrainReport) -> Option<Markup> {
    let kept = report
        .epochs
        .iter()
        .find(|epoch| epoch.epoch == report.best_epoch)
        .or(report.epochs.last())?;
    let several = report.epochs.len() > 1;
    Some(html! {
        p {
            (plural(report.epochs.len(), "epoch")) " of at most " (spec.train.epochs) "; after the kept one, epoch "
            (kept.epoch) ", the validation loss is " b { (decimal(Some(kept.relative_loss), 4)) } " of the constant's"
            @if let Some(logistic) = kept.logistic_relative_loss {
                ", the logistic regression's " (decimal(Some(logistic), 4))
            }
            ". " (stopping(spec))
        }
        @if several { (figures(report)) } @else { p { "One epoch has no curve." } }
    })
}

/// What the mean is of.
fn stopping(spec: &Spec) -> String {
    let names: Vec<&str> = (spec.train.stop_by.iter())
        .filter_map(|at| Some(spec.objectives.get(*at)?.name.as_str()))
        .collect();
    if names.len() == spec.objectives.len() {
        return "The mean is over all objectives; training stops by it.".to_owned();
    }
    format!("The mean is over {}; training stops by it.", names.join(", "))
}

fn figures(report: &TrainReport) -> Markup {
    let losses = by_objective(report, ObjectiveMetrics::relative_loss);
    let aucs = by_objective(report, |metrics| metrics.auc);
    html! {
        (plane("Mean validation loss", "loss / constant", report, means(report)))
        @if report.test.objectives.len() > 1 {
            @for (of_all, part) in parts(&losses, MOST) {
                (plane(&format!("Validation loss by objective{of_all}"), "loss / constant", report, part.iter()))
            }
        }
        @for (of_all, part) in parts(&aucs, MOST) {
            (plane(&format!("Validation AUC by objective{of_all}"), "AUC", report, part.iter()))
        }
    }
}

fn means(report: &TrainReport) -> impl Iterator<Item = Series<'_>> {
    let points = |value: fn(&EpochMetrics) -> Option<f64>| -> Vec<(f64, f64)> {
        let epochs = report.epochs.iter();
        epochs
            .filter_map(|epoch| Some((epoch.epoch as f64, value(epoch)?)))
            .collect()
    };
    let series = [
        ("model", points(|epoch| Some(epoch.relative_loss)), Style::Marked),
        (
            "logistic regression",
            points(|epoch| epoch.logistic_relative_loss),
            Style::Dashed,
        ),
    ];
    series
        .into_iter()
        .filter(|(_, points, _)| !points.is_empty())
        .map(|(name, points, style)| Series { name, points, style })
}

/// The objectives that have such a value after some epoch.
fn by_objective(report: &TrainReport, value: impl Fn(&ObjectiveMetrics) -> Option<f64>) -> Vec<Series<'_>> {
    let names = (report.test.objectives.iter()).map(|metrics| metrics.name.as_str());
    names
        .enumerate()
        .map(|(at, name)| {
            let of = |epoch: &EpochMetrics| {
                let value = value(epoch.validation.objectives.get(at)?)?;
                Some((epoch.epoch as f64, value))
            };
            Series {
                name,
                points: report.epochs.iter().filter_map(of).collect(),
                style: Style::Marked,
            }
        })
        .filter(|series| !series.points.is_empty())
        .collect()
}

/// The series by epoch, and an upright line at the kept epoch.
fn plane<'a, S: std::borrow::Borrow<Series<'a>>>(
    title: &str,
    y_label: &str,
    report: &TrainReport,
    series: impl Iterator<Item = S>,
) -> Markup {
    let series: Vec<S> = series.collect();
    let series = || series.iter().map(std::borrow::Borrow::borrow);
    let values = || {
        series()
            .flat_map(|series: &Series| series.points.iter().map(|point| point.1))
            .filter(|value| value.is_finite())
    };
    let x = report.best_epoch as f64;
    let kept = [
        values().fold(f64::INFINITY, f64::min),
        values().fold(f64::NEG_INFINITY, f64::max),
    ]
    .map(|y| (x, y));
    let mut curves: Vec<Curve> = series()
        .map(|series| Curve {
            name: series.name,
            points: &series.points,
            low_high: &[],
            style: series.style,
        })
        .collect();
    curves.push(Curve {
        name: "kept epoch",
        points: &kept,
        low_high: &[],
        style: Style::Dashed,
    });

    figure(draw::curves(
        title,
        "epoch",
        y_label,
        &curves,
        Axes::default(),
        820,
        320,
    ))
}
