//! The number of threads changes no bit of what is learned.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{FORMS, MODELS, spec_of, spec_with, trainer};
use nn::Threads;
use spec::Spec;
use train::Checkpoint;

#[test]
fn one_two_three_and_four_threads_learn_the_same_bits() {
    for model in MODELS {
        for settings in ["", "table_optimizer = \"adam\"", "precision = \"bf16\""] {
            check(&spec_with(model, settings), &format!("`{settings}`, {model}"));
        }
    }
    for form in FORMS {
        check(&spec_of(form), form);
    }
}

fn check(spec: &Arc<Spec>, what: &str) {
    let learned = [1, 2, 3, 4].map(|threads| {
        // Not a multiple of the batch, nor the batch of the shards.
        let (trainer, examples) = trainer(spec, 250);
        let mut trainer = trainer.on(Threads::new(threads));
        trainer.learn_passes(&examples, 2).unwrap();
        Checkpoint::of(&trainer).unwrap()
    });
    for (threads, of_more) in learned.iter().enumerate().skip(1) {
        assert!(
            *of_more == learned[0],
            "{} threads, {what}: other bits than on one",
            threads + 1
        );
    }
}
