//! Output that nobody reads to its end.

use std::process::{Command, Stdio};

use crate::fixture::Feed;

#[test]
fn a_reader_that_goes_ends_the_program_quietly() {
    let feed = Feed::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_watchnext"))
        .args(["check", &feed.text("ranker.toml")])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Gone before the first line.
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.is_empty(), "{message}");
    assert_eq!(output.status.code(), Some(141));
}
