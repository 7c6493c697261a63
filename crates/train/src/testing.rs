//! What this crate's tests share: a declaration, examples, rankers and the results of training.

use std::sync::Arc;

use events::{ExampleBuilder, ExampleRow, Examples, Fields, Value};
use model::{Encoder, Ranker, ScalerFit, Weights};
use spec::Spec;

const DECLARATION: &str = r#"
[fields]
user = { side = "user", kind = "id", dim = 2, buckets = 8 }
age = { side = "item", kind = "number" }

[objectives]
click = { group = "engagement", loss = "binary", absent = 0 }

[model]
architecture = "shared-bottom"

[score]
click = 1.0
"#;

/// The declaration with one place changed.
pub(crate) fn spec_with(from: &str, to: &str) -> Arc<Spec> {
    let text = DECLARATION.replacen(from, to, 1);
    Arc::new(Spec::parse("ranker.toml", &text).unwrap_or_else(|mistakes| panic!("{mistakes}")))
}

pub(crate) fn spec() -> Arc<Spec> {
    spec_with("", "")
}

/// Examples of `spec()`: each person clicks half of the time.
pub(crate) fn examples(spec: &Spec, count: usize, people: usize) -> Examples {
    build(spec, count, people, |row| Some((row / people % 2) as f32))
}

/// Examples of which nothing was observed.
pub(crate) fn unlabelled(spec: &Spec, count: usize) -> Examples {
    build(spec, count, 10, |_| None)
}

fn build(spec: &Spec, count: usize, people: usize, label: impl Fn(usize) -> Option<f32>) -> Examples {
    let mut builder = ExampleBuilder::new(spec);
    for row in 0..count {
        let fields = Fields::from([("age".to_owned(), Value::Number(0.0))]);
        let labels = vec![label(row); spec.objectives.len()];
        let pushed = builder.push(&ExampleRow {
            key: row as u64,
            time: row as i64,
            user: &format!("u{}", row % people),
            item: "v",
            slate: None,
            position: None,
            shuffled: false,
            query: None,
            shared: &Fields::new(),
            fields: &fields,
            labels: &labels,
        });
        pushed.unwrap();
    }
    builder.finish()
}

/// A ranker that has learned nothing but that clicks have this mean.
pub(crate) fn ranker(spec: &Arc<Spec>, mean: f64) -> Ranker {
    let mut weights = Weights::new(spec, 1);
    weights.set_base_rates(spec, &vec![Some(mean); spec.objectives.len()]);
    let scalers = ScalerFit::new(spec).finish();
    Ranker {
        encoder: Encoder::new(spec.clone(), scalers),
        weights,
    }
}
