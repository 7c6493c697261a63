//! The proof on real features and real grades: lists of documents that people graded, with clicks simulated on them.
//!
//! In: a file of graded rows, which column is the query and which the grade. Out: [`Graded`]: how each arm orders queries that it
//! was not trained on, and how far its curve is from the one that the clicks were drawn with. A weak ranker orders ten random
//! documents of a query, and a click needs that the position is examined: `P = (1/k)^eta (eps + (1 - eps) (2^grade - 1) / (2^most - 1))`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, ensure};
use events::{Examples, FlatLog, FlatOptions};
use measure::{Interval, mean_interval, paired_difference};
use model::{Encoded, Encoder, Positions, Ranker, Weights};
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::StandardNormal;
use serde::Serialize;
use spec::Spec;
use train::{Part, Progress, Trainer};

use super::arm::Arm;
use super::jobs::{self, Stopped};
use super::truth::{CurveError, SLATE};
use crate::failure::Usage;

/// Chance of a click on an examined document of grade 0.
const NOISE: f64 = 0.1;
/// How much of the true grade the weak ranker knows; the rest is noise.
const KNOWN: f64 = 0.5;
/// The arms, of which the last uses truth.
const ARMS: [Arm; 4] = [Arm::None, Arm::Tower, Arm::Product, Arm::Full];

/// What to run.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Parquet, CSV or JSONL.
    pub file: PathBuf,
    /// Column of the query.
    pub query: String,
    /// Column of the grade, from 0.
    pub grade: String,
    /// Columns that are no features, beside those two.
    pub leave_out: Vec<String>,
    /// Queries are parted into so many folds; each is judged once.
    pub folds: u64,
    pub seeds: u64,
    /// Simulated impressions of each fold and seed.
    pub impressions: u64,
    pub epochs: usize,
    /// The power of the examination curve.
    pub eta: f64,
    pub out: PathBuf,
    pub threads: usize,
}

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Graded {
    pub rows: usize,
    pub queries: usize,
    pub features: usize,
    pub seeds: u64,
    pub folds: u64,
    pub arms: Vec<ArmGrades>,
}

/// One arm, over seeds; each seed's value is the mean over folds.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ArmGrades {
    pub arm: Arm,
    /// NDCG at 10 against the grades.
    pub ndcg: Interval,
    /// The same less that of no position, paired.
    pub gain: Interval,
    /// Mean over positions from 2 on of |learned - true|, of ln examination relative to position 1.
    pub curve_error: Option<Interval>,
    /// Learned over true slope.
    pub slope: Option<Interval>,
}

/// One seed on one fold: per arm NDCG, and error and slope of its curve.
type Piece = Vec<(f64, Option<(f64, Option<f64>)>)>;

/// The graded rows, encoded, by query.
struct Documents {
    encoded: Encoded,
    encoder: Encoder,
    /// Grades from 0.
    grades: Vec<f64>,
    /// Rows of each query, in the order of the file.
    queries: Vec<Vec<u32>>,
    most: f64,
}

/// Simulates, trains and judges.
pub(crate) fn graded(options: &Options, progress: &mut dyn Progress) -> anyhow::Result<Graded> {
    let features = features(options)?;
    ensure!(
        !features.is_empty(),
        Usage(format!(
            "{} has no column of numbers beside the query and the grade",
            options.file.display()
        ))
    );
    let documents = Documents::read(options, &features)?;
    ensure!(
        documents.queries.iter().any(|query| query.len() > 1),
        Usage(format!(
            "no query of {} has two documents",
            options.file.display()
        ))
    );
    ensure!(
        documents.queries.len() as u64 >= options.folds,
        "{} queries are fewer than {} folds; set `--folds`",
        documents.queries.len(),
        options.folds
    );
    let jobs: Vec<(u64, u64)> = (0..options.seeds)
        .flat_map(|seed| (0..options.folds).map(move |fold| (seed, fold)))
        .collect();
    let name = |(seed, fold): &(u64, u64)| format!("seed{seed}-fold{fold}");
    let pieces: Vec<Piece> = jobs::all(
        "folds",
        &jobs,
        &options.out,
        options.threads,
        progress,
        name,
        |job, stop| documents.piece(options, &features, *job, stop),
    )?;
    Ok(Graded {
        rows: documents.encoded.len,
        queries: documents.queries.len(),
        features: features.len(),
        seeds: options.seeds,
        folds: options.folds,
        arms: summary(options, &pieces),
    })
}

fn summary(options: &Options, pieces: &[Piece]) -> Vec<ArmGrades> {
    // Per seed, the mean over folds.
    let per_seed = |of: &dyn Fn(&Piece) -> Option<f64>| -> Option<Vec<f64>> {
        let seeds = pieces.chunks(options.folds.max(1) as usize);
        seeds
            .map(|folds| Some(folds.iter().map(of).sum::<Option<f64>>()? / folds.len() as f64))
            .collect()
    };
    let ndcg = |at: usize| per_seed(&|piece| Some(piece.get(at)?.0)).unwrap_or_default();
    let none = ndcg(0);
    let arm = |(at, arm): (usize, &Arm)| {
        let own = ndcg(at);
        let curve = |pick: fn((f64, Option<f64>)) -> Option<f64>| {
            per_seed(&|piece| piece.get(at)?.1.and_then(pick)).map(|values| mean_interval(&values, 0.95))
        };
        ArmGrades {
            arm: *arm,
            ndcg: mean_interval(&own, 0.95),
            gain: paired_difference(&own, &none, 0.95),
            curve_error: curve(|(error, _)| Some(error)),
            slope: curve(|(_, slope)| slope),
        }
    };
    ARMS.iter().enumerate().map(arm).collect()
}

/// The columns that are features: numbers, but for those that are named otherwise.
fn features(options: &Options) -> anyhow::Result<Vec<String>> {
    let sample = events::sample(&options.file, 1)?;
    let names: Vec<String> = sample
        .schema
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    for (flag, column) in [("--query", &options.query), ("--grade", &options.grade)] {
        ensure!(
            names.contains(column),
            Usage(format!(
                "`{flag} {column}`: {} has no such column; it has {}",
                options.file.display(),
                names.iter().take(12).cloned().collect::<Vec<_>>().join(", ")
            ))
        );
    }
    let is_number = |at: usize| {
        sample
            .plain_type(at)
            .is_some_and(|words| words.contains("number"))
    };
    let other =
        |name: &String| *name == options.query || *name == options.grade || options.leave_out.contains(name);
    let features = names
        .into_iter()
        .enumerate()
        .filter(|(at, name)| is_number(*at) && !other(name));
    Ok(features.map(|(_, name)| name).collect())
}

/// What the rows are read as: the features, and the grade as it stands.
fn reading(options: &Options, features: &[String]) -> anyhow::Result<Arc<Spec>> {
    let click = format!(
        "loss = \"squared\", clip = [0, 1000], label = {:?}",
        format!("`{}`", options.grade)
    );
    declaration(options, features, &click, "", 0)
}

/// What an arm is trained as: clicks, which are simulated, stand in for the label.
fn training(options: &Options, features: &[String], arm: Arm, seed: u64) -> anyhow::Result<Arc<Spec>> {
    let click = format!(
        "loss = \"binary\", label = {:?}",
        format!("`{}` >= 1", options.grade)
    );
    declaration(options, features, &click, arm.words(), seed)
}

fn declaration(
    options: &Options,
    features: &[String],
    click: &str,
    bias: &str,
    seed: u64,
) -> anyhow::Result<Arc<Spec>> {
    let mut text = format!(
        "[keys]\nslate = {:?}\nabsent = [\"user\", \"item\", \"time\"]\n\n[fields]\n",
        options.query
    );
    for (at, name) in features.iter().enumerate() {
        text += &format!(
            "f{at} = {{ side = \"item\", kind = \"number\", scale = \"quantile\", column = {name:?} }}\n"
        );
    }
    text += &format!(
        "\n[objectives]\nclick = {{ group = \"engagement\", {click} }}\n\n[model]\narchitecture = \"shared-bottom\"\n\
         shared = [48, 24]\ntowers = []\n\n[bias]\nfields = [\"position\"]\ngroups = [\"engagement\"]\nmax_position = {SLATE}\n\
         {bias}\n\n[score]\nclick = 1.0\n\n[train]\nbatch = 512\nlearning_rate = 0.002\nseed = {seed}\n"
    );
    Ok(Arc::new(Spec::parse(
        "the declaration of the graded file",
        &text,
    )?))
}

impl Documents {
    fn read(options: &Options, features: &[String]) -> anyhow::Result<Documents> {
        let spec = reading(options, features)?;
        let files = FlatOptions {
            data: vec![options.file.clone()],
            users: None,
            items: None,
            batch_rows: 8192,
        };
        let log = FlatLog::open(&spec, files)?;
        let parts: Vec<Examples> = Part::whole(&log).read().collect::<Result<_, _>>()?;
        ensure!(!parts.is_empty(), "{} has no rows", options.file.display());
        let examples = Examples::concat(&parts);
        let encoder = Trainer::begin(&spec, &examples).ranker.encoder;
        let encoded = encoder.encode(&examples);
        let grades: Vec<f64> = encoded.labels[0]
            .iter()
            .map(|&grade| f64::from(grade).max(0.0))
            .collect();
        let mut at: BTreeMap<u64, usize> = BTreeMap::new();
        let mut queries: Vec<Vec<u32>> = Vec::new();
        for (row, &query) in (0..).zip(&encoded.slates) {
            let next = queries.len();
            let query = *at.entry(query).or_insert(next);
            if query == next {
                queries.push(Vec::new());
            }
            queries[query].push(row);
        }
        let most = grades
            .iter()
            .copied()
            .filter(|grade| grade.is_finite())
            .fold(1.0, f64::max);
        Ok(Documents {
            encoded,
            encoder,
            grades,
            queries,
            most,
        })
    }

    /// One seed on one fold: simulates clicks on the other folds' queries, trains every arm, judges it on this fold's.
    fn piece(
        &self,
        options: &Options,
        features: &[String],
        (seed, fold): (u64, u64),
        stopped: Stopped,
    ) -> anyhow::Result<Piece> {
        let (mut trained, mut judged): (Vec<&Vec<u32>>, Vec<&Vec<u32>>) = (Vec::new(), Vec::new());
        for (at, query) in (0..).zip(&self.queries) {
            if at % options.folds == fold {
                &mut judged
            } else {
                &mut trained
            }
            .push(query);
        }
        let clicked = self.clicked(options, &trained, seed * options.folds + fold);
        let judged: Vec<u32> = judged.into_iter().flatten().copied().collect();
        let exam = self.encoded.select(&judged);
        let grades: Vec<f32> = judged
            .iter()
            .map(|&row| self.grades[row as usize] as f32)
            .collect();
        let mut piece = Vec::new();
        for arm in ARMS {
            ensure!(!stopped(), train::TrainError::Stopped);
            let spec = training(options, features, arm, seed)?;
            let labels = if arm == Arm::Full {
                &clicked.wanted
            } else {
                &clicked.clicks
            };
            let ranker = self.teach(&spec, &clicked.batch, labels, options.epochs)?;
            let served = ranker.predict(&exam, Positions::Served);
            let ndcg = measure::ndcg(&served.logits[0], &grades, &exam.slates, SLATE as usize);
            let ndcg = ndcg.context("no query of the fold has a document with a grade above 0")?;
            piece.push((ndcg, curve_error(arm, &ranker, options.eta)));
        }
        Ok(piece)
    }

    /// Lists of ten documents of one query, ordered by a weak ranker; what was clicked, and what would be if all were examined.
    fn clicked(&self, options: &Options, queries: &[&Vec<u32>], seed: u64) -> Clicked {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let long: Vec<&&Vec<u32>> = queries.iter().filter(|query| query.len() > 1).collect();
        let mut clicked = Clicked::default();
        let mut rows: Vec<u32> = Vec::new();
        let (mut positions, mut slates) = (Vec::new(), Vec::new());
        while !long.is_empty() && (rows.len() as u64) < options.impressions {
            let mut documents = long[rng.random_range(0..long.len())].to_vec();
            documents.shuffle(&mut rng);
            documents.truncate(SLATE as usize);
            let mut scored: Vec<(f64, u32)> = documents
                .into_iter()
                .map(|row| {
                    let noise: f64 = rng.sample(StandardNormal);
                    (KNOWN * self.grades[row as usize] + noise, row)
                })
                .collect();
            scored.sort_by(|a, b| b.0.total_cmp(&a.0));
            let slate = 1 + rows.len() as u64;
            for (position, (_, row)) in (1_u32..).zip(scored) {
                let wanted = rng.random::<f64>() < self.attraction(row);
                let examined = rng.random::<f64>() < f64::from(position).powf(-options.eta);
                clicked.wanted.push(if wanted { 1.0 } else { 0.0 });
                clicked.clicks.push(if wanted && examined { 1.0 } else { 0.0 });
                rows.push(row);
                positions.push(position);
                slates.push(slate);
            }
        }
        clicked.batch = self.encoded.select(&rows);
        clicked.batch.keys = (0..rows.len() as u64).collect();
        clicked.batch.positions = positions;
        clicked.batch.slates = slates;
        clicked
    }

    /// Chance of a click on an examined document.
    fn attraction(&self, row: u32) -> f64 {
        let gain = |grade: f64| grade.exp2() - 1.0;
        NOISE + (1.0 - NOISE) * gain(self.grades[row as usize]) / gain(self.most)
    }

    fn teach(
        &self,
        spec: &Arc<Spec>,
        batch: &Encoded,
        labels: &[f32],
        epochs: usize,
    ) -> anyhow::Result<Ranker> {
        let mut weights = Weights::new(spec, spec.train.seed);
        let rate = labels.iter().map(|&label| f64::from(label)).sum::<f64>() / labels.len().max(1) as f64;
        weights.set_base_rates(spec, &[Some(rate)]);
        let encoder = Encoder::new(spec.clone(), self.encoder.fitted().clone());
        let mut trainer = Trainer::new(Ranker { encoder, weights });
        let mut batch = batch.clone();
        batch.labels = vec![labels.to_vec()];
        trainer.learn_shuffled(&batch, epochs)?;
        Ok(trainer.ranker)
    }
}

/// A simulated log.
#[derive(Default)]
struct Clicked {
    batch: Encoded,
    clicks: Vec<f32>,
    /// Uses truth: as if everything had been examined.
    wanted: Vec<f32>,
}

/// Error and slope of a learned curve against ln examination, `-eta ln k`.
fn curve_error(arm: Arm, ranker: &Ranker, eta: f64) -> Option<(f64, Option<f64>)> {
    let learns = matches!(arm, Arm::Tower | Arm::Product);
    let learned = ranker.weights.shallow.as_ref().filter(|_| learns)?.curve(0, 0);
    let truth: Vec<f64> = (1..=SLATE).map(|k| -eta * f64::from(k).ln()).collect();
    Some(CurveError::between(&[learned], &[truth]))
}
