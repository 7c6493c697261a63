//! The value of another policy on a log with propensities: what would have been earned, had it chosen what is shown.
//!
//! In: a log whose rows carry the propensity of the shown item (`[keys] propensity`), and a [`Policy`]: how often each item is
//! shown, by position where it differs. Out: a [`PolicyReport`]: IPS, SNIPS and, with the run's predictions as the model of
//! rewards, DR. The run should have been trained on other rows than those that judge.

mod table;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use arrow_array::Array;
use events::{ExampleBuilder, ExampleRow, Examples, Fields, FlatLog, Value};
use measure::{EstimatedRow, Interval, LoggedRow, PolicyValue};
use model::{Positions, Ranker};
use spec::Loss;
use xxhash_rust::xxh3::xxh3_64;

use table::Policy;

pub use table::frequencies;

use crate::{Part, Progress, TrainError};

const CONFIDENCE: f64 = 0.95;

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
    /// Mean share of the policy's probability that is on items which the log never shows: of what they would earn the estimates
    /// know nothing.
    pub unseen: f64,
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
        if progress.stopped() {
            return Err(TrainError::Stopped);
        }
        let examples = examples?;
        estimator.meet(&examples);
        progress.advance(examples.len() as u64);
    }
    progress.begin("policy", log.rows());
    for examples in Part::whole(log).read() {
        if progress.stopped() {
            return Err(TrainError::Stopped);
        }
        let examples = examples?;
        estimator.add(&examples)?;
        progress.advance(examples.len() as u64);
    }
    if estimator.rows.is_empty() {
        return Err(TrainError::Data(format!(
            "no row has a propensity, a position of the policy and an observed label: name the column of propensities in \
             `[keys] propensity` (now `{}`)",
            spec.keys.propensity
        )));
    }
    report(&spec.objectives[reward].name, &estimator)
}

fn report(reward: &str, estimator: &Estimator) -> Result<PolicyReport, TrainError> {
    let rows = &estimator.rows;
    let logged: Vec<LoggedRow> = rows.iter().map(|row| row.logged).collect();
    let rewards: Vec<f64> = logged.iter().map(|row| row.reward).collect();
    let unusable = || TrainError::Data("a propensity is not above 0 and at most 1".to_owned());
    // A log without slates and persons has one cluster only, which says nothing.
    let several = estimator
        .clusters
        .iter()
        .any(|cluster| *cluster != estimator.clusters[0]);
    let clusters = several.then_some(estimator.clusters.as_slice());
    let ips = measure::ips(&logged, clusters, CONFIDENCE).ok_or_else(unusable)?;
    let robust = measure::doubly_robust(rows, clusters, CONFIDENCE).ok_or_else(unusable)?;
    Ok(PolicyReport {
        reward: reward.to_owned(),
        rows: rows.len(),
        unseen: estimator.unseen / rows.len() as f64,
        positives: rewards.iter().filter(|reward| **reward > 0.0).count(),
        logged: match clusters {
            Some(clusters) => measure::clustered_mean_interval(&rewards, clusters, CONFIDENCE),
            None => measure::mean_interval(&rewards, CONFIDENCE),
        },
        ips: PolicyEstimate::of(&ips),
        snips: measure::snips(&logged, clusters, CONFIDENCE)
            .as_ref()
            .map(PolicyEstimate::of),
        doubly_robust: PolicyEstimate::of(&robust),
    })
}

/// Most requests whose predictions are kept.
const REQUESTS: usize = 1024;

/// Expected rewards of the policy's items in each row's place.
struct Estimator<'a> {
    ranker: &'a Ranker,
    policy: &'a Policy,
    reward: usize,
    /// Item-side values of each item: those of its first row.
    items: BTreeMap<String, Fields>,
    /// Sum over rows of the probability on items that are not in `items`.
    unseen: f64,
    /// Expected reward of the policy by request and position: neighbouring rows of a log repeat requests.
    known: HashMap<(String, u32), f64>,
    rows: Vec<EstimatedRow>,
    /// Of each row its slate, else its person: rows of one depend on each other.
    clusters: Vec<u64>,
}

/// The place of a row: all but the item.
struct Place<'e> {
    time: i64,
    user: &'e str,
    position: u32,
    shared: Fields,
}

impl<'a> Estimator<'a> {
    fn new(ranker: &'a Ranker, policy: &'a Policy, reward: usize) -> Estimator<'a> {
        Estimator {
            ranker,
            policy,
            reward,
            items: BTreeMap::new(),
            unseen: 0.0,
            known: HashMap::new(),
            rows: Vec::new(),
            clusters: Vec::new(),
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

    fn add(&mut self, examples: &Examples) -> Result<(), TrainError> {
        let spec = self.ranker.spec().clone();
        let (propensities, labels) = (examples.propensities(), examples.label(self.reward));
        let positions = examples.positions();
        for row in 0..examples.len() {
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
            let (shared, fields) = examples.to_slate_fields(&spec, row);
            let item = examples.items().value(row);
            let place = Place {
                time: examples.times()[row],
                user: examples.users().value(row),
                position,
                shared,
            };
            let nowhere = target.iter().filter(|(item, _)| !self.items.contains_key(*item));
            self.unseen += nowhere.map(|(_, probability)| probability).sum::<f64>();
            let logged_estimate = self.predict(&place, &[(item, &fields)])?[0];
            let target_estimate = self.expected(&place, target)?;
            self.rows.push(EstimatedRow {
                logged: LoggedRow {
                    reward: f64::from(labels.value(row)),
                    propensity: f64::from(propensities.value(row)),
                    target: target.get(item).copied().unwrap_or_default(),
                },
                logged_estimate,
                target_estimate,
            });
            let slates = examples.slates();
            let unit = if slates.is_null(row) {
                place.user
            } else {
                slates.value(row)
            };
            self.clusters.push(xxh3_64(unit.as_bytes()));
        }
        Ok(())
    }

    /// The predicted reward of a policy in a place.
    fn expected(&mut self, place: &Place, target: &BTreeMap<String, f64>) -> Result<f64, TrainError> {
        let key = (format!("{} {:?}", place.user, place.shared), place.position);
        if let Some(expected) = self.known.get(&key) {
            return Ok(*expected);
        }
        let empty = Fields::new();
        let items: Vec<(&str, &Fields)> = target
            .keys()
            .map(|item| (item.as_str(), self.items.get(item).unwrap_or(&empty)))
            .collect();
        let rewards = self.predict(place, &items)?;
        let expected = target
            .values()
            .zip(rewards)
            .map(|(probability, reward)| probability * reward);
        let expected = expected.sum();
        if self.known.len() >= REQUESTS {
            self.known.clear();
        }
        self.known.insert(key, expected);
        Ok(expected)
    }

    /// The predicted reward of each of `items`, with its values, in a place.
    fn predict(&self, place: &Place, items: &[(&str, &Fields)]) -> Result<Vec<f64>, TrainError> {
        let spec = self.ranker.spec();
        let labels = vec![None; spec.objectives.len()];
        let query = match place.shared.get(&spec.keys.query) {
            Some(Value::Text(query)) => Some(query.as_str()),
            _ => None,
        };
        let mut builder = ExampleBuilder::new(spec);
        for (item, fields) in items {
            builder.push(&ExampleRow {
                key: 0,
                time: place.time,
                user: place.user,
                item,
                slate: None,
                position: (place.position > 0).then_some(place.position),
                shuffled: false,
                query,
                shared: &place.shared,
                fields,
                labels: &labels,
            })?;
        }
        let batch = self.ranker.encoder.encode(&builder.finish());
        let predictions = self.ranker.predict(&batch, Positions::Logged);
        let values = predictions.values[self.reward].iter();
        Ok(values.map(|value| f64::from(*value)).collect())
    }
}
