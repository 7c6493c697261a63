//! The optimizers of one ranker: Adam for the dense part, row-wise Adagrad or Adam for tables, Adam at its own rate for what takes
//! the bias out: the shallow tower, or the adversary.

use std::path::Path;

use model::artifact::TensorFile;
use model::{Gradients, IdTable, ModelError, Ranker};
use nn::{Adam, Moments, RowAdagrad, Threads};
use spec::TableOptimizer;

use crate::decay::Decay;

/// Epsilon of row-wise Adagrad, inside the root's denominator.
const ADAGRAD_EPSILON: f32 = 1e-8;

/// Name of the decay's clock in a file.
const CLOCK: &str = "accumulators.clock";

/// State of all optimizers.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimizer {
    /// Steps taken.
    pub step: u64,
    network: Vec<Moments>,
    tables: Vec<TableState>,
    shallow: Vec<Moments>,
    /// Of the accumulators, where they halve.
    decay: Option<Decay>,
}

/// State of one table's optimizer.
#[derive(Debug, Clone, PartialEq)]
struct TableState {
    /// Which of `Spec::tables` it is of.
    table: usize,
    values: TableValues,
}

#[derive(Debug, Clone, PartialEq)]
enum TableValues {
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
        match &mut self.values {
            TableValues::Adagrad(accumulators) => resize(accumulators, 1),
            TableValues::Adam(moments) => {
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
        let tables = ranker
            .weights
            .tables
            .iter()
            .enumerate()
            .map(|(at, table)| TableState {
                table: at,
                values: if adagrad {
                    TableValues::Adagrad(vec![0.0; table.embedding.rows])
                } else {
                    TableValues::Adam(Moments::new(table.embedding.weight.len()))
                },
            });
        Optimizer {
            step: 0,
            tables: tables.collect(),
            network: (0..)
                .map_while(|at| ranker.weights.network.dense(at))
                .flat_map(|layer| [&layer.weight, &layer.bias])
                .map(|values| Moments::new(values.len()))
                .collect(),
            shallow: (ranker.weights.bias_parts())
                .map(|weight| Moments::new(weight.len()))
                .collect(),
            decay: ranker.spec().train.accumulator_half_life_ms.map(Decay::new),
        }
    }

    /// Updates every weight by its gradient; `newest_ms` is the newest time of the batch. Parts are shared out among the threads:
    /// each weight is updated by itself.
    pub fn update(&mut self, ranker: &mut Ranker, gradients: &Gradients, newest_ms: i64, threads: &Threads) {
        self.step += 1;
        let scale = self.decayed_to(newest_ms);
        let step = self.step;
        let spec = ranker.spec().clone();
        let train = &spec.train;
        let dense = Adam::with_rate(train.learning_rate);
        let network = &mut ranker.weights.network;
        let mut moments = self.network.iter_mut();
        let mut at = 0;
        while let (Some(layer), Some(gradient)) = (network.dense_mut(at), gradients.network.dense(at)) {
            if let Some(moments) = moments.next() {
                dense.step_in(
                    threads,
                    step,
                    train.l2,
                    &mut layer.weight,
                    &gradient.weight,
                    moments,
                );
            }
            if let Some(moments) = moments.next() {
                dense.step_in(threads, step, 0.0, &mut layer.bias, &gradient.bias, moments);
            }
            at += 1;
        }
        threads.each_pair(&mut ranker.weights.tables, &mut self.tables, |_, table, state| {
            // Tables and their gradients stand in the same order; the state knows its place.
            let gradient = &gradients.tables[state.table];
            state.follow_rows(table);
            match &mut state.values {
                TableValues::Adagrad(accumulators) => RowAdagrad {
                    rate: train.table_learning_rate,
                    epsilon: ADAGRAD_EPSILON,
                    scale,
                }
                .step_rows(&mut table.embedding, gradient, accumulators),
                TableValues::Adam(moments) => Adam::with_rate(train.table_learning_rate).step_rows(
                    step,
                    &mut table.embedding,
                    gradient,
                    moments,
                ),
            }
        });
        if let Some(bias) = &spec.bias {
            let adam = Adam::with_rate(train.learning_rate * bias.learning_rate_scale);
            let parts = ranker.weights.bias_parts_mut().zip(gradients.bias_parts());
            for ((weight, gradient), moments) in parts.zip(&mut self.shallow) {
                adam.step(step, 0.0, weight, gradient, moments);
            }
        }
    }

    /// The state as one file.
    pub fn tensors(&self) -> TensorFile<'_> {
        let mut file = TensorFile::default();
        for (name, values) in self.parts() {
            file.add_f32(name, vec![values.len()], values);
        }
        if let Some(clock) = self.decay.as_ref().and_then(Decay::clock) {
            file.add_u64(CLOCK.to_owned(), clock.into_iter().map(i64::cast_unsigned));
        }
        file
    }

    /// Reads the state back into one made for the same ranker; `path` names the file in errors.
    ///
    /// # Errors
    /// Which tensor is missing or of another size.
    pub fn fill(&mut self, path: &Path, file: &TensorFile, step: u64) -> Result<(), ModelError> {
        self.step = step;
        let names: Vec<String> = self.parts().into_iter().map(|(name, _)| name).collect();
        for (name, values) in names.iter().zip(self.parts_mut()) {
            file.fill_f32(path, name, values)?;
        }
        if let Some(decay) = self.decay.as_mut().filter(|_| step > 0) {
            let clock = file.u64s(path, CLOCK)?;
            let clock: Option<[u64; 2]> = clock.try_into().ok();
            if !clock.is_some_and(|clock| decay.resume(clock.map(u64::cast_signed))) {
                return Err(ModelError::Damaged {
                    path: path.to_owned(),
                    message: format!("`{CLOCK}` is no two times, one after the other"),
                });
            }
        }
        Ok(())
    }

    /// What one row's accumulator counts, by table and row; `None` where the table has another optimizer.
    pub fn accumulator(&self, table: usize, row: u32) -> Option<f32> {
        match &self.tables.get(table)?.values {
            TableValues::Adagrad(accumulators) => Some(accumulators.get(row as usize)? * self.scale()),
            TableValues::Adam(_) => None,
        }
    }

    fn scale(&self) -> f32 {
        self.decay.as_ref().map_or(1.0, Decay::scale)
    }

    /// The accumulators' scale at the time of a batch.
    fn decayed_to(&mut self, newest_ms: i64) -> f32 {
        let Some(decay) = &mut self.decay else { return 1.0 };
        let (scale, folded) = decay.step(newest_ms);
        for table in &mut self.tables {
            if let (Some(factor), TableValues::Adagrad(accumulators)) = (folded, &mut table.values) {
                let accumulators = accumulators.iter_mut();
                accumulators.for_each(|value| *value = (f64::from(*value) * factor) as f32);
            }
        }
        scale
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
            match &table.values {
                TableValues::Adagrad(accumulators) => {
                    parts.push((format!("tables.{at}.accumulators"), accumulators))
                }
                TableValues::Adam(moments) => {
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
            match &mut table.values {
                TableValues::Adagrad(accumulators) => parts.push(accumulators),
                TableValues::Adam(moments) => {
                    parts.extend([moments.first.as_mut_slice(), moments.second.as_mut_slice()]);
                }
            }
        }
        parts
    }
}
