//! `GET /`: a plain page of what the service does now: the model, its verdict, days where there are some, a visitor's slate.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Html;
use draw::Line;
use events::{LearnRun, ModelRow, Slate};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

use crate::problem::off_thread;
use crate::{Live, Problem, Service};

/// Name of the figures that the page shows as a table: one row a day, one column a key.
const DAYS: &str = "days";
/// Columns of the days that are drawn.
const DRAWN: &str = " minutes";

pub(crate) async fn show(
    State(service): State<Arc<Service>>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Html<String>, Problem> {
    let page = off_thread(move || {
        let live = service.live.load_full();
        let days = service.state.figures(DAYS)?;
        let models = service.state.models()?;
        let check = debias_check(&service.state.learn_runs()?, &models);
        let slate = query.get("slate").cloned().or_else(|| service.newest_slate());
        let slate = match slate {
            Some(id) => service.recorder.slate(&id)?,
            None => None,
        };
        Ok(html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width";
                    title { "watchnext" }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    h1 { "watchnext" }
                    (serving(live.as_deref()))
                    @if let Some(check) = &check { (debias_section(check)) }
                    @if let Some(live) = &live { (shuffled(&service, live)) }
                    @if !days.is_empty() { (days_section(&days)) }
                    @if let Some(slate) = &slate { (slate_section(slate, live.as_deref())) }
                    h2 { "Models" }
                    table {
                        tr { th { "version" } th { "verdict" } th { "gates" } }
                        @for row in models.iter().rev() {
                            tr {
                                td { (row.version) }
                                td { (row.status) }
                                td { (gates(&row.verdict)) }
                            }
                        }
                    }
                }
            }
        })
    });
    page.await.map(|page| Html(page.into_string()))
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#222}\
table{border-collapse:collapse;margin:.5rem 0 1.5rem}th,td{padding:.2rem .7rem;border-bottom:1px solid #ddd;text-align:right}\
th:first-child,td:first-child{text-align:left}svg{max-width:100%;height:auto}small{color:#666}";

fn serving(live: Option<&Live>) -> Markup {
    html! {
        @match live {
            Some(live) => p {
                "Model " b { (live.version) } " is serving; score version " (live.score_version) ": "
                @for (name, weight) in live.score.to_names(live.ranker.spec()) { code { (name) "^" (weight) } " " }
            },
            None => p { "No model is live yet: slates and feedback are recorded." },
        }
    }
}

/// What the newest learner run says of positions; before the first one, what the newest model brought along.
fn debias_check(runs: &[LearnRun], models: &[ModelRow]) -> Option<Value> {
    let of_runs = runs.iter().rev().map(|run| &run.details["debias_check"]);
    let of_models = models.iter().rev().map(|model| &model.verdict["debias_check"]);
    of_runs.chain(of_models).find(|check| check.is_object()).cloned()
}

/// Whether positions can be told from relevance in what was learned from.
fn debias_section(check: &Value) -> Markup {
    let objectives: Vec<&Value> = check["objectives"].as_array().into_iter().flatten().collect();
    html! {
        h2 { "Position bias" }
        p { (cell(&check["summary"])) }
        @if !objectives.is_empty() {
            table {
                tr { th { "objective" } th { "examples" } th { "eta2" } th { "swap" } th { "verdict" } }
                @for objective in objectives {
                    @let all = &objective["all"];
                    tr {
                        td { (cell(&objective["objective"])) }
                        @for number in ["rows", "eta2", "swap", "verdict"] { td { (cell(&all[number])) } }
                    }
                }
            }
        }
    }
}

/// How many slates were shuffled, where any were or may be.
fn shuffled(service: &Service, live: &Live) -> Markup {
    let share = service.settings(live.ranker.spec()).explore.shuffle;
    let [ranked, shuffled] = service.ranked();
    html! {
        @if share > 0.0 || shuffled > 0 {
            p {
                "Of " b { (ranked) } " slates that were ranked since the start " b { (shuffled) } " were shuffled ("
                code { "[explore] shuffle = " (share) } ")."
            }
        }
    }
}

/// A day's row is a list of `[column, value]`, in the order of columns; the first value is the day.
fn days_section(days: &[Value]) -> Markup {
    let widest = days
        .iter()
        .filter_map(Value::as_array)
        .max_by_key(|row| row.len());
    let columns: Vec<&str> = widest
        .into_iter()
        .flatten()
        .filter_map(|pair| pair[0].as_str())
        .collect();
    let series: Vec<(&str, Vec<(f64, f64)>)> = columns
        .iter()
        .filter_map(|column| Some((column.strip_suffix(DRAWN)?, points(days, column))))
        .collect();
    let lines: Vec<Line> = series
        .iter()
        .map(|(name, points)| Line { name, points })
        .collect();
    let figure = draw::lines(
        "Satisfied minutes per visit",
        "day",
        "minutes (true value)",
        &lines,
        720,
        320,
    );
    html! {
        h2 { "Days" }
        @if let Ok(figure) = figure { (PreEscaped(figure)) }
        table {
            tr { @for column in &columns { th { (column) } } }
            @for row in days {
                tr { @for column in &columns { td { (cell(value(row, column))) } } }
            }
        }
    }
}

fn value<'a>(row: &'a Value, column: &str) -> &'a Value {
    let pair = row
        .as_array()
        .into_iter()
        .flatten()
        .find(|pair| pair[0] == column);
    pair.map_or(&Value::Null, |pair| &pair[1])
}

fn points(days: &[Value], column: &str) -> Vec<(f64, f64)> {
    days.iter()
        .filter_map(|row| Some((value(row, "day").as_f64()?, value(row, column).as_f64()?)))
        .collect()
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => format!("{:.4}", number.as_f64().unwrap_or(f64::NAN)),
        other => other.to_string(),
    }
}

fn slate_section(slate: &Slate, live: Option<&Live>) -> Markup {
    let objectives: Vec<&str> = live
        .map(|live| {
            live.ranker
                .spec()
                .objectives
                .iter()
                .map(|objective| objective.name.as_str())
                .collect()
        })
        .unwrap_or_default();
    html! {
        h2 { "A visitor's slate" }
        p {
            "User " b { (slate.user) }
            @if let Some(query) = &slate.query { " watching " b { (query) } }
            ", slate " code { (slate.id) }
            @if let Some(model) = &slate.model { ", ranked by " (model) }
            @if slate.shuffled { ", shuffled" }
        }
        table {
            tr { th { "position" } th { "item" } @for name in &objectives { th { (name) } } }
            @for impression in slate.impressions.iter().take(10) {
                tr {
                    td { (impression.position) }
                    td { (impression.item) }
                    @for prediction in impression.predictions.iter().take(objectives.len()) { td { (format!("{prediction:.3}")) } }
                }
            }
        }
    }
}

fn gates(verdict: &Value) -> Markup {
    html! {
        @for gate in verdict["gates"].as_array().into_iter().flatten() {
            small title=(cell(&gate["measured"])) {
                (if gate["passed"] == true { "✓" } else { "✗" }) " " (cell(&gate["gate"])) " "
            }
        }
    }
}
