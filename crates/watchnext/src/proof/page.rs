//! `truth.html`: the proof for whoever would rather look than read.

use draw::{Bars, Curve, Line, Style};
use maud::{Markup, html};
use measure::mean_interval;
use train::report;
use world::{Device, Examination};

use super::arm::Arm;
use super::cell::{Outcome, Rater, examination_name};
use super::days::Worth;
use super::fusion::Fused;
use super::prove::Proof;
use super::rows::{Claim, Row};
use super::truth::{CurveError, SLATE};

const WORLDS: [Examination; 3] = [Examination::Additive, Examination::Product, Examination::Cascade];
/// Pixels of a figure.
const SIZE: (u32, u32) = (1060, 420);

/// The page.
pub(super) fn html(proof: &Proof) -> String {
    let sections = [
        (
            "rows",
            "What was claimed, and what was measured",
            Some(rows(&proof.rows)),
        ),
        (
            "arms",
            "Order against truth, by arm and logger",
            arms(&proof.cells),
        ),
        ("curves", "Learned and true curves", curves(&proof.cells)),
        ("loop", "The closed loop", loops(&proof.loops)),
        (
            "weights",
            "Engagement against satisfaction",
            weights(&proof.fusions),
        ),
        (
            "serving",
            "What the position at serving changes",
            serving(&proof.fusions),
        ),
        (
            "fields",
            "Fields that act as a bias",
            super::discovery::table(&proof.discoveries),
        ),
    ];
    let sections: Vec<_> = sections
        .into_iter()
        .filter_map(|(id, title, body)| Some((id, title, body?)))
        .collect();
    report::page("Debiasing against truth", &head(proof), &sections)
}

fn head(proof: &Proof) -> Markup {
    let recipe = proof.recipe;
    let missed = proof.missed();
    html! {
        h1 { "Debiasing against truth" }
        p {
            "Seeds 0 to " (recipe.seeds.saturating_sub(1)) ", each another simulated world; " (recipe.impressions) " logged impressions, "
            (recipe.epochs) " passes. Every log went through a store, its join and the trainer, as anyone's. Arms marked "
            em { "uses truth" } " are bounds that no log allows. Differences are paired by seed, with 95 % intervals."
        }
        @if missed.is_empty() {
            div.fine { "Every row is within its gate." }
        } @else {
            div.alarm { "Missed: row " @for (at, row) in missed.iter().enumerate() { @if at > 0 { ", " } (row) } "." }
        }
    }
}

fn rows(rows: &[Row]) -> Markup {
    html! {
        p { "Gates were fixed before the run. The tower is not always the better choice: row 11 is its honest loss." }
        div.scroll { table {
            thead { tr { th { "row" } th.name { "claim" } th.name { "where" } th { "measured" } th { "95 % interval" } th { "gate" } th { "" } } }
            @for row in rows {
                tbody.group {
                    @for (at, claim) in row.claims.iter().enumerate() {
                        tr.bad[!claim.held] {
                            @if at == 0 {
                                td rowspan=(row.claims.len()) { (row.number) }
                                td.name rowspan=(row.claims.len()) { (row.title) }
                            }
                            td.name { (claim.what) }
                            td { (number(claim.interval.mean)) }
                            td { (range(claim)) }
                            td { (claim.gate) }
                            td { (if claim.held { "holds" } else { "missed" }) }
                        }
                    }
                }
            }
        } }
    }
}

fn number(value: f64) -> String {
    if value.is_finite() {
        format!("{value:+.4}")
    } else {
        "-".to_owned()
    }
}

fn range(claim: &Claim) -> String {
    match (claim.interval.low, claim.interval.high) {
        (low, high) if low.is_finite() && high.is_finite() => format!("{low:+.4} .. {high:+.4}"),
        _ => "-".to_owned(),
    }
}

/// Per world and logger: each arm's nDCG less that of "no position", where it wins and where it loses.
fn arms(cells: &[Outcome]) -> Option<Markup> {
    (!cells.is_empty()).then(|| {
        html! {
            p {
                "nDCG at 10 against the true grades, less that of the arm that does not look at positions. Below zero an arm "
                em { "loses" } ": under a logger that knows what people want, positions are right about relevance, and every arm "
                "that explains them away throws that away. No log without shuffled slates can tell this logger from a wrong one."
            }
            @for world in WORLDS { (world_of_arms(cells, world)) }
        }
    })
}

fn world_of_arms(cells: &[Outcome], examination: Examination) -> Markup {
    let arms = Arm::ALL.into_iter().filter(|arm| *arm != Arm::None);
    let gain = |arm: Arm, logger: Rater| {
        let of = cells.iter().filter(|outcome| {
            let cell = outcome.cell;
            cell.examination == examination && cell.logger == logger && cell.eta != 0.0
        });
        let gains: Vec<f64> = of
            .filter_map(|outcome| Some(outcome.arm(arm)?.ndcg - outcome.arm(Arm::None)?.ndcg))
            .collect();
        (!gains.is_empty()).then(|| mean_interval(&gains, 0.95))
    };
    let rows: Vec<_> = arms
        .map(|arm| (arm, Rater::ALL.map(|logger| gain(arm, logger))))
        .collect();
    let rows: Vec<_> = rows
        .into_iter()
        .filter(|(_, gains)| gains.iter().any(Option::is_some))
        .collect();
    let loggers = Rater::ALL.map(Rater::name);
    let values: Vec<Vec<Option<f64>>> = rows
        .iter()
        .map(|(_, gains)| gains.iter().map(|gain| gain.map(|gain| gain.mean)).collect())
        .collect();
    let low_high: Vec<Vec<Option<(f64, f64)>>> = rows
        .iter()
        .map(|(_, gains)| {
            let bounds = |gain: &Option<measure::Interval>| gain.map(|gain| (gain.low, gain.high));
            gains
                .iter()
                .map(|gain| bounds(gain).filter(|(low, high)| low.is_finite() && high.is_finite()))
                .collect()
        })
        .collect();
    let shown = |arm: Arm| matches!(arm, Arm::Tower | Arm::Product | Arm::Input | Arm::Full);
    let bars: Vec<Bars> = rows
        .iter()
        .enumerate()
        .filter(|(_, (arm, _))| shown(*arm))
        .map(|(at, (arm, _))| Bars {
            name: arm.name(),
            values: &values[at],
            low_high: &low_high[at],
        })
        .collect();
    html! {
        @if !rows.is_empty() {
            h3 { (examination_name(examination)) " world" }
            (report::figure(draw::bars("nDCG less that of no position", "nDCG", &loggers, &bars, SIZE.0, SIZE.1)))
            div.scroll { table {
                thead { tr { th.name { "arm" } @for logger in loggers { th { (logger) " logger" } } } }
                @for (arm, gains) in &rows {
                    tr {
                        td.name { (arm.name()) @if arm.uses_truth() { " " em { "(uses truth)" } } }
                        @for gain in gains {
                            @match gain {
                                Some(gain) => td.worse[gain.high < 0.0] { (number(gain.mean)) " ± " (format!("{:.4}", gain.high - gain.mean)) },
                                None => td { "-" },
                            }
                        }
                    }
                }
            } }
        }
    }
}

/// The curves of the first seed, per device.
fn curves(cells: &[Outcome]) -> Option<Markup> {
    let learned = |outcome: &Outcome, arm: Arm| outcome.arm(arm).and_then(|judged| judged.curve.clone());
    let first = cells
        .iter()
        .filter(|outcome| outcome.cell.seed == 0 && outcome.cell.eta != 0.0);
    let drawn: Vec<(String, CurveError)> = first
        .flat_map(|outcome| {
            [Arm::Tower, Arm::Product].into_iter().filter_map(move |arm| {
                let cell = outcome.cell;
                let title = format!(
                    "{} world, {} logger: {}",
                    examination_name(cell.examination),
                    cell.logger.name(),
                    arm.name()
                );
                Some((title, learned(outcome, arm)?))
            })
        })
        .collect();
    (!drawn.is_empty()).then(|| {
        html! {
            p {
                "Relative to position 1, per device, in the world of seed 0: learned (lines) and true (dashed). In product and cascade "
                "worlds the true curve is the logarithm of the chance that a position is examined; the additive tower, whose "
                "logits mean something else, is steeper there by construction."
            }
            div.multiples { @for (title, curve) in &drawn { (curve_figure(title, curve)) } }
        }
    })
}

fn curve_figure(title: &str, curve: &CurveError) -> Markup {
    let points = |values: &[f64]| -> Vec<(f64, f64)> {
        (1..=SLATE).map(f64::from).zip(values.iter().copied()).collect()
    };
    let learned: Vec<_> = curve.learned.iter().map(|values| points(values)).collect();
    let truth: Vec<_> = curve.truth.iter().map(|values| points(values)).collect();
    let names: Vec<(String, String)> = Device::ALL
        .iter()
        .map(|device| (device.name().to_owned(), format!("{}, true", device.name())))
        .collect();
    let line = |name, points, style| Curve {
        name,
        points,
        low_high: &[],
        style,
    };
    let mut all = Vec::new();
    for (at, (name, of_truth)) in names.iter().enumerate() {
        all.extend(
            learned
                .get(at)
                .map(|points| line(name.as_str(), points.as_slice(), Style::Line)),
        );
        all.extend(
            truth
                .get(at)
                .map(|points| line(of_truth.as_str(), points.as_slice(), Style::Dashed)),
        );
    }
    report::figure(draw::curves(
        title,
        "position",
        "logit",
        &all,
        draw::Axes::default(),
        520,
        300,
    ))
}

/// Value per day with and without the tower, mean over seeds.
fn loops(loops: &[Worth]) -> Option<Markup> {
    (!loops.is_empty()).then(|| {
        html! {
            p { "Satisfied minutes per visit, true, mean over seeds. Day 0 is the wrong logger's." }
            @for world in WORLDS { (world_of_loops(loops, world)) }
        }
    })
}

fn world_of_loops(loops: &[Worth], examination: Examination) -> Markup {
    let mean = |arm: Arm| -> Vec<(f64, f64)> {
        let of: Vec<&Worth> = loops
            .iter()
            .filter(|worth| worth.days.examination == examination && worth.days.arm == arm)
            .collect();
        let days = of.first().map_or(0, |worth| worth.value.len());
        let day = |day: usize| of.iter().map(|worth| worth.value[day]).sum::<f64>() / of.len() as f64;
        (0..days).map(|at| (at as f64, day(at))).collect()
    };
    let lines: Vec<(&str, Vec<(f64, f64)>)> =
        [Arm::Tower, Arm::None].map(|arm| (arm.name(), mean(arm))).into();
    let lines: Vec<Line> = lines.iter().map(|(name, points)| Line { name, points }).collect();
    html! {
        @if lines.iter().any(|line| !line.points.is_empty()) {
            h3 { (examination_name(examination)) " world" }
            (report::figure(draw::lines("Value per day", "day", "satisfied minutes a visit", &lines, SIZE.0, SIZE.1)))
        }
    }
}

/// The fronts that the tuner found, of the first seed.
fn weights(fusions: &[Fused]) -> Option<Markup> {
    let first: Vec<&Fused> = fusions.iter().filter(|fused| fused.fusion.seed == 0).collect();
    (!first.is_empty()).then(|| {
        html! {
            p { "What each weighting of the score is expected to bring by the model itself, on the logged candidate sets of seed 0." }
            div.multiples { @for fused in first { (front(fused)) } }
        }
    })
}

fn front(fused: &Fused) -> Markup {
    let fusion = fused.fusion;
    let title = format!(
        "{} world, {} logger",
        examination_name(fusion.examination),
        fusion.logger.name()
    );
    report::figure(train::draw_front(&title, &fused.tuning, 520, 340))
}

fn serving(fusions: &[Fused]) -> Option<Markup> {
    let ways: Vec<&str> = fusions
        .first()?
        .serving
        .iter()
        .map(|way| way.serve_position.as_str())
        .collect();
    let of = |way: &str| -> (usize, f64) {
        let all = fusions
            .iter()
            .flat_map(|fused| &fused.serving)
            .filter(|serving| serving.serve_position == way);
        let (mut reordered, mut changed, mut count) = (0, 0.0, 0.0_f64);
        for serving in all {
            reordered += serving.reordered;
            changed += serving.combined_changed;
            count += 1.0;
        }
        (reordered, changed / count.max(1.0))
    };
    Some(html! {
        p {
            "Beside serving at the missing position. One debiased objective orders the same whatever stands for the position; the "
            "combined score need not, since a constant on one logit shifts its weight against the others."
        }
        div.scroll { table {
            thead { tr { th.name { "serve_position" } th { "visits ordered otherwise by click alone" } th { "visits with another top 10 by the combined score" } } }
            @for way in ways {
                @let (reordered, changed) = of(way);
                tr { td.name { (way) } td { (reordered) } td { (format!("{:.1} %", 100.0 * changed)) } }
            }
        } }
    })
}
