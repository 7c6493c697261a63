//! `[keys]`: the identifying columns, each another one.

use super::value::choice_or;
use crate::raw;
use crate::report::Report;
use crate::{Keys, TimeUnit};

/// Checks `[keys]`.
pub(super) fn check(declared: &raw::Keys, report: &Report) -> Keys {
    let typed = [
        ("user", &declared.user),
        ("item", &declared.item),
        ("query", &declared.query),
        ("time", &declared.time),
        ("position", &declared.position),
        ("slate", &declared.slate),
    ];
    let columns = typed.map(|(key, at)| at.as_ref().map_or(key, |at| at.value.as_str()));
    for (index, (key, at)) in typed.iter().enumerate() {
        let Some(at) = at else { continue };
        if at.value.is_empty() {
            report.add(
                &at.place,
                format!("`{key}` is empty"),
                "expected the name of a column",
            );
        }
        // Of two typed ones, the later is blamed.
        let same = |other: &usize| {
            *other != index && columns[*other] == at.value && (*other < index || typed[*other].1.is_none())
        };
        if let Some(other) = (0..typed.len()).find(same) {
            let message = format!(
                "`{key}` is the column `{}`, and so is `{}`",
                at.value, typed[other].0
            );
            report.add(&at.place, message, "expected a column of its own for each key");
        }
    }
    let [user, item, query, time, position, slate] = columns.map(str::to_owned);
    let units = [
        ("s", TimeUnit::Seconds),
        ("ms", TimeUnit::Milliseconds),
        ("us", TimeUnit::Microseconds),
    ];
    let time_unit = choice_or(&declared.time_unit, &units, TimeUnit::default(), report);
    Keys {
        user,
        item,
        query,
        time,
        time_unit,
        position,
        slate,
    }
}
