//! `kill -9` of the service while the world's people use it: what was acknowledged is in the store, once.
//!
//! In: a seed, which draws after how many answers each kill comes. The service is a process of its own; its clients are
//! threads here, each with a request in flight when the kill comes from another one.

mod sent;
mod stored;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use events::{Entity, Feedback, Value as Raw};
use serde_json::{Value, json};
use world::{Constants, Logger, Visit, World, user_id, video_id, visit_time_ms};

use crate::fixture::{Serving, run, run_well};
use sent::{Line, Sent};
use stored::Stored;

const RANKER: &str = include_str!("../../src/demo/ranker.toml");
const SEED: u64 = 2_407;
const CLIENTS: u64 = 6;
/// Few, so that the log turns to a new file often.
const VISITS_A_DAY: u64 = 15;
/// The first visit of a client after a restart, beyond all before it.
const AFTER_RESTART: u64 = 200;

#[test]
fn nothing_acknowledged_is_lost_when_a_service_that_ranks_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    // The first day of a demo, which need not have won: a log, a catalogue, and a model that learned from them.
    let day = dir.path().join("day");
    let (day_text, seed) = (day.display().to_string(), SEED.to_string());
    run(&[
        "demo", "--once", "--json", "--days", "0", "--visits", "60", "--seed", &seed, "--store", &day_text,
    ]);
    for instant in instants([3, 20, 80, 200, 400]) {
        let site = Site::new(&dir.path().join(instant.to_string()), true);
        copy(&day, &site.store);
        site.is_killed_after(instant);
        site.log_replays_to_the_byte();
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_a_service_that_only_records_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    for instant in instants([3, 20, 80, 200, 400]) {
        Site::new(&dir.path().join(instant.to_string()), false).is_killed_after(instant);
    }
}

#[test]
fn a_batch_of_feedback_is_stored_whole_or_not_at_all_however_often_the_service_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let site = Site::new(dir.path(), false);
    let mut sent = Vec::new();
    for (round, instant) in instants([2, 5, 10, 20, 40]).into_iter().enumerate() {
        println!("seed {SEED}: round {round}, killed after {instant} answers");
        let mut serving = site.serve();
        let slate = json!({ "id": format!("s{round}"), "user": "u1", "items": [{ "item": "v1" }] });
        assert_eq!(serving.post("/v1/slates", &slate).0, 202);
        sent.extend(used_until_killed(&mut serving, instant, |client, line| {
            let mut sent = Sent::default();
            for batch in 0.. {
                let feedback = |number| Feedback {
                    id: format!("{round}-{client}-{batch}-{number}"),
                    slate: format!("s{round}"),
                    item: "v1".to_owned(),
                    kind: "click".to_owned(),
                    value: None,
                    time: visit_time_ms(1, 0, 1),
                };
                sent.feedback
                    .push(line.ask("POST", "/v1/feedback", (0..300).map(feedback).collect()));
                if sent.feedback.last().is_some_and(|asked| asked.answer.is_none()) {
                    break;
                }
            }
            sent
        }));
        Stored::read(&site.store).holds(&sent);
    }
}

#[test]
fn a_batch_with_one_bad_piece_of_feedback_is_refused_whole() {
    let dir = tempfile::tempdir().unwrap();
    let serving = Site::new(dir.path(), false).serve();
    let slate = json!({ "id": "s", "user": "u1", "items": [{ "item": "v1" }] });
    assert_eq!(serving.post("/v1/slates", &slate).0, 202);
    let good = |id: &str| json!({ "id": id, "slate": "s", "item": "v1", "kind": "click", "time": visit_time_ms(1, 0, 1) });
    let mut bad = good("c");
    bad["kind"] = json!("");
    assert_eq!(
        serving
            .post("/v1/feedback", &json!([good("a"), good("b"), bad]))
            .0,
        422
    );
    let (status, answer) = serving.post("/v1/feedback", &json!([good("a"), good("b")]));
    assert_eq!(
        (status, answer),
        (202, json!({ "stored": 2, "duplicates": 0, "orphans": 0 }))
    );
}

/// After how many answers the kills come: one in each stretch that ends at `ends`, drawn from the seed.
fn instants(ends: [u64; 5]) -> [usize; 5] {
    let mut state = SEED;
    let mut start = 1;
    ends.map(|end| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let instant = start + (state >> 33) % (end + 1 - start);
        start = end + 1;
        instant as usize
    })
}

/// A store, and the people who use the service on it.
struct Site {
    world: World,
    store: PathBuf,
    spec: String,
    /// Whether a model is live; else all slates are shown by another ranker.
    ranks: bool,
}

impl Site {
    fn new(dir: &Path, ranks: bool) -> Site {
        fs::create_dir_all(dir).unwrap();
        let spec = dir.join("ranker.toml");
        fs::write(&spec, RANKER).unwrap();
        let world = World::new(SEED, &Constants::default());
        Site {
            world,
            store: dir.join("store"),
            spec: spec.display().to_string(),
            ranks,
        }
    }

    fn serve(&self) -> Serving {
        let store = self.store.display().to_string();
        Serving::start(&[
            "serve",
            "--store",
            &store,
            "--spec",
            &self.spec,
            "--clock",
            "events",
            "--listen",
            "127.0.0.1:0",
        ])
    }

    /// Serves, is killed, is looked at, serves again: retries are duplicates, new requests are answered.
    fn is_killed_after(&self, instant: usize) {
        println!(
            "seed {SEED}, ranks: {}, killed after {instant} answers",
            self.ranks
        );
        let mut serving = self.serve();
        let mut sent = used_until_killed(&mut serving, instant, |client, line| {
            let mut sent = Sent::default();
            (0..AFTER_RESTART).find(|&round| self.visit(client, round, line, &mut sent).is_none());
            sent
        });
        assert!(
            sent.iter().all(|sent| sent.unanswered() == 1),
            "every client was cut off by the kill"
        );
        let stored = Stored::read(&self.store);
        stored.holds(&sent);

        let mut serving = self.serve();
        assert_eq!(serving.get("/readyz").0, if self.ranks { 200 } else { 503 });
        sent.iter_mut().for_each(|sent| sent.retry(&serving, &stored));
        for (client, sent) in (0..).zip(&mut sent) {
            let line = Line {
                client: serving.client(),
                answered: mpsc::channel().0,
            };
            for round in AFTER_RESTART..AFTER_RESTART + 2 {
                self.visit(client, round, &line, sent)
                    .expect("the service answers again");
            }
        }
        serving.kill();
        assert!(sent.iter().all(|sent| sent.unanswered() == 0));
        Stored::read(&self.store).holds(&sent);
    }

    /// One visit, and two writes to the catalogue; `None` once the service is gone.
    fn visit(&self, client: u64, round: u64, line: &Line, sent: &mut Sent) -> Option<()> {
        let number = round * CLIENTS + client;
        let day = u32::try_from(1 + number / VISITS_A_DAY).unwrap();
        let time = visit_time_ms(day, (number % VISITS_A_DAY) as u32, VISITS_A_DAY as u32);
        // Days of the demo have lower numbers.
        let visit = self.world.visit(1_000 + number, time);
        let (slate, videos) = if self.ranks && !(round + client).is_multiple_of(3) {
            let mut asked = line.ask("POST", "/v1/rank", self.request(&visit));
            // An answer that was cut off names no slate.
            asked.answer.take_if(|answer| answer.is_null());
            sent.ranked.push(asked);
            let answer = sent.ranked.last()?.answer.as_ref()?;
            let videos = shown(answer)
                .iter()
                .filter_map(|item| self.world.video_of(item))
                .collect();
            (answer["slate"].as_str().unwrap().to_owned(), videos)
        } else {
            let (slate, videos) = self.slate(&visit);
            sent.posted.push(line.ask("POST", "/v1/slates", slate));
            let posted = sent.posted.last()?;
            posted.answer.as_ref()?;
            (id(&posted.what).to_owned(), videos)
        };
        let feedback = self
            .world
            .feedback(&visit, &slate, &self.world.act(&visit, &videos));
        if !feedback.is_empty() {
            sent.feedback.push(line.ask("POST", "/v1/feedback", feedback));
            sent.feedback.last()?.answer.as_ref()?;
        }
        let edition = |mut entity: Entity| {
            entity
                .fields
                .insert(format!("edition {client}"), Raw::Number(round as f64));
            entity
        };
        let items = videos
            .iter()
            .take(2)
            .map(|&video| edition(self.world.item_entity(video)))
            .collect();
        sent.items.push(line.ask("PUT", "/v1/items", items));
        sent.items.last()?.answer.as_ref()?;
        sent.users.push(line.ask(
            "PUT",
            "/v1/users",
            vec![edition(self.world.user_entity(visit.user))],
        ));
        sent.users.last()?.answer.as_ref().map(drop)
    }

    fn request(&self, visit: &Visit) -> Value {
        let candidates: Vec<String> = visit.candidates.iter().map(|&video| video_id(video)).collect();
        json!({
            "user": user_id(visit.user), "query": video_id(visit.query), "context": self.world.context(visit),
            "candidates": candidates, "limit": 10, "time": visit.time_ms, "request": format!("{}", visit.number),
        })
    }

    fn slate(&self, visit: &Visit) -> (Value, Vec<u32>) {
        let mut videos = Logger::Wrong.order(&self.world, visit);
        videos.truncate(10);
        let items: Vec<Value> = videos
            .iter()
            .map(|&video| json!({ "item": video_id(video) }))
            .collect();
        let slate = json!({
            "id": format!("w-{}", visit.number), "user": user_id(visit.user), "query": video_id(visit.query),
            "context": self.world.context(visit), "items": items, "time": visit.time_ms,
        });
        (slate, videos)
    }

    /// What the crashed log teaches, it teaches again.
    fn log_replays_to_the_byte(&self) {
        let serving = self.serve();
        assert_eq!(
            serving
                .put("/v1/clock", &json!({ "time": visit_time_ms(1_000, 0, 1) }))
                .0,
            200
        );
        let store = self.store.display().to_string();
        let learned: Value =
            serde_json::from_str(&run_well(&["learn", "--json", "--store", &store])).unwrap();
        assert_eq!(learned["run"], 2, "{learned}");
        run_well(&["verify", "--store", &store, "--spec", &self.spec]);
    }
}

/// Clients use the service at once, until it is killed after `instant` answers. Returns what each sent.
fn used_until_killed(
    serving: &mut Serving,
    instant: usize,
    client: impl Fn(u64, &Line) -> Sent + Sync,
) -> Vec<Sent> {
    let (answered, answers) = mpsc::channel();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let line = Line {
                    client: serving.client(),
                    answered: answered.clone(),
                };
                let client = &client;
                scope.spawn(move || client(number, &line))
            })
            .collect();
        drop(answered);
        assert_eq!(
            answers.iter().take(instant).count(),
            instant,
            "the clients ended before the kill"
        );
        serving.kill();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    })
}

fn id(body: &Value) -> &str {
    body["id"].as_str().unwrap()
}

/// Items of a posted slate or of an answer of `rank`.
fn shown(body: &Value) -> Vec<&str> {
    body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["item"].as_str().unwrap())
        .collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
