//! `[keys]`: the identifying columns, each another one.

use super::value::{choice_or, distinct};
use crate::raw;
use crate::report::Report;
use crate::{Keys, TimeUnit, suggestion};

/// Checks `[keys]`.
pub(super) fn check(declared: &raw::Keys, report: &Report) -> Keys {
    let typed = [
        ("user", &declared.user),
        ("item", &declared.item),
        ("query", &declared.query),
        ("time", &declared.time),
        ("position", &declared.position),
        ("slate", &declared.slate),
        ("weight", &declared.weight),
        ("propensity", &declared.propensity),
        ("shuffled", &declared.shuffled),
    ];
    // Without a name there is no column of weights.
    let default = |key| if key == "weight" { "\0" } else { key };
    let columns = typed.map(|(key, at)| at.as_ref().map_or(default(key), |at| at.value.as_str()));
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
    let [user, item, query, time, position, slate, _, propensity, shuffled] = columns.map(str::to_owned);
    let units = [
        ("s", TimeUnit::Seconds),
        ("ms", TimeUnit::Milliseconds),
        ("us", TimeUnit::Microseconds),
    ];
    let absent = absent(declared, report);
    if let Some(at) = declared.time_format.as_ref().filter(|at| at.value.is_empty()) {
        let help = "expected how times are written, as `%Y-%m-%d %H:%M:%S`";
        report.add(&at.place, "`time_format` is empty", help);
    }
    let time_unit = choice_or(&declared.time_unit, &units, TimeUnit::default(), report);
    Keys {
        user,
        item,
        query,
        time,
        time_unit,
        position,
        slate,
        propensity,
        shuffled,
        weight: declared.weight.as_ref().map(|at| at.value.clone()),
        time_format: declared.time_format.as_ref().map(|at| at.value.clone()),
        utc_offset_minutes: utc_offset(declared, report),
        no_user: absent.contains(&"user"),
        no_item: absent.contains(&"item"),
        no_time: absent.contains(&"time"),
    }
}

/// The keys that the flat log has no column for.
fn absent<'d>(declared: &'d raw::Keys, report: &Report) -> Vec<&'d str> {
    const MAY: [&str; 3] = ["user", "item", "time"];
    let Some(list) = &declared.absent else {
        return Vec::new();
    };
    distinct(list, report);
    let typed = [&declared.user, &declared.item, &declared.time];
    for at in &list.value {
        match MAY.iter().position(|key| *key == at.value) {
            None => report.add(
                &at.place,
                format!("`{}` in `absent`", at.value),
                suggestion::choose("expected any of", &at.value, &MAY),
            ),
            Some(key) if typed[key].is_some() => report.add(
                &at.place,
                format!("`{}` is in `absent` and has a column", at.value),
                "leave one of them out",
            ),
            Some(_) => {}
        }
    }
    list.value.iter().map(|at| at.value.as_str()).collect()
}

/// Minutes of a text like `+08:00`, `-03:30` or `Z`.
fn utc_offset(declared: &raw::Keys, report: &Report) -> i32 {
    let Some(at) = &declared.utc_offset else { return 0 };
    let minutes = |text: &str| {
        let (sign, rest) = match text.split_at_checked(1)? {
            ("+", rest) => (1, rest),
            ("-", rest) => (-1, rest),
            ("Z", "") => return Some(0),
            _ => return None,
        };
        let (hours, minutes) = rest.split_once(':')?;
        let two = |digits: &str| {
            (digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit()))
                .then(|| digits.parse::<u8>().ok())
                .flatten()
                .map(i32::from)
        };
        let (hours, minutes) = (two(hours)?, two(minutes)?);
        let ahead = hours * 60 + minutes;
        (minutes < 60 && ahead <= 14 * 60).then_some(sign * ahead)
    };
    minutes(&at.value).unwrap_or_else(|| {
        let help = "expected how far local time is ahead of UTC, as `+08:00` or `-03:30`";
        report.add(&at.place, format!("`utc_offset` is `{}`", at.value), help);
        0
    })
}
