//! Objectives: what is predicted, from which label, with which loss, and what silence means.

use crate::Expression;

/// Loss of an objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Cross-entropy on a label in `[0, 1]`; prediction = sigmoid(logit).
    Binary,
    /// Squared error; prediction = lo + (hi - lo) sigmoid(logit) with `clip = [lo, hi]`, else the logit itself.
    Squared,
    /// A watch time by the share of the `duration` that was watched: squared error on min(label / duration, 1); prediction =
    /// duration sigmoid(logit).
    WatchFraction,
    /// A watch time by weighted logistic regression (Covington, Adams and Sargin, RecSys 2016, section 4.2): every
    /// impression is a negative of weight 1 and a positive of its watch time, so that the odds exp(logit) are the expected
    /// watch time; prediction = exp(logit). (The paper leaves the negatives of watched impressions out, which is the same
    /// where few are watched.)
    WeightedLogistic,
    /// A watch time by its rank among training examples of about the same `duration` (D2Q: Zhan et al., KDD 2022): squared
    /// error on the quantile in `[0, 1]`; prediction = the watch time of that quantile at that duration.
    WatchQuantile,
}

impl Loss {
    /// The word in a declaration.
    pub fn word(self) -> &'static str {
        match self {
            Loss::Binary => "binary",
            Loss::Squared => "squared",
            Loss::WatchFraction => "watch-fraction",
            Loss::WeightedLogistic => "weighted-logistic",
            Loss::WatchQuantile => "watch-quantile",
        }
    }

    /// Whether the label is a watch time, from 0, and the prediction too.
    pub fn is_watch_time(self) -> bool {
        matches!(
            self,
            Loss::WatchFraction | Loss::WeightedLogistic | Loss::WatchQuantile
        )
    }

    /// Whether it needs the duration of what is watched.
    pub fn needs_duration(self) -> bool {
        matches!(self, Loss::WatchFraction | Loss::WatchQuantile)
    }
}

/// What no feedback by the closing mark means. An empty cell of a flat file is always "not observed".
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Absent {
    /// Not observed: no loss.
    Missing,
    /// This label.
    Value(f32),
}

/// Where an objective with `given` is learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Space {
    /// Where its condition holds.
    Observed,
    /// On every impression, by the probability that it happens together with its conditions: no loss of its own (ESMM: Ma et al.,
    /// SIGIR 2018). The prediction is still that of the conditional.
    Entire,
}

/// One objective.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective {
    /// Its name.
    pub name: String,
    /// The group that it belongs to: engagement, satisfaction.
    pub group: String,
    /// Its loss.
    pub loss: Loss,
    /// Names in it are feedback kinds or fields in a log, columns in flat files. Default: the objective's own name.
    pub label: Expression,
    /// Bounds of a squared objective's label and prediction.
    pub clip: Option<(f32, f32)>,
    /// Observed only where this objective's label (an index) is 1, read as closed at its own mark. Its window is at
    /// most this one's; chains end.
    pub given: Option<usize>,
    /// Where it is learned; `Entire` only with `given`, and where it and all of its conditions are binary with all negatives kept.
    pub space: Space,
    /// What silence means.
    pub absent: Absent,
    /// Milliseconds from the slate's time until its label may close.
    pub window_ms: i64,
    /// Loss weight, TOML `loss_weight`, default 1.
    pub loss_weight: f32,
    /// The number field (an index into `Spec::fields`) that holds the duration of what is watched, in the label's unit.
    /// Where it is missing or not above 0 the label is not observed. TOML: `duration = "FIELD"`.
    pub duration: Option<usize>,
    /// Share of the training examples with label 0 that are learned from, `(0, 1]`, default 1; predictions are recalibrated
    /// by its logarithm. Binary objectives only.
    pub keep_negatives: f32,
}
