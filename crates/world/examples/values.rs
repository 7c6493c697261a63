//! Prints what the loggers and the oracle order are worth, in satisfied minutes a visit, for seeds 0 to 4.
//!
//! `cargo run --release -p world --example values` · add `full` for 20,000 users and 5,000 videos.

use world::{Constants, Logger, World, visit_time_ms};

const VISITS: u32 = 2_000;

fn main() {
    let full = std::env::args().any(|argument| argument == "full");
    let constants = if full {
        Constants::full()
    } else {
        Constants::default()
    };
    println!(
        "{} users, {} videos, {VISITS} visits, slates of {}; minutes / clicks a visit",
        constants.users, constants.videos, constants.slate_length
    );
    println!("seed  random        weak          strong        wrong         popularity    oracle");
    for seed in 0..5 {
        let world = World::new(seed, &constants);
        print!("{seed:>4}");
        for logger in [
            Some(Logger::Random),
            Some(Logger::Weak),
            Some(Logger::Strong),
            Some(Logger::Wrong),
            Some(Logger::Popularity),
            None,
        ] {
            let (mut value, mut clicks) = (0.0, 0.0);
            for number in 0..VISITS {
                let visit = world.visit(u64::from(number), visit_time_ms(0, number, VISITS));
                let order = logger.map_or_else(
                    || world.oracle_order(&visit),
                    |logger| logger.order(&world, &visit),
                );
                let slate = &order[..constants.slate_length as usize];
                value += world.value(&visit, slate);
                clicks += world.expected_clicks(&visit, slate);
            }
            let count = f64::from(VISITS);
            print!("  {:>5.2} / {:.2}", value / count, clicks / count);
        }
        println!();
    }
}
