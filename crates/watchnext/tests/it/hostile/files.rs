//! Files that are not there, are no files, or do not belong together; and other commands than `train`.

use std::process::Command;

use super::{Case, Table};

#[test]
fn what_is_no_data_file_is_refused_with_what_it_is() {
    let missing = |name: &str, file: &str| {
        Case::called(name, &["train", "ranker.toml", "--out", "run", "--data", file])
    };
    missing("a file that is not there", "nowhere.csv").refused(&["`nowhere.csv` does not exist"]);
    missing("a pattern that names nothing", "days/*.csv")
        .refused(&["`--data days/*.csv`: no file has such a name"]);
    missing("a pattern that is none", "days/[*.csv").refused(&["`--data days/[*.csv`: "]);
    let folder = missing("a folder as data", "days");
    std::fs::create_dir(folder.dir.path().join("days")).unwrap();
    folder.refused(&["`days` is a directory, expected a file"]);
    let pipe = missing("a pipe as data", "pipe.csv");
    let made = Command::new("mkfifo")
        .arg(pipe.dir.path().join("pipe.csv"))
        .status();
    assert!(made.unwrap().success());
    pipe.refused(&["`pipe.csv` is a pipe or a device, expected a file"]);
    missing("a device as data", "/dev/zero").refused(&["`/dev/zero` is a pipe or a device"]);
    let below = missing("a file below a file", "log.csv/day.csv").file("log.csv", "");
    below.refused(&["`log.csv/day.csv`"]);
    let linked = missing("a link to nothing", "link.csv");
    std::os::unix::fs::symlink("nowhere.csv", linked.dir.path().join("link.csv")).unwrap();
    linked.refused(&["`link.csv` does not exist"]);
}

#[test]
fn tables_that_do_not_fit_are_refused_with_their_file() {
    let log = Table::of(300);
    let with_users = |name: &str, users: &str| {
        Case::of(name, "log.csv", log.csv())
            .file("users.csv", users)
            .and(&["--users", "users.csv"])
    };
    with_users("a user twice", "user,age\nu1,3\nu2,4\n\nu1,5\n")
        .refused(&["`users.csv`, line 5: `user` `u1` is already in line 2"]);
    with_users("users without ids", "id,age\nu1,3\n")
        .refused(&["no column `user` in `users.csv`", "`[keys] user`"]);
    with_users("a user without id", "user,age\nu1,3\n,4\n")
        .refused(&["`users.csv`, line 3, column `user`: found an empty cell, expected an id"]);
    with_users("users cut short", "user,age\nu1,3\nu2\n")
        .refused(&["`users.csv`, line 3: found 1 cell, expected 2"]);
    with_users("users that are not needed", "user,age\nu1,3\n").works();
    Case::of("users that are not there", "log.csv", log.csv())
        .and(&["--users", "users.csv"])
        .refused(&["`users.csv` does not exist"]);
    Case::of("items that are a folder", "log.csv", log.csv())
        .and(&["--items", "."])
        .refused(&["`.` is a directory, expected a file"]);
    let mut second = Table::of(300);
    for cells in &mut second.rows {
        cells[0] = "60000".to_owned();
    }
    Case::of("files of other columns", "a.csv", log.csv())
        .file("b.csv", second.clone().renamed("appeal", "apeal").csv())
        .and(&["b.csv"])
        .refused(&["field `appeal`: no column `appeal` in `b.csv` (nearest: `apeal`)"]);
    Case::of("files of other types", "a.csv", log.csv())
        .file("b.csv", second.cell("appeal", 7, "high").csv())
        .and(&["b.csv"])
        .refused(&["`b.csv`, column `appeal`: found text (line 8 has `high`), expected numbers"]);
}

#[test]
fn a_declaration_that_cannot_be_read_is_refused() {
    let log = Table::of(30).csv();
    Case::of("a declaration not in UTF-8", "log.csv", &log)
        .file("ranker.toml", b"[fields]\n\xff\n")
        .refused(&["`ranker.toml`", "UTF-8"]);
    Case::of("an empty declaration", "log.csv", &log)
        .file("ranker.toml", "")
        .refused(&["ranker.toml"]);
    Case::called(
        "a folder as declaration",
        &["train", ".", "--out", "run", "--data", "log.csv"],
    )
    .file("log.csv", &log)
    .refused(&["`.`"]);
    Case::of("data as declaration", "log.csv", &log)
        .file("ranker.toml", &log)
        .refused(&["ranker.toml:1"]);
}

#[test]
fn init_evaluate_and_send_refuse_the_same_files_with_the_same_words() {
    let table = Table::of(60);
    let ragged = table.csv() + "1,2,3\n";
    let says = "`log.csv`, line 62: found 3 cells, expected 10 as there are column names";
    Case::called("init on a short row", &["init", "log.csv"])
        .file("log.csv", &ragged)
        .refused(&[says]);
    Case::called("init on nothing", &["init", "log.csv"])
        .file("log.csv", "")
        .refused(&["`log.csv` is empty"]);
    Case::called("init on names only", &["init", "log.csv"])
        .file("log.csv", Table::of(0).csv())
        .refused(&["`log.csv`", "no row"]);
    Case::called("init without a file", &["init", "nowhere.csv"]).refused(&["`nowhere.csv` does not exist"]);
    Case::called(
        "init beside what is there",
        &["init", "log.csv", "--out", "ranker.toml"],
    )
    .file("log.csv", table.csv())
    .refused(&["`ranker.toml` exists", "`--overwrite`"]);
    Case::called(
        "init into no folder",
        &["init", "log.csv", "--out", "no/ranker.toml"],
    )
    .file("log.csv", Table::of(300).csv())
    .refused(&["`--out no/ranker.toml`: expected a file in a folder that exists"]);
    Case::called("send a short row", &["send", "ranker.toml", "--data", "log.csv"])
        .file("log.csv", &ragged)
        .refused(&[says]);
    Case::called(
        "send a file that is not there",
        &["send", "ranker.toml", "--data", "nowhere.csv"],
    )
    .refused(&["`nowhere.csv` does not exist"]);
    Case::called("evaluate what is no run", &["evaluate", ".", "--data", "log.csv"])
        .file("log.csv", table.csv())
        .refused(&["`.`"]);

    let trained = Case::of("a run to evaluate", "log.csv", Table::of(300).csv());
    assert!(trained.output().status.success());
    let evaluate = |name: &str, content: &str, says: &[&str]| {
        let case = Case {
            name: name.to_owned(),
            dir: tempfile::tempdir().unwrap(),
            arguments: Vec::new(),
        };
        let run = trained.dir.path().join("run").display().to_string();
        case.file("log.csv", content)
            .and(&["evaluate", &run, "--data", "log.csv"])
            .refused(says);
    };
    evaluate("evaluate a short row", &ragged, &[says]);
    evaluate(
        "evaluate names only",
        &Table::of(0).csv(),
        &["`log.csv` has columns and no row, expected a row for each impression"],
    );
    evaluate(
        "evaluate without a label",
        &table.clone().renamed("click", "clicks").csv(),
        &["`click` in a label: no column `click` in `log.csv` (nearest: `clicks`)"],
    );
    evaluate(
        "evaluate position 0",
        &table.cell("position", 3, "0").csv(),
        &["line 4, column `position`: found 0"],
    );
}
