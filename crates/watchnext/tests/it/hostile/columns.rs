//! Columns that say nothing or only one thing, and what columns and ids may be named.

use super::{Case, Table, parquet_bytes};
use crate::fixture::log;

#[test]
fn columns_that_say_nothing_are_named_where_something_is_needed() {
    let table = Table::of(300);
    for (field, empty) in [("appeal", ""), ("device", "")] {
        let name = format!("a field `{field}` without any value");
        let says = format!("field `{field}` has no value in the training part");
        Case::of(&name, "log.csv", table.clone().every(field, empty).csv()).refused(&[&says, "column `"]);
    }
    Case::of(
        "numbers that are all NA",
        "log.csv",
        table.clone().every("minutes", "NA").csv(),
    )
    .refused(&["`log.csv`, column `minutes`: found text (line 2 has `NA`), expected numbers"]);
    Case::of(
        "a label without any value",
        "log.csv",
        table.clone().every("click", "").csv(),
    )
    .refused(&["objective `click` has no observed label in the training part"]);
    Case::of(
        "a label of null only",
        "log.jsonl",
        table.clone().every("click", "").jsonl(),
    )
    .refused(&["objective `click` has no observed label in the training part"]);
    Case::of(
        "a label whose `given` never happened",
        "log.csv",
        table.clone().every("click", "0").csv(),
    )
    .refused(&[
        "objective `watch` has no observed label in the training part",
        "`given`",
    ]);
    Case::of(
        "ids without any value",
        "log.csv",
        table.clone().every("user", "").csv(),
    )
    .refused(&["`log.csv`, line 2, column `user`: found an empty cell, expected an id"]);
    Case::of(
        "slates without any value",
        "log.csv",
        table.clone().every("slate", "").csv(),
    )
    .works();
    let positions = Case::of(
        "positions without any value",
        "log.csv",
        table.clone().every("position", "").csv(),
    );
    assert!(
        positions
            .works()
            .contains("no row of the training part has a position")
    );
    Case::of(
        "queries without any value",
        "log.csv",
        table.with("query", |_| String::new()).csv(),
    )
    .works();
}

#[test]
fn a_label_of_one_class_is_trained_with_a_warning_that_names_it() {
    let ones = Table::of(300).every("click", "1").every("played", "0.5");
    let says = |printed: String, objective: &str, label: &str| {
        let warning = format!("warning: objective `{objective}`: each of the ");
        let said = printed
            .lines()
            .any(|line| line.starts_with(&warning) && line.contains(label));
        assert!(said, "{printed}");
    };
    let printed = Case::of("a label of 1 only", "log.csv", ones.csv()).works();
    says(
        printed,
        "click",
        " observed labels of the training part is 1, so nothing is to be learned",
    );
    let zeros = Table::of(300).every("click", "0");
    let zeros = Case::of("a label of 0 only", "log.csv", zeros.csv()).declared(", given = \"click\"", "");
    says(zeros.works(), "click", "is 0, so nothing");
}

#[test]
fn names_with_blanks_and_letters_of_any_language_can_be_columns() {
    let name = "Größe in m² – 大小";
    let table = Table::of(300).renamed("appeal", name);
    let field =
        |name: &str| format!("appeal = {{ side = \"item\", kind = \"number\", column = \"{name}\" }}");
    let plain = "appeal = { side = \"item\", kind = \"number\" }";
    Case::of("a column named in many scripts", "log.csv", table.csv())
        .declared(plain, &field(name))
        .works();
    Case::of("a key named in many scripts", "log.jsonl", table.jsonl())
        .declared(plain, &field(name))
        .works();
    Case::of(
        "blanks around a column's name",
        "log.csv",
        table.clone().renamed(name, "  my appeal ").csv(),
    )
    .declared(plain, &field("my appeal"))
    .works();
    Case::of("another column in many scripts", "log.csv", table.csv())
        .declared(plain, &field("Größe in m² – 大"))
        .refused(&[
            "field `appeal`: no column `Größe in m² – 大` in `log.csv` (nearest: `Größe in m² – 大小`)",
        ]);
    Case::of(
        "a label named in many scripts",
        "log.csv",
        Table::of(300).renamed("played", "gespielt é").csv(),
    )
    .declared("played / minutes", "`gespielt é` / minutes")
    .works();
}

#[test]
fn column_names_that_are_missing_or_there_twice_are_refused() {
    let table = Table::of(30);
    Case::of(
        "a column twice",
        "log.csv",
        table.clone().renamed("minutes", "appeal").csv(),
    )
    .refused(&["`log.csv`, line 1: ", "`appeal` (columns 7, 8)"]);
    let mut twice = log(30);
    twice
        .iter_mut()
        .filter(|(name, _)| *name == "minutes")
        .for_each(|(name, _)| *name = "appeal");
    Case::of("a column twice in Parquet", "log.parquet", parquet_bytes(&twice))
        .refused(&["`log.parquet` has column names that are there more than once: `appeal` (columns 7, 8)"]);
    Case::of(
        "a column without name",
        "log.csv",
        table.clone().renamed("minutes", "").csv(),
    )
    .refused(&["`log.csv`, line 1: no name for column 8 of 10"]);
    Case::of(
        "a key twice",
        "log.jsonl",
        table.clone().renamed("minutes", "appeal").jsonl(),
    )
    .refused(&["`log.jsonl`, line 1: `appeal` is there twice"]);
    Case::of(
        "columns named otherwise",
        "log.csv",
        table.renamed("user", "uid").renamed("click", "clicked").csv(),
    )
    .refused(&[
        "no column `user` in `log.csv`",
        "`[keys] user`",
        "`absent = [\"user\"]`",
        "no column `click` in `log.csv` (nearest: `clicked`)",
        "`label = \"clicked\"`",
    ]);
}

#[test]
fn an_id_of_a_megabyte_is_read_and_never_printed_whole() {
    let id = "u".repeat(1 << 20);
    let table = Table::of(300)
        .cell("user", 12, &id)
        .cell("slate", 12, &id)
        .cell("item", 13, &id);
    Case::of("ids of 1 MB", "log.csv", table.csv()).works();
    Case::of("an id of 1 MB twice in a table", "log.csv", Table::of(300).csv())
        .file("users.csv", format!("user\n{id}\n{id}\n"))
        .and(&["--users", "users.csv"])
        .refused(&["`users.csv`, line 3: `user` `uuuu", "is already in line 2"]);
    Case::of(
        "a time of 1 MB",
        "log.csv",
        Table::of(300).every("time", &id).csv(),
    )
    .refused(&["line 2, column `time`: found `uuuu", "expected a time"]);
}
