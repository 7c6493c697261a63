use super::*;
use crate::Trainer;
use crate::testing::{ranker, spec};

fn run_of(dir: &Path, mean: f64) {
    let ranker = ranker(&spec(), mean);
    artifact::write(&dir.join("model"), &ranker, &serde_json::Value::Null).unwrap();
    let checkpoint = Checkpoint::of(&Trainer::new(ranker)).unwrap();
    checkpoint.write(&dir.join("checkpoint")).unwrap();
}

#[test]
fn importing_the_same_run_again_changes_nothing_and_another_run_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let [store, run, other] = ["store", "run", "other"].map(|name| dir.path().join(name));
    run_of(&run, 0.5);
    run_of(&other, 0.25);
    for now_ms in [1, 2] {
        assert_eq!(import_run(&store, &run, now_ms).unwrap(), "m-0001");
    }
    let state = State::open(&store).unwrap();
    assert_eq!(state.models().unwrap().len(), 1);
    let refused = import_run(&store, &other, 3).unwrap_err();
    assert!(
        refused.is_bad_input() && refused.to_string().contains("another model"),
        "{refused}"
    );
}

#[test]
fn an_import_that_a_crash_cut_short_may_be_tried_again_also_with_another_run() {
    let dir = tempfile::tempdir().unwrap();
    let [store, run, other] = ["store", "run", "other"].map(|name| dir.path().join(name));
    run_of(&run, 0.5);
    run_of(&other, 0.25);
    let unfinished = Checkpoint::read(&other.join("checkpoint")).unwrap();
    unfinished.write(&store.join(INITIAL)).unwrap();
    run_of(&store.join("leftover"), 0.25);
    std::fs::create_dir_all(store.join("models")).unwrap();
    std::fs::rename(store.join("leftover/model"), store.join("models/m-0001")).unwrap();
    assert!(!is_complete(&State::open(&store).unwrap()).unwrap());

    assert_eq!(import_run(&store, &run, 1).unwrap(), "m-0001");
    let checkpoint = Checkpoint::read(&store.join(INITIAL)).unwrap();
    assert!(checkpoint == Checkpoint::read(&run.join("checkpoint")).unwrap());
    let (served, imported) = (store.join("models/m-0001"), run.join("model"));
    assert_eq!(
        artifact::read(&served).unwrap().weights,
        artifact::read(&imported).unwrap().weights
    );
}

#[test]
fn nothing_is_imported_while_a_learner_is_at_work() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    run_of(&run, 0.5);
    let store = dir.path().join("store");
    let _lock = RoleLock::take(&store, "learner").unwrap();
    assert!(import_run(&store, &run, 1).is_err());
}
