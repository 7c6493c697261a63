//! Training: examples become a challenger and a verdict.
//!
//! [`train`] learns from flat files: a time-ordered split, epochs, early stopping, metrics. [`learn`] continues from the last
//! checkpoint on what closed in a store's log since, and promotes its challenger past the gates. Both drive a [`Trainer`], whose
//! [`Checkpoint`] resumes to the bit. How a ranker predicts is `model`'s; what is served, and how, is `serve`'s.

mod ahead;
mod alarm;
mod anatomy;
mod baseline;
mod bench;
mod checkpoint;
mod closed;
mod curve;
mod debias;
mod decay;
mod error;
mod evaluate;
mod exact;
mod fit;
mod flat;
mod forms;
mod gates;
mod import;
mod judge;
mod leak;
mod learn;
mod memory;
mod optimizer;
mod part;
mod policy;
mod progress;
pub mod report;
mod run;
mod slices;
mod split;
#[cfg(test)]
mod testing;
mod trainer;
mod tune;
mod verify;

pub use anatomy::{Anatomy, Bin, LayerUnits, TableFill};
pub use baseline::Logistic;
pub use bench::{
    BenchOptions, BenchReport, CheckpointReport, EncodeReport, Net, bench, bench_checkpoint, bench_encode,
};
pub use checkpoint::Checkpoint;
pub use closed::closed_examples;
pub use curve::{AnchoredCurve, AnchoredPoint, PositionCurve, PositionPoint};
pub use debias::{
    ANCHOR_SLATES, ArmResult, CHOICE_SLATES, CellCheck, Choice, ChoiceArm, ChoiceLog, Confounding,
    DebiasCheck, DebiasSource, DiscoverOptions, Discovery, FieldFinding, ListRows, Lists, ObjectiveCheck,
    SHUFFLE_SHARE, SlopeRange, Spread, Traffic, best_of, check as check_debias, choose as choose_debias,
    discover as discover_biases, discover_examples,
};
pub use error::TrainError;
pub use evaluate::{Evaluation, NO_SHUFFLED_SLATES, ObjectiveMetrics, Outcomes};
pub use flat::{CheckpointEvery, EpochMetrics, TrainOptions, TrainReport, train};
pub use forms::FormChoice;
pub use gates::{GateResult, Verdict};
pub use import::import_run;
pub use leak::{Leak, TOO_GOOD};
pub use learn::{LearnOptions, LearnOutcome, LearnReport, learn};
pub use memory::{Memory, MemoryOf};
pub use optimizer::Optimizer;
pub use part::{Part, Parts};
pub use policy::{PolicyEstimate, PolicyOptions, PolicyReport, frequencies};
pub use progress::{Progress, Silent};
pub use run::{EvaluateOptions, Run, RunEvaluation, Slice, Within};
pub use split::Split;
pub use trainer::Trainer;
pub use tune::{Candidates, Reward, Tried, Tuning, draw_front, tune};
pub use verify::{RunCheck, VerifyReport, verify};
