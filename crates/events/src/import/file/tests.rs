use std::fs::{self, File};

use ::parquet::arrow::ArrowWriter;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef, Int64Array, ListArray, StringArray, StructArray};
use arrow_schema::{Field, Fields};
use arrow_select::concat::concat_batches;
use tempfile::TempDir;

use super::*;
use crate::import::words::plain_type;

mod ranges;
mod refused;

struct Place(TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn open(&self, name: &str, content: impl AsRef<[u8]>) -> DataFile {
        DataFile::open(&self.write(name, content)).unwrap()
    }

    /// The error of a file, without the directory's name.
    fn error(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let error = DataFile::open(&self.write(name, content)).unwrap_err();
        assert!(error.is_bad_input());
        self.named(&error)
    }

    fn named(&self, error: &EventsError) -> String {
        error
            .to_string()
            .replace(&format!("{}/", self.0.path().display()), "")
    }
}

fn all_roots(file: &DataFile) -> Vec<usize> {
    (0..file.schema().fields().len()).collect()
}

fn read(file: &DataFile, roots: &[usize], rows: Range<u64>, batch_rows: usize) -> RecordBatch {
    let batches: Vec<_> = file
        .read(roots, rows, batch_rows)
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert!(batches.iter().all(|batch| batch.num_rows() <= batch_rows));
    concat_batches(&projected(file.shared_schema(), roots), &batches).unwrap()
}

fn whole(file: &DataFile) -> RecordBatch {
    read(file, &all_roots(file), 0..file.rows(), 1_000)
}

/// A column as texts.
fn column(file: &DataFile, name: &str) -> Vec<Option<String>> {
    let root = file.root(name).unwrap();
    let column = read(file, &[root], 0..file.rows(), 3);
    let column = arrow_cast::cast(column.column(0), &DataType::Utf8).unwrap();
    column
        .as_string::<i32>()
        .iter()
        .map(|cell| cell.map(str::to_owned))
        .collect()
}

fn cells(cells: &[&str]) -> Vec<Option<String>> {
    cells
        .iter()
        .map(|cell| (*cell != "-").then(|| (*cell).to_owned()))
        .collect()
}

fn owned<'n>(types: &[(&'n str, &str)]) -> Vec<(&'n str, String)> {
    types
        .iter()
        .map(|(name, words)| (*name, (*words).to_owned()))
        .collect()
}

fn types(file: &DataFile) -> Vec<(&str, String)> {
    let columns = all_roots(file).into_iter();
    columns
        .map(|root| (file.name(root), plain_type(file.data_type(root))))
        .collect()
}

/// Ranges and batch sizes, read alone and with some columns only, give what reading all at once gives.
fn ranges_agree(file: &DataFile, from: u64, to: u64, batch_rows: usize) {
    let (rows, roots) = (file.rows(), all_roots(file));
    let (from, to) = (from % (rows + 1), to % (rows + 1));
    let (from, to) = (from.min(to), from.max(to));
    let all = whole(file);
    assert_eq!(all.num_rows() as u64, rows);
    batches_agree(file, batch_rows);
    let part = all.slice(from as usize, (to - from) as usize);
    assert_eq!(read(file, &roots, from..to, batch_rows), part);
    for root in roots {
        let alone = read(file, &[root], from..to, batch_rows);
        assert_eq!(alone.column(0), part.column(root));
    }
}

/// Whoever begins where a batch begins has the same batches from there on.
fn batches_agree(file: &DataFile, batch_rows: usize) {
    let roots = all_roots(file);
    let from = |row: u64| -> Vec<RecordBatch> {
        let batches = file.read(&roots, row..file.rows(), batch_rows).unwrap();
        batches.map(Result::unwrap).collect()
    };
    let (batches, mut row) = (from(0), 0);
    for (before, batch) in batches.iter().enumerate() {
        assert_eq!(from(row), batches[before..], "from row {row} on");
        row += batch.num_rows() as u64;
    }
}

fn column_of_text(file: &DataFile, name: &str) -> Option<Vec<Option<String>>> {
    let root = file.root(name)?;
    (*file.data_type(root) == DataType::Utf8).then(|| column(file, name))
}

#[test]
fn csv_columns_have_the_types_of_all_their_cells() {
    let place = Place::new();
    let file = place.open(
        "a.csv",
        "\u{feff}id, zip ,price,seen,none,mixed\r\n1,007,1.5,true,,5\r\n\r\n2,012,NA,,,abc\r\n,013,3,False, ,6\r\n",
    );
    let expected = [
        ("id", "whole numbers"),
        ("zip", "text"),
        ("price", "numbers"),
        ("seen", "true or false"),
        ("none", "nothing: all its cells are empty"),
        ("mixed", "text"),
    ];
    assert_eq!(types(&file), owned(&expected));
    assert_eq!(column(&file, "zip"), cells(&["007", "012", "013"]));
    assert_eq!(column(&file, "price"), cells(&["1.5", "-", "3.0"]));
    assert_eq!(column(&file, "id"), cells(&["1", "2", "-"]));
    assert_eq!(file.why_text(5), Some((4, "abc".to_owned())));
    assert_eq!((file.why_text(0), file.why_text(1)), (None, None));
}

#[test]
fn the_line_of_a_row_counts_quoted_and_blank_lines() {
    let place = Place::new();
    for end in ["\n", "\r\n"] {
        let text =
            format!("a,b{end}{end}1,x{end}2,\"y{end}{end}z\"{end}3,w{end} {end}{end}4,v{end}5,\"\"{end}6,u");
        let file = place.open("a.csv", text);
        let places: Vec<String> = (0..7).map(|row| file.place(row)).collect();
        assert_eq!(
            places,
            [
                "line 3", "line 4", "line 7", "line 10", "line 11", "line 12", "row 7"
            ]
        );
    }
    let file = place.open("a.jsonl", "\n{\"a\":1}\r\n\n{\"a\":2}\n");
    assert_eq!(
        [0, 1, 2].map(|row| file.place(row)),
        ["line 2", "line 4", "row 3"]
    );
}

#[test]
fn jsonl_objects_become_dotted_columns_and_lists_keep_their_elements() {
    let place = Place::new();
    let file = place.open(
        "a.jsonl",
        "\u{feff}{\"user\":{\"id\":\"u1\",\"geo\":{\"x\":1}},\"tags\":[1,2.5],\"ids\":[\"a\",null],\"n\":1}\n\
         {\"user\":null,\"tags\":[],\"ids\":null,\"n\":2.5,\"odd\":[[1],{}],\"e\":[],\"s\":[1,\"x\"],\"m\":1}\n\
         {\"user\":{\"geo\":null},\"n\":null,\"odd\":3,\"s\":[2,3],\"m\":\"abc\"}\n{\"m\":7}\n",
    );
    let expected = [
        ("user.id", "text"),
        ("user.geo.x", "whole numbers"),
        ("tags", "lists of numbers"),
        ("ids", "lists of text"),
        ("n", "numbers"),
        ("odd", "text"),
        ("e", "empty lists"),
        ("s", "lists of text"),
        ("m", "text"),
    ];
    assert_eq!(types(&file), owned(&expected));
    assert_eq!(column(&file, "user.geo.x"), cells(&["1", "-", "-", "-"]));
    assert_eq!(column(&file, "n"), cells(&["1.0", "2.5", "-", "-"]));
    assert_eq!(column(&file, "odd"), cells(&["-", "[[1],{}]", "3", "-"]));
    assert_eq!(column(&file, "m"), cells(&["-", "1", "abc", "7"]));
    let why = |name: &str| file.why_text(file.root(name).unwrap());
    assert_eq!(why("m"), Some((3, "abc".to_owned())));
    assert_eq!(why("s"), Some((2, "[1,\"x\"]".to_owned())));
    assert_eq!(why("ids"), None);
    let all = whole(&file);
    let tags = all.column(2).as_list::<i32>();
    assert_eq!(tags.value(0).as_primitive::<Float64Type>().values(), &[1.0, 2.5]);
    assert!(tags.is_valid(1) && tags.value(1).is_empty() && tags.is_null(2));
    let strings = all.column(7).as_list::<i32>().value(1);
    assert_eq!(strings.as_string::<i32>().value(0), "1");
}

#[test]
fn long_rows_come_in_small_batches() {
    let place = Place::new();
    let row = format!("{{\"a\":\"{}\"}}\n", "x".repeat(10 << 20));
    let file = place.open("a.jsonl", row.repeat(10));
    let batches: Vec<_> = file
        .read(&[0], 0..10, 1_000)
        .unwrap()
        .map(|batch| batch.unwrap().num_rows())
        .collect();
    assert_eq!(batches, [8, 2]);
}

fn parquet(place: &Place, columns: Vec<(&str, ArrayRef)>) -> PathBuf {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), true))
        .collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap();
    let path = place.0.path().join("a.parquet");
    let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path
}

fn object(columns: Vec<(Field, ArrayRef)>, valid: &[bool]) -> ArrayRef {
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
    Arc::new(StructArray::new(
        Fields::from(fields),
        arrays,
        Some(valid.to_vec().into()),
    ))
}

#[test]
fn structs_of_parquet_are_dotted_columns_and_a_missing_struct_has_none_of_its_values() {
    let numbers = |numbers: [i64; 3]| -> ArrayRef { Arc::new(Int64Array::from(numbers.to_vec())) };
    let lists = ListArray::from_iter_primitive::<Float64Type, _, _>(vec![
        Some(vec![Some(1.0), Some(2.0)]),
        Some(vec![]),
        Some(vec![Some(3.0)]),
    ]);
    let inner = object(
        vec![
            (Field::new("x", DataType::Int64, false), numbers([1, 2, 3])),
            (Field::new("l", lists.data_type().clone(), true), Arc::new(lists)),
        ],
        &[true, true, false],
    );
    let user = object(
        vec![
            (Field::new("id", DataType::Int64, false), numbers([7, 8, 9])),
            (Field::new("geo", inner.data_type().clone(), true), inner),
        ],
        &[true, false, true],
    );
    let place = Place::new();
    let path = parquet(
        &place,
        vec![
            ("a", numbers([1, 2, 3])),
            ("user", user),
            ("z", Arc::new(StringArray::from(vec!["p", "q", "r"]))),
        ],
    );
    let file = DataFile::open(&path).unwrap();
    let expected = [
        ("a", "whole numbers"),
        ("user.id", "whole numbers"),
        ("user.geo.x", "whole numbers"),
        ("user.geo.l", "lists of numbers"),
        ("z", "text"),
    ];
    assert_eq!(types(&file), owned(&expected));
    assert_eq!(column(&file, "user.id"), cells(&["7", "-", "9"]));
    assert_eq!(column(&file, "user.geo.x"), cells(&["1", "-", "-"]));
    assert_eq!(column(&file, "z"), cells(&["p", "q", "r"]));
    let some = read(&file, &[3, 4], 1..3, 2);
    assert_eq!(some.num_columns(), 2);
    assert!(some.column(0).is_null(0) && some.column(0).is_null(1));
    ranges_agree(&file, 0, 2, 1);
    assert_eq!((file.place(4), file.why_text(4)), ("row 5".to_owned(), None));

    let clash = object(
        vec![(Field::new("id", DataType::Int64, true), numbers([1, 2, 3]))],
        &[true; 3],
    );
    let path = parquet(&place, vec![("user.id", numbers([1, 2, 3])), ("user", clash)]);
    let error = place.named(&DataFile::open(&path).unwrap_err());
    assert!(
        error.starts_with(
            "`a.parquet` has column names that are there more than once: `user.id` (columns 1, 2)"
        ),
        "{error}"
    );
}

#[test]
fn a_sample_is_eight_blocks_over_the_whole_file_or_all_of_a_small_one() {
    let place = Place::new();
    let rows: String = (0..1_000)
        .map(|row| format!("{row},{}\n", if row == 500 { "x" } else { "1" }))
        .collect();
    let path = place.write("a.csv", format!("row,mixed\n{rows}"));
    let some = sample(&path, 80).unwrap();
    assert_eq!((some.rows_in_file, some.batches.len()), (1_000, 8));
    for (batch, first) in some.batches.iter().zip(&some.first_rows) {
        let expected: Vec<i64> = (*first as i64..*first as i64 + 10).collect();
        assert_eq!(
            batch.column(0).as_primitive::<Int64Type>().values(),
            &expected[..]
        );
    }
    assert_eq!((some.first_rows[0], some.first_rows[7]), (0, 990));
    assert!((0..9).all(|batch| !some.follows(batch)));
    assert_eq!(some.plain_type(1), Some("text".to_owned()));
    assert_eq!(some.plain_type(2), None);
    assert_eq!(some.why_text, [None, Some((502, "x".to_owned()))]);

    let all = sample(&path, 1_000).unwrap();
    assert_eq!(
        all.batches.iter().map(RecordBatch::num_rows).sum::<usize>(),
        1_000
    );
    let rows: String = (0..20_000).map(|row| format!("{row}\n")).collect();
    let all = sample(&place.write("b.csv", format!("row\n{rows}")), usize::MAX).unwrap();
    assert!(all.batches.len() > 1 && (1..all.batches.len()).all(|batch| all.follows(batch)));
    assert_eq!(sample(&path, 0).unwrap().batches.len(), 0);
}
