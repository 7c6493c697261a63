//! `watchnext send`: a flat log goes to a running service as its users would have gone: requests, then feedback.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;
use events::{Entity, Fields, FlatLog, FlatOptions, FlatRow};
use serde_json::{Value, json};
use spec::Spec;
use train::Progress;

use super::files::expand;
use super::read_spec;
use crate::client::Client;
use crate::terminal::Bar;

/// Rows that are read at a time.
const BATCH_ROWS: usize = 8192;
/// After the last event the clock moves on by this much, so that every window of a day or less closes.
const CLOSE_AFTER_MS: i64 = 25 * 3_600_000;

/// Send the newest part of a flat log to a running service: catalogue, requests to rank, and the rows' own labels as feedback
#[derive(Parser)]
#[command(after_help = "Example:\n  watchnext serve --model run --clock events &\n  \
    watchnext send ranker.toml --data log.parquet --users users.parquet --items videos.parquet\n\n\
    A user's consecutive rows are one request: their items are its candidates. Sends the test part of `[train] split`.")]
pub(crate) struct Args {
    /// The declaration
    ranker: PathBuf,
    /// Parquet, CSV or JSONL files; together one log in the order of time. A pattern as 'days/*.csv' names files in the order of
    /// their names
    #[arg(long, required_unless_present = "probe", num_args = 1..)]
    data: Vec<PathBuf>,
    /// A table of users
    #[arg(long)]
    users: Option<PathBuf>,
    /// A table of items
    #[arg(long)]
    items: Option<PathBuf>,
    /// The service
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    to: String,
    /// Send nothing; exit code 0 once the service can rank
    #[arg(long)]
    probe: bool,
    /// Most candidates of a request
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    candidates: u16,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    if args.probe {
        return Client::new(&args.to).get("/readyz").map(|_| ());
    }
    let spec = read_spec(&args.ranker)?;
    let mut data = Vec::new();
    for path in &args.data {
        data.extend(expand(path)?);
    }
    let log = FlatLog::open(
        &spec,
        FlatOptions {
            data,
            users: args.users,
            items: args.items,
            batch_rows: BATCH_ROWS,
        },
    )?;
    let part = train::Split::of(log.rows(), spec.train.split).test;
    let mut sender = Sender {
        spec: &spec,
        client: Client::new(&args.to),
        sent: Sent::default(),
        known: BTreeSet::new(),
    };
    let mut bar = Bar::new(false);
    bar.begin("send", part.end - part.start);
    let candidates = usize::from(args.candidates);
    let mut waiting: Vec<FlatRow> = Vec::new();
    for row in log.read_rows(part) {
        waiting.push(row?);
        if waiting.len() == BATCH_ROWS {
            sender.block(&mut waiting, candidates, &mut bar)?;
        }
    }
    sender.block(&mut waiting, candidates, &mut bar)?;
    drop(bar);
    sender.close()?;
    let Sent {
        requests,
        items,
        feedback,
        duplicates,
        orphans,
        ..
    } = sender.sent;
    println!(
        "{requests} requests ranked {items} items; {feedback} feedback stored, {duplicates} duplicates, {orphans} orphans"
    );
    Ok(())
}

#[derive(Default)]
struct Sent {
    requests: u64,
    items: u64,
    feedback: u64,
    duplicates: u64,
    orphans: u64,
    newest_ms: i64,
}

struct Sender<'a> {
    spec: &'a Spec,
    client: Client,
    sent: Sent,
    /// Users and items whose fields the service has.
    known: BTreeSet<(&'static str, String)>,
}

impl Sender<'_> {
    /// Sends a block of rows: new users and items first, then request by request in the order of time.
    fn block(&mut self, rows: &mut Vec<FlatRow>, candidates: usize, bar: &mut Bar) -> anyhow::Result<()> {
        self.catalogue(rows)?;
        for request in requests(std::mem::take(rows), candidates) {
            self.request(&request)?;
            bar.advance(request.len() as u64);
        }
        Ok(())
    }

    fn catalogue(&mut self, rows: &[FlatRow]) -> anyhow::Result<()> {
        let mut fresh: [Vec<Entity>; 2] = [Vec::new(), Vec::new()];
        for row in rows {
            for (at, path, id, fields) in [
                (0, "/v1/users", &row.user, &row.user_fields),
                (1, "/v1/items", &row.item, &row.item_fields),
            ] {
                if self.known.insert((path, id.clone())) {
                    fresh[at].push(Entity {
                        id: id.clone(),
                        fields: self.attributes(fields),
                    });
                }
            }
        }
        self.client.put_entities("/v1/users", &fresh[0])?;
        self.client.put_entities("/v1/items", &fresh[1])
    }

    /// Field values under the names that the catalogue keeps them by.
    fn attributes(&self, fields: &Fields) -> Fields {
        let attribute = |name: &String| {
            self.spec
                .field(name)
                .map(|at| self.spec.fields[at].attribute.clone())
        };
        fields
            .iter()
            .filter_map(|(name, value)| Some((attribute(name)?, value.clone())))
            .collect()
    }

    /// One request and its feedback. `rows` belong to one user, with distinct items.
    fn request(&mut self, rows: &[FlatRow]) -> anyhow::Result<()> {
        let Some(last) = rows.last() else { return Ok(()) };
        self.sent.newest_ms = self.sent.newest_ms.max(last.time);
        let mut context = last.context_fields.clone();
        context.extend(last.query_fields.clone());
        let items: Vec<Value> = rows
            .iter()
            .map(|row| json!({ "item": row.item, "fields": row.item_fields }))
            .collect();
        let request = format!("{}-{}-{}", last.user, last.time, self.sent.requests);
        let mut body = json!({
            "user": last.user, "context": context, "candidates": items, "time": last.time, "request": request,
        });
        if let Some(query) = &last.query {
            body["query"] = json!(query);
        }
        let answer = self.client.post("/v1/rank", &body)?;
        let slate = answer["slate"]
            .as_str()
            .context("the answer of `/v1/rank` names no slate")?;
        let feedback: Vec<Value> = rows
            .iter()
            .flat_map(|row| {
                row.label_inputs.iter().map(|(kind, value)| {
                    json!({
                        "id": format!("{slate}-{}-{kind}", row.item), "slate": slate, "item": row.item,
                        "kind": kind, "value": value, "time": row.time,
                    })
                })
            })
            .collect();
        let stored = self.client.post("/v1/feedback", &json!(feedback))?;
        let count = |key: &str| stored[key].as_u64().unwrap_or(0);
        self.sent.requests += 1;
        self.sent.items += rows.len() as u64;
        self.sent.feedback += count("stored");
        self.sent.duplicates += count("duplicates");
        self.sent.orphans += count("orphans");
        Ok(())
    }

    /// Moves the service's clock past the last window.
    fn close(&mut self) -> anyhow::Result<()> {
        self.client
            .put(
                "/v1/clock",
                &json!({ "time": self.sent.newest_ms + CLOSE_AFTER_MS }),
            )
            .map(|_| ())
    }
}

/// Groups each user's consecutive rows, up to `candidates` distinct items, by the time of their last row.
fn requests(rows: Vec<FlatRow>, candidates: usize) -> Vec<Vec<FlatRow>> {
    let mut open: BTreeMap<String, Vec<FlatRow>> = BTreeMap::new();
    let mut done = Vec::new();
    for row in rows {
        let rows = open.entry(row.user.clone()).or_default();
        if rows.len() == candidates || rows.iter().any(|shown| shown.item == row.item) {
            done.push(std::mem::take(rows));
        }
        rows.push(row);
    }
    done.extend(open.into_values());
    done.sort_by(|a, b| {
        a.last()
            .map(|row| (row.time, &row.user))
            .cmp(&b.last().map(|row| (row.time, &row.user)))
    });
    done
}
