//! The closed loop: ten days of a ranker that learns each night from what it showed, with and without the tower.
//!
//! In: a seed, a form of examination, an arm. Out: what each day was truly worth. Clicks feed popularity, and so what is
//! retrieved the next day; videos have an id, so that a ranker can learn what no feature shows.

use anyhow::{Context, ensure};
use model::{Positions, ScoreWeights};
use serde::{Deserialize, Serialize};
use train::Trainer;
use world::{Constants, Examination, Logger, Visit, World, video_id, visit_time_ms};

use super::arm::Arm;
use super::cell::examination_name;
use super::jobs::Stopped;
use super::lab::{Lab, Shown};
use super::recipe::Recipe;
use super::truth::SLATE;

/// Visits whose candidates are scored at once.
const BATCH: usize = 250;
/// How much of the old popularity is left after a day; the rest is that day's clicks.
const KEPT: f64 = 0.5;

/// Which loop.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Days {
    pub seed: u64,
    pub examination: Examination,
    pub arm: Arm,
}

/// What it came to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Worth {
    pub days: Days,
    /// Satisfied minutes per visit, true; day 0 is the wrong logger's.
    pub value: Vec<f64>,
}

impl Days {
    pub(crate) fn name(&self) -> String {
        format!(
            "{}-{}-seed{}",
            examination_name(self.examination),
            self.arm.name().replace(' ', "-"),
            self.seed
        )
    }

    /// Lives all days.
    pub(super) fn live(&self, recipe: &Recipe, stopped: Stopped) -> anyhow::Result<Worth> {
        let constants = Constants {
            examination: self.examination,
            ..Constants::full()
        };
        let mut lab = Lab::new(World::new(self.seed, &constants));
        let mut popularity: Vec<f64> = (0..constants.videos)
            .map(|video| lab.world.popularity(video))
            .collect();
        let spec = self.arm.loop_spec(self.seed)?;
        let mut trainer: Option<Trainer> = None;
        let mut value = Vec::new();
        let mut from = 0;
        for day in 0..=recipe.days {
            ensure!(!stopped(), train::TrainError::Stopped);
            let world = &lab.world;
            let count = if day == 0 {
                2 * recipe.visits
            } else {
                recipe.visits
            };
            let visits: Vec<Visit> = (0..count)
                .map(|index| world.visit(from + u64::from(index), visit_time_ms(day, index, count)))
                .collect();
            from += u64::from(count);
            let slates = match &trainer {
                Some(trainer) => ranked(&lab, trainer, &visits)?,
                None => visits
                    .iter()
                    .map(|visit| first(Logger::Wrong.order(world, visit)))
                    .collect(),
            };
            let worth: f64 = visits
                .iter()
                .zip(&slates)
                .map(|(visit, slate)| world.value(visit, slate))
                .sum();
            value.push(worth / f64::from(count));

            let clicks = clicks(world, &visits, &slates);
            let shown = visits.into_iter().zip(slates).map(|(visit, videos)| Shown {
                visit,
                videos,
                shuffled: false,
            });
            let examples = lab.logged(&spec, shown)?;
            let mut learner = trainer.take().unwrap_or_else(|| Trainer::begin(&spec, &examples));
            let batch = learner.ranker.encoder.encode(&examples);
            learner
                .learn_shuffled(&batch, spec.train.learn_passes)
                .context("learning a day")?;
            trainer = Some(learner);
            follow(&mut popularity, &clicks);
            lab.world.set_popularity(&popularity);
        }
        Ok(Worth { days: *self, value })
    }
}

fn first(mut order: Vec<u32>) -> Vec<u32> {
    order.truncate(SLATE as usize);
    order
}

/// What the ranker shows to each visit.
fn ranked(lab: &Lab, trainer: &Trainer, visits: &[Visit]) -> anyhow::Result<Vec<Vec<u32>>> {
    let ranker = &trainer.ranker;
    let score = ScoreWeights::of(ranker.spec());
    let mut slates = Vec::with_capacity(visits.len());
    for visits in visits.chunks(BATCH) {
        let examples = lab.candidates(ranker.spec(), visits)?;
        let predictions = ranker.predict_examples(&examples, Positions::Served);
        let mut row = 0;
        for visit in visits {
            let mut scored: Vec<(f64, u32)> = visit
                .candidates
                .iter()
                .map(|&video| {
                    row += 1;
                    (score.log_score(&predictions.row(row - 1)), video)
                })
                .collect();
            scored.sort_by(|a, b| {
                b.0.total_cmp(&a.0)
                    .then_with(|| video_id(a.1).cmp(&video_id(b.1)))
            });
            slates.push(first(scored.into_iter().map(|(_, video)| video).collect()));
        }
    }
    Ok(slates)
}

fn clicks(world: &World, visits: &[Visit], slates: &[Vec<u32>]) -> Vec<f64> {
    let mut clicks = vec![0.0; world.constants().videos as usize];
    for (visit, slate) in visits.iter().zip(slates) {
        for action in world.act(visit, slate) {
            if action.click {
                clicks[action.video as usize] += 1.0;
            }
        }
    }
    clicks
}

/// Popularity follows the day's clicks, on the scale of their logarithm.
fn follow(popularity: &mut [f64], clicks: &[f64]) {
    let logs: Vec<f64> = clicks.iter().map(|count| (1.0 + count).ln()).collect();
    let mean = logs.iter().sum::<f64>() / logs.len().max(1) as f64;
    let deviation =
        (logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / logs.len().max(1) as f64).sqrt();
    for (popularity, log) in popularity.iter_mut().zip(logs) {
        *popularity = KEPT * *popularity + (1.0 - KEPT) * (log - mean) / deviation.max(f64::MIN_POSITIVE);
    }
}
