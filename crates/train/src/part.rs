//! A part of a log: what is trained on, stopped by, tested on.
//!
//! In: logs and shares. Out: [`Part`]s that stream their examples, each reading as often as it is asked.

use std::ops::Range;

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
}

/// One row of each pair of neighbours, drawn.
#[derive(Debug, Clone, Copy)]
struct Half {
    seed: u64,
    other: bool,
}

impl Half {
    fn holds(self, row: u64) -> bool {
        let second = xxh3_64_with_seed(&(row / 2).to_le_bytes(), self.seed) & 1 == 1;
        ((row % 2 == 1) == second) != self.other
    }
}

impl Part {
    /// The whole of a log.
    pub fn whole(log: &FlatLog) -> Part {
        Part {
            rows: 0..log.rows(),
            log: log.clone(),
            half: None,
        }
    }

    /// Its log.
    pub fn log(&self) -> &FlatLog {
        &self.log
    }

    /// Number of rows.
    pub fn len(&self) -> u64 {
        match self.half {
            None => self.rows.end - self.rows.start,
            Some(half) => self.rows.clone().filter(|row| half.holds(*row)).count() as u64,
        }
    }

    /// Whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its examples in the order of the log, a batch at a time. Nothing follows an error.
    pub fn read(&self) -> impl Iterator<Item = Result<Examples, EventsError>> + Send + use<> {
        let half = self.half;
        self.log.read(self.rows.clone()).map(move |examples| {
            let examples = examples?;
            Ok(match half {
                None => examples,
                Some(half) => {
                    // A flat log's keys are its row numbers.
                    let rows = (0u32..).zip(examples.keys());
                    let held: Vec<u32> = rows
                        .filter(|(_, key)| half.holds(**key))
                        .map(|(row, _)| row)
                        .collect();
                    examples.take(&held)
                }
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

    /// All of `log` to learn from; of `held_out`, one row of each pair of neighbours, drawn by the seed, to stop by, the other
    /// to test on.
    ///
    /// # Errors
    /// A part without rows.
    pub fn held_out(spec: &Spec, log: &FlatLog, held_out: &FlatLog) -> Result<Parts, TrainError> {
        let half = |other| Part {
            log: held_out.clone(),
            rows: 0..held_out.rows(),
            half: Some(Half {
                seed: spec.train.seed,
                other,
            }),
        };
        let parts = Parts {
            training: Part::whole(log),
            validation: half(false),
            test: half(true),
        };
        parts.demand("`--held-out`", &format!("its files have {}", held_out.rows()))
    }

    /// Demands that each part has a row; `why` one may have none.
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
        let held = |half: Half| (0..1000).filter(|row| half.holds(*row)).collect::<Vec<u64>>();
        let [a, b] = halves(1).map(held);
        assert_eq!((a.len(), b.len()), (500, 500));
        let mut all = [a.clone(), b].concat();
        all.sort_unstable();
        assert_eq!(all, (0..1000).collect::<Vec<_>>());
        assert_ne!(a, held(halves(2)[0]));
    }
}
