//! The full-size world has the statistics that its equations were first measured to have.

use world::{Constants, Examination, Logger, START_MS, Visit, World};

const SEEDS: u64 = 3;
const VISITS: u64 = 4_000;

/// Means over seeds and visits of what a logger's top ten get.
struct Measured {
    /// Click probability at positions 1, 2, 3, 5, 10.
    ctr: [f64; 5],
    value: f64,
    clicks: f64,
}

fn over_visits(examination: Examination, mut visit: impl FnMut(&World, &Visit)) -> f64 {
    let constants = Constants {
        examination,
        ..Constants::full()
    };
    for seed in 0..SEEDS {
        let world = World::new(seed, &constants);
        for number in 0..VISITS {
            visit(&world, &world.visit(number, START_MS));
        }
    }
    (SEEDS * VISITS) as f64
}

fn measure(logger: Logger, examination: Examination) -> Measured {
    let mut sum = Measured {
        ctr: [0.0; 5],
        value: 0.0,
        clicks: 0.0,
    };
    let count = over_visits(examination, |world, visit| {
        let order = logger.order(world, visit);
        let clicks = world.click_probabilities(visit, &order[..10]);
        for (ctr, position) in sum.ctr.iter_mut().zip([1, 2, 3, 5, 10]) {
            *ctr += clicks[position - 1];
        }
        sum.value += world.value(visit, &order[..10]);
        sum.clicks += world.expected_clicks(visit, &order[..10]);
    });
    let measured = Measured {
        ctr: sum.ctr.map(|x| x / count),
        value: sum.value / count,
        clicks: sum.clicks / count,
    };
    println!(
        "{examination:?} {logger:?}: ctr {:.3?} value {:.2} clicks {:.2}",
        measured.ctr, measured.value, measured.clicks
    );
    measured
}

fn close(found: f64, expected: f64, share: f64) {
    assert!(
        (found / expected - 1.0).abs() < share,
        "found {found:.3}, expected {expected}"
    );
}

#[test]
fn attraction_has_the_measured_mean_and_spread() {
    let (mut sum, mut squares) = (0.0, 0.0);
    let count = 50.0
        * over_visits(Examination::Additive, |world, visit| {
            for &video in &visit.candidates {
                let u = world.attraction(visit, video);
                sum += u;
                squares += u * u;
            }
        });
    let mean = sum / count;
    let sd = (squares / count - mean * mean).sqrt();
    println!("u: mean {mean:.3} sd {sd:.3}");
    assert!((mean + 1.1).abs() < 0.15, "{mean}");
    close(sd, 1.36, 0.08);
}

#[test]
fn click_rates_by_position_are_as_measured_under_random_and_wrong() {
    let random = measure(Logger::Random, Examination::Additive);
    for (found, expected) in random.ctr.into_iter().zip([0.32, 0.23, 0.20, 0.15, 0.10]) {
        close(found, expected, 0.12);
    }
    let wrong = measure(Logger::Wrong, Examination::Additive);
    for (found, expected) in wrong.ctr.into_iter().zip([0.62, 0.45, 0.39, 0.27, 0.16]) {
        close(found, expected, 0.12);
    }
}

#[test]
fn loggers_are_worth_what_was_measured_and_more_clicks_are_not_more_value() {
    let expected = [
        (Logger::Random, 4.1, 1.7),
        (Logger::Weak, 5.8, 2.6),
        (Logger::Strong, 6.5, 3.7),
        (Logger::Wrong, 6.6, 3.0),
    ];
    let measured = expected.map(|(logger, value, clicks)| {
        let found = measure(logger, Examination::Additive);
        close(found.value, value, 0.12);
        close(found.clicks, clicks, 0.12);
        found
    });
    assert!(measured[2].clicks > measured[3].clicks);
    assert!(measured[2].value < measured[3].value * 1.1);
}

#[test]
fn the_position_based_model_has_its_measured_click_rates_and_value() {
    let random = measure(Logger::Random, Examination::Product);
    // Known to two digits: a share would ask too much of the small ones.
    for (found, expected) in random.ctr.into_iter().zip([0.32, 0.18, 0.13, 0.09, 0.05]) {
        assert!((found - expected).abs() < 0.01, "{found:.4}, expected {expected}");
    }
    let wrong = measure(Logger::Wrong, Examination::Product);
    close(wrong.value, 4.5, 0.12);
}

#[test]
fn in_the_cascade_clicks_above_take_clicks_from_below() {
    let random = measure(Logger::Random, Examination::Cascade);
    let strong = measure(Logger::Strong, Examination::Cascade);
    close(random.ctr[0], 0.32, 0.12);
    // The better the videos above, the fewer people come to position 10.
    assert!(strong.ctr[0] > 2.0 * random.ctr[0]);
    assert!(strong.ctr[4] < random.ctr[4] * 2.0 && strong.ctr[4] < strong.ctr[0] / 5.0);
}
