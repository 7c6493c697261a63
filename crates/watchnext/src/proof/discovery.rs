//! Row 19: fields that act as a bias, found in logs of worlds where it is known which do.
//!
//! In: a seed, a logger, whether the planted fields act. Out: [`Discovered`]: each field, what it truly is, whether it was called a
//! bias, and what handing the found ones to the shallow tower does to the order. The log's context is all that discovery sees.

use std::sync::Arc;

use anyhow::ensure;
use maud::{Markup, html};
use model::{Encoded, Ranker};
use serde::{Deserialize, Serialize};
use spec::Spec;
use train::{Trainer, discover_examples};
use world::{Constants, Logger, Planted, PlantedField, Role, START_MS, Visit, World};

use super::arm::{self, Arm};
use super::cell::Rater;
use super::jobs::Stopped;
use super::lab::{Lab, Shown};
use super::recipe::Recipe;
use super::rows::{Claim, Gate, Row};
use super::truth::{Exam, SLATE};

/// How many impressions the log has, to one of the other rows: discovery judges on a third of them.
const MORE: f64 = 1.5;
/// Worlds of this row begin at this seed: the rule was set on others.
const FIRST_SEED: u64 = 100;
/// Every so many slates are shuffled: the standing slice that `debias check` recommends, on which relevance is independent of what
/// a logger makes of it.
const SHUFFLED: u64 = 20;
/// First visit that is judged on.
const EXAM: u64 = 1 << 40;

/// Which.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Discovery {
    pub seed: u64,
    pub logger: Rater,
    /// Whether the planted biases act; position and device do in any case.
    pub planted: bool,
}

/// One field.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Field {
    pub name: String,
    /// Whether it truly acts as a bias in this world.
    pub real: bool,
    /// Whether it goes with what people want, and so only looks like one.
    pub decoy: bool,
    /// Whether it was called one.
    pub called: bool,
    /// Held-out gain, in standard errors.
    pub z: Option<f64>,
    /// Why it was not called one.
    pub verdict: String,
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Discovered {
    pub discovery: Discovery,
    pub fields: Vec<Field>,
    /// nDCG against truth of a ranker that leaves the fields alone, and of one whose shallow tower reads those that were found.
    pub ndcg: [f64; 2],
}

impl Discovery {
    pub(crate) fn new(seed: u64, logger: Rater, planted: bool) -> Discovery {
        Discovery {
            seed: FIRST_SEED + seed,
            logger,
            planted,
        }
    }

    pub(crate) fn name(&self) -> String {
        let what = if self.planted {
            "planted"
        } else {
            "nothing-planted"
        };
        format!("{}-{what}-seed{}", self.logger.name(), self.seed)
    }

    pub(super) fn run(&self, recipe: &Recipe, stopped: Stopped) -> anyhow::Result<Discovered> {
        let mut constants = Constants::full();
        constants.planted.enabled = true;
        if !self.planted {
            constants.planted = Planted::without_effect(constants.planted);
        }
        let lab = Lab::new(World::new(self.seed, &constants));
        let world = &lab.world;
        let (plain, wide) = (
            Arm::Tower.spec(self.seed, constants.examination)?,
            arm::wide_spec(self.seed)?,
        );
        let visit = |number: u64| world.visit_of_ten(number, START_MS + 1_000 * number as i64);
        let slates = (recipe.impressions as f64 * MORE) as u64 / u64::from(SLATE);
        let log = (0..slates).map(|number| {
            let visit = visit(number);
            let shuffled = number % SHUFFLED == 0;
            let logger = if shuffled {
                Logger::Random
            } else {
                self.logger.logger()
            };
            let videos = logger.order(world, &visit);
            Shown {
                visit,
                videos,
                shuffled,
            }
        });
        let log = lab.log(&wide, log)?;
        let teach = |spec: &Arc<Spec>| -> anyhow::Result<(Ranker, Encoded)> {
            ensure!(!stopped(), train::TrainError::Stopped);
            let examples = log.examples(spec)?;
            let mut trainer = Trainer::begin(spec, &examples);
            let batch = trainer.ranker.encoder.encode(&examples);
            trainer.learn_shuffled(&batch, recipe.epochs)?;
            Ok((trainer.ranker, batch))
        };
        let (before, batch) = teach(&plain)?;
        let found = discover_examples(&before, &wide, &log.examples(&wide)?, &batch)?;

        let fields: Vec<Field> = found
            .fields
            .into_iter()
            .filter_map(|finding| self.field(finding))
            .collect();
        let called: Vec<&str> = fields
            .iter()
            .filter(|field| {
                field.called
                    && PlantedField::ALL
                        .iter()
                        .any(|planted| planted.name() == field.name)
            })
            .map(|field| field.name.as_str())
            .collect();
        let applied = arm::applied_spec(self.seed, &called)?;
        let (after, _) = teach(&applied)?;
        let exam: Vec<Visit> = (0..recipe.exam)
            .map(|at| world.visit(EXAM + at, START_MS))
            .collect();
        let ndcg = [
            Exam::new(&lab, &plain, &exam)?.ndcg(&before),
            Exam::new(&lab, &applied, &exam)?.ndcg(&after),
        ];
        Ok(Discovered {
            discovery: *self,
            fields,
            ndcg,
        })
    }

    /// What a finding is in truth; `None`: it is no planted field, nor position or device.
    fn field(&self, finding: train::FieldFinding) -> Option<Field> {
        let planted = PlantedField::ALL
            .into_iter()
            .find(|field| field.name() == finding.field);
        let always = finding.field == "position" || finding.field == "device";
        let role = planted.map(PlantedField::role);
        (always || planted.is_some()).then(|| Field {
            real: always || (self.planted && role == Some(Role::Real)),
            decoy: role == Some(Role::Decoy),
            called: finding.acts,
            z: finding.z,
            verdict: finding.verdict,
            name: finding.field,
        })
    }
}

/// Row 19.
pub(super) fn rows(found: &[Discovered]) -> Vec<Row> {
    let count = |of: &Discovered, which: fn(&&Field) -> bool| of.fields.iter().filter(which).count() as f64;
    let missed = found
        .iter()
        .map(|of| count(of, |field| field.real && !field.called))
        .collect();
    let (mut flags, mut tests) = (0.0, 0.0);
    for of in found {
        flags += count(of, |field| !field.real && field.called);
        tests += count(of, |field| !field.real);
    }
    let share = if tests > 0.0 {
        vec![flags / tests]
    } else {
        Vec::new()
    };
    let gain = |planted: bool| -> Vec<f64> {
        let seeds: std::collections::BTreeSet<u64> = found.iter().map(|of| of.discovery.seed).collect();
        let of_seed = |seed: u64| {
            let of = found
                .iter()
                .filter(|of| of.discovery.seed == seed && of.discovery.planted == planted);
            let gains: Vec<f64> = of.map(|of| of.ndcg[1] - of.ndcg[0]).collect();
            gains.iter().sum::<f64>() / gains.len() as f64
        };
        seeds.into_iter().map(of_seed).collect()
    };
    vec![Row::new(
        19,
        "Fields that act as a bias are found in logs with 5 % shuffled slates, and others are not",
        vec![
            Claim::new(
                "real biases that were missed, in each world",
                missed,
                Gate::EveryEqual(0.0),
            ),
            Claim::new(
                "share of other fields that were called a bias",
                share,
                Gate::MeanAtMost(0.05),
            ),
            Claim::new(
                "nDCG after applying, worlds with planted biases",
                gain(true),
                Gate::LowAbove(0.0),
            ),
            Claim::new(
                "nDCG after applying, worlds without",
                gain(false),
                Gate::MeanAtLeast(-0.002),
            ),
        ],
    )]
}

/// For the page: how often each field was called a bias.
pub(super) fn table(found: &[Discovered]) -> Option<Markup> {
    let names: Vec<&str> = found
        .first()?
        .fields
        .iter()
        .map(|field| field.name.as_str())
        .collect();
    let rows: Vec<(&str, &str, usize, usize, f64)> = names
        .into_iter()
        .map(|name| {
            let of: Vec<&Field> = found
                .iter()
                .filter(|of| of.discovery.planted)
                .flat_map(|of| &of.fields)
                .filter(|field| field.name == name)
                .collect();
            let what = match of.first() {
                Some(field) if field.real => "real",
                Some(field) if field.decoy => "decoy",
                _ => "null",
            };
            let largest = of
                .iter()
                .filter_map(|field| field.z)
                .fold(f64::NEG_INFINITY, f64::max);
            (
                name,
                what,
                of.iter().filter(|field| field.called).count(),
                of.len(),
                largest,
            )
        })
        .collect();
    Some(html! {
        p { "In worlds with planted biases, over seeds and loggers. A decoy goes with what people want, and so looks like a cause of clicks." }
        div.scroll { table {
            thead { tr { th.name { "field" } th.left { "in truth" } th { "called a bias" } th { "of" } th { "largest z" } } }
            @for (name, what, called, of, z) in rows {
                tr.bad[if what == "real" { called < of } else { called > 0 }] {
                    td.name { (name) } td.left { (what) } td { (called) } td { (of) } td { (format!("{z:.1}")) }
                }
            }
        } }
    })
}
