"""Writes scikit_learn.json: predictions, labels and groups, and what scikit-learn and SciPy say of them.

python make.py    (numpy, scikit-learn, scipy)
"""

import json
import pathlib

import numpy
from scipy import stats
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss, mean_absolute_error, mean_squared_error, ndcg_score, roc_auc_score

random = numpy.random.default_rng(7)
# Of its own, so that what the other draws stays as it is.
more_random = numpy.random.default_rng(11)


def case(rows, ties):
    logits = random.normal(-1.0, 1.5, rows)
    labels = (random.random(rows) < 1.0 / (1.0 + numpy.exp(-logits - random.normal(0.0, 1.0, rows)))).astype(int)
    predictions = (1.0 / (1.0 + numpy.exp(-logits))).astype(numpy.float32)
    if ties:
        predictions = numpy.float32(numpy.round(predictions, 1) * 0.98 + 0.01)
    groups = random.integers(0, rows // 8, rows)
    sums = [0.0, 0.0]
    for group in numpy.unique(groups):
        own = groups == group
        if len(numpy.unique(labels[own])) == 2:
            sums[0] += roc_auc_score(labels[own], predictions[own]) * own.sum()
            sums[1] += own.sum()
    wide = predictions.astype(numpy.float64)
    return {
        "predictions": [float(p) for p in predictions],
        "labels": [int(y) for y in labels],
        "groups": [int(g) for g in groups],
        "auc": roc_auc_score(labels, predictions),
        "gauc": sums[0] / sums[1],
        "log_loss": log_loss(labels, wide),
        "squared_error": mean_squared_error(labels, wide),
    }


def of_groups(labels, predictions, groups, weight):
    """Mean of the AUC of groups, weighted."""
    aucs, weights = [], []
    for group in numpy.unique(groups):
        own = groups == group
        if len(numpy.unique(labels[own])) == 2:
            aucs.append(roc_auc_score(labels[own], predictions[own]))
            weights.append(weight(labels[own]))
    return numpy.average(aucs, weights=weights)


def pairs(labels):
    return labels.sum() * (1 - labels).sum()


def ndcg(grades, predictions, groups, k):
    """scikit-learn's gain is the label itself; it averages ties. Lists of one it refuses: their only order is the best."""
    found = []
    for group in numpy.unique(groups):
        own = groups == group
        if grades[own].max() > 0:
            gains = 2.0 ** grades[own] - 1.0
            found.append(ndcg_score([gains], [predictions[own]], k=k) if own.sum() > 1 else 1.0)
    return numpy.mean(found)


def extended(case):
    """With graded labels, amounts and positions, and the metrics of those."""
    predictions = numpy.array(case["predictions"])
    labels, groups = numpy.array(case["labels"]), numpy.array(case["groups"])
    rows = len(labels)
    positions = more_random.integers(0, 6, rows)
    grades = numpy.where(more_random.random(rows) < 0.5, more_random.binomial(4, predictions), 0)
    amounts = numpy.float32(numpy.round(30.0 * predictions + more_random.normal(0.0, 8.0, rows)))
    shown = positions > 0
    rate = labels.mean()
    bin_labels, bin_predictions = calibration_curve(labels, predictions, n_bins=8, strategy="quantile")
    return case | {
        "positions": positions.tolist(),
        "grades": grades.tolist(),
        "amounts": amounts.tolist(),
        "pooled_auc": of_groups(labels, predictions, groups, pairs),
        "mean_auc": of_groups(labels, predictions, groups, lambda own: 1.0),
        "equal_position_auc": of_groups(labels[shown], predictions[shown], positions[shown], pairs),
        "ndcg": {str(k): ndcg(grades, predictions, groups, k) for k in (1, 3, 5, 100)},
        "normalized_entropy": case["log_loss"] / stats.entropy([rate, 1.0 - rate]),
        "mean_absolute_error": mean_absolute_error(amounts, predictions),
        # Somers' D is (pairs in order - pairs in reverse) / pairs of differing amounts.
        "xauc": (1.0 + stats.somersd(amounts, predictions).statistic) / 2.0,
        # Quantile bins are those of equal counts only where nothing ties.
        "bins": None if len(numpy.unique(predictions)) < rows else {"predictions": bin_predictions.tolist(), "labels": bin_labels.tolist()},
    }


def interval(count, confidence):
    values = random.normal(0.7, 0.01, count)
    low, high = stats.t.interval(confidence, count - 1, values.mean(), stats.sem(values))
    return {"values": values.tolist(), "confidence": confidence, "mean": values.mean(), "low": low, "high": high}


golden = {
    "cases": [extended(made) for made in (case(64, False), case(200, True))],
    "intervals": [interval(2, 0.95), interval(5, 0.95), interval(12, 0.99), interval(40, 0.8)],
}
pathlib.Path(__file__).with_name("scikit_learn.json").write_text(json.dumps(golden, indent=None) + "\n")
