use std::sync::Arc;

use model::Encoder;
use model::ScalerFit;

use super::*;
use crate::testing::{examples, spec};

/// Examples in which the odd people click, encoded.
fn clicks(spec: &Arc<Spec>) -> Encoded {
    let examples = examples(spec, 400, 8);
    let mut fit = ScalerFit::new(spec);
    Encoder::fit(spec, &examples, &mut fit);
    let mut batch = Encoder::new(spec.clone(), fit.finish()).encode(&examples);
    for row in 0..batch.len {
        batch.labels[0][row] = f32::from(u8::from(row % 8 % 2 == 1));
    }
    batch
}

fn taught(spec: &Spec, batch: &Encoded) -> Logistic {
    let rows: Vec<u32> = (0..batch.len as u32).collect();
    let mut logistic = Logistic::new(spec, &[Some(0.5)], 0.7);
    for _ in 0..5 {
        logistic.learn(spec, batch, &rows);
    }
    logistic
}

#[test]
fn it_predicts_the_mean_before_it_learns_and_the_people_after() {
    let spec = spec();
    let batch = clicks(&spec);
    let fresh = Logistic::new(&spec, &[Some(0.25)], 0.7).predict(&spec, &batch, Positions::Logged);
    assert!(fresh.values[0].iter().all(|value| (value - 0.25).abs() < 1e-6));

    let predictions = taught(&spec, &batch).predict(&spec, &batch, Positions::Logged);
    let auc = measure::auc(&predictions.values[0], &batch.labels[0]);
    // Two of eight people may share one of eight rows.
    assert!(auc.is_some_and(|auc| auc > 0.8), "{auc:?}");
}

#[test]
fn the_same_batches_give_the_same_bits_and_it_reads_back_as_written() {
    let spec = spec();
    let batch = clicks(&spec);
    let (a, b) = (taught(&spec, &batch), taught(&spec, &batch));
    assert_eq!(a, b);

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("baseline");
    a.write(&path, &spec).unwrap();
    let read = Logistic::read(&path, &spec).unwrap();
    let predict = |logistic: &Logistic| logistic.predict(&spec, &batch, Positions::Logged).values;
    assert_eq!(predict(&read), predict(&a));
}

#[test]
fn only_the_better_objectives_are_taken() {
    let spec = spec();
    let batch = clicks(&spec);
    let (mut kept, other) = (Logistic::new(&spec, &[Some(0.5)], 0.7), taught(&spec, &batch));
    kept.take(&other, &[false]);
    assert_ne!(kept.heads, other.heads);
    kept.take(&other, &[true]);
    assert_eq!(kept.heads, other.heads);
}
