//! The world as a whole: a seed, its constants, its population.
//!
//! Comes in: a seed and [`Constants`]. Goes out: [`World`], whose methods stand in the files of their nouns.

use crate::constants::Constants;
use crate::population::Population;

/// A simulated world. The same seed and constants give the same world, the same visits and the same behaviour.
#[derive(Debug, Clone)]
pub struct World {
    pub(crate) seed: u64,
    pub(crate) constants: Constants,
    pub(crate) population: Population,
}

impl World {
    /// Draws the population.
    pub fn new(seed: u64, constants: &Constants) -> Self {
        let constants = Constants {
            users: constants.users.max(1),
            videos: constants.videos.max(2),
            ..constants.clone()
        };
        let population = Population::new(seed, &constants);
        Self {
            seed,
            constants,
            population,
        }
    }

    /// Popularity of a video (from 0), standardised over the catalogue; a catalogue shows it.
    pub fn popularity(&self, video: u32) -> f64 {
        self.population.videos[video as usize].popularity
    }

    /// Gives the videos another popularity, one number each, standardised here: what clicks made of it. Candidates and loggers
    /// follow it from the next visit on.
    pub fn set_popularity(&mut self, popularity: &[f64]) {
        self.population.set_popularity(popularity, &self.constants);
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The constants; `users` and `videos` are the numbers that exist.
    pub fn constants(&self) -> &Constants {
        &self.constants
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::START_MS;

    #[test]
    fn candidates_follow_a_popularity_that_was_set() {
        let mut world = World::new(1, &Constants::default());
        let favourites: Vec<f64> = (0..1_000)
            .map(|video| if video < 100 { 10.0 } else { 0.0 })
            .collect();
        let of_favourites = |world: &World| -> usize {
            let candidates = (0..200).flat_map(|number| world.visit(number, START_MS).candidates);
            candidates.filter(|video| *video < 100).count()
        };
        let before = of_favourites(&world);
        world.set_popularity(&favourites);
        assert!(of_favourites(&world) > before * 2);
        let mean = (0..1_000).map(|video| world.popularity(video)).sum::<f64>() / 1_000.0;
        assert!(mean.abs() < 1e-9 && world.popularity(0) > 2.0);
    }
}
