//! Where a field's value comes from: given, or derived from the log (`from`, `rate`) or from a time (`since`, `part`).

use super::fields::{KindWord, Part};
use super::value::{choice_or, whole_or};
use crate::report::{At, Report};
use crate::{Side, Source, TimePart, duration};

/// The source of a field.
pub(super) fn check(part: &Part, report: &Report) -> Source {
    let raw = part.raw;
    alone(part, report);
    let own = |key| move |_: &&At<String>| part.takes(key);
    if let Some(at) = raw.weights.as_ref().filter(own("weights"))
        && at.value.is_empty()
    {
        let help = "expected the name of a column, which holds a weight for each id";
        report.add(&at.place, "`weights` is empty", help);
    }
    if let Some(from) = raw.from.as_ref().filter(own("from")) {
        return history(part, from, report);
    }
    if let (Some(last), Some(KindWord::Ids)) = (&raw.last, part.kind)
        && !report.blames(&raw.place.path_of("from"))
    {
        let help = "add `from = \"feedback.KIND\"`, or leave `last` out";
        report.add(&last.place, "`last` without `from`", help);
    }
    if let Some(since) = raw.since.as_ref().filter(own("since")) {
        let attribute = time_of(part, since, report);
        return Source::Since { attribute };
    }
    if let Some(rate) = raw.rate.as_ref().filter(own("rate")) {
        return self::rate(part, rate, report);
    }
    if let (Some(window), Some(KindWord::Number)) = (&raw.window, part.kind)
        && !report.blames(&raw.place.path_of("rate"))
    {
        let help = "add `rate = \"KIND\"`, or leave `window` out";
        report.add(&window.place, "`window` without `rate`", help);
    }
    if raw.part.as_ref().filter(own("part")).is_some() {
        let words = [("hour", TimePart::Hour), ("weekday", TimePart::Weekday)];
        let what = choice_or(&raw.part, &words, TimePart::Hour, report);
        let of = raw.of.as_ref().map(|of| time_of(part, of, report));
        if of.is_none() && part.side.is_some_and(|side| side != Side::Context) {
            let help = "expected side `context`, or `of = \"SIDE.TIME\"`: without it, the part is of the request's time";
            report.add(&raw.place, "`part` of the request's time on another side", help);
        }
        return Source::Part { part: what, of };
    }
    if let (Some(of), Some(KindWord::Id)) = (&raw.of, part.kind)
        && !report.blames(&raw.place.path_of("part"))
    {
        let help = "add `part = \"hour\"` or `\"weekday\"`, or leave `of` out";
        report.add(&of.place, "`of` without `part`", help);
    }
    Source::Given
}

/// A value has one source.
fn alone(part: &Part, report: &Report) {
    let raw = part.raw;
    let sources = [
        ("since", raw.since.as_ref().map(|at| &at.place)),
        ("rate", raw.rate.as_ref().map(|at| &at.place)),
        ("edges", raw.edges.as_ref().map(|at| &at.place)),
        ("dot", raw.dot.as_ref().map(|at| &at.place)),
        ("part", raw.part.as_ref().map(|at| &at.place)),
        ("cross", raw.cross.as_ref().map(|at| &at.place)),
    ];
    let mut typed = sources
        .into_iter()
        .filter(|(key, _)| part.takes(key))
        .filter_map(|(key, place)| Some((key, place?)));
    // Buckets of an age or a rate would be fine, if they were carried out.
    if let (Some((first, _)), Some((second, place))) = (typed.next(), typed.next()) {
        let help = format!("expected one of them: declare another field for `{second}`");
        report.add(place, format!("`{second}` beside `{first}`"), help);
    }
}

fn history(part: &Part, from: &At<String>, report: &Report) -> Source {
    let feedback = from.value.strip_prefix("feedback.").unwrap_or_default();
    if feedback.is_empty() || feedback.contains(char::is_whitespace) {
        report.add(
            &from.place,
            format!("`from` is `{}`", from.value),
            "expected `feedback.KIND`, as `feedback.click`",
        );
    }
    if part.side.is_some_and(|side| side != Side::User) {
        report.add(
            &from.place,
            "`from` on a side other than `user`",
            "expected side `user`: a history is a person's",
        );
    }
    if let Some(weights) = &part.raw.weights {
        let help = "leave it out: the ids of a history have no weights";
        report.add(&weights.place, "`weights` beside `from`", help);
    }
    Source::History {
        feedback: feedback.to_owned(),
        last: whole_or(&part.raw.last, 1, 200, 50, report),
    }
}

fn rate(part: &Part, rate: &At<String>, report: &Report) -> Source {
    const WEEK: i64 = 7 * 24 * 60 * 60 * 1000;
    if rate.value.is_empty() || rate.value.contains(char::is_whitespace) {
        let help = "expected a kind of feedback, as `rate = \"click\"`";
        report.add(&rate.place, format!("`rate` is `{}`", rate.value), help);
    }
    if part.side.is_some_and(|side| side != Side::Item) {
        let help = "expected side `item`: a rate is an item's";
        report.add(&rate.place, "`rate` on a side other than `item`", help);
    }
    let window_ms = match &part.raw.window {
        None => {
            let help = "expected how far the rate looks back, as `window = \"7d\"`";
            report.missing(&part.raw.place, "window", help);
            WEEK
        }
        Some(at) => duration::milliseconds(&at.value).unwrap_or_else(|| {
            let help = "expected a whole number and its unit, as `12h`, `7d`";
            report.add(&at.place, format!("`window` is `{}`", at.value), help);
            WEEK
        }),
    };
    Source::Rate {
        feedback: rate.value.clone(),
        window_ms,
    }
}

/// The attribute of `side.attribute`, which must be on the field's side.
fn time_of(part: &Part, at: &At<String>, report: &Report) -> String {
    let (side, attribute) = at.value.split_once('.').unwrap_or(("", &at.value));
    let own = part.raw.side.as_ref().map_or("", |at| at.value.as_str());
    let entry = matches!(part.side, Some(Side::User | Side::Query | Side::Item) | None);
    if !entry {
        let help = "expected side `user`, `query` or `item`, whose catalogue entry holds the time";
        report.add(&at.place, format!("`{}` on side `{own}`", at.place.key()), help);
    } else if attribute.is_empty() || side != own {
        let help = format!("expected `{own}.TIME`: a time of the field's own side");
        report.add(&at.place, format!("`{}` is `{}`", at.place.key(), at.value), help);
    }
    attribute.to_owned()
}
