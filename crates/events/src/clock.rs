//! The clock, an argument like randomness.

use std::sync::atomic::{AtomicI64, Ordering};

/// Where time comes from.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970.
    fn now_ms(&self) -> i64;
    /// Tells the clock a time that an event carries; only an [`EventClock`] listens.
    fn observe(&self, _time_ms: i64) {}
}

/// The machine's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// The latest time that any event carried: for replays and simulations.
#[derive(Debug, Default)]
pub struct EventClock(AtomicI64);

impl Clock for EventClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn observe(&self, time_ms: i64) {
        self.0.fetch_max(time_ms, Ordering::SeqCst);
    }
}
