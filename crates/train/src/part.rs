//! A part of a log: what is trained on, stopped by, tested on.
//!
//! In: logs and shares. Out: [`Part`]s that stream their examples, each reading as often as it is asked.

use std::ops::Range;

use arrow_array::Array;
use events::{EventsError, Examples, FlatLog};
use spec::Spec;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::{Split, TrainError};

/// Rows of a log.
#[derive(Debug, Clone)]
pub struct Part {
    log: FlatLog,
    rows: Range<u64>,
    half: Option<Half>,
    /// Rows that it holds.
    len: u64,
}

/// Half of a log, drawn.
#[derive(Debug, Clone, Copy)]
struct Half {
    seed: u64,
    other: bool,
}

impl Half {
    /// One row of each pair of neighbours; where slates are known, whole slates.
    fn holds(self, row: u64, slate: Option<&str>) -> bool {
        let draw = |bytes: &[u8]| xxh3_64_with_seed(bytes, self.seed) & 1 == 1;
        let drawn = match slate {
            Some(slate) => draw(slate.as_bytes()),
            None => (row % 2 == 1) == draw(&(row / 2).to_le_bytes()),
        };
        drawn != self.other
    }

    fn of(self, examples: &Examples) -> Vec<u32> {
        let slates = examples.slates();
        let slate = |row: usize| (!slates.is_null(row)).then(|| slates.value(row));
        // A flat log's keys are its row numbers.
        let rows = examples.keys().iter().enumerate();
        rows.filter(|(row, key)| self.holds(**key, slate(*row)))
            .map(|(row, _)| row as u32)
            .collect()
    }
}

impl Part {
    /// The whole of a log.
    pub fn whole(log: &FlatLog) -> Part {
        Part {
            rows: 0..log.rows(),
            log: log.clone(),
            half: None,
            len: log.rows(),
        }
    }

    /// Its log.
    pub fn log(&self) -> &FlatLog {
        &self.log
    }

    /// Number of rows.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its examples in the order of the log, a batch at a time. Nothing follows an error.
    pub fn read(&self) -> impl Iterator<Item = Result<Examples, EventsError>> + Send + use<> {
        self.read_from(self.rows.start)
    }

    /// The log's row that it begins with, from 0.
    pub(crate) fn first_row(&self) -> u64 {
        self.rows.start
    }

    /// The same without what is before the log's row `row`: where a batch begins there, the other batches are the same.
    pub(crate) fn read_from(
        &self,
        row: u64,
    ) -> impl Iterator<Item = Result<Examples, EventsError>> + Send + use<> {
        let half = self.half;
        self.log.read(row..self.rows.end).map(move |examples| {
            let examples = examples?;
            Ok(match half {
                None => examples,
                Some(half) => examples.take(&half.of(&examples)),
            })
        })
    }
}

/// What is trained on, what it is stopped by, and what it is tested on.
#[derive(Debug, Clone)]
pub struct Parts {
    /// To learn from.
    pub training: Part,
    /// To stop by.
    pub validation: Part,
    /// To report.
    pub test: Part,
}

impl Parts {
    /// The parts of one log by `[train] split`, in time; a cut that would fall into a slate moves to its end.
    ///
    /// # Errors
    /// A part without rows; a log that cannot be read.
    pub fn of(spec: &Spec, log: &FlatLog) -> Result<Parts, TrainError> {
        let split = Split::of(log.rows(), spec.train.split);
        let first = log.slate_end(split.train.end)?;
        let second = log.slate_end(split.validation.end.max(first))?;
        let part = |rows: Range<u64>| Part {
            log: log.clone(),
            len: rows.end - rows.start,
            rows,
            half: None,
        };
        let parts = Parts {
            training: part(0..first),
            validation: part(first..second),
            test: part(second..log.rows()),
        };
        let why = format!("the log has {}, and no slate is cut", log.rows());
        parts.demand("`[train] split`", &why)
    }

    /// All of `log` to learn from; of `held_out`, one row of each pair of neighbours (where slates are known, half of the slates),
    /// drawn by the seed, to stop by, the other to test on.
    ///
    /// # Errors
    /// A part without rows; a log that cannot be read.
    pub fn held_out(spec: &Spec, log: &FlatLog, held_out: &FlatLog) -> Result<Parts, TrainError> {
        let half = |other| Half {
            seed: spec.train.seed,
            other,
        };
        let mut first = 0;
        for examples in held_out.read(0..held_out.rows()) {
            first += half(false).of(&examples?).len() as u64;
        }
        let part = |half: Half, len| Part {
            log: held_out.clone(),
            rows: 0..held_out.rows(),
            half: Some(half),
            len,
        };
        let parts = Parts {
            training: Part::whole(log),
            validation: part(half(false), first),
            test: part(half(true), held_out.rows() - first),
        };
        parts.demand("`--held-out`", &format!("its files have {}", held_out.rows()))
    }

    fn demand(self, what: &str, why: &str) -> Result<Parts, TrainError> {
        for (name, part) in [
            ("training", &self.training),
            ("validation", &self.validation),
            ("test", &self.test),
        ] {
            if part.is_empty() {
                let problem = format!("{what} leaves the {name} part without a row: {why}");
                return Err(TrainError::Data(problem));
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_halves_hold_each_row_once_and_other_seeds_draw_others() {
        let halves = |seed| [false, true].map(|other| Half { seed, other });
        let held = |half: Half| {
            (0..1000)
                .filter(|row| half.holds(*row, None))
                .collect::<Vec<u64>>()
        };
        let [a, b] = halves(1).map(held);
        assert_eq!((a.len(), b.len()), (500, 500));
        let mut all = [a.clone(), b].concat();
        all.sort_unstable();
        assert_eq!(all, (0..1000).collect::<Vec<_>>());
        assert_ne!(a, held(halves(2)[0]));
    }

    #[test]
    fn a_slate_is_in_one_half_whole() {
        let half = Half {
            seed: 1,
            other: false,
        };
        let held = (0..1000u64).filter(|row| half.holds(*row, Some(&format!("s{}", row / 10))));
        let held: Vec<u64> = held.collect();
        assert!((300..700).contains(&held.len()), "{}", held.len());
        for slate in 0..100 {
            let of = held.iter().filter(|row| **row / 10 == slate).count();
            assert!(of == 0 || of == 10, "slate {slate}: {of} of 10 rows");
        }
    }
}
