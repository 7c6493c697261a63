//! The join: slates and feedback become labelled examples as closing marks pass. In: the log's events in order. Out:
//! [`Examples`], the same for the same log, to the byte.
//!
//! An objective's label closes at the first mark whose time is past the slate's time plus the objective's window. A slate
//! gives one example for each impression and distinct window, which holds only the labels that closed then.

mod label;
mod open;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use spec::Spec;

use crate::{Event, EventsError, ExampleBuilder, ExampleRow, Examples, Feedback, Slate};
pub(crate) use label::given_first;
use label::{Labels, Observed};
use open::Open;

/// What became of what the log holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct JoinCounts {
    /// Slates.
    pub slates: u64,
    /// Pieces of feedback.
    pub feedback: u64,
    /// Examples that were emitted.
    pub examples: u64,
    /// Feedback after the last mark that could have used it.
    pub late: u64,
    /// Slates and feedback with an id that an open slate has already.
    pub duplicate: u64,
    /// Feedback of slates that the log did not have when it came.
    pub orphan: u64,
    /// Feedback of items that its slate does not show.
    pub unknown_item: u64,
    /// Feedback that gives another value than an earlier one of its kind, and binary labels outside of `[0, 1]`.
    pub contradictory: u64,
    /// Examples that were not emitted, as no label was observed.
    pub empty: u64,
}

/// Pairs slates with their feedback. Holds the slates whose longest window is open.
#[derive(Debug)]
pub struct Join {
    labels: Labels,
    open: BTreeMap<u64, Open>,
    /// Sequences of the open slates.
    ids: HashMap<String, u64>,
    /// Time from which on a window of an open slate may close: `(slate's time + window, sequence, window)`.
    due: BTreeSet<(i64, u64, usize)>,
    builder: ExampleBuilder,
    counts: JoinCounts,
}

impl Join {
    /// A join at the beginning of a log, or at [`Join::replay_from`] of another.
    pub fn new(spec: &Spec) -> Join {
        Join {
            labels: Labels::of(spec),
            open: BTreeMap::new(),
            ids: HashMap::new(),
            due: BTreeSet::new(),
            builder: ExampleBuilder::new(spec),
            counts: JoinCounts::default(),
        }
    }

    /// Takes the next event in.
    ///
    /// # Errors
    /// [`EventsError::Slate`] where a logged value is not of the kind or width that the declaration asks for.
    pub fn apply(&mut self, event: &Event) -> Result<(), EventsError> {
        match event {
            Event::Slate { seq, slate } => self.slate(*seq, slate),
            Event::Feedback { feedback, user, .. } => self.feedback(feedback, user.is_some()),
            Event::Mark { time, .. } => return self.mark(*time),
        }
        Ok(())
    }

    /// The examples since the last call: in the order of marks, then slates, windows, positions.
    pub fn take(&mut self) -> Examples {
        self.builder.finish()
    }

    /// Number of slates with an open window.
    pub fn pending(&self) -> usize {
        self.open.len()
    }

    /// What became of what came in.
    pub fn counts(&self) -> JoinCounts {
        self.counts
    }

    /// Sequence of the oldest slate with an open window: a join that starts there goes on as this one. `None`: it may
    /// start at the next event.
    pub fn replay_from(&self) -> Option<u64> {
        self.open.keys().next().copied()
    }

    fn slate(&mut self, seq: u64, slate: &Slate) {
        self.counts.slates += 1;
        if self.ids.contains_key(&slate.id) {
            self.counts.duplicate += 1;
            return;
        }
        if self.labels.windows.is_empty() {
            return;
        }
        for (window, length) in self.labels.windows.iter().enumerate() {
            self.due.insert((slate.time.saturating_add(*length), seq, window));
        }
        self.ids.insert(slate.id.clone(), seq);
        self.open.insert(seq, Open::new(slate, &self.labels));
    }

    fn feedback(&mut self, feedback: &Feedback, known_slate: bool) {
        let counts = &mut self.counts;
        counts.feedback += 1;
        if !known_slate {
            counts.orphan += 1;
            return;
        }
        let kind = self.labels.kinds.get(&feedback.kind).copied();
        let Some(open) = self
            .ids
            .get(&feedback.slate)
            .and_then(|seq| self.open.get_mut(seq))
        else {
            // Its slate is known, and closed for good.
            counts.late += u64::from(kind.is_some());
            return;
        };
        let Some(impression) = open
            .slate
            .impressions
            .iter()
            .position(|shown| shown.item == feedback.item)
        else {
            counts.unknown_item += 1;
            return;
        };
        if !open.is_new(&feedback.id) {
            counts.duplicate += 1;
            return;
        }
        let Some(kind) = kind else { return };
        if self.labels.last_window[kind] < open.closed {
            counts.late += 1;
            return;
        }
        let value = feedback.value.unwrap_or(1.0);
        let before = open.feedback[impression][kind].replace(value);
        counts.contradictory += u64::from(before.is_some_and(|before| before != value));
    }

    fn mark(&mut self, time: i64) -> Result<(), EventsError> {
        let mut closing = Vec::new();
        while let Some(&(due, seq, window)) = self.due.first()
            && due < time
        {
            self.due.pop_first();
            closing.push((seq, window));
        }
        closing.sort_unstable();
        for (seq, window) in closing {
            self.close(seq, window)?;
        }
        Ok(())
    }

    fn close(&mut self, seq: u64, window: usize) -> Result<(), EventsError> {
        let Some(open) = self.open.get_mut(&seq) else {
            unreachable!("what is due is open")
        };
        open.closed = window + 1;
        for &impression in &open.order {
            let mut row = vec![None; self.labels.objectives.len()];
            for &objective in &self.labels.closing[window] {
                let Observed { label, contradictory } = self.labels.observe(open, impression, objective);
                open.frozen[impression][objective] = label;
                row[objective] = label;
                self.counts.contradictory += u64::from(contradictory);
            }
            if row.iter().all(Option::is_none) {
                self.counts.empty += 1;
                continue;
            }
            push(
                &mut self.builder,
                &open.slate,
                impression,
                self.labels.windows[window],
                &row,
            )?;
            self.counts.examples += 1;
        }
        if open.closed == self.labels.windows.len()
            && let Some(open) = self.open.remove(&seq)
        {
            self.ids.remove(&open.slate.id);
        }
        Ok(())
    }
}

fn push(
    builder: &mut ExampleBuilder,
    slate: &Slate,
    impression: usize,
    window_ms: i64,
    labels: &[Option<f32>],
) -> Result<(), EventsError> {
    let shown = &slate.impressions[impression];
    let row = ExampleRow {
        key: open::key(&slate.id, &shown.item, window_ms),
        time: slate.time,
        user: &slate.user,
        item: &shown.item,
        slate: Some(&slate.id),
        position: Some(shown.position),
        shuffled: slate.is_random_at(shown.position),
        query: slate.query.as_deref(),
        shared: &slate.shared,
        fields: &shown.fields,
        labels,
    };
    let propensity = shown.propensity.map(|propensity| propensity as f32);
    builder
        .push_shown(&row, propensity)
        .map_err(|error| EventsError::Slate {
            slate: slate.id.clone(),
            problem: format!("item `{}`: {error}", shown.item),
        })
}
