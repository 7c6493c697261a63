use super::*;
use crate::tests::{DAY, HOUR, feedback, fields, slate};
use crate::{Derived, DerivedRules, Value};

fn rule(window_ms: i64) -> RateRule {
    RateRule {
        field: "ctr".to_owned(),
        feedback: "click".to_owned(),
        window_ms,
    }
}

/// Rates of clicks that keep `kept` impressions of an item, and `spare` beside them.
fn rates(window_ms: i64, kept: usize, spare: usize) -> Rates {
    Rates {
        kept,
        spare,
        ..Rates::new(&[rule(window_ms)])
    }
}

fn show(rates: &mut Rates, seq: u64, time: i64, items: &[&str]) {
    rates.apply_slate(seq, &slate(&format!("s{seq}"), time, "u", items));
}

fn click(rates: &mut Rates, seq: u64, slate: u64, item: &str) {
    rates.apply(
        seq,
        &feedback(&format!("f{seq}"), &format!("s{slate}"), item, "click", None),
    );
}

fn now(rates: &Rates, item: &str, time: i64) -> Option<f64> {
    rates.now(item, &rule(rates.longest_ms), time)
}

#[test]
fn a_rate_is_the_share_of_the_impressions_in_the_window_that_were_clicked() {
    let mut rates = rates(HOUR, 100, 100);
    assert_eq!(now(&rates, "a", 0), None);
    show(&mut rates, 1, 0, &["a", "b"]);
    show(&mut rates, 2, 10, &["a"]);
    show(&mut rates, 3, 20, &["a"]);
    assert_eq!(now(&rates, "a", 20), Some(0.0));
    click(&mut rates, 4, 2, "a");
    assert_eq!(now(&rates, "a", 20), Some(1.0 / 3.0));
    assert_eq!(now(&rates, "a", 10), Some(1.0 / 2.0));
    assert_eq!(now(&rates, "a", 9), Some(0.0));
    assert_eq!(now(&rates, "b", 20), Some(0.0));
    // A window is open at its beginning.
    assert_eq!(now(&rates, "a", HOUR - 1), Some(1.0 / 3.0));
    assert_eq!(now(&rates, "a", HOUR), Some(1.0 / 2.0));
    assert_eq!(now(&rates, "a", HOUR + 10), Some(0.0));
    assert_eq!(now(&rates, "a", HOUR + 20), None);
    assert_eq!(now(&rates, "a", -1), None);
}

#[test]
fn a_click_counts_once_on_an_impression_and_not_at_all_on_what_was_not_shown() {
    let mut rates = rates(HOUR, 100, 100);
    show(&mut rates, 1, 0, &["a"]);
    show(&mut rates, 2, 0, &["a", "b"]);
    click(&mut rates, 3, 2, "a");
    click(&mut rates, 4, 2, "a");
    click(&mut rates, 5, 1, "b");
    click(&mut rates, 6, 1, "c");
    click(&mut rates, 7, 9, "a");
    rates.apply(8, &feedback("f8", "s1", "a", "like", None));
    assert_eq!(now(&rates, "a", 0), Some(0.5));
    assert_eq!(now(&rates, "b", 0), Some(0.0));
    assert_eq!(now(&rates, "c", 0), None);
}

#[test]
fn feedback_counts_where_it_is_above_0_and_at_the_time_of_its_impression() {
    let rules = DerivedRules {
        histories: Vec::new(),
        rates: vec![rule(HOUR)],
    };
    let mut derived = Derived::new(&rules.rates);
    let value = |derived: &Derived, time| derived.values("u", ["a"], time, &rules).items.remove(0);
    derived.apply_slate(1, &slate("s1", 0, "u", &["a"]));
    derived.apply(2, "u", &feedback("f1", "s1", "a", "click", Some(0.0)));
    assert_eq!(value(&derived, 1), fields([("ctr", Value::Number(0.0))]));
    let mut late = feedback("f2", "s1", "a", "click", Some(2.0));
    late.time = 5 * HOUR;
    derived.apply(3, "u", &late);
    assert_eq!(value(&derived, 1), fields([("ctr", Value::Number(1.0))]));
    assert_eq!(value(&derived, 5 * HOUR), fields([]));
    assert_eq!(derived.values("u", ["a"], 1, &rules).as_of, 3);
    derived.apply_slate(4, &slate("s2", 0, "u", &["b"]));
    assert_eq!((derived.as_of(), derived.seen()), (3, 4));
    assert_eq!(derived.values("u", ["a"], 1, &rules).as_of, 4);
    assert_eq!(derived.values("u", ["a"], 1, &DerivedRules::default()).as_of, 3);
}

#[test]
fn beyond_its_most_impressions_an_items_newest_count_and_then_too_values_of_before_are_those_of_then_or_none()
{
    let mut rates = rates(DAY, 4, 3);
    let mut then = vec![None];
    for seq in 1..=100u64 {
        // Times go to and fro.
        let time = (seq as i64) * 10 - (seq as i64 % 3) * 15;
        if seq % 4 == 0 {
            click(&mut rates, seq, seq - 3, "a");
        } else {
            show(&mut rates, seq, time, &["a"]);
        }
        then.push(now(&rates, "a", 2_000));
    }
    assert_eq!(rates.items[0].count(0, whole(), u64::MAX, 4).unwrap().shown, 4);
    let mut known = 0;
    for (as_of, then) in then.iter().enumerate() {
        let value = rates.at("a", &rule(DAY), 2_000, as_of as u64);
        assert!(value.is_none_or(|value| value == *then), "at {as_of}");
        known += usize::from(value.is_some());
    }
    assert!((4..=10).contains(&known), "{known}");
}

fn whole() -> Window {
    Window {
        after: i64::MIN,
        until: i64::MAX,
    }
}

#[test]
fn what_no_window_reaches_any_more_goes_and_the_memory_with_it() {
    let mut rates = rates(DAY, 100, 100);
    for seq in 1..=5_000u64 {
        let time = seq as i64 * HOUR;
        let item = format!("v{seq}");
        show(&mut rates, seq, time, &[&item, "a"]);
        assert_eq!(now(&rates, &item, time), Some(0.0));
    }
    // Three days of one slate an hour, and what still waits for its turn.
    assert_eq!((rates.slates.len(), rates.order.len()), (72, 72));
    assert!(rates.items.len() < 300, "{}", rates.items.len());
    assert_eq!(rates.places.len(), rates.items.len());
    for (place, item) in rates.items.iter().enumerate() {
        assert_eq!(rates.places[item.id()], place);
    }
    let last = 5_000 * HOUR;
    assert_eq!(now(&rates, "v5000", last), Some(0.0));
    assert_eq!(now(&rates, "v4970", last), None);
    // A request as far behind as is allowed sees all of its window, and one that is further behind nothing.
    let behind = last - LATE_MS + 1;
    click(&mut rates, 5_001, 5_000 - 71, "a");
    assert_eq!(now(&rates, "a", behind), Some(1.0 / 24.0));
    assert_eq!(now(&rates, "a", last - LATE_MS), None);
    assert_eq!(rates.at("a", &rule(DAY), last - LATE_MS, 5_001), None);
}

#[test]
fn rates_cover_the_kinds_and_windows_that_they_were_made_for() {
    let rates = rates(HOUR, 1, 1);
    let like = RateRule {
        feedback: "like".to_owned(),
        ..rule(DAY)
    };
    assert!(rates.cover(&[rule(HOUR), rule(HOUR - 1)]) && rates.cover(&[]));
    assert!(!rates.cover(&[rule(HOUR + 1)]) && !rates.cover(std::slice::from_ref(&like)));
    let both = rates.extended(std::slice::from_ref(&like));
    assert!(both.cover(&[rule(DAY), like]));
    assert_eq!(both.kinds, ["click", "like"]);
}
