//! The keys of `[keys]`, `[train]`, `[join]`, `[gates]`, `[explore]` and `[log]`, and the sections of which nothing but defaults is carried out.

use std::ops::Bound;

use super::{Accepted, DROPOUT, INSIDE, Key, Later, POSITIVE, Preset, Table, Type, key};

/// `[keys]`.
pub(crate) static KEYS: Table = Table {
    name: "keys",
    meaning: "The columns of a flat log that identify an impression, each of another name. Where a field \
         has the name of `user`, `item` or `query`, that id is its value, online too: it must be of \
         that side and kind `id`. The columns of `query`, `position`, `slate`, `propensity` and `shuffled` may be absent.",
    keys: &KEY_KEYS,
    later: &[],
};

static KEY_KEYS: [Key; 13] = [
    key(
        "user",
        Type::Text,
        Preset::Toml("\"user\""),
        "The person's id.",
        "user = \"user_id\"",
    ),
    key(
        "item",
        Type::Text,
        Preset::Toml("\"item\""),
        "The shown item's id.",
        "item = \"video_id\"",
    ),
    key(
        "query",
        Type::Text,
        Preset::Toml("\"query\""),
        "The watched item's id.",
        "query = \"watching\"",
    ),
    key(
        "time",
        Type::Text,
        Preset::Toml("\"time\""),
        "Time of the impression. Rows are in the order of time.",
        "time = \"shown_at\"",
    ),
    key(
        "time_unit",
        Type::Words(&["s", "ms", "us"], &[]),
        Preset::Toml("\"ms\""),
        "Unit of times that are whole numbers, since 1970; typed timestamps carry their own.",
        "time_unit = \"s\"",
    ),
    key(
        "time_format",
        Type::Text,
        Preset::Words("ISO 8601"),
        "How times that are texts are written, in `strftime` notation.",
        "time_format = \"%d/%m/%Y %H:%M\"",
    ),
    key(
        "utc_offset",
        Type::Text,
        Preset::Toml("\"+00:00\""),
        "How far local time is ahead of UTC, `+HH:MM` or `-HH:MM`, at most 14 hours: what `part` \
         takes hours and weekdays by.",
        "utc_offset = \"+08:00\"",
    ),
    key(
        "position",
        Type::Text,
        Preset::Toml("\"position\""),
        "Position in the slate, from 1.",
        "position = \"rank\"",
    ),
    key(
        "slate",
        Type::Text,
        Preset::Toml("\"slate\""),
        "Id of the slate: what was shown together.",
        "slate = \"request_id\"",
    ),
    key(
        "weight",
        Type::Text,
        Preset::Words("none: all count 1"),
        "Column of example weights, above 0: how much an example counts in training. Metrics count all examples alike.",
        "weight = \"sample_weight\"",
    ),
    key(
        "propensity",
        Type::Text,
        Preset::Toml("\"propensity\""),
        "Column of the propensity of the shown item, above 0 and at most 1: how likely the logging policy was to show it there. It is \
         used to value other policies, and may be absent. With `[bias] form = \"ips\"` it says how probable it was that the \
         impression was examined.",
        "propensity = \"propensity_score\"",
    ),
    key(
        "shuffled",
        Type::Text,
        Preset::Toml("\"shuffled\""),
        "Column that says of which slates the order was random: 1 or 0, true or false; an empty cell is 0. By those rows metrics judge \
         without position bias. It may be absent: no slate was shuffled.",
        "shuffled = \"is_random\"",
    ),
    key(
        "absent",
        Type::List(&Type::Words(&["user", "item", "time"], &[]), 0, 3),
        Preset::Toml("[]"),
        "The keys that the flat log has no column for. Without times its rows are taken as in order.",
        "absent = [\"time\"]",
    ),
];

/// `[train]`.
pub(crate) static TRAIN: Table = Table {
    name: "train",
    meaning: "How it is trained. The log is split by time, so that what is judged comes after what was \
         learned.",
    keys: &TRAIN_KEYS,
    later: &[Later {
        key: "shards",
        accepted: Some(Accepted::Number(4.0)),
        excuses: &[],
        help: "leave it out: a step's gradient is the sum of 4 shards",
    }],
};

static TRAIN_KEYS: [Key; 15] = [
    key(
        "seed",
        Type::Whole(0, i64::MAX),
        Preset::Toml("0"),
        "Seed of initial weights, shuffling and drop-out. The same data and seed give the same model.",
        "seed = 7",
    ),
    key(
        "batch",
        Type::Whole(1, 1_000_000),
        Preset::Toml("512"),
        "Examples a step.",
        "batch = 1024",
    ),
    key(
        "epochs",
        Type::Whole(1, 10_000),
        Preset::Toml("16"),
        "Most passes over the training part.",
        "epochs = 30",
    ),
    key(
        "patience",
        Type::Whole(1, 10_000),
        Preset::Toml("3"),
        "Epochs without a better validation loss before training stops.",
        "patience = 5",
    ),
    key(
        "stop_by",
        Type::List(&Type::Text, 1, 1_000),
        Preset::Words("all objectives"),
        "The objectives whose validation loss training stops by.",
        "stop_by = [\"click\"]",
    ),
    key(
        "learning_rate",
        POSITIVE,
        Preset::Toml("0.001"),
        "Adam's rate for the dense layers.",
        "learning_rate = 0.002",
    ),
    key(
        "table_optimizer",
        Type::Words(&["adagrad", "adam"], &[]),
        Preset::Toml("\"adagrad\""),
        "Optimizer of the embedding tables: `adagrad` (row-wise) or `adam` (on touched rows).",
        "table_optimizer = \"adam\"",
    ),
    key(
        "table_learning_rate",
        POSITIVE,
        Preset::Words("0.05 with `adagrad`, `learning_rate` with `adam`"),
        "Rate of the embedding tables.",
        "table_learning_rate = 0.02",
    ),
    key(
        "accumulator_half_life",
        Type::Duration,
        Preset::Words("none: sums only grow"),
        "Time, by the log, after which the sum of squared gradients by which `adagrad` slows a row of a table counts half. \
         Without it a ranker that learns for months learns ever less.",
        "accumulator_half_life = \"30d\"",
    ),
    key(
        "precision",
        Type::Words(&["f32", "bf16"], &[]),
        Preset::Toml("\"f32\""),
        "How the products of a training step read their factors: as they are, or rounded to bfloat16 (sums, weights and \
         updates stay `f32`). With `bf16` large networks train faster on processors that have its instructions.",
        "precision = \"bf16\"",
    ),
    key(
        "l2",
        Type::Number(Bound::Included(0.0), Bound::Unbounded),
        Preset::Toml("0.000001"),
        "L2 penalty on the dense layers' weights.",
        "l2 = 0",
    ),
    key(
        "split",
        Type::List(&INSIDE, 3, 3),
        Preset::Toml("[0.7, 0.1, 0.2]"),
        "Shares of the log in time: training, validation, test; they sum to 1.",
        "split = [0.8, 0.1, 0.1]",
    ),
    key(
        "shuffle_window",
        Type::Whole(1, 1_000_000_000),
        Preset::Toml("65536"),
        "Examples among which `train` shuffles: a window that moves through the log.",
        "shuffle_window = 10_000",
    ),
    key(
        "cache",
        Type::Size,
        Preset::Toml("\"1GiB\""),
        "Most memory in which `train` keeps the encoded training part between epochs: where all of it fits, the files are read \
         once; else each epoch reads them again, to the same result. `\"0\"` keeps nothing.",
        "cache = \"8GiB\"",
    ),
    key(
        "learn_passes",
        Type::Whole(1, 10_000),
        Preset::Toml("2"),
        "Passes that `learn` makes over each run's examples.",
        "learn_passes = 4",
    ),
];

/// `[join]`.
pub(crate) static JOIN: Table = Table {
    name: "join",
    meaning: "How the service's log becomes examples: a label closes at the first mark after its `window`.",
    keys: &JOIN_KEYS,
    later: &[],
};

static JOIN_KEYS: [Key; 1] = [key(
    "mark_every",
    Type::Duration,
    Preset::Toml("\"1m\""),
    "Time between closing marks.",
    "mark_every = \"10s\"",
)];

/// `[gates]`.
pub(crate) static GATES: Table = Table {
    name: "gates",
    meaning: "What a challenger, the model after more learning, must pass before it is served in the \
         champion's place: on examples that neither has learned from, it may not be worse.",
    keys: &GATE_KEYS,
    later: &[],
};

static GATE_KEYS: [Key; 2] = [
    key(
        "share",
        INSIDE,
        Preset::Toml("0.1"),
        "Newest share of the closed examples that is kept from both models for the verdict.",
        "share = 0.2",
    ),
    key(
        "confidence",
        INSIDE,
        Preset::Toml("0.95"),
        "Confidence of the interval that a challenger may not be worse beyond.",
        "confidence = 0.99",
    ),
];

/// `[explore]`.
pub(crate) static EXPLORE: Table = Table {
    name: "explore",
    meaning: "What the service tries out, so that what it learns can be judged. Requests are answered by what the live model's \
         declaration says here, or the one that `watchnext serve --spec` names.",
    keys: &EXPLORE_KEYS,
    later: &[],
};

static EXPLORE_KEYS: [Key; 1] = [key(
    "shuffle",
    DROPOUT,
    Preset::Toml("0"),
    "Share of the slates whose first ten items are served in random order; which ones is drawn by the request's id, so that a retry \
     gets the same. On them position is independent of relevance: they give an AUC without position bias, and the curve of positions \
     by itself. 0.02 to 0.05 is usual.",
    "shuffle = 0.02",
)];

/// `[serve]`.
pub(crate) static SERVE: Table = nothing(
    "serve",
    &[Later {
        key: "precision",
        accepted: Some(Accepted::Text("f32")),
        excuses: &[],
        help: "leave it out, or write `precision = \"f32\"`",
    }],
);

/// `[log]`.
pub(crate) static LOG: Table = Table {
    name: "log",
    meaning: "What the service logs besides what it shows; read as `[explore]` is.",
    keys: &LOG_KEYS,
    later: &[],
};

static LOG_KEYS: [Key; 1] = [key(
    "candidates",
    Type::Number(Bound::Included(0.0), Bound::Included(1.0)),
    Preset::Toml("0"),
    "Share of the slates that are logged with every candidate of the request, its field values and predictions, shown or not: what \
     other score weights would have shown can be computed from them. Such a slate of 500 candidates takes about 12 KB.",
    "candidates = 0.05",
)];

/// `[retrieval]`.
pub(super) static RETRIEVAL: Table = nothing("retrieval", &[]);

/// A section of which nothing but defaults is carried out.
const fn nothing(name: &'static str, later: &'static [Later]) -> Table {
    Table {
        name,
        meaning: "Nothing but the defaults is carried out yet.",
        keys: &[],
        later,
    }
}
