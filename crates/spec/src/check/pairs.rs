//! Fields of side `pair`: products of a user's or query's vector and an item's.

use super::fields::{KindWord, Part};
use crate::Side;
use crate::report::{At, Report};
use crate::suggestion;

/// For each field, the two fields of its `dot` or `product`: the user's or query's first.
pub(super) fn check(parts: &[Part], widths: &[usize], report: &Report) -> Vec<Option<(usize, usize)>> {
    parts
        .iter()
        .map(|part| pair(parts, part, widths, report))
        .collect()
}

fn pair(parts: &[Part], part: &Part, widths: &[usize], report: &Report) -> Option<(usize, usize)> {
    let raw = part.raw;
    let (key, names) = match part.kind? {
        KindWord::Number => ("dot", &raw.dot),
        KindWord::Vector => ("product", &raw.product),
        KindWord::Id => return crossed(parts, part, report),
        kind => {
            if let (Some(Side::Pair), Some(at)) = (part.side, &raw.side) {
                let help = "`pair` is for kind `number` with `dot`, kind `vector` with `product` and kind `id` with `cross`";
                report.add(
                    &at.place,
                    format!("`side` is `pair` on kind `{}`", kind.text()),
                    help,
                );
            }
            return None;
        }
    };
    let Some(names) = names else {
        if part.side == Some(Side::Pair) {
            report.missing(
                &raw.place,
                key,
                format!("expected `{key} = [\"user.FIELD\", \"item.FIELD\"]` on side `pair`"),
            );
        }
        return None;
    };
    if let (Some(at), Some(side)) = (&raw.side, part.side)
        && side != Side::Pair
    {
        report.add(
            &at.place,
            format!("`side` is `{}`", at.value),
            format!("expected `pair`, as it has `{key}`"),
        );
    }
    let [a, b] = names.value.as_slice() else {
        let help = format!("expected two, as `{key} = [\"user.FIELD\", \"item.FIELD\"]`");
        report.add(
            &names.place,
            format!("`{key}` has {} elements", names.value.len()),
            help,
        );
        return None;
    };
    let fields = (find(parts, a, report), find(parts, b, report));
    let fields = ordered(parts, (fields.0?, fields.1?)).or_else(|| {
        let message = format!("`{key}` is of `{}` and `{}`", a.value, b.value);
        report.add(
            &names.place,
            message,
            "expected one field of side `user` or `query` and one of side `item`",
        );
        None
    })?;
    let (left, right) = (widths[fields.0], widths[fields.1]);
    if left != right && left != 0 && right != 0 {
        let (left_name, right_name) = (&parts[fields.0].raw.name, &parts[fields.1].raw.name);
        let message = format!("`{left_name}` has width {left}, `{right_name}` has width {right}");
        report.add(
            &names.place,
            message,
            format!("expected equal widths for `{key}`"),
        );
    } else if let Some(width) = &raw.width
        && key == "product"
        && width.value != left as i64
        && left != 0
    {
        report.add(
            &width.place,
            format!("`width` is {}", width.value),
            format!("expected {left}, or leave it out"),
        );
    }
    Some(fields)
}

/// The two id fields that `part` crosses.
fn crossed(parts: &[Part], part: &Part, report: &Report) -> Option<(usize, usize)> {
    let raw = part.raw;
    let Some(names) = &raw.cross else {
        if part.side == Some(Side::Pair) {
            let help = "expected `cross = [\"FIELD\", \"FIELD\"]` on side `pair`";
            report.missing(&raw.place, "cross", help);
        }
        return None;
    };
    if let (Some(at), Some(side)) = (&raw.side, part.side)
        && side != Side::Pair
    {
        let help = "expected `pair`, as it has `cross`";
        report.add(&at.place, format!("`side` is `{}`", at.value), help);
    }
    for place in raw
        .typed
        .iter()
        .filter(|place| ["values", "shares"].contains(&place.key()))
    {
        let help = "expected `buckets = N`: pairs of ids are hashed";
        report.add(place, format!("`{}` beside `cross`", place.key()), help);
    }
    let [a, b] = names.value.as_slice() else {
        let message = format!("`cross` has {} elements", names.value.len());
        report.add(
            &names.place,
            message,
            "expected two, as `cross = [\"FIELD\", \"FIELD\"]`",
        );
        return None;
    };
    let crossable =
        |part: &&Part| part.kind == Some(KindWord::Id) && part.side.is_some_and(|side| side != Side::Pair);
    let find = |at: &At<String>| {
        let found = parts.iter().position(|part| part.raw.name == at.value);
        if found.is_none_or(|index| !crossable(&&parts[index]))
            && !report.blames(&format!("fields.{}", at.value))
        {
            let known: Vec<&str> = parts
                .iter()
                .filter(crossable)
                .map(|part| part.raw.name.as_str())
                .collect();
            let message = format!("no field `{}` of kind `id`", at.value);
            report.add(
                &at.place,
                message,
                suggestion::choose("fields to cross", &at.value, &known),
            );
        }
        found
    };
    let (left, right) = (find(a)?, find(b)?);
    if left == right {
        let help = "expected two fields";
        report.add(
            &names.place,
            format!("`{}` is crossed with itself", a.value),
            help,
        );
    }
    Some((left, right))
}

/// The vector field that `side.name` names: by field name, else by attribute.
fn find(parts: &[Part], at: &At<String>, report: &Report) -> Option<usize> {
    let (side, name) = at.value.split_once('.').unwrap_or(("", &at.value));
    let on_side =
        |part: &Part| part.side.is_some() && part.raw.side.as_ref().is_some_and(|at| at.value == side);
    let by_name = |part: &Part| on_side(part) && part.raw.name == name;
    let by_attribute =
        |part: &Part| on_side(part) && part.kind == Some(KindWord::Vector) && part.attribute == name;
    if let Some(index) = parts
        .iter()
        .position(by_name)
        .or_else(|| parts.iter().position(by_attribute))
    {
        let kind = parts[index].kind?;
        if kind == KindWord::Vector {
            return Some(index);
        }
        let message = format!("`{}` is of kind `{}`", at.value, kind.text());
        report.add(
            &at.place,
            message,
            format!("expected a field of kind `vector` in `{}`", at.place.key()),
        );
        return None;
    }
    // A field whose side or kind is wrong cannot be found, and is blamed already.
    if !report.blames(&format!("fields.{name}")) {
        let known: Vec<String> = parts
            .iter()
            .filter(|part| part.kind == Some(KindWord::Vector) && part.side != Some(Side::Pair))
            .filter_map(|part| Some(format!("{}.{}", part.raw.side.as_ref()?.value, part.raw.name)))
            .collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        report.add(
            &at.place,
            format!("no vector `{}`", at.value),
            suggestion::choose("declared vectors", &at.value, &known),
        );
    }
    None
}

/// The two fields, the item's second; `None` unless one is of the item and the other of the user or query.
fn ordered(parts: &[Part], (a, b): (usize, usize)) -> Option<(usize, usize)> {
    match (parts[a].side?, parts[b].side?) {
        (Side::User | Side::Query, Side::Item) => Some((a, b)),
        (Side::Item, Side::User | Side::Query) => Some((b, a)),
        _ => None,
    }
}
