//! What watch-time objectives learn and predict: fitted on training data, frozen in the artifact.
//!
//! In: watch times with the durations of what was watched. Out: a target that a network can learn, and of its logit a watch
//! time again, in the label's unit.

use std::collections::BinaryHeap;

use serde::{Deserialize, Serialize};
use spec::{Loss, Objective};
use xxhash_rust::xxh3::xxh3_64;

/// Most pairs of duration and watch time that a fit keeps.
const MAX_PAIRS: usize = 1 << 20;
/// Most groups of durations.
const MAX_GROUPS: usize = 30;
/// Fewest examples of a group, where there are as many.
const MIN_GROUP: usize = 100;
/// Most knots of a group's quantile function.
const MAX_KNOTS: usize = 101;
/// Logits of odds are kept within this on either side when they are predicted from.
const LARGEST_LOGIT: f64 = 30.0;
/// Targets are kept up to this.
const LARGEST_TARGET: f64 = 1e12;

/// What was fitted for one watch-time objective.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Watch {
    /// [`Loss::WatchFraction`].
    Fraction {
        /// Median duration of the training part: what a prediction takes where the duration is missing.
        duration: f32,
    },
    /// [`Loss::WeightedLogistic`]. Odds of watch times in milliseconds would have huge gradients, so the network learns
    /// multiples of the mean m of the training part: the target is T / m, the prediction m exp(logit), with the logit kept
    /// within 30 on either side.
    Logistic {
        /// m, above 0.
        mean: f32,
    },
    /// [`Loss::WatchQuantile`].
    Quantile {
        /// Median duration of the training part: what a prediction takes where the duration is missing.
        duration: f32,
        /// By rising duration; none where training saw no watch time.
        groups: Vec<DurationGroup>,
    },
}

/// Training examples of about the same duration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DurationGroup {
    /// Its shortest duration; the first group also takes shorter ones.
    pub from: f32,
    /// The empirical quantile function of its K watch times, not falling: knot i is that of share (i + 1/2) / K.
    pub knots: Vec<f32>,
}

impl Watch {
    /// What the network learns for a watch time, from 0, of a duration above 0 (which [`Watch::Logistic`] ignores).
    pub fn target(&self, watched: f32, duration: f32) -> f32 {
        let watched = watched.max(0.0);
        match self {
            Watch::Fraction { .. } => (watched / duration).min(1.0),
            Watch::Logistic { mean } => (f64::from(watched) / f64::from(*mean)).min(LARGEST_TARGET) as f32,
            Watch::Quantile { groups, .. } => {
                group(groups, duration).map_or(0.5, |group| group.quantile(watched))
            }
        }
    }

    /// The watch time that a logit predicts, finite; `duration` is NaN where it is missing.
    pub fn prediction(&self, logit: f32, duration: f32) -> f32 {
        let or_median = |median: f32| if duration.is_nan() { median } else { duration };
        match self {
            Watch::Fraction { duration: median } => or_median(*median) * nn::sigmoid(logit),
            Watch::Logistic { mean } => {
                let odds = f64::from(logit).clamp(-LARGEST_LOGIT, LARGEST_LOGIT).exp();
                (f64::from(*mean) * odds).min(f64::from(f32::MAX)) as f32
            }
            Watch::Quantile {
                duration: median,
                groups,
            } => {
                let group = group(groups, or_median(*median));
                group.map_or(0.0, |group| group.watch_time(nn::sigmoid(logit)))
            }
        }
    }

    /// Whether it is of this loss and sound.
    fn fits(&self, loss: Loss) -> bool {
        let positive = |number: f32| number.is_finite() && number > 0.0;
        match (self, loss) {
            (Watch::Fraction { duration }, Loss::WatchFraction) => positive(*duration),
            (Watch::Logistic { mean }, Loss::WeightedLogistic) => positive(*mean),
            (Watch::Quantile { duration, groups }, Loss::WatchQuantile) => {
                positive(*duration)
                    && groups.windows(2).all(|pair| pair[0].from < pair[1].from)
                    && groups.iter().all(|group| {
                        positive(group.from)
                            && !group.knots.is_empty()
                            && group.knots.iter().all(|knot| knot.is_finite() && *knot >= 0.0)
                            && group.knots.is_sorted()
                    })
            }
            _ => false,
        }
    }
}

/// The group of a duration; `None` where there is no group.
fn group(groups: &[DurationGroup], duration: f32) -> Option<&DurationGroup> {
    let above = groups.partition_point(|group| group.from <= duration);
    groups.get(above.saturating_sub(1))
}

impl DurationGroup {
    /// The mid-rank of a watch time among the knots, in `[0, 1]`, linear between them: the inverse of
    /// [`DurationGroup::watch_time`].
    fn quantile(&self, watched: f32) -> f32 {
        let count = self.knots.len() as f64;
        let below = self.knots.partition_point(|&knot| knot < watched);
        let upto = self.knots.partition_point(|&knot| knot <= watched);
        let rank = if below == upto && below > 0 && upto < self.knots.len() {
            let (from, to) = (f64::from(self.knots[below - 1]), f64::from(self.knots[below]));
            below as f64 - 0.5 + (f64::from(watched) - from) / (to - from)
        } else {
            (below + upto) as f64 / 2.0
        };
        (rank / count) as f32
    }

    /// The watch time of a quantile in `[0, 1]`, linear between knots.
    fn watch_time(&self, quantile: f32) -> f32 {
        let last = self.knots.len() - 1;
        let place = (f64::from(quantile) * self.knots.len() as f64 - 0.5).clamp(0.0, last as f64);
        let below = place as usize;
        let (from, to) = (
            f64::from(self.knots[below]),
            f64::from(self.knots[(below + 1).min(last)]),
        );
        (from + (place - below as f64) * (to - from)) as f32
    }
}

/// What makes these none of `objectives`'; `None` where they fit.
pub(crate) fn misfit(objectives: &[Objective], watch: &[Option<Watch>]) -> Option<String> {
    if watch.len() != objectives.len() {
        let count = objectives.len();
        return Some(format!(
            "watch times of {} objectives; the declaration has {count}",
            watch.len()
        ));
    }
    objectives.iter().zip(watch).find_map(|(objective, watch)| {
        let fits = match watch {
            Some(watch) => watch.fits(objective.loss),
            None => !objective.loss.is_watch_time(),
        };
        (!fits).then(|| {
            format!(
                "the watch times of `{}` are not of the declared loss",
                objective.name
            )
        })
    })
}

/// Collects what [`Watch`] needs from a stream of training examples.
#[derive(Debug, Clone)]
pub(crate) struct WatchFit {
    loss: Loss,
    sum: f64,
    count: u64,
    /// Those whose keys have the smallest hashes: a sample that does not depend on the order or the batches of the stream.
    pairs: BinaryHeap<Pair>,
}

/// Hash of the key, then the bits of duration and watch time: of numbers from 0, the order of bits is their order.
type Pair = (u64, u32, u32);

impl WatchFit {
    /// Nothing seen yet; `None` for objectives that are no watch time.
    pub(crate) fn new(objective: &Objective) -> Option<WatchFit> {
        objective.loss.is_watch_time().then(|| WatchFit {
            loss: objective.loss,
            sum: 0.0,
            count: 0,
            pairs: BinaryHeap::new(),
        })
    }

    /// Adds an observed watch time, from 0; `duration` above 0 where the loss needs it.
    pub(crate) fn add(&mut self, key: u64, duration: f32, watched: f32) {
        self.add_within(MAX_PAIRS, key, duration, watched);
    }

    fn add_within(&mut self, most: usize, key: u64, duration: f32, watched: f32) {
        let watched = watched.max(0.0);
        self.sum += f64::from(watched);
        self.count += 1;
        if self.loss.needs_duration() {
            let pair = (xxh3_64(&key.to_le_bytes()), duration.to_bits(), watched.to_bits());
            if self.pairs.len() < most {
                self.pairs.push(pair);
            } else if let Some(mut largest) = self.pairs.peek_mut()
                && pair < *largest
            {
                *largest = pair;
            }
        }
    }

    pub(crate) fn finish(self) -> Watch {
        if self.loss == Loss::WeightedLogistic {
            let mean = (self.sum / self.count.max(1) as f64) as f32;
            let usable = mean.is_normal();
            return Watch::Logistic {
                mean: if usable { mean } else { 1.0 },
            };
        }
        let mut pairs: Vec<(f32, f32)> = (self.pairs.into_iter())
            .map(|(_, duration, watched)| (f32::from_bits(duration), f32::from_bits(watched)))
            .collect();
        pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let duration = pairs.get(pairs.len() / 2).map_or(1.0, |pair| pair.0);
        match self.loss {
            Loss::WatchFraction => Watch::Fraction { duration },
            _ => Watch::Quantile {
                duration,
                groups: groups(&pairs),
            },
        }
    }
}

/// Groups of about as many examples each, of `pairs` by rising duration. Equal durations stay together.
fn groups(pairs: &[(f32, f32)]) -> Vec<DurationGroup> {
    let wanted = (pairs.len() / MIN_GROUP).clamp(1, MAX_GROUPS);
    let (mut starts, mut next) = (vec![0], 1);
    for (at, pair) in pairs.windows(2).enumerate() {
        let (end, start) = (at + 1, starts[starts.len() - 1]);
        // `end` ends a run of equal durations, past the place of the next border.
        if pair[0].0 < pair[1].0
            && end * wanted >= next * pairs.len()
            && end - start >= MIN_GROUP
            && pairs.len() - end >= MIN_GROUP
        {
            starts.push(end);
            next = end * wanted / pairs.len() + 1;
        }
    }
    let ends = starts.iter().skip(1).copied().chain([pairs.len()]);
    let ranges = starts.iter().zip(ends).filter(|(start, end)| *start < end);
    ranges
        .map(|(&start, end)| {
            let mut watched: Vec<f32> = pairs[start..end].iter().map(|pair| pair.1).collect();
            watched.sort_unstable_by(f32::total_cmp);
            DurationGroup {
                from: pairs[start].0,
                knots: knots(&watched),
            }
        })
        .collect()
}

/// Evenly spaced quantiles of rising values, of which there is at least one.
fn knots(values: &[f32]) -> Vec<f32> {
    let count = values.len().min(MAX_KNOTS);
    (0..count)
        .map(|knot| values[(2 * knot + 1) * values.len() / (2 * count)])
        .collect()
}

#[cfg(test)]
mod tests;
