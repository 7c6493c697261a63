//! The online service: requests are ranked and recorded, feedback is recorded, models are swapped while it answers.
//!
//! In: HTTP on a loopback address, a store's folder. Out: slates for clients, events for the log. A [`Service`] holds the live
//! ranker, the catalogue and the recorder; [`router`] lists every route; [`run`] listens until told to stop. It never trains:
//! `train` publishes artifacts into the same store, and the service watches the store.

mod explore;
mod guard;
mod live;
mod names;
mod options;
mod page;
mod problem;
mod reload;
mod resolve;
mod router;
mod routes;
mod service;
mod shown;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use live::Live;
pub use options::{ServeError, ServeOptions};
pub use problem::Problem;
pub use router::router;
pub use service::{Service, run};
