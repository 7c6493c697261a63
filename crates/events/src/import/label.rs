//! Labels of flat rows: their expressions over columns.

use std::collections::BTreeMap;

use arrow_array::builder::Float32Builder;
use arrow_array::{Array, Float32Array, Float64Array};
use spec::{Loss, Objective, Spec};

use super::cast::BadCell;
use crate::join::given_first;

/// The declared labels, resolved for flat files.
#[derive(Debug)]
pub(super) struct LabelPlan {
    /// The names in all labels, in order of appearance.
    pub(super) names: Vec<String>,
    /// Places in `names`.
    places: BTreeMap<String, usize>,
    objectives: Vec<Objective>,
    /// Objectives, each after the one that it is `given`.
    order: Vec<usize>,
}

/// A label that cannot be.
#[derive(Debug)]
pub(super) struct BadLabel {
    /// The column that it was read of, or its expression.
    pub(super) column: String,
    pub(super) cell: BadCell,
}

impl LabelPlan {
    pub(super) fn of(spec: &Spec) -> LabelPlan {
        let (mut names, mut places) = (Vec::new(), BTreeMap::new());
        for name in spec
            .objectives
            .iter()
            .flat_map(|objective| objective.label.names())
        {
            if !places.contains_key(name) {
                places.insert(name.to_owned(), names.len());
                names.push(name.to_owned());
            }
        }
        LabelPlan {
            names,
            places,
            objectives: spec.objectives.clone(),
            order: given_first(&spec.objectives),
        }
    }

    /// The label of each objective for each of `rows` rows; `inputs` are the columns of `names`. An empty cell is not
    /// observed, whatever `absent` says.
    pub(super) fn evaluate(
        &self,
        inputs: &[Float64Array],
        rows: usize,
    ) -> Result<Vec<Float32Array>, BadLabel> {
        let mut labels: Vec<Option<Float32Array>> = vec![None; self.objectives.len()];
        for &objective in &self.order {
            let declared = &self.objectives[objective];
            let given = declared.given.and_then(|given| labels[given].as_ref());
            let mut builder = Float32Builder::with_capacity(rows);
            for row in 0..rows {
                if given.is_some_and(|given| given.is_null(row) || given.value(row) != 1.0) {
                    builder.append_null();
                    continue;
                }
                let value = declared.label.evaluate(&mut |name| {
                    let input = &inputs[*self.places.get(name)?];
                    (!input.is_null(row)).then(|| input.value(row))
                });
                builder.append_option(value.map(|value| bounded(declared, value, row)).transpose()?);
            }
            labels[objective] = Some(builder.finish());
        }
        Ok(labels.into_iter().flatten().collect())
    }
}

fn bounded(objective: &Objective, value: f64, row: usize) -> Result<f32, BadLabel> {
    let bad = |expected: String| {
        let column = objective.label.to_string();
        BadLabel {
            column,
            cell: BadCell {
                row,
                found: format!("the label {value}"),
                expected,
            },
        }
    };
    match (objective.loss, objective.clip) {
        (Loss::Binary, _) if !(0.0..=1.0).contains(&value) => Err(bad(format!(
            "a label from 0 to 1 for the binary objective `{}` (label out of range)",
            objective.name
        ))),
        (Loss::Binary, _) => Ok(value as f32),
        (Loss::Squared, Some((low, high))) => Ok(value.clamp(f64::from(low), f64::from(high)) as f32),
        (Loss::Squared, None) if (value as f32).is_finite() => Ok(value as f32),
        (Loss::Squared, None) => Err(bad("a label in the range of f32".to_owned())),
    }
}
