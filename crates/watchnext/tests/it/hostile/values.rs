//! Cells that cannot be what the declaration says they are.

use super::{Case, Table};

const LINE: &str = "`log.csv`, line 13, column ";

/// `train` on a CSV log of 300 rows with `cell` in line 13 of `column` is refused with these words.
#[track_caller]
fn refused(name: &str, column: &str, cell: &str, says: &str) {
    let table = Table::of(300).cell(column, 12, cell);
    Case::of(name, "log.csv", table.csv()).refused(&[&format!("{LINE}`{column}`: "), says]);
}

#[test]
fn a_cell_that_cannot_be_is_named_with_its_line_what_was_found_and_what_was_expected() {
    refused(
        "position 0",
        "position",
        "0",
        "found 0, expected a whole number from 1 (positions count from 1)",
    );
    refused(
        "a position below 0",
        "position",
        "-3",
        "found -3, expected a whole number from 1",
    );
    refused(
        "a position between",
        "position",
        "1.5",
        "found 1.5, expected a whole number from 1",
    );
    refused(
        "a label of 2",
        "click",
        "2",
        "found the label 2, expected a label from 0 to 1",
    );
    refused(
        "a label below 0",
        "click",
        "-1",
        "found the label -1, expected a label from 0 to 1",
    );
    refused("no user", "user", "", "found an empty cell, expected an id");
    refused("no item", "item", "", "found an empty cell, expected an id");
    refused("no time", "time", "", "found an empty cell, expected a time");
    refused(
        "a number of 1e300",
        "appeal",
        "1e300",
        "expected a finite number in the range of f32",
    );
    refused(
        "a number of -1e300",
        "appeal",
        "-1e300",
        "expected a finite number in the range of f32",
    );
    refused(
        "a time of half a millisecond",
        "time",
        "2000.5",
        "found 2000.5, expected a time: a whole number",
    );
    refused(
        "a time of 1e300",
        "time",
        "1e300",
        "expected a time: a whole number of at most 53 bits",
    );
}

#[test]
fn positions_from_0_are_refused_with_the_advice_to_count_from_1() {
    let mut table = Table::of(300);
    let at = table.at("position");
    for cells in &mut table.rows {
        cells[at] = (cells[at].parse::<i64>().unwrap() - 1).to_string();
    }
    Case::of("positions from 0", "log.csv", table.csv()).refused(&[
        "`log.csv`, line 2, column `position`: found 0, expected a whole number from 1 (positions count from 1)",
    ]);
}

#[test]
fn text_among_numbers_is_named_with_the_first_line_that_has_it() {
    for (name, column, cell) in [
        ("a word among numbers", "appeal", "high"),
        ("a decimal comma", "appeal", "\"1,5\""),
        ("a number with a thousands mark", "minutes", "1_000"),
        ("infinity in CSV", "appeal", "inf"),
        ("a word among labels", "click", "yes"),
        ("a word among positions", "position", "first"),
    ] {
        let table = Table::of(100).cell(column, 12, cell).cell(column, 30, "later");
        let shown = cell.trim_matches('"');
        Case::of(name, "log.csv", table.csv()).refused(&[
            &format!("`log.csv`, column `{column}`: found text (line 13 has `{shown}`), expected "),
            "numbers",
        ]);
    }
    let mixed = Table::of(100).cell("appeal", 12, "high");
    Case::of("a word among numbers of JSONL", "log.jsonl", mixed.jsonl())
        .refused(&["`log.jsonl`, column `appeal`: found text (line 12 has `high`), expected numbers"]);
    Case::of(
        "a label of words",
        "log.csv",
        Table::of(100).every("click", "yes").csv(),
    )
    .refused(&[
        "`log.csv`, column `click`: found text, expected numbers",
        "1 and 0",
    ]);
    let device = "label = \"device / minutes\"";
    Case::of("a text column in a label", "log.csv", Table::of(100).csv())
        .declared("label = \"played / minutes\"", device)
        .refused(&[
            "`log.csv`, column `device`: found text, expected numbers",
            "`device` in a label",
        ]);
    Case::of(
        "a number of 400 digits",
        "log.csv",
        Table::of(100).cell("appeal", 12, &"9".repeat(400)).csv(),
    )
    .refused(&[
        "`log.csv`, column `appeal`: found text (line 13 has `9999",
        "expected numbers",
    ]);
}

#[test]
fn times_in_another_form_or_out_of_order_are_refused_with_their_line() {
    let slates = |time: &dyn Fn(usize) -> String| {
        let mut table = Table::of(300);
        for (row, cells) in table.rows.iter_mut().enumerate() {
            cells[0] = time(row / 5);
        }
        table
    };
    let european = slates(&|slate| format!("{:02}/05/2024 14:00", slate / 2 + 1));
    Case::of("times in another form", "log.csv", european.csv()).refused(&[
        "`log.csv`, line 2, column `time`: found `01/05/2024 14:00`, expected a time as `2024-05-31T14:00:00Z`",
        "`[keys] time_format`",
    ]);
    let declared = "[keys]\ntime_format = \"%d/%m/%Y %H:%M\"\n\n[join]";
    Case::of("times in a declared form", "log.csv", european.csv())
        .declared("[join]", declared)
        .works();
    let iso = |slate: usize| format!("2024-05-{:02}T14:00:00Z", slate / 2 + 1);
    Case::of(
        "times in another form than declared",
        "log.csv",
        slates(&iso).csv(),
    )
    .declared("[join]", declared)
    .refused(&[
        "line 2, column `time`: found `2024-05-01T14:00:00Z`, expected a time in the form `%d/%m/%Y %H:%M`",
    ]);
    Case::of("a form that is none", "log.csv", european.csv())
        .declared("[join]", "[keys]\ntime_format = \"%Q\"\n\n[join]")
        .refused(&["time_format", "`%Q`"]);
    for (name, date) in [
        ("a day that is none", "2024-02-30"),
        ("a year beyond all", "99999-01-01"),
        ("a month that is none", "2024-13-01"),
    ] {
        let table = slates(&iso).cell("time", 12, date);
        Case::of(name, "log.csv", table.csv()).refused(&[&format!(
            "line 13, column `time`: found `{date}`, expected a time as "
        )]);
    }
    let seconds = "[keys]\ntime_unit = \"s\"\n\n[join]";
    Case::of(
        "seconds that do not fit",
        "log.csv",
        Table::of(300).cell("time", 12, &i64::MAX.to_string()).csv(),
    )
    .declared("[join]", seconds)
    .refused(&[
        "line 13, column `time`: found 9223372036854775807, expected a time whose milliseconds fit 64 bits",
    ]);
    let far = |slate: usize| (i64::MAX - 100 + slate as i64).to_string();
    Case::of("times at the end of 64 bits", "log.csv", slates(&far).csv()).works();
    let ages = "age = { side = \"item\", kind = \"number\", since = \"item.born\" }\n\
                hour = { side = \"context\", kind = \"id\", part = \"hour\", dim = 2 }\n\n[objectives]";
    let born_later = Case::of(
        "ages of what came later",
        "log.csv",
        Table::of(300)
            .with("born", |row| (1_000_000 + row).to_string())
            .csv(),
    );
    born_later.declared("[objectives]", ages).refused(&[
        "field `age` has no value in the training part: fill the column `born` with times that are not later",
    ]);
    let ages = Case::of(
        "ages and hours at the end of 64 bits",
        "log.csv",
        slates(&far).with("born", |row| row.to_string()).csv(),
    )
    .declared("[objectives]", ages);
    ages.works();

    let back = Table::of(300).cell("time", 201, "7000");
    Case::of("time that goes backwards", "log.csv", back.csv())
        .refused(&["`log.csv`: time goes backwards at line 202 (7000 after 39000): sort the log by `time`"]);
    Case::of("files in the wrong order", "b.csv", Table::of(300).csv())
        .file("a.csv", Table::of(20).csv())
        .and(&["a.csv"])
        .refused(&["`a.csv`: time goes backwards at line 2 (0 after 59000)"]);
}

#[test]
fn weights_and_propensities_that_cannot_be_are_refused() {
    for (key, cell, says) in [
        (
            "weight",
            "0",
            "found 0, expected a weight: a finite number above 0",
        ),
        (
            "weight",
            "-1",
            "found -1, expected a weight: a finite number above 0",
        ),
        ("weight", "1e300", "expected a weight: a finite number above 0"),
        (
            "propensity",
            "0",
            "found 0, expected a propensity: above 0, at most 1",
        ),
        (
            "propensity",
            "1.01",
            "found 1.01, expected a propensity: above 0, at most 1",
        ),
        ("propensity", "-0.5", "found -0.5, expected a propensity"),
    ] {
        let table = Table::of(300).with("w", |_| "0.5".to_owned()).cell("w", 12, cell);
        Case::of(&format!("a {key} of {cell}"), "log.csv", table.csv())
            .declared("[join]", &format!("[keys]\n{key} = \"w\"\n\n[join]"))
            .refused(&[&format!("{LINE}`w`: "), says]);
    }
    Case::of("a weight that is no column", "log.csv", Table::of(300).csv())
        .declared("[join]", "[keys]\nweight = \"w\"\n\n[join]")
        .refused(&["no column `w` in `log.csv`", "`[keys] weight`"]);
}

#[test]
fn huge_and_negative_quantities_are_clipped_or_refused_and_never_a_crash() {
    let squared = "label = \"played / minutes\", clip = [0, 1]";
    let unclipped = "label = \"played\"";
    Case::of(
        "negative durations within a clip",
        "log.csv",
        Table::of(300)
            .every("minutes", "-3")
            .with("x", |_| "1".into())
            .csv(),
    )
    .works();
    Case::of(
        "durations of 0",
        "log.csv",
        Table::of(300).cell("minutes", 12, "0").csv(),
    )
    .works();
    Case::of(
        "a watch time of 1e300 within a clip",
        "log.csv",
        Table::of(300).every("played", "1e300").csv(),
    )
    .works();
    let played = Table::of(300)
        .every("click", "1")
        .cell("click", 1, "0")
        .every("played", "1")
        .cell("played", 12, "1e300");
    Case::of("a label of 1e300", "log.csv", played.csv())
        .declared(squared, unclipped)
        .declared("watch = 0.5\n", "")
        .refused(&[
            "line 13",
            "`played`",
            "found the label 1e300, expected a label in the range of f32",
        ]);
    let times = Table::of(300)
        .every("click", "1")
        .cell("click", 1, "0")
        .every("played", "1")
        .cell("played", 12, "-2");
    Case::of("a negative watch time", "log.csv", times.csv())
        .declared(
            "loss = \"squared\", label = \"played / minutes\", clip = [0, 1]",
            "loss = \"watch-fraction\", label = \"played\", duration = \"minutes\"",
        )
        .refused(&["line 13", "found the label -2, expected a watch time from 0"]);
    let large = Table::of(300).every("appeal", "3e38").cell("appeal", 1, "-3e38");
    Case::of("numbers at the end of f32", "log.csv", large.csv()).works();
}
