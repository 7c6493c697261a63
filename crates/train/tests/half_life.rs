//! Adagrad's accumulators that halve with event time.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use events::{ExampleBuilder, ExampleRow, Fields, Value};
use model::{Encoded, Encoder, Ranker, ScalerFit, Weights};
use spec::Spec;
use train::{Checkpoint, Trainer};

const HOUR: i64 = 60 * 60 * 1000;

fn trainer(train: &str) -> Trainer {
    let text = format!(
        "[fields]\nitem = {{ side = \"item\", kind = \"id\", dim = 3, values = [\"a\", \"b\"] }}\n[objectives]\n\
         click = {{ group = \"g\", loss = \"binary\", absent = 0 }}\n[model]\narchitecture = \"shared-bottom\"\n\
         [score]\nclick = 1.0\n[train]\nbatch = 8\n{train}"
    );
    let spec = Arc::new(Spec::parse("ranker.toml", &text).unwrap());
    Trainer::new(Ranker {
        encoder: Encoder::new(spec.clone(), ScalerFit::new(&spec).finish()),
        weights: Weights::new(&spec, 1),
    })
}

/// A batch of one item at one hour.
fn batch(trainer: &Trainer, item: &str, hour: i64) -> Encoded {
    let mut builder = ExampleBuilder::new(trainer.ranker.spec());
    for row in 0..8 {
        let pushed = builder.push(&ExampleRow {
            key: row,
            time: 1_700_000_000_000 + hour * HOUR,
            user: "u",
            item,
            slate: None,
            position: None,
            shuffled: false,
            query: None,
            shared: &Fields::new(),
            fields: &Fields::from([("item".to_owned(), Value::Text(item.to_owned()))]),
            labels: &[Some((row % 3 / 2) as f32)],
        });
        pushed.unwrap();
    }
    trainer.ranker.encoder.encode(&builder.finish())
}

fn learn(trainer: &mut Trainer, item: &str, hour: i64) {
    let batch = batch(trainer, item, hour);
    trainer.learn_passes(&batch, 1).unwrap();
}

fn of_a(trainer: &Trainer) -> f32 {
    trainer.optimizer.accumulator(0, 0).unwrap()
}

#[test]
fn a_row_that_is_not_touched_for_a_half_life_has_its_accumulator_halved() {
    let mut trainer = trainer("accumulator_half_life = \"24h\"");
    learn(&mut trainer, "a", 0);
    let first = of_a(&trainer);
    assert!(first > 0.0);
    learn(&mut trainer, "b", 24);
    assert_eq!(of_a(&trainer), first / 2.0);
    // What is older than the newest halves nothing, nor does a second pass.
    learn(&mut trainer, "b", 3);
    assert_eq!(of_a(&trainer), first / 2.0);
    learn(&mut trainer, "b", 24 * 40);
    assert_eq!(of_a(&trainer), first * 0.5f32.powi(40));
    learn(&mut trainer, "a", 24 * 40);
    assert!(of_a(&trainer) > first * 0.5f32.powi(30), "it adds up again");
}

#[test]
fn without_a_half_life_nothing_halves_and_a_very_long_one_changes_no_bit_of_what_is_learned_at_one_time() {
    let mut without = trainer("");
    let mut long = trainer("accumulator_half_life = \"3650d\"");
    for trainer in [&mut without, &mut long] {
        learn(trainer, "a", 7);
        learn(trainer, "b", 7);
        learn(trainer, "a", 7);
    }
    assert_eq!(without.ranker.weights, long.ranker.weights);
    let before = of_a(&without);
    learn(&mut without, "b", 24 * 365);
    assert_eq!(of_a(&without), before);
}

#[test]
fn after_months_a_row_learns_as_fast_as_it_did() {
    let moved = |train: &str| {
        let mut trainer = trainer(train);
        for day in 0..200 {
            for _ in 0..20 {
                learn(&mut trainer, "a", 24 * day);
            }
        }
        let row = |trainer: &Trainer| trainer.ranker.weights.tables[0].embedding.row(0).to_vec();
        let before = row(&trainer);
        // What is shown after months is new.
        learn(&mut trainer, "a", 24 * 400);
        let moved = before
            .iter()
            .zip(row(&trainer))
            .map(|(before, now)| (before - now).abs());
        moved.fold(0.0f32, f32::max)
    };
    let (grown, halved) = (moved(""), moved("accumulator_half_life = \"10d\""));
    assert!(halved > 5.0 * grown, "{halved}, {grown}");
}

#[test]
fn a_trainer_that_stopped_goes_on_with_its_clock_to_the_bit() {
    let mut trainer = trainer("accumulator_half_life = \"5h\"");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("c");
    // Before the first step there is no clock.
    trainer.write(&path).unwrap();
    let mut resumed = Trainer::read(&path).unwrap();
    for hour in 0..90 {
        for trainer in [&mut trainer, &mut resumed] {
            learn(trainer, ["a", "b"][hour as usize % 2], hour);
        }
        assert_eq!(
            Checkpoint::of(&resumed).unwrap(),
            Checkpoint::of(&trainer).unwrap(),
            "hour {hour}"
        );
        if hour % 29 == 13 {
            resumed.write(&path).unwrap();
            resumed = Trainer::read(&path).unwrap();
        }
    }
}
