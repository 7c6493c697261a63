use super::*;
use crate::testing::{examples, ranker, spec, spec_with};

fn gate<'v>(verdict: &'v Verdict, name: &str) -> &'v GateResult {
    verdict
        .gates
        .iter()
        .find(|gate| gate.gate.starts_with(name))
        .unwrap()
}

#[test]
fn a_first_model_that_is_worse_than_a_constant_does_not_go_live() {
    let spec = spec();
    let held = examples(&spec, 400, 20);
    let good = Verdict::of(&ranker(&spec, 0.5), None, &[Some(0.5)], &held);
    let bad = Verdict::of(&ranker(&spec, 0.999), None, &[Some(0.5)], &held);
    assert!(!bad.passed && !gate(&bad, "click").passed, "{bad:?}");
    assert!(
        gate(&good, "click").measured.contains("over 400 examples"),
        "{good:?}"
    );
}

#[test]
fn a_weight_or_prediction_that_is_not_finite_fails_also_where_no_label_was_observed() {
    let spec = spec();
    let held = examples(&spec, 20, 5);
    let mut broken = ranker(&spec, 0.5);
    broken.weights.tables[0].embedding.weight.fill(f32::NAN);
    assert!(!gate(&Verdict::of(&broken, None, &[None], &held), "finite").passed);
}

#[test]
fn few_examples_or_people_pass_and_say_so_but_none_at_all_fails() {
    let spec = spec();
    let ours = ranker(&spec, 0.999);
    for (count, people) in [(9, 3), (50, 1)] {
        let verdict = Verdict::of(&ours, None, &[Some(0.5)], &examples(&spec, count, people));
        assert!(
            verdict.passed && gate(&verdict, "click").measured.contains("too few"),
            "{verdict:?}"
        );
    }
    assert!(!Verdict::of(&ours, None, &[Some(0.5)], &examples(&spec, 0, 1)).passed);
}

#[test]
fn a_serving_model_of_another_declaration_is_compared_where_its_fields_and_objectives_are_there() {
    let ours = spec();
    let held = examples(&ours, 400, 20);
    let bad = ranker(&ours, 0.999);
    // A further objective before ours.
    let other = spec_with(
        "[objectives]\n",
        "[objectives]\nlike = { group = \"engagement\", loss = \"binary\", absent = 0 }\n",
    );
    let serving = ranker(&other, 0.5);
    let verdict = Verdict::of(&bad, Some(("m", &serving)), &[Some(0.5)], &held);
    assert!(!gate(&verdict, "click").passed, "{verdict:?}");

    let other = spec_with(
        "age = {",
        "size = { side = \"item\", kind = \"number\" }\nage = {",
    );
    let verdict = Verdict::of(&bad, Some(("m", &ranker(&other, 0.5))), &[Some(0.5)], &held);
    let click = gate(&verdict, "click");
    assert!(
        click.passed && click.measured.contains("fields differ"),
        "{verdict:?}"
    );
}
