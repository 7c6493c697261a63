//! Events: what was shown, what people did, and the labelled examples that follow from both.
//!
//! A [`Recorder`] makes slates and feedback durable, gives each a log sequence, and logs closing marks of time; [`Replay`]
//! reads them back in order; a [`Join`] pairs each impression with the feedback that came before its objectives' marks and
//! emits [`Examples`]. A [`FlatLog`] reads the same examples from Parquet, CSV and JSONL files, and [`sample`] a part of
//! one such file. [`State`] keeps the catalogue and the lists of models, score versions, learner runs and verdicts. Nothing
//! here knows a model; labels follow [`spec::Objective`].

mod catalogue;
mod clock;
mod derived;
mod error;
mod example;
mod feedback;
mod import;
mod join;
mod lock;
mod moment;
mod recorder;
mod replay;
mod slate;
mod state;
mod store;
mod value;

#[cfg(test)]
mod tests;

pub use catalogue::{Catalogue, Entity};
pub use clock::{Clock, EventClock, SystemClock};
pub use derived::{
    Derived, DerivedMismatch, DerivedReport, DerivedRules, DerivedValues, HistoryRule, RateRule,
    verify_derived,
};
pub use error::EventsError;
pub use example::{Columns, ExampleBuilder, ExampleRow, Examples, check_value};
pub use feedback::Feedback;
pub use import::{FlatLog, FlatOptions, FlatRow, InputFile, Sample, as_numbers, as_texts, sample, scan};
pub use join::{Join, JoinCounts};
pub use lock::RoleLock;
pub use moment::{derived_from_time, parse_time, since_hours, time_of};
pub use recorder::{Receipt, Recorded, Recorder, RecorderOptions};
pub use replay::{Event, Replay};
pub use slate::{Candidate, Impression, SHUFFLED_PLACES, Slate};
pub use state::{LearnRun, ModelRow, ScoreRow, State};
pub use store::Store;
pub use value::{Fields, Value};
