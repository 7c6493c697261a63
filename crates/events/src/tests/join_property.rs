use std::collections::BTreeMap;

use spec::{Absent, Loss, Spec};

use super::join::{Log, labels};
use super::*;
use crate::{Event, Join};

const CHAINS: &str = r#"
[fields]
item = { side = "item", kind = "id", dim = 4, buckets = 100 }
age = { side = "item", kind = "number" }
[objectives]
c = { group = "g", loss = "squared", label = "(k1 + k2) / age", given = "b", window = "9s" }
b = { group = "g", loss = "binary", label = "k1", absent = 1, given = "a", window = "5s" }
a = { group = "g", loss = "binary", label = "k0", absent = 0, window = "5s" }
d = { group = "g", loss = "squared", label = "k0 - k2", clip = [-1, 1], window = "2s" }
[model]
architecture = "shared-bottom"
shared = [8]
[score]
a = 1.0
"#;

#[derive(Debug, Clone)]
enum Step {
    Slate,
    Feedback(usize, &'static str, usize, Option<f64>),
    Mark,
}

fn any_step() -> impl Strategy<Value = Step> {
    let value = prop_oneof![
        Just(None),
        (0..4i32).prop_map(|value| Some(f64::from(value) - 1.0))
    ];
    prop_oneof![
        1 => Just(Step::Slate),
        4 => (0..6usize, prop_oneof![Just("x"), Just("y"), Just("z")], 0..3usize, value)
            .prop_map(|(slate, item, kind, value)| Step::Feedback(slate, item, kind, value)),
        2 => Just(Step::Mark),
    ]
}

fn log(steps: &[(i64, Step)]) -> Vec<Event> {
    let mut log = Log::default();
    let (mut now, mut slates) = (0, 0);
    for (passed, step) in steps {
        now += passed * 700;
        match step {
            Step::Slate => {
                // Clients' clocks differ: times of slates go up and down.
                log.slate(slate(&format!("s{slates}"), now - passed * 300, "u", &["x", "y"]));
                slates += 1;
            }
            Step::Feedback(back, item, kind, value) => {
                let slate = slates - 1 - *back as i64;
                log.feedback(&format!("s{slate}"), item, &format!("k{kind}"), *value);
            }
            Step::Mark => {
                log.mark(now);
            }
        }
    }
    log.events
}

/// The obvious join: for each mark, slate, window, position and objective, all feedback is looked at again.
fn obvious(spec: &Spec, events: &[Event]) -> Vec<String> {
    let mut windows: Vec<i64> = spec
        .objectives
        .iter()
        .map(|objective| objective.window_ms)
        .collect();
    windows.sort();
    windows.dedup();
    let closes_at = |slate: &Slate, seq: u64, window: i64| {
        let past = |event: &&Event| matches!(event, Event::Mark { seq: at, time } if *at > seq && *time > slate.time + window);
        events.iter().find(past).map(Event::seq)
    };
    let mut rows = Vec::new();
    for mark in events {
        let Event::Mark { seq: now, .. } = mark else {
            continue;
        };
        for shown in events {
            let Event::Slate { seq, slate } = shown else {
                continue;
            };
            for &window in windows
                .iter()
                .filter(|window| closes_at(slate, *seq, **window) == Some(*now))
            {
                for impression in &slate.impressions {
                    let label = |objective: usize| {
                        let close = closes_at(slate, *seq, spec.objectives[objective].window_ms).unwrap();
                        label(
                            spec, events, slate, impression, objective, close, &closes_at, *seq,
                        )
                    };
                    let all: Vec<Option<f32>> = (0..spec.objectives.len())
                        .map(|objective| {
                            (spec.objectives[objective].window_ms == window)
                                .then(|| label(objective))
                                .flatten()
                        })
                        .collect();
                    if all.iter().any(Option::is_some) {
                        let texts: Vec<String> = all
                            .iter()
                            .map(|label| label.map_or("-".to_owned(), |label| label.to_string()))
                            .collect();
                        rows.push(format!("{}: {}", impression.item, texts.join(" ")));
                    }
                }
            }
        }
    }
    rows
}

#[allow(clippy::too_many_arguments)]
fn label(
    spec: &Spec,
    events: &[Event],
    slate: &Slate,
    impression: &Impression,
    objective: usize,
    close: u64,
    closes_at: &dyn Fn(&Slate, u64, i64) -> Option<u64>,
    seq: u64,
) -> Option<f32> {
    let declared = &spec.objectives[objective];
    if let Some(given) = declared.given {
        let its_close = closes_at(slate, seq, spec.objectives[given].window_ms)?;
        if label(spec, events, slate, impression, given, its_close, closes_at, seq) != Some(1.0) {
            return None;
        }
    }
    let mut said: BTreeMap<&str, f64> = BTreeMap::new();
    for event in events {
        if let Event::Feedback {
            seq,
            feedback,
            user: Some(_),
        } = event
            && *seq < close
            && feedback.slate == slate.id
            && feedback.item == impression.item
        {
            said.insert(&feedback.kind, feedback.value.unwrap_or(1.0));
        }
    }
    let names = declared.label.names();
    let value = if names
        .iter()
        .all(|name| *name == "age" || !said.contains_key(name))
    {
        match declared.absent {
            Absent::Missing => None,
            Absent::Value(value) => Some(f64::from(value)),
        }
    } else {
        declared.label.evaluate(&mut |input| {
            if input.name() == "age" {
                Some(2.0)
            } else {
                said.get(input.name()).copied()
            }
        })
    }?;
    let value = match (declared.loss, declared.clip) {
        (Loss::Binary, _) => value.clamp(0.0, 1.0),
        (Loss::Squared, Some((low, high))) => value.clamp(low.into(), high.into()),
        (Loss::Squared, None) => value,
        (loss, _) => panic!("`CHAINS` has no objective of loss {loss:?}"),
    };
    Some(value as f32)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn the_join_gives_what_the_obvious_quadratic_one_gives(steps in proptest::collection::vec((0..6i64, any_step()), 0..60)) {
        let spec = parse(CHAINS);
        let events = log(&steps);
        let mut join = Join::new(&spec);
        events.iter().for_each(|event| join.apply(event).unwrap());
        let examples = join.take();
        prop_assert_eq!(labels(&examples), obvious(&spec, &events));
        prop_assert_eq!(join.counts().examples, examples.len() as u64);
    }
}
