//! Leaks: a field that alone predicts a label almost perfectly is probably known only after the impression.
//!
//! In: examples of the training part, the first [`ROWS`] of them. Out: which field predicts which objective, by the AUC of the
//! field alone: a number by its order, ids by the mean label of the id in the other half of the rows.

use arrow_array::Array;
use events::Examples;
use measure::Single;
use spec::{Kind, Loss, Side, Spec};
use xxhash_rust::xxh3::xxh3_64;

/// Rows that are looked at.
const ROWS: usize = 100_000;
/// From this AUC on a field alone is too good.
pub const TOO_GOOD: f64 = 0.9;

/// A field alone against an objective.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Leak {
    /// The field.
    pub field: String,
    /// The objective.
    pub objective: String,
    /// AUC of the field alone, at least 0.5.
    pub auc: f64,
}

impl std::fmt::Display for Leak {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "the field `{}` alone predicts `{}` with AUC {:.3}: is it known before the impression? If not, leave it out: it \
             leaks the label, and will be missing or meaningless when requests are served",
            self.field, self.objective, self.auc
        )
    }
}

/// Columns and labels collected from examples.
#[derive(Debug)]
pub(crate) struct LeakCheck {
    fields: Vec<(usize, Single)>,
    labels: Vec<Vec<f32>>,
    rows: usize,
}

impl LeakCheck {
    pub(crate) fn new(spec: &Spec) -> LeakCheck {
        let single = |kind: &Kind| match kind {
            Kind::Number { .. } | Kind::Buckets { .. } => Some(Single::Numbers(Vec::new())),
            Kind::Id { .. } => Some(Single::Ids(Vec::new())),
            Kind::Ids { .. } | Kind::Text { .. } | Kind::Vector { .. } => None,
        };
        let fields = spec.fields.iter().enumerate();
        LeakCheck {
            fields: fields
                .filter(|(_, field)| field.side != Side::Pair && field.in_main())
                .filter_map(|(at, field)| Some((at, single(&field.kind)?)))
                .collect(),
            labels: vec![Vec::new(); spec.objectives.len()],
            rows: 0,
        }
    }

    pub(crate) fn add(&mut self, examples: &Examples) {
        let rows = examples.len().min(ROWS - self.rows);
        for (field, single) in &mut self.fields {
            match single {
                Single::Numbers(numbers) => {
                    let column = examples.number(*field);
                    numbers.extend((0..rows).map(|row| {
                        if column.is_null(row) {
                            f32::NAN
                        } else {
                            column.value(row)
                        }
                    }));
                }
                Single::Ids(ids) => {
                    let column = examples.id(*field);
                    ids.extend((0..rows).map(|row| {
                        if column.is_null(row) {
                            0
                        } else {
                            xxh3_64(column.value(row).as_bytes())
                        }
                    }));
                }
            }
        }
        for (at, labels) in self.labels.iter_mut().enumerate() {
            let column = examples.label(at);
            labels.extend((0..rows).map(|row| {
                if column.is_null(row) {
                    f32::NAN
                } else {
                    column.value(row)
                }
            }));
        }
        self.rows += rows;
    }

    /// The fields that are too good, by objective and field.
    pub(crate) fn leaks(&self, spec: &Spec) -> Vec<Leak> {
        let mut leaks = Vec::new();
        for (objective, labels) in spec.objectives.iter().zip(&self.labels) {
            if objective.loss != Loss::Binary {
                continue;
            }
            for (field, single) in &self.fields {
                if let Some(auc) = single.auc(labels).filter(|auc| *auc >= TOO_GOOD) {
                    leaks.push(Leak {
                        field: spec.fields[*field].name.clone(),
                        objective: objective.name.clone(),
                        auc,
                    });
                }
            }
        }
        leaks
    }
}
