//! Slices: the values of a field that a result is broken down by.
//!
//! In: examples, batch after batch. Out: for each example the slice that it is in, and the slices' names: an id by its value, a
//! number by its fifth, a key column by its id.

use std::collections::BTreeMap;

use arrow_array::{Array, StringArray};
use events::Examples;
use spec::{Kind, Side, Spec};

use crate::TrainError;

/// Slices of a number with more distinct values.
const PARTS: usize = 5;
/// A number with at most as many distinct values is taken by its values.
const FEW: usize = 12;
const MISSING: &str = "(missing)";

/// A column that examples are sliced by.
#[derive(Debug)]
pub(crate) struct SliceColumn {
    /// As asked for.
    pub(crate) name: String,
    source: Source,
    values: Values,
}

#[derive(Debug, Clone, Copy)]
enum Source {
    Field(usize),
    User,
    Item,
    Slate,
    Position,
}

#[derive(Debug)]
enum Values {
    Ids {
        numbers: BTreeMap<String, u32>,
        rows: Vec<u32>,
    },
    Numbers(Vec<f32>),
}

/// The slice of each example.
#[derive(Debug)]
pub(crate) struct Sliced {
    /// As asked for.
    pub(crate) field: String,
    /// Names of the slices, in order.
    pub(crate) names: Vec<String>,
    /// The ids that were met, where the column is one of ids.
    pub(crate) ids: Option<Vec<String>>,
    /// For each example.
    pub(crate) rows: Vec<u32>,
}

impl SliceColumn {
    /// The column that `name` asks for: a declared field, or a key by its column's name.
    ///
    /// # Errors
    /// What can be asked for.
    pub(crate) fn of(spec: &Spec, name: &str) -> Result<SliceColumn, TrainError> {
        let keys = &spec.keys;
        let usable =
            |kind: &Kind| matches!(kind, Kind::Id { .. } | Kind::Number { .. } | Kind::Buckets { .. });
        let field = spec
            .field(name)
            .filter(|field| spec.fields[*field].side != Side::Pair && usable(&spec.fields[*field].kind));
        let source = match field {
            Some(field) => Source::Field(field),
            None if name == keys.position || name == "position" => Source::Position,
            None if !keys.no_user && (name == keys.user || name == "user") => Source::User,
            None if !keys.no_item && (name == keys.item || name == "item") => Source::Item,
            None if name == keys.slate || name == "slate" => Source::Slate,
            None => {
                let known: Vec<&str> = spec
                    .fields
                    .iter()
                    .filter(|field| field.side != Side::Pair && usable(&field.kind))
                    .map(|field| field.name.as_str())
                    .chain(["user", "item", "slate", "position"])
                    .collect();
                return Err(TrainError::Data(format!(
                    "no field `{name}` to slice by; expected an id, a number or a key: {}",
                    known.join(", ")
                )));
            }
        };
        let number = matches!(source, Source::Field(field) if !matches!(spec.fields[field].kind, Kind::Id { .. }))
            || matches!(source, Source::Position);
        let values = if number {
            Values::Numbers(Vec::new())
        } else {
            Values::Ids {
                numbers: BTreeMap::new(),
                rows: Vec::new(),
            }
        };
        Ok(SliceColumn {
            name: name.to_owned(),
            source,
            values,
        })
    }

    /// Adds the next examples.
    pub(crate) fn add(&mut self, examples: &Examples) {
        match (&mut self.values, self.source) {
            (Values::Numbers(numbers), Source::Field(field)) => {
                let column = examples.number(field);
                let number = |row| {
                    if column.is_null(row) {
                        f32::NAN
                    } else {
                        column.value(row)
                    }
                };
                numbers.extend((0..examples.len()).map(number));
            }
            (Values::Numbers(numbers), _) => {
                let column = examples.positions();
                let number = |row| {
                    if column.is_null(row) {
                        f32::NAN
                    } else {
                        column.value(row) as f32
                    }
                };
                numbers.extend((0..examples.len()).map(number));
            }
            (Values::Ids { numbers, rows }, source) => {
                let column: &StringArray = match source {
                    Source::Field(field) => examples.id(field),
                    Source::Item => examples.items(),
                    Source::Slate => examples.slates(),
                    Source::User | Source::Position => examples.users(),
                };
                for id in column {
                    let id = id.unwrap_or(MISSING);
                    let next = numbers.len() as u32;
                    let number = numbers.get(id).copied().unwrap_or_else(|| {
                        numbers.insert(id.to_owned(), next);
                        next
                    });
                    rows.push(number);
                }
            }
        }
    }

    /// The slices.
    pub(crate) fn finish(self) -> Sliced {
        let ids = match &self.values {
            Values::Ids { numbers, .. } => {
                Some(numbers.keys().filter(|id| *id != MISSING).cloned().collect())
            }
            Values::Numbers(_) => None,
        };
        let (names, rows) = match self.values {
            Values::Ids { numbers, mut rows } => {
                // Numbered as they were met; slices are in the order of their names.
                let mut places = vec![0; numbers.len()];
                for (place, number) in (0..).zip(numbers.values()) {
                    places[*number as usize] = place;
                }
                rows.iter_mut().for_each(|row| *row = places[*row as usize]);
                (numbers.into_keys().collect(), rows)
            }
            Values::Numbers(numbers) => parts(&numbers),
        };
        Sliced {
            field: self.name,
            names,
            ids,
            rows,
        }
    }
}

/// Slices of numbers: by value where there are few, else by fifths.
fn parts(numbers: &[f32]) -> (Vec<String>, Vec<u32>) {
    let mut known: Vec<f32> = numbers
        .iter()
        .copied()
        .filter(|number| !number.is_nan())
        .collect();
    known.sort_by(f32::total_cmp);
    let count = known.len();
    let mut distinct = known.clone();
    distinct.dedup();
    let by_value = distinct.len() <= FEW;
    // Each slice begins with its edge.
    let mut edges = if by_value {
        distinct
    } else {
        (0..PARTS).map(|part| known[part * count / PARTS]).collect()
    };
    edges.dedup();
    let last = known.last().copied().unwrap_or_default();
    let mut names: Vec<String> = (0..edges.len())
        .map(|at| match edges.get(at + 1) {
            _ if by_value => edges[at].to_string(),
            Some(next) => format!("{} to below {next}", edges[at]),
            None => format!("{} to {last}", edges[at]),
        })
        .collect();
    let missing = names.len() as u32;
    names.push(MISSING.to_owned());
    let slice = |number: &f32| {
        if number.is_nan() {
            missing
        } else {
            (edges.partition_point(|edge| edge <= number) - 1) as u32
        }
    };
    (names, numbers.iter().map(slice).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_numbers_are_slices_by_themselves_and_many_are_cut_in_fifths() {
        let (names, rows) = parts(&[2.0, 1.0, f32::NAN, 2.0]);
        assert_eq!(names, ["1", "2", "(missing)"]);
        assert_eq!(rows, [1, 0, 2, 1]);

        let (names, rows) = parts(&(0..100).map(|number| number as f32).collect::<Vec<_>>());
        assert_eq!(names[0], "0 to below 20");
        assert_eq!(names[4], "80 to 99");
        assert_eq!([rows[0], rows[19], rows[20], rows[99]], [0, 0, 1, 4]);
        assert_eq!(parts(&[]).0, ["(missing)"]);
    }
}
