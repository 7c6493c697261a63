//! The value of another policy on a log with propensities: what would have been earned, had it chosen what is shown.
//!
//! In: a log whose rows carry the propensity of the shown item (`[keys] propensity`), and a [`Policy`]: how often each item is
//! shown, by position where it differs. Out: a [`PolicyReport`]: IPS, SNIPS and, with the run's predictions as the model of
//! rewards, DR. The run should have been trained on other rows than those that judge.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use arrow_array::{Array, ArrayRef};
use events::{ExampleBuilder, ExampleRow, Examples, Fields, FlatLog};
use measure::{EstimatedRow, Interval, LoggedRow, PolicyValue};
use model::{Positions, Ranker};
use spec::Loss;

use crate::{Part, Progress, TrainError};

const CONFIDENCE: f64 = 0.95;
/// How far the probabilities of a position may be from 1 in sum.
const SUM_TOLERANCE: f64 = 1e-3;

/// Which policy, and what it is to earn.
#[derive(Debug, Clone)]
pub struct PolicyOptions {
    /// A table with the columns `item`, `probability` and, where it differs by position, `position`.
    pub file: PathBuf,
    /// The objective whose label is the reward; `None`: the first binary one.
    pub reward: Option<String>,
}

/// What it would earn, per row.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct PolicyReport {
    /// The objective that is earned.
    pub reward: String,
    /// Rows with a propensity and an observed label.
    pub rows: usize,
    /// Of them, those with a label above 0.
    pub positives: usize,
    /// Mean label as logged: the logging policy's own value.
    pub logged: Interval,
    /// Inverse propensity scoring.
    pub ips: PolicyEstimate,
    /// Self-normalised.
    pub snips: Option<PolicyEstimate>,
    /// Doubly robust, with the run's predictions.
    pub doubly_robust: PolicyEstimate,
}

/// One estimate.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct PolicyEstimate {
    /// With its 95 % interval.
    pub value: Interval,
    /// Rows with a reward that carry weight.
    pub positives: usize,
    /// (sum of weights)^2 / sum of squared weights.
    pub effective_sample_size: f64,
    /// The largest weight.
    pub max_weight: f64,
    /// Why the interval is not to be trusted.
    pub too_few: Option<String>,
}

impl PolicyEstimate {
    fn of(value: &PolicyValue) -> PolicyEstimate {
        PolicyEstimate {
            value: value.value,
            positives: value.positives,
            effective_sample_size: value.effective_sample_size,
            max_weight: value.max_weight,
            too_few: value.too_few().map(|few| few.to_string()),
        }
    }
}

/// Probabilities of items, by position; position 0 stands for all.
#[derive(Debug)]
struct Policy {
    by_position: BTreeMap<u32, BTreeMap<String, f64>>,
}

impl Policy {
    fn read(path: &Path) -> Result<Policy, TrainError> {
        let table = events::sample(path, usize::MAX)?;
        let bad = |why: String| TrainError::Data(format!("the policy `{}`: {why}", path.display()));
        let column = |name: &str| {
            table
                .schema
                .fields()
                .iter()
                .position(|field| field.name() == name)
        };
        let (Some(item), Some(probability)) = (column("item"), column("probability")) else {
            return Err(bad(
                "expected the columns `item`, `probability` and, if it differs, `position`".to_owned(),
            ));
        };
        let position = column("position");
        let mut by_position: BTreeMap<u32, BTreeMap<String, f64>> = BTreeMap::new();
        let mut line = 0;
        for batch in &table.batches {
            let texts = |column: usize| ids(batch.column(column));
            let numbers = |column: usize| events::as_numbers(batch.column(column));
            let (items, probabilities) = (texts(item), numbers(probability));
            let positions = position.map(numbers);
            for row in 0..batch.num_rows() {
                line += 1;
                let (Some(item), Some(probability)) = (
                    items.get(row).cloned().flatten(),
                    probabilities.get(row).copied().flatten(),
                ) else {
                    return Err(bad(format!("row {line} lacks an item or a probability")));
                };
                if !(0.0..=1.0).contains(&probability) {
                    return Err(bad(format!(
                        "row {line} has the probability {probability}, expected 0 to 1"
                    )));
                }
                let at = match &positions {
                    None => 0,
                    Some(positions) => match positions.get(row).copied().flatten() {
                        Some(at) if at >= 1.0 && at.fract() == 0.0 => at as u32,
                        _ => return Err(bad(format!("row {line} has no position from 1"))),
                    },
                };
                if by_position
                    .entry(at)
                    .or_default()
                    .insert(item.clone(), probability)
                    .is_some()
                {
                    return Err(bad(format!("row {line}: `{item}` is already there")));
                }
            }
        }
        for (at, items) in &by_position {
            let sum: f64 = items.values().sum();
            if (sum - 1.0).abs() > SUM_TOLERANCE {
                let place = if *at == 0 {
                    String::new()
                } else {
                    format!(" at position {at}")
                };
                return Err(bad(format!("the probabilities{place} sum to {sum}, expected 1")));
            }
        }
        Ok(Policy { by_position })
    }

    fn at(&self, position: u32) -> Option<&BTreeMap<String, f64>> {
        self.by_position
            .get(&position)
            .or_else(|| self.by_position.get(&0))
    }
}

/// Values another policy on `log`.
///
/// # Errors
/// A policy file that cannot be used; an objective that there is not; a log without propensities.
pub(crate) fn policy(
    ranker: &Ranker,
    log: &FlatLog,
    options: &PolicyOptions,
    progress: &mut dyn Progress,
) -> Result<PolicyReport, TrainError> {
    let spec = ranker.spec();
    let reward = match &options.reward {
        Some(name) => spec.objective(name),
        None => spec
            .objectives
            .iter()
            .position(|objective| objective.loss == Loss::Binary),
    };
    let reward = reward.ok_or_else(|| {
        let known: Vec<&str> = spec
            .objectives
            .iter()
            .map(|objective| objective.name.as_str())
            .collect();
        TrainError::Data(format!(
            "no such objective to earn; objectives: {}",
            known.join(", ")
        ))
    })?;
    let policy = Policy::read(&options.file)?;
    let mut estimator = Estimator::new(ranker, &policy, reward);
    progress.begin("items of the log", log.rows());
    for examples in Part::whole(log).read() {
        let examples = examples?;
        estimator.meet(&examples);
        progress.advance(examples.len() as u64);
    }
    progress.begin("policy", log.rows());
    let mut rows = Vec::new();
    for examples in Part::whole(log).read() {
        if progress.stopped() {
            return Err(TrainError::Stopped);
        }
        let examples = examples?;
        estimator.rows(&examples, &mut rows)?;
        progress.advance(examples.len() as u64);
    }
    if rows.is_empty() {
        return Err(TrainError::Data(format!(
            "no row has a propensity, a position of the policy and an observed label: name the column of propensities in \
             `[keys] propensity` (now `{}`)",
            spec.keys.propensity
        )));
    }
    report(&spec.objectives[reward].name, &rows)
}

fn report(reward: &str, rows: &[EstimatedRow]) -> Result<PolicyReport, TrainError> {
    let logged: Vec<LoggedRow> = rows.iter().map(|row| row.logged).collect();
    let rewards: Vec<f64> = logged.iter().map(|row| row.reward).collect();
    let unusable = || TrainError::Data("a propensity is not above 0 and at most 1".to_owned());
    let ips = measure::ips(&logged, None, CONFIDENCE).ok_or_else(unusable)?;
    let robust = measure::doubly_robust(rows, None, CONFIDENCE).ok_or_else(unusable)?;
    Ok(PolicyReport {
        reward: reward.to_owned(),
        rows: rows.len(),
        positives: rewards.iter().filter(|reward| **reward > 0.0).count(),
        logged: measure::mean_interval(&rewards, CONFIDENCE),
        ips: PolicyEstimate::of(&ips),
        snips: measure::snips(&logged, None, CONFIDENCE)
            .as_ref()
            .map(PolicyEstimate::of),
        doubly_robust: PolicyEstimate::of(&robust),
    })
}

/// Expected rewards of the policy's items in each row's place.
struct Estimator<'a> {
    ranker: &'a Ranker,
    policy: &'a Policy,
    reward: usize,
    /// Item-side values of each item: those of its first row.
    items: BTreeMap<String, Fields>,
    /// Predictions by request and position: rows of a log repeat requests.
    known: HashMap<(String, u32), BTreeMap<String, f64>>,
}

impl<'a> Estimator<'a> {
    fn new(ranker: &'a Ranker, policy: &'a Policy, reward: usize) -> Estimator<'a> {
        Estimator {
            ranker,
            policy,
            reward,
            items: BTreeMap::new(),
            known: HashMap::new(),
        }
    }

    /// Takes in what the log says of items.
    fn meet(&mut self, examples: &Examples) {
        for (row, item) in examples.items().iter().flatten().enumerate() {
            if !self.items.contains_key(item) {
                let (_, fields) = examples.to_slate_fields(self.ranker.spec(), row);
                self.items.insert(item.to_owned(), fields);
            }
        }
    }

    fn rows(&mut self, examples: &Examples, rows: &mut Vec<EstimatedRow>) -> Result<(), TrainError> {
        let (propensities, labels) = (examples.propensities(), examples.label(self.reward));
        for row in 0..examples.len() {
            let positions = examples.positions();
            let position = if positions.is_null(row) {
                0
            } else {
                positions.value(row)
            };
            let policy = self.policy;
            let Some(target) = policy.at(position) else {
                continue;
            };
            if propensities.is_null(row) || labels.is_null(row) {
                continue;
            }
            let item = examples.items().value(row);
            let expected = self.expected(examples, row, position, target)?;
            let earned = |item: &str| expected.get(item).copied().unwrap_or_default();
            rows.push(EstimatedRow {
                logged: LoggedRow {
                    reward: f64::from(labels.value(row)),
                    propensity: f64::from(propensities.value(row)),
                    target: target.get(item).copied().unwrap_or_default(),
                },
                logged_estimate: earned(item),
                target_estimate: target
                    .iter()
                    .map(|(item, probability)| probability * earned(item))
                    .sum(),
            });
        }
        Ok(())
    }

    /// The predicted reward of each of the policy's items, and of the shown one, in a row's place.
    fn expected(
        &mut self,
        examples: &Examples,
        row: usize,
        position: u32,
        target: &BTreeMap<String, f64>,
    ) -> Result<&BTreeMap<String, f64>, TrainError> {
        let spec = self.ranker.spec();
        let (shared, _) = examples.to_slate_fields(spec, row);
        let user = examples.users().value(row);
        let key = (format!("{user} {shared:?}"), position);
        if !self.known.contains_key(&key) {
            let shown = examples.items().value(row).to_owned();
            let mut items: Vec<&String> = target.keys().collect();
            if !target.contains_key(&shown) {
                items.push(&shown);
            }
            let (empty, labels) = (Fields::new(), vec![None; spec.objectives.len()]);
            let mut builder = ExampleBuilder::new(spec);
            for item in &items {
                builder.push(&ExampleRow {
                    key: 0,
                    time: examples.times()[row],
                    user,
                    item,
                    slate: None,
                    position: (position > 0).then_some(position),
                    query: None,
                    shared: &shared,
                    fields: self.items.get(*item).unwrap_or(&empty),
                    labels: &labels,
                })?;
            }
            let batch = self.ranker.encoder.encode(&builder.finish());
            let predictions = self.ranker.predict(&batch, Positions::Logged);
            let values = &predictions.values[self.reward];
            let expected = items
                .iter()
                .zip(values)
                .map(|(item, value)| ((*item).clone(), f64::from(*value)))
                .collect();
            self.known.insert(key.clone(), expected);
        }
        Ok(&self.known[&key])
    }
}

/// Ids as the log's are read: numbers in decimal without fraction, whatever type the column has.
fn ids(column: &ArrayRef) -> Vec<Option<String>> {
    if column.data_type().is_floating() {
        let numbers = events::as_numbers(column).into_iter();
        return numbers.map(|number| Some(number?.to_string())).collect();
    }
    events::as_texts(column)
}

/// How often each item is shown at each position of a log, as a table that [`PolicyOptions::file`] can name: CSV with the columns
/// `item`, `position` and `probability`. `item` and `position` name the log's columns.
///
/// # Errors
/// A log that cannot be read, or lacks the columns.
pub fn frequencies(log: &Path, item: &str, position: &str) -> Result<String, TrainError> {
    let table = events::sample(log, usize::MAX)?;
    let column = |name: &str| {
        let found = table
            .schema
            .fields()
            .iter()
            .position(|field| field.name() == name);
        found.ok_or_else(|| {
            let known: Vec<&str> = table
                .schema
                .fields()
                .iter()
                .map(|field| field.name().as_str())
                .collect();
            TrainError::Data(format!(
                "`{}` has no column `{name}`; columns: {}",
                log.display(),
                known.join(", ")
            ))
        })
    };
    let (item, name, position) = (column(item)?, position, column(position)?);
    let mut shown: BTreeMap<u32, BTreeMap<String, u64>> = BTreeMap::new();
    let mut line = 0;
    for batch in &table.batches {
        let items = ids(batch.column(item));
        let positions = events::as_numbers(batch.column(position));
        for (item, position) in items.into_iter().zip(positions) {
            line += 1;
            let (Some(item), Some(position)) = (item, position) else {
                continue;
            };
            if position < 1.0 || position.fract() != 0.0 || position > f64::from(u32::MAX) {
                return Err(TrainError::Data(format!(
                    "`{}`, row {line}, column `{name}`: found {position}, expected a whole number from 1",
                    log.display()
                )));
            }
            *shown.entry(position as u32).or_default().entry(item).or_default() += 1;
        }
    }
    let mut csv = "item,position,probability\n".to_owned();
    for (position, items) in &shown {
        let rows: u64 = items.values().sum();
        for (item, count) in items {
            let item = if item.contains([',', '"', '\n', '\r']) {
                format!("\"{}\"", item.replace('"', "\"\""))
            } else {
                item.clone()
            };
            csv.push_str(&format!("{item},{position},{}\n", *count as f64 / rows as f64));
        }
    }
    Ok(csv)
}
