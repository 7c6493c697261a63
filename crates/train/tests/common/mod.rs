//! What the tests of the step share: a net with every kind of field, loss and drop-out, and examples for it, by seed.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use events::{ExampleBuilder, ExampleRow, Examples, Fields, Value};
use model::{Encoded, Encoder, Ranker, ScalerFit, Weights};
use spec::Spec;
use train::Trainer;

const DECLARATION: &str = r#"
[fields]
user   = { side = "user", kind = "id", dim = 8, buckets = 50, id_dropout = 0.1, admit_after = 2 }
topic  = { side = "item", kind = "id", dim = 4, values = ["t0", "t1", "t2"] }
pair   = { side = "pair", kind = "id", dim = 4, buckets = 70, cross = ["user", "topic"] }
likes  = { side = "user", kind = "ids", dim = 4, buckets = 60, weights = "likes_w", id_dropout = 0.2 }
tags   = { side = "item", kind = "ids", shares = "likes", pool = "sum", weights = "tags_w" }
title  = { side = "item", kind = "text", dim = 4, buckets = 90, ngrams = 2 }
device = { side = "context", kind = "id", dim = 2, values = ["phone", "tv"], use = "both" }
price  = { side = "item", kind = "number", dim = 2, edges = [1, 10], missing = -1 }
views  = { side = "item", kind = "number", scale = "log", powers = true }
length = { side = "item", kind = "number", missing = 0 }
taste  = { side = "user", kind = "vector", width = 3 }

[objectives]
click = { group = "g", loss = "binary", absent = 0, keep_negatives = 0.5 }
stars = { group = "g", loss = "squared", clip = [0, 5] }
share = { group = "h", loss = "watch-fraction", duration = "length" }
odds  = { group = "h", loss = "weighted-logistic", loss_weight = 0.5 }
rank  = { group = "h", loss = "watch-quantile", duration = "length" }

[model]
MODEL

[bias]
fields = ["position", "device"]
groups = ["g"]
max_position = 5
position_dropout = 0.2

[score]
click = 1.0

[train]
batch = 61
l2 = 0.001
TRAIN
"#;

/// The shapes of networks that the tests go through, as lines of `[model]`.
pub const MODELS: [&str; 7] = [
    "architecture = \"mmoe\"\nshared = [40]\nexperts = { count = 3, widths = [24, 12] }\ntowers = [8]\n\
     input_dropout = 0.1\ngate_dropout = 0.2",
    "architecture = \"shared-bottom\"\nshared = [40, 20]\ntowers = [8]",
    "architecture = \"single-task\"\ntowers = [24, 8]",
    "architecture = \"omoe\"\nshared = [40]\nexperts = { count = 3, widths = [24, 12] }\ntowers = [8]\ngate_dropout = 0.2",
    "architecture = \"ple\"\nshared = [40]\nexperts = { count = 1, shared = 2, levels = 2, widths = [24, 12] }\n\
     towers = [8]\ngate_dropout = 0.2",
    "architecture = \"snr-trans\"\nshared = [40]\nsubnetworks = { count = 3, widths = [24, 12], l0 = 0.01 }\ntowers = [8]",
    "architecture = \"snr-aver\"\nsubnetworks = { count = 3, widths = [24, 12], l0 = 0.01 }\ntowers = [8]",
];

/// What takes the bias out of the click, as lines of `[bias]`.
#[allow(dead_code)]
pub const FORMS: [&str; 7] = [
    "form = \"additive\"\noutput_dropout = 0.3\ngradient_reversal = 0.5",
    "form = \"product\"",
    "form = \"product\"\noutput_dropout = 0.3\ngradient_reversal = 0.5",
    "form = \"none\"",
    "form = \"input\"",
    "form = \"adversarial\"",
    "form = \"ips\"",
];

/// The declaration with a click that alone is biased, in this form.
#[allow(dead_code)]
pub fn spec_of(form: &str) -> Arc<Spec> {
    let text = DECLARATION
        .replace("MODEL", MODELS[1])
        .replace("TRAIN", "")
        .replace(
            "group = \"g\", loss = \"binary\", absent = 0, keep_negatives = 0.5",
            "group = \"clicks\", loss = \"binary\"",
        )
        .replace("groups = [\"g\"]", &format!("groups = [\"clicks\"]\n{form}"));
    Arc::new(Spec::parse("ranker.toml", &text).unwrap())
}

/// The declaration with these lines of `[model]` and `[train]`.
pub fn spec_with(model: &str, train: &str) -> Arc<Spec> {
    let text = DECLARATION.replace("MODEL", model).replace("TRAIN", train);
    Arc::new(Spec::parse("ranker.toml", &text).unwrap())
}

/// The same with tables that give rows to ids: one that is full and forgets, one whose ids wait.
#[allow(dead_code)]
pub fn keyed_spec_with(model: &str, train: &str) -> Arc<Spec> {
    let text = DECLARATION
        .replace("buckets = 50", "capacity = 20, forget_after = \"2h\"")
        .replace(
            "buckets = 60",
            "capacity = 70, admit_after = 3, forget_after = \"90m\"",
        )
        .replace("MODEL", model)
        .replace("TRAIN", train);
    assert_eq!(text.matches("capacity").count(), 2);
    Arc::new(Spec::parse("ranker.toml", &text).unwrap())
}

/// Uniform in `0..end`, by its place alone.
fn below(end: u32, row: usize, what: u32) -> u32 {
    (nn::draw(7, row as u64, what, 0) * end as f32) as u32
}

/// Ids with weights: none to three.
fn weighted(row: usize, what: u32) -> Value {
    let ids = (0..below(4, row, what)).map(|at| {
        let id = format!("i{}", below(80, row, what + 1 + at));
        (id, 0.5 + below(4, row, what + 5 + at) as f32)
    });
    Value::Weights(ids.collect())
}

/// `count` examples of `spec`.
fn examples(spec: &Spec, count: usize) -> Examples {
    let mut builder = ExampleBuilder::new(spec);
    for row in 0..count {
        let text = |name: &str, end, what| Value::Text(format!("{name}{}", below(end, row, what)));
        let number = |end, what| Value::Number(f64::from(below(end, row, what)));
        let shared = Fields::from([
            ("likes".to_owned(), weighted(row, 100)),
            (
                "taste".to_owned(),
                Value::Numbers(vec![0.5, -1.0, below(3, row, 3) as f32]),
            ),
            (
                "device".to_owned(),
                Value::Text(["phone", "tv"][below(2, row, 4) as usize].to_owned()),
            ),
        ]);
        let fields = Fields::from([
            ("topic".to_owned(), text("t", 3, 5)),
            ("tags".to_owned(), weighted(row, 200)),
            (
                "title".to_owned(),
                Value::Text(format!("word{} of {}", below(40, row, 6), below(9, row, 7))),
            ),
            ("price".to_owned(), number(20, 8)),
            ("views".to_owned(), number(1000, 9)),
            (
                "length".to_owned(),
                Value::Number(f64::from(10 + below(90, row, 10))),
            ),
        ]);
        let label = |end, what| (below(5, row, what + 50) > 0).then(|| below(end, row, what) as f32);
        let labels = [
            label(2, 11),
            label(6, 12),
            label(60, 13),
            label(60, 14),
            label(60, 15),
        ];
        let user = format!("u{}", below(40, row, 16));
        let pushed = builder.push(&ExampleRow {
            key: row as u64,
            time: row as i64 * 60_000,
            user: &user,
            item: "v",
            slate: None,
            position: Some(1 + below(5, row, 17)),
            shuffled: false,
            query: None,
            shared: &shared,
            fields: &fields,
            labels: &labels,
        });
        pushed.unwrap();
    }
    builder.finish()
}

/// A trainer that has taken no step, and `count` examples for it.
pub fn trainer(spec: &Arc<Spec>, count: usize) -> (Trainer, Encoded) {
    let examples = examples(spec, count);
    let mut scalers = ScalerFit::new(spec);
    Encoder::fit(spec, &examples, &mut scalers);
    let encoder = Encoder::new(spec.clone(), scalers.finish());
    let encoded = encoder.encode(&examples);
    let weights = Weights::new(spec, 3);
    (Trainer::new(Ranker { encoder, weights }), encoded)
}
