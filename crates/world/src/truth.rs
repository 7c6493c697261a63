//! Truth: what a slate is worth to a person, computed, without sampling noise.
//!
//! Comes in: a visit and the videos shown in it, in order. Goes out: expected satisfied minutes, expected clicks, and the
//! order that uses the truth, an upper bound for comparison. No learned part may read any of it.

use crate::World;
use crate::logger::best_first;
use crate::visit::Visit;

impl World {
    /// Expected satisfied minutes of a slate shown from position 1 on:
    /// `sum over k of P(click at k) E[fraction watched] duration P(satisfied)`.
    pub fn value(&self, visit: &Visit, slate: &[u32]) -> f64 {
        (1..)
            .zip(slate)
            .map(|(position, &video)| {
                self.click_probability(visit, video, position) * self.worth(visit, video)
            })
            .sum()
    }

    /// Expected clicks of a slate shown from position 1 on.
    pub fn expected_clicks(&self, visit: &Visit, slate: &[u32]) -> f64 {
        (1..)
            .zip(slate)
            .map(|(position, &video)| self.click_probability(visit, video, position))
            .sum()
    }

    /// All candidates by falling value at position 1. Uses truth. Close to the best order; the very best one would solve
    /// an assignment of videos to positions, because attraction and position do not factor.
    pub fn oracle_order(&self, visit: &Visit) -> Vec<u32> {
        let scores = visit
            .candidates
            .iter()
            .map(|&video| self.click_probability(visit, video, 1) * self.worth(visit, video));
        best_first(&visit.candidates, scores)
    }

    /// Duration of a video in minutes.
    pub fn minutes(&self, video: u32) -> f64 {
        self.population.videos[video as usize].minutes
    }

    /// Expected satisfied minutes of one click.
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
