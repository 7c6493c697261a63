use std::cell::Cell;
use std::path::Path;

use events::{FlatLog, FlatOptions};
use spec::Spec;

use super::*;
use crate::Silent;
use crate::testing::spec_with;

const ROWS: usize = 1000;

/// Two files with a log for the tests' declaration, of which a batch has 64 rows.
fn log(dir: &Path, spec: &Spec) -> FlatLog {
    let data = [0, 1].map(|file| {
        let path = dir.join(format!("{file}.csv"));
        let rows = (0..ROWS / 2).map(|row| {
            let row = file * ROWS / 2 + row;
            format!("u{},v,{row},{},{}\n", row % 7, row % 5, row % 3 % 2)
        });
        let text = format!("user,item,time,age,click\n{}", rows.collect::<String>());
        std::fs::write(&path, text).unwrap();
        path
    });
    let options = FlatOptions {
        data: data.to_vec(),
        users: None,
        items: None,
        batch_rows: 64,
    };
    FlatLog::open(spec, options).unwrap()
}

fn feed(dir: &Path, cache: &str) -> Feed {
    let train = format!("[train]\nshuffle_window = 150\ncache = \"{cache}\"\n\n[score]");
    let spec = spec_with("[score]", &train);
    let log = log(dir, &spec);
    Feed::new(&Part::whole(&log), &crate::testing::ranker(&spec, 0.5).encoder)
}

fn windows(feed: &mut Feed, from: Start) -> Vec<Arc<Encoded>> {
    let mut pass = feed.pass(from).unwrap();
    std::iter::from_fn(|| pass.next(&Silent).unwrap()).collect()
}

#[test]
fn every_pass_has_the_same_windows_kept_in_memory_or_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut kept = feed(dir.path(), "1MiB");
    let first = windows(&mut kept, Start::default());
    let sizes: Vec<usize> = first.iter().map(|window| window.len).collect();
    // Each ends with the batch that fills it; a file ends a batch.
    assert_eq!(sizes, [192, 192, 180, 192, 192, 52]);
    let keys = first.iter().flat_map(|window| window.keys.iter().copied());
    assert!(keys.eq(0..ROWS as u64));

    let mut read = feed(dir.path(), "0");
    assert!(windows(&mut read, Start::default()) == first);
    assert!(windows(&mut read, Start::default()) == first);
    assert!(read.cache.windows.is_empty());
    let bytes: u64 = first.iter().map(|window| window.bytes()).sum();
    assert_eq!(kept.cache.bytes, bytes);
    // Its files are needed no more.
    std::fs::remove_file(dir.path().join("0.csv")).unwrap();
    assert!(windows(&mut kept, Start::default()) == first);
}

#[test]
fn all_windows_are_kept_or_none_and_what_does_not_fit_is_known_from_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = {
        let mut whole = feed(dir.path(), "1MiB");
        windows(&mut whole, Start::default());
        whole.cache.bytes
    };
    let mut small = feed(dir.path(), &format!("{}kB", bytes / 1000 / 2));
    let mut pass = small.pass(Start::default()).unwrap();
    let first = pass.next(&Silent).unwrap().unwrap();
    assert!(first.bytes() < bytes / 2 && !pass.feed.cache.keeps());
    assert_eq!(Arc::strong_count(&first), 1, "nobody keeps it");
    drop(pass);
    let mut enough = feed(dir.path(), &format!("{}kB", bytes / 1000 + 2));
    windows(&mut enough, Start::default());
    assert!(enough.cache.is_whole());
}

#[test]
fn a_pass_that_begins_later_has_the_windows_that_are_left() {
    let dir = tempfile::tempdir().unwrap();
    let whole = windows(&mut feed(dir.path(), "0"), Start::default());
    for cache in ["1MiB", "10kB", "0"] {
        for window in 0..=whole.len() {
            let mut feed = feed(dir.path(), cache);
            let row = whole.get(window).map_or(ROWS as u64, |window| window.keys[0]);
            let from = Start {
                window: window as u64,
                row,
            };
            assert!(windows(&mut feed, from) == whole[window..], "{cache}, {window}");
            assert!(windows(&mut feed, Start::default()) == whole, "{cache}, {window}");
            assert_eq!(feed.cache.is_whole(), cache == "1MiB");
        }
    }
}

/// Stops once it has been asked so often.
struct StopAfter(Cell<u32>);

impl Progress for StopAfter {
    fn begin(&mut self, _: &str, _: u64) {}
    fn advance(&mut self, _: u64) {}
    fn note(&mut self, _: &str) {}
    fn stopped(&self) -> bool {
        self.0.set(self.0.get().saturating_sub(1));
        self.0.get() == 0
    }
}

#[test]
fn a_stop_is_heard_while_a_window_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let mut feed = feed(dir.path(), "0");
    let mut pass = feed.pass(Start::default()).unwrap();
    let (release, held) = std::sync::mpsc::channel::<()>();
    let slow = Ahead::start("slow", 0, move |to| {
        to.send(Ok(Fed::Filling)).unwrap();
        held.recv().unwrap_err();
    });
    pass.source = Some(slow.unwrap());
    let heard = pass.next(&StopAfter(Cell::new(2)));
    assert!(matches!(heard, Err(TrainError::Stopped)), "{heard:?}");
    drop(release);
}

#[test]
fn a_file_that_cannot_be_read_is_that_error_after_the_windows_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut feed = feed(dir.path(), "1MiB");
    let second = dir.path().join("1.csv");
    std::fs::write(&second, "user,item,time,age,click\nu,v,1,1,1\n").unwrap();
    let mut pass = feed.pass(Start::default()).unwrap();
    let mut windows = 0;
    let error = loop {
        match pass.next(&Silent) {
            Ok(window) => windows += u32::from(window.is_some()),
            Err(error) => break error,
        }
    };
    assert_eq!(windows, 2);
    assert!(
        error.to_string().contains("1.csv") && error.is_bad_input(),
        "{error}"
    );
}
