//! The check of a log: whether what the shallow tower learns of positions can be trusted.
//!
//! In: main logits of the biased objectives with the positions at which items were shown. Out: a [`DebiasCheck`]: per objective
//! and cell a [`Spread`], the traffic, and what to do. Nothing is turned on or off by it.

use std::collections::BTreeMap;

use events::Examples;
use model::{Encoded, Ranker};
use spec::{Loss, Spec};
use xxhash_rust::xxh3::xxh3_64;

use super::is_shuffled;
use super::spread::{Confounding, Shown, Spread};
use super::traffic::{Counts, SHUFFLE_SHARE, Traffic};
use crate::curve::cell_name;
use crate::{DebiasSource, Progress, TrainError};

/// Most examples that are looked at.
const MOST: u64 = 1 << 20;
/// With fewer examples `eta2` of ten positions is off by 0.02 and more by chance.
const FEWEST: u64 = 200;
/// Examples that are encoded at a time.
const BATCH: usize = 8192;
/// Most cells that are told apart: the largest.
const MOST_CELLS: usize = 12;

/// How far positions and relevance are confounded in a log.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DebiasCheck {
    /// Examples at a known position that the numbers are of.
    pub rows: u64,
    /// The worst of the objectives; `None`: it could not be measured.
    pub verdict: Option<Confounding>,
    /// Why it could not be measured, and what to do.
    pub problem: Option<String>,
    /// What else to know.
    pub notes: Vec<String>,
    /// The biased objectives; where no `[bias]` is declared, all of them.
    pub objectives: Vec<ObjectiveCheck>,
    /// Slates, and slates to collect.
    pub traffic: Traffic,
    /// All of it in one sentence.
    pub summary: String,
}

/// One objective, over examples of which its label was observed.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ObjectiveCheck {
    /// Its name.
    pub objective: String,
    /// Of all cells together, as they were ranked.
    pub all: Spread,
    /// By cell of the bias fields, the largest ones; empty where position is the only one.
    pub cells: Vec<CellCheck>,
    /// Of the slates in random order, where `eta2` is about 0; `None` where there are too few.
    pub shuffled: Option<Spread>,
}

/// One cell of the bias fields.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct CellCheck {
    /// The values of the bias fields.
    pub cell: String,
    /// Within it.
    pub spread: Spread,
}

impl DebiasCheck {
    /// The check of examples in memory.
    pub fn of(ranker: &Ranker, examples: &Examples) -> DebiasCheck {
        CheckRows::of(ranker, examples)
    }

    fn summary(&self) -> String {
        let Some(verdict) = self.verdict else {
            let why = self.problem.as_deref().unwrap_or("nothing to measure");
            return format!("position bias: not known: {why}");
        };
        let worst = self.objectives.iter().max_by(|a, b| {
            (a.all.verdict, a.all.eta2)
                .partial_cmp(&(b.all.verdict, b.all.eta2))
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        let numbers = worst.map_or_else(String::new, |worst| {
            let swap = (worst.all.swap).map_or_else(String::new, |swap| format!(", swap {swap:.2}"));
            format!(" (`{}`: eta2 {:.3}{swap})", worst.objective, worst.all.eta2)
        });
        format!("position bias: {verdict}{numbers}; {}", self.advice())
    }

    /// What the verdict asks for.
    pub fn advice(&self) -> String {
        match self.verdict {
            None => self.problem.clone().unwrap_or_default(),
            Some(Confounding::Ok) => {
                "positions tell little of relevance here: fitted position curves are within about 10 % of \
                                      the true ones"
                    .to_owned()
            }
            Some(Confounding::Caution) => format!(
                "positions tell something of relevance: whether the shallow tower helps, only slates in random order tell: {}",
                self.collect()
            ),
            Some(Confounding::CannotTell) => format!(
                "positions and relevance cannot be told apart in this log, nor whether the shallow tower helps or harms: {}",
                self.collect()
            ),
        }
    }

    fn collect(&self) -> String {
        let Traffic {
            shuffled,
            needed,
            days,
            slates_per_day,
            ..
        } = self.traffic;
        if shuffled >= needed {
            return format!("the log has {shuffled} of them, which are enough");
        }
        let missing = needed - shuffled;
        let here = if shuffled > 0 {
            format!(" beside the {shuffled} that it has")
        } else {
            String::new()
        };
        let time = match days.zip(slates_per_day) {
            Some((days, per_day)) => format!(
                "about {} at your traffic of {per_day:.0} slates a day",
                match days {
                    days if days < 1.0 => "a day".to_owned(),
                    days => format!("{} days", days.ceil()),
                }
            ),
            None => "for how long is not known, as the log has no times".to_owned(),
        };
        format!("collect {missing} shuffled slates{here}, {time} (`[explore] shuffle = {SHUFFLE_SHARE}`)")
    }
}

/// What is kept of each example until the end.
#[derive(Debug)]
pub(crate) struct CheckRows {
    objectives: Vec<usize>,
    /// The objective that slates are judged by.
    counted: Option<usize>,
    positions: Vec<u32>,
    cells: Vec<u32>,
    items: Vec<u64>,
    shuffled: Vec<bool>,
    /// Per objective: the main logit; NaN where the label was not observed.
    logits: Vec<Vec<f32>>,
    without_position: u64,
    counts: Counts,
}

impl CheckRows {
    pub(crate) fn new(spec: &Spec) -> CheckRows {
        let objectives = match &spec.bias {
            Some(bias) => bias.objectives.clone(),
            None => (0..spec.objectives.len()).collect(),
        };
        let counted = objectives
            .iter()
            .copied()
            .find(|at| spec.objectives[*at].loss == Loss::Binary);
        CheckRows {
            logits: vec![Vec::new(); objectives.len()],
            objectives,
            counted,
            positions: Vec::new(),
            cells: Vec::new(),
            items: Vec::new(),
            shuffled: Vec::new(),
            without_position: 0,
            counts: Counts::default(),
        }
    }

    /// The check of `examples`, all that there are.
    pub(crate) fn of(ranker: &Ranker, examples: &Examples) -> DebiasCheck {
        let mut rows = CheckRows::new(ranker.spec());
        for from in (0..examples.len()).step_by(BATCH) {
            let examples = examples.slice(from, BATCH.min(examples.len() - from));
            rows.add(ranker, &examples, &ranker.encoder.encode(&examples));
        }
        rows.finish(ranker.spec(), 1.0)
    }

    /// Adds `examples`, which `batch` is the encoding of.
    pub(crate) fn add(&mut self, ranker: &Ranker, examples: &Examples, batch: &Encoded) {
        let main = ranker.main_logits(batch);
        self.counts.add_times(examples.times());
        for (row, item) in examples.items().iter().enumerate() {
            let position = batch.positions[row];
            if position == 0 {
                self.without_position += 1;
                continue;
            }
            let label = self.counted.map(|at| batch.labels[at][row]);
            let label = label.filter(|label| !label.is_nan()).map(|label| label > 0.5);
            let shuffled = is_shuffled(examples, row);
            self.counts.add(batch.slates[row], position, label, shuffled);
            self.positions.push(position);
            self.cells.push(batch.cells[row]);
            self.items.push(xxh3_64(item.unwrap_or_default().as_bytes()));
            self.shuffled.push(shuffled);
            for (logits, &objective) in self.logits.iter_mut().zip(&self.objectives) {
                let observed = !batch.labels[objective][row].is_nan();
                logits.push(if observed { main[objective][row] } else { f32::NAN });
            }
        }
    }

    /// What the rows come to; they are `share` of the log.
    pub(crate) fn finish(&self, spec: &Spec, share: f64) -> DebiasCheck {
        let rows = self.positions.len() as u64;
        let mut check = DebiasCheck {
            rows,
            verdict: None,
            problem: self.problem(spec),
            notes: self.notes(spec),
            objectives: Vec::new(),
            traffic: self.counts.finish(share),
            summary: String::new(),
        };
        if check.problem.is_none() {
            self.measure(spec, &mut check);
        }
        check.summary = check.summary();
        check
    }

    fn measure(&self, spec: &Spec, check: &mut DebiasCheck) {
        for at in 0..self.objectives.len() {
            let name = &spec.objectives[self.objectives[at]].name;
            match self.objective(spec, at) {
                Some(objective) => check.objectives.push(objective),
                None => check.notes.push(format!(
                    "`{name}` is left out: it has fewer than {FEWEST} labels at two positions or more, or its main logit is constant"
                )),
            }
        }
        check.verdict = check
            .objectives
            .iter()
            .map(|objective| objective.all.verdict)
            .max();
        if check.verdict.is_none() {
            check.problem = Some(format!(
                "no biased objective has {FEWEST} observed labels at two positions or more and a main logit that is not constant: \
                 take a longer log, or a run that learned something"
            ));
        }
    }

    fn objective(&self, spec: &Spec, at: usize) -> Option<ObjectiveCheck> {
        let mut ranked: Vec<(u32, Shown)> = Vec::new();
        let mut shuffled: Vec<Shown> = Vec::new();
        for (row, &logit) in self.logits[at]
            .iter()
            .enumerate()
            .filter(|(_, logit)| !logit.is_nan())
        {
            let shown = Shown {
                position: self.positions[row],
                logit,
                item: self.items[row],
            };
            if self.shuffled[row] {
                shuffled.push(shown);
            } else {
                ranked.push((self.cells[row], shown));
            }
        }
        let enough = |rows: &[Shown]| -> Option<Spread> {
            let rows = Some(rows).filter(|rows| rows.len() as u64 >= FEWEST)?;
            Spread::of(rows, !spec.keys.no_item)
        };
        let all: Vec<Shown> = ranked.iter().map(|(_, shown)| *shown).collect();
        let mut cells: BTreeMap<u32, Vec<Shown>> = BTreeMap::new();
        if spec.bias.as_ref().is_some_and(|bias| !bias.fields.is_empty()) {
            for (cell, shown) in ranked {
                cells.entry(cell).or_default().push(shown);
            }
        }
        let mut largest: Vec<(u32, Vec<Shown>)> = cells.into_iter().collect();
        largest.sort_by_key(|(cell, rows)| (std::cmp::Reverse(rows.len()), *cell));
        largest.truncate(MOST_CELLS);
        largest.sort_by_key(|(cell, _)| *cell);
        Some(ObjectiveCheck {
            objective: spec.objectives[self.objectives[at]].name.clone(),
            all: enough(&all)?,
            cells: largest
                .iter()
                .filter_map(|(cell, rows)| {
                    Some(CellCheck {
                        cell: cell_name(spec, *cell as usize),
                        spread: enough(rows)?,
                    })
                })
                .collect(),
            shuffled: enough(&shuffled),
        })
    }

    /// What makes the whole log useless for it.
    fn problem(&self, spec: &Spec) -> Option<String> {
        let keys = &spec.keys;
        let rows = self.positions.len() as u64;
        let Some(&first) = self.positions.first() else {
            return Some(format!(
                "no row has a position: give the log a column `{}` that counts from 1, or name yours in `[keys] position`",
                keys.position
            ));
        };
        if self.positions.iter().all(|position| *position == first) {
            let why = if self.counts.slates_of_one() {
                "each slate has one item, and every row is at position"
            } else {
                "every row is at position"
            };
            return Some(format!(
                "{why} {first}: what a place does cannot be told from what an item is worth; log all items of a slate with their \
                 positions, or leave `[bias]` out"
            ));
        }
        (rows < FEWEST).then(|| {
            format!(
                "the log has {rows} examples with a position, expected at least {FEWEST}: take a longer log"
            )
        })
    }

    fn notes(&self, spec: &Spec) -> Vec<String> {
        let rows = self.positions.len() as u64;
        let mut notes = Vec::new();
        if spec.bias.is_none() {
            notes.push(
                "no `[bias]` is declared: no position bias was taken out of the logits that are looked at, so that it may seem to be \
                 relevance"
                    .to_owned(),
            );
        }
        if rows > 0 && self.without_position > 0 {
            let all = rows + self.without_position;
            notes.push(format!(
                "{} of {all} examples have no position and are left out",
                self.without_position
            ));
        }
        if spec.keys.no_item {
            notes.push("the log has no items, so how they change places is not known".to_owned());
        }
        if rows > 0 && self.counts.slates_of_one() {
            notes.push(format!(
                "each slate has one row: is `{}` the slate's id, and not the row's? Slates cannot be judged by their order so",
                spec.keys.slate
            ));
        }
        notes
    }
}

/// Checks the log of `source`.
///
/// # Errors
/// A log that does not allow it: no positions, one position only, too few rows; one that cannot be read.
pub fn check(source: &DebiasSource, progress: &mut dyn Progress) -> Result<DebiasCheck, TrainError> {
    let ranker = &source.ranker;
    let mut rows = CheckRows::new(ranker.spec());
    let share = source.each(MOST, "check", progress, &mut |examples, batch| {
        rows.add(ranker, examples, batch);
    })?;
    let check = rows.finish(ranker.spec(), share);
    match check.problem {
        Some(problem) => Err(TrainError::Data(problem)),
        None => Ok(check),
    }
}
