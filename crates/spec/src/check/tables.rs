//! Embedding tables: which field owns one, which fields share it, who reads it.

use super::fields::{KindWord, Part};
use super::value::{distinct, whole, whole_or};
use crate::report::{At, Report};
use crate::{Rows, Table, TimePart, Use};
use crate::{duration, suggestion};

/// Most `buckets` of a field that the shallow tower reads: it crosses them with every position.
const BIAS_BUCKETS: usize = 64;
/// Keys that the owner of a table has for all that share it.
const SHARED: [&str; 6] = [
    "dim",
    "buckets",
    "capacity",
    "values",
    "admit_after",
    "forget_after",
];

/// The tables, and for each field the index of its own (0 where it has none). `no_time`: the log has no times.
pub(super) fn check(parts: &[Part], no_time: bool, report: &Report) -> (Vec<Table>, Vec<usize>) {
    let mut tables = Vec::new();
    let mut owner_of = vec![None; parts.len()];
    let mut owned = vec![None; parts.len()];
    for (index, part) in parts.iter().enumerate().filter(|(_, part)| part.has_table()) {
        if part.raw.shares.is_some() && part.takes("shares") {
            owner_of[index] = shared(parts, index, report);
        } else if !report.blames(&part.raw.place.path_of("shares")) {
            owner_of[index] = Some(index);
            owned[index] = Some(tables.len());
            let rows = rows(part, report);
            // The width is decided below, when all readers are known.
            tables.push(Table {
                name: part.raw.name.clone(),
                dim: 0,
                rows,
                admit_after: u8::try_from(whole_or(&part.raw.admit_after, 1, 255, 1, report)).unwrap_or(1),
            });
        }
    }
    for at in parts.iter().filter_map(|part| part.raw.forget_after.as_ref()) {
        if no_time {
            let help = "leave it out: `[keys] absent` says that the log has no times";
            report.add(&at.place, "`forget_after` without times", help);
        }
    }
    for (owner, table) in owned.iter().enumerate() {
        if let Some(table) = table {
            tables[*table].dim = dim(parts, owner, &owner_of, report);
        }
    }
    let table_of: Vec<Option<usize>> = owner_of
        .iter()
        .map(|owner| owner.and_then(|owner| owned[owner]))
        .collect();
    for (part, table) in parts.iter().zip(&table_of) {
        bias(part, table.map(|table| &tables[table]), report);
    }
    (
        tables,
        table_of.into_iter().map(Option::unwrap_or_default).collect(),
    )
}

/// The owner of the table that `parts[index]` shares.
fn shared(parts: &[Part], index: usize, report: &Report) -> Option<usize> {
    let raw = parts[index].raw;
    let shares = raw.shares.as_ref()?;
    for place in raw.typed.iter().filter(|place| SHARED.contains(&place.key())) {
        let help = format!("leave it out: `{}` declares the table", shares.value);
        report.add(place, format!("`{}` beside `shares`", place.key()), help);
    }
    let owners = || {
        let owns = |part: &&Part| part.has_ids() && part.raw.shares.is_none();
        let names: Vec<&str> = parts
            .iter()
            .filter(owns)
            .map(|part| part.raw.name.as_str())
            .collect();
        suggestion::choose("fields with a table of their own", &shares.value, &names)
    };
    let Some(owner) = parts.iter().position(|part| part.raw.name == shares.value) else {
        if !report.blames(&format!("fields.{}", shares.value)) {
            report.add(&shares.place, format!("no field `{}`", shares.value), owners());
        }
        return None;
    };
    let target = &parts[owner];
    if target.kind.is_some() && !target.has_ids() {
        let table = if target.has_table() {
            "table of ids"
        } else {
            "table"
        };
        report.add(
            &shares.place,
            format!("the field `{}` has no {table}", shares.value),
            owners(),
        );
        return None;
    }
    if target.raw.shares.is_some() {
        report.add(
            &shares.place,
            format!("the field `{}` shares a table itself", shares.value),
            owners(),
        );
        return None;
    }
    target.kind.map(|_| owner)
}

fn rows(part: &Part, report: &Report) -> Rows {
    let raw = part.raw;
    if let Some(rows) = implied(part, report) {
        return rows;
    }
    if let Some(at) = raw.capacity.as_ref().filter(|_| part.takes("capacity")) {
        return keyed(part, at, report);
    }
    if let Some(at) = raw.forget_after.as_ref().filter(|_| part.takes("forget_after"))
        && !report.blames(&raw.place.path_of("capacity"))
    {
        let help = "add `capacity = N`, whose rows are given back, or leave `forget_after` out";
        report.add(&at.place, "`forget_after` without `capacity`", help);
    }
    match (&raw.buckets, &raw.values) {
        (Some(buckets), None) => {
            let buckets = whole(buckets, 1, 1_000_000_000, report).unwrap_or(1);
            Rows::Hashed(u32::try_from(buckets).unwrap_or(u32::MAX))
        }
        (buckets, Some(values)) => {
            if buckets.is_some() {
                let help = "expected one of them: `values` for few known ids, `buckets` for many";
                report.add(&values.place, "`values` beside `buckets`", help);
            }
            if values.value.is_empty() {
                report.add(&values.place, "`values` is empty", "expected at least one string");
            }
            distinct(values, report);
            Rows::Values(values.value.iter().map(|at| at.value.clone()).collect())
        }
        (None, None) => {
            let blamed = |key| report.blames(&raw.place.path_of(key));
            if !blamed("values") && !blamed("capacity") {
                let help = if part.kind == Some(KindWord::Text) {
                    "expected `buckets = N`: words are hashed"
                } else if raw.cross.is_some() {
                    "expected `buckets = N`: pairs of ids are hashed"
                } else {
                    "expected `buckets = N`, `capacity = N`, `values = [...]` or `shares = \"FIELD\"`"
                };
                report.missing(&raw.place, "buckets", help);
            }
            Rows::Hashed(1)
        }
    }
}

/// A row of its own for each id.
fn keyed(part: &Part, at: &At<i64>, report: &Report) -> Rows {
    let raw = part.raw;
    let others = raw.typed.iter();
    for place in others.filter(|place| ["buckets", "values"].contains(&place.key())) {
        let help = "expected one of them: `capacity` for a row of its own for each id, `buckets` for hashed rows, `values` \
                    for known ids";
        report.add(place, format!("`{}` beside `capacity`", place.key()), help);
    }
    let capacity = whole(at, 1, 1_000_000_000, report).unwrap_or(1);
    let forget_after_ms = raw.forget_after.as_ref().and_then(|at| {
        let duration = duration::milliseconds(&at.value);
        if duration.is_none() {
            let help = "expected a whole number and its unit, as `12h`, `30d`";
            report.add(&at.place, format!("`forget_after` is `{}`", at.value), help);
        }
        duration
    });
    Rows::Keyed {
        capacity: u32::try_from(capacity).unwrap_or(u32::MAX),
        forget_after_ms,
    }
}

/// The rows that `part` and `edges` imply.
fn implied(part: &Part, report: &Report) -> Option<Rows> {
    let raw = part.raw;
    if part.kind == Some(KindWord::Id) && raw.part.is_some() {
        for place in raw
            .typed
            .iter()
            .filter(|place| ["buckets", "capacity", "values", "forget_after"].contains(&place.key()))
        {
            let help = "leave it out: the hours of a day and the days of a week are known";
            report.add(place, format!("`{}` beside `part`", place.key()), help);
        }
        let weekday = raw.part.as_ref().is_some_and(|at| at.value == "weekday");
        let part = if weekday {
            TimePart::Weekday
        } else {
            TimePart::Hour
        };
        return Some(Rows::Values(part.values()));
    }
    let edges = raw
        .edges
        .as_ref()
        .filter(|_| part.kind == Some(KindWord::Number))?;
    for place in raw
        .typed
        .iter()
        .filter(|place| ["scale", "powers"].contains(&place.key()))
    {
        let help = "leave it out: only the bucket of the number is used";
        report.add(place, format!("`{}` beside `edges`", place.key()), help);
    }
    let values: Vec<f32> = edges.value.iter().map(|at| at.value as f32).collect();
    let rise = values.windows(2).all(|pair| pair[0] < pair[1]);
    if values.is_empty() || values.len() > 10_000 || !rise || values.iter().any(|edge| !edge.is_finite()) {
        let help = "expected 1 to 10000 finite numbers that rise, as `edges = [10, 20, 50]`";
        report.add(&edges.place, "`edges` cannot bound buckets", help);
    }
    Some(Rows::Edges(values))
}

/// Width of the owner's table: 0 unless the main tower reads it.
fn dim(parts: &[Part], owner: usize, owner_of: &[Option<usize>], report: &Report) -> usize {
    let raw = parts[owner].raw;
    let reader =
        (0..parts.len()).find(|index| owner_of[*index] == Some(owner) && parts[*index].usage != Use::Bias);
    let typed = raw.dim.as_ref().and_then(|at| whole(at, 1, 1024, report));
    let Some(reader) = reader else { return 0 };
    if raw.dim.is_none() {
        let help = if reader == owner {
            "expected `dim = N`, the width of its embedding".to_owned()
        } else {
            format!(
                "expected `dim = N`, the width of its embedding: `{}` reads it in the main tower",
                parts[reader].raw.name
            )
        };
        report.missing(&raw.place, "dim", help);
    }
    typed.unwrap_or(1)
}

/// What the shallow tower reads must be an id with few rows.
fn bias(part: &Part, table: Option<&Table>, report: &Report) {
    let (Some(at), Some(kind)) = (&part.raw.usage, part.kind) else {
        return;
    };
    if part.usage == Use::Main {
        return;
    }
    let expected = format!(
        "expected kind `id` with `values`, or at most {BIAS_BUCKETS} `buckets`, for the shallow tower"
    );
    if kind != KindWord::Id {
        report.add(
            &at.place,
            format!("`use` is `{}` on kind `{}`", at.value, kind.text()),
            expected,
        );
    } else if table.is_some_and(Table::is_keyed) {
        report.add(
            &at.place,
            format!("`use` is `{}` on `capacity`", at.value),
            expected,
        );
    } else if let Some(table) = table
        && matches!(table.rows, Rows::Hashed(_))
        && table.len() > BIAS_BUCKETS
    {
        report.add(
            &at.place,
            format!("`use` is `{}` on {} `buckets`", at.value, table.len()),
            expected,
        );
    }
}
