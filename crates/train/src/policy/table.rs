//! A policy as a table: how likely each item is, by position. Read for judging it, and written off the log that it made.

use std::collections::BTreeMap;
use std::path::Path;

use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use crate::TrainError;

/// How far the probabilities of a position may be from 1 in sum.
const SUM_TOLERANCE: f64 = 1e-3;

/// Probabilities of items, by position; position 0 stands for all.
#[derive(Debug)]
pub(super) struct Policy {
    by_position: BTreeMap<u32, BTreeMap<String, f64>>,
}

impl Policy {
    pub(super) fn read(path: &Path) -> Result<Policy, TrainError> {
        let table = events::sample(path, usize::MAX)?;
        let bad = |why: String| TrainError::Data(format!("the policy `{}`: {why}", path.display()));
        let column = |name: &str| {
            table
                .schema
                .fields()
                .iter()
                .position(|field| field.name() == name)
        };
        let (Some(item), Some(probability)) = (column("item"), column("probability")) else {
            return Err(bad(
                "expected the columns `item`, `probability` and, if it differs, `position`".to_owned(),
            ));
        };
        let position = column("position");
        let mut by_position: BTreeMap<u32, BTreeMap<String, f64>> = BTreeMap::new();
        let mut line = 0;
        for batch in &table.batches {
            let texts = |column: usize| ids(batch.column(column));
            let numbers = |column: usize| events::as_numbers(batch.column(column));
            let (items, probabilities) = (texts(item), numbers(probability));
            let positions = position.map(numbers);
            for row in 0..batch.num_rows() {
                line += 1;
                let (Some(item), Some(probability)) = (
                    items.get(row).cloned().flatten(),
                    probabilities.get(row).copied().flatten(),
                ) else {
                    return Err(bad(format!("row {line} lacks an item or a probability")));
                };
                if !(0.0..=1.0).contains(&probability) {
                    return Err(bad(format!(
                        "row {line} has the probability {probability}, expected 0 to 1"
                    )));
                }
                let at = match &positions {
                    None => 0,
                    Some(positions) => match positions.get(row).copied().flatten() {
                        Some(at) if at >= 1.0 && at.fract() == 0.0 => at as u32,
                        _ => return Err(bad(format!("row {line} has no position from 1"))),
                    },
                };
                if by_position
                    .entry(at)
                    .or_default()
                    .insert(item.clone(), probability)
                    .is_some()
                {
                    return Err(bad(format!("row {line}: `{item}` is already there")));
                }
            }
        }
        for (at, items) in &by_position {
            let sum: f64 = items.values().sum();
            if (sum - 1.0).abs() > SUM_TOLERANCE {
                let place = if *at == 0 {
                    String::new()
                } else {
                    format!(" at position {at}")
                };
                return Err(bad(format!("the probabilities{place} sum to {sum}, expected 1")));
            }
        }
        Ok(Policy { by_position })
    }

    pub(super) fn at(&self, position: u32) -> Option<&BTreeMap<String, f64>> {
        self.by_position
            .get(&position)
            .or_else(|| self.by_position.get(&0))
    }
}

/// Ids as the log's are read: numbers in decimal without fraction, true and false as 1 and 0.
fn ids(column: &ArrayRef) -> Vec<Option<String>> {
    let boolean = *column.data_type() == DataType::Boolean;
    if column.data_type().is_floating() || boolean {
        let numbers = events::as_numbers(column).into_iter();
        return numbers.map(|number| Some(number?.to_string())).collect();
    }
    events::as_texts(column)
}

/// How often each item is shown at each position of a log, as a table that [`PolicyOptions::file`](crate::PolicyOptions) can
/// name: CSV with the columns `item`, `position` and `probability`. `item` and `position` name the log's columns.
///
/// # Errors
/// A log that cannot be read, or lacks the columns.
pub fn frequencies(log: &Path, item: &str, position: &str) -> Result<String, TrainError> {
    let mut shown: BTreeMap<u32, BTreeMap<String, u64>> = BTreeMap::new();
    let mut line = 0;
    events::scan(log, &[item, position], |columns| {
        let items = ids(&columns[0]);
        let positions = events::as_numbers(&columns[1]);
        for (item, at) in items.into_iter().zip(positions) {
            line += 1;
            let (Some(item), Some(at)) = (item, at) else {
                continue;
            };
            if at < 1.0 || at.fract() != 0.0 || at > f64::from(u32::MAX) {
                return Err(TrainError::Data(format!(
                    "`{}`, row {line}, column `{position}`: found {at}, expected a whole number from 1",
                    log.display()
                )));
            }
            *shown.entry(at as u32).or_default().entry(item).or_default() += 1;
        }
        Ok(())
    })?;
    let mut csv = "item,position,probability\n".to_owned();
    for (position, items) in &shown {
        let rows: u64 = items.values().sum();
        for (item, count) in items {
            let item = if item.contains([',', '"', '\n', '\r']) {
                format!("\"{}\"", item.replace('"', "\"\""))
            } else {
                item.clone()
            };
            csv.push_str(&format!("{item},{position},{}\n", *count as f64 / rows as f64));
        }
    }
    Ok(csv)
}
