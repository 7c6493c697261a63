use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::{
    Clock, DerivedRules, Event, EventClock, EventsError, Recorded, Recorder, RecorderOptions, Replay,
    RoleLock, Store, verify_derived,
};

pub(super) fn open(dir: &Path, clock: &Arc<EventClock>) -> Recorder {
    let options = RecorderOptions {
        mark_every_ms: MINUTE,
        queue: 64,
    };
    Recorder::open(dir, options, Arc::clone(clock) as Arc<dyn Clock>).unwrap()
}

pub(super) fn events(dir: &Path) -> Vec<Event> {
    Replay::open(dir, 1, None)
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

fn marks(dir: &Path) -> Vec<i64> {
    let mark = |event: &Event| {
        if let Event::Mark { time, .. } = event {
            Some(*time)
        } else {
            None
        }
    };
    events(dir).iter().filter_map(mark).collect()
}

fn at(time: i64, feedback: Feedback) -> Vec<Feedback> {
    vec![Feedback { time, ..feedback }]
}

#[test]
fn what_was_recorded_is_read_back_in_the_order_of_sequences() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Arc::default());
    let recorder = open(dir.path(), &clock);
    let shown = Slate {
        query: Some("q".into()),
        shared: fields([("history", texts(&[])), ("taste", Value::Numbers(vec![0.1, 0.2]))]),
        ..slate("s1", 100, "u1", &["v1", "v2"])
    };
    let first = recorder.record_slate(shown.clone()).unwrap();
    let clicked = feedback("f1", "s1", "v2", "click", Some(0.1));
    let second = recorder
        .record_feedback(vec![clicked.clone()])
        .unwrap()
        .wait()
        .unwrap();
    assert_eq!(
        first.wait().unwrap(),
        Recorded {
            stored: 1,
            duplicates: 0,
            orphans: 0,
            last_seq: 2
        }
    );
    assert_eq!(
        second,
        Recorded {
            stored: 1,
            duplicates: 0,
            orphans: 0,
            last_seq: 3
        }
    );
    assert_eq!(recorder.slate("s1").unwrap(), Some(shown.clone()));
    assert_eq!(recorder.slate("s2").unwrap(), None);
    let expected = [
        Event::Mark { seq: 1, time: 0 },
        Event::Slate { seq: 2, slate: shown },
        Event::Feedback {
            seq: 3,
            feedback: clicked,
            user: Some("u1".into()),
        },
    ];
    assert_eq!(events(dir.path()), expected);
    recorder.close();
    assert_eq!(events(dir.path()), expected);
}

#[test]
fn an_id_counts_once_over_days_and_restarts() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Arc::default());
    for (day, expected) in [(0, 1), (1, 0), (1, 0), (2, 0)] {
        let recorder = open(dir.path(), &clock);
        recorder
            .record_slate(slate("s1", day * DAY, "u1", &["v1"]))
            .unwrap();
        let same = at(day * DAY, feedback("f1", "s1", "v1", "click", None));
        let twice = [same.clone(), same].concat();
        let recorded = recorder.record_feedback(twice).unwrap().wait().unwrap();
        assert_eq!((recorded.stored, recorded.duplicates), (expected, 2 - expected));
        recorder.close();
    }
    let log = dir.path().join("log");
    let mut days: Vec<_> = fs::read_dir(log)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    days.sort();
    days.retain(|day| day.to_str().unwrap().ends_with(".sqlite"));
    assert_eq!(
        days,
        ["1970-01-01.sqlite", "1970-01-02.sqlite", "1970-01-03.sqlite"]
    );
    let seqs: Vec<u64> = events(dir.path()).iter().map(Event::seq).collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
}

#[test]
fn feedback_of_an_unknown_slate_is_kept_and_counted() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Arc::default());
    let recorder = open(dir.path(), &clock);
    let recorded = recorder
        .record_feedback(at(5, feedback("f1", "s9", "v1", "click", None)))
        .unwrap()
        .wait()
        .unwrap();
    assert_eq!((recorded.stored, recorded.orphans), (1, 1));
    assert!(matches!(
        &events(dir.path())[1],
        Event::Feedback { user: None, .. }
    ));
    assert_eq!(recorder.derived().read().unwrap().as_of(), 0);
}

#[test]
fn one_mark_is_logged_before_the_first_event_past_a_boundary() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Arc::default());
    let recorder = open(dir.path(), &clock);
    for (id, time) in [
        ("a", 1000),
        ("b", MINUTE - 1),
        ("c", MINUTE),
        ("d", 5 * HOUR + 1),
        ("e", 2),
    ] {
        recorder.record_slate(slate(id, time, "u", &["v"])).unwrap();
    }
    recorder.tick().unwrap().wait().unwrap();
    assert_eq!(marks(dir.path()), [0, MINUTE, 5 * HOUR]);
    let order: Vec<bool> = events(dir.path())
        .iter()
        .map(|event| matches!(event, Event::Mark { .. }))
        .collect();
    assert_eq!(order, [true, false, false, true, false, true, false, false]);

    // A clock that went back does not bring time back, also not after a restart.
    drop(recorder);
    let clock = Arc::new(EventClock::default());
    let recorder = open(dir.path(), &clock);
    recorder.tick().unwrap().wait().unwrap();
    assert_eq!(marks(dir.path()).len(), 3);
    clock.observe(5 * HOUR + 2 * MINUTE + 30);
    recorder.tick().unwrap().wait().unwrap();
    assert_eq!(marks(dir.path()), [0, MINUTE, 5 * HOUR, 5 * HOUR + 2 * MINUTE]);
}

#[test]
fn an_earlier_clock_writes_to_the_newest_day() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = open(dir.path(), &Arc::default());
    recorder.record_slate(slate("a", 3 * DAY, "u", &["v"])).unwrap();
    drop(recorder);
    let recorder = open(dir.path(), &Arc::default());
    recorder
        .record_slate(slate("b", DAY, "u", &["v"]))
        .unwrap()
        .wait()
        .unwrap();
    assert_eq!(Store::open(dir.path()).unwrap().last_seq().unwrap(), 3);
    assert_eq!(
        fs::read_dir(dir.path().join("log"))
            .unwrap()
            .filter(|entry| {
                entry
                    .as_ref()
                    .unwrap()
                    .path()
                    .extension()
                    .is_some_and(|extension| extension == "sqlite")
            })
            .count(),
        1
    );
}

#[test]
fn a_second_recorder_is_refused_until_the_first_is_gone() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Arc::default());
    let first = open(dir.path(), &clock);
    let options = RecorderOptions {
        mark_every_ms: 1,
        queue: 1,
    };
    let second = Recorder::open(dir.path(), options, clock.clone()).unwrap_err();
    assert!(matches!(second, EventsError::Locked { .. }), "{second}");
    first.close();
    open(dir.path(), &clock);
    RoleLock::take(dir.path(), "recorder").unwrap();
}

/// What a crash leaves: the files as they are while the recorder is at work.
fn crash(from: &Path, to: &Path) {
    fs::create_dir_all(to.join("log")).unwrap();
    for entry in fs::read_dir(from.join("log")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.join("log").join(path.file_name().unwrap())).unwrap();
    }
}

#[test]
fn what_was_acknowledged_survives_a_crash_and_a_torn_tail_loses_only_the_end() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Arc::default());
    let recorder = open(dir.path(), &clock);
    for number in 0..40i64 {
        let id = format!("s{number}");
        recorder
            .record_slate(slate(&id, number, "u", &["v"]))
            .unwrap()
            .wait()
            .unwrap();
    }
    let whole = events(dir.path());
    assert_eq!(whole.len(), 41);
    for torn in [0, 1, 5000, 100_000] {
        let copy = tempfile::tempdir().unwrap();
        crash(dir.path(), copy.path());
        let wal = copy.path().join("log/1970-01-01.sqlite-wal");
        let file = fs::File::options().write(true).open(&wal).unwrap();
        file.set_len(file.metadata().unwrap().len() - torn).unwrap();
        drop(file);
        let recovered = open(copy.path(), &Arc::default());
        let recorded = recovered
            .record_slate(slate("new", 50, "u", &["v"]))
            .unwrap()
            .wait()
            .unwrap();
        let read = events(copy.path());
        let kept = read.len() - 1;
        assert_eq!(read[..kept], whole[..kept], "torn by {torn}");
        assert_eq!(recorded.last_seq, kept as u64 + 1);
        assert!(kept < 41 || torn == 0, "torn by {torn}");
        assert!(kept > 1, "torn by {torn}");
    }
}

#[test]
fn a_refusing_disk_is_reported_nothing_is_kept_and_the_recorder_goes_on() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Arc::default());
    let recorder = open(dir.path(), &clock);
    recorder
        .record_slate(slate("s", 0, "u", &["v", "bad"]))
        .unwrap()
        .wait()
        .unwrap();
    let other = rusqlite::Connection::open(dir.path().join("log/1970-01-01.sqlite")).unwrap();
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON feedback WHEN new.item = 'bad'
        BEGIN SELECT RAISE(ABORT, 'disk full'); END";
    other.execute_batch(refuse).unwrap();
    let both = vec![
        feedback("f1", "s", "v", "click", None),
        feedback("f2", "s", "bad", "click", None),
    ];
    let error = recorder
        .record_feedback(both.clone())
        .unwrap()
        .wait()
        .unwrap_err();
    assert!(
        error.to_string().ends_with("disk full") && !error.is_bad_input(),
        "{error}"
    );
    assert_eq!(events(dir.path()).len(), 2);
    assert_eq!(recorder.derived().read().unwrap().as_of(), 0);

    other.execute_batch("DROP TRIGGER refuse").unwrap();
    let recorded = recorder.record_feedback(both).unwrap().wait().unwrap();
    assert_eq!(
        recorded,
        Recorded {
            stored: 2,
            duplicates: 0,
            orphans: 0,
            last_seq: 4
        }
    );
}

#[test]
fn what_cannot_be_kept_exactly_is_refused_before_it_is_queued() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = open(dir.path(), &Arc::default());
    let refused = |slate: Slate| recorder.record_slate(slate).unwrap_err().to_string();
    assert_eq!(
        refused(slate("s", 0, "u", &["v", "v"])),
        "slate `s`: item `v`: it is shown twice"
    );
    let mut at_zero = slate("s", 0, "u", &["v"]);
    at_zero.impressions[0].position = 0;
    assert_eq!(
        refused(at_zero),
        "slate `s`: item `v`: found position 0, expected positions from 1"
    );
    let mut infinite = slate("s", 0, "u", &["v"]);
    infinite.shared = fields([("age", Value::Number(f64::INFINITY))]);
    assert_eq!(
        refused(infinite),
        "slate `s`: field `age` holds a number that is not finite"
    );
    let error = recorder
        .record_feedback(vec![feedback("f", "s", "v", "click", Some(f64::NAN))])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "feedback `f`: found the value NaN, expected a finite number"
    );
    assert!(error.is_bad_input());
}

#[test]
fn many_threads_record_at_once_and_every_acknowledged_event_is_in_the_log() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Arc::default());
    let recorder = open(dir.path(), &clock);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let recorder = &recorder;
            scope.spawn(move || {
                for number in 0..50 {
                    let id = format!("{thread}-{number}");
                    recorder.record_slate(slate(&id, number, "u", &["v"])).unwrap();
                    let given = recorder
                        .record_feedback(vec![feedback(&id, &id, "v", "click", None)])
                        .unwrap();
                    let recorded = given.wait().unwrap();
                    assert_eq!((recorded.stored, recorded.orphans), (1, 0));
                    assert!(recorder.slate(&id).unwrap().is_some());
                }
            });
        }
    });
    let read = events(dir.path());
    assert_eq!(read.len(), 401);
    assert!(read.iter().zip(1..).all(|(event, seq)| event.seq() == seq));
}

fn history() -> DerivedRules {
    DerivedRules::of(&spec())
}

/// Serves slates with the derived values of their moment, over days and a restart.
fn serve(dir: &Path, days: i64) {
    for day in 0..days {
        let recorder = open(dir, &Arc::default());
        for number in 0..20 {
            let (id, time) = (format!("{day}-{number}"), day * DAY + number);
            let user = format!("u{}", number % 3);
            let derived = recorder
                .derived()
                .read()
                .unwrap()
                .values(&user, [], time, &history());
            let shown = Slate {
                shared: derived.shared,
                as_of: derived.as_of,
                ..slate(&id, time, &user, &["v1", "v2"])
            };
            recorder.record_slate(shown).unwrap();
            let kind = if number % 4 == 0 { "like" } else { "click" };
            let given = feedback(&id, &id, &format!("v{}", 1 + number % 2), kind, None);
            let receipt = recorder.record_feedback(at(time, given)).unwrap();
            if number % 2 == 0 {
                receipt.wait().unwrap();
            }
        }
    }
}

#[test]
fn derived_values_recomputed_from_the_log_equal_those_served() {
    let dir = tempfile::tempdir().unwrap();
    serve(dir.path(), 3);
    let report = verify_derived(Replay::open(dir.path(), 1, None).unwrap(), &history()).unwrap();
    assert_eq!(
        (report.slates, report.unverifiable, report.mismatches),
        (60, 0, vec![])
    );
}

#[test]
fn a_value_served_otherwise_than_the_log_says_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = open(dir.path(), &Arc::default());
    let lie = Slate {
        shared: fields([("history", texts(&["v9"]))]),
        ..slate("s", 0, "u", &["v"])
    };
    recorder.record_slate(lie).unwrap().wait().unwrap();
    let report = verify_derived(Replay::open(dir.path(), 1, None).unwrap(), &history()).unwrap();
    assert_eq!(report.mismatches.len(), 1);
    assert_eq!(report.mismatches[0].served, Some(texts(&["v9"])));
    assert_eq!(report.mismatches[0].recomputed, Some(texts(&[])));
}

#[test]
fn after_the_oldest_day_is_unlinked_the_rest_is_read_and_checked_as_far_as_it_goes() {
    let dir = tempfile::tempdir().unwrap();
    serve(dir.path(), 3);
    fs::remove_file(dir.path().join("log/1970-01-01.sqlite")).unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(
        (store.first_seq().unwrap(), store.last_seq().unwrap()),
        (Some(42), 123)
    );
    assert_eq!(store.slate("0-1").unwrap(), None);
    assert!(store.slate("1-1").unwrap().is_some());
    let report = verify_derived(Replay::open(dir.path(), 1, None).unwrap(), &history()).unwrap();
    assert_eq!((report.slates, report.mismatches), (40, vec![]));
    assert!(
        report.unverifiable > 0 && report.unverifiable < 20,
        "{}",
        report.unverifiable
    );
}
