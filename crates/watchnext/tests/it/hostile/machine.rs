//! What happens to files while `train` is at work, and disks and folders that cannot be written.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::{Case, Table, names, parquet_bytes};
use crate::fixture::{log, watchnext, write_log};

/// Longest wait for anything.
const LIMIT: Duration = Duration::from_secs(60);

/// Trains without end; after the first epoch `change` is done to the data.
fn changed_under_way(name: &str, file: &str, content: impl AsRef<[u8]>, change: impl Fn(&Path)) {
    // Patience that no run of a test outlasts: it ends by the change or not at all.
    let case = Case::of(name, file, content).declared("epochs = 3", "epochs = 10_000\npatience = 10_000");
    let mut child = watchnext()
        .args(&case.arguments)
        .current_dir(case.dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("epoch ") {
        let before = line.clone();
        line.clear();
        assert!(
            stderr.read_line(&mut line).unwrap() > 0,
            "{name}: it ended before an epoch: {before}"
        );
    }
    change(&case.dir.path().join(file));
    // It goes on saying epochs, so the pipe is read until it ends.
    let (deadline, mut said) = (Instant::now() + LIMIT, String::new());
    loop {
        line.clear();
        if stderr.read_line(&mut line).unwrap() == 0 {
            break;
        }
        if !line.starts_with("epoch ") {
            said += &line;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("{name}: it never noticed");
        }
    }
    let mut stdout = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut stdout).unwrap();
    let output = Output {
        status: child.wait().unwrap(),
        stdout,
        stderr: said.into_bytes(),
    };
    case.fails(&output, 2, &[&format!("`{file}` changed while it was read")]);
    let left: Vec<String> = names(case.dir.path())
        .into_iter()
        .filter(|name| name != file && name != "ranker.toml")
        .collect();
    assert!(left.is_empty(), "{name}: {left:?}");
}

#[test]
fn a_file_that_is_deleted_or_written_while_it_is_read_ends_training_without_a_run() {
    let csv = Table::of(2_000).csv();
    let jsonl = Table::of(2_000).jsonl();
    changed_under_way("CSV deleted in mid-run", "log.csv", &csv, |file| {
        std::fs::remove_file(file).unwrap()
    });
    changed_under_way("CSV truncated in mid-run", "log.csv", &csv, |file| {
        std::fs::File::options()
            .write(true)
            .open(file)
            .unwrap()
            .set_len(5_000)
            .unwrap();
    });
    changed_under_way("JSONL overwritten in mid-run", "log.jsonl", &jsonl, |file| {
        std::fs::write(file, Table::of(2_000).every("appeal", "high").jsonl()).unwrap();
    });
    let parquet = parquet_bytes(&log(2_000));
    changed_under_way("Parquet cut short in mid-run", "log.parquet", &parquet, |file| {
        std::fs::File::options()
            .write(true)
            .open(file)
            .unwrap()
            .set_len(5_000)
            .unwrap();
    });
    changed_under_way(
        "Parquet overwritten in mid-run",
        "log.parquet",
        &parquet,
        |file| {
            write_log(file, &log(1_999));
        },
    );
    changed_under_way("CSV emptied in mid-run", "log.csv", &csv, |file| {
        std::fs::write(file, "").unwrap()
    });
    changed_under_way("CSV replaced by a folder in mid-run", "log.csv", &csv, |file| {
        std::fs::remove_file(file).unwrap();
        std::fs::create_dir(file).unwrap();
    });
}

/// The case where no file may have more than `blocks` of 512 bytes: as a full disk, whatever the tests run on.
fn in_little_space(case: &Case, blocks: u32) -> Output {
    let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
    let output = Command::new("sh")
        .args(["-c", &limited, "sh", env!("CARGO_BIN_EXE_watchnext")])
        .args(&case.arguments)
        .current_dir(case.dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let errors: String = said.lines().filter(|line| !line.starts_with("epoch ")).collect();
    Output {
        stderr: errors.into_bytes(),
        ..output
    }
}

#[test]
fn a_disk_that_is_full_ends_training_with_the_file_that_did_not_fit_and_leaves_nothing() {
    let case = Case::of("a full disk", "log.csv", Table::of(300).csv());
    let before = names(case.dir.path());
    let mut full = BTreeSet::new();
    for blocks in [1, 16, 64] {
        let message = case.fails(&in_little_space(&case, blocks), 1, &["File too large"]);
        assert_eq!(names(case.dir.path()), before, "{blocks}");
        let (_, file) = message.split_once(".new/").unwrap();
        full.insert(file.to_owned());
    }
    assert!(full.len() > 1, "it was full at one file only: {full:?}");

    let init = Case::called(
        "a full disk for a declaration",
        &["init", "log.csv", "--out", "new.toml"],
    )
    .file("log.csv", Table::of(300).csv());
    let before = names(init.dir.path());
    let output = in_little_space(&init, 1);
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("error: `new.toml`: File too large"), "{message}");
    assert_eq!(names(init.dir.path()), before);
}

#[test]
fn a_place_that_cannot_be_written_is_refused_before_training() {
    let log = Table::of(300).csv();
    let into = |name: &str, out: &str| {
        Case::called(name, &["train", "ranker.toml", "--data", "log.csv", "--out", out]).file("log.csv", &log)
    };
    into("a file as OUT", "log.csv").refused(&["`log.csv` exists; name another `--out`"]);
    into("a file as OUT, to be replaced", "log.csv")
        .and(&["--overwrite"])
        .refused(&["`--out log.csv`", "`train` did not write it"]);
    into("OUT below a file", "log.csv/run").refused(&["`--out log.csv/run`: it is below a file"]);
    into("no OUT", "").refused(&["--out"]);
    let long = "x".repeat(300);
    let case = into("an OUT with a name that is too long", &long);
    let before = names(case.dir.path());
    case.fails(&case.output(), 1, &["xxx"]);
    assert_eq!(names(case.dir.path()), before);

    let case = into("OUT in a folder without permission", "locked/run");
    let locked = case.dir.path().join("locked");
    std::fs::create_dir(&locked).unwrap();
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o555)).unwrap();
    // Root may write everywhere.
    if std::fs::write(locked.join("probe"), "").is_ok() {
        return;
    }
    case.fails(&case.output(), 1, &["`locked/", "Permission denied"]);
    assert!(names(&locked).is_empty());
}
