//! The model in service with the score that is in force.

use std::collections::BTreeMap;
use std::sync::Arc;

use events::DerivedRules;
use model::{Ranker, ScoreWeights};

use crate::names::Names;

/// Everything that a request needs of the model; swapped whole.
pub struct Live {
    /// Its version.
    pub version: String,
    /// The ranker.
    pub ranker: Arc<Ranker>,
    /// Version of the score weights; 0 = the declaration's own.
    pub score_version: i64,
    /// The weights in force.
    pub score: ScoreWeights,
    /// Derived fields that it reads.
    pub derived: DerivedRules,
    /// Names that its declaration reads.
    pub(crate) names: Arc<Names>,
}

impl Live {
    /// A ranker with the store's newest score weights, or the declaration's own where those do not fit its objectives.
    pub fn new(version: String, ranker: Arc<Ranker>, newest: Option<(i64, &BTreeMap<String, f64>)>) -> Live {
        let spec = ranker.spec().clone();
        let stored = newest
            .and_then(|(version, weights)| Some((version, ScoreWeights::from_names(&spec, weights).ok()?)));
        let (score_version, score) = stored.unwrap_or_else(|| (0, ScoreWeights::of(&spec)));
        Live {
            version,
            ranker,
            score_version,
            score,
            derived: DerivedRules::of(&spec),
            names: Arc::new(Names::of(&spec)),
        }
    }
}
