//! Whether the derived values that slates were served with are those that the log gives. In: a replay and the rules. Out: a
//! [`DerivedReport`].

use super::history::KEPT;
use super::rate::LATE_MS;
use super::{Derived, DerivedRules, DerivedValues, HistoryRule};
use crate::{Event, EventsError, Fields, Slate, Value};

/// A value that was served otherwise than the log says.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct DerivedMismatch {
    /// The slate.
    pub slate: String,
    /// The item, where the value is an item's.
    pub item: Option<String>,
    /// The field.
    pub field: String,
    /// What was served.
    pub served: Option<Value>,
    /// What the log gives at the slate's `as_of`.
    pub recomputed: Option<Value>,
}

/// Served against recomputed values.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct DerivedReport {
    /// Slates looked at.
    pub slates: usize,
    /// Slates that cannot be checked, since events that they had seen are no longer kept.
    pub unverifiable: usize,
    /// What differs.
    pub mismatches: Vec<DerivedMismatch>,
}

/// Replays a log, recomputes the derived values of each slate at its `as_of`, and compares them with those it was served
/// with, numbers bit by bit. A history that is missing in a slate reads as an empty list.
///
/// # Errors
/// Those of `replay`.
pub fn verify_derived(
    replay: impl IntoIterator<Item = Result<Event, EventsError>>,
    rules: &DerivedRules,
) -> Result<DerivedReport, EventsError> {
    let mut derived = Derived::new(&rules.rates);
    let mut report = DerivedReport::default();
    let mut beginning = Beginning::default();
    for event in replay {
        let event = event?;
        beginning.note(&event);
        if let Event::Slate { slate, .. } = &event {
            report.slates += 1;
            let items = slate.impressions.iter().map(|shown| shown.item.as_str());
            match derived.values_at(&slate.user, items, slate.time, rules, slate.as_of) {
                Some(recomputed) => compare(slate, &recomputed, rules, &beginning, &mut report),
                None => report.unverifiable += 1,
            }
        }
        derived.apply_event(&event);
    }
    Ok(report)
}

fn compare(
    slate: &Slate,
    recomputed: &DerivedValues,
    rules: &DerivedRules,
    beginning: &Beginning,
    report: &mut DerivedReport,
) {
    let mut unknown = false;
    let mut differs =
        |item: Option<&str>, field: &str, served: Option<&Value>, recomputed: Option<&Value>| {
            report.mismatches.push(DerivedMismatch {
                slate: slate.id.clone(),
                item: item.map(str::to_owned),
                field: field.to_owned(),
                served: served.cloned(),
                recomputed: recomputed.cloned(),
            });
        };
    for rule in &rules.histories {
        let field = &rule.field;
        let (served, now) = (texts(&slate.shared, rule), texts(&recomputed.shared, rule));
        if served == now {
            continue;
        }
        if !beginning.is_whole() && now.len() < rule.last.min(KEPT) && served.ends_with(&now) {
            unknown = true;
            continue;
        }
        let values = (slate.shared.get(field), recomputed.shared.get(field));
        differs(None, field, values.0, values.1);
    }
    for (shown, now) in slate.impressions.iter().zip(&recomputed.items) {
        for rule in &rules.rates {
            let field = &rule.field;
            let (served, now) = (shown.fields.get(field), now.get(field));
            if same_number(served, now) {
                continue;
            }
            if beginning.is_lost(slate.time.saturating_sub(rule.window_ms)) {
                unknown = true;
                continue;
            }
            differs(Some(&shown.item), field, served, now);
        }
    }
    report.unverifiable += usize::from(unknown);
}

/// What is known of the part of a log that is no longer retained.
#[derive(Debug, Default)]
struct Beginning {
    first: Option<u64>,
    mark: Option<i64>,
}

impl Beginning {
    fn note(&mut self, event: &Event) {
        self.first.get_or_insert(event.seq());
        if let (None, Event::Mark { time, .. }) = (self.mark, event) {
            self.mark = Some(*time);
        }
    }

    /// Whether it is there: else histories have unknown beginnings.
    fn is_whole(&self) -> bool {
        self.first == Some(1)
    }

    /// Whether slates of times after `time` may be missing. Those that are arrived before the first mark that is there, and
    /// the time of a slate is not far ahead of its arrival.
    fn is_lost(&self, time: i64) -> bool {
        !self.is_whole() && self.mark.is_none_or(|mark| time < mark.saturating_add(LATE_MS))
    }
}

fn same_number(a: Option<&Value>, b: Option<&Value>) -> bool {
    match (a, b) {
        (Some(Value::Number(a)), Some(Value::Number(b))) => a.to_bits() == b.to_bits(),
        (None, None) => true,
        _ => false,
    }
}

fn texts(fields: &Fields, rule: &HistoryRule) -> Vec<String> {
    match fields.get(&rule.field) {
        Some(Value::Texts(texts)) => texts.clone(),
        Some(Value::Text(text)) => vec![text.clone()],
        Some(Value::Number(number)) => vec![number.to_string()],
        Some(Value::Numbers(numbers)) => numbers.iter().map(f32::to_string).collect(),
        Some(Value::Weights(weights)) => weights.keys().cloned().collect(),
        None => Vec::new(),
    }
}
