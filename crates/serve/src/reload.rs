//! Watches the store and the clock: swaps the live ranker whole when the store says that another one serves (no request waits
//! for it or fails by it), and lets closing marks be logged while nothing happens.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::{Live, Problem, Service};

/// How often the store is asked whether anything changed: one cheap pragma.
const POLL: Duration = Duration::from_millis(50);

/// After a failure the store is asked again about once a second: reading a model is no cheap question.
/// An idle service still logs closing marks: the recorder hears of the time as often.
const POLLS_PER_TICK: u32 = 20;

/// Reloading takes turns; why the last turn failed, if it did.
#[derive(Default)]
pub(crate) struct Reloading {
    turn: Mutex<()>,
    /// Apart from `turn`, so that asking for it never waits for a load.
    trouble: Mutex<Option<String>>,
}

/// The watching thread.
pub(crate) struct Reloader {
    stop: mpsc::Sender<()>,
    thread: JoinHandle<()>,
}

impl Reloader {
    /// Starts watching.
    pub(crate) fn start(service: Arc<Service>) -> Reloader {
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let mut seen = None;
            let mut polls = 0u32;
            while stopped.recv_timeout(POLL) == Err(RecvTimeoutError::Timeout) {
                polls = polls.wrapping_add(1);
                let ticks = polls.is_multiple_of(POLLS_PER_TICK);
                if ticks {
                    service.tick();
                }
                let version = service.state.data_version().ok();
                let retries = ticks && service.reload_trouble().is_some();
                // Remembered also where it fails: then the trouble, not the number, asks for the next try.
                if retries || version.is_none() || version != seen {
                    seen = version;
                    // Kept as the service's trouble.
                    let _ = service.reload();
                }
            }
        });
        Reloader { stop, thread }
    }

    /// Stops watching.
    pub(crate) fn stop(self) {
        drop(self.stop);
        // A panic of the watcher has nothing left to stop.
        let _ = self.thread.join();
    }
}

impl Service {
    /// Lets the recorder log the closing mark that is due. An event clock moves by events alone.
    fn tick(&self) {
        if !self.options.event_time {
            // A recorder that has stopped says so itself.
            let _ = self.recorder.tick();
        }
    }

    /// Why the newest promotion could not be loaded, if so.
    pub(crate) fn reload_trouble(&self) -> Option<String> {
        self.reloading
            .trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Loads what the store says is in service, if it is not live yet; on failure the old one stays and the reason is kept.
    pub(crate) fn reload(&self) -> Result<(), Problem> {
        // One at a time, and the store is read inside: a slow load must not overwrite a newer one.
        let _one = self.reloading.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = self.try_reload();
        *self
            .reloading
            .trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner) =
            outcome.as_ref().err().map(|problem| problem.to_string());
        outcome
    }

    fn try_reload(&self) -> Result<(), Problem> {
        let serving = self.state.serving()?;
        let score = self.state.score()?;
        let newest = score.as_ref().map(|row| (row.version, &row.weights));
        let live = self.live.load_full();
        let Some(version) = serving else { return Ok(()) };
        match live {
            Some(live) if live.version == version => {
                if newest.is_some_and(|(version, _)| version != live.score_version) {
                    self.live
                        .store(Some(Arc::new(Live::new(version, live.ranker.clone(), newest))));
                }
            }
            _ => {
                let ranker = Arc::new(self.registry.load(&version)?);
                let live = Live::new(version, ranker, newest);
                // Before it answers: its rates are of the whole log from its first slate on.
                self.recorder.derive_rates(&live.derived.rates)?;
                self.live.store(Some(Arc::new(live)));
            }
        }
        Ok(())
    }
}
