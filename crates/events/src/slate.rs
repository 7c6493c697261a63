//! Slates: lists that were shown, with the raw field values that were used (point in time).

use crate::Fields;

/// One shown item.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Impression {
    /// The item's id.
    pub item: String,
    /// Position from 1.
    pub position: u32,
    /// Raw values of the item-side fields, by field name.
    pub fields: Fields,
    /// Predictions per objective when our own ranker showed it, by the model's order of objectives; else empty.
    pub predictions: Vec<f32>,
    /// Probability with which the showing policy put it there, where known. `(0, 1]`.
    pub propensity: Option<f64>,
}

/// One shown list.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Slate {
    /// Unique id.
    pub id: String,
    /// When it was shown, ms since 1970.
    pub time: i64,
    /// The person.
    pub user: String,
    /// The item being watched.
    pub query: Option<String>,
    /// Raw values of the user-, context- and query-side fields, by field name, derived ones included.
    pub shared: Fields,
    /// In order of position.
    pub impressions: Vec<Impression>,
    /// Version of the model that ranked it; `None`: somebody else's ranker.
    pub model: Option<String>,
    /// Version of the score weights.
    pub score_version: Option<i64>,
    /// Log sequence of the last event that the derived fields had seen: where there are rates the last slate or feedback,
    /// else the last feedback.
    pub as_of: u64,
}
