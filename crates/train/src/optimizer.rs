//! The optimizers of one ranker: Adam for the dense part, row-wise Adagrad or Adam for tables, Adam at its own rate for the
//! shallow tower.

use std::path::Path;

use model::artifact::TensorFile;
use model::{Gradients, IdTable, ModelError, Ranker};
use nn::{Adam, Moments, RowAdagrad};
use spec::TableOptimizer;

/// Epsilon of row-wise Adagrad, inside the root's denominator.
const ADAGRAD_EPSILON: f32 = 1e-8;

/// State of all optimizers.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimizer {
    /// Steps taken.
    pub step: u64,
    network: Vec<Moments>,
    tables: Vec<TableState>,
    shallow: Vec<Moments>,
}

#[derive(Debug, Clone, PartialEq)]
enum TableState {
    /// Sum of mean squared gradients per row.
    Adagrad(Vec<f32>),
    Adam(Moments),
}

impl TableState {
    /// Makes room for the rows that `table` has gained, and begins anew at those that it gave to another id in this step.
    fn follow_rows(&mut self, table: &IdTable) {
        let resize = |values: &mut Vec<f32>, width: usize| {
            let len = table.embedding.rows * width;
            values.reserve_exact(len.saturating_sub(values.len()));
            values.resize(len, 0.0);
            for &row in table.assigned() {
                values[row as usize * width..][..width].fill(0.0);
            }
        };
        match self {
            TableState::Adagrad(accumulators) => resize(accumulators, 1),
            TableState::Adam(moments) => {
                resize(&mut moments.first, table.embedding.dim);
                resize(&mut moments.second, table.embedding.dim);
            }
        }
    }
}

impl Optimizer {
    /// No step taken.
    pub fn new(ranker: &mut Ranker) -> Optimizer {
        let adagrad = ranker.spec().train.table_optimizer == TableOptimizer::Adagrad;
        let tables = ranker.weights.tables.iter().map(|table| {
            if adagrad {
                TableState::Adagrad(vec![0.0; table.embedding.rows])
            } else {
                TableState::Adam(Moments::new(table.embedding.weight.len()))
            }
        });
        Optimizer {
            step: 0,
            tables: tables.collect(),
            network: ranker
                .weights
                .network
                .tensors()
                .iter()
                .map(|tensor| Moments::new(tensor.values.len()))
                .collect(),
            shallow: shallow_weights(ranker)
                .map(|weight| Moments::new(weight.len()))
                .collect(),
        }
    }

    /// Updates every weight by its gradient.
    pub fn update(&mut self, ranker: &mut Ranker, gradients: &mut Gradients) {
        self.step += 1;
        let spec = ranker.spec().clone();
        let train = &spec.train;
        let dense = Adam::with_rate(train.learning_rate);
        let weights = ranker
            .weights
            .network
            .tensors_mut()
            .into_iter()
            .zip(gradients.network.tensors());
        for ((weight, gradient), moments) in weights.zip(&mut self.network) {
            let l2 = if weight.decays { train.l2 } else { 0.0 };
            dense.step(self.step, l2, weight.values, gradient.values, moments);
        }
        let tables = ranker
            .weights
            .tables
            .iter_mut()
            .zip(&gradients.tables)
            .zip(&mut self.tables);
        for ((table, gradient), state) in tables {
            state.follow_rows(table);
            match state {
                TableState::Adagrad(accumulators) => RowAdagrad {
                    rate: train.table_learning_rate,
                    epsilon: ADAGRAD_EPSILON,
                }
                .step_rows(&mut table.embedding, gradient, accumulators),
                TableState::Adam(moments) => Adam::with_rate(train.table_learning_rate).step_rows(
                    self.step,
                    &mut table.embedding,
                    gradient,
                    moments,
                ),
            }
        }
        if let (Some(bias), Some(shallow), Some(gradient)) =
            (&spec.bias, &mut ranker.weights.shallow, &gradients.shallow)
        {
            let adam = Adam::with_rate(train.learning_rate * bias.learning_rate_scale);
            for ((weight, gradient), moments) in shallow
                .weight
                .iter_mut()
                .zip(&gradient.weight)
                .zip(&mut self.shallow)
            {
                adam.step(self.step, 0.0, weight, gradient, moments);
            }
        }
    }

    /// The state as one safetensors file.
    ///
    /// # Errors
    /// When it cannot be serialised.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelError> {
        let mut file = TensorFile::default();
        for (name, values) in self.parts() {
            file.add_f32(name, vec![values.len()], values);
        }
        file.to_bytes()
    }

    /// Reads the state back into one made for the same ranker.
    ///
    /// # Errors
    /// Which tensor is missing or of another size.
    pub fn fill(&mut self, path: &Path, bytes: &[u8], step: u64) -> Result<(), ModelError> {
        let file = TensorFile::from_bytes(path, bytes)?;
        self.step = step;
        let names: Vec<String> = self.parts().into_iter().map(|(name, _)| name).collect();
        for (name, values) in names.iter().zip(self.parts_mut()) {
            file.fill_f32(path, name, values)?;
        }
        Ok(())
    }

    fn parts(&self) -> Vec<(String, &[f32])> {
        let mut parts: Vec<(String, &[f32])> = Vec::new();
        for (kind, moments) in [("network", &self.network), ("shallow", &self.shallow)] {
            for (at, moments) in moments.iter().enumerate() {
                parts.push((format!("{kind}.{at}.first"), &moments.first));
                parts.push((format!("{kind}.{at}.second"), &moments.second));
            }
        }
        for (at, table) in self.tables.iter().enumerate() {
            match table {
                TableState::Adagrad(accumulators) => {
                    parts.push((format!("tables.{at}.accumulators"), accumulators))
                }
                TableState::Adam(moments) => {
                    parts.push((format!("tables.{at}.first"), &moments.first));
                    parts.push((format!("tables.{at}.second"), &moments.second));
                }
            }
        }
        parts
    }

    /// The same parts in the same order, to be filled.
    fn parts_mut(&mut self) -> Vec<&mut [f32]> {
        let mut parts: Vec<&mut [f32]> = Vec::new();
        for moments in self.network.iter_mut().chain(&mut self.shallow) {
            parts.extend([moments.first.as_mut_slice(), moments.second.as_mut_slice()]);
        }
        for table in &mut self.tables {
            match table {
                TableState::Adagrad(accumulators) => parts.push(accumulators),
                TableState::Adam(moments) => {
                    parts.extend([moments.first.as_mut_slice(), moments.second.as_mut_slice()]);
                }
            }
        }
        parts
    }
}

fn shallow_weights(ranker: &Ranker) -> impl Iterator<Item = &Vec<f32>> {
    ranker.weights.shallow.iter().flat_map(|shallow| &shallow.weight)
}
