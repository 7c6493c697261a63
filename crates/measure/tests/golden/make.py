"""Writes scikit_learn.json: predictions, labels and groups, and what scikit-learn and SciPy say of them.

python make.py    (numpy, scikit-learn, scipy)
"""

import json
import pathlib

import numpy
from scipy import stats
from sklearn.metrics import log_loss, mean_squared_error, roc_auc_score

random = numpy.random.default_rng(7)


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


def interval(count, confidence):
    values = random.normal(0.7, 0.01, count)
    low, high = stats.t.interval(confidence, count - 1, values.mean(), stats.sem(values))
    return {"values": values.tolist(), "confidence": confidence, "mean": values.mean(), "low": low, "high": high}


golden = {
    "cases": [case(64, False), case(200, True)],
    "intervals": [interval(2, 0.95), interval(5, 0.95), interval(12, 0.99), interval(40, 0.8)],
}
pathlib.Path(__file__).with_name("scikit_learn.json").write_text(json.dumps(golden, indent=None) + "\n")
