//! One pass over the training part before it is learned from: scalers, labels, leaks, and what says nothing.

use std::sync::Arc;

use arrow_array::Array;
use model::{Encoder, ScalerFit};
use spec::{Absent, BiasForm, Loss, Objective, Side, Source, Spec};

use crate::ahead::Ahead;
use crate::leak::{Leak, LeakCheck};
use crate::{Part, Progress, TrainError};

/// What the pass came to.
pub(crate) struct Fitted {
    pub(crate) encoder: Encoder,
    pub(crate) found: Found,
}

/// What it found beside the scalers.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Found {
    /// Mean observed label per objective.
    pub(crate) means: Vec<Option<f64>>,
    pub(crate) leaks: Vec<Leak>,
    /// For each objective whose labels are all alike, a warning.
    pub(crate) constant: Vec<String>,
    /// Rows without a propensity, where the form of bias goes by them.
    #[serde(default)]
    pub(crate) without_propensity: u64,
}

/// Passes over `part`.
///
/// # Errors
/// Bad data; an objective without an observed label; a field without a value.
pub(crate) fn fit(spec: &Arc<Spec>, part: &Part, progress: &mut dyn Progress) -> Result<Fitted, TrainError> {
    progress.begin("fit scalers", part.len());
    let mut scalers = ScalerFit::new(spec);
    let mut labels = LabelMeans::new(spec);
    let mut leaks = LeakCheck::new(spec);
    let mut missing = MissingFields::new(spec);
    let by_propensity = spec.bias.as_ref().is_some_and(|bias| bias.form == BiasForm::Ips);
    let mut without_propensity = 0;
    let mut batches = Ahead::of("decode", 2, part.read())?;
    while let Some(examples) = batches.next()?.transpose()? {
        if progress.stopped() {
            return Err(TrainError::Stopped);
        }
        Encoder::fit(spec, &examples, &mut scalers);
        labels.add(&examples);
        leaks.add(&examples);
        missing.add(&examples);
        if by_propensity {
            without_propensity += examples.propensities().null_count() as u64;
        }
        progress.advance(examples.len() as u64);
    }
    missing.finish()?;
    let constant = labels.constant(spec);
    let means = labels.finish();
    for (objective, mean) in spec.objectives.iter().zip(&means) {
        if mean.is_none() {
            let name = &objective.name;
            return Err(TrainError::Data(format!(
                "objective `{name}` has no observed label in the training part: check `label`, `given` and the split"
            )));
        }
    }
    Ok(Fitted {
        encoder: Encoder::new(spec.clone(), scalers.finish()),
        found: Found {
            means,
            leaks: leaks.leaks(spec),
            constant,
            without_propensity,
        },
    })
}

/// Fields that no row has given a value yet.
struct MissingFields(Vec<Missing>);

struct Missing {
    name: String,
    /// What to do about it.
    mend: String,
}

impl MissingFields {
    fn new(spec: &Spec) -> MissingFields {
        // A field of a pair is computed, and has no column.
        let fields = spec.fields.iter().filter(|field| field.side != Side::Pair);
        let missing = fields.map(|field| Missing {
            name: field.name.clone(),
            mend: match &field.source {
                Source::Since { attribute } => format!(
                    "fill the column `{attribute}` with times that are not later than the impression, or a column `{}` with \
                     ages in hours",
                    field.column
                ),
                _ => format!("fill the column `{}` that it is read from", field.column),
            },
        });
        MissingFields(missing.collect())
    }

    fn add(&mut self, examples: &events::Examples) {
        self.0.retain(|missing| {
            let column = examples
                .batch()
                .column_by_name(&format!("field.{}", missing.name));
            column.is_some_and(|column| column.null_count() == column.len())
        });
    }

    fn finish(self) -> Result<(), TrainError> {
        let problem = |Missing { name, mend }: &Missing| {
            format!("field `{name}` has no value in the training part: {mend}, or leave the field out")
        };
        if self.0.is_empty() {
            return Ok(());
        }
        Err(TrainError::Data(
            self.0.iter().map(problem).collect::<Vec<_>>().join("\n"),
        ))
    }
}

/// Labels from which on it is no chance that all are 1.
const MANY: u64 = 100;

/// Mean, least and greatest observed label per objective.
#[derive(Debug, Clone)]
pub(crate) struct LabelMeans {
    /// Per objective: the field of its duration, where it needs one.
    durations: Vec<Option<usize>>,
    observed: Vec<Observed>,
}

#[derive(Debug, Clone, Copy)]
struct Observed {
    sum: f64,
    count: u64,
    least: f32,
    greatest: f32,
}

impl LabelMeans {
    pub(crate) fn new(spec: &Spec) -> LabelMeans {
        let none = Observed {
            sum: 0.0,
            count: 0,
            least: f32::INFINITY,
            greatest: f32::NEG_INFINITY,
        };
        let objectives = &spec.objectives;
        LabelMeans {
            durations: objectives.iter().map(|objective| objective.duration).collect(),
            observed: vec![none; objectives.len()],
        }
    }

    pub(crate) fn add(&mut self, examples: &events::Examples) {
        for (objective, observed) in self.observed.iter_mut().enumerate() {
            let durations = self.durations[objective].map(|field| examples.number(field));
            // Without a duration the label is not observed.
            let lasts = |row: usize| {
                durations.is_none_or(|durations| !durations.is_null(row) && durations.value(row) > 0.0)
            };
            let labels = examples.label(objective).iter().enumerate();
            for label in labels.filter_map(|(row, label)| label.filter(|_| lasts(row))) {
                observed.sum += f64::from(label);
                observed.count += 1;
                observed.least = observed.least.min(label);
                observed.greatest = observed.greatest.max(label);
            }
        }
    }

    /// For each objective whose observed labels are all alike, what to do about it.
    pub(crate) fn constant(&self, spec: &Spec) -> Vec<String> {
        let alike = spec.objectives.iter().zip(&self.observed);
        let alike = alike.filter(|(_, observed)| observed.count > 0 && observed.least == observed.greatest);
        alike
            .map(|(objective, Observed { count, least, .. })| {
                format!(
                    "objective `{}`: each of the {count} observed labels of the training part is {least}, so nothing is to be \
                     learned of it: check its `label`, or leave it out",
                    objective.name
                )
            })
            .collect()
    }

    /// For each binary objective of which many labels were observed and all are 1, although silence means nothing: a log of
    /// positives alone teaches that everything is one.
    pub(crate) fn positives_only(&self, spec: &Spec) -> Vec<String> {
        let silent =
            |objective: &Objective| objective.loss == Loss::Binary && objective.absent == Absent::Missing;
        let ones = |observed: &Observed| observed.count >= MANY && observed.least == 1.0;
        spec.objectives
            .iter()
            .zip(&self.observed)
            .filter(|(objective, observed)| silent(objective) && ones(observed))
            .map(|(objective, observed)| {
                format!(
                    "all of {} labels of `{}` are 1: if no feedback means no, declare `absent = 0`",
                    observed.count, objective.name
                )
            })
            .collect()
    }

    pub(crate) fn finish(self) -> Vec<Option<f64>> {
        self.observed
            .into_iter()
            .map(|observed| (observed.count > 0).then(|| observed.sum / observed.count as f64))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{examples, spec_with};

    /// What is said of a log of `count` clicks, all 1, under a declaration of `absent`.
    fn said(absent: &str, count: usize) -> Vec<String> {
        let spec = spec_with("absent = 0", absent);
        let mut means = LabelMeans::new(&spec);
        // The second half of the people's rows are clicks.
        let clicked = examples(&spec, 2 * count, count).slice(count, count);
        means.add(&clicked);
        means.positives_only(&spec)
    }

    #[test]
    fn many_labels_that_are_all_one_are_told_where_silence_means_nothing() {
        let told = said("absent = \"missing\"", 100);
        assert!(
            told.len() == 1 && told[0].contains("declare `absent = 0`"),
            "{told:?}"
        );
        assert!(
            said("absent = \"missing\"", 99).is_empty(),
            "few may be alike by chance"
        );
        assert!(
            said("absent = 0", 100).is_empty(),
            "silence was a no, and nobody was silent"
        );
    }
}
