//! The whole loop, small: a simulated world uses the service over HTTP, and its log replays to the byte.

use serde_json::Value;

use crate::fixture::{run, run_well};

#[test]
fn the_loop_turns_and_replaying_its_log_gives_the_same_examples_models_and_derived_fields() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store").display().to_string();
    let arguments = [
        "demo", "--once", "--json", "--days", "2", "--visits", "120", "--seed", "5", "--store", &store,
    ];
    // Two short days need not be won; what is asked here is that they were lived.
    let first: Value = serde_json::from_slice(&run(&arguments).stdout).unwrap();
    let days = first["days"].as_array().unwrap();
    assert_eq!(days.len(), 3);
    assert_eq!(days[0]["ranker"], "wrong logger");
    assert_eq!(days[1]["ranker"], "m-0001");

    let report: Value = serde_json::from_str(&run_well(&["verify", "--json", "--store", &store])).unwrap();
    let runs = report["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 3);
    for run in runs {
        assert!(run["same_examples"] == true && run["same_model"] == true, "{run}");
        assert!(run["examples"].as_u64().unwrap() > 500, "{run}");
    }
    assert_eq!(report["slates"], 360);
    assert_eq!(report["mismatches"], 0);

    // The same seed lives the same days.
    let again = dir.path().join("again").display().to_string();
    let mut arguments = arguments;
    arguments[10] = &again;
    let second: Value = serde_json::from_slice(&run(&arguments).stdout).unwrap();
    assert_eq!(first, second);
}

#[test]
fn a_log_that_was_tampered_with_no_longer_verifies() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    let text = store.display().to_string();
    run(&[
        "demo", "--once", "--json", "--days", "1", "--visits", "60", "--store", &text,
    ]);
    let day = std::fs::read_dir(store.join("log"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let day = day
        .filter(|path| path.extension().is_some_and(|extension| extension == "sqlite"))
        .min()
        .unwrap();
    let connection = rusqlite::Connection::open(day).unwrap();
    let gone = connection
        .execute("DELETE FROM feedback WHERE kind = 'click' AND seq IN (SELECT min(seq) FROM feedback WHERE kind = 'click')", [])
        .unwrap();
    assert_eq!(gone, 1);
    drop(connection);
    let output = run(&["verify", "--store", &text]);
    assert_eq!(
        output.status.code(),
        Some(1),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}
