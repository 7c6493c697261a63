//! Feedback: what a person did with a shown item.

/// One piece of feedback.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Feedback {
    /// Its own id; the same id twice counts once.
    pub id: String,
    /// The slate it answers.
    pub slate: String,
    /// The item in it.
    pub item: String,
    /// What was done: click, watch, like, ...
    pub kind: String,
    /// How much; absent = 1.
    #[serde(default)]
    pub value: Option<f64>,
    /// When, ms since 1970, by the client; closing goes by the log's order, not by this.
    pub time: i64,
}
