//! `[fields]`: each field by itself; tables and pairs of fields have their own files.

use super::value::{choice, choice_or, dropout_or, name, whole, whole_or};
use super::{pairs, sources, tables};
use crate::raw;
use crate::reference::FIELD;
use crate::report::{At, Report};
use crate::{Field, Keys, Kind, Pool, Scale, Side, Table, Use, suggestion};

/// The word for a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KindWord {
    Id,
    Ids,
    Number,
    Text,
    Vector,
}

impl KindWord {
    /// As typed.
    pub(super) fn text(self) -> &'static str {
        match self {
            KindWord::Id => "id",
            KindWord::Ids => "ids",
            KindWord::Number => "number",
            KindWord::Text => "text",
            KindWord::Vector => "vector",
        }
    }
}

/// A field whose own keys were checked. `None`: it is missing or wrong, and blamed.
pub(super) struct Part<'d> {
    pub(super) raw: &'d raw::Field,
    pub(super) side: Option<Side>,
    pub(super) kind: Option<KindWord>,
    pub(super) usage: Use,
    /// Key in a catalogue entry.
    pub(super) attribute: &'d str,
}

impl Part<'_> {
    /// Whether `key` belongs to its kind.
    pub(super) fn takes(&self, key: &str) -> bool {
        let kinds = FIELD.key(key).map_or(&[][..], |key| key.kinds);
        kinds.is_empty() || self.kind.is_none_or(|kind| kinds.contains(&kind.text()))
    }

    /// Whether a table turns its values into rows: ids, texts, and numbers in buckets.
    pub(super) fn has_table(&self) -> bool {
        match self.kind {
            Some(KindWord::Id | KindWord::Ids | KindWord::Text) => true,
            Some(KindWord::Number) => self.raw.edges.is_some(),
            Some(KindWord::Vector) | None => false,
        }
    }

    /// Whether its table is one of ids, which other fields may share.
    pub(super) fn has_ids(&self) -> bool {
        matches!(self.kind, Some(KindWord::Id | KindWord::Ids))
    }
}

const SIDES: [(&str, Side); 5] = [
    ("user", Side::User),
    ("context", Side::Context),
    ("query", Side::Query),
    ("item", Side::Item),
    ("pair", Side::Pair),
];

const KINDS: [(&str, KindWord); 5] = [
    ("id", KindWord::Id),
    ("ids", KindWord::Ids),
    ("number", KindWord::Number),
    ("text", KindWord::Text),
    ("vector", KindWord::Vector),
];

/// Checks `[fields]`.
pub(super) fn check(
    declared: &raw::Entries<raw::Field>,
    keys: &Keys,
    report: &Report,
) -> (Vec<Field>, Vec<Table>) {
    let parts: Vec<Part> = declared
        .entries
        .iter()
        .map(|raw| part(raw, keys, report))
        .collect();
    if parts.is_empty() && !report.blames("fields") {
        report.add(
            &declared.place,
            "no field is declared",
            "expected `[fields]` with what is known of user and item",
        );
    } else if parts.iter().all(|part| part.usage == Use::Bias) && !report.blames("fields") {
        report.add(
            &declared.place,
            "no field is read by the main tower",
            "expected a field without `use = \"bias\"`",
        );
    }
    let (tables, table_of) = tables::check(&parts, keys.no_time, report);
    let widths: Vec<usize> = parts.iter().map(|part| width(part, report)).collect();
    let pairs = pairs::check(&parts, &widths, report);
    let fields = parts
        .iter()
        .enumerate()
        .map(|(index, part)| Field {
            name: part.raw.name.clone(),
            side: part.side.unwrap_or(Side::Context),
            kind: kind(
                part,
                table_of[index],
                widths[index],
                pairs[index],
                &widths,
                report,
            ),
            usage: part.usage,
            attribute: part.attribute.to_owned(),
            column: column(part, report),
            source: sources::check(part, report),
        })
        .collect();
    (fields, tables)
}

fn part<'d>(raw: &'d raw::Field, keys: &Keys, report: &Report) -> Part<'d> {
    name("field", &raw.name, &raw.place, report);
    if raw.name == "position" || raw.name == keys.position {
        report.add(
            &raw.place,
            format!("`{}` is built in and no field", raw.name),
            "leave it out: the shallow tower reads it, named in `[bias] fields = [\"position\", ...]`",
        );
    }
    let (sides, kinds) = (
        "expected `user`, `context`, `query`, `item` or `pair`",
        "expected `id`, `ids`, `number`, `text` or `vector`",
    );
    let part = Part {
        raw,
        side: required(&raw.side, raw, "side", sides, report).and_then(|at| choice(at, &SIDES, &[], report)),
        kind: required(&raw.kind, raw, "kind", kinds, report).and_then(|at| choice(at, &KINDS, &[], report)),
        usage: choice_or(
            &raw.usage,
            &[("main", Use::Main), ("bias", Use::Bias), ("both", Use::Both)],
            Use::Main,
            report,
        ),
        attribute: raw.attribute.as_ref().map_or(&raw.name, |at| &at.value),
    };
    belongs(&part, report);
    key(&part, keys, report);
    attribute(&part, report);
    part
}

fn required<'d, T>(
    at: &'d Option<At<T>>,
    raw: &raw::Field,
    key: &str,
    help: &str,
    report: &Report,
) -> Option<&'d At<T>> {
    if at.is_none() {
        report.missing(&raw.place, key, help);
    }
    at.as_ref()
}

/// Its column in flat files.
fn column(part: &Part, report: &Report) -> String {
    let Some(at) = &part.raw.column else {
        return part.raw.name.clone();
    };
    if at.value.is_empty() {
        report.add(&at.place, "`column` is empty", "expected the name of a column");
    }
    if part.side == Some(Side::Pair) {
        let help = "leave it out: a pair value is computed";
        report.add(&at.place, "`column` has no value to name", help);
    }
    at.value.clone()
}

/// Every typed key must belong to the kind.
fn belongs(part: &Part, report: &Report) {
    let Some(kind) = part.kind else { return };
    for place in &part.raw.typed {
        let key = place.key();
        if !part.takes(key) {
            let kinds = FIELD.key(key).map_or(&[][..], |key| key.kinds);
            let help = format!("leave it out: it is for kind {}", suggestion::and(kinds));
            report.add(
                place,
                format!("`{key}` does not belong to kind `{}`", kind.text()),
                help,
            );
        }
    }
    if let (KindWord::Number, Some(dim), None) = (kind, &part.raw.dim, &part.raw.edges)
        && !report.blames(&part.raw.place.path_of("edges"))
    {
        let help = "add `edges = [...]`, which puts the number in buckets, or leave `dim` out";
        report.add(&dim.place, "`dim` without `edges`", help);
    }
}

/// A field that carries an identifying id must be that id.
fn key(part: &Part, keys: &Keys, report: &Report) {
    let name = &part.raw.name;
    let known = [
        ("user", &keys.user, Side::User),
        ("item", &keys.item, Side::Item),
        ("query", &keys.query, Side::Query),
    ];
    let Some((word, _, side)) = known.into_iter().find(|(_, key, _)| *key == name) else {
        return;
    };
    if word == "user" && keys.no_user || word == "item" && keys.no_item {
        let help =
            format!("expected a column for it, or no field `{name}`: take `{word}` out of `[keys] absent`");
        report.add(
            &part.raw.place,
            format!("the field `{name}` is the {word} id, which the log has not"),
            help,
        );
    }
    let help = format!("`[keys] {word}` makes `{name}` the {word} id: expected side `{word}` and kind `id`");
    if let (Some(at), Some(found)) = (&part.raw.side, part.side)
        && found != side
    {
        report.add(
            &at.place,
            format!("`side` of the field `{name}` is `{}`", at.value),
            help.as_str(),
        );
    }
    if let (Some(at), Some(found)) = (&part.raw.kind, part.kind)
        && found != KindWord::Id
    {
        report.add(
            &at.place,
            format!("`kind` of the field `{name}` is `{}`", at.value),
            help,
        );
    }
}

/// Only catalogue entries have attributes.
fn attribute(part: &Part, report: &Report) {
    let Some(at) = &part.raw.attribute else { return };
    if at.value.is_empty() {
        report.add(
            &at.place,
            "`attribute` is empty",
            "expected a key of the catalogue entry",
        );
    }
    let reason = match part.side {
        Some(Side::Context) => "a context value comes with the request",
        Some(Side::Pair) => "a pair value is computed",
        _ if part.raw.from.is_some() || part.raw.rate.is_some() => "the value comes from the log",
        _ if part.raw.since.is_some() || part.raw.part.is_some() => "the value comes from a time",
        _ => return,
    };
    report.add(
        &at.place,
        "`attribute` has no catalogue entry to read",
        format!("leave it out: {reason}"),
    );
}

fn width(part: &Part, report: &Report) -> usize {
    if part.kind != Some(KindWord::Vector) {
        return 0;
    }
    if let Some(at) = &part.raw.width {
        return whole(at, 1, 65536, report).unwrap_or(0);
    }
    let computed = part.raw.product.is_some() || report.blames(&part.raw.place.path_of("product"));
    // On side pair it is `product` that is missing.
    if !computed && part.side != Some(Side::Pair) {
        report.missing(
            &part.raw.place,
            "width",
            "expected `width = N`, the number of elements",
        );
    }
    0
}

fn kind(
    part: &Part,
    table: usize,
    width: usize,
    pair: Option<(usize, usize)>,
    widths: &[usize],
    report: &Report,
) -> Kind {
    let raw = part.raw;
    let id_dropout = || dropout_or(&raw.id_dropout, 0.0, report);
    let pool = || {
        let words = [("mean", Pool::Mean), ("sum", Pool::Sum)];
        choice_or(&raw.pool, &words, Pool::Mean, report)
    };
    let missing = raw.missing.as_ref().map(|at| at.value as f32);
    match part.kind {
        Some(KindWord::Id) => Kind::Id {
            table,
            id_dropout: id_dropout(),
            cross: pair,
        },
        Some(KindWord::Ids) => Kind::Ids {
            table,
            id_dropout: id_dropout(),
            pool: pool(),
            weights: raw.weights.as_ref().map(|at| at.value.clone()),
        },
        Some(KindWord::Text) => Kind::Text {
            table,
            id_dropout: id_dropout(),
            pool: pool(),
            ngrams: u8::try_from(whole_or(&raw.ngrams, 1, 4, 1, report)).unwrap_or(1),
        },
        Some(KindWord::Number) if raw.edges.is_some() => Kind::Buckets { table, missing },
        Some(KindWord::Number) => {
            let scales = [
                ("none", Scale::None),
                ("standard", Scale::Standard),
                ("quantile", Scale::Quantile),
                ("log", Scale::Log),
            ];
            Kind::Number {
                scale: choice_or(&raw.scale, &scales, Scale::default(), report),
                powers: raw.powers.as_ref().is_some_and(|at| at.value),
                missing,
                dot: pair,
            }
        }
        Some(KindWord::Vector) => Kind::Vector {
            width: pair.map_or(width, |(a, _)| widths[a]),
            product: pair,
        },
        None => Kind::Vector { width, product: None },
    }
}
