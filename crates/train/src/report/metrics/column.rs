//! The columns of the tables: where a metric is found, what it means, what a constant reaches.

use crate::ObjectiveMetrics;
use crate::report::number::decimal;

/// Which of two values is the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Better {
    Higher,
    Lower,
    /// Closer to 1; a baseline that is closer is no reproach, for its predictions may all be alike.
    One,
}

/// What the constant predictor reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Constant {
    Unknown,
    /// One half, wherever the model has a value: it cannot order.
    Half,
    /// 1, by definition.
    One,
    Loss,
    /// Mean label of training / mean label here.
    Calibration,
}

/// A metric.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) digits: usize,
    pub(super) of: fn(&ObjectiveMetrics) -> Option<f64>,
    pub(super) meaning: &'static str,
    better: Better,
    constant: Constant,
}

impl Column {
    pub(super) fn constant(&self, model: &ObjectiveMetrics, mean: Option<f64>) -> Option<f64> {
        (self.of)(model)?;
        match self.constant {
            Constant::Unknown => None,
            Constant::Half => Some(0.5),
            Constant::One => Some(1.0),
            Constant::Loss => model.constant_loss,
            Constant::Calibration => Some(mean? / model.mean_label).filter(|ratio| ratio.is_finite()),
        }
    }

    /// Whether the model's value is worse than another's, by a difference that is seen.
    pub(super) fn is_worse(&self, model: f64, other: f64) -> bool {
        let worse = match self.better {
            Better::Higher => model < other,
            Better::Lower => model > other,
            Better::One => false,
        };
        worse && decimal(Some(model), self.digits) != decimal(Some(other), self.digits)
    }
}

const fn column(
    name: &'static str,
    (better, constant): (Better, Constant),
    of: fn(&ObjectiveMetrics) -> Option<f64>,
    meaning: &'static str,
) -> Column {
    Column {
        name,
        digits: if matches!(better, Better::One) { 3 } else { 4 },
        of,
        meaning,
        better,
        constant,
    }
}

const ORDER: (Better, Constant) = (Better::Higher, Constant::Half);
const RATIO: (Better, Constant) = (Better::One, Constant::Calibration);

/// Of every objective.
pub(super) const ALL: [Column; 7] = [
    column(
        "AUC",
        ORDER,
        |m| m.auc,
        "Chance that a positive is predicted above a negative: 0.5 is chance, 1 perfect order.",
    ),
    column(
        "GAUC",
        ORDER,
        |m| m.gauc,
        "AUC within each person, weighted by examples: whether one person's items are in order, which is all that a slate needs.",
    ),
    column(
        "loss",
        (Better::Lower, Constant::Loss),
        |m| m.loss,
        "Log loss of binary objectives, squared error of the others; lower is better.",
    ),
    column(
        "loss / constant",
        (Better::Lower, Constant::One),
        ObjectiveMetrics::relative_loss,
        "Loss divided by the constant's: below 1 something was learned. Its mean over objectives is what training stops by.",
    ),
    column(
        "NE",
        (Better::Lower, Constant::Unknown),
        |m| m.normalized_entropy,
        "Normalised entropy: log loss / entropy of the mean label of these examples, so that rare and common labels compare.",
    ),
    column(
        "calibration",
        RATIO,
        |m| m.calibration,
        "Sum predicted / sum observed: 1 is right, 1.1 predicts a tenth too much. Matters where predictions are combined in a score.",
    ),
    column(
        "ECE",
        (Better::Lower, Constant::Unknown),
        |m| m.calibration_error,
        "Expected calibration error: mean distance of predicted and observed rates over 15 bins of equal size. A baseline that \
         predicts nearly the same for all can have a small one.",
    ),
];

/// Of logs with slates or positions.
pub(super) const SLATES: [Column; 7] = [
    column(
        "slate AUC",
        ORDER,
        |m| m.slate_auc,
        "Mean AUC within a slate: order among what was shown together.",
    ),
    column(
        "NDCG@10",
        (Better::Higher, Constant::Unknown),
        |m| m.ndcg_10,
        "Normalised discounted cumulative gain of the first ten of a slate: 1 where the largest labels come first.",
    ),
    column(
        "AUC at equal position",
        ORDER,
        |m| m.equal_position_auc,
        "AUC over pairs that were shown at the same position: knowing the position cannot help here.",
    ),
    column(
        "AUC, as served",
        ORDER,
        |m| m.missing_auc,
        "AUC with the position missing, as it is when a request is served. Lower than AUC by what the logged position gave away.",
    ),
    column(
        "slate AUC, as served",
        ORDER,
        |m| m.missing_slate_auc,
        "Slate AUC with the position missing. Labels were logged under position bias, so it is no measure of debiasing.",
    ),
    column(
        "at equal position, as served",
        ORDER,
        |m| m.missing_equal_position_auc,
        "AUC at equal position with the position missing.",
    ),
    column(
        "calibration, as served",
        RATIO,
        |m| m.missing_calibration,
        "Sum predicted / sum observed with the position missing.",
    ),
];

/// Of objectives that are not binary.
pub(super) const AMOUNTS: [Column; 2] = [
    column(
        "XAUC",
        ORDER,
        |m| m.xauc,
        "Chance that of two examples the one with the larger label is predicted above: 0.5 is chance.",
    ),
    column(
        "mean absolute error",
        (Better::Lower, Constant::Unknown),
        |m| m.mean_absolute_error,
        "Mean distance of prediction and label, in the label's unit.",
    ),
];
