//! Objectives: what is predicted, from which label, with which loss, and what silence means.

use crate::Expression;

/// Loss of an objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Cross-entropy on a label in `[0, 1]`; prediction = sigmoid(logit).
    Binary,
    /// Squared error; prediction = lo + (hi - lo) sigmoid(logit) with `clip = [lo, hi]`, else the logit itself.
    Squared,
}

/// What no feedback by the closing mark means. An empty cell of a flat file is always "not observed".
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Absent {
    /// Not observed: no loss.
    Missing,
    /// This label.
    Value(f32),
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
    /// What silence means.
    pub absent: Absent,
    /// Milliseconds from the slate's time until its label may close.
    pub window_ms: i64,
    /// Loss weight, TOML `loss_weight`, default 1.
    pub loss_weight: f32,
}
