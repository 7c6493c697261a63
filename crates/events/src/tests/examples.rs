use arrow_array::Array;

use super::*;
use crate::{Columns, EventsError, ExampleBuilder, ExampleRow, Examples, check_value};

fn row<'a>(shared: &'a Fields, fields: &'a Fields) -> ExampleRow<'a> {
    ExampleRow {
        key: 7,
        time: 1000,
        user: "u1",
        item: "v1",
        slate: Some("s1"),
        position: Some(2),
        shuffled: false,
        query: Some("v0"),
        shared,
        fields,
        labels: &[None, Some(1.0), Some(0.5), None],
    }
}

fn two_rows() -> Examples {
    let mut builder = ExampleBuilder::new(&spec());
    let shared = fields([
        ("history", texts(&["v3", "v4"])),
        ("taste", Value::Numbers(vec![1.0, 2.0])),
        ("device", text("phone")),
        ("query_age", Value::Number(3.0)),
    ]);
    let item = fields([
        ("age", Value::Number(1.5)),
        ("tags", texts(&[])),
        ("content", Value::Numbers(vec![0.5, -0.5])),
        ("undeclared", text("ignored")),
    ]);
    let nothing = Fields::new();
    builder.push(&row(&shared, &item)).unwrap();
    let bare = ExampleRow {
        key: 8,
        user: "u2",
        slate: None,
        position: None,
        shuffled: false,
        query: None,
        ..row(&nothing, &nothing)
    };
    builder.push(&bare).unwrap();
    assert_eq!(builder.len(), 2);
    builder.finish()
}

#[test]
fn raw_values_become_typed_columns_and_come_back() {
    let spec = spec();
    let examples = two_rows();
    let index = |name: &str| spec.field(name).unwrap();
    assert_eq!(examples.len(), 2);
    assert_eq!(examples.keys(), [7, 8]);
    assert_eq!(examples.times(), [1000, 1000]);
    assert_eq!(
        (examples.users().value(1), examples.items().value(0)),
        ("u2", "v1")
    );
    assert_eq!(
        (examples.slates().value(0), examples.positions().value(0)),
        ("s1", 2)
    );
    assert!(examples.slates().is_null(1) && examples.positions().is_null(1));
    assert_eq!(examples.id(index("user")).value(1), "u2");
    assert_eq!(examples.id(index("query")).value(0), "v0");
    assert!(examples.id(index("query")).is_null(1));
    assert_eq!(examples.number(index("age")).value(0), 1.5);
    assert_eq!(examples.ids(index("history")).value(0).len(), 2);
    assert!(!examples.ids(index("tags")).is_null(0) && examples.ids(index("tags")).is_null(1));
    assert_eq!(examples.vector(index("content")).value_length(), 2);
    assert_eq!(examples.label(1).value(0), 1.0);
    assert!(examples.label(0).is_null(0));

    let (shared, item) = examples.to_slate_fields(&spec, 0);
    let expected = fields([
        ("user", text("u1")),
        ("history", texts(&["v3", "v4"])),
        ("taste", Value::Numbers(vec![1.0, 2.0])),
        ("device", text("phone")),
        ("query", text("v0")),
        ("query_age", Value::Number(3.0)),
    ]);
    assert_eq!(shared, expected);
    assert_eq!(item["tags"], Value::Texts(vec![]));
    assert_eq!(item.len(), 4);
    assert_eq!(
        examples.to_slate_fields(&spec, 1).0,
        fields([("user", text("u2"))])
    );
}

#[test]
fn examples_have_the_same_bytes_however_they_were_cut_and_joined() {
    let examples = two_rows();
    let parts = Examples::concat(&[examples.slice(0, 1), examples.slice(1, 1)]);
    assert_eq!(parts.to_bytes(), examples.to_bytes());
    assert_eq!(
        examples.take(&[1, 0]).take(&[1, 0]).to_bytes(),
        examples.to_bytes()
    );
    assert_ne!(examples.take(&[1, 0]).to_bytes(), examples.to_bytes());
    assert_eq!(Examples::empty(&Columns::of(&spec())).len(), 0);
}

#[test]
#[should_panic(expected = "a pair field is computed")]
fn asking_for_a_pair_field_is_a_bug() {
    let spec = spec();
    Examples::empty(&Columns::of(&spec)).number(spec.field("affinity").unwrap());
}

fn refused(field: &str, value: Value) -> String {
    let spec = spec();
    let index = spec.field(field).unwrap();
    let error = check_value(&spec, index, &value).unwrap_err();
    assert!(error.is_bad_input());
    let values = fields([(field, value)]);
    let mut builder = ExampleBuilder::new(&spec);
    let pushed = builder.push(&row(&values, &values)).unwrap_err();
    assert!(matches!(&pushed, EventsError::Value { .. }));
    assert_eq!(pushed.to_string(), error.to_string());
    assert!(builder.is_empty() && builder.finish().is_empty());
    error.to_string()
}

#[test]
fn a_value_of_the_wrong_kind_is_refused_with_what_was_found_and_expected() {
    assert_eq!(
        refused("device", Value::Number(1.5)),
        "field `device`: found the number 1.5, expected an id: a string, or a whole number of at most 53 bits"
    );
    assert_eq!(
        refused("age", text("old")),
        "field `age`: found the string `old`, expected a finite number in the range of f32"
    );
    refused("age", Value::Number(1e300));
    refused("age", Value::Number(f64::NAN));
    assert_eq!(
        refused("content", Value::Numbers(vec![1.0])),
        "field `content`: found 1 numbers, expected a vector of 2 finite numbers"
    );
    assert_eq!(
        refused("content", Value::Numbers(vec![1.0, f32::INFINITY])),
        "field `content`: found inf as element 1, expected a vector of 2 finite numbers"
    );
    refused("tags", text("one"));
    refused("tags", Value::Numbers(vec![0.5]));
}

#[test]
fn a_whole_number_is_an_id_in_decimal_and_an_empty_json_list_is_no_ids() {
    let spec = spec();
    let shared = fields([("device", Value::Number(3.0))]);
    let item: Fields = serde_json::from_str(r#"{"tags": [], "age": 1}"#).unwrap();
    let mut builder = ExampleBuilder::new(&spec);
    builder.push(&row(&shared, &item)).unwrap();
    let examples = builder.finish();
    assert_eq!(examples.id(spec.field("device").unwrap()).value(0), "3");
    let tags = examples.ids(spec.field("tags").unwrap());
    assert!(!tags.is_null(0) && tags.value(0).is_empty());
}
