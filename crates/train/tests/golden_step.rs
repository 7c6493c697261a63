//! Whole training steps of a small net against what PyTorch computed; `golden/make.py` wrote the numbers.
#![allow(clippy::unwrap_used)]

#[path = "golden/compare.rs"]
mod compare;

use compare::{batch, compare, compare_all, floats, gradients_of, names, rows, start, values_mut};
use model::{Gradients, Positions, StepKeys, TrainWorkspace};
use serde_json::Value;
use train::Optimizer;

const DECLARATION: &str = include_str!("golden/ranker.toml");

/// The forms of bias, as lines of `[bias]`, and PyTorch's numbers.
const FORMS: [(&str, &str); 4] = [
    ("", include_str!("golden/step.json")),
    ("form = \"product\"", include_str!("golden/product.json")),
    ("gradient_reversal = 0.5", include_str!("golden/reversal.json")),
    (
        "form = \"adversarial\"\nadversarial = 0.3",
        include_str!("golden/adversarial.json"),
    ),
];

/// PyTorch's tensors with the gates behind the experts' first layers, as the ranker has them: column blocks of one matrix.
fn merged(tensors: &Value) -> Value {
    let mut tensors = tensors.clone();
    let gates = tensors.as_object_mut().unwrap().remove("gates.weight").unwrap();
    let blocks = [floats(&tensors["experts.0.weight"]), floats(&gates)];
    let rows = 7;
    let row = |row: usize| {
        let part = |block: &Vec<f32>| {
            let cols = block.len() / rows;
            block[row * cols..][..cols].to_vec()
        };
        blocks.iter().flat_map(part).collect::<Vec<f32>>()
    };
    tensors["experts.0.weight"] = (0..rows).flat_map(row).collect::<Vec<f32>>().into();
    tensors
}

#[test]
fn predictions_losses_gradients_and_the_weights_after_one_and_three_steps_are_pytorch_s() {
    for (form, numbers) in FORMS {
        steps_are_pytorch_s(form, &serde_json::from_str(numbers).unwrap());
    }
}

fn steps_are_pytorch_s(form: &str, golden: &Value) {
    let declaration = DECLARATION.replace("[bias]", &format!("[bias]\n{form}"));
    let mut ranker = start(&declaration, &merged(&golden["start"]));
    let names = names(&ranker);
    let mut optimizer = Optimizer::new(&mut ranker);
    let (mut work, mut gradients) = (TrainWorkspace::new(&ranker, 8), Gradients::new(&ranker));
    for (step, numbers) in (1u64..).zip(golden["batches"].as_array().unwrap()) {
        let batch = batch(numbers, 100 * step);
        let predictions = ranker.predict(&batch, Positions::Logged);
        let losses = ranker.gradient(
            &batch,
            StepKeys {
                seed: 0,
                pass: 0,
                step: 0,
                first_pass: true,
            },
            &mut work,
            &mut gradients,
        );
        if step == 1 {
            compare(
                "predictions",
                &predictions.values.concat(),
                &golden["predictions"],
            );
            compare("logits", &work.logits().concat(), &golden["logits"]);
            compare(
                "losses",
                &losses.iter().map(|loss| *loss as f32).collect::<Vec<_>>(),
                &golden["losses"],
            );
            compare_all(
                "gradient of",
                &names,
                &gradients_of(&ranker, &gradients),
                &merged(&golden["gradients"]),
            );
        }
        optimizer.update(&mut ranker, &gradients, 0, work.threads());
        if let Some(expected) = golden.get(format!("after_{step}")) {
            let values: Vec<_> = values_mut(&mut ranker.weights)
                .into_iter()
                .map(|values| values.to_vec())
                .collect();
            compare_all(&format!("after step {step},"), &names, &values, &merged(expected));
        }
    }
    assert_eq!(optimizer.step, 3);
    for (table, name) in ranker.weights.tables.iter().zip(["user", "tags"]) {
        let seen: Vec<u32> = table
            .sightings
            .iter()
            .map(|sightings| u32::from(*sightings))
            .collect();
        assert_eq!(
            seen,
            rows(&golden["seen"][name]),
            "rows of `{name}` that were seen"
        );
    }
}
