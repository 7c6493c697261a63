//! `[objectives]`: each by itself, then what `given` links.

use super::value::{choice, choice_or, name, positive_or, single_or};
use crate::raw::{self, Entries, Scalar};
use crate::report::Report;
use crate::{Absent, Expression, Field, Kind, Loss, Objective, Side, Space, duration, suggestion};

/// Thirty minutes.
const WINDOW_MS: i64 = 30 * 60 * 1000;

const LOSSES: [Loss; 5] = [
    Loss::Binary,
    Loss::Squared,
    Loss::WatchFraction,
    Loss::WeightedLogistic,
    Loss::WatchQuantile,
];

const SPACES: [(&str, Space); 2] = [("observed", Space::Observed), ("entire", Space::Entire)];

/// Checks `[objectives]`.
pub(super) fn check(declared: &Entries<raw::Objective>, fields: &[Field], report: &Report) -> Vec<Objective> {
    if declared.entries.is_empty() && !report.blames("objectives") {
        let help = "expected `[objectives]` with what is to be predicted";
        report.add(&declared.place, "no objective is declared", help);
    }
    let mut objectives: Vec<Objective> = declared
        .entries
        .iter()
        .map(|raw| objective(raw, fields, report))
        .collect();
    for (index, raw) in declared.entries.iter().enumerate() {
        objectives[index].given = given(raw, index, &objectives, report);
    }
    cycles(&declared.entries, &mut objectives, report);
    for (index, raw) in declared.entries.iter().enumerate() {
        entire_space(raw, index, &objectives, report);
    }
    objectives
}

fn objective(raw: &raw::Objective, fields: &[Field], report: &Report) -> Objective {
    name("objective", &raw.name, &raw.place, report);
    match &raw.group {
        None => report.missing(
            &raw.place,
            "group",
            "expected the name of a group, as `engagement` or `satisfaction`",
        ),
        Some(at) if at.value.is_empty() => {
            report.add(&at.place, "`group` is empty", "expected the name of a group")
        }
        Some(_) => {}
    }
    let loss = match &raw.loss {
        None => {
            let help =
                "expected `binary`, `squared`, `watch-fraction`, `weighted-logistic` or `watch-quantile`";
            report.missing(&raw.place, "loss", help);
            None
        }
        Some(at) => choice(at, &LOSSES.map(|loss| (loss.word(), loss)), &[], report),
    };
    let clip = clip(raw, loss, report);
    Objective {
        name: raw.name.clone(),
        group: raw.group.as_ref().map(|at| at.value.clone()).unwrap_or_default(),
        loss: loss.unwrap_or(Loss::Binary),
        label: label(raw, report),
        clip,
        given: None,
        space: choice_or(&raw.space, &SPACES, Space::Observed, report),
        absent: absent(raw, loss, clip, report),
        window_ms: window(raw, report),
        loss_weight: positive_or(&raw.loss_weight, 1.0, report),
        duration: watched(raw, loss, fields, report),
        keep_negatives: keep_negatives(raw, loss, report),
    }
}

fn label(raw: &raw::Objective, report: &Report) -> Expression {
    let own = Expression::Name(raw.name.clone());
    let Some(at) = &raw.label else { return own };
    match Expression::parse(&at.value) {
        Ok(label) if label.names().is_empty() => {
            let help = "expected a feedback kind, a field or a column in it";
            report.add(&at.place, format!("`label` names nothing: `{}`", at.value), help);
            own
        }
        Ok(label) => label,
        Err((byte, message)) => {
            let help = "expected numbers, names, `+ - * /` and parentheses, as `play_ms / duration_ms`";
            report.add(
                &at.place,
                format!("`label` is `{}`: at byte {byte}, {message}", at.value),
                help,
            );
            own
        }
    }
}

fn clip(raw: &raw::Objective, loss: Option<Loss>, report: &Report) -> Option<(f32, f32)> {
    let at = raw.clip.as_ref()?;
    if let Some(loss) = loss.filter(|loss| *loss != Loss::Squared) {
        let what = if loss == Loss::Binary {
            "binary"
        } else {
            "watch-time"
        };
        report.add(
            &at.place,
            format!("`clip` on a {what} objective"),
            "leave it out: it is for `loss = \"squared\"`",
        );
        return None;
    }
    let bounds: Vec<f32> = at.value.iter().map(|bound| bound.value as f32).collect();
    match bounds.as_slice() {
        [low, high] if low.is_finite() && high.is_finite() && low < high => Some((*low, *high)),
        _ => {
            let typed: Vec<String> = at.value.iter().map(|bound| bound.value.to_string()).collect();
            let message = format!("`clip` is [{}]", typed.join(", "));
            report.add(&at.place, message, "expected `[lo, hi]`, finite, lo below hi");
            None
        }
    }
}

fn absent(raw: &raw::Objective, loss: Option<Loss>, clip: Option<(f32, f32)>, report: &Report) -> Absent {
    let Some(at) = &raw.absent else {
        return Absent::Missing;
    };
    let value = match &at.value {
        Scalar::Text(word) => {
            if word != "missing" {
                let help = suggestion::choose("expected a number or", word, &["missing"]);
                report.add(&at.place, format!("`absent` is `{word}`"), help);
            }
            return Absent::Missing;
        }
        Scalar::Number(number) => *number as f32,
    };
    let (low, high, of) = match (loss, clip) {
        (Some(Loss::Binary), _) => (0.0, 1.0, "a binary objective"),
        (Some(loss), _) if loss.is_watch_time() => (0.0, f32::MAX, "a watch time"),
        (_, Some((low, high))) => (low, high, "its `clip`"),
        _ => (f32::MIN, f32::MAX, "a label"),
    };
    if !(low..=high).contains(&value) {
        let expected = if value.is_finite() && high < f32::MAX {
            format!("{low} to {high}")
        } else {
            "a finite number".into()
        };
        report.add(
            &at.place,
            format!("`absent` is {value}"),
            format!("expected `missing` or {expected}, as {of} has"),
        );
    }
    Absent::Value(value)
}

/// The field of the duration of what is watched.
fn watched(raw: &raw::Objective, loss: Option<Loss>, fields: &[Field], report: &Report) -> Option<usize> {
    let loss = loss?;
    let usable = |field: &&Field| {
        matches!(field.kind, Kind::Number { dot: None, .. } | Kind::Buckets { .. })
            && field.side != Side::Pair
    };
    let known = |typed: &str| {
        let names: Vec<&str> = fields
            .iter()
            .filter(usable)
            .map(|field| field.name.as_str())
            .collect();
        suggestion::choose("number fields", typed, &names)
    };
    let Some(at) = &raw.duration else {
        if loss.needs_duration() {
            let help = format!(
                "expected `duration = \"FIELD\"`, the field of how long the watched item is; {}",
                known("")
            );
            report.missing(&raw.place, "duration", help);
        }
        return None;
    };
    if !loss.needs_duration() {
        let help = "leave it out: it is for `watch-fraction` and `watch-quantile`";
        report.add(&at.place, format!("`duration` on loss `{}`", loss.word()), help);
        return None;
    }
    let found = fields.iter().position(|field| field.name == at.value);
    match found {
        Some(index) if usable(&&fields[index]) => found,
        _ => {
            if !report.blames(&format!("fields.{}", at.value)) {
                report.add(
                    &at.place,
                    format!("no number field `{}`", at.value),
                    known(&at.value),
                );
            }
            None
        }
    }
}

fn keep_negatives(raw: &raw::Objective, loss: Option<Loss>, report: &Report) -> f32 {
    if let Some(at) = &raw.keep_negatives
        && loss.is_some_and(|loss| loss != Loss::Binary)
    {
        let help = "leave it out: only a binary objective has negatives";
        report.add(
            &at.place,
            "`keep_negatives` on an objective that is not binary",
            help,
        );
        return 1.0;
    }
    let share = |share: f32| share > 0.0 && share <= 1.0;
    single_or(
        &raw.keep_negatives,
        share,
        "a share above 0, up to 1",
        1.0,
        report,
    )
}

fn window(raw: &raw::Objective, report: &Report) -> i64 {
    let Some(at) = &raw.window else { return WINDOW_MS };
    duration::milliseconds(&at.value).unwrap_or_else(|| {
        let help =
            "expected a whole number and its unit, as `500ms`, `90s`, `30m`, `24h`, `7d`; at most 3650 days";
        report.add(&at.place, format!("`window` is `{}`", at.value), help);
        WINDOW_MS
    })
}

/// The objective that `given` names.
fn given(raw: &raw::Objective, index: usize, objectives: &[Objective], report: &Report) -> Option<usize> {
    let at = raw.given.as_ref()?;
    let other = |objective: &&Objective| objective.name != raw.name && objective.loss == Loss::Binary;
    let others = || {
        let names: Vec<&str> = objectives
            .iter()
            .filter(other)
            .map(|objective| objective.name.as_str())
            .collect();
        suggestion::choose("other binary objectives", &at.value, &names)
    };
    let Some(given) = objectives.iter().position(|objective| objective.name == at.value) else {
        if !report.blames(&format!("objectives.{}", at.value)) {
            report.add(&at.place, format!("no objective `{}`", at.value), others());
        }
        return None;
    };
    if given == index {
        report.add(&at.place, format!("`{}` is given itself", at.value), others());
        return None;
    }
    let condition = &objectives[given];
    if condition.loss != Loss::Binary {
        report.add(&at.place, format!("`{}` is not binary", at.value), others());
        return None;
    }
    let blamed = |name: &str| report.blames(&format!("objectives.{name}.window"));
    if condition.window_ms > objectives[index].window_ms && !blamed(&raw.name) && !blamed(&condition.name) {
        let place = raw.window.as_ref().map_or(&at.place, |window| &window.place);
        let message = format!(
            "the window is {} s, that of `{}` {} s",
            seconds(objectives[index].window_ms),
            condition.name,
            seconds(condition.window_ms)
        );
        report.add(
            place,
            message,
            format!(
                "expected a window at least as long, as the label waits for `{}`",
                condition.name
            ),
        );
    }
    Some(given)
}

/// Reports what keeps an objective from being learned over the entire space.
fn entire_space(raw: &raw::Objective, index: usize, objectives: &[Objective], report: &Report) {
    let own = &objectives[index];
    let Some(at) = raw.space.as_ref().filter(|_| own.space == Space::Entire) else {
        return;
    };
    let what = "`space = \"entire\"`";
    if raw.given.is_none() {
        let help = "leave it out, or name with `given` the objective that it waits for";
        report.add(&at.place, format!("{what} without `given`"), help);
    }
    if raw.loss.is_some()
        && own.loss != Loss::Binary
        && !report.blames(&format!("objectives.{}.loss", raw.name))
    {
        let help = "leave it out: only a binary objective has a probability over all impressions";
        report.add(&at.place, format!("{what} on loss `{}`", own.loss.word()), help);
    }
    let chain = std::iter::successors(Some(index), |at| objectives[*at].given);
    let thinned = chain
        .map(|at| &objectives[at])
        .find(|objective| objective.keep_negatives < 1.0);
    if let Some(objective) = thinned {
        let message = format!("{what} where `{}` has `keep_negatives`", objective.name);
        let help = "leave one of them out: the joint probability is learned on all impressions";
        report.add(&at.place, message, help);
    }
}

fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1000.0
}

/// Reports every circle of `given` once, at the member declared first, and cuts it there.
fn cycles(declared: &[raw::Objective], objectives: &mut [Objective], report: &Report) {
    for start in 0..objectives.len() {
        let mut chain = vec![start];
        while let Some(next) = chain.last().and_then(|last| objectives[*last].given) {
            if next == start {
                if let Some(at) = &declared[start].given {
                    chain.push(start);
                    let names: Vec<String> = chain
                        .iter()
                        .map(|at| format!("`{}`", objectives[*at].name))
                        .collect();
                    let message = format!("`given` goes in a circle: {}", names.join(" given "));
                    report.add(
                        &at.place,
                        message,
                        "expected a chain that ends: leave one `given` out",
                    );
                }
                objectives[start].given = None;
                break;
            }
            // A circle that does not come back to the start is found from one of its own members.
            if chain.contains(&next) {
                break;
            }
            chain.push(next);
        }
    }
}
