use arrow_array::Array;

use super::*;
use crate::{Event, Examples, Join, JoinCounts};

/// A log in memory: what the recorder would write.
#[derive(Default)]
pub(super) struct Log {
    pub(super) events: Vec<Event>,
    users: std::collections::BTreeMap<String, String>,
}

impl Log {
    fn next(&self) -> u64 {
        self.events.len() as u64 + 1
    }

    pub(super) fn slate(&mut self, slate: Slate) -> &mut Log {
        self.users.insert(slate.id.clone(), slate.user.clone());
        self.events.push(Event::Slate {
            seq: self.next(),
            slate,
        });
        self
    }

    pub(super) fn feedback(&mut self, slate: &str, item: &str, kind: &str, value: Option<f64>) -> &mut Log {
        let seq = self.next();
        let feedback = feedback(&format!("f{seq}"), slate, item, kind, value);
        self.events.push(Event::Feedback {
            seq,
            feedback,
            user: self.users.get(slate).cloned(),
        });
        self
    }

    pub(super) fn mark(&mut self, time: i64) -> &mut Log {
        self.events.push(Event::Mark {
            seq: self.next(),
            time,
        });
        self
    }

    fn join(&self) -> (Examples, JoinCounts) {
        let mut join = Join::new(&spec());
        self.events.iter().for_each(|event| join.apply(event).unwrap());
        (join.take(), join.counts())
    }

    /// `item: rating click watch like` of each example, with `-` for not observed.
    fn labels(&self) -> Vec<String> {
        labels(&self.join().0)
    }
}

pub(super) fn labels(examples: &Examples) -> Vec<String> {
    let label = |objective: usize, row: usize| {
        let labels = examples.label(objective);
        if labels.is_null(row) {
            "-".to_owned()
        } else {
            labels.value(row).to_string()
        }
    };
    let objectives = examples
        .batch()
        .schema()
        .fields()
        .iter()
        .filter(|field| field.name().starts_with("label."))
        .count();
    let row = |row: usize| {
        let labels: Vec<String> = (0..objectives).map(|objective| label(objective, row)).collect();
        format!("{}: {}", examples.items().value(row), labels.join(" "))
    };
    (0..examples.len()).map(row).collect()
}

fn log() -> Log {
    let mut log = Log::default();
    log.slate(slate("s", 0, "u", &["a", "b"]));
    log
}

#[test]
fn a_label_closes_at_the_first_mark_past_its_window() {
    let mut log = log();
    log.feedback("s", "a", "click", None).mark(30 * MINUTE);
    assert_eq!(
        log.labels(),
        [""; 0],
        "the mark at the window's end is not past it"
    );
    log.mark(31 * MINUTE);
    assert_eq!(log.labels(), ["a: - 1 - -", "b: - 0 - -"]);
}

#[test]
fn an_example_has_the_propensity_that_its_impression_was_logged_with() {
    let mut log = Log::default();
    let mut shown = slate("s", 0, "u", &["a", "b"]);
    shown.impressions[1].propensity = Some(0.25);
    log.slate(shown).mark(HOUR);
    let (examples, _) = log.join();
    let propensities: Vec<Option<f32>> = examples.propensities().iter().collect();
    assert_eq!(propensities, [None, Some(0.25)]);
}

#[test]
fn each_window_gives_one_example_with_the_labels_that_closed_then() {
    let mut log = log();
    log.feedback("s", "a", "click", None)
        .feedback("s", "a", "play_ms", Some(500.0))
        .mark(HOUR);
    log.feedback("s", "a", "like", None)
        .mark(25 * HOUR)
        .feedback("s", "a", "rating", Some(4.0))
        .mark(8 * DAY);
    assert_eq!(
        log.labels(),
        ["a: - 1 0.25 -", "b: - 0 - -", "a: - - - 1", "a: 4 - - -"]
    );
    let (examples, counts) = log.join();
    let keys: std::collections::BTreeSet<u64> = examples.keys().iter().copied().collect();
    assert_eq!(keys.len(), 4, "a key for each slate, item and window");
    assert_eq!(
        (counts.examples, counts.empty, counts.slates, counts.feedback),
        (4, 2, 1, 4)
    );
}

#[test]
fn windows_that_pass_at_one_mark_close_in_the_order_of_slates_then_windows_then_positions() {
    let mut log = Log::default();
    let mut turned = slate("t", 0, "u", &["c", "d"]);
    turned.impressions[0].position = 9;
    log.slate(turned).slate(slate("s", -5, "u", &["a"]));
    for item in ["c", "d"] {
        log.feedback("t", item, "click", None);
    }
    log.mark(2 * DAY);
    assert_eq!(
        log.labels(),
        [
            "d: - 1 - -",
            "c: - 1 - -",
            "d: - - - 0",
            "c: - - - 0",
            "a: - 0 - -"
        ]
    );
}

#[test]
fn feedback_after_its_last_mark_is_late_and_unused() {
    let mut log = log();
    log.mark(HOUR)
        .feedback("s", "a", "click", None)
        .feedback("s", "a", "like", None)
        .mark(8 * DAY);
    log.feedback("s", "a", "rating", Some(5.0))
        .feedback("s", "a", "viewed", None)
        .mark(9 * DAY);
    let (examples, counts) = log.join();
    assert_eq!(labels(&examples), ["a: - 0 - -", "b: - 0 - -"]);
    assert_eq!((counts.late, counts.feedback), (2, 4));
}

#[test]
fn given_reads_the_label_as_it_closed_at_its_own_mark() {
    let mut log = log();
    // The click of `b` comes after the click's mark: its like is not observed.
    log.feedback("s", "a", "click", None)
        .mark(HOUR)
        .feedback("s", "b", "click", None);
    log.feedback("s", "a", "like", None)
        .feedback("s", "b", "like", None)
        .mark(25 * HOUR);
    assert_eq!(log.labels(), ["a: - 1 - -", "b: - 0 - -", "a: - - - 1"]);
}

#[test]
fn silence_means_what_absent_says() {
    let mut log = log();
    log.feedback("s", "a", "click", None).mark(8 * DAY);
    // click: 0; like of a clicked item: 0; rating given like: not observed; watch has no default: missing.
    assert_eq!(log.labels(), ["a: - 1 - -", "b: - 0 - -", "a: - - - 0"]);
}

#[test]
fn a_label_reads_feedback_values_and_raw_fields_and_is_clipped() {
    let mut log = log();
    log.feedback("s", "a", "click", None)
        .feedback("s", "a", "play_ms", Some(9e9));
    log.feedback("s", "b", "click", None)
        .feedback("s", "b", "play_ms", Some(1500.0))
        .mark(HOUR);
    assert_eq!(log.labels(), ["a: - 1 1 -", "b: - 1 0.75 -"]);
}

#[test]
fn of_two_values_of_one_kind_the_last_counts_and_the_contradiction_is_shown() {
    let mut log = log();
    log.feedback("s", "a", "click", None)
        .feedback("s", "a", "click", Some(1.0))
        .feedback("s", "a", "click", Some(0.0));
    log.mark(HOUR);
    let (examples, counts) = log.join();
    assert_eq!(labels(&examples), ["a: - 0 - -", "b: - 0 - -"]);
    assert_eq!(counts.contradictory, 1);
}

#[test]
fn a_binary_label_outside_of_its_range_is_clamped_and_counted() {
    let mut log = log();
    log.feedback("s", "a", "click", Some(3.0))
        .feedback("s", "b", "click", Some(-1.0))
        .mark(HOUR);
    let (examples, counts) = log.join();
    assert_eq!(labels(&examples), ["a: - 1 - -", "b: - 0 - -"]);
    assert_eq!(counts.contradictory, 2);
}

#[test]
fn orphans_unknown_items_and_duplicates_are_counted_and_change_nothing() {
    let mut log = log();
    log.feedback("other", "a", "click", None)
        .feedback("s", "z", "click", None)
        .feedback("s", "a", "click", None);
    log.events.push(log.events[3].clone());
    log.slate(slate("s", 5, "u", &["c"])).mark(HOUR);
    let (examples, counts) = log.join();
    assert_eq!(labels(&examples), ["a: - 1 - -", "b: - 0 - -"]);
    assert_eq!((counts.orphan, counts.unknown_item, counts.duplicate), (1, 1, 2));
}

#[test]
fn an_example_carries_the_impression_and_its_raw_values() {
    let spec = spec();
    let mut log = Log::default();
    let shared = fields([("device", text("phone")), ("history", texts(&["b"]))]);
    log.slate(Slate {
        query: Some("q".into()),
        shared,
        ..slate("s", 5, "u", &["a"])
    })
    .mark(HOUR);
    let examples = log.join().0;
    assert_eq!(
        (
            examples.times()[0],
            examples.users().value(0),
            examples.slates().value(0)
        ),
        (5, "u", "s")
    );
    assert_eq!(examples.positions().value(0), 1);
    assert_eq!(examples.id(spec.field("query").unwrap()).value(0), "q");
    assert_eq!(examples.id(spec.field("device").unwrap()).value(0), "phone");
    assert_eq!(examples.number(spec.field("age").unwrap()).value(0), 2.0);
}

#[test]
fn a_value_that_the_declaration_does_not_allow_is_an_error_that_says_where() {
    let mut shown = slate("s", 5, "u", &["a"]);
    shown.impressions[0].fields = fields([("content", Value::Numbers(vec![1.0]))]);
    let mut join = Join::new(&spec());
    join.apply(&Event::Slate { seq: 1, slate: shown }).unwrap();
    let error = join.apply(&Event::Mark { seq: 2, time: HOUR }).unwrap_err();
    assert_eq!(
        error.to_string(),
        "slate `s`: item `a`: field `content`: found 1 numbers, expected a vector of 2 finite numbers"
    );
}

#[test]
fn a_join_that_starts_at_replay_from_goes_on_as_the_one_before() {
    let mut log = Log::default();
    for number in 0..40i64 {
        let id = format!("s{number}");
        log.mark(number * 7 * HOUR)
            .slate(slate(&id, number * 7 * HOUR, "u", &["a", "b"]));
        log.feedback(&id, "a", "click", None)
            .feedback(&format!("s{}", number - 2), "a", "like", None);
        log.feedback(&format!("s{}", number - 20), "a", "rating", Some(3.0));
    }
    let mut whole = Join::new(&spec());
    for cut in 0..log.events.len() {
        whole.apply(&log.events[cut]).unwrap();
        let Event::Mark { .. } = log.events[cut] else {
            continue;
        };
        whole.take();
        let from = whole.replay_from().map_or(cut + 1, |seq| seq as usize - 1);
        let mut resumed = Join::new(&spec());
        log.events[from.min(cut + 1)..=cut]
            .iter()
            .for_each(|event| resumed.apply(event).unwrap());
        resumed.take();
        let mut straight = Join::new(&spec());
        log.events[..=cut]
            .iter()
            .for_each(|event| straight.apply(event).unwrap());
        straight.take();
        for event in &log.events[cut + 1..] {
            resumed.apply(event).unwrap();
            straight.apply(event).unwrap();
        }
        assert_eq!(
            resumed.take().to_bytes(),
            straight.take().to_bytes(),
            "cut at {cut}"
        );
    }
    assert!(whole.pending() > 0);
}
