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

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The constants; `users` and `videos` are the numbers that exist.
    pub fn constants(&self) -> &Constants {
        &self.constants
    }
}
