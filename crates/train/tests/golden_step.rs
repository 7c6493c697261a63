//! Whole training steps of a small net against what PyTorch computed; `golden/make.py` wrote the numbers.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use model::{
    Encoded, EncodedIds, Encoder, Gradients, Positions, Ranker, ScalerFit, StepKeys, TrainWorkspace, Weights,
};
use serde_json::Value;
use spec::Spec;
use train::Optimizer;

const DECLARATION: &str = include_str!("golden/ranker.toml");
const NUMBERS: &str = include_str!("golden/step.json");

/// Within which numbers agree with PyTorch's double precision, relative to the largest of their tensor.
const TOLERANCE: f32 = 4e-6;

/// Values of a list; null is NaN.
fn floats(value: &Value) -> Vec<f32> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|value| value.as_f64().map_or(f32::NAN, |value| value as f32))
        .collect()
}

fn rows(value: &Value) -> Vec<u32> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|value| value.as_u64().unwrap() as u32)
        .collect()
}

fn batch(golden: &Value, keys: u64) -> Encoded {
    let ids = ["user", "tags"].map(|name| {
        let bags = &golden[name];
        EncodedIds {
            offsets: rows(&bags["offsets"]),
            rows: rows(&bags["rows"]),
            keys: Vec::new(),
            weights: Vec::new(),
        }
    });
    let positions = rows(&golden["positions"]);
    let len = positions.len();
    let labels: Vec<Vec<f32>> = golden["labels"].as_array().unwrap().iter().map(floats).collect();
    Encoded {
        len,
        dense: floats(&golden["dense"]),
        ids: ids.to_vec(),
        cells: rows(&golden["cells"]),
        positions,
        durations: vec![Vec::new(); labels.len()],
        labels,
        weights: vec![1.0; len],
        slates: vec![0; len],
        times: vec![0; len],
        keys: (0..len as u64).map(|row| keys + row).collect(),
        users: vec![0; len],
    }
}

/// The weights of every tensor, to change, in the order of `Weights::tensors`.
fn values_mut(weights: &mut Weights) -> Vec<&mut [f32]> {
    let tables = weights
        .tables
        .iter_mut()
        .map(|table| table.embedding.weight.as_mut_slice());
    let network = weights
        .network
        .tensors_mut()
        .into_iter()
        .map(|tensor| tensor.values);
    let shallow = weights
        .shallow
        .iter_mut()
        .flat_map(|shallow| shallow.weight.iter_mut().map(Vec::as_mut_slice));
    tables.chain(network).chain(shallow).collect()
}

fn names(ranker: &Ranker) -> Vec<String> {
    ranker
        .weights
        .tensors(ranker.spec())
        .into_iter()
        .map(|tensor| tensor.name)
        .collect()
}

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

/// The ranker as the steps begin.
fn start(golden: &Value) -> Ranker {
    let spec = Arc::new(Spec::parse("ranker.toml", DECLARATION).unwrap());
    let scalers = ScalerFit::new(&spec).finish();
    let mut ranker = Ranker {
        encoder: Encoder::new(spec.clone(), scalers),
        weights: Weights::new(&spec, 0),
    };
    let names = names(&ranker);
    for (name, values) in names.iter().zip(values_mut(&mut ranker.weights)) {
        if !values.is_empty() {
            values.copy_from_slice(&floats(&golden[name]));
        }
    }
    ranker
}

#[track_caller]
fn compare(name: &str, found: &[f32], expected: &Value) {
    let expected = floats(expected);
    assert_eq!(found.len(), expected.len(), "values of `{name}`");
    let largest = expected
        .iter()
        .fold(0f32, |largest, value| largest.max(value.abs()));
    for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert!(
            (found - expected).abs() <= TOLERANCE * largest,
            "`{name}` at {at}: {found}, PyTorch {expected}"
        );
    }
}

/// Compares every tensor of `values` that has any value with the one of its name.
#[track_caller]
fn compare_all(what: &str, names: &[String], values: &[Vec<f32>], expected: &Value) {
    assert_eq!(names.len(), values.len(), "{what}");
    let filled: Vec<_> = names
        .iter()
        .zip(values)
        .filter(|(_, values)| !values.is_empty())
        .collect();
    assert_eq!(
        filled.len(),
        expected.as_object().unwrap().len(),
        "{what}: a tensor for each of PyTorch's"
    );
    for (name, values) in filled {
        compare(&format!("{what} {name}"), values, &expected[name]);
    }
}

/// The gradients of every tensor, those of tables spread over all rows.
fn gradients_of(ranker: &Ranker, gradients: &Gradients) -> Vec<Vec<f32>> {
    let tables = gradients
        .tables
        .iter()
        .zip(&ranker.weights.tables)
        .map(|(gradient, table)| {
            let mut all = vec![0.0; table.embedding.weight.len()];
            for (at, &row) in gradient.rows().iter().enumerate() {
                all[row as usize * gradient.dim()..][..gradient.dim()].copy_from_slice(gradient.row(at));
            }
            all
        });
    let network = gradients
        .network
        .tensors()
        .into_iter()
        .map(|tensor| tensor.values.to_vec());
    let shallow = gradients
        .shallow
        .iter()
        .flat_map(|shallow| shallow.weight.clone());
    tables.chain(network).chain(shallow).collect()
}

#[test]
fn predictions_losses_gradients_and_the_weights_after_one_and_three_steps_are_pytorch_s() {
    let golden: Value = serde_json::from_str(NUMBERS).unwrap();
    let mut ranker = start(&merged(&golden["start"]));
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
