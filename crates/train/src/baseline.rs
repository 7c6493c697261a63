//! Logistic regression on the same inputs as the network: what a result has to be read beside.
//!
//! In: the encoded batches that the network learns from, in the same order. Out: predictions of each objective by one weight
//! per input: ids one-hot by their row, the dense columns as they are, the cell and position of the shallow tower where the
//! objective has one. Adagrad per weight, one example at a time.

use std::collections::BTreeMap;
use std::path::Path;

use model::artifact::TensorFile;
use model::sealed::{self, Contents};
use model::{Encoded, ModelError, Plan, Positions, Predictions};
use spec::{BiasForm, Loss, Objective, Spec};

use crate::TrainError;

/// Most weights that the ids of one field have; rows beyond, and ids whose rows training gives, are hashed.
const MAX_ROWS: usize = 1 << 20;
/// One regression is trained at each rate; of each objective the better one on the validation part is kept.
pub(crate) const RATES: [f32; 2] = [0.1, 0.7];
const L2: f32 = 1e-6;
/// What a weight's squared gradients begin with: bounds its first step.
const FIRST_SQUARE: f32 = 1.0;
const KIND: &str = "logistic regression";
const WEIGHTS: &str = "weights.safetensors";

/// A linear model per objective.
#[derive(Debug, Clone, PartialEq)]
pub struct Logistic {
    rate: f32,
    layout: Layout,
    heads: Vec<Head>,
}

/// Where each input's weights lie.
#[derive(Debug, Clone, PartialEq)]
struct Layout {
    /// Per embedded field: first weight and number of rows.
    ids: Vec<(usize, usize)>,
    dense: usize,
    dense_width: usize,
    /// First weight of the cells x positions, and positions + 1.
    shallow: usize,
    positions: usize,
    biased: Vec<bool>,
    width: usize,
}

#[derive(Debug, Clone, PartialEq)]
struct Head {
    weight: Vec<f32>,
    squares: Vec<f32>,
    intercept: f32,
    intercept_squares: f32,
    /// What labels are divided by: keeps steps alike for labels of any size.
    scale: f32,
}

impl Logistic {
    /// All weights 0, intercepts at the mean labels of the training part. `rate`: of Adagrad.
    pub fn new(spec: &Spec, mean_labels: &[Option<f64>], rate: f32) -> Logistic {
        let layout = Layout::of(spec);
        let heads = spec
            .objectives
            .iter()
            .zip(mean_labels)
            .map(|(objective, mean)| Head::new(objective, layout.width, mean.unwrap_or(0.0)))
            .collect();
        Logistic { rate, layout, heads }
    }

    /// The bytes of one.
    pub(crate) fn bytes(spec: &Spec) -> u64 {
        // A weight, and its squared gradients.
        (2 * size_of::<f32>() * Layout::of(spec).width * spec.objectives.len()) as u64
    }

    /// Learns from the given rows, one after the other.
    pub fn learn(&mut self, spec: &Spec, batch: &Encoded, rows: &[u32]) {
        let mut inputs = Vec::new();
        for &row in rows {
            let row = row as usize;
            for biased in [false, true] {
                if !self.layout.biased.contains(&biased) {
                    continue;
                }
                let position = if biased { batch.positions[row] } else { 0 };
                self.layout.inputs(batch, row, position, &mut inputs);
                for (at, objective) in spec.objectives.iter().enumerate() {
                    let label = batch.labels[at][row];
                    if self.layout.biased[at] == biased && !label.is_nan() {
                        let label = target(objective, batch, at, row, label);
                        self.heads[at].step(objective, &inputs, label, (self.rate, batch.weights[row]));
                    }
                }
            }
        }
    }

    /// Predictions of a batch, in the units of the labels.
    pub fn predict(&self, spec: &Spec, batch: &Encoded, positions: Positions) -> Predictions {
        let mut predictions = Predictions {
            logits: vec![Vec::with_capacity(batch.len); self.heads.len()],
            values: vec![Vec::with_capacity(batch.len); self.heads.len()],
        };
        let (mut without, mut with) = (Vec::new(), Vec::new());
        let read = positions.read(spec, &batch.positions);
        for row in 0..batch.len {
            let position = read.as_ref().map_or(0, |read| read[row]);
            self.layout.inputs(batch, row, 0, &mut without);
            self.layout.inputs(batch, row, position, &mut with);
            for (at, objective) in spec.objectives.iter().enumerate() {
                let inputs = if self.layout.biased[at] { &with } else { &without };
                let head = &self.heads[at];
                let logit = head.logit(inputs);
                predictions.logits[at].push(logit);
                let value = untarget(objective, batch, at, row, head.link(objective, logit));
                predictions.values[at].push(value);
            }
        }
        predictions
    }

    /// Keeps the heads of `other` for the objectives in which it is `better`.
    pub(crate) fn take(&mut self, other: &Logistic, better: &[bool]) {
        for ((head, other), better) in self.heads.iter_mut().zip(&other.heads).zip(better) {
            if *better {
                head.clone_from(other);
            }
        }
    }

    /// Adds all that it goes on by to a checkpoint's file, under names that begin with `name`.
    pub(crate) fn add_to<'a>(&'a self, file: &mut TensorFile<'a>, name: &str) {
        for (at, head) in self.heads.iter().enumerate() {
            let place = |part: &str| format!("{name}.{at}.{part}");
            file.add_f32(place("weight"), vec![head.weight.len()], head.weight.as_slice());
            file.add_f32(
                place("squares"),
                vec![head.squares.len()],
                head.squares.as_slice(),
            );
            let intercept = [head.intercept, head.intercept_squares, head.scale];
            file.add_f32(place("intercept"), vec![3], intercept.to_vec());
        }
    }

    /// Takes it back into one of the same declaration; `path` names the file in errors.
    pub(crate) fn fill_from(&mut self, path: &Path, file: &TensorFile, name: &str) -> Result<(), ModelError> {
        for (at, head) in self.heads.iter_mut().enumerate() {
            let place = |part: &str| format!("{name}.{at}.{part}");
            file.fill_f32(path, &place("weight"), &mut head.weight)?;
            file.fill_f32(path, &place("squares"), &mut head.squares)?;
            let mut intercept = [0.0; 3];
            file.fill_f32(path, &place("intercept"), &mut intercept)?;
            [head.intercept, head.intercept_squares, head.scale] = intercept;
        }
        Ok(())
    }

    /// Writes it as the folder `path`.
    ///
    /// # Errors
    /// What the file system refused.
    pub fn write(&self, path: &Path, spec: &Spec) -> Result<(), ModelError> {
        let mut tensors = TensorFile::default();
        for (objective, head) in spec.objectives.iter().zip(&self.heads) {
            tensors.add_f32(
                format!("{}.weight", objective.name),
                vec![head.weight.len()],
                &head.weight,
            );
            tensors.add_f32(
                format!("{}.intercept", objective.name),
                vec![2],
                vec![head.intercept, head.scale],
            );
        }
        let files = Contents::from([(WEIGHTS.to_owned(), tensors.into())]);
        sealed::write(path, KIND, serde_json::json!({}), &files)?;
        Ok(())
    }

    /// Reads the one that was written beside a model of `spec`.
    ///
    /// # Errors
    /// Which file is missing, damaged or of another declaration.
    pub fn read(path: &Path, spec: &Spec) -> Result<Logistic, TrainError> {
        let (_, files) = sealed::read(path, KIND)?;
        let file = path.join(WEIGHTS);
        let empty = Vec::new();
        let tensors = TensorFile::from_bytes(&file, files.get(WEIGHTS).unwrap_or(&empty))?;
        let mut logistic = Logistic::new(spec, &vec![None; spec.objectives.len()], RATES[0]);
        for (objective, head) in spec.objectives.iter().zip(&mut logistic.heads) {
            tensors.fill_f32(&file, &format!("{}.weight", objective.name), &mut head.weight)?;
            let mut intercept = [0.0; 2];
            tensors.fill_f32(&file, &format!("{}.intercept", objective.name), &mut intercept)?;
            [head.intercept, head.scale] = intercept;
        }
        Ok(logistic)
    }

    /// The weights of one objective that are furthest from 0 in each field, by declared field: a hint at leaks and errors.
    pub fn largest(&self, spec: &Spec, objective: usize) -> BTreeMap<String, f32> {
        let plan = Plan::of(spec);
        let largest = |range: &[f32]| range.iter().fold(0.0f32, |most, weight| most.max(weight.abs()));
        let head = &self.heads[objective];
        let ids = plan
            .ids
            .iter()
            .zip(&self.layout.ids)
            .map(|(input, (from, rows))| {
                let name = spec.fields[input.field].name.clone();
                (name, largest(&head.weight[*from..from + rows]))
            });
        let dense = plan.dense.iter().map(|(source, from, count)| {
            let from = self.layout.dense + from;
            let name = spec.fields[source.field()].name.clone();
            (name, largest(&head.weight[from..from + count]))
        });
        ids.chain(dense).collect()
    }
}

impl Layout {
    fn of(spec: &Spec) -> Layout {
        let plan = Plan::of(spec);
        let mut width = 0;
        let ids = plan
            .ids
            .iter()
            .map(|input| {
                let rows = (spec.tables[input.table].len() + 1).min(MAX_ROWS);
                width += rows;
                (width - rows, rows)
            })
            .collect();
        let dense = width;
        width += plan.dense_width;
        let shallow = width;
        // Where the network does not read positions, neither does its baseline.
        let bias = spec.bias.as_ref().filter(|bias| reads_positions(bias.form));
        let positions = bias.map_or(0, |bias| bias.max_position as usize + 1);
        width += bias.map_or(0, |bias| model::bias_cells(spec, bias)) * positions;
        let biased = (0..spec.objectives.len())
            .map(|objective| bias.is_some_and(|bias| bias.objectives.contains(&objective)))
            .collect();
        Layout {
            ids,
            dense,
            dense_width: plan.dense_width,
            shallow,
            positions,
            biased,
            width,
        }
    }

    /// The inputs of a row that are not 0: places of weights, and values. Position 0 is missing.
    fn inputs(&self, batch: &Encoded, row: usize, position: u32, inputs: &mut Vec<(u32, f32)>) {
        inputs.clear();
        for ((from, rows), ids) in self.ids.iter().zip(&batch.ids) {
            let bag = ids.offsets[row] as usize..ids.offsets[row + 1] as usize;
            let count = bag.len() as f32;
            for at in bag {
                let place = ids.number(at) % *rows as u64;
                inputs.push((*from as u32 + place as u32, 1.0 / count));
            }
        }
        let dense = &batch.dense[row * self.dense_width..(row + 1) * self.dense_width];
        for (at, &value) in dense.iter().enumerate().filter(|(_, value)| **value != 0.0) {
            inputs.push(((self.dense + at) as u32, value));
        }
        if position > 0 && self.positions > 0 {
            let at = batch.cells[row] as usize * self.positions + position as usize;
            inputs.push(((self.shallow + at) as u32, 1.0));
        }
    }
}

impl Head {
    fn new(objective: &Objective, width: usize, mean: f64) -> Head {
        let scale = match objective.loss {
            Loss::Binary => 1.0,
            Loss::Squared if objective.clip.is_some() => 1.0,
            _ if mean.abs() > 1e-12 => mean.abs() as f32,
            _ => 1.0,
        };
        let mean = match (objective.loss, objective.clip) {
            (Loss::Squared, Some((low, high))) => (mean - f64::from(low)) / f64::from(high - low),
            _ => mean / f64::from(scale),
        };
        let intercept = if is_logistic(objective) {
            let mean = mean.clamp(1e-4, 1.0 - 1e-4);
            (mean / (1.0 - mean)).ln()
        } else {
            mean
        };
        Head {
            weight: vec![0.0; width],
            squares: vec![FIRST_SQUARE; width],
            intercept: intercept as f32,
            intercept_squares: FIRST_SQUARE,
            scale,
        }
    }

    fn logit(&self, inputs: &[(u32, f32)]) -> f32 {
        let sum: f32 = inputs
            .iter()
            .map(|(at, value)| self.weight[*at as usize] * value)
            .sum();
        self.intercept + sum
    }

    /// The prediction in the unit of [`target`].
    fn link(&self, objective: &Objective, logit: f32) -> f32 {
        match (objective.loss, objective.clip) {
            (Loss::Squared, Some((low, high))) => low + (high - low) * sigmoid(logit),
            _ if is_logistic(objective) => sigmoid(logit),
            _ => logit * self.scale,
        }
    }

    /// One step of Adagrad for an example of this weight: Adagrad divides by the size of slopes, so that weights of any size
    /// only count against each other.
    fn step(&mut self, objective: &Objective, inputs: &[(u32, f32)], label: f32, (rate, weight): (f32, f32)) {
        let logit = self.logit(inputs);
        // Cross-entropy for shares, squared error for the others: the same slope.
        let slope = weight
            * match (objective.loss, objective.clip) {
                (Loss::Squared, Some((low, high))) => sigmoid(logit) - (label - low) / (high - low),
                _ if is_logistic(objective) => sigmoid(logit) - label,
                _ => logit - label / self.scale,
            };
        for &(at, value) in inputs {
            let (at, slope) = (at as usize, slope * value + L2 * self.weight[at as usize]);
            self.squares[at] += slope * slope;
            self.weight[at] -= rate * slope / self.squares[at].sqrt();
        }
        self.intercept_squares += slope * slope;
        self.intercept -= rate * slope / self.intercept_squares.sqrt();
    }
}

fn reads_positions(form: BiasForm) -> bool {
    form.has_tower() || form == BiasForm::Input
}

/// Whether what is regressed on is a share from 0 to 1.
fn is_logistic(objective: &Objective) -> bool {
    matches!(objective.loss, Loss::Binary | Loss::WatchFraction)
        || objective.loss == Loss::Squared && objective.clip.is_some()
}

/// What is regressed on: the label, or of a `watch-fraction` the share of the duration.
fn target(objective: &Objective, batch: &Encoded, at: usize, row: usize, label: f32) -> f32 {
    match objective.loss {
        Loss::WatchFraction => (label / batch.durations[at][row]).clamp(0.0, 1.0),
        _ => label,
    }
}

/// A prediction of [`target`] in the unit of the label.
fn untarget(objective: &Objective, batch: &Encoded, at: usize, row: usize, value: f32) -> f32 {
    match objective.loss {
        Loss::WatchFraction => value * batch.durations[at][row],
        _ => value,
    }
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests;
