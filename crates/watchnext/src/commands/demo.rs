//! `watchnext demo`: the whole loop alive: a world, a service, a page, models that get better.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use clap::Parser;
use events::{EventClock, State};
use serve::{ServeError, ServeOptions, Service};
use spec::Spec;
use train::{LearnOptions, LearnReport, Progress};
use world::{Constants, World};

use super::train::all_threads;
use crate::client::Client;
use crate::demo::{Day, People, Summary};
use crate::failure::Usage;
use crate::terminal::{Bar, Interrupt};

/// The demo's declaration.
const RANKER: &str = include_str!("../demo/ranker.toml");
/// How long a promoted model may take until it answers.
const SWAP_LIMIT: Duration = Duration::from_secs(30);

/// Run the whole loop on a simulated feed: ten days in less than a minute, then a page at http://127.0.0.1:8080
#[derive(Parser)]
#[command(
    after_help = "Examples:\n  watchnext demo                  # then open the page; Ctrl-C ends it\n  \
    watchnext demo --once --seed 3  # ends after the last day; exit code 0 only if the learned ranker won\n\n\
    Day 0 is shown by a confident but wrong ranker; the learned one retrains from its own log each night.\n\
    `shown minutes` is the world's true value of what people saw: satisfied minutes per visit."
)]
pub(crate) struct Args {
    /// End after the last day
    #[arg(long)]
    once: bool,
    /// Seed of the world
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Days that the learned ranker serves, after day 0
    #[arg(long, default_value_t = 10)]
    days: u32,
    /// Visits a day
    #[arg(long, default_value_t = 600)]
    visits: u32,
    /// Where to listen; with `--once` any free port
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// Keep the store in this folder, which must not exist; default a temporary one
    #[arg(long)]
    store: Option<PathBuf>,
    /// Print JSON at the end
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let temporary = tempfile::tempdir()?;
    let store = match &args.store {
        Some(store) if store.exists() => {
            return Err(Usage(format!(
                "{} exists; name a folder for a new store",
                store.display()
            ))
            .into());
        }
        Some(store) => store.clone(),
        None => temporary.path().join("store"),
    };
    let default = SocketAddr::from(([127, 0, 0, 1], if args.once { 0 } else { 8080 }));
    let spec = Arc::new(Spec::parse("the demo's declaration", RANKER)?);
    let server = Server::start(ServeOptions {
        store: store.clone(),
        address: args.listen.unwrap_or(default),
        spec: Some(spec.clone()),
        clock: Arc::new(EventClock::default()),
        event_time: true,
        nonce: args.seed,
    })?;
    let client = Client::new(&format!("http://{}", server.address));
    let interrupt = Interrupt::listen();
    let mut bar = Bar::new(args.json).stopped_by(&interrupt);
    bar.note(&format!("serving on http://{}", server.address));
    let world = World::new(args.seed, &Constants::default());
    let people = People {
        world: &world,
        client: &client,
        visits: args.visits,
    };
    let summary = live(&people, &store, &spec, args.days, &mut bar);
    drop(bar);
    let summary = summary?;
    report(&args, &summary)?;
    if !args.once && !interrupt.happened() {
        println!("\nstill serving: open http://{} ; Ctrl-C ends it", server.address);
        interrupt.wait();
    }
    server.stop()?;
    let [learned, random, popularity] = summary.means();
    if args.once && !summary.learned_won() {
        bail!(
            "the learned ranker did not win: {learned:.2} minutes a visit, random {random:.2}, popularity {popularity:.2}"
        );
    }
    Ok(())
}

/// Day 0, then `days` days of the learned ranker; each ends with a night in which it retrains from its own log.
fn live(
    people: &People,
    store: &Path,
    spec: &Arc<Spec>,
    days: u32,
    bar: &mut Bar,
) -> anyhow::Result<Summary> {
    let mut summary = Summary::default();
    let figures = State::open(store)?;
    people.arrive()?;
    let mut ranker = "wrong logger".to_owned();
    for day in 0..=days {
        bar.begin(&format!("day {day}"), u64::from(people.visits));
        let Some(worth) = people.day(day, bar)? else { break };
        let now_ms = people.sleep(day)?;
        let learned = train::learn(&LearnOptions {
            store: store.to_owned(),
            spec: Some(spec.clone()),
            now_ms,
            threads: all_threads(),
        })?
        .report();
        let next = match &learned {
            Some(report) if report.promoted => {
                wait_until_serving(people.client, report)?;
                report.model.clone()
            }
            _ => ranker.clone(),
        };
        let day = Day {
            day,
            ranker: std::mem::replace(&mut ranker, next),
            worth,
            learned,
        };
        figures.put_figure("days", i64::from(day.day), &serde_json::to_value(day.row())?)?;
        bar.note(&day.line());
        summary.push(day);
    }
    Ok(summary)
}

/// A day begins when yesterday's verdict is in: the promoted model answers.
fn wait_until_serving(client: &Client, report: &LearnReport) -> anyhow::Result<()> {
    let deadline = Instant::now() + SWAP_LIMIT;
    loop {
        let models = client.get("/v1/models")?;
        if models["serving"] == report.model.as_str() {
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!(
                "{} was promoted but {} still answers after {SWAP_LIMIT:?}",
                report.model,
                models["serving"]
            );
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn report(args: &Args, summary: &Summary) -> anyhow::Result<()> {
    if args.json {
        println!("{}", serde_json::to_string_pretty(&summary.to_json())?);
        return Ok(());
    }
    let [learned, random, popularity] = summary.means();
    println!("{}", summary.table());
    println!("\nsatisfied minutes per visit, true value, mean over the days after the first retrain:");
    println!("  learned {learned:.2}   random {random:.2}   popularity {popularity:.2}");
    println!("  learned / popularity {:.2}", learned / popularity);
    Ok(())
}

/// The service on a thread of its own.
struct Server {
    address: SocketAddr,
    stop: tokio::sync::oneshot::Sender<()>,
    thread: JoinHandle<Result<(), ServeError>>,
}

impl Server {
    fn start(options: ServeOptions) -> anyhow::Result<Server> {
        let service = Service::open(options)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let (ready, address) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let shutdown = async {
                // A dropped sender ends the service as well.
                let _ = stopped.await;
            };
            // Nobody may be listening any more when the address is known; then the thread ends by the signal above.
            runtime.block_on(serve::run(
                service,
                |address| {
                    let _ = ready.send(address);
                },
                shutdown,
            ))
        });
        match address.recv() {
            Ok(address) => Ok(Server {
                address,
                stop,
                thread,
            }),
            Err(_) => Err(match thread.join() {
                Ok(Err(error)) => error.into(),
                _ => anyhow!("the service ended before it listened"),
            }),
        }
    }

    fn stop(self) -> anyhow::Result<()> {
        drop(self.stop);
        self.thread
            .join()
            .map_err(|_| anyhow!("the service ended early"))?
            .context("the service")
    }
}
