//! What the lists of the state hold.

use std::collections::BTreeMap;

/// A model in the registry.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ModelRow {
    /// Its version, unique.
    pub version: String,
    /// Its artifact, relative to the store's directory.
    pub path: String,
    /// When it was made, ms since 1970.
    pub created_ms: i64,
    /// `challenger`, `rejected` or `promoted`.
    pub status: String,
    /// What the gates found.
    pub verdict: serde_json::Value,
}

/// A version of the score's weights.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ScoreRow {
    /// Its version, from 1.
    pub version: i64,
    /// Weight by objective.
    pub weights: BTreeMap<String, f64>,
    /// When it was set, ms since 1970.
    pub created_ms: i64,
}

/// A finished run of the learner.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct LearnRun {
    /// Its number, unique.
    pub run: i64,
    /// First log sequence that was new to it.
    pub from_seq: u64,
    /// Sequence of the mark that it ended at.
    pub mark_seq: u64,
    /// Sequence that a join must start at to go on from there.
    pub replay_from: u64,
    /// Examples that it trained on.
    pub trained: u64,
    /// Examples that it kept for the verdict.
    pub held: u64,
    /// Version of the model that it made.
    pub model: String,
    /// Its checkpoint, relative to the store's directory.
    pub checkpoint: String,
    /// Anything else.
    pub details: serde_json::Value,
}
