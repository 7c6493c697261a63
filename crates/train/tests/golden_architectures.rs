//! One training step of each architecture, and of a conditional over the entire space, against what PyTorch computed;
//! `golden/architectures.py` wrote the numbers.
#![allow(clippy::unwrap_used)]

#[path = "golden/compare.rs"]
mod compare;

use compare::{batch, compare, compare_all, gradients_of, names, start};
use model::{Gradients, StepKeys, TrainWorkspace};
use serde_json::{Map, Value};
use train::Optimizer;

const DECLARATION: &str = include_str!("golden/ranker.toml");
const NUMBERS: &str = include_str!("golden/architectures.json");

/// The declaration with the network of a case; in the last one `like` is learned over the entire space.
fn declaration(case: &str, network: &str) -> String {
    let (before, rest) = DECLARATION.split_once("[model]\n").unwrap();
    let (_, after) = rest.split_once("\n[bias]").unwrap();
    let text = format!("{before}[model]\n{network}\n[bias]{after}");
    let like = "absent = \"missing\" }";
    match case {
        "entire-space" => text.replacen(
            like,
            "absent = \"missing\", given = \"click\", space = \"entire\" }",
            1,
        ),
        _ => text,
    }
}

#[track_caller]
fn compare_case(name: &str, case: &Value) {
    let declaration = declaration(name, case["model"].as_str().unwrap());
    let mut ranker = start(&declaration, &case["start"]);
    let (mut work, mut gradients) = (TrainWorkspace::new(&ranker, 8), Gradients::new(&ranker));
    let keys = StepKeys {
        seed: 0,
        pass: 0,
        step: 0,
        first_pass: true,
    };
    let mut optimizer = Optimizer::new(&mut ranker);
    let losses = ranker.gradient(&batch(&case["batch"], 100), keys, &mut work, &mut gradients);
    let losses: Vec<f32> = losses.iter().map(|loss| *loss as f32).collect();
    compare(
        &format!("{name}: logits"),
        &work.logits().concat(),
        &case["logits"],
    );
    compare(&format!("{name}: losses"), &losses, &case["losses"]);
    let penalty = ranker.weights.network.penalty() as f32;
    compare(
        &format!("{name}: penalty"),
        &[penalty],
        &Value::from(vec![case["penalty"].clone()]),
    );
    let names = names(&ranker);
    let found = gradients_of(&ranker, &gradients);
    compare_all(
        &format!("{name}: gradient of"),
        &names,
        &found,
        &case["gradients"],
    );
    optimizer.update(&mut ranker, &gradients, 0, work.threads());
    let after: &Map<String, Value> = case["after"].as_object().unwrap();
    for tensor in ranker.weights.network.tensors() {
        let what = format!("{name}: after the step, {}", tensor.name);
        compare(&what, tensor.values, &after[&tensor.name]);
    }
}

#[test]
fn logits_losses_gradients_and_the_weights_after_a_step_are_pytorch_s_for_each_architecture() {
    let golden: Value = serde_json::from_str(NUMBERS).unwrap();
    let cases = golden.as_object().unwrap();
    assert_eq!(cases.len(), 9);
    for (name, case) in cases {
        compare_case(name, case);
    }
}
