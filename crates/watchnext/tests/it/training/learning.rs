//! What `learn` promises beside a running service: models replace each other without a failed request, and bad ones do not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc;
use std::time::Instant;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use serde_json::{Value, json};

use super::declared;
use crate::fixture::{Feed, LIMIT, Serving, edited, log, run, run_well};

/// One shown item of the fixture's log, as a client of the service would tell of it.
struct Shown {
    slate: usize,
    user: String,
    device: String,
    item: Value,
    name: String,
    click: bool,
    played: Option<f64>,
}

/// The rows of `log(rows)` from `first` on, without an item's second showing in a slate.
fn shown(first: usize, rows: usize) -> Vec<Shown> {
    let columns = log(rows);
    let column = |name: &str| &columns.iter().find(|(other, _)| *other == name).unwrap().1;
    let text = |name: &str, row: usize| column(name).as_string::<i32>().value(row).to_owned();
    let number = |name: &str, row: usize| column(name).as_primitive::<Float64Type>().value(row);
    let whole = |name: &str, row: usize| column(name).as_primitive::<Int64Type>().value(row);
    let mut seen = BTreeSet::new();
    let rows = (first..rows).filter(|&row| seen.insert((row / 5, text("item", row))));
    rows.map(|row| Shown {
        slate: row / 5,
        user: text("user", row),
        device: text("device", row),
        item: json!({
            "item": text("item", row),
            "position": whole("position", row),
            "fields": { "appeal": number("appeal", row), "minutes": number("minutes", row) },
        }),
        name: text("item", row),
        click: whole("click", row) == 1,
        played: (!column("played").is_null(row)).then(|| number("played", row)),
    })
    .collect()
}

/// Posts what was shown at `time`, then what people did, then moves the clock past every window. Returns how many examples
/// that makes.
fn live_through(serving: &Serving, time: i64, shown: &[Shown]) -> usize {
    let mut slates: BTreeMap<usize, Value> = BTreeMap::new();
    let mut feedback = Vec::new();
    for row in shown {
        let id = format!("p{}", row.slate);
        let empty = || json!({ "id": id, "user": row.user, "context": { "device": row.device }, "time": time, "items": [] });
        let slate = slates.entry(row.slate).or_insert_with(empty);
        slate["items"].as_array_mut().unwrap().push(row.item.clone());
        let mut tell = |kind: &str, value: Option<f64>| {
            let id = format!("{kind} {id} {}", row.name);
            feedback.push(json!({
                "id": id, "slate": format!("p{}", row.slate), "item": row.name, "kind": kind, "value": value, "time": time + 1,
            }));
        };
        if row.click {
            tell("click", None);
        }
        if row.played.is_some() {
            tell("played", row.played);
        }
    }
    let (sent, told) = (slates.len(), feedback.len());
    let slates: Value = slates.into_values().collect();
    let answer = serving.post("/v1/slates", &slates);
    assert_eq!((answer.0, &answer.1["stored"]), (202, &json!(sent)), "{answer:?}");
    let answer = serving.post("/v1/feedback", &Value::Array(feedback));
    assert_eq!(
        (answer.0, &answer.1["stored"], &answer.1["orphans"]),
        (202, &json!(told), &json!(0)),
        "{answer:?}"
    );
    assert_eq!(serving.put("/v1/clock", &json!({ "time": time + 10_000 })).0, 200);
    shown.len()
}

fn learned(feed: &Feed) -> Value {
    serde_json::from_str(&run_well(&["learn", "--json", "--store", &feed.text("store")])).unwrap()
}

/// The version that answers a request.
fn answering(serving: &Serving) -> Result<String, (u16, Value)> {
    let candidates = json!([{ "item": "v1", "fields": { "appeal": 1.0, "minutes": 2 } }, "v2", "v3"]);
    let body = json!({ "user": "u1", "context": { "device": "tv" }, "candidates": candidates });
    match serving.post("/v1/rank", &body) {
        (200, answer) => Ok(answer["model"].as_str().unwrap().to_owned()),
        failed => Err(failed),
    }
}

fn wait_until_serving(serving: &Serving, version: &str) {
    let deadline = Instant::now() + LIMIT;
    while serving.get("/v1/models").1["serving"] != version {
        assert!(
            Instant::now() < deadline,
            "{version} was promoted but does not answer"
        );
    }
}

#[test]
fn what_learn_promotes_is_swapped_in_without_a_failed_request_and_can_be_rolled_back() {
    // A first model that has more to learn.
    let feed = declared(&edited("epochs = 3", "epochs = 1"));
    let serving = feed.serve(&["--clock", "events"]);
    let examples = live_through(&serving, 1_000_000, &shown(2_000, 4_000));
    assert_eq!(answering(&serving).unwrap(), "m-0001");
    assert_eq!(
        serving.post("/v1/models/rollback", &json!({})).0,
        409,
        "nothing served before"
    );

    let answers = std::thread::scope(|scope| {
        // Somebody asks without a pause, until nobody hears the answers.
        let (asking, answers) = mpsc::channel();
        let serving = &serving;
        scope.spawn(move || while asking.send(answering(serving)).is_ok() {});
        let mut heard = vec![answers.recv_timeout(LIMIT).unwrap()];

        let report = learned(&feed);
        assert_eq!(
            (&report["model"], &report["promoted"], &report["run"]),
            (&json!("m-0002"), &json!(true), &json!(1)),
            "{report}"
        );
        let [trained, held] = ["trained", "held"].map(|part| report[part].as_u64().unwrap() as usize);
        assert_eq!(
            (trained + held, held),
            (examples, examples.div_ceil(10)),
            "{report}"
        );
        assert_eq!(report["verdict"]["against"], "m-0001");
        wait_until_serving(serving, "m-0002");
        heard.extend(answers.try_iter());
        heard.extend((0..10).map(|_| answers.recv_timeout(LIMIT).unwrap()));
        heard
    });
    let versions: Vec<String> = answers
        .into_iter()
        .collect::<Result<_, _>>()
        .expect("every request was answered");
    let swap = versions
        .iter()
        .position(|version| version == "m-0002")
        .expect("the new model answers");
    assert!(
        versions[..swap].iter().all(|version| version == "m-0001"),
        "{versions:?}"
    );
    assert!(
        versions[swap..].iter().all(|version| version == "m-0002"),
        "{versions:?}"
    );

    assert_eq!(answering(&serving).unwrap(), "m-0002");
    assert_eq!(
        serving.post("/v1/models/rollback", &json!({})),
        (200, json!({ "serving": "m-0001" }))
    );
    assert_eq!(answering(&serving).unwrap(), "m-0001");
    assert_eq!(serving.post("/v1/models/m-0002/promote", &json!({})).0, 200);
    assert_eq!(answering(&serving).unwrap(), "m-0002");
    assert_eq!(serving.post("/v1/models/m-0009/promote", &json!({})).0, 404);
    assert_eq!(learned(&feed), Value::Null, "nothing has closed since");
}

#[test]
fn a_ranker_whose_ids_have_rows_of_their_own_is_trained_served_learned_on_and_replayed() {
    // Fewer rows than the 40 items, more than the 30 people; the log's new days are far from its old ones.
    let own_rows = edited(
        "kind = \"id\", dim = 4, buckets = 64, id_dropout = 0.1 }\ndevice",
        "kind = \"id\", dim = 4, capacity = 1_000_000 }\ndevice",
    );
    let text = own_rows.replace(
        "buckets = 64",
        "capacity = 35, admit_after = 2, forget_after = \"600s\"",
    );
    let feed = declared(&text);
    let serving = feed.serve(&["--clock", "events"]);
    let filled = |run: &str| feed.metrics(run)["anatomy"]["tables"].as_array().unwrap().clone();
    let (users, items) = (&filled("run")[0], &filled("run")[2]);
    assert_eq!(
        (&users["admitted"], &users["refused"]),
        (&json!(30), &json!(0)),
        "{users}"
    );
    assert_eq!(
        (&items["admitted"], &items["rows"]),
        (&json!(35), &json!(35)),
        "{items}"
    );
    assert!(items["refused"].as_u64().unwrap() > 0, "{items}");

    live_through(&serving, 1_000_000, &shown(2_000, 4_000));
    let report = learned(&feed);
    assert_eq!(
        (&report["model"], &report["promoted"]),
        (&json!("m-0002"), &json!(true)),
        "{report}"
    );
    wait_until_serving(&serving, "m-0002");
    assert_eq!(answering(&serving).unwrap(), "m-0002");
    let body = json!({ "user": "a stranger", "context": { "device": "tv" }, "candidates": ["unheard of"] });
    assert_eq!(serving.post("/v1/rank", &body).0, 200);
    run_well(&["verify", "--store", &feed.text("store")]);
    drop(serving);
    let serving = feed.serve(&["--clock", "events"]);
    assert_eq!(answering(&serving).unwrap(), "m-0002");
}

#[test]
fn a_rejected_challenger_leaves_the_serving_model_in_place() {
    let feed = declared(&edited("epochs = 3", "epochs = 3\nlearn_passes = 10"));
    let serving = feed.serve(&["--clock", "events"]);
    // For a while everybody clicks what they would not have clicked; the newest tenth, which judges, is as ever.
    let mut shown = shown(2_000, 4_000);
    let turned = shown.len() * 9 / 10;
    for row in &mut shown[..turned] {
        row.click = !row.click;
        row.played = None;
    }
    live_through(&serving, 1_000_000, &shown);
    let report = learned(&feed);
    assert_eq!(
        (&report["model"], &report["promoted"]),
        (&json!("m-0002"), &json!(false)),
        "{report}"
    );
    let gates = report["verdict"]["gates"].as_array().unwrap();
    assert!(
        gates
            .iter()
            .any(|gate| gate["passed"] == false && gate["gate"].as_str().unwrap().starts_with("click")),
        "{report}"
    );

    let models = serving.get("/v1/models").1;
    assert_eq!(models["serving"], "m-0001");
    let listed = models["models"]
        .as_array()
        .unwrap()
        .iter()
        .map(|model| (&model["version"], &model["status"]));
    let listed: BTreeMap<&str, &str> = listed
        .map(|(version, status)| (version.as_str().unwrap(), status.as_str().unwrap()))
        .collect();
    assert_eq!(
        listed,
        BTreeMap::from([("m-0001", "promoted"), ("m-0002", "rejected")])
    );
    assert_eq!(answering(&serving).unwrap(), "m-0001");

    // Also after a restart.
    drop(serving);
    let serving = feed.serve(&["--clock", "events"]);
    assert_eq!(answering(&serving).unwrap(), "m-0001");
}

#[test]
fn a_store_without_a_model_learns_its_first_from_a_declaration() {
    let feed = Feed::new();
    let (store, spec) = (feed.text("store"), feed.text("ranker.toml"));
    let serving = Serving::start(&[
        "serve",
        "--store",
        &store,
        "--spec",
        &spec,
        "--clock",
        "events",
        "--listen",
        "127.0.0.1:0",
    ]);
    live_through(&serving, 1_000_000, &shown(2_000, 4_000));
    let undeclared = run(&["learn", "--store", &store]);
    assert_eq!(undeclared.status.code(), Some(2));
    assert!(
        String::from_utf8(undeclared.stderr)
            .unwrap()
            .contains("name a declaration")
    );
    let report: Value = serde_json::from_str(&run_well(&[
        "learn", "--json", "--store", &store, "--spec", &spec,
    ]))
    .unwrap();
    assert_eq!(
        (&report["model"], &report["promoted"]),
        (&json!("m-0001"), &json!(true)),
        "{report}"
    );
    assert!(
        report["progressive"].is_null() && report["verdict"]["against"].is_null(),
        "{report}"
    );
    wait_until_serving(&serving, "m-0001");
    assert_eq!(answering(&serving).unwrap(), "m-0001");
    assert_eq!(serving.get("/readyz").0, 200);
    run_well(&["verify", "--store", &store, "--spec", &spec]);
}
