//! No score depends on the order in which candidates are given, or on a position that a client slips in.

use std::collections::BTreeMap;
use std::sync::Arc;

use events::{ExampleBuilder, ExampleRow, Fields, Value};
use model::{Encoder, Fitted, Positions, Ranker, Scaler, ScoreWeights, Weights};
use serde_json::json;
use spec::Spec;

use crate::fixture::{Feed, RANKER, Serving};

/// Scores by item, bit for bit, of candidates given in some order.
type Scores = BTreeMap<String, u64>;

fn served(serving: &Serving, candidates: Vec<serde_json::Value>) -> (Scores, Vec<String>) {
    let body = json!({ "user": "u3", "context": { "device": "tv" }, "candidates": candidates });
    let (status, answer) = serving.post("/v1/rank", &body);
    assert_eq!(status, 200, "{answer}");
    let items = answer["items"].as_array().unwrap();
    let name = |item: &serde_json::Value| item["item"].as_str().unwrap().to_owned();
    let scores = items
        .iter()
        .map(|item| (name(item), item["score"].as_f64().unwrap().to_bits()))
        .collect();
    (scores, items.iter().map(name).collect())
}

#[test]
fn reversing_or_shuffling_the_candidates_or_giving_them_positions_changes_no_score_bit() {
    let feed = Feed::new();
    let serving = feed.serve(&[]);
    let fields = |n: u32| json!({ "appeal": f64::from(n % 7) - 3.0, "minutes": n % 11 + 1 });
    let candidate = |n: u32| json!({ "item": format!("v{n}"), "fields": fields(n) });
    let plain: Vec<_> = (0..60).map(candidate).collect();
    let (scores, order) = served(&serving, plain.clone());
    assert_eq!(scores.len(), 60);

    let reversed: Vec<_> = plain.iter().rev().cloned().collect();
    let shuffled: Vec<_> = (0..60).map(|n| plain[(n * 37 + 11) % 60].clone()).collect();
    let positioned: Vec<_> = (0..60)
        .map(|n| {
            let mut candidate = candidate(n);
            candidate["fields"]["position"] = json!(60 - n);
            candidate
        })
        .collect();
    for (what, given) in [
        ("reversed", reversed),
        ("shuffled", shuffled),
        ("with positions", positioned),
    ] {
        assert_eq!(served(&serving, given), (scores.clone(), order.clone()), "{what}");
    }
}

#[test]
fn candidates_of_equal_score_are_ordered_by_their_id() {
    let feed = Feed::new();
    let serving = feed.serve(&[]);
    // Never seen and without fields: many read the same row, and nothing tells those apart.
    let items: Vec<_> = (0..100).rev().map(|n| json!(format!("x{n:02}"))).collect();
    let (scores, order) = served(&serving, items);
    let mut groups: BTreeMap<u64, Vec<&String>> = BTreeMap::new();
    for item in &order {
        groups.entry(scores[item]).or_default().push(item);
    }
    assert!(groups.values().any(|group| group.len() > 10), "{groups:?}");
    assert!(groups.values().all(|group| group.is_sorted()), "{groups:?}");
}

/// The check of the first test on a ranker in hand: what `position` says among a candidate's fields changes no score bit.
fn position_is_ignored(ranker: &Ranker) -> bool {
    let spec = ranker.spec();
    let scores = |position: fn(u32) -> u32| -> Vec<u64> {
        let mut builder = ExampleBuilder::new(spec);
        let shared = Fields::from([("device".to_owned(), Value::Text("tv".to_owned()))]);
        for n in 0..20 {
            let fields = Fields::from([
                ("appeal".to_owned(), Value::Number(f64::from(n % 7))),
                ("minutes".to_owned(), Value::Number(f64::from(n + 1))),
                ("position".to_owned(), Value::Number(f64::from(position(n)))),
            ]);
            builder
                .push(&ExampleRow {
                    key: 0,
                    time: 0,
                    user: "u1",
                    item: &format!("v{n}"),
                    slate: None,
                    position: None,
                    shuffled: false,
                    query: None,
                    shared: &shared,
                    fields: &fields,
                    labels: &vec![None; spec.objectives.len()],
                })
                .unwrap();
        }
        let predictions = ranker.predict_examples(&builder.finish(), Positions::Served);
        let score = ScoreWeights::of(spec);
        (0..20)
            .map(|row| score.combine(&predictions.row(row)).to_bits())
            .collect()
    };
    scores(|n| n + 1) == scores(|n| 20 - n)
}

fn untrained(spec: Spec) -> Ranker {
    let unscaled =
        |field: &spec::Field| matches!(field.kind, spec::Kind::Number { .. }).then_some(Scaler::None);
    let fitted = Fitted {
        scalers: spec.fields.iter().map(unscaled).collect(),
        watch: vec![None; spec.objectives.len()],
    };
    let weights = Weights::new(&spec, 1);
    Ranker {
        encoder: Encoder::new(Arc::new(spec), fitted),
        weights,
    }
}

#[test]
fn a_model_that_read_the_position_as_a_main_field_would_be_caught() {
    let spec = Spec::parse("test", RANKER).unwrap();
    assert!(position_is_ignored(&untrained(spec)));

    // No declaration can say so, and the checker refuses it: the field is renamed behind its back.
    let declared = RANKER.replace(
        "appeal = {",
        "slot = { side = \"item\", kind = \"number\", scale = \"none\" }\nappeal = {",
    );
    let mut leaking = Spec::parse("test", &declared).unwrap();
    let slot = leaking.field("slot").unwrap();
    leaking.fields[slot].name = "position".to_owned();
    assert!(!position_is_ignored(&untrained(leaking)));

    let refused = Spec::parse("test", &declared.replace("slot =", "position =")).unwrap_err();
    assert!(refused.to_string().contains("`position`"), "{refused}");
}
