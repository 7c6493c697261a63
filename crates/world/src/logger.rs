//! Loggers: the policies that ranked before any model was trained, from random to confidently wrong.
//!
//! Comes in: a world and a visit. Goes out: the candidates in the order that the policy prefers.

use rand::RngExt;
use rand_distr::StandardNormal;

use crate::World;
use crate::chance::{Kind, generator, standardise};
use crate::constants::LoggerWeights;
use crate::visit::Visit;

/// A policy that orders candidates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Logger {
    /// Any order, each equally likely.
    Random,
    /// Knows a little of the true attraction.
    Weak,
    /// Nearly the order of the true attraction.
    Strong,
    /// Popularity, with a little of the truth and a little noise.
    Wrong,
    /// Popularity alone: what everybody likes.
    Popularity,
    /// Any other weights of truth, popularity and noise.
    Weighted(LoggerWeights),
}

impl Logger {
    /// All candidates of the visit, best first. `weak`, `strong` and `wrong` use the truth, as real rankers that know
    /// their users do.
    pub fn order(self, world: &World, visit: &Visit) -> Vec<u32> {
        let weights = match self {
            Self::Random => LoggerWeights {
                attraction: 0.0,
                popularity: 0.0,
                noise: 1.0,
            },
            Self::Weak => world.constants.weak,
            Self::Strong => world.constants.strong,
            Self::Wrong => world.constants.wrong,
            Self::Popularity => LoggerWeights {
                attraction: 0.0,
                popularity: 1.0,
                noise: 0.0,
            },
            Self::Weighted(weights) => weights,
        };
        let videos = &visit.candidates;
        let attraction: Vec<f64> = videos.iter().map(|&v| world.attraction(visit, v)).collect();
        let popularity: Vec<f64> = videos
            .iter()
            .map(|&v| world.population.videos[v as usize].popularity)
            .collect();
        let scores = videos
            .iter()
            .zip(standardise(&attraction).into_iter().zip(standardise(&popularity)))
            .map(|(&video, (attraction, popularity))| {
                weights.attraction * attraction
                    + weights.popularity * popularity
                    + weights.noise * noise(world, visit, video)
            });
        best_first(videos, scores)
    }
}

/// One draw of noise per visit and video, shared by all loggers.
fn noise(world: &World, visit: &Visit, video: u32) -> f64 {
    generator(world.seed, visit.number, video, Kind::LoggerNoise).sample(StandardNormal)
}

/// Videos by falling score; equal scores by video.
pub(crate) fn best_first(videos: &[u32], scores: impl Iterator<Item = f64>) -> Vec<u32> {
    let mut scored: Vec<(f64, u32)> = scores.zip(videos.iter().copied()).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    scored.into_iter().map(|(_, video)| video).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Constants, START_MS};

    #[test]
    fn every_logger_orders_exactly_the_candidates() {
        let world = World::new(1, &Constants::default());
        let visit = world.visit(3, START_MS);
        for logger in [
            Logger::Random,
            Logger::Weak,
            Logger::Strong,
            Logger::Wrong,
            Logger::Popularity,
        ] {
            let mut order = logger.order(&world, &visit);
            assert_eq!(order, logger.order(&world, &visit));
            order.sort_unstable();
            assert_eq!(order, visit.candidates);
        }
    }

    #[test]
    fn a_logger_of_given_weights_orders_by_them() {
        let world = World::new(1, &Constants::default());
        let visit = world.visit(3, START_MS);
        let weights = |attraction, popularity| LoggerWeights {
            attraction,
            popularity,
            noise: 0.0,
        };
        let truth = Logger::Weighted(weights(1.0, 0.0)).order(&world, &visit);
        let of = |video: u32| world.attraction(&visit, video);
        assert!(truth.windows(2).all(|pair| of(pair[0]) >= of(pair[1])));
        assert_eq!(
            Logger::Weighted(weights(0.0, 2.0)).order(&world, &visit),
            Logger::Popularity.order(&world, &visit)
        );
    }

    #[test]
    fn popularity_orders_by_popularity() {
        let world = World::new(1, &Constants::default());
        let visit = world.visit(3, START_MS);
        let order = Logger::Popularity.order(&world, &visit);
        let of = |video: u32| world.population.videos[video as usize].popularity;
        assert!(order.windows(2).all(|pair| of(pair[0]) >= of(pair[1])));
    }
}
