//! World: the simulated truth of a video feed.
//!
//! Comes in: a seed and [`Constants`]. Goes out: visits, what people do with the slates they are shown, what
//! those slates are truly worth, and, through `wire.rs`, only what a real service would get to see. Only the binary
//! imports this crate, so that no learned part can read the truth.
//!
//! ```
//! use world::{Constants, Logger, START_MS, World};
//!
//! let world = World::new(7, &Constants::default());
//! let visit = world.visit(0, START_MS);
//! let order = Logger::Wrong.order(&world, &visit);
//! let slate = &order[..10];
//! let actions = world.act(&visit, slate);
//! assert_eq!(actions.len(), 10);
//! let best = world.oracle_order(&visit);
//! assert!(world.value(&visit, &best[..10]) > world.value(&visit, slate));
//! ```

mod behaviour;
mod chance;
mod constants;
mod examination;
mod features;
mod logger;
mod planted;
mod population;
mod truth;
mod visit;
mod wire;
mod world;

pub use crate::world::World;
pub use behaviour::Action;
pub use constants::{
    Attraction, Constants, ConstantsError, Examination, LoggerWeights, Planted, Popularity, Response, TOPICS,
};
pub use features::{FEATURES, Features};
pub use logger::Logger;
pub use planted::{PlantedField, Role};
pub use truth::Grades;
pub use visit::{Device, START_MS, Source, Visit, visit_time_ms};
pub use wire::{user_id, video_id};
