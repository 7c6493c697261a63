//! The service's shared state, and its life from opening the store to the last answer.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use arc_swap::ArcSwapOption;
use events::{Catalogue, Clock, EventClock, Recorder, RecorderOptions, Slate, State};
use model::Registry;
use spec::Spec;
use xxhash_rust::xxh3::xxh3_64;

use crate::reload::Reloader;
use crate::{Live, Problem, ServeError, ServeOptions, router};

/// Answers kept for retries of a request.
const KEPT_ANSWERS: usize = 4096;
/// Commands that may wait for the recorder.
const RECORDER_QUEUE: usize = 4096;
/// Closing marks are a minute apart where no declaration says otherwise.
const DEFAULT_MARK_MS: i64 = 60_000;

/// What all routes share.
pub struct Service {
    pub(crate) options: ServeOptions,
    pub(crate) recorder: Recorder,
    pub(crate) state: Arc<State>,
    pub(crate) registry: Registry,
    pub(crate) live: ArcSwapOption<Live>,
    /// Why the newest promotion could not be loaded or the time not be logged, if so.
    pub(crate) trouble: Mutex<Option<String>>,
    catalogue: RwLock<Catalogue>,
    answers: Mutex<Answers>,
    slates: AtomicU64,
    /// The latest time that a request carried, where the clock is one of events.
    carried: EventClock,
}

/// Answers of recent requests by request id, and the newest slate.
#[derive(Default)]
struct Answers {
    by_request: HashMap<String, serde_json::Value>,
    order: VecDeque<String>,
    newest_slate: Option<String>,
}

impl Service {
    /// Opens the store: recorder, catalogue, live model.
    ///
    /// # Errors
    /// An address that is no loopback, a store in use, a damaged live model.
    pub fn open(options: ServeOptions) -> Result<Arc<Service>, ServeError> {
        if !options.address.ip().is_loopback() {
            return Err(ServeError::NotLoopback(options.address));
        }
        let state = Arc::new(State::open(&options.store)?);
        let registry = Registry::new(&options.store, state.clone());
        let serving = registry.serving()?;
        let spec = serving
            .as_ref()
            .map(|(_, ranker)| ranker.spec().clone())
            .or_else(|| options.spec.clone());
        let recorder = Recorder::open(
            &options.store,
            RecorderOptions {
                mark_every_ms: spec.map_or(DEFAULT_MARK_MS, |spec| spec.join.mark_every_ms),
                queue: RECORDER_QUEUE,
            },
            options.clock.clone(),
        )?;
        let service = Service {
            catalogue: RwLock::new(state.load_catalogue()?),
            options,
            recorder,
            state,
            registry,
            live: ArcSwapOption::empty(),
            trouble: Mutex::new(None),
            answers: Mutex::default(),
            slates: AtomicU64::new(0),
            carried: EventClock::default(),
        };
        if let Some((version, ranker)) = serving {
            let newest = service.state.score()?;
            let newest = newest.as_ref().map(|row| (row.version, &row.weights));
            service
                .live
                .store(Some(Arc::new(Live::new(version, Arc::new(ranker), newest))));
        }
        Ok(Arc::new(service))
    }

    /// The live model.
    pub(crate) fn live(&self) -> Result<Arc<Live>, Problem> {
        self.live.load_full().ok_or_else(|| {
            Problem::unavailable(
                "no model is live yet: train one and serve it with `--model`, or let `learn` make the first",
            )
        })
    }

    /// The declaration that requests are read by: the live model's, else the one it was started with.
    pub(crate) fn declaration(&self) -> Option<Arc<Spec>> {
        self.live
            .load()
            .as_ref()
            .map(|live| live.ranker.spec().clone())
            .or_else(|| self.options.spec.clone())
    }

    pub(crate) fn catalogue(&self) -> RwLockReadGuard<'_, Catalogue> {
        self.catalogue.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn catalogue_mut(&self) -> RwLockWriteGuard<'_, Catalogue> {
        self.catalogue.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time of an event: what it carries, else now. An event clock is moved by the recorder alone, as it takes the event
    /// in: moved here, it could overtake slates that still wait for the recorder, and marks would close ahead of them.
    pub(crate) fn time(&self, carried: Option<i64>) -> i64 {
        let now = || self.options.clock.now_ms();
        match carried {
            _ if !self.options.event_time => carried.unwrap_or_else(now),
            Some(time) => {
                self.carried.observe(time);
                time
            }
            None => self.carried.now_ms().max(now()),
        }
    }

    /// A new slate's id.
    pub(crate) fn slate_id(&self, request: Option<&str>) -> String {
        match request {
            Some(request) => format!("r-{request}"),
            None => {
                let number = self.slates.fetch_add(1, Ordering::Relaxed);
                format!(
                    "s-{:016x}",
                    xxh3_64(format!("{}/{number}", self.options.nonce).as_bytes())
                )
            }
        }
    }

    /// The answer that a request id already got.
    pub(crate) fn answered(&self, request: &str) -> Option<serde_json::Value> {
        self.answers().by_request.get(request).cloned()
    }

    /// Hands the slate to the recorder and keeps its answer for retries; where another request with the same id came first,
    /// that one's answer stands and this slate is not recorded. Returns the answer to give.
    pub(crate) fn settle(
        &self,
        slate: Slate,
        request: Option<&str>,
        answer: serde_json::Value,
    ) -> Result<serde_json::Value, Problem> {
        // Held while the slate is queued, so that nobody sees the answer before its slate is on its way.
        let mut answers = self.answers();
        if let Some(first) = request.and_then(|request| answers.by_request.get(request)) {
            return Ok(first.clone());
        }
        let id = slate.id.clone();
        // The receipt is dropped: an answer of `rank` is no acknowledgement of the disk.
        drop(self.recorder.record_slate(slate)?);
        answers.newest_slate = Some(id);
        if let Some(request) = request {
            answers.by_request.insert(request.to_owned(), answer.clone());
            answers.order.push_back(request.to_owned());
            if answers.order.len() > KEPT_ANSWERS
                && let Some(oldest) = answers.order.pop_front()
            {
                answers.by_request.remove(&oldest);
            }
        }
        Ok(answer)
    }

    /// The newest slate that was served.
    pub(crate) fn newest_slate(&self) -> Option<String> {
        self.answers().newest_slate.clone()
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Listens and answers until `shutdown` resolves, then finishes what it took. `ready` hears the bound address.
///
/// # Errors
/// When the address cannot be had or the network fails.
pub async fn run(
    service: Arc<Service>,
    ready: impl FnOnce(SocketAddr),
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let address = service.options.address;
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .map_err(|source| ServeError::Listen { address, source })?;
    let reloader = Reloader::start(service.clone());
    ready(listener.local_addr()?);
    let served = axum::serve(listener, router(service))
        .with_graceful_shutdown(shutdown)
        .await;
    reloader.stop();
    Ok(served?)
}
