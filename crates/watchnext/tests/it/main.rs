//! What a user can rely on: the real binary, a module per behaviour.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fit_budget;
mod fixture;

mod alarms;
mod architectures;
mod bad_input;
mod bench;
mod cache;
mod debias;
mod demo;
mod evaluate;
mod formats;
mod held_out;
mod help;
mod hostile;
mod init;
mod invariance;
mod kill;
mod memory;
mod pipe;
mod proof;
mod readme;
mod report;
mod resume;
mod rooms;
mod service;
mod shuffled;
mod stop_by;
mod threads;
mod training;
