//! `bench checkpoint`: what a checkpoint and a published model take, in bytes and in seconds.
//!
//! In: a net and a folder. Out: bytes of both; the time to write each, to the disk and synced, and to go on from the checkpoint.

use std::path::Path;
use std::time::Instant;

use model::artifact;
use nn::Threads;

use super::{BenchOptions, begin};
use crate::{TrainError, Trainer};

/// Rounds at least: their median is told.
const FEWEST: usize = 3;

/// What came of it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct CheckpointReport {
    /// Rows of all embedding tables.
    pub table_rows: u64,
    /// Weights beside the tables.
    pub dense_weights: u64,
    /// Rounds that were timed.
    pub rounds: usize,
    /// Bytes of a checkpoint: weights, sightings, the optimizers' state.
    pub checkpoint_bytes: u64,
    /// Median seconds to write one.
    pub checkpoint_seconds: f64,
    /// Median seconds to verify it, read it and be ready to go on.
    pub resume_seconds: f64,
    /// Bytes of a published model.
    pub publish_bytes: u64,
    /// Median seconds to write it, beside one of which nothing can be shared.
    pub publish_seconds: f64,
}

/// Writes and reads for at least the asked time, a step before each round so that all that a step changes is new. What it writes is in
/// `folder`, which is left as it was.
///
/// # Errors
/// What the file system refused.
pub fn bench_checkpoint(options: &BenchOptions, folder: &Path) -> Result<CheckpointReport, TrainError> {
    let (trainer, examples) = begin(options)?;
    let rows: Vec<u32> = (0..options.batch as u32).collect();
    let inside = Inside(folder.join(format!(".watchnext-bench.{}", std::process::id())));
    let (checkpoint, model) = (inside.0.join("checkpoint"), inside.0.join("model"));
    let mut trainer = trainer.on(Threads::new(options.threads));
    let mut seconds: [Vec<f64>; 3] = Default::default();
    let (begin, about) = (Instant::now(), serde_json::Value::Null);
    let mut bytes = 0;
    while seconds[0].len() < FEWEST || begin.elapsed() < options.time {
        trainer.learn_rows(&examples, &rows, true)?;
        let mut clock = Instant::now();
        let mut lap = |of: usize| {
            let now = Instant::now();
            seconds[of].push((now - clock).as_secs_f64());
            clock = now;
        };
        bytes = trainer.write(&checkpoint)?;
        lap(0);
        Trainer::read(&checkpoint)?;
        lap(1);
        artifact::write(&model, &trainer.ranker, &about)?;
        lap(2);
    }
    let tables = &trainer.ranker.weights.tables;
    let of_tables: u64 = tables
        .iter()
        .map(|table| table.embedding.weight.len() as u64)
        .sum();
    let cost = model::Cost::of(trainer.ranker.spec());
    let rounds = seconds[0].len();
    let [checkpoint_seconds, resume_seconds, publish_seconds] = seconds.map(|mut of| {
        of.sort_by(f64::total_cmp);
        of[of.len() / 2]
    });
    Ok(CheckpointReport {
        table_rows: tables.iter().map(|table| table.embedding.rows as u64).sum(),
        dense_weights: cost.parameters - of_tables,
        rounds,
        checkpoint_bytes: bytes,
        checkpoint_seconds,
        resume_seconds,
        publish_bytes: bytes_in(&model)?,
        publish_seconds,
    })
}

/// A folder that is gone with this value.
struct Inside(std::path::PathBuf);

impl Drop for Inside {
    fn drop(&mut self) {
        // What cannot be removed here is removed by nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Bytes of the files of a folder.
fn bytes_in(folder: &Path) -> Result<u64, TrainError> {
    let sum = || -> std::io::Result<u64> {
        let mut bytes = 0;
        for entry in std::fs::read_dir(folder)? {
            bytes += entry?.metadata()?.len();
        }
        Ok(bytes)
    };
    Ok(sum().map_err(|source| model::ModelError::Io {
        path: folder.to_owned(),
        source,
    })?)
}
