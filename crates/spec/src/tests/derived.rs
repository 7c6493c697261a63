//! `[fields]`: values derived from the log, from a time, or from two ids.

use super::{check, spec};
use crate::{Kind, Rows, Side, Source, TimePart};

#[test]
fn an_age_is_since_a_time_of_the_fields_own_side() {
    check(
        "[fields]
a = { side = 'item', kind = 'number', since = 'user.born' } #~ `since` is `user.born` => expected `item.TIME`: a time of the field's own side
b = { side = 'item', kind = 'number', since = 'uploaded_at' } #~ `since` is `uploaded_at`
c = { side = 'item', kind = 'number', since = 'item.' } #~ `since` is `item.`
d = { side = 'context', kind = 'number', since = 'context.t' } #~ `since` on side `context` => expected side `user`, `query` or `item`, whose catalogue entry holds the time
e = { side = 'context', kind = 'id', dim = 2, buckets = 2, since = 'context.t' } #~ `since` does not belong to kind `id`
f = { side = 'item', kind = 'number', since = 'item.uploaded_at', attribute = 'x' } #~ `attribute` has no catalogue entry to read => leave it out: the value comes from a time
g = { side = 'usr', kind = 'number', since = 'usr.t' } #~ `side` is `usr`",
    );
    let spec = spec(
        "[fields]
a = { side = 'item', kind = 'number', since = 'item.uploaded_at', scale = 'log' }
b = { side = 'query', kind = 'number', since = 'query.uploaded_at' }
c = { side = 'user', kind = 'number', since = 'user.a.b' }",
    );
    let since = |attribute: &str| Source::Since {
        attribute: attribute.to_owned(),
    };
    let sources: Vec<&Source> = spec.fields.iter().map(|field| &field.source).collect();
    assert_eq!(
        sources,
        [&since("uploaded_at"), &since("uploaded_at"), &since("a.b")]
    );
    assert!(spec.fields.iter().all(|field| field.is_derived()));
}

#[test]
fn a_rate_is_an_items_and_looks_back_over_a_window() {
    check(
        "[fields]
a = { side = 'item', kind = 'number', rate = 'click' } #~ `window` is missing => expected how far the rate looks back, as `window = \"7d\"`
b = { side = 'item', kind = 'number', rate = 'click', window = '7' } #~ `window` is `7` => expected a whole number and its unit, as `12h`, `7d`
c = { side = 'item', kind = 'number', rate = '', window = '7d' } #~ `rate` is `` => expected a kind of feedback, as `rate = \"click\"`
d = { side = 'item', kind = 'number', rate = 'a click', window = '7d' } #~ `rate` is `a click`
e = { side = 'user', kind = 'number', rate = 'click', window = '7d' } #~ `rate` on a side other than `item` => expected side `item`: a rate is an item's
f = { side = 'item', kind = 'number', window = '7d' } #~ `window` without `rate` => add `rate = \"KIND\"`, or leave `window` out
g = { side = 'item', kind = 'number', rat = 'click', window = '7d' } #~ unknown key `rat`
h = { side = 'item', kind = 'number', rate = 'click', window = '7d', attribute = 'x' } #~ `attribute` has no catalogue entry to read => leave it out: the value comes from the log
i = { side = 'user', kind = 'vector', width = 2, rate = 'click' } #~ `rate` does not belong to kind `vector`",
    );
    let spec = spec(
        "[fields]
ctr_7d = { side = 'item', kind = 'number', rate = 'click', window = '7d' }",
    );
    let expected = Source::Rate {
        feedback: "click".to_owned(),
        window_ms: 7 * 24 * 60 * 60 * 1000,
    };
    assert_eq!(spec.fields[0].source, expected);
}

#[test]
fn a_part_is_of_the_request_or_of_a_time_of_its_own_side() {
    check(
        "[fields]
a = { side = 'context', kind = 'id', dim = 2, part = 'minute' } #~ `part` is `minute` => expected one of: `hour`, `weekday`
b = { side = 'item', kind = 'id', dim = 2, part = 'hour' } #~ `part` of the request's time on another side => expected side `context`, or `of = \"SIDE.TIME\"`: without it, the part is of the request's time
c = { side = 'context', kind = 'id', dim = 2, part = 'hour', of = 'context.t' } #~ `of` on side `context`
d = { side = 'item', kind = 'id', dim = 2, part = 'hour', of = 'user.t' } #~ `of` is `user.t` => expected `item.TIME`: a time of the field's own side
e = { side = 'item', kind = 'id', dim = 2, buckets = 3, of = 'item.t' } #~ `of` without `part` => add `part = \"hour\"` or `\"weekday\"`, or leave `of` out
f = { side = 'item', kind = 'id', dim = 2, buckets = 3, prt = 'hour', of = 'item.t' } #~ unknown key `prt`
g = { side = 'context', kind = 'id', dim = 2, part = 'hour', buckets = 24, values = ['0'] } #~ `buckets` beside `part` => leave it out: the hours of a day and the days of a week are known #~ `values` beside `part`
h = { side = 'context', kind = 'number', part = 'hour' } #~ `part` does not belong to kind `number` => leave it out: it is for kind `id`
i = { side = 'context', kind = 'id', part = 'hour' } #~ `dim` is missing
j = { side = 'item', kind = 'id', dim = 2, part = 'hour', of = 'item.t', attribute = 'x' } #~ `attribute` has no catalogue entry to read",
    );
    let spec = spec(
        "[fields]
hour = { side = 'context', kind = 'id', dim = 2, part = 'hour' }
day = { side = 'item', kind = 'id', dim = 2, part = 'weekday', of = 'item.uploaded_at' }",
    );
    assert_eq!(
        spec.fields[0].source,
        Source::Part {
            part: TimePart::Hour,
            of: None
        }
    );
    assert_eq!(
        spec.fields[1].source,
        Source::Part {
            part: TimePart::Weekday,
            of: Some("uploaded_at".to_owned())
        }
    );
    assert_eq!((spec.tables[0].len(), spec.tables[1].len()), (24, 7));
    assert_eq!(spec.tables[1].rows, Rows::Values(TimePart::Weekday.values()));
}

#[test]
fn hours_and_weekdays_are_local() {
    // 2024-02-29 was a Thursday.
    const MIDNIGHT: i64 = 1_709_164_800_000;
    const MINUTE: i64 = 60_000;
    for (time_ms, offset, hour, weekday) in [
        (0, 0, "0", "thu"),
        (-1, 0, "23", "wed"),
        (MIDNIGHT, 0, "0", "thu"),
        (MIDNIGHT, 8 * 60, "8", "thu"),
        (MIDNIGHT, -30, "23", "wed"),
        (MIDNIGHT - MINUTE, 0, "23", "wed"),
        (MIDNIGHT + 4 * 24 * 60 * MINUTE, 0, "0", "mon"),
        (
            MIDNIGHT + 3 * 24 * 60 * MINUTE + 90 * MINUTE,
            14 * 60,
            "15",
            "sun",
        ),
    ] {
        assert_eq!(TimePart::Hour.at(time_ms, offset), hour, "{time_ms} {offset}");
        assert_eq!(
            TimePart::Weekday.at(time_ms, offset),
            weekday,
            "{time_ms} {offset}"
        );
        assert!(TimePart::Weekday.values().contains(&weekday.to_owned()));
        assert!(TimePart::Hour.values().contains(&hour.to_owned()));
    }
}

#[test]
fn a_cross_pairs_two_id_fields() {
    let fields = "[fields]
u = { side = 'user', kind = 'id', dim = 2, buckets = 9 }
topic = { side = 'item', kind = 'id', dim = 2, buckets = 9 }
tags = { side = 'item', kind = 'ids', dim = 2, buckets = 9 }
";
    let wrong = [
        "a = { side = 'pair', kind = 'id', dim = 2, cross = ['u', 'topic'] } #~ `buckets` is missing => expected `buckets = N`: pairs of ids are hashed",
        "a = { side = 'pair', kind = 'id', dim = 2, values = ['x'], cross = ['u', 'topic'] } #~ `values` beside `cross` => expected `buckets = N`: pairs of ids are hashed",
        "a = { side = 'pair', kind = 'id', shares = 'u', cross = ['u', 'topic'] } #~ `shares` beside `cross`",
        "a = { side = 'item', kind = 'id', dim = 2, buckets = 9, cross = ['u', 'topic'] } #~ `side` is `item` => expected `pair`, as it has `cross`",
        "a = { side = 'pair', kind = 'id', dim = 2, buckets = 9, cross = ['u'] } #~ `cross` has 1 elements => expected two, as `cross = [\"FIELD\", \"FIELD\"]`",
        "a = { side = 'pair', kind = 'id', dim = 2, buckets = 9, cross = ['u', 'topc'] } #~ no field `topc` of kind `id` => fields to cross: `u`, `topic` (did you mean `topic`?)",
        "a = { side = 'pair', kind = 'id', dim = 2, buckets = 9, cross = ['u', 'tags'] } #~ no field `tags` of kind `id`",
        "a = { side = 'pair', kind = 'id', dim = 2, buckets = 9, cross = ['u', 'a'] } #~ no field `a` of kind `id`",
        "a = { side = 'pair', kind = 'id', dim = 2, buckets = 9, cross = ['u', 'u'] } #~ `u` is crossed with itself => expected two fields",
        "a = { side = 'pair', kind = 'id', dim = 2, buckets = 9, attribute = 'x', cross = ['u', 'topic'] } #~ `attribute` has no catalogue entry to read => leave it out: a pair value is computed",
        "a = { side = 'item', kind = 'ids', dim = 2, buckets = 9, cross = ['u', 'topic'] } #~ `cross` does not belong to kind `ids` => leave it out: it is for kind `id`",
    ];
    for line in wrong {
        check(&format!("{fields}{line}"));
    }
    check(
        "[fields]
u = { side = 'user', kind = 'idd' } #~ `kind` is `idd`
v = { side = 'item', kind = 'id', dim = 2, buckets = 9 }
a = { side = 'pair', kind = 'id', dim = 2, buckets = 9, cross = ['v', 'u'] }",
    );
    let spec = spec(&format!(
        "{fields}a = {{ side = 'pair', kind = 'id', dim = 2, buckets = 9, cross = ['topic', 'u'], id_dropout = 0.5 }}"
    ));
    assert_eq!(
        spec.fields[3].kind,
        Kind::Id {
            table: 3,
            id_dropout: 0.5,
            cross: Some((1, 0))
        }
    );
    assert_eq!(spec.fields[3].side, Side::Pair);
    assert!(spec.fields[3].is_derived());
}

#[test]
fn a_value_comes_from_one_place() {
    let vectors = "[fields]
u = { side = 'user', kind = 'vector', width = 2 }
v = { side = 'item', kind = 'vector', width = 2 }
";
    let wrong = [
        "a = { side = 'item', kind = 'number', since = 'item.t', rate = 'click', window = '7d' } #~ `rate` beside `since` => expected one of them: declare another field for `rate`",
        "a = { side = 'item', kind = 'number', dim = 2, edges = [1], since = 'item.t' } #~ `edges` beside `since`",
        "a = { side = 'item', kind = 'number', dim = 2, edges = [1], rate = 'click', window = '7d' } #~ `edges` beside `rate`",
        "a = { side = 'pair', kind = 'number', dim = 2, edges = [1], dot = ['user.u', 'item.v'] } #~ `dot` beside `edges`",
        "a = { side = 'item', kind = 'number', since = 'item.t', part = 'hour' } #~ `part` does not belong to kind `number`",
    ];
    for line in wrong {
        check(&format!("{vectors}{line}"));
    }
    check(
        "[fields]
u = { side = 'user', kind = 'id', dim = 2, buckets = 9 }
v = { side = 'item', kind = 'id', dim = 2, buckets = 9 }
a = { side = 'pair', kind = 'id', dim = 2, part = 'hour', of = 'pair.t', cross = ['u', 'v'] } #~ `of` on side `pair` #~ `cross` beside `part`",
    );
}
