use std::sync::Arc;

use arrow_array::builder::{Float64Builder, Int64Builder, ListBuilder, MapBuilder, StringBuilder};
use arrow_array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray};

use super::import::{Column, SMALL, numbers, options, read_all, small, strings, times, with, without, write};
use super::import_errors::error_of;
use super::*;
use crate::{Examples, FlatLog, FlatOptions, FlatRow};

fn read(text: &str, columns: &[Column]) -> (Examples, Vec<FlatRow>) {
    let dir = tempfile::tempdir().unwrap();
    let path = write(&dir.path().join("a.parquet"), columns);
    let log = FlatLog::open(&parse(text), options(vec![path])).unwrap();
    let rows = log.read_rows(0..log.rows()).collect::<Result<_, _>>().unwrap();
    (read_all(&log).unwrap(), rows)
}

/// `SMALL` with one more field.
fn with_field(field: &str) -> String {
    SMALL.replace("[objectives]", &format!("{field}\n[objectives]"))
}

#[test]
fn a_field_is_read_of_its_column_and_keeps_its_name_when_it_is_sent() {
    let text = SMALL.replace(
        r#"age = { side = "item", kind = "number" }"#,
        r#"age = { side = "item", kind = "number", column = "video age" }"#,
    );
    let columns = with(small(2), "video age", numbers(&[7.0, 8.0]));
    let (examples, rows) = read(&text, &columns);
    let age = parse(&text).field("age").unwrap();
    assert_eq!(examples.number(age).values(), &[7.0, 8.0]);
    assert_eq!(rows[1].item_fields["age"], Value::Number(8.0));
    assert_eq!(
        error_of(&text, &without(small(2), &["age"])),
        "field `age`: no column `video age` in `a.parquet`"
    );
}

#[test]
fn a_log_may_lack_users_and_items_where_the_declaration_says_so() {
    let text = format!(
        "[keys]\nabsent = [\"user\", \"item\"]\n{}",
        SMALL
            .replace("user = {", "person = {")
            .replace("item = {", "video = {")
    );
    let columns = without(small(2), &["user", "item"]);
    let columns = with(
        with(columns, "person", strings(&["a", "b"])),
        "video",
        strings(&["v", "w"]),
    );
    let (examples, rows) = read(&text, &columns);
    assert_eq!((examples.users().value(0), examples.items().value(1)), ("", ""));
    assert_eq!((examples.users().null_count(), rows[0].user.as_str()), (0, ""));
    let person = parse(&text).field("person").unwrap();
    assert_eq!(examples.id(person).value(1), "b");
}

#[test]
fn a_key_that_is_missing_says_how_to_name_it_or_to_do_without() {
    let columns = without(small(2), &["user", "item", "time"]);
    let columns = with(
        with(columns, "user_id", strings(&["a", "b"])),
        "timestamp",
        times(&[1, 2]),
    );
    let none = |key: &str, near: &str| {
        format!(
            "no column `{key}` in `a.parquet`{near}: name yours in `[keys] {key}`, or write `absent = [\"{key}\"]` where the \
             log has none"
        )
    };
    let expected = [
        none("time", " (nearest: `timestamp`)"),
        none("user", " (nearest: `user_id`)"),
        none("item", ""),
    ];
    assert_eq!(error_of(SMALL, &columns), expected.join("\n"));
}

#[test]
fn a_table_of_users_is_refused_where_the_log_has_no_user() {
    let dir = tempfile::tempdir().unwrap();
    let log = write(&dir.path().join("log"), &small(1));
    let users = write(&dir.path().join("users"), &[("user", strings(&["u"]))]);
    let options = FlatOptions {
        users: Some(users),
        ..options(vec![log])
    };
    let without = SMALL.replace("user = { side", "person = { side");
    let error = FlatLog::open(
        &parse(&format!("[keys]\nabsent = [\"user\"]\n{without}")),
        options,
    )
    .unwrap_err();
    assert!(
        error.to_string().starts_with("a table of users was named"),
        "{error}"
    );
}

#[test]
fn example_weights_are_above_0_and_1_where_the_cell_is_empty() {
    let text = format!("[keys]\nweight = \"w\"\n{SMALL}");
    let column = |values: Vec<Option<f64>>| with(small(3), "w", Arc::new(Float64Array::from(values)));
    let (examples, _) = read(&text, &column(vec![Some(2.5), None, Some(0.5)]));
    assert_eq!(
        examples.weights().iter().collect::<Vec<_>>(),
        [Some(2.5), None, Some(0.5)]
    );
    for (bad, found) in [
        (0.0, "0"),
        (-1.0, "-1"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "inf"),
        (1e-300, "1e-300"),
    ] {
        assert_eq!(
            error_of(&text, &column(vec![Some(1.0), Some(bad), None])),
            format!(
                "`a.parquet`, row 2, column `w`: found {found}, expected a weight: a finite number above 0 (an empty cell \
                 counts 1)"
            )
        );
    }
    assert_eq!(
        error_of(&text, &small(3)),
        "no column `w` in `a.parquet`: name yours in `[keys] weight`, or leave it out: all rows count alike"
    );
    let (examples, _) = read(SMALL, &small(3));
    assert_eq!(examples.weights().null_count(), 3);
}

#[test]
fn a_text_field_reads_texts_whole_numbers_and_true_or_false() {
    let text = with_field(r#"title = { side = "item", kind = "text", dim = 2, buckets = 10 }"#);
    let title = parse(&text).field("title").unwrap();
    let titles = |array: ArrayRef| {
        let (examples, rows) = read(&text, &with(small(2), "title", array));
        assert_eq!(
            rows[0].item_fields["title"],
            Value::Text(examples.id(title).value(0).to_owned())
        );
        assert!(examples.id(title).is_null(1) && !rows[1].item_fields.contains_key("title"));
        examples.id(title).value(0).to_owned()
    };
    assert_eq!(
        titles(Arc::new(StringArray::from(vec![Some("On  Air!"), None]))),
        "On  Air!"
    );
    assert_eq!(titles(Arc::new(Int64Array::from(vec![Some(1984), None]))), "1984");
    assert_eq!(
        titles(Arc::new(BooleanArray::from(vec![Some(true), None]))),
        "true"
    );
}

#[test]
fn a_number_in_buckets_is_read_as_a_number() {
    let text = with_field(
        r#"length_bucket = { side = "item", kind = "number", dim = 2, edges = [1, 2], column = "length" }"#,
    );
    let (examples, rows) = read(&text, &small(2));
    let field = parse(&text).field("length_bucket").unwrap();
    assert_eq!(examples.number(field).value(0), 100.0);
    assert_eq!(rows[0].item_fields["length_bucket"], Value::Number(100.0));
}

const WEIGHTED: &str =
    r#"topics = { side = "item", kind = "ids", dim = 2, buckets = 10, weights = "strength" }"#;

fn lists(rows: &[Option<&[Option<&str>]>]) -> ArrayRef {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in rows {
        lists.append_option(row.map(|ids| ids.iter().copied()));
    }
    Arc::new(lists.finish())
}

fn strengths(rows: &[Option<&[Option<f64>]>]) -> ArrayRef {
    let mut lists = ListBuilder::new(Float64Builder::new());
    for row in rows {
        lists.append_option(row.map(|weights| weights.iter().copied()));
    }
    Arc::new(lists.finish())
}

fn weights(pairs: &[(&str, f32)]) -> Value {
    Value::Weights(
        pairs
            .iter()
            .map(|(id, weight)| ((*id).to_owned(), *weight))
            .collect(),
    )
}

#[test]
fn ids_with_weights_are_two_lists_beside_each_other_and_come_in_the_order_of_ids() {
    let text = with_field(WEIGHTED);
    let columns = with(
        small(3),
        "topics",
        lists(&[Some(&[Some("b"), None, Some("a"), Some("b")]), None, Some(&[])]),
    );
    let columns = with(
        columns,
        "strength",
        strengths(&[
            Some(&[Some(1.0), Some(9.0), Some(2.0), Some(0.5)]),
            None,
            Some(&[]),
        ]),
    );
    let (examples, rows) = read(&text, &columns);
    let spec = parse(&text);
    let topics = spec.field("topics").unwrap();
    let ids = examples.ids(topics);
    let found = examples.id_weights(topics).unwrap();
    assert_eq!((ids.is_null(1), found.is_null(1)), (true, true));
    assert_eq!((ids.value(2).len(), found.value(2).len()), (0, 0));
    let expected = weights(&[("a", 2.0), ("b", 1.5)]);
    assert_eq!(rows[0].item_fields["topics"], expected);
    assert_eq!(examples.to_slate_fields(&spec, 0).1["topics"], expected);
    assert!(!rows[1].item_fields.contains_key("topics"));
    assert_eq!(rows[2].item_fields["topics"], weights(&[]));
    // The columns behind it are still found.
    assert_eq!(super::labels(&examples)[0], "v0: 0 1 0.5");
}

#[test]
fn ids_with_weights_may_be_maps_and_attributes_of_a_table() {
    let dir = tempfile::tempdir().unwrap();
    let spec = parse(&with_field(WEIGHTED));
    let log = write(&dir.path().join("log"), &small(3));
    let mut maps = MapBuilder::new(None, Int64Builder::new(), Float64Builder::new());
    maps.keys().append_slice(&[7, 3]);
    maps.values().append_slice(&[0.25, 4.0]);
    maps.append(true).unwrap();
    maps.append(false).unwrap();
    let of_lists: Vec<Column> = vec![
        ("item", strings(&["v0", "v1"])),
        ("topics", lists(&[Some(&[Some("7"), Some("3")]), None])),
        ("strength", strengths(&[Some(&[Some(0.25), Some(4.0)]), None])),
    ];
    let of_maps: Vec<Column> = vec![
        ("item", strings(&["v0", "v1"])),
        ("topics", Arc::new(maps.finish())),
    ];
    for items in [of_lists, of_maps] {
        let options = FlatOptions {
            items: Some(write(&dir.path().join("items"), &items)),
            ..options(vec![log.clone()])
        };
        let log = FlatLog::open(&spec, options).unwrap();
        let rows: Vec<_> = log.read_rows(0..3).collect::<Result<_, _>>().unwrap();
        assert_eq!(rows[0].item_fields["topics"], weights(&[("3", 4.0), ("7", 0.25)]));
        assert!(
            rows[1..]
                .iter()
                .all(|row| !row.item_fields.contains_key("topics"))
        );
        assert!(
            read_all(&log)
                .unwrap()
                .ids(spec.field("topics").unwrap())
                .is_null(2)
        );
    }
}

#[test]
fn weights_that_do_not_fit_their_ids_are_named_by_their_row() {
    let text = with_field(WEIGHTED);
    let columns = with(
        small(2),
        "topics",
        lists(&[Some(&[]), Some(&[Some("a"), Some("b")])]),
    );
    let error = |second: Option<&[Option<f64>]>| {
        error_of(
            &text,
            &with(columns.clone(), "strength", strengths(&[Some(&[]), second])),
        )
    };
    let place = "`a.parquet`, row 2, column `topics`: found";
    assert_eq!(
        error(Some(&[Some(1.0)])),
        format!("{place} 2 ids and 1 weights, expected a weight for each id")
    );
    assert_eq!(
        error(None),
        format!("{place} 2 ids and 0 weights, expected a weight for each id")
    );
    assert_eq!(
        error(Some(&[Some(1.0), Some(f64::NAN)])),
        format!("{place} NaN, expected a finite number in the range of f32")
    );
    assert_eq!(
        error_of(&text, &columns),
        "the weights of field `topics`: no column `strength` in `a.parquet`"
    );
    assert_eq!(
        error_of(&text, &with(columns, "strength", numbers(&[1.0, 2.0]))),
        "`a.parquet`, column `strength`: found numbers, expected lists of numbers for the weights of field `topics`"
    );
}

#[test]
fn a_label_without_column_says_what_to_write() {
    let columns = with(
        without(small(2), &["click", "like", "play_ms"]),
        "is_click",
        numbers(&[1.0, 0.0]),
    );
    let columns = with(columns, "play-ms", numbers(&[1.0, 0.0]));
    assert_eq!(
        error_of(SMALL, &columns),
        "`like` in a label: no column `like` in `a.parquet`: write `label = \"COLUMN\"` for `like` in `[objectives]`, with the \
         name of yours\n\
         `click` in a label: no column `click` in `a.parquet` (nearest: `is_click`): write `label = \"is_click\"` in \
         `[objectives]`\n\
         `play_ms` in a label: no column `play_ms` in `a.parquet` (nearest: `play-ms`): write `play-ms`, in backticks, in the \
         `label` of `watch` in `[objectives]`"
    );
    assert_eq!(
        error_of(SMALL, &with(small(2), "click", strings(&["yes", "no"]))),
        "`a.parquet`, column `click`: found text, expected numbers, or true or false for `click` in a label: labels are \
         computed from numbers, write them as such (1 and 0 where it happened or not)"
    );
}

#[test]
fn a_cut_can_be_moved_to_where_the_next_slate_begins() {
    let dir = tempfile::tempdir().unwrap();
    let slates = |ids: &[Option<&str>], from: i64| {
        let columns = with(
            small(ids.len()),
            "slate",
            Arc::new(StringArray::from(ids.to_vec())),
        );
        let time = times(&(0..ids.len() as i64).map(|row| from + row).collect::<Vec<_>>());
        with(columns, "time", time)
    };
    let first = slates(
        &[Some("a"), Some("a"), Some("b"), None, None, Some("c"), Some("c")],
        0,
    );
    let last = slates(&[Some("c"), Some("d"), Some("d")], 9);
    let files = [("a", first), ("empty", slates(&[], 0)), ("b", last)]
        .map(|(name, columns)| write(&dir.path().join(name), &columns));
    let log = FlatLog::open(&parse(SMALL), options(files.to_vec())).unwrap();
    let ends: Vec<u64> = (0..12).map(|row| log.slate_end(row).unwrap()).collect();
    assert_eq!(ends, [0, 2, 2, 3, 4, 5, 8, 8, 8, 10, 10, 10]);

    let path = write(&dir.path().join("none"), &small(4));
    let log = FlatLog::open(&parse(SMALL), options(vec![path])).unwrap();
    assert_eq!(
        (0..5).map(|row| log.slate_end(row).unwrap()).collect::<Vec<_>>(),
        [0, 1, 2, 3, 4]
    );
}
