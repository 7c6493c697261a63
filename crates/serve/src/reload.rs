//! Watches the store and the clock: swaps the live ranker whole when the store says that another one serves (no request waits
//! for it or fails by it), and lets closing marks be logged while nothing happens.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::{Live, Problem, Service};

/// How often the store is asked whether anything changed: one cheap pragma.
const POLL: Duration = Duration::from_millis(50);

/// An idle service still logs closing marks: the recorder hears of the time about once a second.
const POLLS_PER_TICK: u32 = 20;

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
                if polls.is_multiple_of(POLLS_PER_TICK) {
                    service.tick();
                }
                let version = service.state.data_version().ok();
                if version != seen || version.is_none() {
                    seen = version;
                    service.reload();
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
        if !self.options.event_time
            && let Err(error) = self.recorder.tick()
        {
            self.note_trouble(Some(error.to_string()));
        }
    }

    fn note_trouble(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// Loads what the store says is in service, if it is not live yet; on failure the old one stays and the reason is kept.
    pub(crate) fn reload(&self) {
        let problem = self.try_reload().err();
        self.note_trouble(problem.map(|problem| problem.to_string()));
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
                self.live
                    .store(Some(Arc::new(Live::new(version, ranker, newest))));
            }
        }
        Ok(())
    }
}
