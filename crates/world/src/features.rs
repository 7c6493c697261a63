//! Features: the numbers that a ranker of the world's videos reads, in one vector.
//!
//! Comes in: a visit and a video. Goes out: [`FEATURES`] standardised numbers, of what the catalogue shows alone.

use crate::World;
use crate::constants::TOPICS;
use crate::population::dot;
use crate::visit::Visit;

/// Width of the vector: products of observed taste and topics (8), products of the query's topics and topics (8), observed
/// quality, observed clickbait, freshness, popularity, ln duration, age, and the two inner products.
pub const FEATURES: usize = 2 * TOPICS + 8;

/// Features on the scale of a set of visits: mean 0 and standard deviation 1 over their candidates.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    mean: [f64; FEATURES],
    scale: [f64; FEATURES],
}

impl Features {
    /// Fits means and deviations on all candidates of `visits`. A feature that does not vary becomes 0.
    pub fn fit(world: &World, visits: &[Visit]) -> Self {
        let (mut count, mut sum, mut squares) = (0.0, [0.0; FEATURES], [0.0; FEATURES]);
        for visit in visits {
            for &video in &visit.candidates {
                count += 1.0;
                for (index, x) in world.raw_features(visit, video).into_iter().enumerate() {
                    sum[index] += x;
                    squares[index] += x * x;
                }
            }
        }
        let count = f64::max(count, 1.0);
        let mean = sum.map(|sum| sum / count);
        let scale = std::array::from_fn(|index| {
            let variance = squares[index] / count - mean[index] * mean[index];
            if variance > 1e-12 {
                variance.sqrt().recip()
            } else {
                0.0
            }
        });
        Self { mean, scale }
    }

    /// The features of a video (from 0) in a visit.
    pub fn of(&self, world: &World, visit: &Visit, video: u32) -> [f32; FEATURES] {
        let raw = world.raw_features(visit, video);
        std::array::from_fn(|index| ((raw[index] - self.mean[index]) * self.scale[index]) as f32)
    }
}

impl World {
    fn raw_features(&self, visit: &Visit, video: u32) -> [f64; FEATURES] {
        let v = &self.population.videos[video as usize];
        let taste = &self.population.users[visit.user as usize].taste_observed;
        let query = &self.population.videos[visit.query as usize].topics;
        let mut features = [0.0; FEATURES];
        for topic in 0..TOPICS {
            features[topic] = taste[topic] * v.topics[topic];
            features[TOPICS + topic] = query[topic] * v.topics[topic];
        }
        features[2 * TOPICS..].copy_from_slice(&[
            v.quality_observed,
            v.clickbait_observed,
            v.fresh,
            v.popularity,
            v.minutes.ln(),
            v.age_days,
            dot(taste, &v.topics),
            dot(query, &v.topics),
        ]);
        features
    }
}

#[cfg(test)]
mod tests {
    use events::{Fields, Value};

    use super::*;
    use crate::{Constants, START_MS};

    fn number(fields: &Fields, name: &str) -> f64 {
        match fields[name] {
            Value::Number(number) => number,
            _ => f64::NAN,
        }
    }

    fn vector(fields: &Fields, name: &str) -> Vec<f64> {
        match &fields[name] {
            Value::Numbers(numbers) => numbers.iter().map(|&x| f64::from(x)).collect(),
            _ => Vec::new(),
        }
    }

    /// The features as anyone would compute them from the catalogue.
    fn from_the_catalogue(world: &World, visit: &Visit, video: u32) -> Vec<f64> {
        let item = world.item_entity(video).fields;
        let topics = vector(&item, "topics");
        let taste = vector(&world.user_entity(visit.user).fields, "taste");
        let query = vector(&world.item_entity(visit.query).fields, "topics");
        let products = |a: &[f64]| -> Vec<f64> { a.iter().zip(&topics).map(|(a, b)| a * b).collect() };
        let (taste, query) = (products(&taste), products(&query));
        let of = |name| number(&item, name);
        let numbers = [
            of("quality"),
            of("clickbait"),
            of("fresh"),
            of("popularity"),
            of("log_duration"),
            of("age_days"),
            taste.iter().sum(),
            query.iter().sum(),
        ];
        [&taste[..], &query[..], &numbers[..]].concat()
    }

    #[test]
    fn features_are_the_catalogue_s_and_standardised() {
        let world = World::new(5, &Constants::default());
        let visits: Vec<Visit> = (0..200).map(|number| world.visit(number, START_MS)).collect();
        let features = Features::fit(&world, &visits);
        let (mut sum, mut squares) = ([0.0; FEATURES], [0.0; FEATURES]);
        for visit in &visits {
            for &video in &visit.candidates {
                let raw = world.raw_features(visit, video);
                for (raw, seen) in raw.iter().zip(from_the_catalogue(&world, visit, video)) {
                    assert!((raw - seen).abs() < 1e-5 * (1.0 + seen.abs()), "{raw} {seen}");
                }
                for (index, x) in features.of(&world, visit, video).into_iter().enumerate() {
                    sum[index] += f64::from(x) / 10_000.0;
                    squares[index] += f64::from(x * x) / 10_000.0;
                }
            }
        }
        assert!(sum.iter().all(|mean| mean.abs() < 1e-4), "{sum:?}");
        assert!(
            squares.iter().all(|square| (square - 1.0).abs() < 1e-3),
            "{squares:?}"
        );
    }
}
