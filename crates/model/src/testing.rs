//! What this crate's tests share: declarations, rankers, batches of random examples.

use std::sync::Arc;

use events::{ExampleBuilder, ExampleRow, Fields, Value};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use spec::Spec;

use crate::{Encoded, EncodedIds, Encoder, Ranker, ScalerFit, Weights};

/// Within which the gradient checks demand agreement; see [`nn::check_gradient`].
pub(crate) const TOLERANCE: f64 = 2e-3;

/// Gradients start here in the layers' checks, so that one that is written instead of added to is noticed.
pub(crate) const START: f32 = 0.5;

/// Every kind of field, a shared table, a shallow tower on two of three objectives; all drop-outs on.
const DECLARATION: &str = r#"
[fields]
user   = { side = "user", kind = "id", dim = 3, buckets = 5, id_dropout = 0.3 }
past   = { side = "user", kind = "ids", shares = "topics", pool = "sum", id_dropout = 0.2 }
taste  = { side = "user", kind = "vector", width = 2 }
device = { side = "context", kind = "id", dim = 1, values = ["phone", "tv"], use = "both" }
place  = { side = "context", kind = "id", values = ["home", "away"], use = "bias" }
topics = { side = "item", kind = "ids", dim = 2, values = ["a", "b", "c", "d"] }
tone   = { side = "item", kind = "vector", width = 2 }
age    = { side = "item", kind = "number", scale = "quantile", powers = true }
length = { side = "item", kind = "number" }
match  = { side = "pair", kind = "number", scale = "none", dot = ["user.taste", "item.tone"] }
both   = { side = "pair", kind = "vector", product = ["user.taste", "item.tone"] }

[objectives]
click = { group = "engagement", loss = "binary", absent = 0 }
watch = { group = "engagement", loss = "squared", clip = [0, 2], loss_weight = 0.5 }
like  = { group = "satisfaction", loss = "squared" }

[model]
MODEL

[bias]
fields = ["position", "device", "place"]
groups = ["engagement"]
max_position = 3
position_dropout = 0.3

[score]
click = 1.0
"#;

/// The kinds of fields that [`DECLARATION`] lacks, and the losses of watch times.
const TIMES: &str = r#"
[fields]
user   = { side = "user", kind = "id", dim = 3, buckets = 5 }
topic  = { side = "item", kind = "id", dim = 2, values = ["a", "b"] }
pair   = { side = "pair", kind = "id", dim = 2, buckets = 7, cross = ["user", "topic"] }
likes  = { side = "user", kind = "ids", dim = 2, buckets = 6, weights = "likes_w", id_dropout = 0.2 }
tags   = { side = "item", kind = "ids", shares = "likes", pool = "sum", weights = "tags_w" }
title  = { side = "item", kind = "text", dim = 3, buckets = 9, ngrams = 2 }
price  = { side = "item", kind = "number", dim = 2, edges = [1, 10], missing = -1 }
views  = { side = "item", kind = "number", scale = "log", powers = true }
length = { side = "item", kind = "number", missing = 0 }

[objectives]
click = { group = "g", loss = "binary", absent = 0, keep_negatives = 0.5 }
share = { group = "g", loss = "watch-fraction", duration = "length" }
odds  = { group = "g", loss = "weighted-logistic", loss_weight = 0.5 }
rank  = { group = "g", loss = "watch-quantile", duration = "length" }

[model]
architecture = "shared-bottom"
shared = [6]

[score]
click = 1.0
"#;

pub(crate) fn spec_of_times() -> Arc<Spec> {
    parsed(TIMES)
}

/// Two conditionals, of which the second waits for the first, learned over the entire space; a shallow tower on the click.
pub(crate) fn spec_of_entire_space() -> &'static str {
    r#"
[fields]
user   = { side = "user", kind = "id", dim = 3, buckets = 5 }
topic  = { side = "item", kind = "id", dim = 2, values = ["a", "b"] }
length = { side = "item", kind = "number" }

[objectives]
click = { group = "g", loss = "binary", absent = 0 }
cart  = { group = "h", loss = "binary", absent = 0, given = "click", space = "entire", loss_weight = 2 }
buy   = { group = "h", loss = "binary", absent = 0, given = "cart", space = "entire" }

[model]
architecture = "shared-bottom"
shared = [6]

[bias]
fields = ["position"]
groups = ["g"]
max_position = 3

[score]
click = 1.0
"#
}

/// The shapes of networks that the tests go through, as lines of `[model]`.
pub(crate) const MIXTURES: [&str; 4] = [
    "architecture = \"mmoe\"\nexperts = { count = 3, widths = [4] }\ninput_dropout = 0.2\ngate_dropout = 0.3",
    "architecture = \"mmoe\"\nshared = [5]\nexperts = { count = 2, widths = [4, 3] }\ntowers = [3]\ninput_dropout = 0.2\ngate_dropout = 0.3",
    "architecture = \"mmoe\"\nshared = [5]\nexperts = { count = 2, widths = [3] }\ngate_dropout = 0.0",
    "architecture = \"mmoe\"\nexperts = { count = 2, widths = [4, 3] }\ntowers = [4, 3]\ngate_dropout = 0.3",
];

pub(crate) const BOTTOMS: [&str; 4] = [
    "architecture = \"shared-bottom\"\ninput_dropout = 0.2",
    "architecture = \"shared-bottom\"\nshared = [5]",
    "architecture = \"shared-bottom\"\ntowers = [4]\ninput_dropout = 0.2",
    "architecture = \"shared-bottom\"\nshared = [5, 4]\ntowers = [3]",
];

pub(crate) const SINGLES: [&str; 2] = [
    "architecture = \"single-task\"\ntowers = [4, 3]\ninput_dropout = 0.2",
    "architecture = \"single-task\"",
];

pub(crate) const ONE_GATES: [&str; 2] = [
    "architecture = \"omoe\"\nexperts = { count = 3, widths = [4] }\ngate_dropout = 0.3",
    "architecture = \"omoe\"\nshared = [5]\nexperts = { count = 2, widths = [4, 3] }\ntowers = [3]\ninput_dropout = 0.2\ngate_dropout = 0.3",
];

pub(crate) const EXTRACTIONS: [&str; 3] = [
    "architecture = \"ple\"\nexperts = { count = 2, shared = 1, widths = [4] }\ngate_dropout = 0.3",
    "architecture = \"ple\"\nshared = [5]\nexperts = { count = 1, shared = 2, levels = 2, widths = [4, 3] }\ntowers = [3]\ngate_dropout = 0.3\ninput_dropout = 0.2",
    "architecture = \"ple\"\nexperts = { count = 2, shared = 2, levels = 3, widths = [3] }\ngate_dropout = 0.0",
];

pub(crate) const ROUTINGS: [&str; 4] = [
    "architecture = \"snr-trans\"\nsubnetworks = { count = 3, widths = [4, 3], l0 = 0.1 }\ntowers = [3]",
    "architecture = \"snr-trans\"\nshared = [5]\nsubnetworks = { count = 2, widths = [4], l0 = 0.01 }\ninput_dropout = 0.2",
    "architecture = \"snr-aver\"\nsubnetworks = { count = 3, widths = [4, 3, 4], l0 = 0.1 }",
    "architecture = \"snr-aver\"\nshared = [5]\nsubnetworks = { count = 2, widths = [4], l0 = 0.0 }\ntowers = [3]\ninput_dropout = 0.2",
];

/// All of them.
pub(crate) fn every_network() -> impl Iterator<Item = &'static str> {
    let gated = MIXTURES.into_iter().chain(ONE_GATES).chain(EXTRACTIONS);
    BOTTOMS.into_iter().chain(SINGLES).chain(gated).chain(ROUTINGS)
}

pub(crate) fn parsed(text: &str) -> Arc<Spec> {
    Arc::new(Spec::parse("ranker.toml", text).unwrap_or_else(|mistakes| panic!("{mistakes}")))
}

/// The declaration with these lines of `[model]`.
pub(crate) fn spec_with(model: &str) -> Arc<Spec> {
    parsed(&DECLARATION.replace("MODEL", model))
}

/// A ranker with random weights and scalers that were fitted to nothing.
pub(crate) fn ranker_of(spec: &Arc<Spec>, seed: u64) -> Ranker {
    let scalers = ScalerFit::new(spec).finish();
    Ranker {
        encoder: Encoder::new(spec.clone(), scalers),
        weights: Weights::new(spec, seed),
    }
}

/// A ranker of [`spec_of_times`], fitted to watch times of 600 examples: of up to 1, or up to 10 where items are longer.
pub(crate) fn fitted_to_times(spec: &Arc<Spec>, seed: u64) -> Ranker {
    let mut fit = ScalerFit::new(spec);
    let mut draws = Draws::new(seed);
    for key in 0..600 {
        let (duration, longest) = if key % 2 == 0 { (0.5, 1.0) } else { (2.0, 10.0) };
        for objective in 1..4 {
            fit.add_watch_time(objective, key, duration, longest * draws.share());
        }
    }
    Ranker {
        encoder: Encoder::new(spec.clone(), fit.finish()),
        weights: Weights::new(spec, seed),
    }
}

/// Marks every row of every table as seen, so that no step admits one.
pub(crate) fn see_everything(ranker: &mut Ranker) {
    for table in &mut ranker.weights.tables {
        table.sightings.fill(u8::MAX);
    }
}

/// Small weights and large biases, a third of them negative: units on either side of ReLU, few near its kink.
pub(crate) fn away_from_kinks(weight: &mut [f32], bias: &mut [f32]) {
    weight.iter_mut().for_each(|weight| *weight *= 0.3);
    for (at, bias) in bias.iter_mut().enumerate() {
        *bias = if at % 3 == 1 { -0.8 } else { 0.8 };
    }
}

/// A generator of first weights.
pub(crate) fn generator(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Numbers one after the other, by a seed.
pub(crate) struct Draws {
    seed: u64,
    count: u64,
}

impl Draws {
    pub(crate) fn new(seed: u64) -> Draws {
        Draws { seed, count: 0 }
    }

    /// Uniform in `[0, 1)`.
    pub(crate) fn share(&mut self) -> f32 {
        self.count += 1;
        nn::draw(self.seed, self.count, 0, 0)
    }

    /// Uniform in `[-1, 1)`.
    pub(crate) fn value(&mut self) -> f32 {
        2.0 * self.share() - 1.0
    }

    /// `len` values in `[-1, 1)`.
    pub(crate) fn values(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.value()).collect()
    }

    /// Uniform in `0..end`.
    pub(crate) fn below(&mut self, end: usize) -> u32 {
        (self.share() * end as f32) as u32
    }
}

/// What was added to a gradient that started at [`START`].
pub(crate) fn added(gradient: &[f32]) -> Vec<f32> {
    gradient.iter().map(|d| d - START).collect()
}

/// A loss whose gradient by `output` is `weights`.
pub(crate) fn weighted_sum(weights: &[f32], output: &[f32]) -> f64 {
    weights
        .iter()
        .zip(output)
        .map(|(weight, output)| f64::from(*weight) * f64::from(*output))
        .sum()
}

/// Keys of random examples are the first multiples of it, 0 among them.
const KEY: u64 = 0x0432_1fed_cba9_8765;

/// `len` random encoded examples for `ranker`: bags of 0 to 3 ids, a fifth of the labels absent.
pub(crate) fn random_batch(ranker: &Ranker, len: usize, seed: u64) -> Encoded {
    let (spec, plan) = (ranker.spec(), ranker.encoder.plan());
    let mut draws = Draws::new(seed);
    let cells = spec.bias.as_ref().map_or(1, |bias| crate::bias_cells(spec, bias));
    let ids = plan.ids.iter().map(|input| {
        let kind = &spec.fields[input.field].kind;
        let single = matches!(kind, spec::Kind::Id { .. } | spec::Kind::Buckets { .. });
        let mut ids = EncodedIds::with_capacity(len);
        for _ in 0..len {
            let count = if single { 1 } else { draws.below(4) };
            let table = &ranker.weights.tables[input.table];
            for _ in 0..count {
                if table.by_key.is_some() {
                    ids.keys.push(KEY * u64::from(draws.below(61)));
                } else {
                    ids.rows.push(draws.below(table.embedding.rows));
                }
            }
            ids.end_bag();
        }
        let field = &spec.fields[input.field].kind;
        if matches!(field, spec::Kind::Ids { weights: Some(_), .. }) {
            ids.weights = draws.values(ids.len());
        }
        ids
    });
    let ids = ids.collect();
    let label = |draws: &mut Draws| {
        if draws.share() < 0.2 {
            f32::NAN
        } else {
            draws.below(2) as f32
        }
    };
    let duration = |objective: &spec::Objective| match objective.duration {
        None => Vec::new(),
        Some(_) => (0..len).map(|row| [2.0, 0.5, f32::NAN][row % 3]).collect(),
    };
    Encoded {
        len,
        dense: draws.values(len * plan.dense_width),
        ids,
        cells: (0..len).map(|_| draws.below(cells)).collect(),
        positions: (0..len).map(|_| draws.below(4)).collect(),
        labels: spec
            .objectives
            .iter()
            .map(|_| (0..len).map(|_| label(&mut draws)).collect())
            .collect(),
        durations: spec.objectives.iter().map(duration).collect(),
        weights: vec![1.0; len],
        propensities: Vec::new(),
        keys: (0..len as u64).map(|row| row + 1000 * seed).collect(),
        users: (0..len).map(|_| u64::from(draws.below(5))).collect(),
        slates: vec![0; len],
        shuffled: vec![false; len],
        times: vec![0; len],
    }
}

/// Raw values by name.
pub(crate) fn fields<const N: usize>(values: [(&str, Value); N]) -> Fields {
    values
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub(crate) fn texts(texts: &[&str]) -> Value {
    Value::Texts(texts.iter().map(|&text| text.to_owned()).collect())
}

/// An example: person, position, shared values, the item's values, labels.
pub(crate) type Row = (&'static str, Option<u32>, Fields, Fields, Vec<Option<f32>>);

/// Examples of `spec`.
pub(crate) fn examples_of(spec: &Spec, rows: &[Row]) -> events::Examples {
    let mut builder = ExampleBuilder::new(spec);
    for (key, (user, position, shared, fields, labels)) in (100u64..).zip(rows) {
        let row = ExampleRow {
            key,
            time: 0,
            user,
            item: "v1",
            slate: None,
            position: *position,
            shuffled: false,
            query: None,
            shared,
            fields,
            labels,
        };
        builder.push(&row).unwrap();
    }
    builder.finish()
}
