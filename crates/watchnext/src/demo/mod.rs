//! The demo's parts: people who use the service over HTTP, and the table of what that was worth.

mod days;
mod people;

pub(crate) use days::{Day, Summary};
pub(crate) use people::{People, Worth};
