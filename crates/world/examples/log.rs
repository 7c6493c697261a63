//! Prints a flat log of a simulated world, one JSON line per impression in the order of time: what a service would have
//! logged while the `wrong` logger of the demo's day 0 ranked.
//!
//! `cargo run --release -p world --example log -- SEED VISITS [WORLD.toml] > log.jsonl` · train the demo's declaration on it.
//! WORLD.toml overrides constants of the world (the example `constants` prints them all); `viewed` is a column where people
//! examine what they see, and planted context where there is some.

use std::collections::HashMap;
use std::io::{BufWriter, Write};

use serde_json::{Map, Value, json};
use world::{Constants, Logger, World, user_id, video_id, visit_time_ms};

const VISITS_A_DAY: u32 = 600;
/// Clicked videos that a row tells of its user, the newest.
const HISTORY: usize = 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (seed, visits, constants) = match &arguments[..] {
        [seed, visits] => (seed, visits, Constants::default()),
        [seed, visits, file] => {
            let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
            let constants = Constants::from_toml(&text).map_err(|error| format!("{file}:\n{error}"))?;
            (seed, visits, constants)
        }
        _ => return Err("expected two numbers and perhaps a file: SEED VISITS [WORLD.toml]".into()),
    };
    let (seed, visits): (u64, u32) = (seed.parse()?, visits.parse()?);
    let world = World::new(seed, &constants);
    let mut clicked: HashMap<u32, Vec<String>> = HashMap::new();
    let mut out = BufWriter::new(std::io::stdout().lock());
    for number in 0..visits {
        let time = visit_time_ms(number / VISITS_A_DAY, number % VISITS_A_DAY, VISITS_A_DAY);
        let visit = world.visit(u64::from(number), time);
        let order = Logger::Wrong.order(&world, &visit);
        let actions = world.act(&visit, &order[..world.constants().slate_length as usize]);

        // Visits are further apart than feedback takes: a person's earlier clicks are all known.
        let history = clicked.entry(visit.user).or_default();
        let mut of_visit = fields(json!({
            "slate": format!("{seed}-{number}"), "time": time, "user": user_id(visit.user), "query": video_id(visit.query),
            "history": &history[history.len().saturating_sub(HISTORY)..],
        }));
        of_visit.extend(fields(serde_json::to_value(
            world.user_entity(visit.user).fields,
        )?));
        of_visit.extend(fields(serde_json::to_value(world.context(&visit))?));
        let query = serde_json::to_value(world.item_entity(visit.query).fields)?;
        of_visit.insert("query_topics".to_owned(), query["topics"].clone());

        let feedback = world.feedback_with_views(&visit, "", &actions);
        for action in &actions {
            let item = video_id(action.video);
            let mut row = of_visit.clone();
            row.extend(fields(serde_json::to_value(
                world.item_entity(action.video).fields,
            )?));
            row.extend(fields(json!({
                "item": item, "position": action.position, "click": 0, "play_ms": null, "like": 0, "dismiss": 0,
            })));
            row.extend(fields(serde_json::to_value(world.impression(
                &visit,
                action.video,
                action.position,
            ))?));
            if action.viewed.is_some() {
                row.insert("viewed".to_owned(), json!(0));
            }
            for one in feedback.iter().filter(|one| one.item == item) {
                row.insert(one.kind.clone(), json!(one.value.unwrap_or(1.0)));
            }
            writeln!(out, "{}", Value::Object(row))?;
            if action.click {
                history.push(item);
            }
        }
    }
    out.flush()?;
    Ok(())
}

fn fields(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
