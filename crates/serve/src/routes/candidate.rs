//! The candidates of a request, as a client names them. In: JSON, an id alone or an object. Out: their ids and field values.

use std::collections::BTreeSet;

use events::{Catalogue, Fields};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use spec::Spec;

use crate::Problem;
use crate::resolve::item_fields;

/// Most candidates of a request or a slate.
const MOST: usize = 10_000;

/// In JSON an id alone, or an object.
pub(super) enum Candidate {
    Id(String),
    WithFields(ItemWithFields),
}

/// A candidate with values of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemWithFields {
    item: String,
    #[serde(default)]
    fields: Fields,
}

impl<'de> Deserialize<'de> for Candidate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Candidate, D::Error> {
        deserializer.deserialize_any(CandidateShape)
    }
}

/// Decides by the first token, so that an error names the field that is wrong.
struct CandidateShape;

impl<'de> Visitor<'de> for CandidateShape {
    type Value = Candidate;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an item's id, or an object with `item` and `fields`")
    }

    fn visit_str<E: de::Error>(self, id: &str) -> Result<Candidate, E> {
        Ok(Candidate::Id(id.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Candidate, A::Error> {
        ItemWithFields::deserialize(MapAccessDeserializer::new(map)).map(Candidate::WithFields)
    }
}

impl Candidate {
    /// Its id, and the values that were given with it.
    pub(super) fn parts(&self) -> (&str, &Fields) {
        static NONE: Fields = Fields::new();
        match self {
            Candidate::Id(item) => (item, &NONE),
            Candidate::WithFields(ItemWithFields { item, fields }) => (item, fields),
        }
    }
}

/// Demands some candidates, and not too many.
pub(super) fn check_count(candidates: &[Candidate]) -> Result<(), Problem> {
    let found = candidates.len();
    if (1..=MOST).contains(&found) {
        return Ok(());
    }
    Err(Problem::unusable(format!(
        "`candidates` has {found} items; expected 1 to {MOST}"
    )))
}

/// Candidates with their field values, by item id, so that the order in which they were given cannot matter. Each comes with its
/// rates.
pub(super) fn resolved<'r>(
    spec: &Spec,
    catalogue: &Catalogue,
    candidates: impl ExactSizeIterator<Item = (&'r Candidate, Fields)>,
    now: i64,
) -> Result<Vec<(String, Fields)>, Problem> {
    let mut seen = BTreeSet::new();
    let mut resolved = Vec::with_capacity(candidates.len());
    for (candidate, rates) in candidates {
        let (item, given) = candidate.parts();
        if !seen.insert(item) {
            return Err(Problem::unusable(format!("candidate `{item}` is named twice")));
        }
        resolved.push((
            item.to_owned(),
            item_fields(spec, catalogue, item, given, rates, now)?,
        ));
    }
    resolved.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(resolved)
}
