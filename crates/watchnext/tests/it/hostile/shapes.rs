//! Files whose shape is wrong, or only looks wrong.

use std::time::{Duration, Instant};

use super::{Case, Table, parquet_bytes};
use crate::fixture::log;

/// Longest that a small run may take, on a slow machine beside others.
const BOUND: Duration = Duration::from_secs(60);

#[test]
fn a_file_that_is_cut_short_is_refused_with_its_line_or_row() {
    let csv = Table::of(100).csv();
    let cut = csv.lines().take(40).map(str::len).sum::<usize>() + 40 - 30;
    Case::of("CSV cut within a row", "log.csv", &csv[..cut]).refused(&[
        "`log.csv`, line 40: found ",
        "expected 10 as there are column names",
    ]);
    let jsonl = Table::of(100).jsonl();
    let cut = jsonl.lines().take(40).map(str::len).sum::<usize>() + 40 - 30;
    Case::of("JSONL cut within a row", "log.jsonl", &jsonl[..cut])
        .refused(&["`log.jsonl`, line 40: the line ends within an object"]);
    let whole = parquet_bytes(&log(500));
    Case::of(
        "Parquet without its end",
        "log.parquet",
        &whole[..whole.len() * 2 / 3],
    )
    .refused(&["`log.parquet` is not a whole Parquet file"]);
    Case::of(
        "Parquet without its middle",
        "log.parquet",
        [&whole[..200], &whole[whole.len() - 2_000..]].concat(),
    )
    .refused(&["`log.parquet` is not a whole Parquet file"]);
    Case::of("Parquet that is its mark only", "log.parquet", "PAR1")
        .refused(&["`log.parquet` is not a whole Parquet file"]);
}

#[test]
fn a_file_without_rows_is_refused_with_what_was_expected() {
    for (name, file, content, says) in [
        (
            "empty CSV",
            "log.csv",
            "",
            "`log.csv` is empty, expected column names",
        ),
        ("empty JSONL", "log.jsonl", "", "`log.jsonl` is empty, expected "),
        (
            "blank CSV",
            "log.csv",
            "\n\n",
            "`log.csv` holds blank lines only, expected column names",
        ),
        (
            "blank JSONL",
            "log.jsonl",
            "\n \n",
            "`log.jsonl` holds blank lines only, expected an object a line",
        ),
        (
            "empty Parquet",
            "log.parquet",
            "",
            "`log.parquet` is not a whole Parquet file: it is empty",
        ),
        (
            "CSV of numbers only",
            "log.csv",
            "1,2\n3,4\n",
            "line 1: found numbers only (the first is `1`), expected column names",
        ),
    ] {
        Case::of(name, file, content).refused(&[says]);
    }
    let header = Table::of(0).csv();
    Case::of("CSV of column names only", "log.csv", header)
        .refused(&["`log.csv` has columns and no row, expected a row for each impression"]);
    Case::of("a single row", "log.csv", Table::of(1).csv())
        .refused(&["`[train] split` leaves the training part without a row: the log has 1"]);
}

#[test]
fn a_row_of_another_width_or_an_open_quote_is_refused_with_its_line() {
    let table = Table::of(50);
    let (line_9, line_10) = (table.csv(), table.csv());
    let swap = |text: &str, line: usize, with: &str| -> String {
        let lines = text.lines().enumerate();
        lines
            .map(|(at, old)| format!("{}\n", if at + 1 == line { with } else { old }))
            .collect()
    };
    Case::of("a short row", "log.csv", swap(&line_9, 9, "1,u1,v1"))
        .refused(&["`log.csv`, line 9: found 3 cells, expected 10 as there are column names"]);
    let long = format!("{},7", line_10.lines().nth(9).unwrap());
    Case::of("a long row", "log.csv", swap(&line_10, 10, &long))
        .refused(&["`log.csv`, line 10: found 11 cells, expected 10"]);
    Case::of(
        "a quote that is not closed",
        "log.csv",
        table.clone().cell("device", 20, "\"phone").csv(),
    )
    .refused(&["`log.csv`, line 21: ", "quote `\"`", "not closed"]);
    let newline = Table::of(300).cell("user", 20, "\"u\n1\"");
    Case::of("a line's end within quotes", "log.csv", newline.csv()).works();
    let later = newline.cell("click", 30, "7");
    Case::of(
        "a bad cell after a line's end within quotes",
        "log.csv",
        later.csv(),
    )
    .refused(&["`log.csv`, line 32, column `click`: found the label 7"]);
}

#[test]
fn json_that_is_no_table_is_refused_with_its_line() {
    let good = Table::of(20).jsonl();
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let objects = format!("{}1{}", "{\"a\":".repeat(200), "}".repeat(200));
    let array = format!("[{}]", good.trim_end().replace('\n', ","));
    let pretty = good.replace("{", "{\n  ").replace(",\"", ",\n  \"");
    for (name, content, says) in [
        (
            "lists 200 deep",
            format!("{good}{{\"extra\":{deep}}}\n"),
            "line 21: found lists or objects more than 127 deep",
        ),
        (
            "objects 200 deep",
            format!("{good}{objects}\n"),
            "line 21: found lists or objects more than 127 deep",
        ),
        (
            "a list of all objects",
            array,
            "line 1: found a list, expected an object: write each of its objects in a line of its own",
        ),
        (
            "objects over lines",
            pretty,
            "line 1: the line ends within an object",
        ),
        (
            "a number in a line",
            format!("{good}17\n"),
            "line 21: found a number, expected an object",
        ),
        (
            "NaN, which is no JSON",
            format!("{good}{{\"appeal\":NaN}}\n"),
            "line 21: no JSON: expected value at byte 11: found `NaN}`",
        ),
        (
            "two objects in a line",
            format!("{good}{{}}{{}}\n"),
            "line 21: no JSON: trailing characters",
        ),
    ] {
        Case::of(name, "log.jsonl", content).refused(&["`log.jsonl`, ", says]);
    }
}

#[test]
fn a_file_of_another_format_or_encoding_is_refused_with_what_it_is() {
    let csv = Table::of(30).csv();
    let gz = b"\x1f\x8b\x08\0\0\0\0\0\0\x03".as_slice();
    let utf16: Vec<u8> = "\u{feff}time,user\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let latin = |text: String| text.replace("phone", "t\u{fffd}l").into_bytes();
    let latin = |text: String| -> Vec<u8> {
        let bytes = latin(text);
        String::from_utf8(bytes)
            .unwrap()
            .split('\u{fffd}')
            .map(str::as_bytes)
            .collect::<Vec<_>>()
            .join(&0xe9)
    };
    for (name, file, content, says) in [
        (
            "gzip",
            "log.csv.gz",
            gz,
            "`log.csv.gz` is compressed, which is not read: unpack it first",
        ),
        (
            "gzip under another name",
            "log.csv",
            gz,
            "`log.csv` is compressed",
        ),
        (
            "gzip named Parquet",
            "log.parquet",
            gz,
            "`log.parquet` is compressed",
        ),
        (
            "a spreadsheet",
            "log.xlsx",
            b"PK\x03\x04",
            "`log.xlsx` is a spreadsheet",
        ),
        (
            "UTF-16",
            "log.csv",
            &utf16,
            "`log.csv` is UTF-16, which is not read: save it as UTF-8",
        ),
        (
            "CSV named Parquet",
            "log.parquet",
            csv.as_bytes(),
            "`log.parquet` is not a whole Parquet file",
        ),
        (
            "CSV named Parquet, with what to do",
            "log.parquet",
            csv.as_bytes(),
            "name it `.csv`",
        ),
        (
            "JSONL named CSV",
            "log.csv",
            Table::of(30).jsonl().as_bytes(),
            "`log.csv` is JSON: name it `.jsonl`",
        ),
        (
            "Parquet named CSV",
            "log.csv",
            &parquet_bytes(&log(50)),
            "`log.csv` is a Parquet file: name it `.parquet`",
        ),
        (
            "Parquet named JSONL",
            "log.jsonl",
            &parquet_bytes(&log(50)),
            "`log.jsonl` is a Parquet file: name it `.parquet`",
        ),
        (
            "CSV not in UTF-8",
            "log.csv",
            &latin(csv.clone()),
            "`log.csv`, line 2: cell 6 is not UTF-8: save the file as UTF-8",
        ),
        (
            "JSONL not in UTF-8",
            "log.jsonl",
            &latin(Table::of(30).jsonl()),
            "`log.jsonl`, line 1: byte ",
        ),
    ] {
        Case::of(name, file, content).refused(&[says]);
    }
}

#[test]
fn marks_and_line_ends_of_other_systems_are_read() {
    let table = Table::of(300);
    let plain = Case::of("plain", "log.csv", table.csv()).works();
    let metrics = |printed: &str| printed.split("wrote").next().unwrap().to_owned();
    for (name, file, content) in [
        (
            "CSV with a byte order mark",
            "log.csv",
            format!("\u{feff}{}", table.csv()),
        ),
        ("CSV with CRLF", "log.csv", table.csv().replace('\n', "\r\n")),
        (
            "CSV without the last line's end",
            "log.csv",
            table.csv().trim_end().to_owned(),
        ),
        ("CSV with semicolons", "log.csv", table.csv().replace(',', ";")),
        (
            "CSV with blank lines",
            "log.csv",
            table.csv().replace('\n', "\n\n"),
        ),
        ("JSONL", "log.jsonl", table.jsonl()),
        (
            "JSONL with a byte order mark",
            "log.jsonl",
            format!("\u{feff}{}", table.jsonl()),
        ),
        (
            "JSONL with CRLF",
            "log.jsonl",
            table.jsonl().replace('\n', "\r\n"),
        ),
        ("JSONL under no known name", "log.dat", table.jsonl()),
    ] {
        let printed = Case::of(name, file, content).works();
        assert_eq!(metrics(&printed), metrics(&plain), "{name}");
    }
}

#[test]
fn ten_thousand_columns_are_read_in_bounded_time_and_more_than_twenty_thousand_refused() {
    let started = Instant::now();
    let mut wide = Table::of(100);
    for column in 0..10_000 {
        wide.names.push(format!("extra_{column}"));
    }
    for cells in &mut wide.rows {
        cells.resize(wide.names.len(), "0.5".to_owned());
    }
    Case::of("10,000 columns of CSV", "log.csv", wide.csv()).works();
    Case::of("10,000 columns of JSONL", "log.jsonl", wide.jsonl()).works();
    assert!(started.elapsed() < BOUND, "{:?}", started.elapsed());
    let names: Vec<String> = (0..20_001).map(|column| format!("c{column}")).collect();
    Case::of("20,001 columns", "log.csv", names.join(",") + "\n")
        .refused(&["`log.csv`, line 1: found 20001 columns, expected at most 20000"]);
}

#[test]
fn a_line_of_50_megabytes_is_refused_with_its_line() {
    let long = "x".repeat(50 << 20);
    let csv = Table::of(20).csv();
    Case::of("a line of 50 MB in CSV", "log.csv", format!("{csv}0,{long}\n")).refused(&[
        "`log.csv`, line 22: found 524288",
        "bytes in one line, expected at most 16777216",
    ]);
    let jsonl = Table::of(20).jsonl();
    Case::of(
        "a line of 50 MB in JSONL",
        "log.jsonl",
        format!("{jsonl}{{\"user\":\"{long}\"}}\n"),
    )
    .refused(&[
        "`log.jsonl`, line 21: found 524288",
        "bytes in one line, expected at most 16777216",
    ]);
}
