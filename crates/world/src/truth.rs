//! Truth: what a slate is worth to a person, computed, without sampling noise.
//!
//! Comes in: a visit and the videos shown in it, in order. Goes out: expected satisfied minutes, expected clicks, relevance
//! and its grades, and the order that uses the truth, an upper bound for comparison. No learned part may read any of it.

mod best;
mod grades;

use crate::World;
use crate::chance::sigmoid;
use crate::logger::best_first;
use crate::visit::Visit;

pub use grades::Grades;

impl World {
    /// Expected satisfied minutes of a slate shown from position 1 on:
    /// `sum over k of P(click at k) E[fraction watched] duration P(satisfied)`. Exact in every form. Uses truth.
    pub fn value(&self, visit: &Visit, slate: &[u32]) -> f64 {
        self.click_probabilities(visit, slate)
            .into_iter()
            .zip(slate)
            .map(|(click, &video)| click * self.worth(visit, video))
            .sum()
    }

    /// Expected clicks of a slate shown from position 1 on. Exact in every form. Uses truth.
    pub fn expected_clicks(&self, visit: &Visit, slate: &[u32]) -> f64 {
        self.click_probabilities(visit, slate).into_iter().sum()
    }

    /// Probability of a click at position 1, without the device's offset and planted context: `sigmoid(u)`. Uses truth.
    pub fn relevance(&self, visit: &Visit, video: u32) -> f64 {
        sigmoid(self.attraction(visit, video))
    }

    /// All candidates by falling attraction; its first ten are what a ranker of clicks should find. Uses truth.
    pub fn by_attraction(&self, visit: &Visit) -> Vec<u32> {
        let scores = visit
            .candidates
            .iter()
            .map(|&video| self.attraction(visit, video));
        best_first(&visit.candidates, scores)
    }

    /// Duration of a video in minutes.
    pub fn minutes(&self, video: u32) -> f64 {
        self.population.videos[video as usize].minutes
    }

    /// Expected satisfied minutes of one click. Uses truth.
    fn worth(&self, visit: &Visit, video: u32) -> f64 {
        self.watch_mean(visit, video) * self.minutes(video) * self.satisfaction_probability(visit, video)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Constants, Logger, START_MS, World};

    #[test]
    fn an_empty_slate_is_worth_nothing_and_a_longer_one_more() {
        let world = World::new(1, &Constants::default());
        let visit = world.visit(0, START_MS);
        assert_eq!(world.value(&visit, &[]), 0.0);
        assert!(world.value(&visit, &visit.candidates[..3]) < world.value(&visit, &visit.candidates[..4]));
    }

    #[test]
    fn the_oracle_order_beats_every_logger_and_its_own_reversal() {
        let world = World::new(1, &Constants::default());
        let loggers = [
            Logger::Random,
            Logger::Weak,
            Logger::Strong,
            Logger::Wrong,
            Logger::Popularity,
        ];
        for number in 0..100 {
            let visit = world.visit(number, START_MS);
            let order = world.oracle_order(&visit);
            let best = world.value(&visit, &order[..10]);
            for logger in loggers {
                assert!(best > world.value(&visit, &logger.order(&world, &visit)[..10]));
            }
            let mut reversed = order[..10].to_vec();
            reversed.reverse();
            assert!(best > world.value(&visit, &reversed));
        }
    }
}
