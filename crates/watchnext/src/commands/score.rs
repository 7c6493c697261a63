//! `watchnext score`: the weights that objectives are combined by; `tune` searches better ones on logged candidate sets.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, Subcommand};
use events::{Clock, Event, Replay, State, SystemClock};
use model::{Ranker, Registry, ScoreWeights};
use train::{Candidates, Progress, Reward, Tuning, draw_front, tune};

use super::demand_store;
use crate::failure::Usage;
use crate::terminal::{Bar, Interrupt, table};

/// Tune the weights that the score combines objectives by
#[derive(Parser)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:\n  watchnext score tune --store store --reward click\n  \
    watchnext score tune --store store --reward '2 * click' --front front.svg --json"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Tune(TuneArgs),
}

/// Search score weights on the candidate sets that a service logged
#[derive(Parser)]
#[command(
    after_help = "Examples:\n  watchnext score tune --store store --reward 'watch * duration_ms / 60000 + 4 * like'\n  \
    watchnext score tune --store store --reward 'click + 4 * like' --apply\n\n\
    The service logs the candidate sets of a share of its slates: set `[log] candidates = 0.05`. Each weighting orders all\n\
    candidates of a request, and is worth what the serving model, its position curve included, expects of the slate. An\n\
    objective in the reward stands for its expected label, one with `given` for that times the chance of what it is given. What is proposed is judged on requests that the search did not see;\n\
    it stays the model's own opinion: an experiment or the shuffled slice is what checks it."
)]
struct TuneArgs {
    /// The service's store
    #[arg(long)]
    store: PathBuf,
    /// What a slate is to bring: objectives and number fields of items, with + - * / and numbers
    #[arg(long)]
    reward: String,
    /// Newest requests with a candidate set to look at
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(20..))]
    requests: u32,
    /// Draw engagement against reward into this SVG
    #[arg(long)]
    front: Option<PathBuf>,
    /// Make the proposed weights the live ones, where they are better beyond doubt
    #[arg(long)]
    apply: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    match args.command {
        Command::Tune(args) => run_tune(&args),
    }
}

fn run_tune(args: &TuneArgs) -> anyhow::Result<()> {
    demand_store(&args.store)?;
    let state = std::sync::Arc::new(State::open(&args.store)?);
    let (_, ranker) = Registry::new(&args.store, state.clone())
        .serving()?
        .ok_or_else(|| {
            Usage(format!(
                "the store {} serves no model yet, so there is nothing to tune",
                args.store.display()
            ))
        })?;
    // Weights that do not fit the model are not live either.
    let fits = |weights: &BTreeMap<String, f64>| ScoreWeights::from_names(ranker.spec(), weights).is_ok();
    let stored = state.score()?.map(|row| row.weights).filter(fits);
    let live = stored.unwrap_or_else(|| ScoreWeights::of(ranker.spec()).to_names(ranker.spec()));
    let mut bar = Bar::new(args.json).stopped_by(&Interrupt::listen());
    let candidates = candidates(args, &ranker, &mut bar)?;
    let tuning = tune(candidates, &live, &mut bar)?;
    drop(bar);
    if let Some(path) = &args.front {
        let svg = draw_front("Engagement against reward", &tuning, 900, 520)?;
        std::fs::write(path, svg).with_context(|| format!("writing {}", path.display()))?;
    }
    let version = if args.apply && tuning.is_better() {
        Some(state.put_score(&tuning.proposed.weights, SystemClock.now_ms())?)
    } else {
        None
    };
    if args.json {
        println!(
            "{}",
            serde_json::to_string_pretty(&serde_json::json!({ "tuning": tuning, "applied": version }))?
        );
    } else {
        print(&tuning, args.apply, version);
    }
    Ok(())
}

/// The newest requests that have their candidate set.
fn candidates(args: &TuneArgs, ranker: &Ranker, progress: &mut dyn Progress) -> anyhow::Result<Candidates> {
    let reward = Reward::parse(ranker.spec(), &args.reward)?;
    let mut slates = std::collections::VecDeque::new();
    for event in Replay::open(&args.store, 1, None)? {
        if progress.stopped() {
            return Err(train::TrainError::Stopped.into());
        }
        if let Event::Slate { slate, .. } = event?
            && slate.candidates.is_some()
        {
            slates.push_back(slate);
            if slates.len() > args.requests as usize {
                slates.pop_front();
            }
        }
    }
    let mut candidates = Candidates::new(ranker, reward);
    progress.begin("candidate sets", slates.len() as u64);
    for slate in &slates {
        candidates.add(ranker, slate)?;
        progress.advance(1);
    }
    Ok(candidates)
}

fn print(tuning: &Tuning, apply: bool, version: Option<i64>) {
    let weights = |weights: &BTreeMap<String, f64>| {
        let named = weights
            .iter()
            .map(|(name, weight)| format!("{name} = {weight:.3}"));
        named.collect::<Vec<_>>().join(", ")
    };
    println!(
        "{} weightings on {} requests; judged on {} others\n",
        tuning.tried.len(),
        tuning.requests[0],
        tuning.requests[1]
    );
    let header = ["weights", &tuning.engagement, "reward"];
    let row = |name: String, engagement: f64, reward: f64| {
        vec![name, format!("{engagement:.4}"), format!("{reward:.4}")]
    };
    println!("the front, from most `{}` to most reward:", tuning.engagement);
    let on_front = tuning.front.iter().filter_map(|&at| tuning.tried.get(at));
    let rows: Vec<_> = on_front
        .map(|tried| row(weights(&tried.weights), tried.engagement, tried.reward))
        .collect();
    println!("{}\n", table(&header, &rows));
    let rows = [("live", &tuning.live), ("proposed", &tuning.proposed)].map(|(name, tried)| {
        row(
            format!("{name}: {}", weights(&tried.weights)),
            tried.engagement,
            tried.reward,
        )
    });
    println!("{}\n", table(&header, &rows));
    let gain = tuning.gain;
    println!(
        "reward, proposed - live: {:+.4} [{:+.4}, {:+.4}] a request; {:.0} % of slates change",
        gain.mean,
        gain.low,
        gain.high,
        100.0 * tuning.changed
    );
    match (version, tuning.is_better()) {
        (Some(version), _) => println!("live from now on, as score version {version}"),
        (None, false) => println!("not better beyond doubt: keep what is live, or log more candidate sets"),
        (None, true) if !apply => println!("--apply makes them live"),
        _ => {}
    }
}
