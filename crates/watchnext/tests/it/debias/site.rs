//! A simulated site whose logger is known: its log, with what a test plants in it, and a declaration that fits.

use std::collections::BTreeMap;

use events::{Fields, Value};
use world::{Constants, Logger, Visit, World, user_id, video_id, visit_time_ms};

use crate::fixture::{Columns, chance, numbers, texts, whole};

/// A declaration that fits [`Site::log`]: what is known of a candidate, no ids, positions crossed with the device.
pub(super) const RANKER: &str = r#"
[fields]
device = { side = "context", kind = "id", values = ["phone", "desktop", "tv"], use = "bias" }
taste_match = { side = "item", kind = "number" }
query_match = { side = "item", kind = "number" }
quality = { side = "item", kind = "number" }
clickbait = { side = "item", kind = "number" }
fresh = { side = "item", kind = "number" }
popularity = { side = "item", kind = "number" }

[objectives]
click = { group = "engagement", loss = "binary", absent = 0 }

[model]
architecture = "shared-bottom"
shared = [32, 16]
towers = [8]

[bias]
fields = ["position", "device"]
groups = ["engagement"]
max_position = 10

[score]
click = 1.0

[train]
batch = 256
epochs = 4
learning_rate = 0.003
"#;

/// What is shown, and by whom it was ordered.
pub(super) struct Site {
    pub(super) logger: Logger,
    /// Strength of the position bias.
    pub(super) eta: f64,
    pub(super) slates: u64,
    /// Logit of a click by level of the thumbnail: small, medium, large.
    pub(super) thumbnail: f64,
    /// Logit of a click of every other person.
    pub(super) patience: f64,
}

impl Site {
    pub(super) fn new(logger: Logger) -> Site {
        Site {
            logger,
            eta: 1.0,
            slates: 3_000,
            thumbnail: 0.0,
            patience: 0.0,
        }
    }

    /// The logger orders ten random candidates, so that no selection is mixed with the order.
    pub(super) fn log(&self) -> Columns {
        let constants = Constants {
            eta: self.eta,
            ..Constants::default()
        };
        let world = World::new(1, &constants);
        let mut draw = chance(99);
        let mut ids: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
        let mut features: BTreeMap<&'static str, Vec<f64>> = BTreeMap::new();
        let (mut times, mut positions, mut clicks) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..self.slates {
            let time = visit_time_ms((number / 600) as u32, (number % 600) as u32, 600);
            let visit = world.visit(number, time);
            let mut ten: Vec<(f64, u32)> = visit.candidates.iter().map(|video| (draw(), *video)).collect();
            ten.sort_by(|a, b| a.0.total_cmp(&b.0));
            ten.truncate(10);
            let order = self.logger.order(&world, &visit);
            let shown = order
                .into_iter()
                .filter(|video| ten.iter().any(|(_, other)| other == video));
            for (position, video) in (1u32..).zip(shown) {
                let level = (draw() * 3.0) as usize;
                let probability = world.click_probabilities(&visit, &[video; 10])[position as usize - 1];
                let patient = visit.user % 2;
                let logit = (probability / (1.0 - probability)).ln()
                    + self.thumbnail * (level as f64 - 1.0)
                    + self.patience * f64::from(patient);
                clicks.push(i64::from(draw() < 1.0 / (1.0 + (-logit).exp())));
                times.push(time);
                positions.push(i64::from(position));
                for (name, id) in [
                    ("slate", format!("s{number}")),
                    ("user", user_id(visit.user)),
                    ("item", video_id(video)),
                    ("device", visit.device.name().to_owned()),
                    ("thumbnail", ["small", "medium", "large"][level].to_owned()),
                    ("patient", ["no", "yes"][patient as usize].to_owned()),
                    ("hour", (time / 3_600_000 % 24).to_string()),
                ] {
                    ids.entry(name).or_default().push(id);
                }
                for (name, feature) in features_of(&world, &visit, video) {
                    features.entry(name).or_default().push(feature);
                }
            }
        }
        let mut columns: Columns = vec![
            ("time", whole(times)),
            ("position", whole(positions)),
            ("click", whole(clicks)),
        ];
        columns.extend(ids.into_iter().map(|(name, ids)| (name, texts(ids))));
        columns.extend(features.into_iter().map(|(name, values)| (name, numbers(values))));
        columns
    }
}

/// What a ranker may know of a candidate.
fn features_of(world: &World, visit: &Visit, video: u32) -> Vec<(&'static str, f64)> {
    let item = world.item_entity(video).fields;
    let topics = vector(&item, "topics");
    let taste = vector(&world.user_entity(visit.user).fields, "taste");
    let query = vector(&world.item_entity(visit.query).fields, "topics");
    let dot = |a: &[f32]| -> f64 { a.iter().zip(&topics).map(|(a, b)| f64::from(a * b)).sum() };
    let mut features = vec![("taste_match", dot(&taste)), ("query_match", dot(&query))];
    for name in ["quality", "clickbait", "fresh", "popularity"] {
        let Value::Number(number) = item[name] else {
            panic!("`{name}` is a number")
        };
        features.push((name, number));
    }
    features
}

fn vector(fields: &Fields, name: &str) -> Vec<f32> {
    match &fields[name] {
        Value::Numbers(numbers) => numbers.clone(),
        other => panic!("`{name}` is {other:?}"),
    }
}
