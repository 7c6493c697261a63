//! Output that nobody reads to its end.

use std::process::Command;

use crate::fixture::Feed;

#[test]
fn a_reader_that_goes_ends_the_program_quietly() {
    let feed = Feed::new();
    // Gone before the program begins.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = Command::new(env!("CARGO_BIN_EXE_watchnext"))
        .args(["check", &feed.text("ranker.toml")])
        .stdout(writer)
        .output()
        .unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.is_empty(), "{message}");
    assert_eq!(output.status.code(), Some(141));
}
