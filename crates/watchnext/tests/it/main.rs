//! What a user can rely on: the real binary, a module per behaviour.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;

mod bad_input;
mod demo;
mod invariance;
mod kill;
mod readme;
mod rooms;
mod service;
mod training;
