//! Histories: the newest items that each person gave each kind of feedback. In: feedback that counts. Out: item ids.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::HistoryRule;
use crate::Feedback;

/// Pieces of feedback kept for each person and kind.
pub(super) const KEPT: usize = 256;

/// Histories by person and kind.
#[derive(Debug, Clone, Default)]
pub(super) struct Histories(HashMap<String, BTreeMap<String, History>>);

/// The newest items, oldest first, with the log sequences of their feedback.
#[derive(Debug, Clone, Default)]
struct History {
    newest: VecDeque<(u64, String)>,
    /// Whether older ones were dropped.
    trimmed: bool,
}

impl Histories {
    pub(super) fn apply(&mut self, seq: u64, user: &str, feedback: &Feedback) {
        if !self.0.contains_key(user) {
            self.0.insert(user.to_owned(), BTreeMap::new());
        }
        let Some(kinds) = self.0.get_mut(user) else {
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

    /// The items of `rule` now, oldest first.
    pub(super) fn now(&self, user: &str, rule: &HistoryRule) -> Vec<String> {
        let Some(history) = self.of(user, rule) else {
            return Vec::new();
        };
        let skip = history.newest.len().saturating_sub(rule.last);
        let items = history.newest.iter().skip(skip);
        items.map(|(_, item)| item.clone()).collect()
    }

    /// The items of `rule` when `as_of` was the last sequence; `None` where some of them have been dropped since.
    pub(super) fn at(&self, user: &str, rule: &HistoryRule, as_of: u64) -> Option<Vec<String>> {
        self.of(user, rule)
            .map_or_else(|| Some(Vec::new()), |history| history.at(rule.last, as_of))
    }

    fn of(&self, user: &str, rule: &HistoryRule) -> Option<&History> {
        self.0.get(user)?.get(&rule.feedback)
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

#[cfg(test)]
mod tests {
    use crate::tests::feedback;
    use crate::{Derived, DerivedRules, Fields, HistoryRule, Value};

    fn rule(last: usize) -> DerivedRules {
        DerivedRules {
            histories: vec![HistoryRule {
                field: "history".into(),
                feedback: "click".into(),
                last,
            }],
            rates: Vec::new(),
        }
    }

    fn now(derived: &Derived, user: &str, last: usize) -> Vec<String> {
        items(&derived.values(user, [], 0, &rule(last)).shared)
    }

    fn items(fields: &Fields) -> Vec<String> {
        let Value::Texts(items) = &fields["history"] else {
            panic!("{fields:?}")
        };
        items.clone()
    }

    #[test]
    fn a_history_holds_the_last_items_of_one_kind_oldest_first() {
        let mut derived = Derived::default();
        assert_eq!(now(&derived, "u", 2), [""; 0]);
        for (seq, item, kind, value) in [
            (1, "a", "click", None),
            (2, "b", "like", None),
            (3, "c", "click", Some(2.0)),
            (4, "d", "click", Some(0.0)),
            (5, "e", "click", None),
        ] {
            derived.apply(seq, "u", &feedback(&format!("f{seq}"), "s", item, kind, value));
        }
        assert_eq!(now(&derived, "u", 2), ["c", "e"]);
        assert_eq!(derived.values("u", [], 0, &rule(9)).as_of, 5);
        assert_eq!(now(&derived, "u", 9), ["a", "c", "e"]);
        assert_eq!(now(&derived, "other", 9), [""; 0]);
    }

    #[test]
    fn values_at_an_earlier_sequence_are_those_of_then_or_none() {
        let mut derived = Derived::default();
        let mut then = Vec::new();
        for seq in 1..=600 {
            let clicked = feedback(&format!("f{seq}"), "s", &format!("v{seq}"), "click", None);
            derived.apply(seq, "u", &clicked);
            then.push(derived.values("u", [], 0, &rule(5)));
        }
        for seq in 1..=600 {
            let values = derived.values_at("u", [], 0, &rule(5), seq);
            // Sequences 345 to 600 are kept; five of them are needed.
            assert_eq!(
                values,
                (seq >= 349).then(|| then[seq as usize - 1].clone()),
                "at {seq}"
            );
        }
    }
}
