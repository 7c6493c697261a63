//! A ranker and its baseline on a part of a log.
//!
//! In: a [`Part`]. Out: [`Judged`]: what both predicted beside what was observed, the rows of shuffled slates, and which units of the
//! network were active.
//! Memory is bounded: of a large part, whole slates (rows, where there are none) are drawn by their hash.

use events::Examples;
use model::{Activity, Encoded, Positions, Ranker};
use xxhash_rust::xxh3::xxh3_64;

use crate::ahead::Ahead;
use crate::baseline::Logistic;
use crate::curve::ShuffledRows;
use crate::debias::{CheckRows, DebiasCheck};
use crate::{Outcomes, Part, Progress, TrainError};

/// Most examples that metrics are computed on.
pub(crate) const MOST: u64 = 1 << 20;

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    pub(crate) outcomes: Outcomes,
    /// Of each logistic regression.
    pub(crate) logistic: Vec<Outcomes>,
    pub(crate) activity: Option<Activity>,
    /// Whether positions and relevance can be told apart there.
    pub(crate) debias_check: Option<DebiasCheck>,
    /// What stood at places that were drawn at random.
    pub(crate) shuffled: ShuffledRows,
    /// Examples that were judged by.
    pub(crate) examples: u64,
}

/// Who predicts.
#[derive(Clone, Copy)]
pub(crate) struct Judge<'a> {
    pub(crate) ranker: &'a Ranker,
    pub(crate) logistic: &'a [Logistic],
    /// Whether to look into the network: to count active units, and to check how positions and relevance are confounded.
    pub(crate) inside: bool,
}

impl Judge<'_> {
    /// Predicts a part and shows each batch that it judges to `see`; `None` where `stop` said so between two batches.
    pub(crate) fn on(
        self,
        part: &Part,
        progress: &mut dyn Progress,
        stop: fn(&dyn Progress) -> bool,
        see: &mut dyn FnMut(&Examples),
    ) -> Result<Option<Judged>, TrainError> {
        let rows = part.len();
        let share = if rows > MOST {
            MOST as f64 / rows as f64
        } else {
            1.0
        };
        // Room for a drawn part that is larger than it should be takes no memory.
        let outcomes = || Outcomes::with_room(self.ranker.spec(), rows.min(MOST + MOST / 8));
        let mut judged = Judged {
            outcomes: outcomes(),
            logistic: self.logistic.iter().map(|_| outcomes()).collect(),
            ..Judged::default()
        };
        let spec = self.ranker.spec();
        let mut rows = self.inside.then(|| CheckRows::new(spec));
        let mut batches = Ahead::of("decode", 2, part.read())?;
        while let Some(examples) = batches.next()?.transpose()? {
            if stop(progress) {
                return Ok(None);
            }
            progress.advance(examples.len() as u64);
            let mut examples = examples;
            let mut batch = self.ranker.encoder.encode(&examples);
            if share < 1.0 {
                let rows = drawn(&batch, share);
                batch = batch.select(&rows);
                examples = examples.take(&rows);
            }
            see(&examples);
            if let Some(rows) = &mut rows {
                rows.add(self.ranker, &examples, &batch);
            }
            self.add(&batch, &mut judged);
        }
        judged.debias_check = rows.map(|rows| rows.finish(spec, share));
        Ok(Some(judged))
    }

    fn add(self, batch: &Encoded, judged: &mut Judged) {
        let spec = self.ranker.spec();
        let bias = spec.bias.as_ref();
        let differs = bias.is_some_and(|bias| bias.form.is_served_otherwise());
        let logged = self.ranker.predict(batch, Positions::Logged);
        let served = differs.then(|| self.ranker.predict(batch, Positions::Served));
        judged.outcomes.add(spec, batch, &logged, served.as_ref());
        for (logistic, outcomes) in self.logistic.iter().zip(&mut judged.logistic) {
            let logged = logistic.predict(spec, batch, Positions::Logged);
            let served = differs.then(|| logistic.predict(spec, batch, Positions::Served));
            outcomes.add(spec, batch, &logged, served.as_ref());
        }
        judged.shuffled.add(self.ranker, batch);
        if self.inside {
            let activity = self.ranker.unit_activity(batch);
            match &mut judged.activity {
                Some(sum) => sum.add(&activity),
                none => *none = Some(activity),
            }
        }
        judged.examples += batch.len as u64;
    }
}

/// The rows of a share of the examples, whole slates where they are known.
pub(crate) fn drawn(batch: &Encoded, share: f64) -> Vec<u32> {
    let limit = (share * u64::MAX as f64) as u64;
    let unit = |row: usize| match batch.slates[row] {
        0 => batch.keys[row],
        slate => slate,
    };
    (0..batch.len)
        .filter(|&row| xxh3_64(&unit(row).to_le_bytes()) < limit)
        .map(|row| row as u32)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(slates: Vec<u64>) -> Encoded {
        Encoded {
            len: slates.len(),
            keys: (0..slates.len() as u64).collect(),
            slates,
            ..Encoded::default()
        }
    }

    #[test]
    fn of_a_large_part_whole_slates_are_drawn_and_the_same_each_time() {
        let slates: Vec<u64> = (0..10_000).map(|row| 1 + row / 10).collect();
        let rows = drawn(&batch(slates.clone()), 0.3);
        assert_eq!(rows, drawn(&batch(slates.clone()), 0.3));
        assert!((2_000..4_000).contains(&rows.len()), "{}", rows.len());
        for slate in 1..=1000 {
            let of = rows.iter().filter(|row| slates[**row as usize] == slate).count();
            assert!(of == 0 || of == 10, "slate {slate} is cut: {of} of 10 rows");
        }
    }

    #[test]
    fn rows_without_slates_are_drawn_by_themselves() {
        let rows = drawn(&batch(vec![0; 10_000]), 0.3);
        assert!((2_800..3_200).contains(&rows.len()), "{}", rows.len());
    }
}
