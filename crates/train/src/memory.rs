//! What training takes of memory, told before it begins.
//!
//! In: a declaration, how many rows, threads, whether with a baseline. Out: [`Memory`]: bytes by part, and the peak.

use model::Cost;
use spec::{Kind, Spec};

use crate::baseline::{Logistic, RATES};
use crate::flat::BATCHES_AHEAD;
use crate::judge::MOST;

/// What a run is known to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryOf {
    /// Rows of the log; `None`: more than any window or cache.
    pub rows: Option<u64>,
    /// Rows that are read at a time.
    pub batch_rows: u64,
    /// Threads that share a step.
    pub threads: usize,
    /// Whether a logistic regression is trained beside.
    pub baseline: bool,
}

/// Bytes by part. Of what follows one another, the larger counts.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Memory {
    /// What takes how much, all at the same time.
    pub parts: Vec<(&'static str, u64)>,
    /// Their sum.
    pub peak: u64,
    /// Whether the training part is kept encoded between epochs.
    pub cached: bool,
    /// Examples of the training part, where rows are known.
    pub examples: Option<u64>,
}

/// The program itself, its threads and what they keep; measured.
const PROGRAM: u64 = 13_000_000;
/// About the bytes of a decoded value that is a word or an id.
const DECODED: u64 = 16;
/// About the bytes that a reader of Parquet keeps of a column: a page and a dictionary.
const COLUMN: u64 = 640 << 10;
/// Bytes of what is kept of a judged example for an objective: its row, label, two predictions, position, hashes of person and slate.
const JUDGED: u64 = 5 * 4 + 2 * 8;
/// Beside, while one objective's metrics are computed: the order of its examples, and sorted copies.
const SORTED: u64 = 32;

/// What is read and encoded is allocated on one thread and freed on another: the allocator keeps one part in so many of it beside;
/// measured.
const ROOM: u64 = 4;

impl Memory {
    /// What training takes on a log.
    pub fn of(spec: &Spec, run: MemoryOf) -> Memory {
        let cost = Cost::of(spec);
        let learning = cost.learning(spec, run.threads);
        let parts = run
            .rows
            .map(|rows| spec.train.split.map(|share| (rows as f64 * share) as u64));
        let all = parts.map(|[training, ..]| training.saturating_mul(cost.example_bytes));
        let windows = 2 * spec.train.shuffle_window as u64 * cost.example_bytes;
        let windows = all.map_or(windows, |all| all.min(windows));
        let budget = if spec.train.epochs > 1 {
            spec.train.cache
        } else {
            0
        };
        let kept = all.filter(|all| *all <= budget);
        let most = |part: usize| parts.map_or(MOST, |parts| parts[part].min(MOST));
        // The validation part is judged with every regression beside the network.
        let regressions = if run.baseline { RATES.len() as u64 } else { 0 };
        let judged = |rows: u64| rows * spec.objectives.len() as u64 * JUDGED;
        let judging =
            most(1).max(most(2)) * SORTED + (1 + regressions) * judged(most(1)).max(judged(most(2)));
        // What windows took is another thread's: the allocator keeps it while the validation part is judged.
        let feeding = kept.unwrap_or(windows) + judging;
        let regression = Logistic::bytes(spec) * (regressions + u64::from(run.baseline));
        let reading = reading(spec, &cost, run);
        let of = [
            ("the program", PROGRAM),
            ("weights", learning.ranker),
            ("optimizer", learning.optimizer),
            ("gradients", learning.gradients),
            ("a step's examples and activations", learning.step),
            ("logistic regressions", regression),
            ("data that is read", reading),
            ("encoded examples, metrics of the held-out parts", feeding),
            ("room between them", (reading + windows) / ROOM),
        ];
        let parts: Vec<_> = of.into_iter().filter(|(_, bytes)| *bytes > 0).collect();
        Memory {
            peak: parts.iter().map(|(_, bytes)| bytes).sum(),
            parts,
            cached: kept.is_some(),
            examples: run.rows.map(|rows| (rows as f64 * spec.train.split[0]) as u64),
        }
    }
}

/// Batches that are decoded or encoded ahead, and what the reader keeps.
fn reading(spec: &Spec, cost: &Cost, run: MemoryOf) -> u64 {
    let value = |kind: &Kind| match kind {
        Kind::Vector { width, .. } => 4 * *width as u64,
        Kind::Ids { .. } | Kind::Text { .. } => 16 * DECODED,
        _ => DECODED,
    };
    let of_fields: u64 = spec.fields.iter().map(|field| value(&field.kind)).sum();
    // Labels; key, person, slate and time.
    let row = of_fields + DECODED * (spec.objectives.len() as u64 + 4);
    let columns = spec.fields.len() as u64 + spec.objectives.len() as u64 + 2;
    let rows = run.rows.unwrap_or(u64::MAX);
    // Those that wait, one that is sent, one that is decoded, one that is encoded.
    let batches = (BATCHES_AHEAD as u64 + 3) * row + cost.example_bytes;
    run.batch_rows.min(rows) * batches + columns * COLUMN.min(rows.saturating_mul(DECODED))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::spec_with;

    fn of(train: &str, rows: Option<u64>) -> (Memory, u64) {
        let spec = spec_with("\n[score]", &format!("\n[train]\n{train}\n[score]"));
        let run = MemoryOf {
            rows,
            batch_rows: 64,
            threads: 1,
            baseline: false,
        };
        (Memory::of(&spec, run), Cost::of(&spec).example_bytes)
    }

    fn part(memory: &Memory, name: &str) -> u64 {
        let found = memory.parts.iter().find(|(what, _)| what.starts_with(name));
        found.map_or(0, |(_, bytes)| *bytes)
    }

    #[test]
    fn a_training_part_counts_whole_where_it_is_kept_between_epochs_and_as_two_windows_where_not() {
        let of = |cache: &str, rows| {
            of(
                &format!("shuffle_window = 30000\nepochs = 2\ncache = \"{cache}\""),
                rows,
            )
        };
        let (kept, example) = of("1GB", Some(1_000_000));
        assert!(kept.cached && kept.examples == Some(700_000));
        let (read, _) = of("1kB", Some(1_000_000));
        assert!(!read.cached);
        let judging = part(&kept, "encoded") - 700_000 * example;
        assert_eq!(part(&read, "encoded"), judging + 60_000 * example);
        // A log that is no larger than a window is in memory once.
        let (small, _) = of("1kB", Some(1000));
        assert!(part(&small, "encoded") <= 700 * example + judging / 1000);
        let (unknown, _) = of("1GB", None);
        assert!(!unknown.cached && unknown.examples.is_none());
        assert!(part(&unknown, "encoded") >= part(&read, "encoded"));
        for memory in [kept, read, small, unknown] {
            assert_eq!(
                memory.peak,
                memory.parts.iter().map(|(_, bytes)| bytes).sum::<u64>()
            );
        }
    }
}
