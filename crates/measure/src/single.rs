//! A column by itself against a label: one that alone predicts it almost perfectly is probably known only afterwards.

use std::collections::HashMap;

use crate::auc;

/// Fewer of either class say nothing.
const FEWEST: usize = 20;

/// One column, a value a row.
#[derive(Debug, Clone)]
pub enum Single {
    /// Numbers; NaN where missing.
    Numbers(Vec<f32>),
    /// Hashes of ids; 0 where missing.
    Ids(Vec<u64>),
}

impl Single {
    /// AUC of the column alone against labels (NaN where not observed), turned to be at least 0.5; `None` where there are too
    /// few of either class.
    pub fn auc(&self, labels: &[f32]) -> Option<f64> {
        let observed: Vec<usize> = (0..labels.len()).filter(|&row| !labels[row].is_nan()).collect();
        let positives = observed.iter().filter(|row| labels[**row] > 0.5).count();
        if positives < FEWEST || observed.len() - positives < FEWEST {
            return None;
        }
        let labels: Vec<f32> = observed.iter().map(|&row| labels[row]).collect();
        let (predictions, either_way) = match self {
            Single::Numbers(numbers) => (by_order(&observed, numbers), true),
            Single::Ids(ids) => (by_rate(&observed, ids, &labels), false),
        };
        let auc = auc(&predictions, &labels)?;
        Some(if either_way { auc.max(1.0 - auc) } else { auc })
    }
}

/// Numbers as they are; a missing one is below all.
fn by_order(rows: &[usize], numbers: &[f32]) -> Vec<f32> {
    let number = |row: &usize| {
        if numbers[*row].is_finite() {
            numbers[*row]
        } else {
            f32::MIN
        }
    };
    rows.iter().map(number).collect()
}

/// For each row, the smoothed mean label of its id among the rows of the other parity, so that no row knows its own label.
fn by_rate(rows: &[usize], ids: &[u64], labels: &[f32]) -> Vec<f32> {
    let mut halves = [HashMap::new(), HashMap::new()];
    let mean = labels.iter().sum::<f32>() / labels.len().max(1) as f32;
    for (at, row) in rows.iter().enumerate() {
        let (sum, count) = halves[at % 2].entry(ids[*row]).or_insert((0.0f32, 0.0f32));
        *sum += labels[at];
        *count += 1.0;
    }
    let rate = |(at, row): (usize, &usize)| match halves[1 - at % 2].get(&ids[*row]) {
        Some((sum, count)) => (sum + mean) / (count + 1.0),
        None => mean,
    };
    rows.iter().enumerate().map(rate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Vec<f32> {
        (0..400).map(|row| f32::from(u8::from(row % 3 == 0))).collect()
    }

    #[test]
    fn a_column_that_tells_the_label_is_too_good_in_either_direction() {
        let labels = labels();
        let with = |sign: f32| Single::Numbers(labels.iter().map(|label| sign * label).collect());
        assert_eq!([1.0, -1.0].map(|sign| with(sign).auc(&labels)), [Some(1.0); 2]);
        let ids = Single::Ids(labels.iter().map(|label| 1 + *label as u64).collect());
        assert_eq!(ids.auc(&labels), Some(1.0));
    }

    #[test]
    fn an_id_of_each_row_knows_nothing_of_its_own_label() {
        let labels = labels();
        let own = Single::Ids((1..=400).collect());
        assert_eq!(own.auc(&labels), Some(0.5));
    }

    #[test]
    fn too_few_of_a_class_say_nothing() {
        let mut labels = vec![0.0; 400];
        labels[..19].fill(1.0);
        let numbers = Single::Numbers(labels.clone());
        assert_eq!(numbers.auc(&labels), None);
    }
}
