use super::*;
use crate::testing::{examples, spec, spec_with, unlabelled};

#[test]
fn too_few_examples_or_an_objective_without_a_label_are_not_enough_to_begin_with() {
    let spec = spec();
    let reason = |count, first| not_enough(&spec, &examples(&spec, count, 10), first);
    assert!(
        reason(1, true)
            .unwrap()
            .contains("0 to learn from and 1 to judge by")
    );
    assert!(reason(110, true).is_some(), "99 to learn from");
    assert_eq!(reason(200, true), None);
    let silent = unlabelled(&spec, 200);
    assert!(
        not_enough(&spec, &silent, true)
            .unwrap()
            .contains("objective `click`")
    );
    assert_eq!(not_enough(&spec, &silent, false), None);
}

#[test]
fn a_declaration_that_is_not_the_checkpoints_is_refused_and_one_that_differs_in_training_only_is_not() {
    let ours = spec();
    demand_same_declaration(&ours, &spec_with("[score]", "[train]\nseed = 7\n\n[score]")).unwrap();
    let refused = demand_same_declaration(&ours, &spec_with("absent = 0", "absent = 1")).unwrap_err();
    assert!(
        refused.is_bad_input() && refused.to_string().contains("objectives"),
        "{refused}"
    );
    let refused = demand_same_declaration(
        &ours,
        &spec_with("kind = \"number\"", "kind = \"number\", powers = true"),
    );
    assert!(refused.unwrap_err().to_string().contains("fields"));
}

/// The declaration with a click that is biased by positions, in this form.
fn biased(form: &str) -> Arc<Spec> {
    let bias =
        format!("[bias]\nfields = [\"position\"]\ngroups = [\"engagement\"]\nform = \"{form}\"\n\n[score]");
    spec_with("[score]", &bias)
}

#[test]
fn a_form_that_is_left_open_is_chosen_on_the_first_run_and_kept() {
    let auto = biased("auto");
    let (_, taught) = Start::Spec(auto.clone())
        .teach(&examples(&auto, 400, 10), 1)
        .unwrap();
    let choice = taught.form.unwrap();
    let chosen = taught.challenger.spec().clone();
    assert_eq!(
        chosen.bias.as_ref().map(|bias| bias.form.word()),
        Some(choice.form.as_str())
    );
    assert_ne!(chosen.text, auto.text);
    // The open declaration goes with what it became, and with nothing else.
    demand_same_declaration(&chosen, &auto).unwrap();
    demand_same_declaration(&chosen, &chosen).unwrap();
    let refused = demand_same_declaration(&chosen, &biased(&choice.other)).unwrap_err();
    assert!(refused.to_string().contains("objectives"), "{refused}");
    demand_same_declaration(&biased("none"), &auto).unwrap_err();
    // A form that is named is not chosen.
    let named = biased("product");
    let (_, taught) = Start::Spec(named.clone())
        .teach(&examples(&named, 400, 10), 1)
        .unwrap();
    assert_eq!(taught.form, None);
}

#[test]
fn the_newest_checkpoints_are_kept_with_the_one_that_the_store_began_with() {
    let store = tempfile::tempdir().unwrap();
    for folder in [
        checkpoint_of(1),
        checkpoint_of(2),
        checkpoint_of(3),
        checkpoint_of(4),
        checkpoint_of(5),
        INITIAL.to_owned(),
    ] {
        std::fs::create_dir_all(store.path().join(folder)).unwrap();
    }
    prune_checkpoints(store.path(), 5);
    let mut left: Vec<_> = std::fs::read_dir(store.path().join("checkpoints"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["c-0003", "c-0004", "c-0005", "initial"]);
}
