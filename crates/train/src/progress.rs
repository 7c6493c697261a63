//! How long work tells how far it is, and hears what time it is and that it should stop.

use std::time::Duration;

/// A listener of long work.
pub trait Progress {
    /// A stage of `total` units begins; the one before has ended.
    fn begin(&mut self, stage: &str, total: u64);
    /// So many more units are done.
    fn advance(&mut self, units: u64);
    /// A line worth keeping.
    fn note(&mut self, line: &str);
    /// How long it has been at work; by this clock checkpoints are written.
    fn now(&self) -> Duration {
        Duration::ZERO
    }
    /// Whether the user asked to stop.
    fn stopped(&self) -> bool {
        false
    }
}

/// Hears nothing and never stops.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&mut self, _stage: &str, _total: u64) {}
    fn advance(&mut self, _units: u64) {}
    fn note(&mut self, _line: &str) {}
}
