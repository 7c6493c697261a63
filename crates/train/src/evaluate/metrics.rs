//! The metrics of one objective, and of all.

use measure::ListAuc;
use spec::{Loss, Objective};

use super::{Outcome, pick};

const LOG_LOSS: &str = "log loss";
const SQUARED_ERROR: &str = "squared error";
/// Bins of the calibration error.
const BINS: usize = 15;
/// Depth of NDCG.
const DEPTH: usize = 10;
/// Highest grade that NDCG is given for.
const GRADES: f32 = 10.0;

/// What to do where [`ObjectiveMetrics::shuffled_list_auc`] is of no objective.
pub const NO_SHUFFLED_SLATES: &str = "no shuffled slates: set `[explore] shuffle = 0.02` in the declaration that is served, or name the \
                                      log's column in `[keys] shuffled`; on them a model is judged without position bias";

/// Metrics of one objective. `None`: the metric is not of this kind of objective, or the examples cannot tell.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ObjectiveMetrics {
    /// The objective.
    pub name: String,
    /// `log loss` or `squared error`.
    pub loss_name: String,
    /// Examples with an observed label.
    pub examples: usize,
    /// Of a binary objective, examples with a label above one half.
    pub positives: Option<usize>,
    /// Mean label.
    #[serde(with = "crate::exact")]
    pub mean_label: f64,
    /// Mean loss; `None` without examples.
    #[serde(with = "crate::exact::option")]
    pub loss: Option<f64>,
    /// Mean loss of the constant predictor: the training part's mean label.
    #[serde(with = "crate::exact::option")]
    pub constant_loss: Option<f64>,
    /// Chance that a positive is predicted above a negative; binary objectives with both.
    pub auc: Option<f64>,
    /// AUC within a person, weighted by examples.
    pub gauc: Option<f64>,
    /// Sum predicted / sum observed.
    pub calibration: Option<f64>,
    /// Log loss / entropy of the mean label: below 1 something was learned.
    pub normalized_entropy: Option<f64>,
    /// Mean distance of predicted and observed rates over 15 bins of equal size.
    pub calibration_error: Option<f64>,
    /// Mean AUC within a slate.
    pub slate_auc: Option<f64>,
    /// Mean NDCG at 10 within a slate, gain 2^label - 1.
    pub ndcg_10: Option<f64>,
    /// AUC over pairs of a positive and a negative at the same position: what logged positions cannot help with.
    pub equal_position_auc: Option<f64>,
    /// Chance that of two examples the one with the larger label is predicted above; objectives that are not binary.
    pub xauc: Option<f64>,
    /// Mean distance of prediction and label; objectives that are not binary.
    pub mean_absolute_error: Option<f64>,
    /// The same with the position missing, as requests are served; objectives with a shallow logit.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub missing_auc: Option<f64>,
    /// See [`ObjectiveMetrics::missing_auc`].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub missing_slate_auc: Option<f64>,
    /// See [`ObjectiveMetrics::missing_auc`].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub missing_equal_position_auc: Option<f64>,
    /// See [`ObjectiveMetrics::missing_auc`].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub missing_calibration: Option<f64>,
    /// Mean AUC within a slate, on slates whose order was drawn at random and of predictions as requests are served. There a
    /// position tells nothing of relevance, so it is unbiased but for noise. Binary objectives.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub shuffled_list_auc: Option<ListAuc>,
}

/// Metrics of all objectives.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Evaluation {
    /// In the spec's order.
    pub objectives: Vec<ObjectiveMetrics>,
}

impl Outcome {
    pub(crate) fn metrics(
        &self,
        objective: &Objective,
        constant: Option<f64>,
        people: bool,
    ) -> ObjectiveMetrics {
        let some = !self.labels.is_empty();
        let binary = objective.loss == Loss::Binary;
        let loss = |predictions: &[f32]| {
            if binary {
                measure::log_loss(predictions, &self.labels)
            } else {
                measure::squared_error(predictions, &self.labels)
            }
        };
        let sum: f64 = self.labels.iter().map(|&label| f64::from(label)).sum();
        let shown = Ranked::of(self, &self.predictions, binary);
        let served = Ranked::of(self, &self.served, binary && !self.served.is_empty());
        let if_binary = |metric: fn(&[f32], &[f32]) -> Option<f64>| {
            binary.then(|| metric(&self.predictions, &self.labels)).flatten()
        };
        let if_not = |metric: fn(&[f32], &[f32]) -> Option<f64>| {
            (!binary)
                .then(|| metric(&self.predictions, &self.labels))
                .flatten()
        };
        ObjectiveMetrics {
            name: objective.name.clone(),
            loss_name: if binary { LOG_LOSS } else { SQUARED_ERROR }.to_owned(),
            examples: self.labels.len(),
            positives: binary.then(|| self.labels.iter().filter(|label| **label > 0.5).count()),
            mean_label: if some { sum / self.labels.len() as f64 } else { 0.0 },
            loss: some.then(|| loss(&self.predictions)),
            constant_loss: constant
                .filter(|_| some)
                .map(|constant| loss(&vec![constant as f32; self.labels.len()])),
            auc: shown.auc,
            gauc: (binary && people)
                .then(|| measure::gauc(&self.predictions, &self.labels, &self.users))
                .flatten(),
            calibration: measure::calibration(&self.predictions, &self.labels),
            normalized_entropy: if_binary(measure::normalized_entropy),
            calibration_error: if_binary(|predictions, labels| {
                measure::expected_calibration_error(predictions, labels, BINS)
            }),
            slate_auc: shown.slate_auc,
            ndcg_10: graded(objective).then(|| self.ndcg(&self.predictions)).flatten(),
            equal_position_auc: shown.equal_position_auc,
            xauc: if_not(measure::xauc),
            mean_absolute_error: if_not(measure::mean_absolute_error),
            missing_auc: served.auc,
            missing_slate_auc: served.slate_auc,
            missing_equal_position_auc: served.equal_position_auc,
            missing_calibration: (!self.served.is_empty())
                .then(|| measure::calibration(&self.served, &self.labels))
                .flatten(),
            shuffled_list_auc: binary.then(|| self.shuffled_list_auc()).flatten(),
        }
    }

    fn shuffled_list_auc(&self) -> Option<ListAuc> {
        let served = if self.served.is_empty() {
            &self.predictions
        } else {
            &self.served
        };
        let rows: Vec<usize> = (0..self.labels.len())
            .filter(|&row| self.shuffled[row] && self.slates[row] != 0)
            .collect();
        let (predictions, labels) = (pick(served, &rows), pick(&self.labels, &rows));
        measure::list_auc(&predictions, &labels, &pick(&self.slates, &rows))
    }

    fn has_slates(&self) -> bool {
        !self.slates.is_empty() && self.slates.iter().all(|slate| *slate != 0)
    }

    fn ndcg(&self, predictions: &[f32]) -> Option<f64> {
        self.has_slates()
            .then(|| measure::ndcg(predictions, &self.labels, &self.slates, DEPTH))
            .flatten()
    }
}

/// Whether 2^label - 1 is a sensible gain: yes and no, or grades.
fn graded(objective: &Objective) -> bool {
    let grades = |(low, high): (f32, f32)| low >= 0.0 && high <= GRADES;
    objective.loss == Loss::Binary || objective.loss == Loss::Squared && objective.clip.is_some_and(grades)
}

/// How well predictions order a binary objective's examples.
#[derive(Default)]
struct Ranked {
    auc: Option<f64>,
    slate_auc: Option<f64>,
    equal_position_auc: Option<f64>,
}

impl Ranked {
    fn of(outcome: &Outcome, predictions: &[f32], known: bool) -> Ranked {
        if !known {
            return Ranked::default();
        }
        let labels = &outcome.labels;
        Ranked {
            auc: measure::auc(predictions, labels),
            slate_auc: outcome
                .has_slates()
                .then(|| measure::mean_auc(predictions, labels, &outcome.slates))
                .flatten(),
            equal_position_auc: measure::equal_position_auc(predictions, labels, &outcome.positions),
        }
    }
}

/// The loss of a perfect constant on labels of one class is not 0, since probabilities are clamped before the logarithm.
const PERFECT_LOG_LOSS: f64 = 2e-7;

impl ObjectiveMetrics {
    /// The constant predictor's loss, where it leaves anything to be learned.
    fn imperfect_constant(&self) -> Option<f64> {
        let perfect = if self.loss_name == LOG_LOSS {
            PERFECT_LOG_LOSS
        } else {
            0.0
        };
        self.constant_loss.filter(|&loss| loss > perfect)
    }

    /// Loss / the constant predictor's: 1 = no better than a constant; `None` where the examples cannot tell.
    pub fn relative_loss(&self) -> Option<f64> {
        Some(self.loss? / self.imperfect_constant()?)
    }
}

impl Evaluation {
    /// Whether any objective was judged on shuffled slates.
    pub fn has_shuffled(&self) -> bool {
        self.objectives
            .iter()
            .any(|metrics| metrics.shuffled_list_auc.is_some())
    }

    /// Whether any of the objectives `of` (indices) has examples on which more can be learned than a constant.
    pub fn can_tell(&self, of: &[usize]) -> bool {
        of.iter()
            .any(|at| self.objectives[*at].imperfect_constant().is_some())
    }

    /// Mean over the objectives `of` (indices) of loss / the constant predictor's loss: one number to stop by. 1 = no better than constants;
    /// objectives without examples, or whose constant is perfect, say nothing.
    pub fn relative_loss(&self, of: &[usize]) -> f64 {
        let ratios: Vec<f64> = of
            .iter()
            .filter_map(|at| self.objectives[*at].relative_loss())
            .collect();
        if ratios.is_empty() {
            f64::NAN
        } else {
            ratios.iter().sum::<f64>() / ratios.len() as f64
        }
    }
}
