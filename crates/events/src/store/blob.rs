//! A slate's values as one compressed blob: shared values once, and for each item field one array over the impressions, and one over
//! the candidates where those are logged. What was added since the first blobs is left out where it says nothing.
//! Every value, also the kind of an empty list, comes back as it was.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{Candidate, Fields, Impression, Slate, Value};

/// Level of zstd: its default.
const LEVEL: i32 = 3;

/// A value with its kind beside it, so that `[]` and numbers of f32 come back exactly.
#[derive(Serialize, Deserialize)]
enum Stored<S: Ord, V, L> {
    #[serde(rename = "n")]
    Number(f64),
    #[serde(rename = "t")]
    Text(S),
    #[serde(rename = "ns")]
    Numbers(V),
    #[serde(rename = "ts")]
    Texts(L),
    #[serde(rename = "w")]
    Weights(BTreeMap<S, f32>),
}

/// One field over the impressions; null where an impression has no value.
#[derive(Serialize, Deserialize)]
enum Column<S: Ord, V, L> {
    #[serde(rename = "n")]
    Number(Vec<Option<f64>>),
    #[serde(rename = "t")]
    Text(Vec<Option<S>>),
    #[serde(rename = "ns")]
    Numbers(Vec<Option<V>>),
    #[serde(rename = "ts")]
    Texts(Vec<Option<L>>),
    #[serde(rename = "mixed")]
    Mixed(Vec<Option<Stored<S, V, L>>>),
}

/// Columns by field name.
type ColumnsOut<'s> = BTreeMap<&'s str, Column<&'s str, &'s [f32], &'s [String]>>;
type ColumnsIn = BTreeMap<String, Column<String, Vec<f32>, Vec<String>>>;

type Borrowed<'v> = Stored<&'v str, &'v [f32], &'v [String]>;
type Owned = Stored<String, Vec<f32>, Vec<String>>;

#[derive(Serialize)]
struct BlobOut<'s> {
    query: Option<&'s str>,
    model: Option<&'s str>,
    score_version: Option<i64>,
    as_of: u64,
    shared: BTreeMap<&'s str, Borrowed<'s>>,
    items: Vec<&'s str>,
    positions: Vec<u32>,
    predictions: Vec<&'s [f32]>,
    propensities: Vec<Option<f64>>,
    fields: ColumnsOut<'s>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    shuffled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    candidates: Option<CandidatesOut<'s>>,
}

#[derive(Serialize)]
struct CandidatesOut<'s> {
    items: Vec<&'s str>,
    predictions: Vec<&'s [f32]>,
    fields: ColumnsOut<'s>,
}

#[derive(Deserialize)]
struct BlobIn {
    query: Option<String>,
    model: Option<String>,
    score_version: Option<i64>,
    as_of: u64,
    shared: BTreeMap<String, Owned>,
    items: Vec<String>,
    positions: Vec<u32>,
    predictions: Vec<Vec<f32>>,
    propensities: Vec<Option<f64>>,
    fields: ColumnsIn,
    #[serde(default)]
    shuffled: bool,
    #[serde(default)]
    candidates: Option<CandidatesIn>,
}

#[derive(Deserialize)]
struct CandidatesIn {
    items: Vec<String>,
    predictions: Vec<Vec<f32>>,
    fields: ColumnsIn,
}

/// All of a slate but its id, time and user, compressed.
pub(crate) fn encode(slate: &Slate) -> Result<Vec<u8>, String> {
    let impressions = &slate.impressions;
    let blob = BlobOut {
        query: slate.query.as_deref(),
        model: slate.model.as_deref(),
        score_version: slate.score_version,
        as_of: slate.as_of,
        shared: slate
            .shared
            .iter()
            .map(|(name, value)| (name.as_str(), borrow(value)))
            .collect(),
        items: impressions
            .iter()
            .map(|impression| impression.item.as_str())
            .collect(),
        positions: impressions.iter().map(|impression| impression.position).collect(),
        predictions: impressions
            .iter()
            .map(|impression| impression.predictions.as_slice())
            .collect(),
        propensities: impressions
            .iter()
            .map(|impression| impression.propensity)
            .collect(),
        fields: columns(impressions.iter().map(|impression| &impression.fields)),
        shuffled: slate.shuffled,
        candidates: slate.candidates.as_deref().map(|candidates| CandidatesOut {
            items: candidates
                .iter()
                .map(|candidate| candidate.item.as_str())
                .collect(),
            predictions: candidates
                .iter()
                .map(|candidate| candidate.predictions.as_slice())
                .collect(),
            fields: columns(candidates.iter().map(|candidate| &candidate.fields)),
        }),
    };
    let json = serde_json::to_vec(&blob).map_err(|error| error.to_string())?;
    zstd::bulk::compress(&json, LEVEL).map_err(|error| error.to_string())
}

/// The slate of [`encode`]'s blob.
pub(crate) fn decode(id: String, time: i64, user: String, blob: &[u8]) -> Result<Slate, String> {
    let json = zstd::decode_all(blob).map_err(|error| error.to_string())?;
    let blob: BlobIn = serde_json::from_slice(&json).map_err(|error| error.to_string())?;
    let count = blob.items.len();
    if [
        blob.positions.len(),
        blob.predictions.len(),
        blob.propensities.len(),
    ] != [count; 3]
    {
        return Err("its columns differ in length".to_owned());
    }
    let mut impressions: Vec<Impression> = blob
        .items
        .into_iter()
        .zip(blob.positions)
        .zip(blob.predictions.into_iter().zip(blob.propensities))
        .map(|((item, position), (predictions, propensity))| Impression {
            item,
            position,
            fields: Fields::new(),
            predictions,
            propensity,
        })
        .collect();
    let fields = rows(blob.fields, count)?;
    for (impression, fields) in impressions.iter_mut().zip(fields) {
        impression.fields = fields;
    }
    Ok(Slate {
        id,
        time,
        user,
        query: blob.query,
        shared: blob
            .shared
            .into_iter()
            .map(|(name, value)| (name, own(value)))
            .collect(),
        impressions,
        model: blob.model,
        score_version: blob.score_version,
        as_of: blob.as_of,
        shuffled: blob.shuffled,
        candidates: blob.candidates.map(candidates).transpose()?,
    })
}

fn candidates(stored: CandidatesIn) -> Result<Vec<Candidate>, String> {
    let count = stored.items.len();
    if stored.predictions.len() != count {
        return Err("the columns of its candidates differ in length".to_owned());
    }
    let fields = rows(stored.fields, count)?;
    let each = stored.items.into_iter().zip(stored.predictions).zip(fields);
    Ok(each
        .map(|((item, predictions), fields)| Candidate {
            item,
            fields,
            predictions,
        })
        .collect())
}

/// One column for each name that any of the rows has.
fn columns<'s>(rows: impl Iterator<Item = &'s Fields> + Clone) -> ColumnsOut<'s> {
    let names: BTreeSet<&str> = rows
        .clone()
        .flat_map(|fields| fields.keys())
        .map(String::as_str)
        .collect();
    let names = names.into_iter();
    names.map(|name| (name, column(rows.clone(), name))).collect()
}

/// The `count` rows of [`columns`].
fn rows(columns: ColumnsIn, count: usize) -> Result<Vec<Fields>, String> {
    let mut rows = vec![Fields::new(); count];
    for (name, column) in columns {
        let values = spread(column);
        if values.len() != count {
            return Err(format!(
                "its column `{name}` has {} of {count} values",
                values.len()
            ));
        }
        for (fields, value) in rows.iter_mut().zip(values) {
            if let Some(value) = value {
                fields.insert(name.clone(), value);
            }
        }
    }
    Ok(rows)
}

/// Fields as JSON with each value's kind, for the catalogue.
pub(crate) fn fields_to_json(fields: &Fields) -> Result<String, String> {
    let stored: BTreeMap<&str, Borrowed> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), borrow(value)))
        .collect();
    serde_json::to_string(&stored).map_err(|error| error.to_string())
}

/// The fields of [`fields_to_json`].
pub(crate) fn fields_from_json(json: &str) -> Result<Fields, String> {
    let stored: BTreeMap<String, Owned> = serde_json::from_str(json).map_err(|error| error.to_string())?;
    Ok(stored
        .into_iter()
        .map(|(name, value)| (name, own(value)))
        .collect())
}

fn borrow(value: &Value) -> Borrowed<'_> {
    match value {
        Value::Number(number) => Stored::Number(*number),
        Value::Text(text) => Stored::Text(text),
        Value::Numbers(numbers) => Stored::Numbers(numbers),
        Value::Texts(texts) => Stored::Texts(texts),
        Value::Weights(weights) => Stored::Weights(
            weights
                .iter()
                .map(|(id, weight)| (id.as_str(), *weight))
                .collect(),
        ),
    }
}

fn own(value: Owned) -> Value {
    match value {
        Stored::Number(number) => Value::Number(number),
        Stored::Text(text) => Value::Text(text),
        Stored::Numbers(numbers) => Value::Numbers(numbers),
        Stored::Texts(texts) => Value::Texts(texts),
        Stored::Weights(weights) => Value::Weights(weights),
    }
}

fn column<'s>(
    rows: impl Iterator<Item = &'s Fields> + Clone,
    name: &str,
) -> Column<&'s str, &'s [f32], &'s [String]> {
    let values = || rows.clone().map(|fields| fields.get(name));
    let all = |is: fn(&Value) -> bool| values().flatten().all(is);
    if all(|value| matches!(value, Value::Number(_))) {
        let number = |value: &Value| {
            if let Value::Number(number) = value {
                Some(*number)
            } else {
                None
            }
        };
        Column::Number(values().map(|value| value.and_then(number)).collect())
    } else if all(|value| matches!(value, Value::Text(_))) {
        Column::Text(
            values()
                .map(|value| {
                    if let Some(Value::Text(text)) = value {
                        Some(text.as_str())
                    } else {
                        None
                    }
                })
                .collect(),
        )
    } else if all(|value| matches!(value, Value::Numbers(_))) {
        Column::Numbers(
            values()
                .map(|value| {
                    if let Some(Value::Numbers(numbers)) = value {
                        Some(numbers.as_slice())
                    } else {
                        None
                    }
                })
                .collect(),
        )
    } else if all(|value| matches!(value, Value::Texts(_))) {
        Column::Texts(
            values()
                .map(|value| {
                    if let Some(Value::Texts(texts)) = value {
                        Some(texts.as_slice())
                    } else {
                        None
                    }
                })
                .collect(),
        )
    } else {
        Column::Mixed(values().map(|value| value.map(borrow)).collect())
    }
}

fn spread(column: Column<String, Vec<f32>, Vec<String>>) -> Vec<Option<Value>> {
    match column {
        Column::Number(values) => values.into_iter().map(|value| value.map(Value::Number)).collect(),
        Column::Text(values) => values.into_iter().map(|value| value.map(Value::Text)).collect(),
        Column::Numbers(values) => values
            .into_iter()
            .map(|value| value.map(Value::Numbers))
            .collect(),
        Column::Texts(values) => values.into_iter().map(|value| value.map(Value::Texts)).collect(),
        Column::Mixed(values) => values.into_iter().map(|value| value.map(own)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tests::{any_fields, any_slate};

    proptest! {
        #[test]
        fn a_slate_comes_back_from_its_blob_exactly_as_it_was(slate in any_slate()) {
            let blob = encode(&slate).unwrap();
            let back = decode(slate.id.clone(), slate.time, slate.user.clone(), &blob).unwrap();
            prop_assert_eq!(back, slate);
        }

        #[test]
        fn fields_come_back_from_json_exactly_as_they_were(fields in any_fields()) {
            let back = fields_from_json(&fields_to_json(&fields).unwrap()).unwrap();
            prop_assert_eq!(back, fields);
        }
    }

    #[test]
    fn a_blob_of_before_there_were_shuffled_slates_and_candidates_is_read_and_written_as_it_was() {
        let json = br#"{"query":"q","model":null,"score_version":null,"as_of":7,"shared":{"d":{"t":"tv"}},"items":["v"],"positions":[1],"predictions":[[0.5]],"propensities":[null],"fields":{"age":{"n":[2.0]}}}"#;
        let blob = zstd::bulk::compress(json, LEVEL).unwrap();
        let slate = decode("s".into(), 5, "u".into(), &blob).unwrap();
        assert_eq!((slate.shuffled, &slate.candidates), (false, &None));
        assert_eq!(
            (slate.as_of, &slate.impressions[0].fields["age"]),
            (7, &Value::Number(2.0))
        );
        assert_eq!(zstd::decode_all(&encode(&slate).unwrap()[..]).unwrap(), json);
    }

    #[test]
    fn a_damaged_blob_is_an_error() {
        assert!(decode("s".into(), 0, "u".into(), b"no zstd").is_err());
        let json = br#"{"as_of":0,"shared":{},"items":["v"],"positions":[],"predictions":[[]],"propensities":[null],"fields":{}}"#;
        let blob = zstd::bulk::compress(json, LEVEL).unwrap();
        assert_eq!(
            decode("s".into(), 0, "u".into(), &blob).unwrap_err(),
            "its columns differ in length"
        );
    }
}
