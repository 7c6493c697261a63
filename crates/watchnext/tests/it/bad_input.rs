//! Bad input is refused with where it is, what was found and what to do; exit code 2, and nothing is left half-written.

mod folder;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, StringArray};

use crate::fixture::{Columns, Feed, RANKER, log, run, write_log};

/// Everything below a folder by its path from there; `None` for a folder.
fn contents(folder: &Path) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            let below = contents(&path)
                .into_iter()
                .map(|(below, bytes)| (format!("{name}/{below}"), bytes));
            found.extend(below);
            found.insert(name, None);
        } else {
            found.insert(name, Some(std::fs::read(path).unwrap()));
        }
    }
    found
}

/// Demands exit code 2 and these words on standard error, and nothing on standard output.
fn is_refused(output: &Output, says: &[&str]) {
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(
        output.stdout.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    for words in says {
        assert!(message.contains(words), "no `{words}` in: {message}");
    }
}

/// Runs it, demands a refusal with these words, and that the feed's folder is left as it was, hidden names too.
fn refuses(feed: &Feed, arguments: &[&str], says: &[&str]) {
    let before = contents(feed.dir.path());
    is_refused(&run(arguments), says);
    assert!(
        contents(feed.dir.path()) == before,
        "{arguments:?} changed the folder"
    );
}

/// `train` on the feed's own files is refused.
fn training_is_refused(feed: &Feed, says: &[&str]) {
    let files = ["ranker.toml", "log.parquet", "run"].map(|name| feed.text(name));
    refuses(
        feed,
        &["train", &files[0], "--data", &files[1], "--out", &files[2]],
        says,
    );
}

/// A feed with another log.
fn feed_with(columns: &Columns) -> Feed {
    let feed = Feed::new();
    write_log(&feed.path("log.parquet"), columns);
    feed
}

/// A feed with another declaration.
fn declared(text: &str) -> Feed {
    let feed = Feed::new();
    std::fs::write(feed.path("ranker.toml"), text).unwrap();
    feed
}

/// The fixture's declaration with one place changed.
fn edited(from: &str, to: &str) -> String {
    assert_eq!(RANKER.matches(from).count(), 1, "`{from}`");
    RANKER.replacen(from, to, 1)
}

/// Number of the one line that holds `words`, from 1.
fn line_of(text: &str, words: &str) -> usize {
    text.lines().position(|line| line.contains(words)).unwrap() + 1
}

/// The log with another value in one row (from 1) of a column of numbers.
fn with_cell(column: &str, row: usize, value: f64) -> Columns {
    let mut columns = log(2_000);
    let (_, array) = columns.iter_mut().find(|(name, _)| *name == column).unwrap();
    let changed = |at: usize| at + 1 == row;
    let new: ArrayRef = if let Some(whole) = array.as_primitive_opt::<Int64Type>() {
        let cells = whole
            .iter()
            .enumerate()
            .map(|(at, old)| if changed(at) { Some(value as i64) } else { old });
        Arc::new(Int64Array::from_iter(cells))
    } else {
        let cells = array.as_primitive::<Float64Type>().iter().enumerate();
        Arc::new(Float64Array::from_iter(
            cells.map(|(at, old)| if changed(at) { Some(value) } else { old }),
        ))
    };
    *array = new;
    columns
}

#[test]
fn missing_columns_are_all_named_with_the_file_and_the_nearest_column() {
    let mut columns = log(2_000);
    for (name, _) in &mut columns {
        match *name {
            "appeal" => *name = "apeal",
            "click" => *name = "clicked_on",
            "user" => *name = "usr",
            _ => {}
        }
    }
    let feed = feed_with(&columns);
    let file = feed.text("log.parquet");
    training_is_refused(
        &feed,
        &[
            &format!("field `appeal`: no column `appeal` in `{file}` (nearest: `apeal`)"),
            &format!(
                "no column `user` in `{file}` (nearest: `usr`): name yours in `[keys] user`, or write `absent = [\"user\"]`"
            ),
            &format!(
                "`click` in a label: no column `click` in `{file}` (nearest: `clicked_on`): write `label = \"clicked_on\"`"
            ),
        ],
    );
}

#[test]
fn a_column_of_another_type_than_declared_is_named_with_both() {
    let mut columns = log(2_000);
    let (_, appeal) = columns.iter_mut().find(|(name, _)| *name == "appeal").unwrap();
    *appeal = Arc::new(StringArray::from(vec!["high"; appeal.len()]));
    let feed = feed_with(&columns);
    let says = format!(
        "`{}`, column `appeal`: found text, expected numbers, or true or false for field `appeal`",
        feed.text("log.parquet")
    );
    training_is_refused(&feed, &[&says]);
}

#[test]
fn a_number_that_is_none_is_named_with_its_file_and_row_in_every_part_of_the_split() {
    for row in [77, 1_500, 1_999] {
        let feed = feed_with(&with_cell("appeal", row, f64::NAN));
        let says = format!(
            "`{}`, row {row}, column `appeal`: found NaN, expected a finite number",
            feed.text("log.parquet")
        );
        training_is_refused(&feed, &[&says]);
    }
    let feed = feed_with(&with_cell("played", 12, f64::INFINITY));
    training_is_refused(
        &feed,
        &["row 12, column `played`: found inf, expected a finite number"],
    );
}

#[test]
fn a_label_out_of_range_is_named_with_its_row_and_objective() {
    let feed = feed_with(&with_cell("click", 1_234, 2.0));
    let says = format!(
        "`{}`, row 1234, column `click`: found the label 2, expected a label from 0 to 1",
        feed.text("log.parquet")
    );
    training_is_refused(&feed, &[&says, "the binary objective `click`"]);
}

#[test]
fn position_0_is_refused_with_its_row() {
    let feed = feed_with(&with_cell("position", 6, 0.0));
    let says = format!(
        "`{}`, row 6, column `position`: found 0, expected a whole number from 1 (positions count from 1)",
        feed.text("log.parquet")
    );
    training_is_refused(&feed, &[&says]);
}

#[test]
fn a_log_whose_time_goes_backwards_is_refused_with_the_row_also_between_files() {
    // Row 1501 is of slate 300.
    let feed = feed_with(&with_cell("time", 1_501, 7_000.0));
    let log_file = feed.text("log.parquet");
    let says =
        format!("`{log_file}`: time goes backwards at row 1501 (7000 after 299000): sort the log by `time`");
    training_is_refused(&feed, &[&says]);

    let feed = Feed::new();
    write_log(&feed.path("earlier.parquet"), &log(500));
    let [ranker, first, second, out] =
        ["ranker.toml", "log.parquet", "earlier.parquet", "run"].map(|name| feed.text(name));
    let says = format!("`{second}`: time goes backwards at row 1 (0 after 399000)");
    refuses(
        &feed,
        &["train", &ranker, "--data", &first, &second, "--out", &out],
        &[&says],
    );
}

#[test]
fn a_key_that_is_unknown_is_named_with_its_line_and_the_nearest_known_name() {
    let text = edited("learning_rate = 0.01", "lerning_rate = 0.01");
    let feed = declared(&text);
    let place = format!(
        "{}:{}: ",
        feed.text("ranker.toml"),
        line_of(&text, "lerning_rate")
    );
    let says = [
        place.as_str(),
        "`lerning_rate`",
        "at train.lerning_rate",
        "did you mean `learning_rate`?",
    ];
    training_is_refused(&feed, &says);
    refuses(&feed, &["check", &feed.text("ranker.toml")], &says);
}

#[test]
fn several_mistakes_of_a_declaration_are_reported_at_once_in_the_order_of_lines() {
    let text = edited("side = \"context\"", "side = \"contxt\"")
        .replace("loss = \"squared\"", "loss = \"sqared\"")
        .replace("architecture = \"mmoe\"", "architecture = \"mmo\"")
        .replace("epochs = 3", "epochs = \"three\"");
    let feed = declared(&text);
    let output = run(&["check", &feed.text("ranker.toml")]);
    is_refused(
        &output,
        &[
            "`contxt`",
            "`sqared`",
            "`mmo`",
            "`three`",
            "expected a whole number",
        ],
    );
    let message = String::from_utf8(output.stderr).unwrap();
    for name in ["context", "squared", "mmoe"] {
        assert!(message.contains(&format!("did you mean `{name}`?")), "{message}");
    }
    let file = format!("{}:", feed.text("ranker.toml"));
    let places = message
        .split(&file)
        .skip(1)
        .filter_map(|place| place.split(':').next()?.parse().ok());
    let expected = ["contxt", "sqared", "\"mmo\"", "\"three\""].map(|words| line_of(&text, words));
    assert_eq!(places.collect::<Vec<usize>>(), expected, "{message}");
}

#[test]
fn a_declaration_that_is_no_toml_or_not_there_is_refused_with_its_place() {
    let text = edited("epochs = 3", "epochs = = 3");
    let feed = declared(&text);
    let place = format!("{}:{}: ", feed.text("ranker.toml"), line_of(&text, "= = 3"));
    training_is_refused(&feed, &[&place]);
    std::fs::remove_file(feed.path("ranker.toml")).unwrap();
    training_is_refused(&feed, &[&feed.text("ranker.toml")]);
}

#[test]
fn a_data_file_that_is_missing_no_parquet_or_truncated_is_named() {
    let feed = Feed::new();
    let whole = std::fs::read(feed.path("log.parquet")).unwrap();
    let named = format!("`{}`", feed.text("log.parquet"));
    let no_parquet = format!("{named} is not a whole Parquet file");

    std::fs::write(feed.path("log.parquet"), &whole[..whole.len() / 2]).unwrap();
    training_is_refused(&feed, &[&no_parquet]);
    // The footer is whole and says more than there is.
    std::fs::write(
        feed.path("log.parquet"),
        [&whole[..4], &whole[whole.len() / 2..]].concat(),
    )
    .unwrap();
    training_is_refused(&feed, &[&no_parquet]);
    std::fs::write(feed.path("log.parquet"), "time,user,item\n1,u1,v1\n").unwrap();
    training_is_refused(&feed, &[&no_parquet, "where it is CSV, name it `.csv`"]);
    std::fs::write(feed.path("log.parquet"), "").unwrap();
    training_is_refused(&feed, &[&no_parquet, "it is empty"]);
    std::fs::remove_file(feed.path("log.parquet")).unwrap();
    training_is_refused(&feed, &[&format!("{named} does not exist")]);
}

#[test]
fn an_empty_log_is_refused() {
    let feed = feed_with(&log(0));
    let says = format!(
        "`{}` has columns and no row, expected a row for each impression",
        feed.text("log.parquet")
    );
    training_is_refused(&feed, &[&says]);
}

#[test]
fn an_objective_without_any_observed_label_is_named() {
    let mut columns = log(2_000);
    let (_, played) = columns.iter_mut().find(|(name, _)| *name == "played").unwrap();
    *played = Arc::new(Float64Array::new_null(played.len()));
    training_is_refused(
        &feed_with(&columns),
        &["objective `watch` has no observed label", "`given`"],
    );
}

#[test]
fn a_user_or_item_twice_in_its_table_is_named_with_both_rows() {
    let feed = Feed::new();
    let ids = |ids: [&str; 3]| -> ArrayRef { Arc::new(StringArray::from(ids.to_vec())) };
    let [ranker, log, out] = ["ranker.toml", "log.parquet", "run"].map(|name| feed.text(name));
    for (table, key, rows) in [
        ("users", "user", ["u1", "u2", "u1"]),
        ("items", "item", ["v1", "v2", "v2"]),
    ] {
        let file = format!("{table}.parquet");
        write_log(&feed.path(&file), &vec![(key, ids(rows))]);
        let file = feed.text(&file);
        let first = if table == "users" { 1 } else { 2 };
        let says = format!("`{file}`, row 3: `{key}` `{}` is already in row {first}", rows[2]);
        let option = format!("--{table}");
        refuses(
            &feed,
            &["train", &ranker, "--data", &log, &option, &file, "--out", &out],
            &[&says],
        );
    }
}

#[test]
fn a_history_that_the_flat_log_has_no_column_for_is_named() {
    let history = "history = { side = \"user\", kind = \"ids\", shares = \"item\", from = \"feedback.click\", last = 5 }";
    let feed = declared(&edited("[objectives]", &format!("{history}\n\n[objectives]")));
    let file = feed.text("log.parquet");
    training_is_refused(
        &feed,
        &[
            "field `history`, which is not derived from feedback in flat files",
            &format!("no column `history` in `{file}`"),
        ],
    );
}

#[test]
fn a_seed_that_no_declaration_could_hold_is_refused() {
    let feed = Feed::new();
    let [ranker, log, out] = ["ranker.toml", "log.parquet", "run"].map(|name| feed.text(name));
    for seed in ["9223372036854775808", "-1", "x"] {
        refuses(
            &feed,
            &[
                "train",
                &ranker,
                "--data",
                &log,
                "--out",
                &out,
                &format!("--seed={seed}"),
            ],
            &["--seed", seed],
        );
    }
}

#[test]
fn a_message_says_each_thing_once() {
    let feed = Feed::new();
    std::fs::write(feed.path("log.parquet"), b"PAR1no data").unwrap();
    let message = String::from_utf8(feed.train("run", &[]).stderr).unwrap();
    let reason = message
        .split("is not a whole Parquet file: ")
        .nth(1)
        .unwrap()
        .trim();
    assert_eq!(message.matches(reason).count(), 1, "{message}");
    let parts: Vec<&str> = reason.split(": ").collect();
    let distinct: BTreeSet<&str> = parts.iter().copied().collect();
    assert_eq!(distinct.len(), parts.len(), "{message}");
}
