use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;

/// Cells of every kind, and such that a reader may stumble over.
fn any_cell() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a\"\r\n,;|\t \u{feff}]{0,6}",
        "-?[0-9]{1,4}(\\.[0-9])?",
        Just(String::new()),
        Just("NA".to_owned()),
    ]
}

/// A table: rows of one to three texts.
fn any_table() -> impl Strategy<Value = Vec<Vec<String>>> {
    (1..4_usize).prop_flat_map(|columns| vec(vec(any_cell(), columns), 0..30))
}

fn any_json() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    scalar.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map("[x-z]", inner, 0..3)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_csv_table_has_the_same_cells_in_any_range(
        table in any_table(), from: u64, to: u64, batch_rows in 1..9_usize, delimiter in 0..4_usize, crlf: bool,
    ) {
        let place = Place::new();
        let width = table.first().map_or(1, Vec::len);
        let mut writer = ::csv::WriterBuilder::new()
            .delimiter(b",\t;|"[delimiter])
            .terminator(if crlf { ::csv::Terminator::CRLF } else { ::csv::Terminator::Any(b'\n') })
            .from_writer(Vec::new());
        let names = &["a", "b", "c"][..width];
        writer.write_record(names.iter().chain(&["text"])).unwrap();
        for row in &table {
            // The last column is text for sure.
            writer.write_record(row.iter().chain([&format!("x{}", row[0])])).unwrap();
        }
        let file = place.open("a.csv", writer.into_inner().unwrap());
        let texts: Vec<_> = table.iter().map(|row| Some(format!("x{}", row[0]))).collect();
        prop_assert_eq!(column_of_text(&file, "text").unwrap_or_default(), texts);
        for (root, name) in names.iter().enumerate() {
            if let Some(found) = column_of_text(&file, name) {
                let texts = table.iter().map(|row| Some(row[root].clone()).filter(|cell| !cell.is_empty()));
                prop_assert_eq!(found, texts.collect::<Vec<_>>());
            }
        }
        ranges_agree(&file, from, to, batch_rows);
    }

    #[test]
    fn jsonl_rows_have_the_same_cells_in_any_range(
        rows in vec(proptest::collection::btree_map("[a-c]", any_json(), 0..4), 1..30),
        from: u64, to: u64, batch_rows in 1..9_usize, blank: bool,
    ) {
        let place = Place::new();
        let mut content = String::new();
        for row in &rows {
            let row: Map<String, Value> = row.clone().into_iter().collect();
            content.push_str(&format!("{}\n", Value::Object(row)));
            if blank {
                content.push_str(" \r\n");
            }
        }
        let file = place.open("a.jsonl", content);
        ranges_agree(&file, from, to, batch_rows);
        for name in ["a", "b", "c"].iter().filter(|name| file.root(name).is_some()) {
            let text = column_of_text(&file, name);
            for (row, cell) in rows.iter().zip(text.into_iter().flatten()) {
                let given = row.get(*name).and_then(Value::as_str);
                prop_assert_eq!(cell.as_deref().filter(|_| given.is_some()), given);
            }
        }
    }

    #[test]
    fn any_bytes_are_a_table_or_an_error(bytes in vec(any::<u8>(), 0..200), text: String, json in "[{}\\[\\]\",:0-9a-c.e\n-]{0,60}") {
        let place = Place::new();
        for content in [bytes, text.into_bytes(), json.into_bytes()] {
            for name in ["a.csv", "a.jsonl", "a"] {
                let path = place.write(name, &content);
                if let Ok(file) = DataFile::open(&path) {
                    ranges_agree(&file, 0, file.rows(), 2);
                }
            }
        }
    }
}

#[test]
fn parquet_rows_are_the_same_from_any_batch_on_whatever_the_row_groups() {
    for group in [1, 3, 7, 100] {
        let place = Place::new();
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..100));
        let batch = RecordBatch::try_from_iter([("a", numbers)]).unwrap();
        let path = place.0.path().join("a.parquet");
        let properties = ::parquet::file::properties::WriterProperties::builder();
        let properties = properties.set_max_row_group_row_count(Some(group)).build();
        let file = File::create(&path).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let file = DataFile::open(&path).unwrap();
        for batch_rows in [1, 4, 16, 1000] {
            ranges_agree(&file, 5, 93, batch_rows);
        }
    }
}
