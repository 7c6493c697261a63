//! How well rankers order lists that were shown in random order: what debiasing is judged by where no truth is known.
//!
//! In: rankers, and the examples of shuffled slates. Out: [`Lists`] of each, and how they differ. In a shuffled list position tells
//! nothing of relevance, so the AUC within a list is unbiased but for noise; lists are compared in pairs, which takes out most of that.

use std::collections::BTreeMap;

use measure::{Interval, clustered_mean_interval};
use model::{Encoded, Positions, Ranker};
use spec::Loss;

/// Confidence of intervals.
const CONFIDENCE: f64 = 0.95;

/// AUC within each shuffled list, of each binary objective with a shallow logit (of each binary one, where none has any).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lists {
    /// By slate and objective: those whose labels differ within the list.
    aucs: BTreeMap<(u64, usize), f64>,
}

/// What a ranker predicted within shuffled lists, and what was observed.
#[derive(Debug, Default)]
pub struct ListRows {
    /// By slate and objective: predictions and labels.
    lists: BTreeMap<(u64, usize), (Vec<f32>, Vec<f32>)>,
}

impl ListRows {
    /// Adds the shuffled slates among `batch`, as `ranker` serves them; a slate may go on in another batch.
    pub fn add(&mut self, ranker: &Ranker, batch: &Encoded) {
        let rows: Vec<u32> = (0..batch.len as u32)
            .filter(|&row| batch.shuffled[row as usize] && batch.slates[row as usize] != 0)
            .collect();
        if rows.is_empty() {
            return;
        }
        let batch = batch.select(&rows);
        let served = ranker.predict(&batch, Positions::Served);
        for objective in judged_by(ranker) {
            for row in (0..batch.len).filter(|&row| !batch.labels[objective][row].is_nan()) {
                let (predictions, labels) = self.lists.entry((batch.slates[row], objective)).or_default();
                predictions.push(served.logits[objective][row]);
                labels.push(batch.labels[objective][row]);
            }
        }
    }

    /// The AUC within each list.
    pub fn finish(self) -> Lists {
        let aucs = self.lists.into_iter();
        let auc = |(key, (predictions, labels)): (_, (Vec<f32>, Vec<f32>))| {
            Some((key, measure::auc(&predictions, &labels)?))
        };
        Lists {
            aucs: aucs.filter_map(auc).collect(),
        }
    }
}

impl Lists {
    /// How many slates tell anything.
    pub fn slates(&self) -> usize {
        let mut slates: Vec<u64> = self.aucs.keys().map(|(slate, _)| *slate).collect();
        slates.dedup();
        slates.len()
    }

    /// Mean AUC within a list, and its interval over slates; NaN without any.
    pub fn auc(&self) -> Interval {
        let (slates, aucs): (Vec<u64>, Vec<f64>) =
            self.aucs.iter().map(|((slate, _), auc)| (*slate, *auc)).unzip();
        clustered_mean_interval(&aucs, &slates, CONFIDENCE)
    }

    /// The mean of `self - other` over the lists that both tell of, and its interval.
    pub fn minus(&self, other: &Lists) -> Interval {
        let pairs = self
            .aucs
            .iter()
            .filter_map(|(key, auc)| Some((key.0, auc - other.aucs.get(key)?)));
        let (slates, differences): (Vec<u64>, Vec<f64>) = pairs.unzip();
        clustered_mean_interval(&differences, &slates, CONFIDENCE)
    }

    /// The mean of several runs of one arm, list by list, over the lists that all tell of.
    pub fn mean(runs: &[Lists]) -> Lists {
        let Some((first, rest)) = runs.split_first() else {
            return Lists::default();
        };
        let of_key = |(key, auc): (&(u64, usize), &f64)| {
            let others = rest
                .iter()
                .map(|run| run.aucs.get(key).copied())
                .collect::<Option<Vec<f64>>>()?;
            Some((*key, (auc + others.iter().sum::<f64>()) / runs.len() as f64))
        };
        Lists {
            aucs: first.aucs.iter().filter_map(of_key).collect(),
        }
    }
}

/// The arm with the highest mean; of equal ones the first. `None` where no list tells anything.
pub fn best(arms: &[Lists]) -> Option<usize> {
    let means: Vec<f64> = arms.iter().map(|arm| arm.auc().mean).collect();
    (0..arms.len())
        .filter(|&at| !means[at].is_nan())
        .reduce(|best, at| if means[at] > means[best] { at } else { best })
}

/// The objectives by which lists are judged.
fn judged_by(ranker: &Ranker) -> Vec<usize> {
    let spec = ranker.spec();
    let binary = |objective: &usize| spec.objectives[*objective].loss == Loss::Binary;
    let biased = spec
        .bias
        .iter()
        .flat_map(|bias| bias.objectives.iter().copied())
        .filter(binary);
    let biased: Vec<usize> = biased.collect();
    if biased.is_empty() {
        (0..spec.objectives.len()).filter(binary).collect()
    } else {
        biased
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists(aucs: &[(u64, f64)]) -> Lists {
        Lists {
            aucs: aucs.iter().map(|(slate, auc)| ((*slate, 0), *auc)).collect(),
        }
    }

    #[test]
    fn arms_are_compared_on_the_lists_that_both_tell_of() {
        let a = lists(&[(1, 0.8), (2, 0.6), (3, 0.7), (9, 0.1)]);
        let b = lists(&[(1, 0.7), (2, 0.5), (3, 0.6), (8, 1.0)]);
        let difference = a.minus(&b);
        assert!((difference.mean - 0.1).abs() < 1e-12);
        assert!(difference.low > 0.09 && difference.high < 0.11, "{difference:?}");
        assert_eq!(b.slates(), 4);
    }

    #[test]
    fn the_best_has_the_highest_mean_and_of_equal_ones_is_the_first() {
        let (low, high) = (lists(&[(1, 0.5), (2, 0.6)]), lists(&[(1, 0.6), (2, 0.6)]));
        assert_eq!(best(&[low.clone(), high.clone(), high.clone()]), Some(1));
        assert_eq!(best(&[Lists::default(), low]), Some(1));
        assert_eq!(best(&[Lists::default()]), None);
    }

    #[test]
    fn runs_of_an_arm_are_averaged_list_by_list() {
        let mean = Lists::mean(&[lists(&[(1, 0.5), (2, 0.9)]), lists(&[(1, 0.7), (3, 0.1)])]);
        assert_eq!(mean, lists(&[(1, 0.6)]));
        assert_eq!(Lists::mean(&[]), Lists::default());
    }
}
