//! Slates: lists that were shown, with the raw field values that were used (point in time), and of some what they were chosen from.

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

/// Places of a slate that our own ranker shuffles, from the first: beyond them the order stays as it was ranked.
pub const SHUFFLED_PLACES: u32 = 10;

/// An item that could have been shown.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Candidate {
    /// The item's id.
    pub item: String,
    /// Raw values of the item-side fields, by field name.
    pub fields: Fields,
    /// Predictions per objective when our own ranker ordered it, by the model's order of objectives; else empty.
    pub predictions: Vec<f32>,
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
    /// Whether the order was drawn at random: of our own slates that of the first [`SHUFFLED_PLACES`], else of all of them.
    #[serde(default)]
    pub shuffled: bool,
    /// All that it was chosen from, the shown ones too, in the order of item ids, each once; `None`: not logged.
    #[serde(default)]
    pub candidates: Option<Vec<Candidate>>,
}

impl Slate {
    /// Whether what stands at `position` was drawn at random: then the position says nothing of the item at it.
    pub fn is_random_at(&self, position: u32) -> bool {
        self.shuffled && (self.model.is_none() || position <= SHUFFLED_PLACES)
    }

    /// The slate as it was shown: what it was chosen from takes the most room, and few ask for it.
    pub(crate) fn without_candidates(&self) -> Slate {
        Slate {
            id: self.id.clone(),
            time: self.time,
            user: self.user.clone(),
            query: self.query.clone(),
            shared: self.shared.clone(),
            impressions: self.impressions.clone(),
            model: self.model.clone(),
            candidates: None,
            ..*self
        }
    }
}
