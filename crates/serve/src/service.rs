//! The service's shared state, and its life from opening the store to the last answer.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use events::{Catalogue, Clock, DerivedRules, EventClock, Recorder, RecorderOptions, Slate, State};
use model::Registry;
use spec::Spec;
use xxhash_rust::xxh3::xxh3_64;

use crate::names::Names;
use crate::reload::{Reloader, Reloading};
use crate::shown::Shown;
use crate::{Live, Problem, ServeError, ServeOptions, router, shown};

/// Answers kept for retries of a request.
const KEPT_ANSWERS: usize = 4096;
/// Commands that may wait for the recorder.
const RECORDER_QUEUE: usize = 4096;
/// Closing marks are a minute apart where no declaration says otherwise.
const DEFAULT_MARK_MS: i64 = 60_000;

/// Ids of slates that answer a request with an id of its own: this, then the request's id.
const REQUEST_PREFIX: &str = "r-";
/// Ids of all other ranked slates.
const RANKED_PREFIX: &str = "s-";
/// What ids of posted slates may not start with.
pub(crate) const OWN_PREFIXES: [&str; 2] = [REQUEST_PREFIX, RANKED_PREFIX];
/// How far ahead of the machine's clock an event's time may be, in ms.
const MAX_AHEAD_MS: i64 = 86_400_000;
/// How far behind the machine's clock an event's time may be, in ms.
const MAX_BEHIND_MS: i64 = 30 * 86_400_000;
/// The year 2200: an event clock that a wrong unit moves cannot be moved back.
const LAST_EVENT_MS: i64 = 7_258_118_400_000;
/// How long answers that were under way may take once the service is told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// What all routes share.
pub struct Service {
    pub(crate) options: ServeOptions,
    pub(crate) recorder: Recorder,
    pub(crate) state: Arc<State>,
    pub(crate) registry: Registry,
    pub(crate) live: ArcSwapOption<Live>,
    pub(crate) reloading: Reloading,
    /// Held over a write of the catalogue and its change in memory, so that both see upserts in the same order.
    pub(crate) upserts: Mutex<()>,
    catalogue: RwLock<Catalogue>,
    answers: Mutex<Answers>,
    /// What the newest slates show.
    shown: Mutex<Shown>,
    slates: AtomicU64,
    /// Slates that were ranked and recorded since the start, and how many of them were shuffled.
    ranked: [AtomicU64; 2],
    /// The latest time that a request carried, where the clock is one of events.
    carried: EventClock,
}

/// An answer, and the user whom it was given for.
#[derive(Clone)]
struct Answered {
    user: String,
    answer: serde_json::Value,
}

/// Answers of recent requests by request id, and the newest slate.
#[derive(Default)]
struct Answers {
    by_request: HashMap<String, Answered>,
    order: VecDeque<String>,
    newest_slate: Option<String>,
}

impl Answered {
    fn again(self, request: &str, user: &str) -> Result<serde_json::Value, Problem> {
        same_user(request, &self.user, user)?;
        Ok(self.answer)
    }
}

/// A request's id belongs to the user whom it first came for.
pub(crate) fn same_user(request: &str, first: &str, user: &str) -> Result<(), Problem> {
    if first == user {
        return Ok(());
    }
    Err(Problem::conflict(format!(
        "`request` `{request}` was answered for another user; give each request an id of its own"
    )))
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
                mark_every_ms: spec
                    .as_ref()
                    .map_or(DEFAULT_MARK_MS, |spec| spec.join.mark_every_ms),
                queue: RECORDER_QUEUE,
            },
            options.clock.clone(),
        )?;
        for spec in spec.iter().chain(&options.spec) {
            recorder.derive_rates(&DerivedRules::of(spec).rates)?;
        }
        let service = Service {
            catalogue: RwLock::new(state.load_catalogue()?),
            options,
            recorder,
            state,
            registry,
            live: ArcSwapOption::empty(),
            reloading: Reloading::default(),
            upserts: Mutex::default(),
            answers: Mutex::default(),
            shown: Mutex::default(),
            slates: AtomicU64::new(0),
            ranked: Default::default(),
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

    /// The declaration whose `[explore]` and `[log]` are in force: the one that the service was started with, else the live
    /// model's, `of_model`.
    pub(crate) fn settings<'s>(&'s self, of_model: &'s Spec) -> &'s Spec {
        self.options.spec.as_deref().unwrap_or(of_model)
    }

    /// Slates that were ranked since the start, and how many of them were shuffled.
    pub(crate) fn ranked(&self) -> [u64; 2] {
        self.ranked.each_ref().map(|count| count.load(Ordering::Relaxed))
    }

    /// The names that it reads.
    pub(crate) fn names(&self) -> Option<Arc<Names>> {
        let live = self.live.load();
        let own = || self.options.spec.as_ref().map(|spec| Arc::new(Names::of(spec)));
        live.as_ref().map(|live| live.names.clone()).or_else(own)
    }

    pub(crate) fn catalogue(&self) -> RwLockReadGuard<'_, Catalogue> {
        self.catalogue.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn catalogue_mut(&self) -> RwLockWriteGuard<'_, Catalogue> {
        self.catalogue.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time of an event: what it carries, else now.
    ///
    /// # Errors
    /// 422 for one that is far from the machine's clock or, on an event clock, not in 1970 to 2200.
    pub(crate) fn time(&self, carried: Option<i64>) -> Result<i64, Problem> {
        let now = self.options.clock.now_ms();
        let Some(time) = carried else {
            let latest = if self.options.event_time {
                self.carried.now_ms()
            } else {
                now
            };
            return Ok(latest.max(now));
        };
        let (allowed, expected) = if self.options.event_time {
            (0..=LAST_EVENT_MS, "in the years 1970 to 2200")
        } else {
            let allowed = now.saturating_sub(MAX_BEHIND_MS)..=now.saturating_add(MAX_AHEAD_MS);
            (allowed, "at most 30 days ago and 1 day ahead")
        };
        if allowed.contains(&time) {
            Ok(time)
        } else {
            Err(Problem::unusable(format!(
                "`time`: found {time}, expected ms since 1970, {expected}"
            )))
        }
    }

    /// Notes the time that an accepted request carried; a refused one moves nothing. An event clock is moved by the recorder alone, as it takes the event
    /// in: moved here, it could overtake slates that still wait for the recorder, and marks would close ahead of them.
    pub(crate) fn accepted(&self, carried: Option<i64>) {
        if let Some(time) = carried {
            self.carried.observe(time);
        }
    }

    /// A new slate's id.
    pub(crate) fn slate_id(&self, request: Option<&str>) -> String {
        match request {
            Some(request) => format!("{REQUEST_PREFIX}{request}"),
            None => {
                let number = self.slates.fetch_add(1, Ordering::Relaxed);
                format!(
                    "{RANKED_PREFIX}{:016x}",
                    xxh3_64(format!("{}/{number}", self.options.nonce).as_bytes())
                )
            }
        }
    }

    /// The answer that a request id of `user` already got.
    ///
    /// # Errors
    /// 409 where it was another user's.
    pub(crate) fn answered(&self, request: &str, user: &str) -> Result<Option<serde_json::Value>, Problem> {
        let first = self.answers().by_request.get(request).cloned();
        first.map(|first| first.again(request, user)).transpose()
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
            return first.clone().again(request.unwrap_or_default(), &slate.user);
        }
        let (id, user) = (slate.id.clone(), slate.user.clone());
        let shown = shown::items_of(&slate);
        let counts = [1, u64::from(slate.shuffled)];
        // Never waits for room in the queue: others wait for the lock. The receipt is dropped: an answer of `rank` is no
        // acknowledgement of the disk.
        drop(self.recorder.try_record_slate(slate)?);
        for (ranked, count) in self.ranked.iter().zip(counts) {
            ranked.fetch_add(count, Ordering::Relaxed);
        }
        self.shown().note(id.clone(), shown);
        answers.newest_slate = Some(id);
        if let Some(request) = request {
            let answer = answer.clone();
            answers
                .by_request
                .insert(request.to_owned(), Answered { user, answer });
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

    pub(crate) fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Listens and answers until `shutdown` resolves, then finishes what it took, for at most 10 s. `ready` hears the bound address.
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
    let (told, stopping) = tokio::sync::oneshot::channel();
    let serving = axum::serve(listener, router(service)).with_graceful_shutdown(async move {
        shutdown.await;
        // Where nobody hears it, serving has ended already.
        let _ = told.send(());
    });
    let patience = async {
        match stopping.await {
            Ok(()) => tokio::time::sleep(GRACE).await,
            Err(_) => std::future::pending().await,
        }
    };
    let served = tokio::select! {
        served = serving.into_future() => served,
        () = patience => Ok(()),
    };
    reloader.stop();
    Ok(served?)
}
