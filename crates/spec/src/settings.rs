//! Keys of a log, and the settings of training, joining and gates, with defaults that suit a first run.

/// Unit of whole-number times in flat files; typed timestamps carry their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeUnit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    #[default]
    Milliseconds,
    /// Microseconds.
    Microseconds,
}

/// Names of the identifying columns of a flat file. Where a declared *field* has the name of `user`, `item` or
/// `query`, that id is its value, online too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// The person's id. Default `user`.
    pub user: String,
    /// The shown item's id. Default `item`.
    pub item: String,
    /// The watched item's id. Default `query`.
    pub query: String,
    /// Time of the impression. Default `time`.
    pub time: String,
    /// Unit of `time` where it is a whole number.
    pub time_unit: TimeUnit,
    /// Position from 1. Default `position`; the column may be absent.
    pub position: String,
    /// Id of the slate. Default `slate`; the column may be absent.
    pub slate: String,
    /// Column of example weights, above 0: how much an example counts in training. Default none: all count 1.
    pub weight: Option<String>,
    /// Column of the propensity of the shown item, `(0, 1]`: how likely the logging policy was to show it there. Default
    /// `propensity`; the column may be absent.
    pub propensity: String,
    /// Column that says whether the row's slate was shuffled: 1 or 0. Default `shuffled`; the column may be absent.
    pub shuffled: String,
    /// How texts in columns of times read, in `strftime` notation; `None`: ISO 8601.
    pub time_format: Option<String>,
    /// Minutes that local time is ahead of UTC, for `part = "hour"` and `"weekday"`. TOML: `utc_offset = "+08:00"`.
    pub utc_offset_minutes: i32,
    /// The flat log has no persons. TOML: `absent = ["user"]`.
    pub no_user: bool,
    /// The flat log has no items. TOML: `absent = ["item"]`.
    pub no_item: bool,
    /// The flat log has no times: its rows are in order. TOML: `absent = ["time"]`.
    pub no_time: bool,
}

/// Optimizer of the embedding tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TableOptimizer {
    /// Row-wise Adagrad.
    #[default]
    Adagrad,
    /// Adam on touched rows.
    Adam,
}

/// How the products of a training step read their factors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// As they are.
    #[default]
    F32,
    /// Rounded to bfloat16; sums, weights and updates stay `f32`.
    Bf16,
}

/// `[train]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Train {
    /// Seed of initial weights, shuffling and drop-out. Default 0.
    pub seed: u64,
    /// Examples a step. Default 512.
    pub batch: usize,
    /// Most epochs over the training part. Default 16.
    pub epochs: usize,
    /// Epochs without a better validation loss before training stops. Default 3.
    pub patience: usize,
    /// Objectives (indices) whose validation loss training stops by. TOML: names; default all.
    pub stop_by: Vec<usize>,
    /// Adam's rate for the dense part. Default 1e-3.
    pub learning_rate: f32,
    /// Optimizer of the tables.
    pub table_optimizer: TableOptimizer,
    /// Rate of the tables. Default 0.05 for Adagrad, `learning_rate` for Adam.
    pub table_learning_rate: f32,
    /// Event time, in ms, after which what Adagrad has added up for a row counts half. Default none: it only grows. TOML
    /// `accumulator_half_life = "30d"`.
    pub accumulator_half_life_ms: Option<i64>,
    /// How products read their factors. Default `f32`.
    pub precision: Precision,
    /// L2 penalty on dense weights (not biases). Default 1e-6.
    pub l2: f32,
    /// Shares of the log in time: training, validation, test; they sum to 1. Default `[0.7, 0.1, 0.2]`.
    pub split: [f64; 3],
    /// Examples among which `train` shuffles (a window that moves through the log). Default 65536.
    pub shuffle_window: usize,
    /// Most bytes in which `train` keeps the encoded training part between epochs; 0: none. Default 1 GiB (`cache = "1GiB"`).
    pub cache: u64,
    /// Passes that `learn` makes over each run's examples. Default 2.
    pub learn_passes: usize,
}

/// `[join]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Join {
    /// Milliseconds between closing marks. Default one minute (`mark_every = "1m"`).
    pub mark_every_ms: i64,
}

/// `[explore]`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Explore {
    /// Share of the ranked slates whose first ten items are served in random order, in `[0, 1)`. Default 0.
    pub shuffle: f64,
}

/// `[log]`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Log {
    /// Share of the ranked slates that are logged with all of their candidates, in `[0, 1]`. Default 0.
    pub candidates: f64,
}

/// `[gates]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gates {
    /// Newest share of the closed examples kept from both models for the verdict. Default 0.1.
    pub share: f64,
    /// Confidence of the interval that a challenger may not be worse beyond. Default 0.95.
    pub confidence: f64,
}
