//! Golden vectors as Rust reads them, and layers with their weights.

use std::collections::BTreeMap;

use nn::{Bags, Embedding, Experts, SparseGrad};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use serde_json::Value;

/// The values of one of the files beside this one, by name.
pub struct Golden(pub BTreeMap<String, Value>);

macro_rules! golden {
    ($name:literal) => {
        $crate::vectors::Golden(serde_json::from_str(include_str!(concat!($name, ".json"))).unwrap())
    };
}

impl Golden {
    /// Values by name; null is NaN.
    pub fn get(&self, name: &str) -> Vec<f32> {
        let values = self.0[name].as_array().unwrap();
        let number = |value: &Value| value.as_f64().map_or(f32::NAN, |v| v as f32);
        values.iter().map(number).collect()
    }

    pub fn number(&self, name: &str) -> f64 {
        self.0[name].as_f64().unwrap()
    }

    /// Asserts that `found` are the values `name`, within `tolerance` of the largest of them.
    #[track_caller]
    pub fn compare_within(&self, name: &str, found: &[f32], tolerance: f32) {
        let expected = self.get(name);
        assert_eq!(found.len(), expected.len(), "values of `{name}`");
        let largest = expected.iter().fold(0f32, |l, v| l.max(v.abs()));
        for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert!(
                (found - expected).abs() <= tolerance * largest,
                "`{name}` at {i}: {found}, PyTorch {expected}"
            );
        }
    }

    #[track_caller]
    pub fn compare(&self, name: &str, found: &[f32]) {
        self.compare_within(name, found, 2e-6);
    }
}

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(0)
}

/// Experts with the weights of `golden`, and gates with these, `[inputs, gates * count]`, in the columns behind.
pub fn experts_of(
    golden: &Golden,
    inputs: usize,
    count: usize,
    widths: &[usize],
    gate_weights: &[f32],
) -> Experts {
    let gate_columns = gate_weights.len() / inputs;
    let mut experts = Experts::new(inputs, count, widths, gate_columns, &mut rng());
    let (first_width, outputs) = (experts.first_width(), experts.first.outputs);
    let weights = golden.get("first_weight");
    for (i, row) in experts.first.weight.chunks_mut(outputs).enumerate() {
        let (of_experts, of_gates) = row.split_at_mut(first_width);
        of_experts.copy_from_slice(&weights[i * first_width..][..first_width]);
        let gate_cols = of_gates.len();
        of_gates.copy_from_slice(&gate_weights[i * gate_cols..][..gate_cols]);
    }
    experts.first.bias[..first_width].copy_from_slice(&golden.get("first_bias"));
    let (weights, biases) = (golden.get("rest_weights"), golden.get("rest_biases"));
    let (mut weights, mut biases) = (weights.into_iter(), biases.into_iter());
    for dense in experts.rest.iter_mut().flatten() {
        dense.weight.fill_with(|| weights.next().unwrap());
        dense.bias.fill_with(|| biases.next().unwrap());
    }
    experts
}

/// Compares all of a gradient but that of the gates, which comes back.
pub fn compare_experts(golden: &Golden, grad: &Experts) -> Vec<f32> {
    let rows = || grad.first.weight.chunks(grad.first.outputs);
    let own = grad.first_width();
    let first: Vec<f32> = rows().flat_map(|row| row[..own].to_vec()).collect();
    golden.compare("d_first_weight", &first);
    golden.compare("d_first_bias", &grad.first.bias[..own]);
    let rest = || grad.rest.iter().flatten();
    let weights: Vec<f32> = rest().flat_map(|dense| dense.weight.clone()).collect();
    let biases: Vec<f32> = rest().flat_map(|dense| dense.bias.clone()).collect();
    golden.compare("d_rest_weights", &weights);
    golden.compare("d_rest_biases", &biases);
    rows().flat_map(|row| row[own..].to_vec()).collect()
}

/// The bags of every case with a table.
pub const BAGS: Bags = Bags {
    offsets: &[0, 3, 3, 4, 8, 10],
    rows: &[2, 0, 2, 5, 1, 1, 0, 6, 6, 3],
    weights: &[],
};

pub fn table_of(weight: Vec<f32>, rows: usize) -> Embedding {
    let dim = weight.len() / rows;
    Embedding { weight, rows, dim }
}

/// The gradient of the whole table.
pub fn spread(grad: &SparseGrad, rows: usize) -> Vec<f32> {
    let mut all = vec![0.0; rows * grad.dim()];
    for (i, row) in grad.rows().iter().enumerate() {
        all[*row as usize * grad.dim()..][..grad.dim()].copy_from_slice(grad.row(i));
    }
    all
}
