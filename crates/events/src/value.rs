//! Raw values of fields, as a client sends them and as the log keeps them.

use std::collections::BTreeMap;

/// A raw value; JSON untagged. Numbers are finite.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(
    untagged,
    expecting = "expected a number, a string, a list of numbers, a list of strings or an object of weights by id"
)]
pub enum Value {
    /// A number; for an id field, the id written in decimal.
    Number(f64),
    /// An id.
    Text(String),
    /// The elements of a vector.
    Numbers(Vec<f32>),
    /// Several ids.
    Texts(Vec<String>),
    /// Several ids, each with its weight.
    Weights(BTreeMap<String, f32>),
}

impl Value {
    /// Whether all of its numbers are finite.
    pub fn is_finite(&self) -> bool {
        match self {
            Value::Number(number) => number.is_finite(),
            Value::Numbers(numbers) => numbers.iter().all(|number| number.is_finite()),
            Value::Weights(weights) => weights.values().all(|weight| weight.is_finite()),
            Value::Text(_) | Value::Texts(_) => true,
        }
    }
}

/// Raw values by field (or attribute) name.
pub type Fields = BTreeMap<String, Value>;
