//! A raw value read as what its field is declared to be.

use std::borrow::Cow;
use std::collections::BTreeMap;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use spec::{Kind, Spec};

use crate::{EventsError, Value};

/// Whole numbers up to here are exact in a JSON number.
const EXACT_F64: f64 = 9_007_199_254_740_992.0;
/// Whole numbers up to here are exact as an element of [`Value::Numbers`].
const EXACT_F32: f64 = 16_777_216.0;

/// A value of the declared kind.
#[derive(Debug, PartialEq)]
pub(super) enum Typed<'v> {
    Id(Cow<'v, str>),
    Ids(Vec<Cow<'v, str>>),
    Weighted(&'v BTreeMap<String, f32>),
    Number(f32),
    Vector(&'v [f32]),
}

/// Whether `value` can be the value of `spec.fields[field]`, not a pair field.
///
/// # Errors
/// [`EventsError::Value`] names the field, what was found and what was expected.
pub fn check_value(spec: &Spec, field: usize, value: &Value) -> Result<(), EventsError> {
    let field = &spec.fields[field];
    typed(&field.name, &field.kind, value).map(drop)
}

/// `value` as `kind`; `field` names it in the error.
pub(super) fn typed<'v>(field: &str, kind: &Kind, value: &'v Value) -> Result<Typed<'v>, EventsError> {
    let wrong = |found: String| EventsError::Value {
        field: field.to_owned(),
        found,
        expected: expected(kind),
    };
    match (kind, value) {
        (Kind::Id { .. }, Value::Text(id)) => Ok(Typed::Id(Cow::Borrowed(id))),
        (Kind::Id { .. }, Value::Number(id)) => decimal(*id)
            .map(|id| Typed::Id(Cow::Owned(id)))
            .ok_or_else(|| wrong(describe(value))),
        (Kind::Text { .. }, Value::Text(text)) => Ok(Typed::Id(Cow::Borrowed(text))),
        (Kind::Ids { weights: Some(_), .. }, Value::Weights(weights)) => {
            match weights.iter().find(|(_, weight)| !weight.is_finite()) {
                Some((id, weight)) => Err(wrong(format!("the weight {weight} of `{id}`"))),
                None => Ok(Typed::Weighted(weights)),
            }
        }
        (Kind::Ids { weights: Some(_), .. }, _) => Err(wrong(describe(value))),
        (Kind::Ids { .. }, Value::Texts(ids)) => Ok(Typed::Ids(
            ids.iter().map(|id| Cow::Borrowed(id.as_str())).collect(),
        )),
        // An empty JSON list says nothing of its elements; whole numbers are ids in decimal.
        (Kind::Ids { .. }, Value::Numbers(ids)) => {
            let id = |id: &f32| {
                whole(f64::from(*id), EXACT_F32)
                    .map(Cow::Owned)
                    .ok_or_else(|| wrong(format!("the element {id}")))
            };
            Ok(Typed::Ids(ids.iter().map(id).collect::<Result<_, _>>()?))
        }
        (Kind::Number { .. } | Kind::Buckets { .. }, Value::Number(number)) => {
            let narrow = *number as f32;
            if narrow.is_finite() {
                Ok(Typed::Number(narrow))
            } else {
                Err(wrong(describe(value)))
            }
        }
        (Kind::Vector { width, .. }, Value::Numbers(elements)) => {
            if elements.len() != *width {
                return Err(wrong(describe(value)));
            }
            match elements.iter().position(|element| !element.is_finite()) {
                Some(at) => Err(wrong(format!("{} as element {at}", elements[at]))),
                None => Ok(Typed::Vector(elements)),
            }
        }
        _ => Err(wrong(describe(value))),
    }
}

/// A whole number in decimal; `None` where it is not whole, or so large that digits would be lost.
pub(crate) fn decimal(number: f64) -> Option<String> {
    whole(number, EXACT_F64)
}

fn whole(number: f64, exact: f64) -> Option<String> {
    (number.fract() == 0.0 && number.abs() <= exact).then(|| format!("{}", number as i64))
}

/// The value of a field of `kind` in `row` of its column, with the column of its ids' weights; `None` where it is missing.
pub(crate) fn raw_value(
    kind: &Kind,
    column: &dyn Array,
    weights: Option<&dyn Array>,
    row: usize,
) -> Option<Value> {
    if column.is_null(row) {
        return None;
    }
    Some(match kind {
        Kind::Id { .. } | Kind::Text { .. } => Value::Text(column.as_string::<i32>().value(row).to_owned()),
        Kind::Ids { .. } => {
            let ids = column.as_list::<i32>().value(row);
            if let Some(weights) = weights {
                let weights = weights.as_list::<i32>().value(row);
                let ids = ids.as_string::<i32>().iter();
                let pairs = ids.zip(weights.as_primitive::<Float32Type>());
                let known = pairs.filter_map(|(id, weight)| Some((id?.to_owned(), weight?)));
                return Some(Value::Weights(known.collect()));
            }
            Value::Texts(
                ids.as_string::<i32>()
                    .iter()
                    .flatten()
                    .map(str::to_owned)
                    .collect(),
            )
        }
        Kind::Number { .. } | Kind::Buckets { .. } => {
            Value::Number(f64::from(column.as_primitive::<Float32Type>().value(row)))
        }
        Kind::Vector { .. } => {
            let elements = column.as_fixed_size_list().value(row);
            Value::Numbers(elements.as_primitive::<Float32Type>().values().to_vec())
        }
    })
}

/// What a kind expects.
fn expected(kind: &Kind) -> String {
    match kind {
        Kind::Id { .. } => "an id: a string, or a whole number of at most 53 bits".to_owned(),
        Kind::Ids { weights: Some(_), .. } => {
            "an object of finite weights by id, as `{\"a\": 0.5}`".to_owned()
        }
        Kind::Ids { .. } => "ids: a list of strings".to_owned(),
        Kind::Text { .. } => "a text: a string".to_owned(),
        Kind::Number { .. } | Kind::Buckets { .. } => "a finite number in the range of f32".to_owned(),
        Kind::Vector { width, .. } => format!("a vector of {width} finite numbers"),
    }
}

fn describe(value: &Value) -> String {
    match value {
        Value::Number(number) => format!("the number {number}"),
        Value::Text(text) => format!("the string `{}`", text.chars().take(40).collect::<String>()),
        Value::Numbers(numbers) => format!("{} numbers", numbers.len()),
        Value::Texts(texts) => format!("{} strings", texts.len()),
        Value::Weights(weights) => format!("{} weights by id", weights.len()),
    }
}
