//! A step allocates nothing once its buffers have grown to their size, on one thread and on several. A program of its own:
//! the test harness has a thread that allocates when it likes, and what is counted here is the whole process.
#![allow(clippy::unwrap_used)]

mod common;

use std::alloc::System;
use std::sync::Arc;

use common::{FORMS, MODELS, keyed_spec_with, spec_of, spec_with, trainer};
use nn::Threads;
use spec::Spec;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Several whole batches and a part of one.
const EXAMPLES: usize = 400;

fn main() {
    steps_allocate_nothing_once_warmed_up();
    println!("steps allocate nothing once warmed up: ok");
}

fn steps_allocate_nothing_once_warmed_up() {
    for model in MODELS {
        for settings in ["", "table_optimizer = \"adam\"", "precision = \"bf16\""] {
            for (kind, spec) in [
                ("fixed", spec_with(model, settings)),
                ("by id", keyed_spec_with(model, settings)),
            ] {
                check(&spec, &format!("tables {kind}, `{settings}`, {model}"));
            }
        }
    }
    for form in FORMS {
        check(&spec_of(form), form);
    }
}

fn check(spec: &Arc<Spec>, what: &str) {
    for threads in [1, 2] {
        let (trainer, examples) = trainer(spec, EXAMPLES);
        let mut trainer = trainer.on(Threads::new(threads));
        let rows: Vec<u32> = (0..EXAMPLES as u32).collect();
        // The fifth pass draws other ids and admits no more rows: buffers reach their size, tables by id their capacity.
        for pass in 0..5 {
            trainer.learn_rows(&examples, &rows, pass < 4).unwrap();
        }
        let region = Region::new(ALLOCATOR);
        for pass in 0..3 {
            trainer.learn_rows(&examples, &rows, pass == 0).unwrap();
        }
        let change = region.change();
        assert_eq!(
            (change.allocations, change.reallocations),
            (0, 0),
            "{threads} threads, {what}: {change:?}"
        );
    }
}
