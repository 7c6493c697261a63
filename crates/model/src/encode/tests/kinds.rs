//! Weighted ids, pairs of ids, buckets, texts and watch times.

use super::*;

/// Four examples: everything given, twice with a duration above 0 and once below, and nothing.
fn times() -> (Encoder, Encoded) {
    times_by(&crate::testing::spec_of_times())
}

/// The same by a declaration with the fields of [`crate::testing::spec_of_times`].
fn times_by(spec: &Arc<Spec>) -> (Encoder, Encoded) {
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
    let examples = examples_of(spec, &rows);
    let encoder = fitted(spec, &examples);
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
fn a_table_by_id_has_the_whole_hash_of_what_buckets_take_the_rest_of_and_0_for_a_missing_id() {
    let mut text = crate::testing::spec_of_times().text.clone();
    for buckets in [
        "dim = 3, buckets = 5",
        "dim = 2, buckets = 7",
        "dim = 2, buckets = 6",
    ] {
        assert!(text.contains(buckets));
        text = text.replace(buckets, &buckets.replace("buckets", "capacity"));
    }
    let ((_, hashed), (encoder, keyed)) = (times(), times_by(&crate::testing::parsed(&text)));
    for (input, (rows, keys)) in encoder.plan().ids.iter().zip(hashed.ids.iter().zip(&keyed.ids)) {
        let table = &encoder.spec().tables[input.table];
        if !table.is_keyed() {
            assert_eq!(rows, keys);
            continue;
        }
        assert!(rows.keys.is_empty() && keys.rows.is_empty() && !keys.keys.is_empty());
        assert_eq!((&rows.offsets, &rows.weights), (&keys.offsets, &keys.weights));
        let buckets = table.len() as u64;
        let row = |key: &u64| if *key == 0 { buckets } else { key % buckets } as u32;
        assert_eq!(rows.rows, keys.keys.iter().map(row).collect::<Vec<_>>());
    }
    let users = ["u1", "u2", "u1", "u3"].map(|id| xxh3_64(id.as_bytes()));
    assert_eq!(keyed.ids[0].keys, users);
    assert_eq!(keyed.ids[2].keys[3], 0, "a pair without one of its ids");
    let mut twice = keyed.clone();
    twice.append(&keyed.select(&[3, 2, 1, 0]));
    assert_eq!(twice.select(&[0, 1, 2, 3]).ids, keyed.ids);
    assert_eq!(twice.select(&[7, 6, 5, 4]).ids, keyed.ids);
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
