//! `[fields]`: each field by itself; tables and pairs of fields have their own files.

use super::value::{choice, choice_or, dropout_or, name, whole, whole_or};
use super::{pairs, tables};
use crate::raw;
use crate::report::{At, Report};
use crate::{Field, Keys, Kind, Pool, Scale, Side, Source, Table, Use};

/// The word for a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KindWord {
    Id,
    Ids,
    Number,
    Vector,
}

impl KindWord {
    /// As typed.
    pub(super) fn text(self) -> &'static str {
        match self {
            KindWord::Id => "id",
            KindWord::Ids => "ids",
            KindWord::Number => "number",
            KindWord::Vector => "vector",
        }
    }

    /// Whether its values are ids, which a table turns into rows.
    pub(super) fn has_table(self) -> bool {
        matches!(self, KindWord::Id | KindWord::Ids)
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

const SIDES: [(&str, Side); 5] = [
    ("user", Side::User),
    ("context", Side::Context),
    ("query", Side::Query),
    ("item", Side::Item),
    ("pair", Side::Pair),
];

const KINDS: [(&str, KindWord); 4] = [
    ("id", KindWord::Id),
    ("ids", KindWord::Ids),
    ("number", KindWord::Number),
    ("vector", KindWord::Vector),
];

/// The kinds that a key belongs to; keys not listed belong to all.
const BELONGS: [(&str, &[KindWord]); 15] = [
    ("dim", &[KindWord::Id, KindWord::Ids]),
    ("buckets", &[KindWord::Id, KindWord::Ids]),
    ("values", &[KindWord::Id, KindWord::Ids]),
    ("admit_after", &[KindWord::Id, KindWord::Ids]),
    ("shares", &[KindWord::Id, KindWord::Ids]),
    ("id_dropout", &[KindWord::Id, KindWord::Ids]),
    ("from", &[KindWord::Ids]),
    ("last", &[KindWord::Ids]),
    ("pool", &[KindWord::Ids]),
    ("scale", &[KindWord::Number]),
    ("powers", &[KindWord::Number]),
    ("missing", &[KindWord::Number]),
    ("dot", &[KindWord::Number]),
    ("width", &[KindWord::Vector]),
    ("product", &[KindWord::Vector]),
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
    let (tables, table_of) = tables::check(&parts, report);
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
            source: source(part, report),
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
        "expected `id`, `ids`, `number` or `vector`",
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

/// Every typed key must belong to the kind.
fn belongs(part: &Part, report: &Report) {
    let Some(kind) = part.kind else { return };
    for place in &part.raw.typed {
        let Some((key, kinds)) = BELONGS.iter().find(|(key, _)| *key == place.key()) else {
            continue;
        };
        if !kinds.contains(&kind) {
            let kinds: Vec<String> = kinds.iter().map(|kind| format!("`{}`", kind.text())).collect();
            let help = format!("leave it out: it is for kind {}", kinds.join(" and "));
            report.add(
                place,
                format!("`{key}` does not belong to kind `{}`", kind.text()),
                help,
            );
        }
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
        _ if part.raw.from.is_some() => "`from` takes the value from the log",
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

fn source(part: &Part, report: &Report) -> Source {
    let (from, last) = (&part.raw.from, &part.raw.last);
    let Some(from) = from else {
        if let Some(last) = last
            && part.kind == Some(KindWord::Ids)
            && !report.blames(&part.raw.place.path_of("from"))
        {
            report.add(
                &last.place,
                "`last` without `from`",
                "add `from = \"feedback.KIND\"`, or leave `last` out",
            );
        }
        return Source::Given;
    };
    let feedback = from.value.strip_prefix("feedback.").unwrap_or_default();
    if feedback.is_empty() || feedback.contains(char::is_whitespace) {
        report.add(
            &from.place,
            format!("`from` is `{}`", from.value),
            "expected `feedback.KIND`, as `feedback.click`",
        );
    }
    if part.side.is_some_and(|side| side != Side::User) && part.kind == Some(KindWord::Ids) {
        report.add(
            &from.place,
            "`from` on a side other than `user`",
            "expected side `user`: a history is a person's",
        );
    }
    Source::History {
        feedback: feedback.to_owned(),
        last: whole_or(last, 1, 200, 50, report),
    }
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
    match part.kind {
        Some(KindWord::Id) => Kind::Id {
            table,
            id_dropout: dropout_or(&raw.id_dropout, 0.0, report),
        },
        Some(KindWord::Ids) => Kind::Ids {
            table,
            id_dropout: dropout_or(&raw.id_dropout, 0.0, report),
            pool: choice_or(
                &raw.pool,
                &[("mean", Pool::Mean), ("sum", Pool::Sum)],
                Pool::Mean,
                report,
            ),
        },
        Some(KindWord::Number) => {
            let scales = [
                ("none", Scale::None),
                ("standard", Scale::Standard),
                ("quantile", Scale::Quantile),
            ];
            let later = [("log", "use `scale = \"quantile\"`, or give the logarithm itself")];
            Kind::Number {
                scale: raw
                    .scale
                    .as_ref()
                    .and_then(|at| choice(at, &scales, &later, report))
                    .unwrap_or_default(),
                powers: raw.powers.as_ref().is_some_and(|at| at.value),
                missing: raw.missing.as_ref().map(|at| at.value as f32),
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
