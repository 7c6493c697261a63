//! `[train]`, `[join]`, `[gates]`, `[explore]` and `[log]`: ranges and defaults.

use super::value::{choice_or, distinct, number_or, positive_or, single_or, whole_or};
use crate::raw::{self, Declaration};
use crate::report::{At, Report};
use crate::{
    Explore, Gates, Join, Log, Objective, Precision, TableOptimizer, Train, duration, size, suggestion,
};

/// Checks `[train]`. `no_time`: the log has no times.
pub(super) fn train(raw: &raw::Train, objectives: &[Objective], no_time: bool, report: &Report) -> Train {
    let optimizers = [
        ("adagrad", TableOptimizer::Adagrad),
        ("adam", TableOptimizer::Adam),
    ];
    let precisions = [("f32", Precision::F32), ("bf16", Precision::Bf16)];
    let table_optimizer = choice_or(
        &raw.table_optimizer,
        &optimizers,
        TableOptimizer::default(),
        report,
    );
    let learning_rate = positive_or(&raw.learning_rate, 1e-3, report);
    let table_default = match table_optimizer {
        TableOptimizer::Adagrad => 0.05,
        TableOptimizer::Adam => learning_rate,
    };
    Train {
        seed: seed(raw, report),
        batch: whole_or(&raw.batch, 1, 1_000_000, 512, report),
        epochs: whole_or(&raw.epochs, 1, 10_000, 16, report),
        patience: whole_or(&raw.patience, 1, 10_000, 3, report),
        stop_by: stop_by(raw, objectives, report),
        learning_rate,
        table_optimizer,
        table_learning_rate: positive_or(&raw.table_learning_rate, table_default, report),
        accumulator_half_life_ms: half_life(raw, table_optimizer, no_time, report),
        precision: choice_or(&raw.precision, &precisions, Precision::default(), report),
        l2: single_or(&raw.l2, |penalty| penalty >= 0.0, "a number from 0", 1e-6, report),
        split: split(raw, report),
        shuffle_window: whole_or(&raw.shuffle_window, 1, 1_000_000_000, 65536, report),
        cache: cache(raw, report),
        learn_passes: whole_or(&raw.learn_passes, 1, 10_000, 2, report),
    }
}

fn half_life(raw: &raw::Train, optimizer: TableOptimizer, no_time: bool, report: &Report) -> Option<i64> {
    let at = raw.accumulator_half_life.as_ref()?;
    let add = |message: &str, help: &str| report.add(&at.place, message, help);
    if no_time {
        let help = "leave it out: `[keys] absent` says that the log has no times";
        add("`accumulator_half_life` without times", help);
    }
    if optimizer != TableOptimizer::Adagrad {
        let help = "leave it out: Adam's averages forget by themselves";
        add(
            "`accumulator_half_life` beside `table_optimizer = \"adam\"`",
            help,
        );
    }
    let duration = duration::milliseconds(&at.value);
    if duration.is_none() {
        let message = format!("`accumulator_half_life` is `{}`", at.value);
        add(&message, "expected a whole number and its unit, as `12h`, `30d`");
    }
    duration
}

/// The objectives that training stops by.
fn stop_by(raw: &raw::Train, objectives: &[Objective], report: &Report) -> Vec<usize> {
    let Some(list) = &raw.stop_by else {
        return (0..objectives.len()).collect();
    };
    distinct(list, report);
    if list.value.is_empty() {
        let help = "expected at least one objective, or leave it out: all";
        report.add(&list.place, "`stop_by` is empty", help);
    }
    let find = |at: &At<String>| {
        let found = objectives.iter().position(|objective| objective.name == at.value);
        if found.is_none() && !report.blames("objectives") {
            let known: Vec<&str> = objectives
                .iter()
                .map(|objective| objective.name.as_str())
                .collect();
            let help = suggestion::choose("objectives", &at.value, &known);
            report.add(&at.place, format!("no objective `{}`", at.value), help);
        }
        found
    };
    list.value.iter().filter_map(find).collect()
}

fn cache(raw: &raw::Train, report: &Report) -> u64 {
    const DEFAULT: u64 = 1 << 30;
    let Some(at) = &raw.cache else { return DEFAULT };
    size::bytes(&at.value).unwrap_or_else(|| {
        let help = "expected a whole number and its unit, as `512MiB`, `8GiB`, `20GB`, or `0`";
        report.add(&at.place, format!("`cache` is `{}`", at.value), help);
        DEFAULT
    })
}

fn seed(raw: &raw::Train, report: &Report) -> u64 {
    let Some(at) = &raw.seed else { return 0 };
    u64::try_from(at.value).unwrap_or_else(|_| {
        report.add(
            &at.place,
            format!("`seed` is {}", at.value),
            "expected a whole number from 0",
        );
        0
    })
}

fn split(raw: &raw::Train, report: &Report) -> [f64; 3] {
    const DEFAULT: [f64; 3] = [0.7, 0.1, 0.2];
    let Some(at) = &raw.split else { return DEFAULT };
    let shares: Vec<f64> = at.value.iter().map(|share| share.value).collect();
    let sum: f64 = shares.iter().sum();
    match <[f64; 3]>::try_from(shares.as_slice()) {
        Ok(split) if split.iter().all(|share| *share > 0.0) && (sum - 1.0).abs() <= 1e-9 => split,
        Ok(_) => {
            let message = format!("`split` is {shares:?}, which sums to {sum}");
            report.add(
                &at.place,
                message,
                "expected three shares above 0 that sum to 1: training, validation, test",
            );
            DEFAULT
        }
        Err(_) => {
            let message = format!("`split` has {} elements", shares.len());
            report.add(
                &at.place,
                message,
                "expected three shares above 0 that sum to 1: training, validation, test",
            );
            DEFAULT
        }
    }
}

/// Checks `[join]`.
pub(super) fn join(declared: &Declaration, report: &Report) -> Join {
    const MINUTE: i64 = 60 * 1000;
    let mark_every_ms = declared.mark_every.as_ref().map_or(MINUTE, |at| {
        duration::milliseconds(&at.value).unwrap_or_else(|| {
            let help = "expected a whole number and its unit, as `500ms`, `90s`, `1m`";
            report.add(&at.place, format!("`mark_every` is `{}`", at.value), help);
            MINUTE
        })
    });
    Join { mark_every_ms }
}

/// Checks `[gates]`.
pub(super) fn gates(declared: &Declaration, report: &Report) -> Gates {
    let inside = |share: f64| share > 0.0 && share < 1.0;
    let expected = "a number between 0 and 1, neither of them";
    Gates {
        share: number_or(&declared.gate_share, inside, expected, 0.1, report),
        confidence: number_or(&declared.gate_confidence, inside, expected, 0.95, report),
    }
}

/// Checks `[explore]`.
pub(super) fn explore(declared: &Declaration, report: &Report) -> Explore {
    let part = |share: f64| (0.0..1.0).contains(&share);
    let expected = "a share from 0 to below 1";
    Explore {
        shuffle: number_or(&declared.explore_shuffle, part, expected, 0.0, report),
    }
}

/// Checks `[log]`.
pub(super) fn log(declared: &Declaration, report: &Report) -> Log {
    let share = |share: f64| (0.0..=1.0).contains(&share);
    let expected = "a share from 0 to 1";
    Log {
        candidates: number_or(&declared.log_candidates, share, expected, 0.0, report),
    }
}
