//! The examples that closed in a store's log after a boundary.
//!
//! In: a store, a declaration, the last run. Out: labelled examples in the order of their closing, and the next boundary.

use std::path::Path;

use events::{Event, Examples, Join, LearnRun, Replay};
use spec::Spec;

use crate::TrainError;

/// What closed in the log after a boundary.
pub(crate) struct Closed {
    pub examples: Examples,
    /// The last mark: the new boundary.
    pub mark_seq: u64,
    /// From where the next run must replay: the oldest slate still open.
    pub replay_from: u64,
}

/// All examples that a store's log has closed, in the order of their closing; `None`: none.
///
/// # Errors
/// A log that cannot be read.
pub fn closed_examples(store: &Path, spec: &Spec) -> Result<Option<Examples>, TrainError> {
    Ok(Closed::since(store, spec, None, None)?.map(|closed| closed.examples))
}

impl Closed {
    /// Joins the log from the last run's boundary to the newest mark (or the mark `until`). `None`: nothing closed.
    pub(crate) fn since(
        store: &Path,
        spec: &Spec,
        last: Option<&LearnRun>,
        until: Option<u64>,
    ) -> Result<Option<Closed>, TrainError> {
        let boundary = last.map_or(0, |last| last.mark_seq);
        let mut join = Join::new(spec);
        let mut mark_seq = boundary;
        let mut replay_from = None;
        let mut parts = Vec::new();
        for event in Replay::open(store, last.map_or(1, |last| last.replay_from), until)? {
            let event = event?;
            join.apply(&event)?;
            if let Event::Mark { seq, .. } = event {
                let emitted = join.take();
                if seq > boundary {
                    mark_seq = seq;
                    replay_from = Some(join.replay_from().unwrap_or(seq));
                    parts.push(emitted);
                }
            }
        }
        let Some(replay_from) = replay_from else {
            return Ok(None);
        };
        let examples = Examples::concat(&parts);
        Ok((!examples.is_empty()).then_some(Closed {
            examples,
            mark_seq,
            replay_from,
        }))
    }
}
