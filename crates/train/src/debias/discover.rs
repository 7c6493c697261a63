//! Which logged fields act as a bias: they move the label whatever the item is worth, and say nothing of what it is worth.
//!
//! In: a ranker and a log. Out: a [`Discovery`]: for each field that could be crossed with the position, what its levels add to
//! the frozen main logit on held-out slates, how much of it the item, the user and the main tower decide, and a verdict.

use std::collections::BTreeMap;
use std::sync::Arc;

use events::Examples;
use model::{Encoded, Positions, Ranker};
use spec::{Kind, Loss, Side, Spec};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::offsets::{Row, gain};
use super::{entropy, is_shuffled};
use crate::slices::SliceColumn;
use crate::{DebiasSource, Progress, TrainError};

/// A field gains on held-out slates where its z is above. In simulated logs of 150,000 impressions, of which 45,000 were held out,
/// biases had 5.4 to 29, and what has no effect at most 4.2.
pub const Z_ABOVE: f64 = 5.0;
/// A field that the item or the user decides is an attribute of theirs and no bias: `H(field | item) / H(field)` is 0 for such a
/// one, 1 for what is independent of it.
pub const GIVEN_ABOVE: f64 = 0.5;
/// A field that tells the fifth of the main logit goes with relevance. In simulated logs `I / H(field)` of biases was at most
/// 0.10 (the position, under loggers that sort by relevance or popularity), of hard decoys at least 0.127.
pub const SHARED_BELOW: f64 = 0.12;

/// Most examples that are looked at: with more, effects too small to matter would pass [`Z_ABOVE`].
const MOST: u64 = 1 << 18;
/// Fewest examples with an observed label.
const FEWEST: usize = 1000;
/// Fewest examples in random order on which the share that goes with relevance is taken.
const FEWEST_SHUFFLED: usize = 2000;
/// Most levels of a field: the most frequent ones, the others are one.
const MOST_LEVELS: usize = 64;
/// Share of the slates that offsets are fitted on.
const FITTED: f64 = 0.7;
/// Parts of the main logit.
const PARTS: usize = 5;

/// What to look at.
#[derive(Debug, Clone, Default)]
pub struct DiscoverOptions {
    /// The objective, a binary one; default: the first biased one, else the first.
    pub objective: Option<String>,
    /// The declaration that the log was opened for, where it has more fields than the ranker's.
    pub spec: Option<Arc<Spec>>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Discovery {
    /// The objective.
    pub objective: String,
    /// Examples with an observed label that were looked at.
    pub rows: usize,
    /// Of them, those that gains are of.
    pub held: usize,
    /// Of them, those in random order, which `shared` is of where they are enough.
    pub shuffled: usize,
    /// The position and each field that could be one, in declared order.
    pub fields: Vec<FieldFinding>,
}

/// One field.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct FieldFinding {
    /// Its name; `position` is the position.
    pub field: String,
    /// Its levels: ids, numbers by value or fifth, and whether it is missing.
    pub levels: usize,
    /// Its ids, in order; empty for numbers, and where there are more than 64.
    pub values: Vec<String>,
    /// Whether each slate has one value of it.
    pub of_slates: bool,
    /// Held-out log-likelihood that an offset for each level adds to the frozen main logit, in nats a thousand examples.
    pub gain: Option<f64>,
    /// The gain over its standard error, slates taken as independent.
    pub z: Option<f64>,
    /// `H(field | item) / H(field)`; `None`: no item was shown twice.
    pub given_item: Option<f64>,
    /// `H(field | user) / H(field)`; of a field that each slate has one value of, over slates. `None`: no user was met twice.
    pub given_user: Option<f64>,
    /// `I(field; fifth of the main logit) / H(field)`; of a field that the main tower reads, the logit with it missing.
    pub shared: Option<f64>,
    /// The same of the logit with it, where the main tower reads it.
    pub shared_with_it: Option<f64>,
    /// Whether the main tower reads it: the frozen logit is then that with it missing.
    pub left_out: bool,
    /// Whether it is of ids, as the shallow tower reads them.
    pub is_id: bool,
    /// Whether the shallow tower reads it.
    pub in_bias: bool,
    /// Whether it acts as a bias.
    pub acts: bool,
    /// The verdict in words.
    pub verdict: String,
}

/// Looks for fields that act as a bias in the log of `source`.
///
/// The main tower's logit is frozen, and what the shallow tower adds to it for the fields that it has already. A field that the main tower reads explains itself there: what it gains is then over the logit with the
/// field missing in every example. That logit lacks what only this field tells of relevance, so that relevance may look like a
/// bias: a field that also goes with the whole logit, and any number, is left open. A run that was trained without the field tells.
///
/// # Errors
/// An objective that is not there or not binary, too few labels, a log that cannot be read.
pub fn discover(
    source: &DebiasSource,
    options: &DiscoverOptions,
    progress: &mut dyn Progress,
) -> Result<Discovery, TrainError> {
    let ranker = &source.ranker;
    let spec = options.spec.as_ref().unwrap_or(ranker.spec());
    let objective = objective(spec, options.objective.as_deref())?;
    let mut gathered = Gathered::new(ranker, spec, objective)?;
    source.each(MOST, "discover", progress, &mut |examples, batch| {
        gathered.add(ranker, examples, batch);
    })?;
    gathered.finish(spec)
}

/// The same of examples in memory: `examples` under `spec`, which may declare more fields than the ranker knows, behind its own;
/// `batch` is what the ranker's encoder makes of the same impressions.
///
/// # Errors
/// As [`discover`].
pub fn discover_examples(
    ranker: &Ranker,
    spec: &Spec,
    examples: &Examples,
    batch: &Encoded,
) -> Result<Discovery, TrainError> {
    let mut gathered = Gathered::new(ranker, spec, objective(spec, None)?)?;
    gathered.add(ranker, examples, batch);
    gathered.finish(spec)
}

fn objective(spec: &Spec, asked: Option<&str>) -> Result<usize, TrainError> {
    let binary = |at: &usize| spec.objectives[*at].loss == Loss::Binary;
    let biased = spec.bias.iter().flat_map(|bias| bias.objectives.iter().copied());
    let mut usable = biased.chain(0..spec.objectives.len()).filter(binary);
    let found = match asked {
        Some(name) => usable.find(|at| spec.objectives[*at].name == name),
        None => usable.next(),
    };
    found.ok_or_else(|| {
        let known: Vec<&str> = (0..spec.objectives.len())
            .filter(binary)
            .map(|at| spec.objectives[at].name.as_str())
            .collect();
        let found = asked.map_or_else(
            || "no binary objective".to_owned(),
            |name| format!("no binary objective `{name}`"),
        );
        TrainError::Data(format!("{found}; the binary ones are: {}", known.join(", ")))
    })
}

/// A column that may act as a bias.
#[derive(Debug)]
struct Candidate {
    /// Its field, where the main tower reads it, and the logit without it.
    without: Option<(usize, Vec<f32>)>,
    in_bias: bool,
    column: SliceColumn,
}

/// What is kept of each example with a label.
#[derive(Debug)]
struct Gathered {
    objective: usize,
    positives: Vec<bool>,
    logits: Vec<f32>,
    /// What the shallow tower adds to it at the logged position: what is taken out already.
    known: Vec<f32>,
    items: Vec<u64>,
    users: Vec<u64>,
    /// Slates; examples without one are their own.
    clusters: Vec<u64>,
    shuffled: Vec<bool>,
    candidates: Vec<Candidate>,
}

impl Gathered {
    fn new(ranker: &Ranker, spec: &Spec, objective: usize) -> Result<Gathered, TrainError> {
        let of_ranker = ranker.spec();
        let mut candidates = vec![Candidate {
            without: None,
            in_bias: spec.bias.is_some(),
            column: SliceColumn::of(spec, "position")?,
        }];
        for (at, field) in spec.fields.iter().enumerate() {
            let usable = matches!(
                field.kind,
                Kind::Id { .. } | Kind::Number { .. } | Kind::Buckets { .. }
            );
            let is_key = field.name == spec.keys.user || field.name == spec.keys.item;
            if !usable || field.side == Side::Pair || is_key {
                continue;
            }
            let in_main = of_ranker.fields.get(at).is_some_and(spec::Field::in_main);
            candidates.push(Candidate {
                without: in_main.then(|| (at, Vec::new())),
                in_bias: spec.bias.as_ref().is_some_and(|bias| bias.fields.contains(&at)),
                column: SliceColumn::of(spec, &field.name)?,
            });
        }
        Ok(Gathered {
            objective,
            positives: Vec::new(),
            logits: Vec::new(),
            known: Vec::new(),
            items: Vec::new(),
            users: Vec::new(),
            clusters: Vec::new(),
            shuffled: Vec::new(),
            candidates,
        })
    }

    fn add(&mut self, ranker: &Ranker, examples: &Examples, batch: &Encoded) {
        let labels = &batch.labels[self.objective];
        let known: Vec<u32> = (0..batch.len as u32)
            .filter(|row| !labels[*row as usize].is_nan())
            .collect();
        let (examples, batch) = (examples.take(&known), batch.select(&known));
        self.positives
            .extend(batch.labels[self.objective].iter().map(|label| *label > 0.5));
        let mut main = ranker.main_logits(&batch).swap_remove(self.objective);
        let logged = ranker
            .predict(&batch, Positions::Logged)
            .logits
            .swap_remove(self.objective);
        let missing = ranker
            .predict(&batch, Positions::Without)
            .logits
            .swap_remove(self.objective);
        self.known.extend(
            logged
                .iter()
                .zip(missing)
                .map(|(logged, missing)| logged - missing),
        );
        self.logits.append(&mut main);
        let items = examples.items().iter();
        self.items
            .extend(items.map(|item| xxh3_64(item.unwrap_or_default().as_bytes())));
        self.users.extend_from_slice(&batch.users);
        let clusters = batch.slates.iter().zip(&batch.keys);
        self.clusters
            .extend(clusters.map(|(slate, key)| if *slate == 0 { !*key } else { *slate }));
        self.shuffled
            .extend((0..batch.len).map(|row| is_shuffled(&examples, row)));
        for candidate in &mut self.candidates {
            candidate.column.add(&examples);
            if let Some((field, logits)) = &mut candidate.without {
                let batch = ranker.encoder.encode(&examples.without(*field));
                logits.append(&mut ranker.main_logits(&batch).swap_remove(self.objective));
            }
        }
    }

    fn finish(mut self, spec: &Spec) -> Result<Discovery, TrainError> {
        let rows = self.positives.len();
        let name = &spec.objectives[self.objective].name;
        if rows < FEWEST {
            return Err(TrainError::Data(format!(
                "the log has {rows} examples with a label of `{name}`, expected at least {FEWEST}: take a longer log"
            )));
        }
        let candidates = std::mem::take(&mut self.candidates);
        let held: Vec<bool> = self.clusters.iter().map(|cluster| is_held(*cluster)).collect();
        Ok(Discovery {
            objective: name.clone(),
            rows,
            held: held.iter().filter(|held| **held).count(),
            shuffled: self.shuffled.iter().filter(|shuffled| **shuffled).count(),
            fields: candidates
                .into_iter()
                .map(|candidate| self.finding(spec, candidate, &held))
                .collect(),
        })
    }

    fn finding(&self, spec: &Spec, candidate: Candidate, held: &[bool]) -> FieldFinding {
        let sliced = candidate.column.finish();
        let levels = frequent(&sliced.rows);
        let slates = self.of_slates(&levels);
        let logits = candidate
            .without
            .as_ref()
            .map_or(&self.logits, |(_, logits)| logits);
        let (mut fit, mut judged) = (Vec::new(), Vec::new());
        for row in 0..levels.len() {
            let part = if held[row] { &mut judged } else { &mut fit };
            part.push(Row {
                // A field that is taken out already is judged by the main logit alone, others by what it leaves.
                logit: logits[row] + if candidate.in_bias { 0.0 } else { self.known[row] },
                positive: self.positives[row],
                level: levels[row],
                cluster: self.clusters[row],
            });
        }
        let gain = gain(&fit, &judged);
        let mut finding = FieldFinding {
            field: sliced.field,
            values: (sliced.ids.clone())
                .filter(|ids| ids.len() <= MOST_LEVELS)
                .unwrap_or_default(),
            of_slates: slates.is_some(),
            levels: levels.iter().collect::<std::collections::BTreeSet<_>>().len(),
            gain: gain.map(|gain| gain.per_1000),
            z: gain.map(|gain| gain.z),
            given_item: (!spec.keys.no_item)
                .then(|| entropy::given(&levels, &self.items))
                .flatten(),
            given_user: (!spec.keys.no_user)
                .then(|| match slates {
                    Some((levels, users)) => entropy::given(&levels, &users),
                    None => entropy::given(&levels, &self.users),
                })
                .flatten(),
            shared: self.shared(&levels, logits),
            shared_with_it: (candidate.without.as_ref()).and_then(|_| self.shared(&levels, &self.logits)),
            left_out: candidate.without.is_some(),
            is_id: sliced.ids.is_some(),
            in_bias: candidate.in_bias,
            acts: false,
            verdict: String::new(),
        };
        match finding.against(spec) {
            Some(why) => finding.verdict = why,
            None => {
                finding.acts = true;
                finding.verdict = "acts as a bias".to_owned();
            }
        }
        finding
    }

    /// The levels and users of slates, where each has one level. They are what is counted then: a user of one slate does not
    /// decide what the slate has.
    fn of_slates(&self, levels: &[u16]) -> Option<(Vec<u16>, Vec<u64>)> {
        let mut slates: BTreeMap<u64, (u16, u64)> = BTreeMap::new();
        let of_slates = (0..levels.len()).all(|row| {
            let first = slates
                .entry(self.clusters[row])
                .or_insert((levels[row], self.users[row]));
            first.0 == levels[row]
        });
        of_slates.then(|| slates.into_values().unzip())
    }

    /// With the fifth of the logit, on the examples in random order where they are enough.
    fn shared(&self, levels: &[u16], logits: &[f32]) -> Option<f64> {
        let shuffled = self.shuffled.iter().filter(|shuffled| **shuffled).count();
        let kept: Vec<usize> = (0..levels.len())
            .filter(|row| shuffled < FEWEST_SHUFFLED || self.shuffled[*row])
            .collect();
        let mut sorted: Vec<f32> = kept.iter().map(|row| logits[*row]).collect();
        sorted.sort_by(f32::total_cmp);
        let edges: Vec<f32> = (1..PARTS)
            .map(|part| sorted[part * sorted.len() / PARTS])
            .collect();
        let classes: Vec<u16> = kept
            .iter()
            .map(|row| edges.partition_point(|edge| *edge <= logits[*row]) as u16)
            .collect();
        let levels: Vec<u16> = kept.iter().map(|row| levels[*row]).collect();
        entropy::shared(&levels, &classes)
    }
}

impl FieldFinding {
    /// Why it does not act as a bias.
    fn against(&self, spec: &Spec) -> Option<String> {
        let most = |value: Option<f64>| value.is_some_and(|value| value <= GIVEN_ABOVE);
        let relevant = |value: Option<f64>| value.is_none_or(|value| value >= SHARED_BELOW);
        if self.levels < 2 {
            Some("no: it has one value".to_owned())
        } else if self.z.is_none_or(|z| z <= Z_ABOVE) {
            Some("no: it adds nothing sure to the main logit".to_owned())
        } else if self.given_item.is_none() {
            Some("cannot tell: no item was shown twice, so it may be one of the item's attributes".to_owned())
        } else if most(self.given_item) {
            Some("no: the item decides it".to_owned())
        } else if self.given_user.is_none() && !spec.keys.no_user {
            Some("cannot tell: no user was met twice, so it may be one of the user's attributes".to_owned())
        } else if most(self.given_user) {
            Some("no: the user decides it".to_owned())
        } else if relevant(self.shared) {
            Some("no: it goes with relevance".to_owned())
        } else if self.left_out && (!self.is_id || relevant(self.shared_with_it)) {
            // What only this field tells of relevance is not in the logit without it.
            Some(
                "cannot tell: the main tower reads it; look again with a run that was trained without it"
                    .to_owned(),
            )
        } else {
            None
        }
    }
}

/// Whether a slate is held out, by its hash.
fn is_held(cluster: u64) -> bool {
    let draw = xxh3_64_with_seed(&cluster.to_le_bytes(), 0x0062_6961_7365_7321);
    draw as f64 / u64::MAX as f64 >= FITTED
}

/// The most frequent levels, from 0; all others are the next one.
fn frequent(slices: &[u32]) -> Vec<u16> {
    let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
    slices
        .iter()
        .for_each(|slice| *counts.entry(*slice).or_default() += 1);
    let mut order: Vec<(u32, u64)> = counts.into_iter().collect();
    if order.len() > MOST_LEVELS {
        order.sort_by_key(|(slice, count)| (std::cmp::Reverse(*count), *slice));
        order.truncate(MOST_LEVELS - 1);
    }
    let others = order.len() as u16;
    let levels: BTreeMap<u32, u16> = order.iter().map(|(slice, _)| *slice).zip(0..).collect();
    slices
        .iter()
        .map(|slice| levels.get(slice).copied().unwrap_or(others))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_levels_are_one() {
        let slices: Vec<u32> = (0..1000)
            .map(|row| if row < 500 { row % 50 } else { row })
            .collect();
        let levels = frequent(&slices);
        assert_eq!(levels.iter().copied().max(), Some(63));
        assert_eq!(
            levels[0..500]
                .iter()
                .collect::<std::collections::BTreeSet<_>>()
                .len(),
            50
        );
        assert_eq!(frequent(&[7, 3, 7]), [1, 0, 1]);
    }

    #[test]
    fn about_three_of_ten_slates_are_held_out_and_the_same_each_time() {
        let held = (0..10_000).filter(|slate| is_held(*slate)).count();
        assert!((2_800..3_200).contains(&held), "{held}");
    }
}
