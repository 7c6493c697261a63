mod kinds;

use events::{Examples, Fields, Value};

use super::*;
use crate::testing::{BOTTOMS, Row, examples_of, fields, spec_with, text, texts};

/// Everything given; some things unknown; nothing given.
fn rows() -> Vec<Row> {
    let full = (
        "u1",
        Some(2),
        fields([
            ("user", text("u1")),
            ("past", texts(&["b", "nowhere", "b"])),
            ("taste", Value::Numbers(vec![0.5, -2.0])),
            ("device", text("tv")),
            ("place", text("away")),
        ]),
        fields([
            ("topics", texts(&["d"])),
            ("tone", Value::Numbers(vec![3.0, 0.25])),
            ("age", Value::Number(10.0)),
            ("length", Value::Number(4.0)),
        ]),
        vec![Some(1.0), None, Some(-3.0)],
    );
    let unknown = (
        "u2",
        Some(99),
        fields([
            ("device", text("watch")),
            ("taste", Value::Numbers(vec![1.0, 1.0])),
            ("past", texts(&[])),
        ]),
        fields([("age", Value::Number(0.0)), ("length", Value::Number(8.0))]),
        vec![Some(0.0), Some(2.0), None],
    );
    vec![
        full,
        unknown,
        ("u1", None, Fields::new(), Fields::new(), vec![None; 3]),
    ]
}

fn fitted(spec: &Arc<Spec>, examples: &Examples) -> Encoder {
    let mut fit = ScalerFit::new(spec);
    Encoder::fit(spec, examples, &mut fit);
    Encoder::new(spec.clone(), fit.finish())
}

fn encoded() -> (Encoder, Examples, Encoded) {
    let spec = spec_with(BOTTOMS[0]);
    let examples = examples_of(&spec, &rows());
    let encoder = fitted(&spec, &examples);
    let batch = encoder.encode(&examples);
    (encoder, examples, batch)
}

/// The dense columns of a field by name, one vector a row.
fn columns(encoder: &Encoder, batch: &Encoded, name: &str) -> Vec<Vec<f32>> {
    let field = encoder.spec().field(name).unwrap();
    let plan = encoder.plan();
    let (_, from, width) = plan
        .dense
        .iter()
        .find(|(source, _, _)| source.field() == field)
        .unwrap();
    batch
        .dense
        .chunks(plan.dense_width)
        .map(|row| row[*from..from + width].to_vec())
        .collect()
}

/// The rows of an embedded field by name, one bag an example.
fn bags<'a>(encoder: &Encoder, batch: &'a Encoded, name: &str) -> Vec<&'a [u32]> {
    let field = encoder.spec().field(name).unwrap();
    let at = encoder
        .plan()
        .ids
        .iter()
        .position(|input| input.field == field)
        .unwrap();
    let crate::EncodedIds { offsets, rows, .. } = &batch.ids[at];
    offsets
        .windows(2)
        .map(|pair| &rows[pair[0] as usize..pair[1] as usize])
        .collect()
}

#[test]
fn a_quantile_number_is_its_rank_with_its_powers_and_a_missing_one_sets_the_flag() {
    let (encoder, _, batch) = encoded();
    // Two distinct training values: ranks 1/4 and 3/4.
    let powers = |x: f32| vec![x, x * x, x.sqrt(), 0.0];
    assert_eq!(
        columns(&encoder, &batch, "age"),
        [powers(0.75), powers(0.25), vec![0.0, 0.0, 0.0, 1.0]]
    );
}

#[test]
fn a_standard_number_is_its_distance_from_the_mean_and_a_missing_one_sets_the_flag() {
    let (encoder, _, batch) = encoded();
    assert_eq!(
        columns(&encoder, &batch, "length"),
        [[-1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    );
}

#[test]
fn a_value_that_stands_for_missing_sets_the_flag_and_is_not_fitted() {
    let text = spec_with(BOTTOMS[0]).text.replace(
        "length = { side = \"item\", kind = \"number\" }",
        "length = { side = \"item\", kind = \"number\", missing = 8 }",
    );
    let spec = crate::testing::parsed(&text);
    let examples = examples_of(&spec, &rows());
    let encoder = fitted(&spec, &examples);
    let batch = encoder.encode(&examples);
    assert_eq!(
        columns(&encoder, &batch, "length"),
        [[0.0, 0.0], [0.0, 1.0], [0.0, 1.0]]
    );
}

#[test]
fn dot_and_product_are_of_the_two_vectors_and_missing_where_one_is() {
    let (encoder, _, batch) = encoded();
    assert_eq!(
        columns(&encoder, &batch, "match"),
        [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]
    );
    assert_eq!(
        columns(&encoder, &batch, "both"),
        [[1.5, -0.5], [0.0, 0.0], [0.0, 0.0]]
    );
    assert_eq!(
        columns(&encoder, &batch, "taste"),
        [[0.5, -2.0], [1.0, 1.0], [0.0, 0.0]]
    );
}

#[test]
fn declared_values_have_their_row_and_others_are_new() {
    let (encoder, _, batch) = encoded();
    assert_eq!(bags(&encoder, &batch, "topics"), [&[3u32][..], &[], &[]]);
    assert_eq!(
        bags(&encoder, &batch, "past"),
        [&[1u32, 4, 1][..], &[], &[]],
        "4 is `new` of the shared table"
    );
    assert_eq!(bags(&encoder, &batch, "device"), [[1], [2], [2]]);
}

#[test]
fn an_id_is_hashed_into_its_buckets_by_xxh3_and_a_missing_one_is_new() {
    let (encoder, _, batch) = encoded();
    // `user` is the key of the person, who is always known.
    let expected = |id: &str| [(xxh3_64(id.as_bytes()) % 5) as u32];
    assert_eq!(
        bags(&encoder, &batch, "user"),
        [expected("u1"), expected("u2"), expected("u1")]
    );
    // Rows of an artifact are by this hash, so it may not change: XXH3's published values.
    assert_eq!(
        [xxh3_64(b""), xxh3_64(b"abc")],
        [0x2d06_8005_38d3_94c2, 0x78af_5f94_892f_3950]
    );
    assert_eq!(encoder.row(0, super::ids::Id::Missing), 5);
}

#[test]
fn bias_fields_are_crossed_each_with_a_cell_for_the_unknown() {
    let (_, _, batch) = encoded();
    // device x place, both of two values: cell = 3 device + place.
    assert_eq!(batch.cells, [3 + 1, 3 * 2 + 2, 3 * 2 + 2]);
}

#[test]
fn positions_are_clipped_and_0_where_unknown() {
    assert_eq!(encoded().2.positions, [2, 3, 0]);
}

#[test]
fn labels_keys_and_people_are_carried_along() {
    let (_, examples, batch) = encoded();
    let observed: Vec<Vec<Option<f32>>> = batch
        .labels
        .iter()
        .map(|labels| labels.iter().map(|y| (!y.is_nan()).then_some(*y)).collect())
        .collect();
    assert_eq!(
        observed,
        [
            [Some(1.0), Some(0.0), None],
            [None, Some(2.0), None],
            [Some(-3.0), None, None]
        ]
    );
    assert_eq!(batch.keys, examples.keys());
    assert_eq!(batch.users[0], batch.users[2]);
    assert_ne!(batch.users[0], batch.users[1]);
}

/// As text, so that NaN equals NaN.
fn shown(batch: &Encoded) -> String {
    format!("{batch:?}")
}

#[test]
fn encoding_a_batch_is_encoding_its_examples_one_by_one() {
    let (encoder, examples, batch) = encoded();
    let mut one_by_one = Encoded::default();
    for row in 0..examples.len() {
        let one = encoder.encode(&examples.slice(row, 1));
        assert_eq!(shown(&one), shown(&batch.select(&[row as u32])));
        one_by_one.append(&one);
    }
    assert_eq!(shown(&one_by_one), shown(&batch));
    let taken = encoder.encode(&examples.take(&[2, 0, 0]));
    assert_eq!(shown(&taken), shown(&batch.select(&[2, 0, 0])));
}

#[test]
fn select_and_append_keep_rows_whole() {
    let (encoder, examples, batch) = encoded();
    let mut doubled = batch.select(&[2, 1]);
    doubled.append(&batch.select(&[]));
    doubled.append(&batch.select(&[0]));
    assert_eq!(shown(&doubled.select(&[2, 1, 0])), shown(&batch));
    let nothing = batch.select(&[]);
    assert_eq!((nothing.len, nothing.ids[0].offsets.as_slice()), (0, &[0][..]));
    let mut from_nothing = encoder.encode(&examples.slice(0, 0));
    from_nothing.append(&batch);
    assert_eq!(shown(&from_nothing), shown(&batch));
}

#[test]
fn no_finite_value_of_a_request_becomes_infinite() {
    let spec = spec_with(BOTTOMS[0]);
    let encoder = fitted(&spec, &examples_of(&spec, &rows()));
    let largest = || Value::Numbers(vec![f32::MAX, f32::MIN]);
    let shared = fields([("taste", largest())]);
    let fields = fields([
        ("tone", largest()),
        ("age", Value::Number(-3e38)),
        ("length", Value::Number(3e38)),
    ]);
    let batch = encoder.encode(&examples_of(
        &spec,
        &[("u", Some(1), shared, fields, vec![None; 3])],
    ));
    assert!(
        batch.dense.iter().all(|value| value.abs() <= LARGEST),
        "{:?}",
        batch.dense
    );
    assert_eq!(columns(&encoder, &batch, "match"), [[LARGEST, 0.0]]);
}

#[test]
fn weights_slates_and_times_are_carried_along() {
    let (_, examples, batch) = encoded();
    assert_eq!(batch.weights, [1.0; 3], "1 where the log does not say");
    assert_eq!(batch.slates, [0; 3]);
    assert_eq!(batch.times, examples.times());
    let spec = spec_with(BOTTOMS[0]);
    let mut builder = events::ExampleBuilder::new(&spec);
    for (time, slate) in [(7, Some("s1")), (8, Some("s2")), (9, Some("s1"))] {
        let row = events::ExampleRow {
            key: 1,
            time,
            user: "u",
            item: "v",
            slate,
            position: None,
            shuffled: false,
            query: None,
            shared: &Fields::new(),
            fields: &Fields::new(),
            labels: &[None; 3],
        };
        builder.push(&row).unwrap();
    }
    let batch = fitted(&spec, &examples).encode(&builder.finish());
    assert_eq!(batch.times, [7, 8, 9]);
    assert_eq!(batch.slates[0], xxh3_64(b"s1"));
    assert!(batch.slates[0] == batch.slates[2] && batch.slates[0] != batch.slates[1]);
}
