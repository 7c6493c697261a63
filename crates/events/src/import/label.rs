//! Labels of flat rows: their expressions over columns.

use std::collections::BTreeMap;

use arrow_array::builder::Float32Builder;
use arrow_array::{Array, Float32Array, Float64Array};
use spec::{Expression, Input, Loss, Objective, Spec};

use super::cast::{BadCell, Target, shown};
use crate::join::given_first;

/// The declared labels, resolved for flat files.
#[derive(Debug)]
pub(super) struct LabelPlan {
    /// What all labels ask of a row, in order of appearance.
    pub(super) inputs: Vec<LabelInput>,
    /// Places in `inputs`.
    places: BTreeMap<LabelInput, usize>,
    objectives: Vec<Objective>,
    /// Objectives, each after the one that it is `given`.
    order: Vec<usize>,
}

/// A number of a row, or whether a text of the row is one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LabelInput {
    pub(super) name: String,
    /// What it is compared with.
    pub(super) text: Option<String>,
}

impl LabelInput {
    fn of(input: Input) -> LabelInput {
        let text = match input {
            Input::Number(_) => None,
            Input::Is(_, text) => Some(text.to_owned()),
        };
        LabelInput {
            name: input.name().to_owned(),
            text,
        }
    }

    /// What its column is read as.
    pub(super) fn target(&self) -> Target {
        self.text
            .as_ref()
            .map_or(Target::Input, |text| Target::Is(text.clone()))
    }
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
        let (mut inputs, mut places) = (Vec::new(), BTreeMap::new());
        let asked = spec
            .objectives
            .iter()
            .flat_map(|objective| objective.label.inputs());
        for input in asked.map(LabelInput::of) {
            if !places.contains_key(&input) {
                places.insert(input.clone(), inputs.len());
                inputs.push(input);
            }
        }
        LabelPlan {
            inputs,
            places,
            objectives: spec.objectives.clone(),
            order: given_first(&spec.objectives),
        }
    }

    /// How to mend `name`, which no column has; `near` is a column's name.
    pub(super) fn help(&self, name: &str, near: Option<&str>) -> String {
        let whole = |objective: &&Objective| objective.label == Expression::Name(name.to_owned());
        let users = |objective: &&Objective| objective.label.names().contains(&name);
        let quoted = |near: &str| Expression::Name(near.to_owned()).to_string();
        if let Some(objective) = self.objectives.iter().find(whole) {
            return match near {
                Some(near) => format!("write `label = \"{}\"` in `[objectives]`", quoted(near)),
                None => format!(
                    "write `label = \"COLUMN\"` for `{}` in `[objectives]`, with the name of yours",
                    objective.name
                ),
            };
        }
        let of = self
            .objectives
            .iter()
            .find(users)
            .map_or("", |objective| &objective.name);
        match near {
            Some(near) if quoted(near) == near => {
                format!("write `{near}` in the `label` of `{of}` in `[objectives]`")
            }
            Some(near) => format!("write `{near}`, in backticks, in the `label` of `{of}` in `[objectives]`"),
            None => format!("name your column in the `label` of `{of}` in `[objectives]`"),
        }
    }

    /// The label of each objective for each of `rows` rows; `inputs` are the columns of [`LabelPlan::inputs`]. An empty cell is not
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
            let asked: Vec<(Input, usize)> = declared
                .label
                .inputs()
                .into_iter()
                .filter_map(|input| Some((input, *self.places.get(&LabelInput::of(input))?)))
                .collect();
            let column = match (&declared.label, asked.as_slice()) {
                (Expression::Name(_), [(_, place)]) => Some(&inputs[*place]),
                _ => None,
            };
            let mut builder = Float32Builder::with_capacity(rows);
            for row in 0..rows {
                if given.is_some_and(|given| given.is_null(row) || given.value(row) != 1.0) {
                    builder.append_null();
                    continue;
                }
                let cell = |input: &Float64Array| (!input.is_null(row)).then(|| input.value(row));
                let value = match column {
                    Some(column) => cell(column),
                    None => declared.label.evaluate(&mut |input| {
                        cell(&inputs[asked.iter().find(|(asked, _)| *asked == input)?.1])
                    }),
                };
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
                found: format!("the label {}", shown(value)),
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
        (_, _) if value >= 0.0 && (value as f32).is_finite() => Ok(value as f32),
        (_, _) => Err(bad(format!(
            "a watch time from 0 for the objective `{}`",
            objective.name
        ))),
    }
}
