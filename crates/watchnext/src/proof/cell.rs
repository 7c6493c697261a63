//! One world, one logger: all arms trained on its log, judged against the truth. The rows 1 to 12, 16 and 17 read these.

use anyhow::{Context, ensure};
use events::Examples;
use model::Ranker;
use serde::{Deserialize, Serialize};
use train::{Confounding, DebiasCheck, ListRows, Lists, best_of};
use world::{Constants, Examination, Logger, START_MS, Visit, World};

use super::arm::{Arm, Lesson};
use super::jobs::Stopped;
use super::lab::{Lab, Shown};
use super::recipe::Recipe;
use super::truth::{Exam, Judged, SLATE};

/// Number of the first visit that is judged on, and of the first shuffled one: no log reaches them.
const EXAM: u64 = 1 << 40;
const SHUFFLED: u64 = 1 << 41;

/// Which.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cell {
    pub seed: u64,
    pub examination: Examination,
    pub logger: Rater,
    pub eta: f64,
}

/// Who ordered the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Rater {
    Random,
    Weak,
    Strong,
    Wrong,
}

impl Rater {
    pub(crate) const ALL: [Rater; 4] = [Rater::Random, Rater::Weak, Rater::Strong, Rater::Wrong];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Rater::Random => "random",
            Rater::Weak => "weak",
            Rater::Strong => "strong",
            Rater::Wrong => "wrong",
        }
    }

    pub(super) fn logger(self) -> Logger {
        match self {
            Rater::Random => Logger::Random,
            Rater::Weak => Logger::Weak,
            Rater::Strong => Logger::Strong,
            Rater::Wrong => Logger::Wrong,
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub cell: Cell,
    pub arms: Vec<Judged>,
    /// What a real user would be told of this log.
    pub verdict: Option<Confounding>,
    /// The share of the main logit's variance that the position tells.
    pub eta2: f64,
    /// The arm that the shuffled slice chooses.
    pub chosen: Arm,
}

impl Outcome {
    /// Whether the check says that this log cannot tell the bias of positions from relevance.
    pub(crate) fn cannot_tell(&self) -> bool {
        self.verdict == Some(Confounding::CannotTell)
    }

    pub(crate) fn arm(&self, arm: Arm) -> Option<&Judged> {
        self.arms.iter().find(|judged| judged.arm == arm)
    }
}

impl Cell {
    pub(crate) fn name(&self) -> String {
        let examination = examination_name(self.examination);
        format!(
            "{examination}-{}-eta{}-seed{}",
            self.logger.name(),
            self.eta,
            self.seed
        )
    }

    /// The world of this cell.
    pub(super) fn world(&self) -> World {
        World::new(
            self.seed,
            &Constants {
                examination: self.examination,
                eta: self.eta,
                ..Constants::full()
            },
        )
    }
}

pub(crate) fn examination_name(examination: Examination) -> &'static str {
    match examination {
        Examination::Additive => "additive",
        Examination::Product => "product",
        Examination::Cascade => "cascade",
    }
}

impl Cell {
    /// The arms of this cell.
    fn arms(&self) -> Vec<Arm> {
        if self.eta == 0.0 {
            return vec![Arm::None, Arm::Tower0, Arm::Tower, Arm::Product, Arm::Full];
        }
        let ips = (self.examination == Examination::Product).then_some(Arm::Ips);
        let truth = (self.examination != Examination::Cascade).then_some(Arm::TrueCurve);
        let learned = [Arm::Reversal, Arm::Input, Arm::Adversarial];
        Arm::CHOICES
            .into_iter()
            .chain(learned)
            .chain(ips)
            .chain(truth)
            .chain([Arm::Full])
            .collect()
    }

    /// Shows the log, trains every arm on it, and judges them.
    pub(super) fn run(&self, recipe: &Recipe, stopped: Stopped) -> anyhow::Result<Outcome> {
        let lab = Lab::new(self.world());
        let world = &lab.world;
        let spec = Arm::Tower.spec(self.seed, self.examination)?;
        let slates = recipe.impressions / u64::from(SLATE);
        let log = (0..slates).map(|number| self.shown(world, number, self.logger.logger(), false));
        let lesson = Lesson::of(&spec, lab.logged(&spec, log)?);
        let slice = (0..recipe.shuffled).map(|at| self.shown(world, SHUFFLED + at, Logger::Random, true));
        let slice = lab.logged(&spec, slice)?;
        let exam: Vec<Visit> = (0..recipe.exam)
            .map(|at| world.visit(EXAM + at, START_MS))
            .collect();
        let exam = Exam::new(&lab, &spec, &exam)?;

        let (mut arms, mut rankers) = (Vec::new(), Vec::new());
        for arm in self.arms() {
            ensure!(!stopped(), train::TrainError::Stopped);
            let ranker = lesson.teach(arm, self.seed, recipe.epochs, world)?;
            arms.push(exam.judge(arm, &ranker, world, &slice));
            rankers.push((arm, ranker));
        }
        let tower = rankers
            .iter()
            .find(|(arm, _)| *arm == Arm::Tower)
            .context("no arm is the tower")?;
        let check = DebiasCheck::of(&tower.1, &lesson.examples);
        Ok(Outcome {
            cell: *self,
            verdict: check.verdict,
            eta2: check
                .objectives
                .first()
                .map_or(f64::NAN, |objective| objective.all.eta2),
            chosen: chosen(&rankers, &slice)?,
            arms,
        })
    }

    /// A visit with ten candidates drawn at random: whoever ranks it only orders them, so that no selection is in the log.
    fn shown(&self, world: &World, number: u64, logger: Logger, shuffled: bool) -> Shown {
        let visit = world.visit_of_ten(number, START_MS + 1_000 * (number % SHUFFLED % EXAM) as i64);
        let videos = logger.order(world, &visit);
        Shown {
            visit,
            videos,
            shuffled,
        }
    }
}

/// The arm that the shuffled slice chooses, as `debias choose` does.
fn chosen(rankers: &[(Arm, Ranker)], slice: &Examples) -> anyhow::Result<Arm> {
    let choices: Vec<&(Arm, Ranker)> = rankers
        .iter()
        .filter(|(arm, _)| Arm::CHOICES.contains(arm))
        .collect();
    let lists: Vec<Lists> = choices
        .iter()
        .map(|(_, ranker)| {
            let mut rows = ListRows::default();
            rows.add(ranker, &ranker.encoder.encode(slice));
            rows.finish()
        })
        .collect();
    let best = best_of(&lists).context("the shuffled slice tells nothing")?;
    Ok(choices[best].0)
}
