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
}

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
    },
    /// Several ids -> their rows pooled.
    Ids {
        /// Index into `Spec::tables`.
        table: usize,
        /// See [`Kind::Id`].
        id_dropout: f32,
        /// How rows are pooled.
        pool: Pool,
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
    /// Where its value comes from.
    pub source: Source,
}

impl Field {
    /// Whether the main tower reads it.
    pub fn in_main(&self) -> bool {
        self.usage != Use::Bias
    }
}

/// How ids become rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rows {
    /// `xxh3(id) % buckets`; TOML `buckets = N`.
    Hashed(u32),
    /// One row each; anything else is `new`; TOML `values = [...]`.
    Values(Vec<String>),
}

/// One embedding table of `len() + 1` rows x `dim`: the last row is `new`, for unknown ids and id drop-out.
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
    /// Rows without the `new` row.
    pub fn len(&self) -> usize {
        match &self.rows {
            Rows::Hashed(buckets) => *buckets as usize,
            Rows::Values(values) => values.len(),
        }
    }

    /// Whether it has no row but `new`.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
