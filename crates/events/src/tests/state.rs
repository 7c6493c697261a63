use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::{Entity, EventsError, LearnRun, ModelRow, State};

fn model(version: &str, created_ms: i64) -> ModelRow {
    ModelRow {
        version: version.into(),
        path: format!("models/{version}"),
        created_ms,
        status: "challenger".into(),
        verdict: json!({"ne": 0.1}),
    }
}

#[test]
fn the_catalogue_comes_back_as_it_was_put_with_attributes_merged() {
    let dir = tempfile::tempdir().unwrap();
    let state = State::open(dir.path()).unwrap();
    let entity = |id: &str, fields| Entity {
        id: id.into(),
        fields,
    };
    state
        .upsert_items(&[
            entity("v1", fields([("age", Value::Number(0.1)), ("tags", texts(&[]))])),
            entity("v2", fields([("content", Value::Numbers(vec![0.1]))])),
        ])
        .unwrap();
    state
        .upsert_items(&[entity("v1", fields([("age", Value::Number(5.0))]))])
        .unwrap();
    state
        .upsert_users(&[entity("u1", fields([("country", text("de"))]))])
        .unwrap();
    let catalogue = State::open(dir.path()).unwrap().load_catalogue().unwrap();
    assert_eq!((catalogue.item_count(), catalogue.user_count()), (2, 1));
    assert_eq!(
        catalogue.item("v1").unwrap(),
        &fields([("age", Value::Number(5.0)), ("tags", texts(&[]))])
    );
    assert_eq!(catalogue.user("u1").unwrap()["country"], text("de"));
}

#[test]
fn a_roll_back_goes_to_what_served_before_step_by_step() {
    let dir = tempfile::tempdir().unwrap();
    let state = State::open(dir.path()).unwrap();
    assert_eq!(state.serving().unwrap(), None);
    for (version, created) in [("c", 3), ("a", 1), ("b", 2)] {
        state.add_model(&model(version, created)).unwrap();
    }
    let unknown = state.promote("z", 0).unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "model `z` is not in the registry; known: a, b, c"
    );
    assert!(matches!(state.rollback(0), Err(EventsError::NothingBefore)));
    for version in ["a", "b", "b", "c"] {
        state.promote(version, 10).unwrap();
        assert_eq!(state.serving().unwrap().as_deref(), Some(version));
    }
    assert_eq!(state.rollback(11).unwrap(), "b");
    state.promote("c", 12).unwrap();
    assert_eq!(state.rollback(13).unwrap(), "b");
    assert_eq!(state.rollback(14).unwrap(), "a");
    assert_eq!(state.serving().unwrap().as_deref(), Some("a"));
    assert!(matches!(state.rollback(15), Err(EventsError::NothingBefore)));
    let models = state.models().unwrap();
    assert_eq!(
        models[0],
        ModelRow {
            status: "promoted".into(),
            ..model("a", 1)
        }
    );
}

#[test]
fn score_versions_count_up_and_the_newest_is_in_force() {
    let dir = tempfile::tempdir().unwrap();
    let state = State::open(dir.path()).unwrap();
    assert_eq!(state.score().unwrap(), None);
    let weights = |click: f64| BTreeMap::from([("click".to_owned(), click)]);
    assert_eq!(state.put_score(&weights(1.0), 5).unwrap(), 1);
    assert_eq!(state.put_score(&weights(0.1), 6).unwrap(), 2);
    let newest = state.score().unwrap().unwrap();
    assert_eq!(
        (newest.version, newest.weights, newest.created_ms),
        (2, weights(0.1), 6)
    );
    assert_eq!(state.scores().unwrap().len(), 2);
}

#[test]
fn learner_runs_and_figures_come_back_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let state = State::open(dir.path()).unwrap();
    let run = |run: i64| LearnRun {
        run,
        from_seq: 1,
        mark_seq: 2,
        replay_from: 3,
        trained: 4,
        held: 5,
        model: "m".into(),
        checkpoint: "c".into(),
        details: json!({"lag": [1, 2]}),
    };
    state.add_learn_run(&run(2)).unwrap();
    state.add_learn_run(&run(1)).unwrap();
    assert!(state.add_learn_run(&run(1)).is_err());
    assert_eq!(state.learn_runs().unwrap(), [run(1), run(2)]);
    for (key, row) in [(2, json!(2)), (1, json!(1)), (2, json!("new"))] {
        state.put_figure("days", key, &row).unwrap();
    }
    assert_eq!(state.figures("days").unwrap(), [json!(1), json!("new")]);
    assert!(state.figures("other").unwrap().is_empty());
}

#[test]
fn the_data_version_changes_when_another_connection_committed() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, other) = (State::open(dir.path()).unwrap(), State::open(dir.path()).unwrap());
    let before = ours.data_version().unwrap();
    ours.add_model(&model("a", 0)).unwrap();
    assert_eq!(ours.data_version().unwrap(), before);
    other.promote("a", 0).unwrap();
    assert_ne!(ours.data_version().unwrap(), before);
    assert_eq!(ours.serving().unwrap().as_deref(), Some("a"));
}

#[test]
fn many_roles_write_at_once_and_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for role in 0..4 {
            let dir = dir.path();
            scope.spawn(move || {
                let state = State::open(dir).unwrap();
                for key in 0..20 {
                    state.put_figure("t", role * 100 + key, &json!(key)).unwrap();
                }
            });
        }
    });
    assert_eq!(State::open(dir.path()).unwrap().figures("t").unwrap().len(), 80);
}
