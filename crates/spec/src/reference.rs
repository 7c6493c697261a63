//! Every key of a declaration: its type, default, range and meaning. What the parser knows, the reference and the schema are all
//! of these tables.
//!
//! In: nothing. Out: the tables; [`reference()`], the words for a reader; [`json_schema`], the same for an editor.

mod fields;
mod model;
mod objectives;
mod page;
mod schema;
mod settings;

use std::ops::Bound;

pub(crate) use fields::FIELD;
pub(crate) use model::{BIAS, EXPERTS, MODEL, SUBNETWORKS};
pub(crate) use objectives::OBJECTIVE;
pub use page::reference;
pub use schema::json_schema;
pub(crate) use settings::{EXPLORE, GATES, JOIN, KEYS, LOG, SERVE, TRAIN};

/// What a key may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Type {
    /// Any text.
    Text,
    /// One of these words; after them words of the design that are not carried out yet, with what to use instead.
    Words(&'static [&'static str], &'static [(&'static str, &'static str)]),
    /// A whole number from the first to the second.
    Whole(i64, i64),
    /// A finite number within the bounds.
    Number(Bound<f64>, Bound<f64>),
    /// `true` or `false`.
    Flag,
    /// A whole number and its unit, as `30m`.
    Duration,
    /// A whole number and its unit, as `512MiB`, or `0`.
    Size,
    /// A number or this word.
    NumberOr(&'static str),
    /// This whole number or one of these words.
    WholeOr(i64, &'static [&'static str]),
    /// A list of at least and at most so many elements.
    List(&'static Type, usize, usize),
    /// A table with these keys.
    Table(&'static Table),
    /// Names, each with a table of these keys.
    Entries(&'static Table),
    /// Names, each with such a value.
    Names(&'static Type),
}

/// What a key's absence means.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Preset {
    /// It may not be absent.
    Required,
    /// As if this TOML had been typed.
    Toml(&'static str),
    /// As if the entry's own name had been typed.
    OwnName,
    /// In words.
    Words(&'static str),
}

/// One key of a table.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) value: Type,
    pub(crate) preset: Preset,
    /// Sentences of Markdown.
    pub(crate) meaning: &'static str,
    /// TOML of the table that the key is in, valid where the other tables are: of `[fields]` and `[objectives]` an entry.
    pub(crate) example: &'static str,
    /// The kinds of field that it belongs to; empty: all.
    pub(crate) kinds: &'static [&'static str],
}

impl Key {
    const fn of(mut self, kinds: &'static [&'static str]) -> Key {
        self.kinds = kinds;
        self
    }
}

/// A key of the design that is not carried out yet, and refused by name.
#[derive(Debug)]
pub(crate) struct Later {
    pub(crate) key: &'static str,
    /// Its default, which may be written out.
    pub(crate) accepted: Option<Accepted>,
    /// Keys whose absence its presence explains.
    pub(crate) excuses: &'static [&'static str],
    /// What to do instead.
    pub(crate) help: &'static str,
}

/// The one value of a key that is carried out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Accepted {
    Number(f64),
    Text(&'static str),
}

/// A table of the declaration.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// Paragraphs of Markdown.
    pub(crate) meaning: &'static str,
    pub(crate) keys: &'static [Key],
    pub(crate) later: &'static [Later],
}

impl Table {
    /// The key called `name`.
    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

const fn key(
    name: &'static str,
    value: Type,
    preset: Preset,
    meaning: &'static str,
    example: &'static str,
) -> Key {
    Key {
        name,
        value,
        preset,
        meaning,
        example,
        kinds: &[],
    }
}

const fn section(name: &'static str, value: Type, preset: Preset, meaning: &'static str) -> Key {
    key(name, value, preset, meaning, "")
}

/// Any number.
const NUMBER: Type = Type::Number(Bound::Unbounded, Bound::Unbounded);
/// A number above 0.
const POSITIVE: Type = Type::Number(Bound::Excluded(0.0), Bound::Unbounded);
/// A probability that is not 1, as drop-outs are.
const DROPOUT: Type = Type::Number(Bound::Included(0.0), Bound::Excluded(1.0));
/// A share that is neither nothing nor all.
const INSIDE: Type = Type::Number(Bound::Excluded(0.0), Bound::Excluded(1.0));
/// No bound on the length of a list.
const ANY: usize = usize::MAX;

/// The whole file.
pub(crate) static TOP: Table = Table {
    name: "",
    meaning: "The declaration of a ranker.",
    keys: &[
        section(
            "keys",
            Type::Table(&KEYS),
            Preset::Words("every key at its default"),
            "The identifying columns of a log.",
        ),
        section(
            "fields",
            Type::Entries(&FIELD),
            Preset::Required,
            "What is known of a request.",
        ),
        section(
            "objectives",
            Type::Entries(&OBJECTIVE),
            Preset::Required,
            "What is predicted.",
        ),
        section("model", Type::Table(&MODEL), Preset::Required, "The network."),
        section(
            "bias",
            Type::Table(&BIAS),
            Preset::Words("no shallow tower"),
            "What biases labels, as the position does, and how it is taken out.",
        ),
        section(
            "explore",
            Type::Table(&EXPLORE),
            Preset::Words("no slate is shuffled"),
            "What the service tries out.",
        ),
        section(
            "score",
            Type::Names(&objectives::WEIGHT),
            Preset::Required,
            "The weights of what is sorted by.",
        ),
        section(
            "train",
            Type::Table(&TRAIN),
            Preset::Words("every key at its default"),
            "How it is trained.",
        ),
        section(
            "join",
            Type::Table(&JOIN),
            Preset::Words("every key at its default"),
            "How labels close in the service's log.",
        ),
        section(
            "retrieval",
            Type::Table(&settings::RETRIEVAL),
            Preset::Words("requests name their candidates"),
            "Not carried out yet.",
        ),
        section(
            "gates",
            Type::Table(&GATES),
            Preset::Words("every key at its default"),
            "What a challenger must pass.",
        ),
        section(
            "serve",
            Type::Table(&SERVE),
            Preset::Words("single precision"),
            "Not carried out yet.",
        ),
        section(
            "log",
            Type::Table(&LOG),
            Preset::Words("candidate sets are not logged"),
            "What the service logs besides what it shows.",
        ),
    ],
    later: &[],
};
