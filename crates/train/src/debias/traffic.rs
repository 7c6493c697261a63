//! How many slates in random order would tell, and how long they take at a log's traffic.
//!
//! In: the slates of a log with their labels. Out: a [`Traffic`].

use std::collections::BTreeMap;

/// Share of slates to shuffle that is proposed: it costs little (5 % cost about half a percent of a slate's value in simulated
/// logs) and gives thousands of slates in days of moderate traffic.
pub const SHUFFLE_SHARE: f64 = 0.03;
/// Fewest shuffled slates by which a position curve is anchored better than without them: in simulated logs 250 made it worse
/// under loggers that are not aligned with the truth, 500 did not.
pub const ANCHOR_SLATES: u64 = 500;
/// Fewest shuffled slates by which a form of bias is chosen: in simulated logs the choice by 2,000 lost at most 0.0035 nDCG.
pub const CHOICE_SLATES: u64 = 2000;

/// Half-width of the 95 % interval of the difference of two models' AUC within slates that is small enough: forms of bias
/// differed by 0.01 to 0.05 where it mattered.
const HALF_WIDTH: f64 = 0.005;
/// Correlation of two such models' AUC in the same slate; models that differ in their shallow tower alone order alike.
const CORRELATION: f64 = 0.9;
const MS_PER_DAY: f64 = 86_400_000.0;

/// Slates of a log, and slates to collect.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Traffic {
    /// Slates; where the log has none, rows at its first position.
    pub slates: u64,
    /// How many a day; `None`: the log has no times, or all in one moment.
    pub slates_per_day: Option<f64>,
    /// Slates in random order that the log has.
    pub shuffled: u64,
    /// Slates in random order by which a choice is sure: so many that the 95 % interval of the difference of two models' list AUC
    /// is at most 0.005 to either side, and [`CHOICE_SLATES`] at least. With p positives and n negatives a slate's AUC has variance
    /// `(p + n + 1) / (12 p n)` (Mann and Whitney 1947); differences of models whose AUC correlate by 0.9 have a fifth of it.
    pub needed: u64,
    /// Days until then, where 3 % of the slates are shuffled and the log's own are counted; `None`: not known.
    pub days: Option<f64>,
}

/// What is counted.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Per slate: positives and negatives.
    slates: BTreeMap<u64, (u64, u64)>,
    /// Rows at each position of rows without a slate.
    loose: BTreeMap<u32, u64>,
    shuffled: std::collections::BTreeSet<u64>,
    times: Option<(i64, i64)>,
}

impl Counts {
    /// `slate` 0: none. `label`: of a binary objective.
    pub(super) fn add(&mut self, slate: u64, position: u32, label: Option<bool>, shuffled: bool) {
        if slate == 0 {
            *self.loose.entry(position).or_default() += 1;
            return;
        }
        let (positives, negatives) = self.slates.entry(slate).or_default();
        *positives += u64::from(label == Some(true));
        *negatives += u64::from(label == Some(false));
        if shuffled {
            self.shuffled.insert(slate);
        }
    }

    pub(super) fn add_times(&mut self, times: &[i64]) {
        let both = times.iter().min().zip(times.iter().max());
        if let Some((&low, &high)) = both {
            let (first, last) = self.times.unwrap_or((low, high));
            self.times = Some((first.min(low), last.max(high)));
        }
    }

    /// `share` of the log's slates was counted.
    pub(super) fn finish(&self, share: f64) -> Traffic {
        let slates = match self.slates.len() as u64 {
            0 => self.loose.values().next().copied().unwrap_or(0),
            slates => slates,
        };
        let days = self
            .times
            .map_or(0.0, |(first, last)| (last - first) as f64 / MS_PER_DAY);
        let slates_per_day = (days > 0.0).then(|| slates as f64 / share / days);
        let shuffled = (self.shuffled.len() as f64 / share).round() as u64;
        let needed = self.needed();
        let missing = needed.saturating_sub(shuffled) as f64;
        Traffic {
            slates: (slates as f64 / share).round() as u64,
            slates_per_day,
            shuffled,
            needed,
            days: slates_per_day.map(|per_day| missing / (SHUFFLE_SHARE * per_day)),
        }
    }

    fn needed(&self) -> u64 {
        let mut variances = 0.0;
        let mut told = 0u64;
        for &(positives, negatives) in self.slates.values() {
            if positives > 0 && negatives > 0 {
                let (p, n) = (positives as f64, negatives as f64);
                variances += (p + n + 1.0) / (12.0 * p * n);
                told += 1;
            }
        }
        if told == 0 {
            return CHOICE_SLATES;
        }
        let of_difference = 2.0 * (1.0 - CORRELATION) * variances / told as f64;
        let telling = (1.96 / HALF_WIDTH).powi(2) * of_difference;
        let slates = telling * self.slates.len() as f64 / told as f64;
        (slates.ceil() as u64).max(CHOICE_SLATES)
    }

    /// Whether there are slates, and each has one row.
    pub(super) fn slates_of_one(&self) -> bool {
        !self.slates.is_empty() && self.slates.values().all(|(p, n)| p + n <= 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(slates: u64, positives: u32, rows: u32) -> Counts {
        let mut counts = Counts::default();
        for slate in 1..=slates {
            for position in 1..=rows {
                counts.add(slate, position, Some(position <= positives), false);
            }
            counts.add_times(&[slate as i64 * 1_000]);
        }
        counts
    }

    #[test]
    fn days_are_slates_over_the_share_of_the_traffic_that_is_shuffled() {
        // 10,000 slates, one a second: 86,400 a day (and the last one).
        let traffic = counts(10_000, 2, 10).finish(1.0);
        assert_eq!((traffic.slates, traffic.shuffled), (10_000, 0));
        let per_day = traffic.slates_per_day.unwrap();
        assert!((per_day / 86_400.0 - 1.0).abs() < 1e-3, "{per_day}");
        // 1.96^2 / 0.005^2 x 0.2 x 11 / 192.
        assert_eq!(traffic.needed, CHOICE_SLATES);
        let days = traffic.days.unwrap();
        assert!((days - 2000.0 / 0.03 / per_day).abs() < 1e-9, "{days}");
        // Of a tenth that was drawn, the traffic is ten times as much.
        let drawn = counts(10_000, 2, 10).finish(0.1);
        assert!((drawn.slates_per_day.unwrap() / per_day - 10.0).abs() < 1e-9);
    }

    #[test]
    fn slates_that_tell_less_are_needed_in_greater_number() {
        // One positive of two: 4 / 24 each.
        let expected = (392.0f64.powi(2) * 0.2 * 3.0 / 12.0).ceil() as u64;
        assert!(counts(100, 1, 2).finish(1.0).needed.abs_diff(expected) <= 1);
        // Where half of the slates have no positive, twice as many.
        let mut half = counts(100, 1, 2);
        for slate in 101..=200 {
            half.add(slate, 1, Some(false), false);
        }
        assert!(half.finish(1.0).needed.abs_diff(2 * expected) <= 2);
    }

    #[test]
    fn without_times_the_days_are_not_known_and_without_slates_first_positions_count() {
        let mut counts = Counts::default();
        for row in 0..30u32 {
            counts.add(0, row % 3 + 1, Some(false), false);
        }
        let traffic = counts.finish(1.0);
        assert_eq!((traffic.slates, traffic.days), (10, None));
        assert_eq!(traffic.needed, CHOICE_SLATES);
        counts.add_times(&[5, 5]);
        assert_eq!(counts.finish(1.0).slates_per_day, None);
    }

    #[test]
    fn shuffled_slates_that_are_there_need_not_be_collected() {
        let mut counts = counts(1_000, 2, 10);
        let none = counts.finish(1.0).days.unwrap();
        for slate in 1..=500 {
            counts.add(slate, 1, None, true);
        }
        let traffic = counts.finish(1.0);
        assert_eq!(traffic.shuffled, 500);
        assert!((traffic.days.unwrap() / none - 0.75).abs() < 1e-9);
    }
}
