//! Weighted ids, pairs of ids, buckets, texts and watch times.

use super::*;

/// Four examples: everything given, twice with a duration above 0 and once below, and nothing.
fn times() -> (Encoder, Encoded) {
    let spec = crate::testing::spec_of_times();
    let full = |user: &'static str, length: f32, topic: &str| -> Row {
        (
            user,
            None,
            fields([
                ("user", text(user)),
                ("likes", weights(&[("a", 2.0), ("b", -0.5)])),
            ]),
            fields([
                ("topic", text(topic)),
                ("tags", weights(&[("c", 1e30)])),
                ("title", text("The Cat, the")),
                ("price", Value::Number(10.0)),
                ("views", Value::Number(99.0)),
                ("length", Value::Number(f64::from(length))),
            ]),
            vec![Some(1.0), Some(5.0), Some(5.0), Some(5.0)],
        )
    };
    let nothing = (
        "u3",
        None,
        Fields::new(),
        fields([("price", Value::Number(-1.0)), ("length", Value::Number(0.0))]),
        vec![Some(0.0), Some(5.0), Some(5.0), Some(5.0)],
    );
    let rows = [
        full("u1", 10.0, "a"),
        full("u2", 4.0, "a"),
        full("u1", -3.0, "b"),
        nothing,
    ];
    let examples = examples_of(&spec, &rows);
    let encoder = fitted(&spec, &examples);
    let batch = encoder.encode(&examples);
    let by_one: Vec<_> = (0..4)
        .map(|row| encoder.encode(&examples.slice(row, 1)))
        .collect();
    let mut appended = by_one[3].select(&[]);
    by_one.iter().for_each(|one| appended.append(one));
    assert_eq!(shown(&appended), shown(&batch));
    assert_eq!(shown(&batch.select(&[2])), shown(&by_one[2]));
    (encoder, batch)
}

fn weights(weights: &[(&str, f32)]) -> Value {
    Value::Weights(
        weights
            .iter()
            .map(|(id, weight)| ((*id).to_owned(), *weight))
            .collect(),
    )
}

#[test]
fn weights_of_ids_go_with_their_rows() {
    let (encoder, batch) = times();
    let row = |id: &str| (xxh3_64(id.as_bytes()) % 6) as u32;
    assert_eq!(bags(&encoder, &batch, "likes")[1], [row("a"), row("b")]);
    assert!(bags(&encoder, &batch, "likes")[3].is_empty());
    let of = |name: &str| {
        let field = encoder.spec().field(name).unwrap();
        let at = encoder.plan().ids.iter().position(|input| input.field == field);
        &batch.ids[at.unwrap()].weights
    };
    assert_eq!(*of("likes"), [2.0, -0.5, 2.0, -0.5, 2.0, -0.5]);
    assert_eq!(*of("tags"), [LARGEST; 3], "bounded");
    assert!(of("user").is_empty());
}

#[test]
fn a_pair_of_ids_is_an_id_of_its_own_and_new_where_one_is_missing() {
    let (encoder, batch) = times();
    let pair = |a: &str, b: &str| {
        let bytes = [&(a.len() as u64).to_le_bytes(), a.as_bytes(), b.as_bytes()].concat();
        [(xxh3_64(&bytes) % 7) as u32]
    };
    assert_eq!(
        bags(&encoder, &batch, "pair"),
        [pair("u1", "a"), pair("u2", "a"), pair("u1", "b"), [7]]
    );
}

#[test]
fn pairs_that_run_together_to_the_same_text_are_different_pairs() {
    let declaration = crate::testing::spec_of_times().text.replace(
        "values = [\"a\", \"b\"] }\npair   = { side = \"pair\", kind = \"id\", dim = 2, buckets = 7",
        "buckets = 3 }\npair   = { side = \"pair\", kind = \"id\", dim = 2, buckets = 1_000_000",
    );
    let spec = crate::testing::parsed(&declaration);
    let row = |user, topic: &str| -> Row {
        let shared = fields([("user", text(user))]);
        (
            user,
            None,
            shared,
            fields([("topic", text(topic))]),
            vec![None; 4],
        )
    };
    let examples = examples_of(&spec, &[row("ab", "c"), row("a", "bc")]);
    let encoder = fitted(&spec, &examples);
    let batch = encoder.encode(&examples);
    let pairs = bags(&encoder, &batch, "pair");
    assert_ne!(pairs[0], pairs[1]);
}

#[test]
fn a_number_falls_into_the_bucket_from_its_edge_on_and_a_missing_one_is_new() {
    let (encoder, batch) = times();
    assert_eq!(bags(&encoder, &batch, "price"), [[2], [2], [2], [3]]);
    let bucket = |number: f32| {
        let table = encoder
            .spec()
            .tables
            .iter()
            .position(|table| table.name == "price");
        encoder.bucket(table.unwrap(), Some(number))
    };
    assert_eq!([-1e30, 0.9, 1.0, 9.9, 10.0, 1e30].map(bucket), [0, 0, 1, 1, 2, 2]);
}

#[test]
fn a_text_is_its_ngrams_hashed_and_no_row_where_it_is_missing() {
    let (encoder, batch) = times();
    let ngrams = ["the", "the\u{1f}cat", "cat", "cat\u{1f}the", "the"];
    let rows = ngrams.map(|ngram| (xxh3_64(ngram.as_bytes()) % 9) as u32);
    assert_eq!(bags(&encoder, &batch, "title"), [&rows[..], &rows, &rows, &[]]);
}

#[test]
fn a_watch_time_is_observed_where_its_duration_is_known_and_above_0() {
    let (encoder, batch) = times();
    let observed = |objective: usize| {
        let labels = batch.labels[objective].iter();
        labels.map(|label| !label.is_nan()).collect::<Vec<_>>()
    };
    let of = |name: &str| encoder.spec().objective(name).unwrap();
    assert_eq!(observed(of("share")), [true, true, false, false]);
    assert_eq!(observed(of("rank")), [true, true, false, false]);
    assert_eq!(observed(of("odds")), [true; 4]);
    assert_eq!(batch.labels[of("share")][..2], [5.0, 5.0], "in its own unit");
    assert_eq!(batch.durations[of("share")][..2], [10.0, 4.0]);
    assert!(batch.durations[of("share")][2].is_nan() && batch.durations[of("odds")].is_empty());
    // Half, all and more than all of the duration; the mean of the training part; the middle of its group.
    assert_eq!(encoder.targets(&batch, of("share"))[..2], [0.5, 1.0]);
    assert_eq!(encoder.targets(&batch, of("odds")), [1.0; 4]);
    assert_eq!(encoder.targets(&batch, of("rank"))[..2], [0.5, 0.5]);
    assert!(encoder.targets(&batch, of("rank"))[2].is_nan());
    assert_eq!(encoder.targets(&batch, of("click")), batch.labels[of("click")]);
}
