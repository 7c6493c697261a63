//! The time-ordered split of a log: training, validation, test.

use std::ops::Range;

/// Row ranges of a log in time order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The oldest rows.
    pub train: Range<u64>,
    /// Rows that training stops by.
    pub validation: Range<u64>,
    /// The newest rows, judged once.
    pub test: Range<u64>,
}

impl Split {
    /// Splits `rows` by the given shares; boundaries are rounded down.
    pub fn of(rows: u64, shares: [f64; 3]) -> Split {
        let at = |share: f64| ((rows as f64 * share + 1e-6).floor() as u64).min(rows);
        let (first, second) = (at(shares[0]), at(shares[0] + shares[1]));
        Split {
            train: 0..first,
            validation: first..second,
            test: second..rows,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_in_exactly_one_part_and_the_parts_are_in_time_order() {
        for rows in [0, 1, 2, 3, 10, 41_828] {
            let split = Split::of(rows, [0.7, 0.1, 0.2]);
            assert_eq!(
                [
                    split.train.start,
                    split.train.end,
                    split.validation.end,
                    split.test.end
                ][0],
                0
            );
            assert_eq!(split.train.end, split.validation.start);
            assert_eq!(split.validation.end, split.test.start);
            assert_eq!(split.test.end, rows);
        }
        assert_eq!(Split::of(41_828, [0.7, 0.1, 0.2]).train.end, 29_279);
    }
}
