//! The proof as a whole: which pieces the asked rows need, done or taken from an earlier run, and what they come to.
//!
//! In: a recipe, rows, a folder. Out: a [`Proof`], also as `truth.json` and `truth.html` there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;
use train::Progress;
use world::Examination::{self, Additive, Cascade, Product};

use super::arm::{self, Arm};
use super::cell::{Cell, Outcome, Rater};
use super::days::{Days, Worth};
use super::discovery::{Discovered, Discovery};
use super::fusion::{Fused, Fusion};
use super::recipe::Recipe;
use super::rows::{self, Row};
use super::{jobs, page};
use crate::failure::Usage;

/// All rows.
pub(crate) const ROWS: std::ops::RangeInclusive<u32> = 1..=19;

/// What to prove.
pub(crate) struct Options {
    /// The folder of the results.
    pub out: PathBuf,
    pub recipe: Recipe,
    /// Numbers of rows.
    pub rows: BTreeSet<u32>,
    pub threads: usize,
}

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Proof {
    pub recipe: Recipe,
    pub rows: Vec<Row>,
    pub cells: Vec<Outcome>,
    pub loops: Vec<Worth>,
    pub fusions: Vec<Fused>,
    pub discoveries: Vec<Discovered>,
}

impl Proof {
    /// Numbers of the rows that missed their gate.
    pub(crate) fn missed(&self) -> Vec<u32> {
        self.rows
            .iter()
            .filter(|row| !row.held)
            .map(|row| row.number)
            .collect()
    }
}

/// Runs what is asked for and writes what came of it.
pub(crate) fn prove(options: &Options, progress: &mut dyn Progress) -> anyhow::Result<Proof> {
    let Options {
        out,
        recipe,
        rows,
        threads,
    } = options;
    begin(out, recipe)?;
    let needs = |numbers: &[u32]| numbers.iter().any(|number| rows.contains(number));
    let (mut cells, mut loops, mut fusions, mut discoveries) = (vec![], vec![], vec![], vec![]);
    if needs(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 16, 17]) {
        let (jobs, folder) = (cell_jobs(recipe, rows), out.join("cells"));
        cells = jobs::all(
            "worlds",
            &jobs,
            &folder,
            *threads,
            progress,
            Cell::name,
            |job, stop| job.run(recipe, stop),
        )?;
    }
    if needs(&[13, 14, 15]) {
        let (jobs, folder) = (loop_jobs(recipe), out.join("loops"));
        loops = jobs::all(
            "closed loops",
            &jobs,
            &folder,
            *threads,
            progress,
            Days::name,
            |job, stop| job.live(recipe, stop),
        )?;
    }
    if needs(&[18]) {
        let (jobs, folder) = (fusion_jobs(recipe), out.join("fusion"));
        fusions = jobs::all(
            "score weights",
            &jobs,
            &folder,
            *threads,
            progress,
            Fusion::name,
            |job, stop| job.run(recipe, stop),
        )?;
    }
    if needs(&[19]) {
        let (jobs, folder) = (discovery_jobs(recipe), out.join("discovery"));
        discoveries = jobs::all(
            "bias fields",
            &jobs,
            &folder,
            *threads,
            progress,
            Discovery::name,
            |job, stop| job.run(recipe, stop),
        )?;
    }
    let judged = rows::all(&cells, &loops, &fusions, &discoveries);
    let proof = Proof {
        recipe: *recipe,
        rows: judged
            .into_iter()
            .filter(|row| rows.contains(&row.number))
            .collect(),
        cells,
        loops,
        fusions,
        discoveries,
    };
    write(
        out,
        "truth.json",
        serde_json::to_string_pretty(&proof)?.as_bytes(),
    )?;
    write(out, "truth.html", page::html(&proof).as_bytes())?;
    Ok(proof)
}

/// Makes the folder, or sees that what it holds is of this recipe.
fn begin(out: &Path, recipe: &Recipe) -> anyhow::Result<()> {
    std::fs::create_dir_all(out).with_context(|| format!("creating {}", out.display()))?;
    let what = serde_json::json!({
        "recipe": recipe,
        "version": env!("CARGO_PKG_VERSION"),
        "declarations": model::sealed::digest(arm::DECLARATIONS.concat().as_bytes()),
    });
    let (file, what) = (out.join("recipe.json"), serde_json::to_vec_pretty(&what)?);
    match std::fs::read(&file) {
        Ok(found) if found == what => Ok(()),
        Ok(_) => Err(Usage(format!(
            "{} holds results of another recipe or version; name another folder with `--out`, or remove it",
            out.display()
        ))
        .into()),
        Err(_) => write(out, "recipe.json", &what),
    }
}

fn write(out: &Path, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let path = out.join(name);
    model::sealed::write_durably(&path, bytes).with_context(|| format!("writing {}", path.display()))
}

/// The cells that these rows look at.
fn cell_jobs(recipe: &Recipe, rows: &BTreeSet<u32>) -> Vec<Cell> {
    let mut kinds: Vec<(Examination, Rater, f64)> = product(&[Additive, Product], &Rater::ALL)
        .map(|(examination, logger)| (examination, logger, 1.0))
        .collect();
    // What no gate but that of permuted positions asks about.
    kinds.extend([Rater::Random, Rater::Wrong].map(|logger| (Cascade, logger, 1.0)));
    kinds.push((Additive, Rater::Weak, 0.0));
    let asked = |&(examination, logger, eta): &(Examination, Rater, f64)| {
        let looked_at: &[u32] = match (examination, logger) {
            _ if eta == 0.0 => &[12],
            (Additive, Rater::Wrong) => &[1, 3, 4, 5, 6, 9, 16],
            (Product, Rater::Wrong) => &[2, 3, 4, 6, 16],
            (Additive, Rater::Random) => &[7, 8],
            (Product, Rater::Random) => &[7, 10],
            (Additive | Product, Rater::Strong) => &[11, 16],
            (Additive | Product, Rater::Weak) => &[16],
            (Cascade, _) => &[],
        };
        rows.contains(&17) || looked_at.iter().any(|row| rows.contains(row))
    };
    let kinds: Vec<_> = kinds.into_iter().filter(asked).collect();
    let jobs = (0..recipe.seeds).flat_map(|seed| {
        kinds.iter().map(move |&(examination, logger, eta)| Cell {
            seed,
            examination,
            logger,
            eta,
        })
    });
    jobs.collect()
}

fn loop_jobs(recipe: &Recipe) -> Vec<Days> {
    let kinds = product(&[Additive, Product], &[Arm::None, Arm::Tower]);
    let jobs = kinds.flat_map(|(examination, arm)| {
        (0..recipe.seeds).map(move |seed| Days {
            seed,
            examination,
            arm,
        })
    });
    jobs.collect()
}

fn fusion_jobs(recipe: &Recipe) -> Vec<Fusion> {
    let kinds = product(&[Additive, Product], &[Rater::Wrong, Rater::Weak]);
    let jobs = kinds.flat_map(|(examination, logger)| {
        (0..recipe.seeds).map(move |seed| Fusion {
            seed,
            examination,
            logger,
        })
    });
    jobs.collect()
}

fn discovery_jobs(recipe: &Recipe) -> Vec<Discovery> {
    let kinds = product(&[Rater::Random, Rater::Strong, Rater::Wrong], &[true, false]);
    let jobs = kinds.flat_map(|(logger, planted)| {
        (0..recipe.seeds).map(move |seed| Discovery::new(seed, logger, planted))
    });
    jobs.collect()
}

fn product<A: Copy, B: Copy>(a: &[A], b: &[B]) -> impl Iterator<Item = (A, B)> {
    let (a, b) = (a.to_vec(), b.to_vec());
    a.into_iter()
        .flat_map(move |a| b.clone().into_iter().map(move |b| (a, b)))
}
