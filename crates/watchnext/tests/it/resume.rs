//! `kill -9` of `train` at instants that a seed draws: `--resume` comes to the bytes of a run that was never killed.
//!
//! `WATCHNEXT_KILLS=20` kills as often; without it a few times.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{ListBuilder, StringBuilder};

use crate::fixture::{
    Columns, Feed, chance, edited, ended, files, log, run, run_well, watchnext, write_parts,
};

const SEED: u64 = 77;
const ROWS: usize = 4_000;

/// Tables of every sort, ids of several, histories, drop-outs, a shallow tower, several epochs.
fn declaration() -> String {
    let fields = "item = { side = \"item\", kind = \"id\", dim = 4, capacity = 30, admit_after = 2, forget_after = \"60s\", \
                  id_dropout = 0.1 }
topics = { side = \"item\", kind = \"ids\", dim = 3, capacity = 200, forget_after = \"20s\" }
liked = { side = \"user\", kind = \"ids\", shares = \"item\", from = \"feedback.like\", last = 4 }";
    let item = "item = { side = \"item\", kind = \"id\", dim = 4, buckets = 64, id_dropout = 0.1 }";
    edited(item, fields)
        .replace("max_position = 5", "max_position = 5\nposition_dropout = 0.2")
        .replace("epochs = 3", "epochs = 4\nshuffle_window = 500")
}

/// The fixture's log with lists of ids.
fn columns() -> Columns {
    let lists = |ids: &mut dyn FnMut(usize) -> Vec<String>| -> ArrayRef {
        let mut lists = ListBuilder::new(StringBuilder::new());
        for row in 0..ROWS {
            lists.append_value(ids(row).into_iter().map(Some));
        }
        Arc::new(lists.finish())
    };
    let (mut topic, mut item) = (chance(5), chance(6));
    let mut columns = log(ROWS);
    columns.push((
        "topics",
        lists(&mut |row| vec![format!("t{}", row / 300), format!("t{:.0}", 50.0 * topic())]),
    ));
    columns.push((
        "liked",
        lists(&mut |row| (0..row % 4).map(|_| format!("v{:.0}", 40.0 * item())).collect()),
    ));
    columns
}

/// A log in files, and what training on it comes to where nothing kills it.
struct Site {
    feed: Feed,
    data: Vec<String>,
    unbroken: BTreeMap<String, Vec<u8>>,
}

impl Site {
    fn new() -> Site {
        let feed = Feed::new();
        feed.write("ranker.toml", &declaration());
        let data = write_parts(feed.dir.path(), &columns(), 150);
        let mut site = Site {
            feed,
            data,
            unbroken: BTreeMap::new(),
        };
        run_well(
            &site
                .arguments("unbroken")
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>(),
        );
        site.unbroken = files(&site.feed.path("unbroken"));
        site
    }

    fn arguments(&self, out: &str) -> Vec<String> {
        let words = [
            "train",
            &self.feed.text("ranker.toml"),
            "--out",
            &self.feed.text(out),
            "--data",
        ];
        words
            .map(str::to_owned)
            .into_iter()
            .chain(self.data.iter().cloned())
            .collect()
    }

    fn start(&self, more: &[&str]) -> Command {
        let mut command = watchnext();
        command.args(self.arguments("run")).args(more);
        command
    }
}

/// When a run is killed: behind a note of so many checkpoints, once this is in the folder of the unfinished run.
struct Instant {
    checkpoints: usize,
    /// Of the checkpoint that is being written: nothing yet, its files, both it and the last.
    phase: Option<&'static str>,
}

/// Kills it at the instant; whether it was still at work.
fn kill_at(mut child: Child, unfinished: &std::path::Path, instant: &Instant) -> bool {
    let notes = BufReader::new(child.stderr.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let mut checkpoints = notes.filter(|note| note.starts_with("checkpoint after"));
    for _ in 0..instant.checkpoints {
        if checkpoints.next().is_none() {
            return !child.wait().unwrap().success();
        }
    }
    if let Some(phase) = instant.phase {
        while !unfinished.join(phase).exists() && child.try_wait().unwrap().is_none() {
            std::hint::spin_loop();
        }
    }
    let at_work = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    at_work
}

#[test]
fn a_run_that_is_killed_again_and_again_comes_to_the_same_bytes() {
    let kills: usize = std::env::var("WATCHNEXT_KILLS").map_or(4, |kills| kills.parse().unwrap());
    let site = Site::new();
    let mut draw = chance(SEED);
    let mut below = |count: usize| (draw() * count as f64) as usize;
    let unfinished = site.feed.path("run.unfinished");
    let mut killed = 0;
    // A run of 44 checkpoints in four epochs.
    let begin = ["--checkpoint-every", "256"];
    let mut more: Vec<&str> = begin.to_vec();
    while killed < kills {
        let instant = Instant {
            checkpoints: 1 + below(1 + 60 / kills),
            phase: [None, Some(".checkpoint.new"), Some(".checkpoint.old")][below(3)],
        };
        let child = site
            .start(&more)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let at_work = kill_at(child, &unfinished, &instant);
        killed += usize::from(at_work);
        // It may have been done before.
        if site.feed.path("run").exists() {
            assert!(
                files(&site.feed.path("run")) == site.unbroken,
                "after {killed} kills"
            );
            std::fs::remove_dir_all(site.feed.path("run")).unwrap();
            let _ = std::fs::remove_dir_all(&unfinished);
            more = begin.to_vec();
        } else {
            more = vec!["--resume"];
        }
    }
    if more == ["--resume"] {
        let rarely = ["--resume", "--checkpoint-every", "1h"];
        ended(site.start(&rarely).output().unwrap(), 0);
        assert!(
            files(&site.feed.path("run")) == site.unbroken,
            "after {killed} kills"
        );
    }
    assert!(!unfinished.exists(), "nothing is left");
}

#[test]
fn what_a_run_was_begun_with_is_what_it_goes_on_with() {
    let site = Site::new();
    let refused = |more: &[&str], expected: &[&str]| {
        let [_, message] = ended(site.start(more).output().unwrap(), 2);
        for expected in expected {
            assert!(message.contains(expected), "{message}");
        }
    };
    refused(&["--resume"], &["no checkpoint in", "leave `--resume` out"]);
    refused(
        &["--checkpoint-every", "0"],
        &["a duration, as `90s`, `5m`, `1h`, or a number of examples"],
    );
    let arguments = site.arguments("run");
    crate::fixture::unfinished(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    refused(
        &[],
        &[
            "run.unfinished",
            "was not finished",
            "`--resume`",
            "`--overwrite`",
        ],
    );
    refused(
        &["--resume", "--seed", "5"],
        &["of the declaration was", "seed = 5"],
    );
    refused(
        &["--resume", "--no-baseline"],
        &["the logistic regression was trained, is left out"],
    );

    let last = site.data.last().unwrap();
    let whole = std::fs::read(last).unwrap();
    let short = &site.data[..site.data.len() - 1];
    let mut words = vec![
        "train".to_owned(),
        site.feed.text("ranker.toml"),
        "--resume".to_owned(),
    ];
    words.extend(["--out".to_owned(), site.feed.text("run"), "--data".to_owned()]);
    words.extend_from_slice(short);
    let [_, message] = ended(run(&words.iter().map(String::as_str).collect::<Vec<_>>()), 2);
    assert!(message.contains("the number of files was 27, is 26"), "{message}");
    // The writer's name, which no row is in.
    let at = whole.windows(7).rposition(|word| word == b"parquet").unwrap();
    let mut changed = whole.clone();
    changed[at] = b'P';
    std::fs::write(last, changed).unwrap();
    refused(
        &["--resume"],
        &["the digest of `part-003900.parquet` was", "begin anew"],
    );
    std::fs::write(last, whole).unwrap();
    ended(
        site.start(&["--resume", "--checkpoint-every", "1h"])
            .output()
            .unwrap(),
        0,
    );
    assert!(files(&site.feed.path("run")) == site.unbroken);
}

#[test]
fn ctrl_c_writes_a_checkpoint_and_says_how_to_go_on() {
    let site = Site::new();
    let endless = declaration().replace("epochs = 4", "epochs = 10000\npatience = 10000");
    site.feed.write("ranker.toml", &endless);
    let mut child = site
        .start(&["--checkpoint-every", "10d"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap())
        .lines()
        .map(Result::unwrap);
    assert!(lines.by_ref().any(|line| line.starts_with("epoch")), "it learns");
    let process = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &process])
            .status()
            .unwrap()
            .success()
    );
    let said: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said:?}");
    let [.., checkpoint, last] = &said[..] else {
        panic!("{said:?}")
    };
    assert!(checkpoint.starts_with("checkpoint after"), "{said:?}");
    assert!(
        last.contains("run.unfinished` has a checkpoint: go on with `--resume`"),
        "{said:?}"
    );
    assert!(!site.feed.path("run").exists());
}
