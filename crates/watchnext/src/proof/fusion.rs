//! Row 18: weights tuned on logged candidate sets, against the best that the same weightings could truly bring.
//!
//! In: a seed, a form of examination, a logger. Out: [`Fused`]. The tuner sees the log alone; the judge uses truth.

use std::collections::BTreeMap;

use anyhow::ensure;
use model::{Positions, Ranker, ScoreWeights};
use serde::{Deserialize, Serialize};
use train::{Candidates, Reward, Silent, Trainer, Tuning, tune};
use world::{Constants, Examination, START_MS, Visit, World, video_id};

use super::arm::Arm;
use super::cell::{Rater, examination_name};
use super::jobs::Stopped;
use super::lab::{Lab, Shown};
use super::recipe::Recipe;
use super::truth::SLATE;

/// The target: minutes watched, and four for each like.
pub(super) const REWARD: &str = "watch * duration_ms / 60000 + 4 * like";
/// What a like is worth.
const LIKE: f64 = 4.0;
/// First visit with a logged candidate set, and first that judges.
const SETS: u64 = 1 << 40;
const EXAM: u64 = 1 << 41;

/// Which.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fusion {
    pub seed: u64,
    pub examination: Examination,
    pub logger: Rater,
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Fused {
    pub fusion: Fusion,
    /// Share of the best true reward among all tried weightings that the proposed one loses.
    pub regret: f64,
    /// The same of all weights alike.
    pub all_alike: f64,
    /// Of the tuning itself: clicks and reward of each weighting, expected by the model.
    pub tuning: Tuning,
    /// By way of serving positions, beside `missing`.
    pub serving: Vec<Serving>,
}

/// What another `serve_position` changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Serving {
    pub serve_position: String,
    /// Visits in which the order by one debiased objective's logit is another.
    pub reordered: usize,
    /// Share of visits in which the ten best by the combined score are others, or in another order.
    pub combined_changed: f64,
}

impl Fusion {
    pub(crate) fn name(&self) -> String {
        format!(
            "{}-{}-seed{}",
            examination_name(self.examination),
            self.logger.name(),
            self.seed
        )
    }

    /// Logs, trains, tunes, and judges.
    pub(super) fn run(&self, recipe: &Recipe, stopped: Stopped) -> anyhow::Result<Fused> {
        let constants = Constants {
            examination: self.examination,
            ..Constants::full()
        };
        let lab = Lab::new(World::new(self.seed, &constants));
        let world = &lab.world;
        let spec = Arm::Tower.fusion_spec(self.seed)?;
        let logger = self.logger.logger();
        let visit = |number: u64| world.visit(number, START_MS + (number % SETS) as i64);
        let slates = recipe.impressions / u64::from(SLATE);
        let log = (0..slates).map(|number| {
            let visit = visit(number);
            let mut videos = logger.order(world, &visit);
            videos.truncate(SLATE as usize);
            Shown {
                visit,
                videos,
                shuffled: false,
            }
        });
        let examples = lab.logged(&spec, log)?;
        ensure!(!stopped(), train::TrainError::Stopped);
        let mut trainer = Trainer::begin(&spec, &examples);
        let batch = trainer.ranker.encoder.encode(&examples);
        trainer.learn_shuffled(&batch, recipe.epochs)?;
        let ranker = trainer.ranker;

        let mut candidates = Candidates::new(&ranker, Reward::parse(&spec, REWARD)?);
        for number in 0..recipe.exam {
            candidates.add(&ranker, &lab.with_candidates(&spec, &visit(SETS + number)))?;
        }
        let live = BTreeMap::from([("click".to_owned(), 1.0), ("dismiss".to_owned(), -0.01)]);
        let tuning = tune(candidates, &live, &mut Silent)?;
        let exam: Vec<Visit> = (0..recipe.exam).map(|at| visit(EXAM + at)).collect();
        let exam = Exam::new(&lab, &ranker, &exam)?;
        let names = ["click", "watch", "like"].map(|name| (name.to_owned(), 1.0));
        let alike: BTreeMap<String, f64> = names.into_iter().chain([("dismiss".to_owned(), -1.0)]).collect();
        let tried = tuning
            .tried
            .iter()
            .map(|tried| exam.reward(&ranker, &tried.weights))
            .collect::<Result<Vec<_>, _>>()?;
        let best = tried.into_iter().fold(f64::NEG_INFINITY, f64::max);
        Ok(Fused {
            fusion: *self,
            regret: 1.0 - exam.reward(&ranker, &tuning.proposed.weights)? / best,
            all_alike: 1.0 - exam.reward(&ranker, &alike)? / best,
            serving: exam.serving(&ranker, &tuning.proposed.weights)?,
            tuning,
        })
    }
}

/// Fresh visits that judge: what each candidate is truly worth at each position, and what the ranker says of it. Uses truth.
struct Exam {
    visits: Vec<Judging>,
}

struct Judging {
    items: Vec<String>,
    /// Per candidate, per objective: as served.
    served: Vec<Vec<f32>>,
    /// Per candidate: true reward of a click.
    per_click: Vec<f64>,
    /// `[candidates][positions]`: true chance of a click, which in additive and product worlds no other video changes.
    clicks: Vec<Vec<f64>>,
    /// The same predictions with another serving position, and logits of the debiased objective.
    others: Vec<Other>,
    logits: Vec<f32>,
}

struct Other {
    name: &'static str,
    served: Vec<Vec<f32>>,
    logits: Vec<f32>,
}

impl Exam {
    fn new(lab: &Lab, ranker: &Ranker, visits: &[Visit]) -> anyhow::Result<Exam> {
        let world = &lab.world;
        let judging = |visit: &Visit| -> anyhow::Result<Judging> {
            let batch = ranker
                .encoder
                .encode(&lab.candidates(ranker.spec(), std::slice::from_ref(visit))?);
            let rows = |positions| {
                let predictions = ranker.predict(&batch, positions);
                (
                    (0..batch.len).map(|row| predictions.row(row)).collect::<Vec<_>>(),
                    predictions.logits[0].clone(),
                )
            };
            let (served, logits) = rows(Positions::Missing);
            let other = |(name, positions)| {
                let (served, logits) = rows(positions);
                Other { name, served, logits }
            };
            Ok(Judging {
                items: visit.candidates.iter().map(|&video| video_id(video)).collect(),
                per_click: visit
                    .candidates
                    .iter()
                    .map(|&video| {
                        world.watch_mean(visit, video) * world.minutes(video)
                            + LIKE * world.like_probability(visit, video)
                    })
                    .collect(),
                clicks: visit
                    .candidates
                    .iter()
                    .map(|&video| world.click_probabilities(visit, &[video; SLATE as usize]))
                    .collect(),
                others: [("1", Positions::First), ("none", Positions::Without)]
                    .map(other)
                    .into(),
                served,
                logits,
            })
        };
        Ok(Exam {
            visits: visits.iter().map(judging).collect::<anyhow::Result<_>>()?,
        })
    }

    /// True reward of a weighting, per visit.
    fn reward(&self, ranker: &Ranker, weights: &BTreeMap<String, f64>) -> anyhow::Result<f64> {
        let score = score(ranker, weights)?;
        let of_visit = |visit: &Judging| -> f64 {
            let order = order(&visit.items, &visit.served, |row| score.log_score(row));
            let shown = order.iter().take(SLATE as usize).enumerate();
            shown
                .map(|(at, &candidate)| visit.clicks[candidate][at] * visit.per_click[candidate])
                .sum()
        };
        Ok(self.visits.iter().map(of_visit).sum::<f64>() / self.visits.len().max(1) as f64)
    }

    /// What other serving positions change: the order by the debiased objective alone, and the top by the score.
    fn serving(&self, ranker: &Ranker, weights: &BTreeMap<String, f64>) -> anyhow::Result<Vec<Serving>> {
        let score = score(ranker, weights)?;
        let top = |visit: &Judging, served: &[Vec<f32>]| -> Vec<usize> {
            let mut order = order(&visit.items, served, |row| score.log_score(row));
            order.truncate(SLATE as usize);
            order
        };
        let alone = |visit: &Judging, logits: &[f32]| {
            let rows: Vec<Vec<f32>> = logits.iter().map(|&logit| vec![logit]).collect();
            order(&visit.items, &rows, |row| f64::from(row[0]))
        };
        let ways = self.visits.first().map_or(0, |visit| visit.others.len());
        let way = |at: usize| {
            let changed = |differs: &dyn Fn(&Judging) -> bool| {
                self.visits.iter().filter(|visit| differs(visit)).count()
            };
            Serving {
                serve_position: self.visits[0].others[at].name.to_owned(),
                reordered: changed(&|visit| {
                    alone(visit, &visit.logits) != alone(visit, &visit.others[at].logits)
                }),
                combined_changed: changed(&|visit| {
                    top(visit, &visit.served) != top(visit, &visit.others[at].served)
                }) as f64
                    / self.visits.len() as f64,
            }
        };
        Ok((0..ways).map(way).collect())
    }
}

fn score(ranker: &Ranker, weights: &BTreeMap<String, f64>) -> anyhow::Result<ScoreWeights> {
    ScoreWeights::from_names(ranker.spec(), weights).map_err(anyhow::Error::msg)
}

/// Candidates by falling score; ties by item.
fn order(items: &[String], rows: &[Vec<f32>], score: impl Fn(&[f32]) -> f64) -> Vec<usize> {
    let scores: Vec<f64> = rows.iter().map(|row| score(row)).collect();
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|&a, &b| {
        scores[b]
            .total_cmp(&scores[a])
            .then_with(|| items[a].cmp(&items[b]))
    });
    order
}
