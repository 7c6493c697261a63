//! What an objective's label is, given the feedback so far.

use std::collections::BTreeMap;

use spec::{Absent, Input, Loss, Objective, Side, Spec};

use super::open::Open;
use crate::{Fields, Value};

/// The declared labels, resolved for joining.
#[derive(Debug)]
pub(super) struct Labels {
    pub(super) objectives: Vec<Objective>,
    /// Distinct windows in ms, shortest first.
    pub(super) windows: Vec<i64>,
    /// Objectives that close with each window, each after the one that it is `given`.
    pub(super) closing: Vec<Vec<usize>>,
    /// The kinds of feedback that labels name.
    pub(super) kinds: BTreeMap<String, usize>,
    /// For each kind, the last window that uses it.
    pub(super) last_window: Vec<usize>,
    /// For each objective, the kinds that its label names.
    objective_kinds: Vec<Vec<usize>>,
    /// The declared fields that labels name.
    fields: BTreeMap<String, Side>,
}

/// A label as it closes.
pub(super) struct Observed {
    pub(super) label: Option<f32>,
    /// Whether it was outside of what its loss allows, and was clamped.
    pub(super) contradictory: bool,
}

impl Labels {
    pub(super) fn of(spec: &Spec) -> Labels {
        let objectives = spec.objectives.clone();
        let mut windows: Vec<i64> = objectives.iter().map(|objective| objective.window_ms).collect();
        windows.sort_unstable();
        windows.dedup();
        let by_depth = given_first(&objectives);
        let closes_with = |objective: usize, window: i64| objectives[objective].window_ms == window;
        let closing: Vec<Vec<usize>> = windows
            .iter()
            .map(|window| {
                by_depth
                    .iter()
                    .copied()
                    .filter(|objective| closes_with(*objective, *window))
                    .collect()
            })
            .collect();

        let (mut kinds, mut fields) = (BTreeMap::new(), BTreeMap::new());
        let mut objective_kinds = Vec::new();
        for objective in &objectives {
            let mut named = Vec::new();
            for name in objective.label.names() {
                if let Some(field) = spec.field(name) {
                    fields.insert(name.to_owned(), spec.fields[field].side);
                } else {
                    let next = kinds.len();
                    named.push(*kinds.entry(name.to_owned()).or_insert(next));
                }
            }
            objective_kinds.push(named);
        }
        let mut last_window = vec![0; kinds.len()];
        for (window, closing) in closing.iter().enumerate() {
            for kind in closing.iter().flat_map(|objective| &objective_kinds[*objective]) {
                last_window[*kind] = window;
            }
        }
        Labels {
            objectives,
            windows,
            closing,
            kinds,
            last_window,
            objective_kinds,
            fields,
        }
    }

    /// The label of `objective` on `impression` by the feedback so far. What it is `given` must have closed.
    pub(super) fn observe(&self, open: &Open, impression: usize, objective: usize) -> Observed {
        let unobserved = Observed {
            label: None,
            contradictory: false,
        };
        let declared = &self.objectives[objective];
        if declared
            .given
            .is_some_and(|given| open.frozen[impression][given] != Some(1.0))
        {
            return unobserved;
        }
        // Feedback has no text: neither what it says nor its silence can be told.
        let untold = |input: Input| matches!(input, Input::Is(name, _) if !self.fields.contains_key(name));
        if declared.label.inputs().into_iter().any(untold) {
            return unobserved;
        }
        let feedback = &open.feedback[impression];
        let kinds = &self.objective_kinds[objective];
        let value = if !kinds.is_empty() && kinds.iter().all(|kind| feedback[*kind].is_none()) {
            match declared.absent {
                Absent::Missing => None,
                Absent::Value(label) => Some(f64::from(label)),
            }
        } else {
            declared.label.evaluate(&mut |input| {
                let name = input.name();
                match (self.fields.get(name), self.kinds.get(name)) {
                    (Some(Side::Item), _) => value_of(&open.slate.impressions[impression].fields, input),
                    (Some(_), _) => value_of(&open.slate.shared, input),
                    (None, Some(kind)) => match input {
                        Input::Number(_) => feedback[*kind],
                        // The value of feedback is a number.
                        Input::Is(..) => None,
                    },
                    (None, None) => None,
                }
            })
        };
        let Some(value) = value else { return unobserved };
        let (label, contradictory) = match (declared.loss, declared.clip) {
            (Loss::Binary, _) => (value.clamp(0.0, 1.0), !(0.0..=1.0).contains(&value)),
            (Loss::Squared, Some((low, high))) => (value.clamp(f64::from(low), f64::from(high)), false),
            (Loss::Squared, None) => (value, false),
            // A watch time.
            (_, _) => (value.max(0.0), value < 0.0),
        };
        let label = label as f32;
        Observed {
            label: label.is_finite().then_some(label),
            contradictory,
        }
    }
}

fn value_of(fields: &Fields, input: Input) -> Option<f64> {
    match (input, fields.get(input.name())?) {
        (Input::Number(_), Value::Number(number)) => Some(*number),
        (Input::Is(_, is), Value::Text(text)) => Some(f64::from(u8::from(text == is))),
        (Input::Is(_, is), Value::Number(number)) => Some(f64::from(u8::from(number.to_string() == is))),
        _ => None,
    }
}

/// The objectives' indices, each after the one that it is `given`, else in declared order.
pub(crate) fn given_first(objectives: &[Objective]) -> Vec<usize> {
    let depth = |objective: usize| {
        let chain = std::iter::successors(Some(objective), |at| objectives[*at].given);
        // Chains end; the bound keeps a declaration that nobody checked from looping.
        chain.take(objectives.len()).count()
    };
    let mut order: Vec<usize> = (0..objectives.len()).collect();
    order.sort_by_key(|objective| depth(*objective));
    order
}
