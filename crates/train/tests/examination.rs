//! What each form of bias makes of clicks whose bias is known: small worlds, made here by equations.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use events::{ExampleBuilder, ExampleRow, Examples, Fields, Value};
use model::{Encoded, Encoder, Ranker, ScalerFit, TowerForm, Weights};
use spec::Spec;
use train::Trainer;

const SLATES: u64 = 3_000;
const SHOWN: u32 = 10;

const DECLARATION: &str = r#"
[fields]
quality    = { side = "item", kind = "number", scale = "none" }
popularity = { side = "item", kind = "number", scale = "none" }

[objectives]
click = { group = "clicks", loss = "binary", absent = 0 }

[model]
architecture = "shared-bottom"
shared = [12]

[bias]
fields = ["position"]
groups = ["clicks"]
max_position = 10
FORM

[score]
click = 1.0

[train]
batch = 256
learning_rate = 0.004
"#;

/// One impression: what is known of the item, its position, whether it was seen and clicked, and how probable it was that it
/// would be seen.
struct Shown {
    quality: f32,
    popularity: f32,
    position: u32,
    seen: bool,
    clicked: bool,
    examination: f32,
}

fn normal(key: u64, what: u32) -> f32 {
    let uniform = |at| nn::draw(11, key, what, at).max(1e-6);
    (-2.0 * uniform(0).ln()).sqrt() * (std::f32::consts::TAU * uniform(1)).cos()
}

/// How probable it is that an item is clicked once it is seen; popularity says nothing of it.
fn attraction(quality: f32) -> f32 {
    nn::sigmoid(-0.6 + 1.2 * quality)
}

/// Ten items in the order of their popularity, mostly. By `cascade` people look down until they click; else at position k with
/// probability k^-0.8, whatever else they see.
fn slate(number: u64, cascade: bool) -> Vec<Shown> {
    let key = |at: u32| number * 100 + u64::from(at);
    let mut items: Vec<(f32, f32, f32)> = (0..SHOWN)
        .map(|at| {
            let (quality, popularity) = (normal(key(at), 1), normal(key(at), 2));
            (popularity + normal(key(at), 3), quality, popularity)
        })
        .collect();
    items.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut looks = true;
    (1..=SHOWN)
        .zip(items)
        .map(|(position, (_, quality, popularity))| {
            let examination = if cascade {
                1.0
            } else {
                (position as f32).powf(-0.8)
            };
            let seen = looks && nn::draw(12, key(position), 4, 0) < examination;
            let clicked = seen && nn::draw(12, key(position), 5, 0) < attraction(quality);
            // Somebody who clicked mostly does not come back.
            looks &= !cascade || !clicked && nn::draw(12, key(position), 6, 0) < 0.9;
            Shown {
                quality,
                popularity,
                position,
                seen,
                clicked,
                examination,
            }
        })
        .collect()
}

fn examples(spec: &Spec, cascade: bool) -> Examples {
    let mut builder = ExampleBuilder::new(spec);
    let nothing = Fields::new();
    for number in 0..SLATES {
        for shown in slate(number, cascade) {
            let number_of = |value: f32| Value::Number(f64::from(value));
            let fields = Fields::from([
                ("quality".to_owned(), number_of(shown.quality)),
                ("popularity".to_owned(), number_of(shown.popularity)),
            ]);
            let labels = spec
                .objectives
                .iter()
                .map(|objective| match objective.name.as_str() {
                    "viewed" => Some(f32::from(shown.seen)),
                    _ if objective.given.is_some() && !shown.seen => None,
                    _ => Some(f32::from(shown.clicked)),
                });
            let row = ExampleRow {
                key: number * 100 + u64::from(shown.position),
                time: number as i64,
                user: "u",
                item: "v",
                slate: None,
                position: Some(shown.position),
                shuffled: false,
                query: None,
                shared: &nothing,
                fields: &fields,
                labels: &labels.collect::<Vec<_>>(),
            };
            builder.push_shown(&row, Some(shown.examination)).unwrap();
        }
    }
    builder.finish()
}

/// A ranker of the declaration in this form after ten passes, and what it learned from.
fn taught(text: &str, form: &str, cascade: bool) -> (Ranker, Encoded) {
    let spec = Arc::new(Spec::parse("ranker.toml", &text.replace("FORM", form)).unwrap());
    let examples = examples(&spec, cascade);
    let encoder = Encoder::new(spec.clone(), ScalerFit::new(&spec).finish());
    let batch = encoder.encode(&examples);
    let mut weights = Weights::new(&spec, 3);
    weights.set_base_rates(&spec, &vec![Some(0.15); spec.objectives.len()]);
    let mut trainer = Trainer::new(Ranker { encoder, weights });
    trainer.learn_passes(&batch, 10).unwrap();
    (trainer.ranker, batch)
}

/// The slopes of the click's main logit by quality and by popularity, which are independent of each other.
fn slopes(ranker: &Ranker, batch: &Encoded) -> [f64; 2] {
    let click = ranker.spec().objective("click").unwrap();
    let logits = &ranker.main_logits(batch)[click];
    let width = batch.dense.len() / batch.len;
    // A number is its value and whether it is missing.
    [0, 2].map(|column| {
        let values: Vec<f64> = (0..batch.len)
            .map(|row| f64::from(batch.dense[row * width + column]))
            .collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let of = |with: &dyn Fn(usize) -> f64| -> f64 {
            values
                .iter()
                .enumerate()
                .map(|(row, value)| (value - mean) * with(row))
                .sum()
        };
        of(&|row| f64::from(logits[row])) / of(&|row| values[row] - mean)
    })
}

/// The learned curve, less its first value, against `-0.8 ln k`: the mean distance.
fn curve_error(ranker: &Ranker) -> f64 {
    let shallow = ranker.weights.shallow.as_ref().unwrap();
    let effect = |position: usize| shallow.form.effect(shallow.weight[0][position]);
    let truth = |position: usize| -0.8 * (position as f64).ln();
    let errors = (2..=SHOWN as usize).map(|position| (effect(position) - effect(1) - truth(position)).abs());
    errors.sum::<f64>() / f64::from(SHOWN - 1)
}

#[test]
fn a_product_recovers_the_examination_curve_of_a_world_that_is_one() {
    let (product, _) = taught(DECLARATION, "form = \"product\"", false);
    assert_eq!(product.weights.shallow.as_ref().unwrap().form, TowerForm::Product);
    let error = curve_error(&product);
    println!("product curve error {error:.3}");
    assert!(error < 0.15, "{error}");
    // The sum of logits is another world's form: its curve is a steeper one.
    let (additive, _) = taught(DECLARATION, "", false);
    let of_sum = curve_error(&additive);
    println!("additive curve error {of_sum:.3}");
    assert!(of_sum > 1.5 * error, "{of_sum} {error}");
}

#[test]
fn popularity_that_only_bought_positions_is_worth_little_to_every_form_that_knows_them() {
    let (none, batch) = taught(DECLARATION, "form = \"none\"", false);
    let [quality, popularity] = slopes(&none, &batch);
    println!("none: quality {quality:.3}, popularity {popularity:.3}");
    assert!(quality > 0.5 && popularity > 0.3, "{quality} {popularity}");
    for (form, most) in [
        ("form = \"additive\"", 0.35),
        ("form = \"product\"", 0.35),
        ("form = \"product\"\noutput_dropout = 0.3", 0.9),
        ("form = \"additive\"\ngradient_reversal = 0.5", 0.5),
        ("form = \"input\"\nserve_position = 1", 0.9),
        ("form = \"ips\"", 0.35),
        ("form = \"adversarial\"", 0.9),
    ] {
        let (ranker, batch) = taught(DECLARATION, form, false);
        let [quality, of_form] = slopes(&ranker, &batch);
        println!("{form:?}: quality {quality:.3}, popularity {of_form:.3}");
        assert!(
            of_form.abs() < most * popularity,
            "{form}: {of_form}, without {popularity}"
        );
        assert!(quality > 0.5, "{form}: {quality}");
    }
}

#[test]
fn an_adversary_of_any_strength_leaves_the_main_tower_what_it_knows() {
    let (ranker, batch) = taught(DECLARATION, "form = \"adversarial\"\nadversarial = 100", false);
    let [quality, popularity] = slopes(&ranker, &batch);
    println!("adversarial 100: quality {quality:.3}, popularity {popularity:.3}");
    assert!(quality > 0.4, "{quality}");
}

#[test]
fn clicks_given_that_they_were_viewed_are_free_of_a_cascade_s_bias() {
    let plain = DECLARATION.replace("FORM", "form = \"none\"");
    let (biased, batch) = taught(&plain, "", true);
    let [_, before] = slopes(&biased, &batch);
    let viewed = plain.replace(
        "click = { group = \"clicks\"",
        "viewed = { group = \"clicks\", loss = \"binary\", absent = 0 }\nclick = { given = \"viewed\", group = \"judged\"",
    );
    let (ranker, batch) = taught(&viewed, "", true);
    let [quality, after] = slopes(&ranker, &batch);
    println!("cascade: popularity {before:.3}, given viewed {after:.3}; quality {quality:.3}");
    assert!(before > 0.3 && after.abs() < 0.25 * before, "{before} {after}");
    assert!((quality - 1.2).abs() < 0.2, "{quality}");
}
