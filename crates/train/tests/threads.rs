//! The number of threads changes no bit of what is learned.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;
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

#[test]
fn a_run_that_is_resumed_between_two_steps_learns_the_same_bits() {
    for model in MODELS {
        let (mut whole, examples) = trainer(&spec_with(model, ""), 250);
        let rows: Vec<u32> = (0..250).collect();
        let (before, after) = rows.split_at(2 * 61);
        whole.learn_rows(&examples, before, true).unwrap();
        let kept = Checkpoint::of(&whole).unwrap();
        let mut resumed = kept.resume(Path::new("kept")).unwrap();
        let learned = [&mut whole, &mut resumed].map(|trainer| {
            trainer.learn_rows(&examples, after, true).unwrap();
            Checkpoint::of(trainer).unwrap()
        });
        assert!(learned[0] != kept, "{model}: nothing was learned");
        assert!(
            learned[0] == learned[1],
            "{model}: other bits than without the stop"
        );
    }
}
