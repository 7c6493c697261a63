//! The only encoder: examples of a log, of a file or of a request become the same numbers.
//!
//! In: [`events::Examples`]. Out: [`Encoded`]: dense columns scaled, ids as row numbers, bias fields as cells of the shallow
//! tower, labels per objective. It holds what was fitted, frozen, and no training state.

mod ids;
mod text;

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use arrow_array::{Array, FixedSizeListArray};
use events::Examples;
use spec::{BiasForm, Kind, Objective, Spec};
use xxhash_rust::xxh3::xxh3_64;

use crate::{DenseSource, Encoded, Fitted, Plan, Scaler, ScalerFit, Scalers, Watch};

/// Dense columns are kept within this on either side, so that no value of a log or a request makes a prediction infinite.
const LARGEST: f32 = 1e12;

/// The encoder of one spec with what was fitted for it.
#[derive(Debug, Clone)]
pub struct Encoder {
    spec: Arc<Spec>,
    plan: Plan,
    fitted: Fitted,
    /// Per table: rows of declared values; empty for tables of other rows.
    values: Vec<HashMap<String, u32>>,
}

impl Encoder {
    /// An encoder with what was fitted for `spec`.
    pub fn new(spec: Arc<Spec>, fitted: Fitted) -> Encoder {
        let plan = Plan::of(&spec);
        let values = spec.tables.iter().map(ids::value_rows).collect();
        Encoder {
            spec,
            plan,
            fitted,
            values,
        }
    }

    /// Adds the raw numbers of `examples`, and their watch times, to `fit`.
    pub fn fit(spec: &Spec, examples: &Examples, fit: &mut ScalerFit) {
        for (source, _, _) in &Plan::of(spec).dense {
            if let DenseSource::Number { field, .. } | DenseSource::Dot { field, .. } = source {
                for value in raw_numbers(examples, source).flatten() {
                    fit.add(*field, value);
                }
            }
        }
        for (at, objective) in spec.objectives.iter().enumerate() {
            if objective.loss.is_watch_time() {
                let durations = durations(spec, objective, examples);
                let labels = labels(examples, at, &durations);
                for (row, &label) in labels.iter().enumerate().filter(|(_, label)| !label.is_nan()) {
                    let duration = durations.get(row).copied().unwrap_or(f32::NAN);
                    fit.add_watch_time(at, examples.keys()[row], duration, label);
                }
            }
        }
    }

    /// The layout of its output.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Its declaration.
    pub fn spec(&self) -> &Arc<Spec> {
        &self.spec
    }

    /// Its scalers.
    pub fn scalers(&self) -> &Scalers {
        &self.fitted.scalers
    }

    /// All that was fitted.
    pub fn fitted(&self) -> &Fitted {
        &self.fitted
    }

    /// What was fitted for a watch-time objective; `None` for others.
    pub fn watch(&self, objective: usize) -> Option<&Watch> {
        self.fitted.watch[objective].as_ref()
    }

    /// What objective `objective` learns from `batch`, `[batch]`: its labels, watch times as its loss sees them (a share, a
    /// multiple of the mean, a quantile); NaN = not observed.
    pub fn targets(&self, batch: &Encoded, objective: usize) -> Vec<f32> {
        let mut targets = Vec::with_capacity(batch.len);
        self.write_targets(batch, objective, &mut targets);
        targets
    }

    /// The same into a buffer, which is cleared.
    pub(crate) fn write_targets(&self, batch: &Encoded, objective: usize, targets: &mut Vec<f32>) {
        targets.clear();
        let labels = &batch.labels[objective];
        match self.watch(objective) {
            None => targets.extend_from_slice(labels),
            Some(watch) => targets.extend(labels.iter().enumerate().map(|(row, &label)| {
                if label.is_nan() {
                    label
                } else {
                    watch.target(label, batch.duration(objective, row))
                }
            })),
        }
    }

    /// Encodes a batch.
    pub fn encode(&self, examples: &Examples) -> Encoded {
        let len = examples.len();
        let max_position = self.spec.bias.as_ref().map_or(u32::MAX, |bias| bias.max_position);
        let objectives = &self.spec.objectives;
        let durations: Vec<Vec<f32>> = objectives
            .iter()
            .map(|objective| durations(&self.spec, objective, examples))
            .collect();
        Encoded {
            len,
            dense: self.dense(examples),
            ids: self
                .plan
                .ids
                .iter()
                .map(|input| self.ids(examples, input.field, input.table))
                .collect(),
            cells: self.cells(examples),
            positions: (examples.positions().iter())
                .map(|position| position.map_or(0, |position| position.min(max_position)))
                .collect(),
            labels: durations
                .iter()
                .enumerate()
                .map(|(objective, durations)| labels(examples, objective, durations))
                .collect(),
            durations,
            weights: (examples.weights().iter())
                .map(|weight| weight.unwrap_or(1.0))
                .collect(),
            propensities: self.propensities(examples),
            keys: examples.keys().to_vec(),
            users: (examples.users().iter())
                .map(|user| xxh3_64(user.unwrap_or_default().as_bytes()))
                .collect(),
            slates: (examples.slates().iter())
                .map(|slate| slate.map_or(0, |slate| xxh3_64(slate.as_bytes())))
                .collect(),
            shuffled: (examples.shuffled().iter())
                .map(|shuffled| shuffled == Some(true))
                .collect(),
            times: examples.times().to_vec(),
        }
    }

    /// Examination probabilities, where the form of bias needs them.
    fn propensities(&self, examples: &Examples) -> Vec<f32> {
        let needed = (self.spec.bias.as_ref()).is_some_and(|bias| bias.form == BiasForm::Ips);
        let propensities = examples.propensities().iter().filter(|_| needed);
        propensities.map(|propensity| propensity.unwrap_or(1.0)).collect()
    }

    fn dense(&self, examples: &Examples) -> Vec<f32> {
        let width = self.plan.dense_width;
        let mut dense = vec![0.0; examples.len() * width];
        for (source, from, count) in &self.plan.dense {
            let rows = dense.chunks_exact_mut(width.max(1));
            self.dense_field(
                examples,
                source,
                rows.map(|columns| &mut columns[*from..from + count]),
            );
        }
        dense
    }

    /// Writes one source's columns, `out` for each example.
    fn dense_field<'o>(
        &self,
        examples: &Examples,
        source: &DenseSource,
        out: impl Iterator<Item = &'o mut [f32]>,
    ) {
        match source {
            DenseSource::Number { field, powers, .. } | DenseSource::Dot { field, powers, .. } => {
                let scaler = self.fitted.scalers[*field].as_ref().unwrap_or(&Scaler::None);
                for (out, value) in out.zip(raw_numbers(examples, source)) {
                    let Some(value) = value else {
                        out[out.len() - 1] = 1.0;
                        continue;
                    };
                    let x = bounded(scaler.apply(value));
                    out[0] = x;
                    if *powers {
                        out[1] = x * x;
                        out[2] = x.max(0.0).sqrt();
                    }
                }
            }
            DenseSource::Vector { field } => {
                for (out, values) in out.zip(elements(examples.vector(*field))) {
                    for (out, &value) in out.iter_mut().zip(values.unwrap_or_default()) {
                        *out = bounded(value);
                    }
                }
            }
            DenseSource::Product { of: (a, b), .. } => {
                let (a, b) = (elements(examples.vector(*a)), elements(examples.vector(*b)));
                for (out, (a, b)) in out.zip(a.zip(b)) {
                    let both = a.unwrap_or_default().iter().zip(b.unwrap_or_default());
                    for (out, (a, b)) in out.iter_mut().zip(both) {
                        *out = bounded(a * b);
                    }
                }
            }
        }
    }
}

/// Labels of one objective; NaN where not observed, and where it needs a duration and has none.
fn labels(examples: &Examples, objective: usize, durations: &[f32]) -> Vec<f32> {
    let labels = examples.label(objective).iter().enumerate();
    labels
        .map(|(row, label)| match label {
            Some(label) if durations.get(row).is_none_or(|duration| !duration.is_nan()) => label,
            _ => f32::NAN,
        })
        .collect()
}

/// Durations that `objective` needs, above 0; NaN = missing. Empty where it needs none.
fn durations(spec: &Spec, objective: &Objective, examples: &Examples) -> Vec<f32> {
    let Some(field) = objective.duration.filter(|_| objective.loss.needs_duration()) else {
        return Vec::new();
    };
    let missing = match spec.fields[field].kind {
        Kind::Number { missing, .. } | Kind::Buckets { missing, .. } => missing,
        _ => None,
    };
    given_numbers(examples, field, missing)
        .map(|duration| duration.filter(|&duration| duration > 0.0).unwrap_or(f32::NAN))
        .collect()
}

/// A field's numbers; `None` where one is missing or the value that stands for it.
fn given_numbers(
    examples: &Examples,
    field: usize,
    missing: Option<f32>,
) -> impl Iterator<Item = Option<f32>> {
    let numbers = examples.number(field).iter();
    numbers.map(move |number| number.filter(|&number| Some(number) != missing))
}

/// The unscaled numbers of a `Number` or `Dot` source; `None` where one is missing.
fn raw_numbers<'e>(
    examples: &'e Examples,
    source: &DenseSource,
) -> Box<dyn Iterator<Item = Option<f32>> + 'e> {
    match source {
        DenseSource::Number { field, missing, .. } => Box::new(given_numbers(examples, *field, *missing)),
        DenseSource::Dot { of: (a, b), .. } => {
            let (a, b) = (elements(examples.vector(*a)), elements(examples.vector(*b)));
            Box::new(a.zip(b).map(|(a, b)| {
                let products = a?.iter().zip(b?).map(|(&a, &b)| f64::from(a) * f64::from(b));
                let dot: f64 = products.sum();
                Some(dot.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32)
            }))
        }
        DenseSource::Vector { .. } | DenseSource::Product { .. } => Box::new(std::iter::empty()),
    }
}

fn bounded(value: f32) -> f32 {
    value.clamp(-LARGEST, LARGEST)
}

/// Each example's elements of a vector field; `None` where it is missing.
fn elements(vectors: &FixedSizeListArray) -> impl Iterator<Item = Option<&[f32]>> {
    let width = vectors.value_length() as usize;
    let values: &[f32] = vectors.values().as_primitive::<Float32Type>().values();
    (0..vectors.len()).map(move |row| {
        let from = vectors.value_offset_at(row);
        (!vectors.is_null(row)).then(|| values.get(from..from + width))?
    })
}

#[cfg(test)]
mod tests;
