//! One file per endpoint: request, response, handler.

pub(crate) mod candidate;
pub(crate) mod catalogue;
pub(crate) mod clock;
pub(crate) mod feedback;
pub(crate) mod health;
pub(crate) mod models;
pub(crate) mod rank;
pub(crate) mod score;
pub(crate) mod slates;
