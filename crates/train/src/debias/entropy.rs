//! How much a column is decided by others: by the item, by the user, by what the main tower predicts.
//!
//! In: levels of a column and groups, one of each an observation. Out: ratios to the column's own entropy, 0 = decided, 1 = as by
//! chance, whatever few observations a group has.

use std::collections::BTreeMap;

/// Levels by their number of observations.
fn shares(levels: &[u16]) -> Vec<f64> {
    let mut counts = vec![0u64; levels.iter().max().map_or(0, |most| usize::from(*most) + 1)];
    levels.iter().for_each(|level| counts[usize::from(*level)] += 1);
    let all = levels.len() as f64;
    counts.into_iter().map(|count| count as f64 / all).collect()
}

/// Entropy of shares, in nats.
fn entropy(shares: impl IntoIterator<Item = f64>) -> f64 {
    -shares
        .into_iter()
        .filter(|share| *share > 0.0)
        .map(|share| share * share.ln())
        .sum::<f64>()
}

/// Entropy of `levels`, in nats.
pub(super) fn of(levels: &[u16]) -> f64 {
    entropy(shares(levels))
}

/// `H(level | group) / H(level)`: 0 where a group has one level, 1 where groups say nothing of it.
///
/// The plain entropy within a group of n observations is too low by about (levels - 1) / (2 n), for n = 1 by all of it. So it is
/// held not against H(level) but against what it is on average for n draws from all levels (see [`Expected`]): over groups
/// `sum(n H_plain) / sum(n E_n)`. Groups of one observation add nothing to either. `None`: there is no other group, or one level.
pub(super) fn given(levels: &[u16], groups: &[u64]) -> Option<f64> {
    let shares = shares(levels);
    let mut cells: BTreeMap<(u64, u16), u64> = BTreeMap::new();
    for (level, group) in levels.iter().zip(groups) {
        *cells.entry((*group, *level)).or_default() += 1;
    }
    let mut expected = Expected::of(&shares);
    let (mut found, mut chance) = (0.0, 0.0);
    let cells: Vec<((u64, u16), u64)> = cells.into_iter().collect();
    for group in cells.chunk_by(|a, b| a.0.0 == b.0.0) {
        let size: u64 = group.iter().map(|(_, count)| count).sum();
        if size > 1 {
            let n = size as f64;
            found += n * entropy(group.iter().map(|(_, count)| *count as f64 / n));
            chance += n * expected.entropy(size);
        }
    }
    (chance > 0.0).then(|| found / chance)
}

/// `I(level; class) / H(level)`, with the share taken off that independent columns have by chance: (levels - 1) (classes - 1) /
/// (2 n), of Miller and Madow (1955). `None`: one level.
pub(super) fn shared(levels: &[u16], classes: &[u16]) -> Option<f64> {
    let own = of(levels);
    let mut joint: BTreeMap<(u16, u16), u64> = BTreeMap::new();
    for (level, class) in levels.iter().zip(classes) {
        *joint.entry((*level, *class)).or_default() += 1;
    }
    let n = levels.len() as f64;
    let met = |shares: Vec<f64>| shares.into_iter().filter(|share| *share > 0.0).count() as f64;
    let chance = (met(shares(levels)) - 1.0) * (met(shares(classes)) - 1.0) / (2.0 * n);
    let information = own + of(classes) - entropy(joint.into_values().map(|count| count as f64 / n));
    (own > 0.0).then(|| ((information - chance) / own).max(0.0))
}

/// The mean plain entropy of n draws.
struct Expected<'a> {
    shares: &'a [f64],
    known: BTreeMap<u64, f64>,
}

/// Up to so many draws the mean is summed, beyond them the first term of its error is exact enough.
const SUMMED: u64 = 200;

impl<'a> Expected<'a> {
    fn of(shares: &'a [f64]) -> Expected<'a> {
        Expected {
            shares,
            known: BTreeMap::new(),
        }
    }

    /// Of `n` draws: for each level the mean of `-(c / n) ln(c / n)` over c, binomial of n and its share.
    fn entropy(&mut self, n: u64) -> f64 {
        let shares = self.shares;
        *self.known.entry(n).or_insert_with(|| {
            if n > SUMMED {
                let met = shares.iter().filter(|share| **share > 0.0).count() as f64;
                return (entropy(shares.iter().copied()) - (met - 1.0) / (2.0 * n as f64)).max(0.0);
            }
            shares.iter().map(|share| mean_term(n, *share)).sum()
        })
    }
}

fn mean_term(n: u64, share: f64) -> f64 {
    if share <= 0.0 || share >= 1.0 {
        return 0.0;
    }
    let whole = n as f64;
    // ln of the binomial's probability of c, from that of c - 1.
    let mut log = whole * (1.0 - share).ln();
    let mut mean = 0.0;
    for c in 1..=n {
        let count = c as f64;
        log += ((whole - count + 1.0) / count).ln() + (share / (1.0 - share)).ln();
        mean -= log.exp() * (count / whole) * (count / whole).ln();
    }
    mean
}

#[cfg(test)]
mod tests {
    use rand::{Rng, RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn rng() -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(11)
    }

    fn draws(rng: &mut impl Rng, count: usize, below: u16) -> Vec<u16> {
        (0..count).map(|_| rng.random_range(0..below)).collect()
    }

    #[test]
    fn what_groups_say_nothing_of_is_given_by_them_as_by_chance_however_small_they_are() {
        for (size, below) in [(2, 3), (3, 12), (10, 24), (500, 5)] {
            let levels = draws(&mut rng(), 30_000, below);
            let groups: Vec<u64> = (0..30_000).map(|row| row / size).collect();
            let ratio = given(&levels, &groups).unwrap();
            assert!((ratio - 1.0).abs() < 0.02, "groups of {size}: {ratio}");
        }
    }

    #[test]
    fn what_a_group_decides_is_given_by_it() {
        let levels: Vec<u16> = (0..10_000u16).map(|row| row / 4 % 7).collect();
        let groups: Vec<u64> = (0..10_000).map(|row| row / 4).collect();
        assert_eq!(given(&levels, &groups), Some(0.0));
    }

    #[test]
    fn what_is_half_decided_is_between() {
        // Of two groups' levels each is of its own two, of four alike: H(level | group) = ln 2, H = ln 4.
        let mut rng = rng();
        let groups: Vec<u64> = (0..40_000).map(|row| row % 2).collect();
        let levels: Vec<u16> = groups
            .iter()
            .map(|group| 2 * *group as u16 + rng.random_range(0..2u16))
            .collect();
        let ratio = given(&levels, &groups).unwrap();
        assert!((ratio - 0.5).abs() < 0.01, "{ratio}");
    }

    #[test]
    fn groups_of_one_say_nothing() {
        let groups: Vec<u64> = (0..100).collect();
        assert_eq!(given(&draws(&mut rng(), 100, 3), &groups), None);
        assert_eq!(given(&[0; 100], &vec![1; 100]), None);
        assert_eq!(given(&[], &[]), None);
    }

    #[test]
    fn information_is_that_of_its_making() {
        let mut rng = rng();
        // The class is the level in three of four rows, else any of the four: of H(level) = ln 4 it tells so much.
        let levels = draws(&mut rng, 100_000, 4);
        let classes: Vec<u16> = levels
            .iter()
            .map(|level| {
                if rng.random::<f64>() < 0.75 {
                    *level
                } else {
                    rng.random_range(0..4u16)
                }
            })
            .collect();
        let left = -(0.8125 * 0.8125f64.ln() + 3.0 * 0.0625 * 0.0625f64.ln());
        let expected = 1.0 - left / 4f64.ln();
        let ratio = shared(&levels, &classes).unwrap();
        assert!((ratio - expected).abs() < 0.01, "{ratio} {expected}");
    }

    #[test]
    fn independent_columns_share_nothing_however_few_rows_there_are() {
        let mut rng = rng();
        let of = |_| {
            let levels = draws(&mut rng, 60, 8);
            shared(&levels, &draws(&mut rng, 60, 5)).unwrap()
        };
        // Plain, it would be 28 / 120 / ln 8 = 0.11.
        let mean = (0..200).map(of).sum::<f64>() / 200.0;
        assert!(mean < 0.03, "{mean}");
        assert_eq!(shared(&[2; 50], &[1; 50]), None);
    }

    #[test]
    fn the_mean_entropy_of_two_draws_is_that_they_differ() {
        let mut expected = Expected::of(&[0.5, 0.25, 0.25]);
        let differ = 1.0 - (0.25 + 0.0625 + 0.0625);
        assert!((expected.entropy(2) - differ * 2f64.ln()).abs() < 1e-12);
        assert!(expected.entropy(1).abs() < 1e-12);
        // Where both ways meet, they agree.
        let summed = expected.entropy(SUMMED);
        assert!((summed - expected.entropy(SUMMED + 1)).abs() < 1e-4);
    }
}
