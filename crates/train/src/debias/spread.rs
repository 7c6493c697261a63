//! How far relevance and positions are confounded: numbers of one objective's main logits.
//!
//! In: per impression its position, main logit and item. Out: a [`Spread`]: the share of the logit's variance that lies between
//! positions, how freely items change places, what both imply of a fitted slope, and a plain [`Confounding`].

use std::collections::BTreeMap;

/// Below it, the slope of a fitted curve was within 10 % of the true one in simulated logs (linear position logits, hidden
/// appeal of deviation 0.5), whatever the logger sorted by.
pub const OK_BELOW: f64 = 0.10;
/// Above it, slopes were 25 % and more off in such logs, upwards with a logger that is aligned with the truth, downwards with one
/// that sorts by popularity.
pub const CANNOT_TELL_ABOVE: f64 = 0.30;
/// Below it, items hardly change places: a logger that sorts by popularity alone left 0.34 to 0.43 in such logs, one that is
/// aligned with the truth 0.70.
pub const SWAP_BELOW: f64 = 0.60;

/// Slope of the fitted curve over the true one by `eta2`, for loggers that are more and more aligned with the truth: means over
/// three simulated worlds.
const ALIGNED: [(f64, f64); 6] = [
    (0.00, 0.92),
    (0.04, 1.01),
    (0.18, 1.13),
    (0.33, 1.28),
    (0.48, 1.47),
    (0.54, 1.58),
];
/// The same for loggers that sort more and more by popularity.
const POPULARITY: [(f64, f64); 4] = [(0.00, 0.92), (0.07, 0.91), (0.33, 0.79), (0.38, 0.75)];

/// Whether a log can tell the bias of positions from relevance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Confounding {
    /// It can: fitted curves are within about 10 %.
    #[serde(rename = "ok")]
    Ok,
    /// Fitted curves may be up to a quarter off.
    #[serde(rename = "caution")]
    Caution,
    /// It cannot: only slates in random order tell.
    #[serde(rename = "cannot tell")]
    CannotTell,
}

impl std::fmt::Display for Confounding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Confounding::Ok => "ok",
            Confounding::Caution => "caution",
            Confounding::CannotTell => "cannot tell",
        })
    }
}

/// Between what the slope of a fitted position curve may lie, over the true one.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct SlopeRange {
    /// With a logger that sorts by popularity.
    pub low: f64,
    /// With one that knows what is relevant.
    pub high: f64,
    /// Whether it was never measured so confounded: the slope may be further off.
    pub beyond: bool,
}

impl SlopeRange {
    /// The range at `eta2`, between the measured points.
    pub fn at(eta2: f64) -> SlopeRange {
        let last = |table: &[(f64, f64)]| table.last().map_or(0.0, |point| point.0);
        SlopeRange {
            low: between(&POPULARITY, eta2),
            high: between(&ALIGNED, eta2).max(1.0),
            beyond: eta2 > last(&POPULARITY).max(last(&ALIGNED)),
        }
    }
}

/// The broken line through `points`, which rise in x; level outside of them.
fn between(points: &[(f64, f64)], x: f64) -> f64 {
    let right = points.partition_point(|point| point.0 <= x);
    match (right.checked_sub(1).map(|left| points[left]), points.get(right)) {
        (Some(left), Some(right)) => left.1 + (right.1 - left.1) * (x - left.0) / (right.0 - left.0),
        (Some(only), None) | (None, Some(&only)) => only.1,
        (None, None) => f64::NAN,
    }
}

/// One impression with a known position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    /// From 1.
    pub(super) position: u32,
    /// Of the main tower.
    pub(super) logit: f32,
    /// Which item.
    pub(super) item: u64,
}

/// How main logits and items are spread over positions.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Spread {
    /// Impressions.
    pub rows: u64,
    /// Distinct positions.
    pub positions: usize,
    /// Share of the variance of the main logit that lies between positions, `[0, 1]`: with B the sum of squares between the P
    /// positions and W within them over N rows, `(B - (P - 1) W / (N - P)) / (B + W)`, 0 where it is negative: the correlation
    /// ratio without the share that any P groups of so many rows have by chance (Kelley 1935). 0 for a random order.
    pub eta2: f64,
    /// How much items are seen in both halves of the list: 1 as in a random order, 0 where each keeps to its half. With u of an
    /// item's n impressions in the upper half, and p the share of all: `sum(u (n - u) / n) / sum(n - 1) / (p (1 - p))` over items
    /// shown twice or more, the variance of the half within items over that of all. `None`: no item was shown twice, or the log
    /// has no items.
    pub swap: Option<f64>,
    /// What `eta2` implies.
    pub slope: SlopeRange,
    /// What both come to.
    pub verdict: Confounding,
}

impl Spread {
    /// Of `rows`; `None` where they have fewer than two positions or the logit is constant.
    pub(super) fn of(rows: &[Shown], items: bool) -> Option<Spread> {
        let (eta2, positions) = eta2(rows)?;
        let swap = if items { swap(rows) } else { None };
        let verdict = if eta2 > CANNOT_TELL_ABOVE || swap.is_some_and(|swap| swap < SWAP_BELOW) {
            Confounding::CannotTell
        } else if eta2 >= OK_BELOW {
            Confounding::Caution
        } else {
            Confounding::Ok
        };
        Some(Spread {
            rows: rows.len() as u64,
            positions,
            eta2,
            swap,
            slope: SlopeRange::at(eta2),
            verdict,
        })
    }
}

/// The share of the variance between positions, and their number.
fn eta2(rows: &[Shown]) -> Option<(f64, usize)> {
    let count = rows.len() as f64;
    let mean = rows.iter().map(|row| f64::from(row.logit)).sum::<f64>() / count;
    // About the mean, so that a large one costs no digits: rows, sum, sum of squares.
    let mut groups: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    let mut total = 0.0;
    for row in rows {
        let centred = f64::from(row.logit) - mean;
        let (rows, sum) = groups.entry(row.position).or_default();
        *rows += 1.0;
        *sum += centred;
        total += centred * centred;
    }
    let positions = groups.len();
    let constant = total <= 1e-12 * count * (1.0 + mean * mean);
    if positions < 2 || rows.len() <= positions || constant {
        return None;
    }
    let between: f64 = groups.values().map(|(rows, sum)| sum * sum / rows).sum();
    let chance = (positions as f64 - 1.0) * (total - between) / (count - positions as f64);
    Some((((between - chance) / total).clamp(0.0, 1.0), positions))
}

fn swap(rows: &[Shown]) -> Option<f64> {
    let mut positions: Vec<u32> = rows.iter().map(|row| row.position).collect();
    positions.sort_unstable();
    // The upper half ends where half of the impressions are; at least one position is below it.
    let mut upper = positions[positions.len() / 2 - usize::from(positions.len().is_multiple_of(2))];
    if positions.last() == Some(&upper) {
        upper = *positions.iter().rev().find(|position| **position < upper)?;
    }
    let mut items: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    for row in rows {
        let (shown, above) = items.entry(row.item).or_default();
        *shown += 1.0;
        *above += f64::from(u8::from(row.position <= upper));
    }
    let share = positions.partition_point(|position| *position <= upper) as f64 / rows.len() as f64;
    let within: f64 = items.values().map(|(n, u)| u * (n - u) / n).sum();
    let freedom: f64 = items.values().map(|(n, _)| n - 1.0).sum();
    (freedom > 0.0).then(|| within / freedom / (share * (1.0 - share)))
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Slates of ten: the logit falls by `slope` a position and is spread by `noise` (uniform, of deviation 1).
    fn slates(count: usize, slope: f64, noise: f64, item: impl Fn(usize, u32) -> u64) -> Vec<Shown> {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let mut rows = Vec::new();
        for slate in 0..count {
            for position in 1..=10 {
                let spread = 12f64.sqrt() * (rng.random::<f64>() - 0.5);
                rows.push(Shown {
                    position,
                    logit: (100.0 - slope * f64::from(position) + noise * spread) as f32,
                    item: item(slate, position),
                });
            }
        }
        rows
    }

    #[test]
    fn the_share_between_positions_is_that_of_its_making() {
        // Positions 1 to 10 have variance 8.25.
        for (slope, noise) in [(0.1, 1.0), (0.2, 1.0), (0.5, 0.5)] {
            let expected = 8.25 * slope * slope / (8.25 * slope * slope + noise * noise);
            let spread = Spread::of(&slates(4_000, slope, noise, |_, _| 0), true).unwrap();
            assert!(
                (spread.eta2 - expected).abs() < 0.01,
                "{} {expected}",
                spread.eta2
            );
            assert_eq!(spread.positions, 10);
        }
    }

    #[test]
    fn a_random_order_has_no_share_however_few_rows_there_are() {
        let draws = |seed: u64| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let rows: Vec<Shown> = (0..60)
                .map(|row| Shown {
                    position: row % 10 + 1,
                    logit: rng.random::<f32>(),
                    item: 0,
                })
                .collect();
            // Without clamping at 0 the mean would be 0; the plain ratio's is 9 / 59 = 0.15.
            Spread::of(&rows, true).unwrap().eta2
        };
        let mean = (0..200).map(draws).sum::<f64>() / 200.0;
        assert!(mean < 0.05, "{mean}");
    }

    #[test]
    fn items_that_change_places_at_random_swap_by_one_and_those_that_keep_theirs_by_none() {
        let random = |slate: usize, position: u32| (slate * 31 + position as usize * 17) as u64 % 97;
        let swap = |item: &dyn Fn(usize, u32) -> u64| {
            let rows = slates(2_000, 0.0, 1.0, item);
            Spread::of(&rows, true).unwrap().swap.unwrap()
        };
        assert!((swap(&random) - 1.0).abs() < 0.02, "{}", swap(&random));
        assert_eq!(swap(&|_, position| u64::from(position)), 0.0);
        // Of an item's impressions in three of four slates the half is its own, in the fourth the other: 4 x 3/4 x 1/4.
        let mixed = |slate: usize, position: u32| {
            let half = u64::from(position > 5) ^ u64::from(slate.is_multiple_of(4));
            u64::from((position - 1) % 5) * 2 + half
        };
        assert!((swap(&mixed) - 0.75).abs() < 0.01, "{}", swap(&mixed));
        // Shown twice each, once in each half or both times in one, as a coin has it.
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let pairs: Vec<Shown> = (0..20_000)
            .map(|row| Shown {
                position: rng.random_range(1..=10),
                logit: rng.random(),
                item: row / 2,
            })
            .collect();
        let swap = Spread::of(&pairs, true).unwrap().swap.unwrap();
        assert!((swap - 1.0).abs() < 0.03, "{swap}");
    }

    #[test]
    fn without_items_or_repeats_the_swap_is_not_known() {
        let rows = slates(100, 0.1, 1.0, |slate, position| {
            (slate * 10) as u64 + u64::from(position)
        });
        assert_eq!(Spread::of(&rows, true).unwrap().swap, None);
        let rows = slates(100, 0.1, 1.0, |_, _| 0);
        assert_eq!(Spread::of(&rows, false).unwrap().swap, None);
    }

    #[test]
    fn one_position_or_one_logit_tells_nothing() {
        let flat = slates(100, 0.0, 0.0, |_, _| 0);
        assert_eq!(Spread::of(&flat, true), None);
        let first: Vec<Shown> = slates(100, 0.1, 1.0, |_, _| 0)
            .into_iter()
            .filter(|row| row.position == 1)
            .collect();
        assert_eq!(Spread::of(&first, true), None);
        assert_eq!(Spread::of(&[], true), None);
    }

    #[test]
    fn the_verdict_follows_both_numbers() {
        let verdict = |eta2: f64, item: &dyn Fn(usize, u32) -> u64| {
            let slope = (eta2 / (1.0 - eta2) / 8.25).sqrt();
            Spread::of(&slates(4_000, slope, 1.0, item), true)
                .unwrap()
                .verdict
        };
        let random = |slate: usize, position: u32| (slate * 31 + position as usize * 17) as u64 % 97;
        assert_eq!(verdict(0.05, &random), Confounding::Ok);
        assert_eq!(verdict(0.2, &random), Confounding::Caution);
        assert_eq!(verdict(0.4, &random), Confounding::CannotTell);
        assert_eq!(
            verdict(0.05, &|_, position| u64::from(position)),
            Confounding::CannotTell
        );
    }

    #[test]
    fn the_slope_is_read_between_the_measured_points() {
        let range = SlopeRange::at(0.18);
        assert!((range.high - 1.13).abs() < 1e-9 && !range.beyond, "{range:?}");
        let range = SlopeRange::at(OK_BELOW);
        assert!(range.low > 0.89 && range.high < 1.10, "{range:?}");
        let range = SlopeRange::at(CANNOT_TELL_ABOVE);
        assert!(range.low < 0.81 && range.high > 1.24, "{range:?}");
        let range = SlopeRange::at(0.7);
        assert!((range.low, range.high, range.beyond) == (0.75, 1.58, true));
        // No confounding: the curve is a little flat from drop-out and steps, and the range holds the truth.
        assert_eq!(SlopeRange::at(0.0).high, 1.0);
    }
}
