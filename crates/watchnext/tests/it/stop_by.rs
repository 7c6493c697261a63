//! `[train] stop_by`: which objectives' validation loss decides when training ends and which epoch is kept.

use serde_json::Value;

use crate::fixture::{Feed, edited, ended};

/// Trains with these keys added to `[train]`.
fn trained(added: &str) -> Value {
    let feed = Feed::new();
    feed.write(
        "ranker.toml",
        &edited("epochs = 3", &format!("epochs = 6\npatience = 2\n{added}")),
    );
    ended(feed.train("run", &["--no-baseline"]), 0);
    feed.metrics("run")
}

/// Each epoch's relative loss, beside the mean of those of `objectives` (by number) on the validation part.
fn losses(report: &Value, objectives: &[usize]) -> Vec<(f64, f64)> {
    let epochs = report["epochs"].as_array().unwrap().iter();
    let both = epochs.map(|epoch| {
        let ratio = |objective: &usize| {
            let metrics = &epoch["validation"]["objectives"][*objective];
            metrics["loss"].as_f64().unwrap() / metrics["constant_loss"].as_f64().unwrap()
        };
        let mean = objectives.iter().map(ratio).sum::<f64>() / objectives.len() as f64;
        (epoch["relative_loss"].as_f64().unwrap(), mean)
    });
    both.collect()
}

#[test]
fn training_stops_by_the_objectives_that_stop_by_names_else_by_all() {
    for (added, objectives) in [
        ("", &[0, 1][..]),
        ("stop_by = [\"click\"]", &[0]),
        ("stop_by = [\"watch\"]", &[1]),
    ] {
        let report = trained(added);
        let losses = losses(&report, objectives);
        for (reported, expected) in &losses {
            assert!((reported - expected).abs() < 1e-12, "{added}: {losses:?}");
        }
        let best = (0..losses.len())
            .min_by(|a, b| losses[*a].0.total_cmp(&losses[*b].0))
            .unwrap();
        assert_eq!(report["best_epoch"], best + 1, "{added}: {losses:?}");
        // Two epochs without a fall, or the last one.
        assert_eq!(losses.len(), (best + 3).min(6), "{added}: {losses:?}");
    }
}

#[test]
fn an_objective_that_there_is_not_is_refused() {
    let feed = Feed::new();
    feed.write(
        "ranker.toml",
        &edited("epochs = 3", "epochs = 3\nstop_by = [\"clik\"]"),
    );
    let [_, message] = ended(feed.train("run", &[]), 2);
    assert!(
        message.contains("`clik`") && message.contains("did you mean `click`?"),
        "{message}"
    );
}
