//! The judge of the proof: how near a ranker's order is to what people truly want, and its curve to the true one. Uses truth.
//!
//! In: a world's fresh visits, a ranker. Out: [`Judged`]. No learned part sees any of it.

use anyhow::Context;
use events::Examples;
use model::{Encoded, Positions, Ranker};
use serde::{Deserialize, Serialize};
use spec::Spec;
use train::ListRows;
use world::{Device, Examination, Grades, Visit, World};

use super::arm::Arm;
use super::lab::Lab;

/// Positions of a slate.
pub(crate) const SLATE: u32 = 10;
/// Layer of the draws of what everybody wants.
const WANTED: u32 = 1 << 20;
/// Videos that count as the best of a visit's candidates.
const TOP: usize = 10;

/// Fresh visits with all their candidates, and what is true of them.
pub(super) struct Exam {
    examples: Examples,
    /// Grades 0 to 4.
    grades: Vec<f32>,
    /// 1 for the truly best ten of a visit.
    top: Vec<f32>,
    /// The visit of each candidate.
    visits: Vec<u64>,
}

/// What became of an arm.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Judged {
    pub arm: Arm,
    /// nDCG at 10 against the grades.
    pub ndcg: f64,
    /// AUC of the truly best ten against the other candidates of a visit.
    pub top_auc: f64,
    /// AUC within the lists of the shuffled slice: all that a real log could tell.
    pub list_auc: f64,
    /// Scores of the exam that changed when logged positions were permuted: 0, or serving leaks positions.
    pub permuted: usize,
    /// How far the learned curve is from the true one.
    pub curve: Option<CurveError>,
}

/// How far a learned curve is from the true one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CurveError {
    /// Mean over devices and positions from 2 on of |learned - true|, each relative to position 1.
    pub error: f64,
    /// Learned over true slope; 1 is exact. `None` where there is no slope.
    pub slope: Option<f64>,
    /// Learned, relative to position 1: per device, per position.
    pub learned: Vec<Vec<f64>>,
    /// True, likewise.
    pub truth: Vec<Vec<f64>>,
}

impl Exam {
    pub(super) fn new(lab: &Lab, spec: &Spec, visits: &[Visit]) -> anyhow::Result<Exam> {
        let world = &lab.world;
        let grades = Grades::fit(world, visits);
        let mut exam = Exam {
            examples: lab.candidates(spec, visits)?,
            grades: Vec::new(),
            top: Vec::new(),
            visits: Vec::new(),
        };
        for visit in visits {
            let truth: Vec<f64> = visit
                .candidates
                .iter()
                .map(|&video| world.attraction(visit, video))
                .collect();
            let mut falling = truth.clone();
            falling.sort_by(|a, b| b.total_cmp(a));
            let least = falling.get(TOP - 1).copied().unwrap_or(f64::NEG_INFINITY);
            exam.grades.extend(truth.iter().map(|&u| f32::from(grades.of(u))));
            exam.top
                .extend(truth.iter().map(|&u| if u >= least { 1.0 } else { 0.0 }));
            exam.visits.extend(std::iter::repeat_n(visit.number, truth.len()));
        }
        Ok(exam)
    }

    /// nDCG at 10 against the grades, as served.
    pub(super) fn ndcg(&self, ranker: &Ranker) -> f64 {
        let scores = ranker.predict(&ranker.encoder.encode(&self.examples), Positions::Served);
        measure::ndcg(&scores.logits[0], &self.grades, &self.visits, SLATE as usize).unwrap_or(f64::NAN)
    }

    /// Judges an arm, also on the shuffled slice of a log.
    pub(super) fn judge(&self, arm: Arm, ranker: &Ranker, world: &World, shuffled: &Examples) -> Judged {
        let mut batch = ranker.encoder.encode(&self.examples);
        let served = ranker.predict(&batch, Positions::Served);
        let scores = &served.logits[0];
        let last = batch.positions.len();
        for (at, position) in batch.positions.iter_mut().enumerate() {
            *position = 1 + ((last - at) as u32 * 7) % SLATE;
        }
        let again = ranker.predict(&batch, Positions::Served);
        let permuted = scores
            .iter()
            .zip(&again.logits[0])
            .filter(|(a, b)| a.to_bits() != b.to_bits())
            .count();
        let mut lists = ListRows::default();
        lists.add(ranker, &ranker.encoder.encode(shuffled));
        Judged {
            arm,
            ndcg: self.ndcg(ranker),
            top_auc: measure::mean_auc(scores, &self.top, &self.visits).unwrap_or(f64::NAN),
            list_auc: lists.finish().auc().mean,
            permuted,
            curve: CurveError::of(arm, ranker, world),
        }
    }
}

impl CurveError {
    /// Of an arm that learns a curve, in a world whose curve does not depend on what is shown.
    fn of(arm: Arm, ranker: &Ranker, world: &World) -> Option<CurveError> {
        let learns = matches!(
            arm,
            Arm::Tower0 | Arm::Tower | Arm::Tower30 | Arm::Output | Arm::Reversal | Arm::Product
        );
        if !learns || world.constants().examination == Examination::Cascade {
            return None;
        }
        let shallow = ranker.weights.shallow.as_ref()?;
        let learned: Vec<Vec<f64>> = (0..Device::ALL.len())
            .map(|cell| shallow.curve(0, cell as u32))
            .collect();
        let truth: Vec<Vec<f64>> = Device::ALL
            .iter()
            .map(|&device| world.true_curve(device, SLATE, std::iter::empty()))
            .collect();
        let (error, slope) = CurveError::between(&learned, &truth);
        Some(CurveError {
            error,
            slope,
            learned,
            truth,
        })
    }

    /// Error and slope of learned curves, `[cells][positions]` relative to position 1, against true ones.
    pub(super) fn between(learned: &[Vec<f64>], truth: &[Vec<f64>]) -> (f64, Option<f64>) {
        let pairs = learned
            .iter()
            .zip(truth)
            .flat_map(|(learned, truth)| learned.iter().zip(truth).skip(1));
        let (mut error, mut count, mut product, mut square) = (0.0, 0.0, 0.0, 0.0);
        for (learned, truth) in pairs {
            error += (learned - truth).abs();
            count += 1.0;
            product += learned * truth;
            square += truth * truth;
        }
        (error / count, (square > 0.0).then(|| product / square))
    }
}

/// The visit and the video of each example of a log of the proof.
fn seen<'e>(
    world: &'e World,
    examples: &'e Examples,
) -> impl Iterator<Item = anyhow::Result<(Visit, u32)>> + 'e {
    let rows = examples
        .slates()
        .iter()
        .zip(examples.items())
        .zip(examples.times());
    rows.map(move |((slate, item), &time)| {
        let number = slate
            .and_then(|slate| slate.rsplit_once('-'))
            .and_then(|(_, number)| number.parse().ok());
        let video = item.and_then(|item| world.video_of(item));
        let (number, video) = number
            .zip(video)
            .context("an example of the proof that the world does not know")?;
        Ok((world.visit_of_ten(number, time), video))
    })
}

/// The batch with labels as everybody would give who examined everything on equal terms: `sigmoid(u)`, drawn.
pub(super) fn without_bias(world: &World, examples: &Examples, batch: &Encoded) -> anyhow::Result<Encoded> {
    let mut batch = batch.clone();
    for (row, seen) in seen(world, examples).enumerate() {
        let (visit, video) = seen?;
        let wanted = 1.0 / (1.0 + (-world.attraction(&visit, video)).exp());
        let draw = nn::draw(world.seed(), batch.keys[row], WANTED, 0);
        batch.labels[0][row] = if f64::from(draw) < wanted { 1.0 } else { 0.0 };
    }
    Ok(batch)
}

/// The batch with the true probability that each impression was examined, in a product world.
pub(super) fn with_propensities(world: &World, batch: &Encoded) -> Encoded {
    let mut batch = batch.clone();
    let curves: Vec<Vec<f64>> = Device::ALL
        .iter()
        .map(|&device| world.true_curve(device, SLATE, std::iter::empty()))
        .collect();
    batch.propensities = (batch.cells.iter().zip(&batch.positions))
        .map(|(&cell, &position)| {
            let curve = curves.get(cell as usize);
            let at = curve.and_then(|curve| curve.get(position.saturating_sub(1) as usize));
            at.map_or(f32::NAN, |logarithm| logarithm.exp() as f32)
        })
        .collect();
    batch
}

/// Gives the shallow tower the true curve.
pub(super) fn set_curve(world: &World, ranker: &mut Ranker) {
    let product = world.constants().examination == Examination::Product;
    let Some(shallow) = &mut ranker.weights.shallow else {
        return;
    };
    let positions = shallow.positions + 1;
    for (cell, &device) in Device::ALL.iter().enumerate() {
        let curve = world.true_curve(device, SLATE, std::iter::empty());
        let offset = if product {
            0.0
        } else {
            world.constants().device_offset[device as usize]
        };
        for (at, value) in (1..).zip(curve) {
            // As a logit: of the examination probability in a product world, where position 1 is always examined.
            let logit = if product {
                (value - (1.0 - value.exp()).max(1e-6).ln()).min(12.0)
            } else {
                value + offset
            };
            shallow.weight[0][cell * positions + at] = logit as f32;
        }
    }
}
