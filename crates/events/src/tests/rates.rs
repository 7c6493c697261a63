//! Rates of the log against a recount of it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::recorder::{events, open};
use super::*;
use crate::{
    DerivedMismatch, DerivedRules, Event, HistoryRule, RateRule, Recorder, Replay, Store, verify_derived,
};

fn rules() -> DerivedRules {
    let rate = |field: &str, feedback: &str, window_ms| RateRule {
        field: field.to_owned(),
        feedback: feedback.to_owned(),
        window_ms,
    };
    DerivedRules {
        histories: vec![HistoryRule {
            field: "history".to_owned(),
            feedback: "click".to_owned(),
            last: 3,
        }],
        rates: vec![
            rate("ctr_1h", "click", HOUR),
            rate("ctr_1d", "click", DAY),
            rate("likes_6h", "like", 6 * HOUR),
        ],
    }
}

/// A slate as the service would record it.
fn served(recorder: &Recorder, id: &str, time: i64, user: &str, items: &[&str]) -> Slate {
    let mut served = slate(id, time, user, items);
    let derived = recorder.derived();
    let values = derived
        .read()
        .unwrap()
        .values(user, items.iter().copied(), time, &rules());
    served.as_of = values.as_of;
    served.shared = values.shared;
    for (impression, rates) in served.impressions.iter_mut().zip(values.items) {
        impression.fields.extend(rates);
    }
    served
}

/// The share of `item`'s impressions in the window, over the whole log up to `as_of`.
fn recount(events: &[Event], rule: &RateRule, item: &str, time: i64, as_of: u64) -> Option<f64> {
    let (mut shown, mut given) = (0u32, 0u32);
    for event in events {
        let Event::Slate { seq, slate } = event else {
            continue;
        };
        let within = slate.time > time - rule.window_ms && slate.time <= time;
        let shows = slate.impressions.iter().any(|shown| shown.item == item);
        if *seq > as_of || !within || !shows {
            continue;
        }
        shown += 1;
        given += u32::from(events.iter().any(|event| {
            let Event::Feedback { seq, feedback, .. } = event else {
                return false;
            };
            *seq <= as_of
                && feedback.slate == slate.id
                && feedback.item == item
                && feedback.kind == rule.feedback
                && feedback.value.unwrap_or(1.0) > 0.0
        }));
    }
    (shown > 0).then(|| f64::from(given) / f64::from(shown))
}

fn mismatches(dir: &Path) -> (usize, usize, Vec<DerivedMismatch>) {
    let report = verify_derived(Replay::open(dir, 1, None).unwrap(), &rules()).unwrap();
    (report.slates, report.unverifiable, report.mismatches)
}

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// Minutes since the last step, minutes that the slate's time is behind, and which of the items `a` to `e` it shows.
    Slate(i64, i64, Vec<bool>),
    /// Of which slate, counted from the newest; item, kind, value.
    Feedback(usize, usize, bool, Option<f64>),
    Wait,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let value = prop_oneof![Just(None), Just(Some(0.0)), Just(Some(2.5))];
    prop_oneof![
        6 => (0..90i64, 0..300i64, proptest::collection::vec(any::<bool>(), 5))
            .prop_map(|(step, behind, shown)| Step::Slate(step, behind, shown)),
        8 => (0..6usize, 0..5usize, any::<bool>(), value)
            .prop_map(|(slate, item, like, value)| Step::Feedback(slate, item, like, value)),
        3 => Just(Step::Wait),
        1 => Just(Step::Restart),
    ]
}

fn recorder_with_rates(dir: &Path) -> Recorder {
    let recorder = open(dir, &Arc::default());
    recorder.derive_rates(&rules().rates).unwrap();
    recorder
}

/// Carries out `steps`.
fn happen(dir: &Path, steps: &[Step]) {
    const ITEMS: [&str; 5] = ["a", "b", "c", "d", "e"];
    let mut recorder = recorder_with_rates(dir);
    let (mut now, mut slates) = (10 * HOUR, 0usize);
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Slate(minutes, behind, shown) => {
                now += minutes * MINUTE;
                let items = ITEMS.iter().zip(shown).filter(|(_, shown)| **shown);
                let items: Vec<&str> = items.map(|(item, _)| *item).collect();
                let time = now - behind * MINUTE;
                let slate = served(&recorder, &format!("s{slates}"), time, "u", &items);
                recorder.record_slate(slate).unwrap();
                slates += 1;
            }
            Step::Feedback(slate, item, like, value) => {
                let slate = format!("s{}", slates.wrapping_sub(1 + slate));
                let kind = if *like { "like" } else { "click" };
                let given = feedback(&format!("f{number}"), &slate, ITEMS[*item], kind, *value);
                let given = Feedback { time: now, ..given };
                recorder.record_feedback(vec![given]).unwrap();
            }
            Step::Wait => drop(recorder.tick().unwrap().wait().unwrap()),
            Step::Restart => {
                recorder.close();
                recorder = recorder_with_rates(dir);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_was_served_is_what_the_whole_log_up_to_then_counts(steps in proptest::collection::vec(step(), 1..120)) {
        let dir = tempfile::tempdir().unwrap();
        happen(dir.path(), &steps);
        let log = events(dir.path());
        let mut slates = 0;
        for event in &log {
            let Event::Slate { seq, slate } = event else { continue };
            slates += 1;
            prop_assert!(slate.as_of < *seq);
            for shown in &slate.impressions {
                for rule in &rules().rates {
                    let expected = recount(&log, rule, &shown.item, slate.time, slate.as_of);
                    let found = shown.fields.get(&rule.field).cloned();
                    prop_assert_eq!(found, expected.map(Value::Number), "{} {}", slate.id, shown.item);
                }
            }
        }
        prop_assert_eq!(mismatches(dir.path()), (slates, 0, vec![]));
    }
}

/// Serves two slates an hour for some days, of which half are clicked a while later.
fn serve(dir: &Path, days: i64) {
    for day in 0..days {
        let recorder = recorder_with_rates(dir);
        for half_hour in 0..48 {
            let time = day * DAY + half_hour * HOUR / 2;
            let (id, before) = (format!("{day}-{half_hour}"), format!("{day}-{}", half_hour - 3));
            let slate = served(&recorder, &id, time, "u", &["a", "b"]);
            recorder.record_slate(slate).unwrap();
            let clicked = feedback(&id, &before, "a", "click", None);
            let clicked = Feedback { time, ..clicked };
            let receipt = recorder.record_feedback(vec![clicked]).unwrap();
            if half_hour % 2 == 0 {
                receipt.wait().unwrap();
            }
        }
    }
}

#[test]
fn rates_asked_for_while_slates_are_recorded_are_those_of_the_whole_log() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = open(dir.path(), &Arc::default());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..400 {
                let id = format!("s{number}");
                recorder
                    .record_slate(slate(&id, number, "u", &["a", "b"]))
                    .unwrap();
                let clicked = feedback(&id, &id, "a", "click", None);
                recorder.record_feedback(vec![clicked]).unwrap();
            }
        });
        for rate in &rules().rates {
            recorder.derive_rates(std::slice::from_ref(rate)).unwrap();
        }
    });
    recorder.tick().unwrap().wait().unwrap();
    let derived = recorder.derived();
    let values = derived.read().unwrap().values("u", ["a", "b"], 400, &rules());
    let rates = |ctr| {
        fields([
            ("ctr_1h", Value::Number(ctr)),
            ("ctr_1d", Value::Number(ctr)),
            ("likes_6h", Value::Number(0.0)),
        ])
    };
    assert_eq!(values.items, [rates(1.0), rates(0.0)]);
    assert_eq!(values.as_of, events(dir.path()).last().unwrap().seq());
}

#[test]
fn a_rate_served_otherwise_than_the_log_says_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = recorder_with_rates(dir.path());
    let mut first = served(&recorder, "s1", 0, "u", &["a"]);
    first.impressions[0]
        .fields
        .insert("ctr_1h".to_owned(), Value::Number(0.5));
    recorder.record_slate(first).unwrap().wait().unwrap();
    let mut second = served(&recorder, "s2", 1, "u", &["a"]);
    second.impressions[0].fields.remove("likes_6h");
    recorder.record_slate(second).unwrap().wait().unwrap();
    let found = |slate: &str, field: &str, served, recomputed| DerivedMismatch {
        slate: slate.to_owned(),
        item: Some("a".to_owned()),
        field: field.to_owned(),
        served,
        recomputed,
    };
    let expected = vec![
        found("s1", "ctr_1h", Some(Value::Number(0.5)), None),
        found("s2", "likes_6h", None, Some(Value::Number(0.0))),
    ];
    assert_eq!(mismatches(dir.path()), (2, 0, expected));
}

#[test]
fn where_the_oldest_days_are_gone_only_what_reaches_back_to_them_is_not_checked() {
    let dir = tempfile::tempdir().unwrap();
    serve(dir.path(), 6);
    assert_eq!(mismatches(dir.path()), (288, 0, vec![]));
    fs::remove_file(dir.path().join("log/1970-01-01.sqlite")).unwrap();
    let (slates, unverifiable, mismatches) = mismatches(dir.path());
    assert_eq!((slates, mismatches), (240, vec![]));
    // The window of a day of the day after.
    assert!((40..=56).contains(&unverifiable), "{unverifiable}");
}

#[test]
fn rates_are_read_from_the_days_that_they_reach_back_to() {
    let dir = tempfile::tempdir().unwrap();
    serve(dir.path(), 8);
    // The longest window, two days that a request may be behind, and one that a slate may be ahead.
    assert_eq!(
        Replay::start_of(dir.path(), DAY + 3 * DAY).unwrap(),
        first_of(dir.path(), 3)
    );
    assert_eq!(Replay::start_of(dir.path(), i64::MAX).unwrap(), 1);
    let recorder = recorder_with_rates(dir.path());
    let derived = recorder.derived();
    let values = derived.read().unwrap().values("u", ["a"], 8 * DAY, &rules());
    let log = events(dir.path());
    let expected = rules().rates.into_iter().filter_map(|rule| {
        let rate = recount(&log, &rule, "a", 8 * DAY, values.as_of)?;
        Some((rule.field, Value::Number(rate)))
    });
    assert_eq!(values.items, [expected.collect()]);
}

/// The first sequence of a day.
fn first_of(dir: &Path, day: i64) -> u64 {
    let starts = |event: &&Event| matches!(event, Event::Mark { time, .. } if *time == day * DAY);
    events(dir).iter().find(starts).unwrap().seq()
}

#[test]
fn a_history_alone_is_as_of_the_last_feedback_whatever_was_shown_since() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = recorder_with_rates(dir.path());
    recorder.record_slate(slate("s", 0, "u", &["a"])).unwrap();
    let clicked = vec![feedback("f", "s", "a", "click", None)];
    let clicked = recorder.record_feedback(clicked).unwrap().wait().unwrap();
    let later = recorder.record_slate(slate("s2", 0, "u", &["a"])).unwrap();
    let later = later.wait().unwrap();
    let histories = DerivedRules {
        rates: Vec::new(),
        ..rules()
    };
    let derived = recorder.derived();
    let derived = derived.read().unwrap();
    assert_eq!(derived.values("u", [], 0, &histories).as_of, clicked.last_seq);
    assert_eq!(derived.values("u", [], 0, &rules()).as_of, later.last_seq);
    assert_eq!(
        Store::open(dir.path()).unwrap().last_seq().unwrap(),
        later.last_seq
    );
}
