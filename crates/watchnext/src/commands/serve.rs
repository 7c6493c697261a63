//! `watchnext serve`: rank, log, promote, roll back; a page to look at.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use ::serve::{ServeOptions, Service};
use clap::{Parser, ValueEnum};
use events::{Clock, EventClock, SystemClock};

use super::{now_ms, read_spec};
use crate::failure::Usage;

/// Serve the store's live model: rank, record slates and feedback, swap promoted models in
#[derive(Parser)]
#[command(
    after_help = "Examples:\n  watchnext serve --model run                  # the result of `watchnext train`\n  \
    watchnext serve --spec ranker.toml           # no model yet: record slates and feedback of another ranker\n  \
    curl -d '{\"user\":\"u7\",\"candidates\":[\"v1\",\"v2\"]}' localhost:8080/v1/rank"
)]
pub(crate) struct Args {
    /// The store's folder; made where it is missing
    #[arg(long, default_value = "store")]
    store: PathBuf,
    /// A folder that `watchnext train` wrote: its model goes live in a store that has none
    #[arg(long)]
    model: Option<PathBuf>,
    /// The declaration by which posted slates are read while no model is live; its `[explore]` and `[log]` hold instead of the live
    /// model's
    #[arg(long)]
    spec: Option<PathBuf>,
    /// Where to listen; loopback addresses only
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The machine's clock, or the latest time that an event carried (for replays)
    #[arg(long, value_enum, default_value_t = ClockKind::System)]
    clock: ClockKind,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ClockKind {
    System,
    Events,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let spec = args.spec.as_deref().map(read_spec).transpose()?;
    if !args.listen.ip().is_loopback() {
        return Err(::serve::ServeError::NotLoopback(args.listen).into());
    }
    if let Some(run) = &args.model {
        if !run.join("model").exists() {
            let run = run.display();
            return Err(Usage(format!(
                "`{run}` has no `model`: name a folder that `watchnext train --out` wrote"
            ))
            .into());
        }
        let version = train::import_run(&args.store, run, now_ms())?;
        println!("{version} is live, from {}", run.display());
    }
    let clock: Arc<dyn Clock> = match args.clock {
        ClockKind::System => Arc::new(SystemClock),
        ClockKind::Events => Arc::new(EventClock::default()),
    };
    let service = Service::open(ServeOptions {
        store: args.store,
        address: args.listen,
        spec,
        clock,
        event_time: args.clock == ClockKind::Events,
        nonce: u64::try_from(now_ms()).unwrap_or(0) << 20 ^ u64::from(std::process::id()),
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ready = |address| println!("listening on http://{address}");
    let served = runtime.block_on(::serve::run(service, ready, stop_signal()));
    // Work that outlived the service's patience is not waited for again.
    runtime.shutdown_background();
    Ok(served?)
}

/// Resolves on Ctrl-C or a request to terminate; the next one ends the process at once.
async fn stop_signal() {
    let mut signals = Signals::new();
    signals.next().await;
    tokio::spawn(async move {
        signals.next().await;
        std::process::exit(INTERRUPTED)
    });
}

/// Exit code of a second signal.
const INTERRUPTED: i32 = 130;

/// Both signals, listened to without a gap.
#[cfg(unix)]
struct Signals([Option<tokio::signal::unix::Signal>; 2]);

#[cfg(unix)]
impl Signals {
    fn new() -> Signals {
        use tokio::signal::unix::{SignalKind, signal};
        // One that cannot be listened to keeps its default, which ends the process.
        Signals([SignalKind::interrupt(), SignalKind::terminate()].map(|kind| signal(kind).ok()))
    }

    async fn next(&mut self) {
        async fn one(signal: &mut Option<tokio::signal::unix::Signal>) {
            match signal {
                Some(signal) => drop(signal.recv().await),
                None => std::future::pending().await,
            }
        }
        let [interrupt, terminate] = &mut self.0;
        tokio::select! {
            () = one(interrupt) => {}
            () = one(terminate) => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Signals {
        Signals
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
