//! Derived fields: what a person did lately, from the feedback of the log. One implementation, online and in replay: the
//! same feedback in the same order gives the same values.

use std::collections::{BTreeMap, HashMap, VecDeque};

use spec::{Source, Spec};

use crate::{Event, EventsError, Feedback, Fields, Value};

/// Pieces of feedback kept for each person and kind.
const KEPT: usize = 256;

/// A declared history: the last items that a person gave one kind of feedback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRule {
    /// The field.
    pub field: String,
    /// Kind of feedback.
    pub feedback: String,
    /// Most items, up to 256.
    pub last: usize,
}

impl HistoryRule {
    /// The histories that `spec` declares, in the order of fields.
    pub fn of(spec: &Spec) -> Vec<HistoryRule> {
        let rules = spec.fields.iter().filter_map(|field| match &field.source {
            Source::History { feedback, last } => Some(HistoryRule {
                field: field.name.clone(),
                feedback: feedback.clone(),
                last: *last,
            }),
            Source::Given => None,
        });
        rules.collect()
    }
}

/// The newest feedback of each person and kind; of no declaration.
#[derive(Debug, Clone, Default)]
pub struct Derived {
    people: HashMap<String, BTreeMap<String, History>>,
    as_of: u64,
}

/// The newest items, oldest first, with the log sequences of their feedback.
#[derive(Debug, Clone, Default)]
struct History {
    newest: VecDeque<(u64, String)>,
    /// Whether older ones were dropped.
    trimmed: bool,
}

impl Derived {
    /// Takes in feedback on a slate of `user`, in the order of sequences. It counts where its value is absent or above 0.
    pub fn apply(&mut self, seq: u64, user: &str, feedback: &Feedback) {
        self.as_of = seq;
        if feedback.value.is_some_and(|value| value <= 0.0) {
            return;
        }
        if !self.people.contains_key(user) {
            self.people.insert(user.to_owned(), BTreeMap::new());
        }
        let Some(kinds) = self.people.get_mut(user) else {
            return;
        };
        if !kinds.contains_key(&feedback.kind) {
            kinds.insert(feedback.kind.clone(), History::default());
        }
        let Some(history) = kinds.get_mut(&feedback.kind) else {
            return;
        };
        history.newest.push_back((seq, feedback.item.clone()));
        if history.newest.len() > KEPT {
            history.newest.pop_front();
            history.trimmed = true;
        }
    }

    /// Sequence of the last feedback taken in; 0 before the first.
    pub fn as_of(&self) -> u64 {
        self.as_of
    }

    /// The values of `rules` for `user` now, by field name: item ids, oldest first, an empty list where there are none.
    /// With the sequence that they are as of.
    pub fn values(&self, user: &str, rules: &[HistoryRule]) -> (u64, Fields) {
        let value = |rule: &HistoryRule| {
            let items = self.history(user, rule).map_or_else(Vec::new, |history| {
                let skip = history.newest.len().saturating_sub(rule.last);
                history
                    .newest
                    .iter()
                    .skip(skip)
                    .map(|(_, item)| item.clone())
                    .collect()
            });
            (rule.field.clone(), Value::Texts(items))
        };
        (self.as_of, rules.iter().map(value).collect())
    }

    /// The values that [`Derived::values`] gave when `as_of` was the last sequence; `None` where entries that this takes
    /// have been dropped since.
    pub fn values_at(&self, user: &str, rules: &[HistoryRule], as_of: u64) -> Option<Fields> {
        let value = |rule: &HistoryRule| {
            let items = match self.history(user, rule) {
                Some(history) => history.at(rule.last, as_of)?,
                None => Vec::new(),
            };
            Some((rule.field.clone(), Value::Texts(items)))
        };
        rules.iter().map(value).collect()
    }

    fn history(&self, user: &str, rule: &HistoryRule) -> Option<&History> {
        self.people.get(user)?.get(&rule.feedback)
    }
}

impl History {
    fn at(&self, last: usize, as_of: u64) -> Option<Vec<String>> {
        let last = last.min(KEPT);
        let seen = self.newest.partition_point(|(seq, _)| *seq <= as_of);
        if seen < last && self.trimmed {
            return None;
        }
        let items = self.newest.range(seen.saturating_sub(last)..seen);
        Some(items.map(|(_, item)| item.clone()).collect())
    }
}

/// A value that was served otherwise than the log says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DerivedMismatch {
    /// The slate.
    pub slate: String,
    /// The field.
    pub field: String,
    /// The items that were served.
    pub served: Vec<String>,
    /// The items that the log gives at the slate's `as_of`.
    pub recomputed: Vec<String>,
}

/// Served against recomputed values.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct DerivedReport {
    /// Slates looked at.
    pub slates: usize,
    /// Slates that cannot be checked, since feedback that they had seen is no longer kept.
    pub unverifiable: usize,
    /// What differs.
    pub mismatches: Vec<DerivedMismatch>,
}

/// Replays a log, recomputes the derived values of each slate at its `as_of`, and compares them with those it was served
/// with. A value that is missing in a slate reads as an empty list.
///
/// # Errors
/// Those of `replay`.
pub fn verify_derived(
    replay: impl IntoIterator<Item = Result<Event, EventsError>>,
    rules: &[HistoryRule],
) -> Result<DerivedReport, EventsError> {
    let mut derived = Derived::default();
    let mut report = DerivedReport::default();
    // A log whose oldest days are gone has histories with unknown beginnings.
    let mut whole = None;
    for event in replay {
        let event = event?;
        let whole = *whole.get_or_insert(event.seq() == 1);
        match event {
            Event::Feedback {
                seq,
                feedback,
                user: Some(user),
            } => derived.apply(seq, &user, &feedback),
            Event::Feedback { user: None, .. } | Event::Mark { .. } => {}
            Event::Slate { slate, .. } => {
                report.slates += 1;
                let Some(recomputed) = derived.values_at(&slate.user, rules, slate.as_of) else {
                    report.unverifiable += 1;
                    continue;
                };
                let mut unknown = false;
                for rule in rules {
                    let (served, recomputed) = (texts(&slate.shared, rule), texts(&recomputed, rule));
                    if served == recomputed {
                        continue;
                    }
                    if !whole && recomputed.len() < rule.last.min(KEPT) && served.ends_with(&recomputed) {
                        unknown = true;
                        continue;
                    }
                    let (slate, field) = (slate.id.clone(), rule.field.clone());
                    report.mismatches.push(DerivedMismatch {
                        slate,
                        field,
                        served,
                        recomputed,
                    });
                }
                report.unverifiable += usize::from(unknown);
            }
        }
    }
    Ok(report)
}

fn texts(fields: &Fields, rule: &HistoryRule) -> Vec<String> {
    match fields.get(&rule.field) {
        Some(Value::Texts(texts)) => texts.clone(),
        Some(Value::Text(text)) => vec![text.clone()],
        Some(Value::Number(number)) => vec![number.to_string()],
        Some(Value::Numbers(numbers)) => numbers.iter().map(f32::to_string).collect(),
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::feedback;

    fn rule(last: usize) -> [HistoryRule; 1] {
        [HistoryRule {
            field: "history".into(),
            feedback: "click".into(),
            last,
        }]
    }

    fn items(fields: &Fields) -> Vec<&str> {
        let Value::Texts(items) = &fields["history"] else {
            panic!("{fields:?}")
        };
        items.iter().map(String::as_str).collect()
    }

    #[test]
    fn a_history_holds_the_last_items_of_one_kind_oldest_first() {
        let mut derived = Derived::default();
        assert_eq!(items(&derived.values("u", &rule(2)).1), [""; 0]);
        for (seq, item, kind, value) in [
            (1, "a", "click", None),
            (2, "b", "like", None),
            (3, "c", "click", Some(2.0)),
            (4, "d", "click", Some(0.0)),
            (5, "e", "click", None),
        ] {
            derived.apply(seq, "u", &feedback(&format!("f{seq}"), "s", item, kind, value));
        }
        assert_eq!(items(&derived.values("u", &rule(2)).1), ["c", "e"]);
        assert_eq!(derived.values("u", &rule(9)).0, 5);
        assert_eq!(items(&derived.values("u", &rule(9)).1), ["a", "c", "e"]);
        assert_eq!(items(&derived.values("other", &rule(9)).1), [""; 0]);
    }

    #[test]
    fn values_at_an_earlier_sequence_are_those_of_then_or_none() {
        let mut derived = Derived::default();
        let mut then = Vec::new();
        for seq in 1..=600 {
            derived.apply(
                seq,
                "u",
                &feedback(&format!("f{seq}"), "s", &format!("v{seq}"), "click", None),
            );
            then.push(derived.values("u", &rule(5)).1);
        }
        for seq in 1..=600 {
            let values = derived.values_at("u", &rule(5), seq);
            // Sequences 345 to 600 are kept; five of them are needed.
            assert_eq!(
                values,
                (seq >= 349).then(|| then[seq as usize - 1].clone()),
                "at {seq}"
            );
        }
    }
}
