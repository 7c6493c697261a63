//! Derived fields: what a person did lately, and how often an item was taken up lately, from the slates and feedback of the
//! log. One implementation, online and in replay: the same events in the same order give the same values.

mod history;
mod rate;
mod verify;

use spec::{Source, Spec};

use crate::{Event, Feedback, Fields, Slate, Value};
use history::Histories;
pub(crate) use rate::Rates;
pub use verify::{DerivedMismatch, DerivedReport, verify_derived};

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

/// A declared rate: the share of an item's impressions within a window that were given one kind of feedback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateRule {
    /// The field.
    pub field: String,
    /// Kind of feedback.
    pub feedback: String,
    /// Milliseconds looked back.
    pub window_ms: i64,
}

/// The fields that a declaration derives from the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DerivedRules {
    /// Of people.
    pub histories: Vec<HistoryRule>,
    /// Of items.
    pub rates: Vec<RateRule>,
}

impl DerivedRules {
    /// The histories and rates that `spec` declares, each in the order of fields.
    pub fn of(spec: &Spec) -> DerivedRules {
        let mut rules = DerivedRules::default();
        for field in &spec.fields {
            let name = field.name.clone();
            match &field.source {
                Source::History { feedback, last } => rules.histories.push(HistoryRule {
                    field: name,
                    feedback: feedback.clone(),
                    last: *last,
                }),
                Source::Rate { feedback, window_ms } => rules.rates.push(RateRule {
                    field: name,
                    feedback: feedback.clone(),
                    window_ms: *window_ms,
                }),
                Source::Given | Source::Since { .. } | Source::Part { .. } => {}
            }
        }
        rules
    }
}

/// The derived values of one request, by field name.
#[derive(Debug, Clone, PartialEq)]
pub struct DerivedValues {
    /// The log sequence that they are as of: a slate logs it beside them.
    pub as_of: u64,
    /// Histories of the user: item ids, oldest first, an empty list where there are none.
    pub shared: Fields,
    /// For each item asked for, its rates; one that has no value is left out.
    pub items: Vec<Fields>,
}

/// The newest feedback of each person and kind, of no declaration; and, of the rates that it was made for, the impressions
/// and their feedback.
#[derive(Debug, Clone, Default)]
pub struct Derived {
    histories: Histories,
    rates: Option<Rates>,
    /// Sequence of the last feedback.
    as_of: u64,
    /// Sequence of the last slate or feedback.
    seen: u64,
}

impl Derived {
    /// Of an empty log; gives the values of every history and of `rates`.
    pub fn new(rates: &[RateRule]) -> Derived {
        Derived {
            rates: (!rates.is_empty()).then(|| Rates::new(rates)),
            ..Derived::default()
        }
    }

    /// Takes in a slate, in the order of sequences. Only rates need it.
    pub fn apply_slate(&mut self, seq: u64, slate: &Slate) {
        self.seen = seq;
        if let Some(rates) = &mut self.rates {
            rates.apply_slate(seq, slate);
        }
    }

    /// Takes in feedback on a slate of `user`, in the order of sequences. It counts where its value is absent or above 0.
    pub fn apply(&mut self, seq: u64, user: &str, feedback: &Feedback) {
        self.as_of = seq;
        self.seen = seq;
        if !counts(feedback) {
            return;
        }
        self.histories.apply(seq, user, feedback);
        if let Some(rates) = &mut self.rates {
            rates.apply(seq, feedback);
        }
    }

    /// Takes in an event of the log.
    pub fn apply_event(&mut self, event: &Event) {
        match event {
            Event::Slate { seq, slate } => self.apply_slate(*seq, slate),
            Event::Feedback {
                seq,
                feedback,
                user: Some(user),
            } => self.apply(*seq, user, feedback),
            Event::Feedback { user: None, .. } | Event::Mark { .. } => {}
        }
    }

    /// Sequence of the last feedback taken in; 0 before the first.
    pub fn as_of(&self) -> u64 {
        self.as_of
    }

    /// Sequence of the last slate or feedback taken in; 0 before the first.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// The values of `rules` now, for `user` and each of `items`, in a request at `time` (ms since 1970). Where there are
    /// rates they are as of [`Derived::seen`], else, since slates do not move a history, as of [`Derived::as_of`].
    ///
    /// A rate counts the item's newest 65,536 impressions of times in `(time - window, time]`; it is exact, and missing
    /// where there is none. It is also missing in a request two days or more behind the newest slate.
    pub fn values<'i>(
        &self,
        user: &str,
        items: impl IntoIterator<Item = &'i str>,
        time: i64,
        rules: &DerivedRules,
    ) -> DerivedValues {
        let histories = rules.histories.iter();
        let shared = histories.map(|rule| (rule.field.clone(), Value::Texts(self.histories.now(user, rule))));
        let rates = |item: &str| {
            let rate = |rule: &RateRule| {
                let rate = self.rates.as_ref()?.now(item, rule, time)?;
                Some((rule.field.clone(), Value::Number(rate)))
            };
            rules.rates.iter().filter_map(rate).collect()
        };
        DerivedValues {
            as_of: if rules.rates.is_empty() {
                self.as_of
            } else {
                self.seen
            },
            shared: shared.collect(),
            items: items.into_iter().map(rates).collect(),
        }
    }

    /// The values that [`Derived::values`] gave when `as_of` was the last sequence; `None` where entries that this takes
    /// have been dropped since.
    pub fn values_at<'i>(
        &self,
        user: &str,
        items: impl IntoIterator<Item = &'i str>,
        time: i64,
        rules: &DerivedRules,
        as_of: u64,
    ) -> Option<DerivedValues> {
        let mut shared = Fields::new();
        for rule in &rules.histories {
            let items = self.histories.at(user, rule, as_of)?;
            shared.insert(rule.field.clone(), Value::Texts(items));
        }
        let rates = |item: &str| {
            let mut fields = Fields::new();
            for rule in &rules.rates {
                let rate = match &self.rates {
                    Some(rates) => rates.at(item, rule, time, as_of)?,
                    None => None,
                };
                fields.extend(rate.map(|rate| (rule.field.clone(), Value::Number(rate))));
            }
            Some(fields)
        };
        Some(DerivedValues {
            as_of,
            shared,
            items: items.into_iter().map(rates).collect::<Option<_>>()?,
        })
    }

    /// Notes that the log has come to `seq`, by events that move nothing here.
    pub(crate) fn come_to(&mut self, seq: u64) {
        self.seen = self.seen.max(seq);
    }

    /// Rates of an empty log, of the kinds and windows that there are here and those of `rules`; `None` where `rules` are
    /// given already.
    pub(crate) fn with_rates(&self, rules: &[RateRule]) -> Option<Rates> {
        match &self.rates {
            Some(rates) if rates.cover(rules) => None,
            Some(rates) => Some(rates.extended(rules)),
            None => (!rules.is_empty()).then(|| Rates::new(rules)),
        }
    }

    /// Puts `rates`, of the log up to [`Derived::seen`], in the place of its own.
    pub(crate) fn set_rates(&mut self, rates: Rates) {
        self.rates = Some(rates);
    }
}

/// Whether feedback is more than a denial.
fn counts(feedback: &Feedback) -> bool {
    feedback.value.is_none_or(|value| value > 0.0)
}
