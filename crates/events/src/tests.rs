//! What the rest of the system can rely on, and the declarations, slates and feedback that the tests share.

mod examples;
mod import;
mod import_declared;
mod import_errors;
mod import_text;
mod import_times;
mod join;
mod join_property;
mod rates;
mod recorder;
mod replay;
mod shuffled;
mod state;

use join::labels;

use proptest::prelude::*;
use spec::Spec;

use crate::{Candidate, Feedback, Fields, Impression, Slate, Value};

/// Every side and kind, a chain of `given`, three windows.
pub(crate) const DECLARATION: &str = r#"
[fields]
user = { side = "user", kind = "id", dim = 4, buckets = 100 }
history = { side = "user", kind = "ids", shares = "item", from = "feedback.click", last = 3 }
taste = { side = "user", kind = "vector", width = 2 }
device = { side = "context", kind = "id", dim = 2, values = ["phone", "desktop"] }
query = { side = "query", kind = "id", shares = "item" }
query_age = { side = "query", kind = "number", attribute = "age" }
item = { side = "item", kind = "id", dim = 4, buckets = 100 }
age = { side = "item", kind = "number" }
tags = { side = "item", kind = "ids", dim = 2, buckets = 10 }
content = { side = "item", kind = "vector", width = 2 }
affinity = { side = "pair", kind = "number", dot = ["user.taste", "item.content"] }

[objectives]
rating = { group = "satisfaction", loss = "squared", absent = "missing", window = "7d", given = "like", clip = [1, 5] }
click = { group = "engagement", loss = "binary", absent = 0, window = "30m" }
watch = { group = "engagement", loss = "squared", label = "play_ms / (1000 * age)", clip = [0, 1], given = "click", window = "30m" }
like = { group = "satisfaction", loss = "binary", absent = 0, given = "click", window = "24h" }

[model]
architecture = "shared-bottom"
shared = [8]

[score]
click = 1.0
"#;

pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

pub(crate) fn spec() -> Spec {
    parse(DECLARATION)
}

pub(crate) fn parse(text: &str) -> Spec {
    Spec::parse("ranker.toml", text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

pub(crate) fn fields<const N: usize>(fields: [(&str, Value); N]) -> Fields {
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub(crate) fn texts(texts: &[&str]) -> Value {
    Value::Texts(texts.iter().map(|text| (*text).to_owned()).collect())
}

/// A slate of `items`, shown from position 1 on, each of age 2.
pub(crate) fn slate(id: &str, time: i64, user: &str, items: &[&str]) -> Slate {
    let impression = |(at, item): (usize, &&str)| Impression {
        item: (*item).to_owned(),
        position: at as u32 + 1,
        fields: fields([("age", Value::Number(2.0))]),
        predictions: Vec::new(),
        propensity: None,
    };
    Slate {
        id: id.to_owned(),
        time,
        user: user.to_owned(),
        query: None,
        shared: Fields::new(),
        impressions: items.iter().enumerate().map(impression).collect(),
        model: None,
        score_version: None,
        as_of: 0,
        shuffled: false,
        candidates: None,
    }
}

pub(crate) fn feedback(id: &str, slate: &str, item: &str, kind: &str, value: Option<f64>) -> Feedback {
    Feedback {
        id: id.to_owned(),
        slate: slate.to_owned(),
        item: item.to_owned(),
        kind: kind.to_owned(),
        value,
        time: 0,
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    use proptest::num::{f32, f64};
    let finite64 = f64::NORMAL | f64::SUBNORMAL | f64::ZERO;
    let finite32 = f32::NORMAL | f32::SUBNORMAL | f32::ZERO;
    prop_oneof![
        finite64.prop_map(Value::Number),
        any::<String>().prop_map(Value::Text),
        proptest::collection::vec(finite32, 0..4).prop_map(Value::Numbers),
        proptest::collection::vec(any::<String>(), 0..4).prop_map(Value::Texts),
    ]
}

pub(crate) fn any_fields() -> impl Strategy<Value = Fields> {
    proptest::collection::btree_map("[a-c]", any_value(), 0..4)
}

pub(crate) fn any_slate() -> impl Strategy<Value = Slate> {
    let impression = (
        any::<String>(),
        1..9u32,
        any_fields(),
        proptest::option::of(0.001..1.0f64),
    )
        .prop_map(|(item, position, fields, propensity)| Impression {
            item,
            position,
            fields,
            predictions: vec![0.1 * position as f32],
            propensity,
        });
    let candidate =
        (any::<String>(), any_fields(), 0..3usize).prop_map(|(item, fields, objectives)| Candidate {
            item,
            fields,
            predictions: vec![0.1; objectives],
        });
    let head = (
        any::<String>(),
        any::<i64>(),
        any::<String>(),
        proptest::option::of(any::<String>()),
    );
    let tail = (
        proptest::option::of(any::<String>()),
        proptest::option::of(any::<i64>()),
        any::<u64>(),
        any::<bool>(),
        proptest::option::of(proptest::collection::vec(candidate, 0..4)),
    );
    (
        head,
        any_fields(),
        proptest::collection::vec(impression, 0..5),
        tail,
    )
        .prop_map(
            |(
                (id, time, user, query),
                shared,
                impressions,
                (model, score_version, as_of, shuffled, candidates),
            )| Slate {
                id,
                time,
                user,
                query,
                shared,
                impressions,
                model,
                score_version,
                as_of,
                shuffled,
                candidates,
            },
        )
}
