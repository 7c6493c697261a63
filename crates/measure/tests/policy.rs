//! Intervals of policy values hold what they promise, on logs whose policies' true values are known.

#![allow(clippy::unwrap_used)]

use measure::{EstimatedRow, LoggedRow, PolicyValue, doubly_robust, ips, snips};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

const CONTEXTS: usize = 4;
const ACTIONS: usize = 8;
const ROWS: usize = 5000;
const REPLICATIONS: u64 = 200;

/// Click rates from 2 to 12.5 %.
fn click_rate(context: usize, action: usize) -> f64 {
    0.02 + 0.015 * appeal(context, action)
}

/// 0 to 7, each once in a context.
fn appeal(context: usize, action: usize) -> f64 {
    ((5 * action + 3 * context) % ACTIONS) as f64
}

/// Propensities from 1 / 36 to 8 / 36, with little regard to appeal.
fn logging(context: usize, action: usize) -> f64 {
    ((3 * action + context) % ACTIONS + 1) as f64 / 36.0
}

/// Favours what appeals, but never surely.
fn target(context: usize, action: usize) -> f64 {
    (1.0 + appeal(context, action).powi(2)) / 148.0
}

/// Half of what is true, and beside it something that is not.
fn model(context: usize, action: usize) -> f64 {
    0.5 * click_rate(context, action) + 0.02 * (action % 3) as f64
}

/// Expected under the target policy, contexts being equally frequent.
fn expected(reward: impl Fn(usize, usize) -> f64) -> f64 {
    (0..CONTEXTS)
        .map(|context| expected_in(context, &reward))
        .sum::<f64>()
        / CONTEXTS as f64
}

fn expected_in(context: usize, reward: impl Fn(usize, usize) -> f64) -> f64 {
    (0..ACTIONS)
        .map(|action| target(context, action) * reward(context, action))
        .sum()
}

/// A log of the logging policy and the cluster of each row. The rows of a cluster share their context and a mood, which stops
/// all clicks or doubles them; clusters of one row are independent rows.
fn log(seed: u64, cluster_size: usize) -> (Vec<EstimatedRow>, Vec<u64>) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut rows, mut clusters) = (Vec::new(), Vec::new());
    for cluster in 0..(ROWS / cluster_size) as u64 {
        let context = random.random_range(0..CONTEXTS as u32) as usize;
        let mood = f64::from(random.random_range(0..2u32)) * 2.0;
        for _ in 0..cluster_size {
            let mut left = random.random::<f64>();
            let mut action = 0;
            while action + 1 < ACTIONS && left >= logging(context, action) {
                left -= logging(context, action);
                action += 1;
            }
            let clicked = random.random::<f64>() < mood * click_rate(context, action);
            rows.push(EstimatedRow {
                logged: LoggedRow {
                    reward: f64::from(u8::from(clicked)),
                    propensity: logging(context, action),
                    target: target(context, action),
                },
                logged_estimate: model(context, action),
                target_estimate: expected_in(context, model),
            });
            clusters.push(cluster);
        }
    }
    (rows, clusters)
}

fn logged(rows: &[EstimatedRow]) -> Vec<LoggedRow> {
    rows.iter().map(|row| row.logged).collect()
}

/// The share of intervals that hold the true value, and their mean width.
fn coverage(found: &[PolicyValue]) -> (f64, f64) {
    let truth = expected(click_rate);
    let inside = found
        .iter()
        .filter(|found| found.value.low <= truth && truth <= found.value.high);
    let width: f64 = found.iter().map(|found| found.value.high - found.value.low).sum();
    (
        inside.count() as f64 / found.len() as f64,
        width / found.len() as f64,
    )
}

#[test]
fn the_world_of_this_test_is_as_it_says() {
    for context in 0..CONTEXTS {
        assert!((expected_in(context, |_, _| 1.0) - 1.0).abs() < 1e-12);
        assert!(((0..ACTIONS).map(|action| logging(context, action)).sum::<f64>() - 1.0).abs() < 1e-12);
    }
    let rows = logged(&log(0, 1).0);
    let rate = rows.iter().map(|row| row.reward).sum::<f64>() / rows.len() as f64;
    assert!((0.05..0.1).contains(&rate), "{rate} of the rows are clicked");
    // The target is better than what was logged, and the model is wrong about it.
    assert!(expected(click_rate) > 1.2 * rate, "{}", expected(click_rate));
    assert!(
        (expected(model) - expected(click_rate)).abs() > 0.01,
        "{}",
        expected(model)
    );
}

#[test]
fn intervals_of_95_percent_cover_the_true_value_of_a_policy_about_95_times_in_100() {
    let mut found: [Vec<PolicyValue>; 3] = Default::default();
    for seed in 0..REPLICATIONS {
        let rows = log(seed, 1).0;
        let plain = logged(&rows);
        found[0].push(ips(&plain, None, 0.95).unwrap());
        found[1].push(snips(&plain, None, 0.95).unwrap());
        found[2].push(doubly_robust(&rows, None, 0.95).unwrap());
    }
    let shares = found.each_ref().map(|found| coverage(found));
    let [
        (by_ips, ips_width),
        (by_snips, snips_width),
        (by_doubly_robust, doubly_robust_width),
    ] = shares;
    for share in [by_ips, by_snips, by_doubly_robust] {
        assert!(
            (0.9..=0.98).contains(&share),
            "covered: ips {by_ips}, snips {by_snips}, doubly robust {by_doubly_robust}"
        );
    }
    assert!(
        snips_width < ips_width && doubly_robust_width < ips_width,
        "widths: ips {ips_width}, snips {snips_width}, doubly robust {doubly_robust_width}"
    );
    assert!(found.iter().flatten().all(|found| found.too_few().is_none()));
}

#[test]
fn rows_that_depend_on_each_other_are_covered_by_clusters_and_only_by_them() {
    let (mut clustered, mut alone): ([Vec<PolicyValue>; 3], [Vec<PolicyValue>; 3]) = Default::default();
    for seed in 0..REPLICATIONS {
        let (rows, clusters) = log(seed, 20);
        let plain = logged(&rows);
        for (found, clusters) in [(&mut clustered, Some(clusters.as_slice())), (&mut alone, None)] {
            found[0].push(ips(&plain, clusters, 0.95).unwrap());
            found[1].push(snips(&plain, clusters, 0.95).unwrap());
            found[2].push(doubly_robust(&rows, clusters, 0.95).unwrap());
        }
    }
    let clustered = clustered.map(|found| coverage(&found).0);
    let alone = alone.map(|found| coverage(&found).0);
    for (clustered_share, alone_share) in clustered.iter().zip(alone) {
        assert!(
            (0.9..=0.98).contains(clustered_share) && alone_share < 0.9,
            "covered by ips, snips and doubly robust: {clustered:?} with clusters, {alone:?} without"
        );
    }
}
