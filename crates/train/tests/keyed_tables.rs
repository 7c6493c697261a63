//! Learning with tables that give each id a row of its own, against tables whose rows are declared.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use events::{ExampleBuilder, ExampleRow, Examples, Fields, Value};
use model::{Encoder, Positions, Predictions, Ranker, ScalerFit, Weights};
use spec::Spec;
use train::{Checkpoint, Trainer};

const IDS: usize = 12;
const DAY: i64 = 24 * 60 * 60 * 1000;

/// A declaration whose `video` and shared `liked` have these rows, and with `train` in `[train]`.
fn spec(rows: &str, train: &str) -> Arc<Spec> {
    let text = format!(
        "[fields]\nvideo = {{ side = \"item\", kind = \"id\", dim = 3, {rows}, id_dropout = 0.2 }}\n\
         liked = {{ side = \"user\", kind = \"ids\", shares = \"video\" }}\n[objectives]\n\
         click = {{ group = \"g\", loss = \"binary\", absent = 0 }}\n[model]\narchitecture = \"shared-bottom\"\nshared = [4]\n\
         [score]\nclick = 1.0\n[train]\nbatch = 8\nlearning_rate = 0.05\ntable_learning_rate = 0.5\n{train}"
    );
    Arc::new(Spec::parse("ranker.toml", &text).unwrap())
}

fn values() -> String {
    let ids: Vec<String> = (0..IDS).map(|id| format!("\"v{id}\"")).collect();
    format!("values = [{}]", ids.join(", "))
}

/// Examples number `from` to `to`, a day apart, of the video and the liked one that `ids` says.
fn examples(spec: &Spec, from: usize, to: usize, ids: impl Fn(usize) -> [usize; 2]) -> Examples {
    let mut builder = ExampleBuilder::new(spec);
    for row in from..to {
        let [id, liked] = ids(row);
        let liked = vec![format!("v{liked}"), format!("v{id}")];
        let row = ExampleRow {
            key: row as u64,
            time: 1_700_000_000_000 + row as i64 * DAY,
            user: "u",
            item: "i",
            slate: None,
            position: None,
            shuffled: false,
            query: None,
            shared: &Fields::from([("liked".to_owned(), Value::Texts(liked))]),
            fields: &Fields::from([("video".to_owned(), Value::Text(format!("v{id}")))]),
            labels: &[Some((id % 2) as f32)],
        };
        builder.push(&row).unwrap();
    }
    builder.finish()
}

/// A trainer whose `new` row begins as zeros, and whose network does not depend on how many rows there are.
fn trainer(spec: &Arc<Spec>) -> Trainer {
    let mut weights = Weights::new(spec, 1);
    let other = Weights::new(&self::spec("capacity = 12", ""), 1);
    weights.network = other.network;
    let new = weights.tables[0].new_row();
    weights.tables[0].embedding.row_mut(new).fill(0.1);
    Trainer::new(Ranker {
        encoder: Encoder::new(spec.clone(), ScalerFit::new(spec).finish()),
        weights,
    })
}

fn predictions(ranker: &Ranker) -> Predictions {
    let all = examples(ranker.spec(), 1000, 1030, |row| [row % (IDS + 3), row % 5]);
    ranker.predict_examples(&all, Positions::Missing)
}

/// What a trainer says after two passes over 100 examples and one over 50 more.
fn learned(rows: &str, train: &str) -> Predictions {
    let spec = spec(rows, train);
    let mut trainer = trainer(&spec);
    for (from, to, passes) in [(0, 100, 2), (100, 150, 1)] {
        let batch = trainer
            .ranker
            .encoder
            .encode(&examples(&spec, from, to, |row| [row * 7 % IDS, row * 5 % IDS]));
        trainer.learn_passes(&batch, passes).unwrap();
    }
    predictions(&trainer.ranker)
}

#[test]
fn with_room_for_every_id_a_capacity_learns_what_declared_values_learn_to_the_bit() {
    for admit_after in ["", ", admit_after = 3"] {
        for optimizer in ["", "table_optimizer = \"adam\"\n"] {
            let of_values = learned(&format!("{}{admit_after}", values()), optimizer);
            for capacity in [
                "capacity = 12",
                "capacity = 100_000_000",
                "capacity = 12, forget_after = \"300d\"",
            ] {
                let of_capacity = learned(&format!("{capacity}{admit_after}"), optimizer);
                assert_eq!(of_capacity, of_values, "{capacity}{admit_after} {optimizer}");
            }
        }
    }
    let fewer = learned("capacity = 5", "");
    assert_ne!(fewer, learned("capacity = 12", ""), "ids without a row are new");
}

#[test]
fn an_id_that_gets_a_forgotten_row_learns_as_if_the_row_had_never_been_used() {
    for optimizer in ["", "table_optimizer = \"adam\"\n"] {
        let learns = |rows: &str| {
            let spec = spec(rows, optimizer);
            let mut trainer = trainer(&spec);
            // When the third pair of ids is met, the first one's rows have been free for a while.
            for (from, first) in [(0, 1), (100, 7), (200, 4)] {
                let batch = examples(&spec, from, from + 40, |row| [first + row % 2, first]);
                let batch = trainer.ranker.encoder.encode(&batch);
                trainer.learn_passes(&batch, 1).unwrap();
            }
            let table = &trainer.ranker.weights.tables[0];
            let ids = &trainer
                .ranker
                .encoder
                .encode(&examples(&spec, 0, 2, |row| [4 + row, 0]))
                .ids[0];
            let rows = [0, 1].map(|at| table.read_id(ids, at));
            (rows.map(|row| table.embedding.row(row).to_vec()), rows)
        };
        let (reused, rows) = learns("capacity = 4, forget_after = \"20d\"");
        let (own, rows_of_their_own) = learns("capacity = 15");
        assert_eq!(rows.iter().max(), Some(&2), "{rows:?}");
        assert_eq!(rows_of_their_own, [5, 6]);
        assert_eq!(reused, own, "{optimizer}");
    }
}

#[test]
fn a_trainer_that_stopped_and_resumed_is_where_it_would_be_to_the_bit() {
    let spec = spec("capacity = 7, forget_after = \"9d\", admit_after = 2", "");
    let mut trainer = trainer(&spec);
    let learn = |trainer: &mut Trainer, from, to| {
        let batch = trainer
            .ranker
            .encoder
            .encode(&examples(&spec, from, to, |row| [row * row % 23, row % 5]));
        trainer.learn_passes(&batch, 2).unwrap();
    };
    learn(&mut trainer, 0, 60);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("c");
    Checkpoint::of(&trainer).unwrap().write(&path).unwrap();
    let mut resumed = Checkpoint::read(&path).unwrap().resume(&path).unwrap();
    for trainer in [&mut trainer, &mut resumed] {
        learn(trainer, 60, 150);
    }
    assert_eq!(
        Checkpoint::of(&resumed).unwrap(),
        Checkpoint::of(&trainer).unwrap()
    );
    let table = &trainer.ranker.weights.tables[0];
    assert!(table.map().unwrap().refused() > 0 && table.embedding.rows == 8);
}
