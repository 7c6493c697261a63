//! Fields: named values of a request, by side and kind, and the embedding tables behind the ids.

/// Whom a value describes. `Pair` values are computed from a user- or query-side and an item-side vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The person.
    User,
    /// The moment: device, hour, place.
    Context,
    /// The item being watched when the request is made.
    Query,
    /// The candidate.
    Item,
    /// Computed from two vectors.
    Pair,
}

/// Which tower reads a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Use {
    /// The main tower.
    #[default]
    Main,
    /// The shallow tower only.
    Bias,
    /// Both.
    Both,
}

/// Where a field's value comes from when a request is served. (In flat files every value is a column.)
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The request, else the catalogue entry of the user, query item or candidate.
    Given,
    /// Derived from the log, point in time: the last `last` items, oldest first, that the user gave this kind of
    /// feedback. TOML: `from = "feedback.click", last = 50`.
    History {
        /// Kind of feedback.
        feedback: String,
        /// Most ids kept.
        last: usize,
    },
    /// Hours from a time to the request: an age. The time is the `attribute` of the field's side, ms since 1970 in a
    /// catalogue entry, any column of times in flat files. TOML: `since = "item.uploaded_at"`.
    Since {
        /// Key of the time in the catalogue entry of the field's side; its column in flat files.
        attribute: String,
    },
    /// Share of an item's impressions in the last `window_ms` that were given this kind of feedback, point in time; missing
    /// before the first impression. TOML: `rate = "click", window = "7d"`.
    Rate {
        /// Kind of feedback.
        feedback: String,
        /// Milliseconds looked back.
        window_ms: i64,
    },
    /// A part of a local time ([`Keys::utc_offset_minutes`](crate::Keys)), as an id. TOML: `part = "hour"`.
    Part {
        /// Which part.
        part: TimePart,
        /// Key of the time in the catalogue entry of the field's side (its column in flat files); `None`: the time of the
        /// request. TOML: `of = "item.uploaded_at"`.
        of: Option<String>,
    },
}

/// A part of a time that people live by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimePart {
    /// `"0"` to `"23"`.
    Hour,
    /// `"mon"` to `"sun"`.
    Weekday,
}

impl TimePart {
    /// Its ids, in order.
    pub fn values(self) -> Vec<String> {
        match self {
            TimePart::Hour => (0..24).map(|hour| hour.to_string()).collect(),
            TimePart::Weekday => WEEKDAYS.map(str::to_owned).to_vec(),
        }
    }

    /// The id at `time_ms` (since 1970, UTC) where the local time is `utc_offset_minutes` ahead of UTC.
    pub fn at(self, time_ms: i64, utc_offset_minutes: i32) -> String {
        let minutes = time_ms.div_euclid(60_000) + i64::from(utc_offset_minutes);
        match self {
            TimePart::Hour => minutes.div_euclid(60).rem_euclid(24).to_string(),
            // The first of January 1970 was a Thursday.
            TimePart::Weekday => {
                let day = (minutes.div_euclid(60 * 24) + 3).rem_euclid(7);
                WEEKDAYS[usize::try_from(day).unwrap_or_default()].to_owned()
            }
        }
    }
}

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// How several ids become one vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pool {
    /// Mean of the rows (zeros when there are none).
    #[default]
    Mean,
    /// Sum of the rows.
    Sum,
}

/// How a number is scaled; fitted on training data and frozen in the artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    /// As it is.
    None,
    /// (x - mean) / deviation.
    #[default]
    Standard,
    /// Mid-rank among the *distinct* training values, in `[0, 1]`.
    Quantile,
    /// sign(x) ln(1 + |x|), then standard: for numbers of many magnitudes.
    Log,
}

/// What a value is, and how it enters the network.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// One id -> one row of `tables[table]`. A bias-only id needs no embedding: its table has `dim` 0.
    Id {
        /// Index into `Spec::tables`.
        table: usize,
        /// Share of training reads that see the `new` row instead. `[0, 1)`.
        id_dropout: f32,
        /// The two id fields (indices into `Spec::fields`) whose pair of ids is this id; side pair only. TOML:
        /// `cross = ["user_id", "topic"]`.
        cross: Option<(usize, usize)>,
    },
    /// Several ids -> their rows pooled.
    Ids {
        /// Index into `Spec::tables`.
        table: usize,
        /// See [`Kind::Id`].
        id_dropout: f32,
        /// How rows are pooled; with weights, the weighted mean or sum.
        pool: Pool,
        /// Each id has a weight: an object `{id: weight}` in requests, in flat files a list of numbers in the column of
        /// this name beside the list of ids. TOML: `weights = "COLUMN"`.
        weights: Option<String>,
    },
    /// A text -> its words and runs of up to `ngrams` words, hashed to rows and pooled. Words are runs of letters and
    /// digits, lower case; a character of a script without spaces is a word.
    Text {
        /// Index into `Spec::tables`, whose rows are hashed.
        table: usize,
        /// See [`Kind::Id`].
        id_dropout: f32,
        /// How rows are pooled.
        pool: Pool,
        /// Longest run of words, 1 to 4.
        ngrams: u8,
    },
    /// One number -> the row of the bucket that it falls into, by the edges of its table ([`Rows::Edges`]); a missing
    /// number reads `new`. TOML: kind `number` with `edges = [...]`.
    Buckets {
        /// Index into `Spec::tables`.
        table: usize,
        /// A value that stands for "missing".
        missing: Option<f32>,
    },
    /// One number. `dot`: the inner product of two vector fields (indices into `Spec::fields`), side pair only.
    Number {
        /// Scaling.
        scale: Scale,
        /// Whether x^2 and sqrt(max(x, 0)) enter beside x.
        powers: bool,
        /// A value that stands for "missing", as 0 for a duration that is not known.
        missing: Option<f32>,
        /// The two vector fields of an inner product.
        dot: Option<(usize, usize)>,
    },
    /// `width` numbers. `product`: the elementwise product of two vector fields, side pair only.
    Vector {
        /// Number of elements.
        width: usize,
        /// The two vector fields of an elementwise product.
        product: Option<(usize, usize)>,
    },
}

/// One declared field.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name: the key in requests and logs, the column in flat files.
    pub name: String,
    /// Whom it describes.
    pub side: Side,
    /// What it is.
    pub kind: Kind,
    /// Which tower reads it. TOML key `use`.
    pub usage: Use,
    /// Key of its value in a catalogue entry (user, query item, item), default its own name. Lets a query field and
    /// an item field read the same attribute.
    pub attribute: String,
    /// Its column in flat files, default its own name.
    pub column: String,
    /// Where its value comes from.
    pub source: Source,
}

impl Field {
    /// Whether its value is computed, from other fields or from the log and the clock, rather than given.
    pub fn is_derived(&self) -> bool {
        self.side == Side::Pair || self.source != Source::Given
    }

    /// Whether the main tower reads it.
    pub fn in_main(&self) -> bool {
        self.usage != Use::Bias
    }
}

/// How ids become rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Rows {
    /// `xxh3(id) % buckets`; TOML `buckets = N`.
    Hashed(u32),
    /// A row of its own for each of up to `capacity` ids, given as training meets them; any other id reads `new`. TOML
    /// `capacity = N`.
    Keyed {
        /// Most rows without `new`.
        capacity: u32,
        /// An id that training has not met for so many ms, by event time, gives its row back. TOML `forget_after = "30d"`.
        forget_after_ms: Option<i64>,
    },
    /// One row each; anything else is `new`; TOML `values = [...]`.
    Values(Vec<String>),
    /// Row i holds the numbers from edge i - 1 to below edge i; one row more than edges. TOML `edges = [...]`.
    Edges(Vec<f32>),
}

/// One embedding table of up to `len() + 1` rows x `dim`: one of them is `new`, for unknown ids and id drop-out.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Name of the field that declares it.
    pub name: String,
    /// Width of a row; 0 when only the shallow tower reads it.
    pub dim: usize,
    /// How ids become rows.
    pub rows: Rows,
    /// Sightings in training before an id reads a row of its own instead of `new`, 1 to 255. Default 1.
    pub admit_after: u8,
}

impl Table {
    /// Rows without the `new` row; of [`Rows::Keyed`] the most that there may be.
    pub fn len(&self) -> usize {
        match &self.rows {
            Rows::Hashed(buckets) => *buckets as usize,
            Rows::Keyed { capacity, .. } => *capacity as usize,
            Rows::Values(values) => values.len(),
            Rows::Edges(edges) => edges.len() + 1,
        }
    }

    /// Whether its rows are given to ids as training meets them.
    pub fn is_keyed(&self) -> bool {
        matches!(self.rows, Rows::Keyed { .. })
    }

    /// Whether it has no row but `new`.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
