//! What the golden steps share: PyTorch's numbers as batches, weights and gradients, and comparisons with them.

use std::sync::Arc;

use model::{Adversary, Encoded, EncodedIds, Encoder, Gradients, Ranker, ScalerFit, ShallowTower, Weights};
use serde_json::Value;
use spec::Spec;

/// Within which numbers agree with PyTorch's double precision, relative to the largest of their tensor.
const TOLERANCE: f32 = 4e-6;

/// Values of a list; null is NaN.
pub fn floats(value: &Value) -> Vec<f32> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|value| value.as_f64().map_or(f32::NAN, |value| value as f32))
        .collect()
}

pub fn rows(value: &Value) -> Vec<u32> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|value| value.as_u64().unwrap() as u32)
        .collect()
}

pub fn batch(golden: &Value, keys: u64) -> Encoded {
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
        propensities: Vec::new(),
        slates: vec![0; len],
        shuffled: vec![false; len],
        times: vec![0; len],
        keys: (0..len as u64).map(|row| keys + row).collect(),
        users: vec![0; len],
    }
}

/// The weights of every tensor, to change, in the order of `Weights::tensors`.
pub fn values_mut(weights: &mut Weights) -> Vec<&mut [f32]> {
    let tables = weights
        .tables
        .iter_mut()
        .map(|table| table.embedding.weight.as_mut_slice());
    let network = weights
        .network
        .tensors_mut()
        .into_iter()
        .map(|tensor| tensor.values);
    // `bias_parts_mut` borrows all weights.
    let shallow = weights.shallow.iter_mut().flat_map(ShallowTower::parts_mut);
    let adversary = weights.adversary.iter_mut().flat_map(Adversary::parts_mut);
    tables.chain(network).chain(shallow).chain(adversary).collect()
}

pub fn names(ranker: &Ranker) -> Vec<String> {
    ranker
        .weights
        .tensors(ranker.spec())
        .into_iter()
        .map(|tensor| tensor.name)
        .collect()
}

/// A ranker of `declaration` with these weights.
pub fn start(declaration: &str, golden: &Value) -> Ranker {
    let spec = Arc::new(Spec::parse("ranker.toml", declaration).unwrap());
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
pub fn compare(name: &str, found: &[f32], expected: &Value) {
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
pub fn compare_all(what: &str, names: &[String], values: &[Vec<f32>], expected: &Value) {
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
pub fn gradients_of(ranker: &Ranker, gradients: &Gradients) -> Vec<Vec<f32>> {
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
    let of_bias = gradients.bias_parts().map(<[f32]>::to_vec);
    tables.chain(network).chain(of_bias).collect()
}
