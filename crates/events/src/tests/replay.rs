use std::sync::Arc;

use super::recorder::{events, open};
use super::*;
use crate::{Event, EventsError, Join, Replay, Store};

#[test]
fn a_range_of_sequences_is_read_with_both_ends() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = open(dir.path(), &Arc::default());
    for number in 0..1000 {
        recorder
            .record_slate(slate(&format!("s{number}"), number * HOUR / 8, "u", &["v"]))
            .unwrap();
    }
    recorder.tick().unwrap().wait().unwrap();
    let whole = events(dir.path());
    assert_eq!(whole.len(), 2000);
    for (from, to) in [(1, 2000), (0, 1), (700, 1300), (2000, 2000), (256, 257), (5, 4)] {
        let part: Vec<Event> = Replay::open(dir.path(), from, Some(to))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let expected: Vec<Event> = whole
            .iter()
            .filter(|event| (from..=to).contains(&event.seq()))
            .cloned()
            .collect();
        assert_eq!(part, expected, "{from} to {to}");
    }
    assert_eq!(Replay::open(dir.path(), 2001, None).unwrap().count(), 0);
    assert_eq!(Replay::open(dir.path(), 1999, Some(9999)).unwrap().count(), 2);
}

#[test]
fn a_replay_ends_at_what_was_committed_when_it_began() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = open(dir.path(), &Arc::default());
    recorder
        .record_slate(slate("a", 0, "u", &["v"]))
        .unwrap()
        .wait()
        .unwrap();
    let replay = Replay::open(dir.path(), 1, None).unwrap();
    recorder
        .record_slate(slate("b", 3 * DAY, "u", &["v"]))
        .unwrap()
        .wait()
        .unwrap();
    assert_eq!(replay.count(), 2);
    assert_eq!(events(dir.path()).len(), 4);
}

#[test]
fn a_store_that_is_not_there_is_an_error_and_an_empty_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(Replay::open(dir.path(), 1, None).unwrap().count(), 0);
    assert_eq!(Store::open(dir.path()).unwrap().last_seq().unwrap(), 0);
    let missing = dir.path().join("typo");
    let error = Replay::open(&missing, 1, None).unwrap_err();
    assert!(matches!(error, EventsError::NoStore { .. }) && error.is_bad_input());
}

#[test]
fn a_file_that_is_no_database_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("log")).unwrap();
    std::fs::write(dir.path().join("log/2024-05-01.sqlite"), [7; 4096]).unwrap();
    let error = Store::open(dir.path()).unwrap().last_seq().unwrap_err();
    assert!(error.to_string().contains("2024-05-01.sqlite"), "{error}");
}

#[test]
fn replaying_the_same_log_gives_the_same_examples_to_the_byte() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = open(dir.path(), &Arc::default());
    for number in 0..300 {
        let (id, time) = (format!("s{number}"), number * HOUR);
        recorder
            .record_slate(slate(&id, time, "u", &["v1", "v2", "v3"]))
            .unwrap();
        let item = format!("v{}", 1 + number % 4);
        let kinds = [
            ("click", None),
            ("play_ms", Some(number as f64)),
            ("like", Some((number % 2) as f64)),
        ];
        for (kind, value) in kinds {
            let given = feedback(&format!("{id}-{kind}"), &id, &item, kind, value);
            recorder
                .record_feedback(vec![Feedback { time, ..given }])
                .unwrap();
        }
    }
    let join = |events: &mut dyn Iterator<Item = Event>| {
        let mut join = Join::new(&spec());
        events.for_each(|event| join.apply(&event).unwrap());
        (join.take().to_bytes(), join.counts(), join.pending())
    };
    recorder.close();
    let first = join(&mut events(dir.path()).into_iter());
    let second = join(&mut Replay::open(dir.path(), 1, None).unwrap().map(Result::unwrap));
    assert!(first.1.examples > 600, "{:?}", first.1);
    assert_eq!(first, second);
}
