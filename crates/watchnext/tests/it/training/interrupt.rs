//! Ctrl-C while `train` is at work.

use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Instant;

use arrow_array::ArrayRef;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;

use super::{declared, names};
use crate::fixture::{Columns, LIMIT, edited, log, watchnext, write_log};

/// Bit of SIGINT (signal 2) in a mask of signals.
const SIGINT: u64 = 1 << (2 - 1);

fn catches_interrupts(process: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigCgt:"))
        .unwrap_or("0");
    u64::from_str_radix(mask.trim(), 16).unwrap_or(0) & SIGINT != 0
}

#[test]
fn ctrl_c_before_the_first_epoch_is_complete_exits_130_and_writes_nothing() {
    // An epoch takes long here, and stopping is possible after each file.
    let wide = edited("shared = [8]", "shared = [2048, 2048]")
        .replace("batch = 64", "batch = 4\nshuffle_window = 1");
    let feed = declared(&wide);
    let [ranker, out] = ["ranker.toml", "run"].map(|name| feed.text(name));
    let mut arguments = vec![
        "train".to_owned(),
        ranker,
        "--out".to_owned(),
        out,
        "--data".to_owned(),
    ];
    for file in 0..400 {
        let name = format!("part-{file:03}.parquet");
        // One after the other in time: each is one slate.
        let shift = |columns: Columns| -> Columns {
            let time = |array: ArrayRef| -> ArrayRef {
                let later = array
                    .as_primitive::<Int64Type>()
                    .unary::<_, Int64Type>(|time| time + 1_000_000 * file);
                Arc::new(later)
            };
            columns
                .into_iter()
                .map(|(name, array)| (name, if name == "time" { time(array) } else { array }))
                .collect()
        };
        write_log(&feed.path(&name), &shift(log(20)));
        arguments.push(feed.text(&name));
    }
    let before = names(feed.dir.path());
    let mut child = watchnext()
        .args(&arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + LIMIT;
    while !catches_interrupts(child.id()) {
        assert!(
            child.try_wait().unwrap().is_none() && Instant::now() < deadline,
            "it never listened for Ctrl-C"
        );
        std::thread::yield_now();
    }
    assert!(
        Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    let message = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(130), "{message}");
    assert!(
        message.contains("nothing was written") && stdout.is_empty(),
        "{message}"
    );
    assert_eq!(names(feed.dir.path()), before);
}
