//! The keys of an objective, and the weights of the score.

use std::ops::Bound;

use super::{Key, NUMBER, POSITIVE, Preset, Table, Type, key};

const LOSSES: &[&str] = &[
    "binary",
    "squared",
    "watch-fraction",
    "weighted-logistic",
    "watch-quantile",
];

/// A weight in `[score]`.
pub(super) static WEIGHT: Type = Type::Number(Bound::Included(-100.0), Bound::Included(100.0));

/// An entry of `[objectives]`.
pub(crate) static OBJECTIVE: Table = Table {
    name: "objectives",
    meaning: "Each entry is one thing that is predicted of a candidate. Its name is a key of `[score]` and \
         of the predictions, and the label where `label` is left out.

`loss` says how it is learned:

- `binary`: cross-entropy on a label from 0 to 1. The prediction is a probability.
- `squared`: squared error. With `clip = [lo, hi]` label and prediction are within the \
         bounds; without, any number is predicted, which the score cannot take.
- `watch-fraction`: a watch time by the share of the `duration` that was watched: squared \
         error on min(label / duration, 1); the prediction is a watch time, duration x share.
- `weighted-logistic`: a watch time by weighted logistic regression (Covington, Adams and \
         Sargin, RecSys 2016, section 4.2): every impression is a negative of weight 1 and a positive \
         of its watch time; the prediction, exp(logit), is the expected watch time.
- `watch-quantile`: a watch time by its rank among examples of about the same `duration` \
         (D2Q: Zhan et al., KDD 2022), which takes the duration's effect out; the prediction is the \
         watch time at that rank and duration.",
    keys: &KEYS,
    later: &[],
};

static KEYS: [Key; 11] = [
    key(
        "group",
        Type::Text,
        Preset::Required,
        "The group that it belongs to, as `engagement` or `satisfaction`; `[bias] groups` names \
         groups.",
        r#"click = { group = "engagement", loss = "binary" }"#,
    ),
    key(
        "loss",
        Type::Words(LOSSES, &[]),
        Preset::Required,
        "How it is learned.",
        r#"rating = { group = "satisfaction", loss = "squared", clip = [1, 5] }"#,
    ),
    key(
        "label",
        Type::Text,
        Preset::Words("the objective's own name"),
        "What is learned from, an expression over names; see \"Labels\".",
        r#"watch = { group = "a", loss = "squared", label = "play_ms / duration_ms", clip = [0, 1] }"#,
    ),
    key(
        "clip",
        Type::List(&NUMBER, 2, 2),
        Preset::Words("no bounds"),
        "`[lo, hi]`, lo below hi: bounds of label and prediction. Only with `squared`.",
        r#"rating = { group = "satisfaction", loss = "squared", clip = [1, 5] }"#,
    ),
    key(
        "given",
        Type::Text,
        Preset::Words("observed on every impression"),
        "Another objective, a binary one: observed only where that label is 1. Its `window` is at \
         most this one's.",
        r#"like = { group = "satisfaction", loss = "binary", absent = 0, given = "click" }"#,
    ),
    key(
        "space",
        Type::Words(&["observed", "entire"], &[]),
        Preset::Toml("\"observed\""),
        "Where an objective with `given` is learned. `observed`: where the condition holds. `entire`: \
         on every impression, by the probability that it happens together with its conditions, the \
         product of their predictions; it has no loss of its own, so that it learns from impressions \
         like those that are served (ESMM: Ma et al., SIGIR 2018). Either way the prediction is that of \
         the conditional. Only with `given` and `binary`, without `keep_negatives` on it or on a \
         condition.",
        r#"buy = { group = "satisfaction", loss = "binary", absent = 0, given = "click", space = "entire" }"#,
    ),
    key(
        "absent",
        Type::NumberOr("missing"),
        Preset::Toml("\"missing\""),
        "What no feedback by the end of `window` means: a label, as 0 for \"no click\", or `missing`, \
         not observed. An empty cell of a flat file is never observed, whatever this says.",
        r#"click = { group = "engagement", loss = "binary", absent = 0 }"#,
    ),
    key(
        "window",
        Type::Duration,
        Preset::Toml("\"30m\""),
        "How long after the impression its label closes; feedback after it is not counted.",
        r#"like = { group = "satisfaction", loss = "binary", absent = 0, window = "24h" }"#,
    ),
    key(
        "loss_weight",
        POSITIVE,
        Preset::Toml("1"),
        "Weight of its loss beside those of the other objectives.",
        r#"like = { group = "satisfaction", loss = "binary", loss_weight = 0.5 }"#,
    ),
    key(
        "duration",
        Type::Text,
        Preset::Words("required with `watch-fraction` and `watch-quantile`"),
        "The number field that holds how long the watched item is, in the label's unit. Where it is \
         missing or not above 0 the label is not observed.",
        r#"play_ms = { group = "engagement", loss = "watch-fraction", duration = "duration_ms" }"#,
    ),
    key(
        "keep_negatives",
        Type::Number(Bound::Excluded(0.0), Bound::Included(1.0)),
        Preset::Toml("1"),
        "Share of the training examples with label 0 that are learned from; predictions are \
         recalibrated, so that they stay probabilities. Only with `binary`; for rare positives in \
         long logs.",
        r#"purchase = { group = "satisfaction", loss = "binary", keep_negatives = 0.1 }"#,
    ),
];
