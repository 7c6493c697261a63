//! The proof of debiasing: worlds whose truth is known, all arms on one log, gates that were fixed before.
//!
//! `prove.rs` says what is run and writes what came of it; `recipe.rs` and the declarations fix it. A cell (`cell.rs`) is one world
//! and one logger: its log (`lab.rs`) teaches every arm (`arm.rs`), and the judge (`truth.rs`) compares. `days.rs` is the closed
//! loop, `fusion.rs` the score weights, `discovery.rs` the fields that act as a bias, `graded.rs` the same on real features and
//! grades. The truth is read by `truth.rs` and by the judges in `days.rs` and `fusion.rs` alone.

pub(crate) mod arm;
pub(crate) mod cell;
pub(crate) mod days;
pub(crate) mod discovery;
pub(crate) mod fusion;
pub(crate) mod graded;
mod jobs;
mod lab;
mod page;
pub(crate) mod prove;
pub(crate) mod recipe;
mod rows;
mod truth;
