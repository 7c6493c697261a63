//! `[fields]`.

use super::{check, check_bare, spec};
use crate::{Kind, Pool, Rows, Scale, Side, Source, Use};

#[test]
fn side_and_kind_are_demanded_and_known() {
    check(
        "[fields]
a = {} #~ `side` is missing #~ `kind` is missing",
    );
    check(
        "[fields]
a = { side = 'usr', kind = 'idd', dim = 4 } #~ `side` is `usr` => expected one of: `user`, `context`, `query`, `item`, `pair` (did you mean `user`?) #~ `kind` is `idd` => expected one of: `id`, `ids`, `number`, `text`, `vector` (did you mean `id`?)",
    );
    check(
        "[fields]
a = { side = 'user', kind = 'number', use = 'shallow' } #~ `use` is `shallow`",
    );
}

#[test]
fn names_are_identifiers_and_position_is_built_in() {
    check(
        "[fields]
\"a-b\" = { side = 'user', kind = 'number' } #~ `a-b` is no field name
2 = { side = 'user', kind = 'number' } #~ `2` is no field name
\"a.b\" = { side = 'user', kind = 'number' } #~ `a.b` is no field name
\"a€\" = { side = 'user', kind = 'number' } #~ `a€` is no field name
_a2 = { side = 'user', kind = 'number' }
\"größe\" = { side = 'item', kind = 'number' }
\"时长_2\" = { side = 'item', kind = 'number' }",
    );
    check(
        "[fields]
position = { side = 'context', kind = 'number' } #~ `position` is built in and no field
a = { side = 'user', kind = 'number' }",
    );
    check(
        "[keys]
position = 'rank'
[fields]
rank = { side = 'context', kind = 'number' } #~ `rank` is built in and no field",
    );
}

#[test]
fn at_least_one_field_reaches_the_main_tower() {
    check_bare(
        "#~ no field is declared #~ no objective is declared #~ `model` is missing #~ no objective has a score weight, so there is nothing to sort by",
    );
    check(
        "[fields] #~ no field is read by the main tower
a = { side = 'context', kind = 'id', values = ['x'], use = 'bias' }
[bias]
fields = ['position', 'a']
groups = ['engagement']",
    );
}

#[test]
fn keys_belong_to_kinds() {
    check(
        "[fields]
a = { side = 'user', kind = 'number', dim = 4, buckets = 3, last = 3, width = 2 } #~ `dim` without `edges` => add `edges = [...]`, which puts the number in buckets, or leave `dim` out #~ `buckets` does not belong to kind `number` => leave it out: it is for kind `id`, `ids` and `text` #~ `last` does not belong to kind `number` #~ `width` does not belong to kind `number` => leave it out: it is for kind `vector`",
    );
    check(
        "[fields]
a = { side = 'user', kind = 'id', dim = 4, buckets = 3, scale = 'none', pool = 'sum', from = 'feedback.click', powers = true } #~ `scale` does not belong to kind `id` #~ `pool` does not belong to kind `id` => leave it out: it is for kind `ids` and `text` #~ `from` does not belong to kind `id` => leave it out: it is for kind `ids` #~ `powers` does not belong to kind `id`",
    );
    check(
        "[fields]
a = { side = 'user', kind = 'vector', width = 3, scale = 'none', id_dropout = 0.1 } #~ `scale` does not belong to kind `vector` #~ `id_dropout` does not belong to kind `vector`",
    );
}

#[test]
fn a_field_named_by_a_key_is_that_id() {
    check(
        "[fields]
user = { side = 'item', kind = 'number' } #~ `side` of the field `user` is `item` => `[keys] user` makes `user` the user id: expected side `user` and kind `id` #~ `kind` of the field `user` is `number`",
    );
    check(
        "[keys]
item = 'video'
query = 'watched'
[fields]
video = { side = 'query', kind = 'id', dim = 2, buckets = 9 } #~ `side` of the field `video` is `query`
watched = { side = 'query', kind = 'id', shares = 'video' }",
    );
}

#[test]
fn an_id_has_exactly_one_source_of_rows() {
    check(
        "[fields]
a = { side = 'user', kind = 'id', dim = 4 } #~ `buckets` is missing => expected `buckets = N`, `capacity = N`, `values = [...]` or `shares = \"FIELD\"`
b = { side = 'item', kind = 'ids', dim = 4, buckets = 3, values = ['x'] } #~ `values` beside `buckets`",
    );
    check(
        "[fields]
a = { side = 'user', kind = 'id', dim = 4, buckets = 0 } #~ `buckets` is 0 => expected a whole number from 1 to 1000000000
b = { side = 'user', kind = 'id', dim = 4, buckets = -1 } #~ `buckets` is -1
c = { side = 'user', kind = 'id', dim = 4, values = [] } #~ `values` is empty
d = { side = 'user', kind = 'id', dim = 4, values = ['x', 'y', 'x'] } #~ `x` is twice in `values`",
    );
}

#[test]
fn a_table_with_a_capacity_has_no_other_rows_and_may_forget() {
    check(
        "[fields]
a = { side = 'user', kind = 'id', dim = 4, capacity = 0 } #~ `capacity` is 0 => expected a whole number from 1 to 1000000000
b = { side = 'user', kind = 'id', dim = 4, capacity = 9, buckets = 9, values = ['x'] } #~ `buckets` beside `capacity` => expected one of them: `capacity` for a row of its own for each id, `buckets` for hashed rows, `values` for known ids #~ `values` beside `capacity`
c = { side = 'item', kind = 'ids', dim = 4, buckets = 9, forget_after = '7d' } #~ `forget_after` without `capacity` => add `capacity = N`, whose rows are given back, or leave `forget_after` out
d = { side = 'item', kind = 'id', dim = 4, capacity = 9, forget_after = '7 d' } #~ `forget_after` is `7 d` => expected a whole number and its unit, as `12h`, `30d`
e = { side = 'item', kind = 'text', dim = 4, buckets = 2, capacity = 9 } #~ `capacity` does not belong to kind `text` => leave it out: it is for kind `id` and `ids`
f = { side = 'query', kind = 'id', shares = 'd', capacity = 9, forget_after = '1d' } #~ `capacity` beside `shares` #~ `forget_after` beside `shares`
g = { side = 'context', kind = 'id', dim = 2, part = 'hour', capacity = 9 } #~ `capacity` beside `part`",
    );
    check(
        "[fields]
a = { side = 'context', kind = 'id', dim = 2, capacity = 9, use = 'both' } #~ `use` is `both` on `capacity` => expected kind `id` with `values`, or at most 64 `buckets`, for the shallow tower
[bias]
fields = ['position', 'a']
groups = ['engagement']",
    );
    check(
        "[keys]
absent = ['time']
[fields]
a = { side = 'item', kind = 'id', dim = 2, capacity = 9, forget_after = '30d' } #~ `forget_after` without times => leave it out: `[keys] absent` says that the log has no times",
    );
    let spec = spec(
        "[fields]
a = { side = 'item', kind = 'id', dim = 2, capacity = 9, forget_after = '1d', admit_after = 3 }
b = { side = 'user', kind = 'ids', shares = 'a' }",
    );
    let rows = Rows::Keyed {
        capacity: 9,
        forget_after_ms: Some(86_400_000),
    };
    assert_eq!((&spec.tables[0].rows, spec.tables[0].admit_after), (&rows, 3));
    assert_eq!((spec.tables.len(), spec.tables[0].len()), (1, 9));
}

#[test]
fn an_embedding_has_a_width_where_the_main_tower_reads_it() {
    check(
        "[fields]
a = { side = 'user', kind = 'id', buckets = 4 } #~ `dim` is missing
b = { side = 'user', kind = 'id', dim = 0, buckets = 4 } #~ `dim` is 0 => expected a whole number from 1 to 1024
c = { side = 'user', kind = 'id', dim = 1025, buckets = 4 } #~ `dim` is 1025",
    );
    check(
        "[fields]
a = { side = 'context', kind = 'id', values = ['x'], use = 'bias' } #~ `dim` is missing => expected `dim = N`, the width of its embedding: `b` reads it in the main tower
b = { side = 'query', kind = 'id', shares = 'a' }
[bias]
fields = ['position', 'a']
groups = ['engagement']",
    );
}

#[test]
fn a_shared_table_is_one_that_a_field_owns() {
    check(
        "[fields]
a = { side = 'item', kind = 'id', dim = 4, buckets = 9 }
b = { side = 'user', kind = 'ids', shares = 'A' } #~ no field `A` => fields with a table of their own: `a` (did you mean `a`?)
c = { side = 'query', kind = 'id', shares = 'd' } #~ the field `d` shares a table itself
d = { side = 'query', kind = 'id', shares = 'a', dim = 4, buckets = 9 } #~ `dim` beside `shares` => leave it out: `a` declares the table #~ `buckets` beside `shares`
e = { side = 'query', kind = 'id', shares = 'e' } #~ the field `e` shares a table itself
f = { side = 'item', kind = 'number' }
g = { side = 'query', kind = 'id', shares = 'f' } #~ the field `f` has no table",
    );
    check(
        "[fields]
a = { side = 'item', kind = 'idd', dim = 4, buckets = 9 } #~ `kind` is `idd`
b = { side = 'user', kind = 'ids', shares = 'a' }",
    );
}

#[test]
fn a_history_is_a_users_and_of_ids() {
    check(
        "[fields]
v = { side = 'item', kind = 'id', dim = 4, buckets = 9 }
a = { side = 'user', kind = 'ids', shares = 'v', from = 'click' } #~ `from` is `click` => expected `feedback.KIND`, as `feedback.click`
b = { side = 'user', kind = 'ids', shares = 'v', from = 'feedback.' } #~ `from` is `feedback.`
c = { side = 'item', kind = 'ids', shares = 'v', from = 'feedback.click' } #~ `from` on a side other than `user`
d = { side = 'user', kind = 'ids', shares = 'v', last = 3 } #~ `last` without `from`
e = { side = 'user', kind = 'ids', shares = 'v', from = 'feedback.click', last = 0 } #~ `last` is 0
f = { side = 'user', kind = 'ids', shares = 'v', from = 'feedback.click', attribute = 'x' } #~ `attribute` has no catalogue entry to read",
    );
}

#[test]
fn numbers_scales_pools_and_dropouts_are_in_range() {
    check(
        "[fields]
a = { side = 'user', kind = 'number', scale = 'quantil' } #~ `scale` is `quantil` => expected one of: `none`, `standard`, `quantile`, `log` (did you mean `quantile`?)
b = { side = 'user', kind = 'ids', dim = 1, buckets = 2, pool = 'max' } #~ `pool` is `max`
c = { side = 'user', kind = 'id', dim = 1, buckets = 2, id_dropout = 1 } #~ `id_dropout` is 1 => expected a share from 0 to below 1
d = { side = 'user', kind = 'vector' } #~ `width` is missing
e = { side = 'user', kind = 'vector', width = 65537 } #~ `width` is 65537
f = { side = 'context', kind = 'number', attribute = 'g' } #~ `attribute` has no catalogue entry to read
g = { side = 'user', kind = 'number', attribute = '' } #~ `attribute` is empty",
    );
}

#[test]
fn only_ids_with_few_rows_go_to_the_shallow_tower() {
    check(
        "[fields]
a = { side = 'context', kind = 'number', use = 'both' } #~ `use` is `both` on kind `number`
b = { side = 'context', kind = 'id', buckets = 65, use = 'bias' } #~ `use` is `bias` on 65 `buckets` => expected kind `id` with `values`, or at most 64 `buckets`, for the shallow tower
c = { side = 'context', kind = 'id', dim = 2, buckets = 64, use = 'both' }
[bias]
fields = ['position', 'a', 'b', 'c']
groups = ['engagement']",
    );
}

const VECTORS: &str = "[fields]
taste = { side = 'user', kind = 'vector', width = 8 }
watched = { side = 'query', kind = 'vector', width = 8, attribute = 'content' }
shown = { side = 'item', kind = 'vector', width = 8, attribute = 'content' }
long = { side = 'item', kind = 'vector', width = 9 }
mood = { side = 'context', kind = 'vector', width = 8 }
age = { side = 'item', kind = 'number' }
";

#[test]
fn a_pair_joins_two_vectors_of_equal_width() {
    let wrong = [
        "a = { side = 'pair', kind = 'number' } #~ `dot` is missing",
        "a = { side = 'pair', kind = 'vector' } #~ `product` is missing",
        "a = { side = 'pair', kind = 'id', dim = 1, buckets = 2 } #~ `cross` is missing => expected `cross = [\"FIELD\", \"FIELD\"]` on side `pair`",
        "a = { side = 'pair', kind = 'ids', dim = 1, buckets = 2 } #~ `side` is `pair` on kind `ids`",
        "a = { side = 'pair', kind = 'text', dim = 1, buckets = 2 } #~ `side` is `pair` on kind `text` => `pair` is for kind `number` with `dot`, kind `vector` with `product` and kind `id` with `cross`",
        "a = { side = 'item', kind = 'number', dot = ['user.taste', 'item.shown'] } #~ `side` is `item` => expected `pair`, as it has `dot`",
        "a = { side = 'pair', kind = 'number', dot = ['user.taste'] } #~ `dot` has 1 elements",
        "a = { side = 'pair', kind = 'number', dot = ['user.tast', 'item.shown'] } #~ no vector `user.tast` => declared vectors: `user.taste`, `query.watched`, `item.shown`, `item.long`, `context.mood` (did you mean `user.taste`?)",
        "a = { side = 'pair', kind = 'number', dot = ['taste', 'item.shown'] } #~ no vector `taste`",
        "a = { side = 'pair', kind = 'number', dot = ['user.taste', 'item.age'] } #~ `item.age` is of kind `number`",
        "a = { side = 'pair', kind = 'number', dot = ['user.taste', 'query.watched'] } #~ `dot` is of `user.taste` and `query.watched` => expected one field of side `user` or `query` and one of side `item`",
        "a = { side = 'pair', kind = 'number', dot = ['context.mood', 'item.shown'] } #~ `dot` is of `context.mood` and `item.shown`",
        "a = { side = 'pair', kind = 'vector', product = ['user.taste', 'item.long'] } #~ `taste` has width 8, `long` has width 9",
        "a = { side = 'pair', kind = 'vector', width = 9, product = ['user.taste', 'item.shown'] } #~ `width` is 9 => expected 8, or leave it out",
        "a = { side = 'pair', kind = 'vector', dot = ['user.taste', 'item.shown'] } #~ `product` is missing #~ `dot` does not belong to kind `vector`",
    ];
    for line in wrong {
        check(&format!("{VECTORS}{line}"));
    }
    check(
        "[fields]
taste = { side = 'user', kind = 'vectr', width = 8 } #~ `kind` is `vectr`
shown = { side = 'item', kind = 'vector', width = 8 }
a = { side = 'pair', kind = 'number', dot = ['user.taste', 'item.shown'] }",
    );
}

#[test]
fn a_pair_is_found_by_field_name_or_attribute_and_holds_the_item_second() {
    let spec = spec(&format!(
        "{VECTORS}a = {{ side = 'pair', kind = 'number', dot = ['item.content', 'query.content'] }}
b = {{ side = 'pair', kind = 'vector', product = ['user.taste', 'item.shown'] }}"
    ));
    assert_eq!(
        spec.fields[6].kind,
        Kind::Number {
            scale: Scale::Standard,
            powers: false,
            missing: None,
            dot: Some((1, 2))
        }
    );
    assert_eq!(
        spec.fields[7].kind,
        Kind::Vector {
            width: 8,
            product: Some((0, 2))
        }
    );
    assert_eq!(spec.fields[7].side, Side::Pair);
}

#[test]
fn a_field_means_what_was_typed() {
    let spec = spec(
        "[fields]
history = { side = 'user', kind = 'ids', shares = 'video_id', from = 'feedback.click' }
video_id = { side = 'item', kind = 'id', dim = 16, buckets = 1_000, id_dropout = 0.05 }
device = { side = 'context', kind = 'id', dim = 4, values = ['phone', 'tv'], use = 'bias' }
country = { side = 'context', kind = 'id', dim = 4, values = ['nl'], use = 'both' }
topics = { side = 'item', kind = 'ids', dim = 3, buckets = 7, pool = 'sum', attribute = 'tags' }
age = { side = 'item', kind = 'number', scale = 'quantile', powers = true }
[bias]
fields = ['position', 'device', 'country']
groups = ['engagement']
",
    );
    let table = |name: &str| spec.tables.iter().position(|table| table.name == name).unwrap();
    assert_eq!(spec.tables.len(), 4);
    assert_eq!(
        spec.fields[0].source,
        Source::History {
            feedback: "click".to_owned(),
            last: 50
        }
    );
    assert_eq!(
        spec.fields[0].kind,
        Kind::Ids {
            table: table("video_id"),
            id_dropout: 0.0,
            pool: Pool::Mean,
            weights: None,
        }
    );
    assert_eq!(
        spec.fields[1].kind,
        Kind::Id {
            table: table("video_id"),
            id_dropout: 0.05,
            cross: None,
        }
    );
    assert_eq!(spec.tables[table("video_id")].dim, 16);
    assert_eq!(spec.tables[table("video_id")].rows, Rows::Hashed(1000));
    assert_eq!(
        spec.tables[table("device")].dim,
        0,
        "only the shallow tower reads it"
    );
    assert_eq!(
        spec.tables[table("device")].rows,
        Rows::Values(vec!["phone".to_owned(), "tv".to_owned()])
    );
    assert_eq!(spec.tables[table("country")].dim, 4);
    assert_eq!(
        (spec.fields[2].usage, spec.fields[3].usage),
        (Use::Bias, Use::Both)
    );
    assert_eq!(spec.fields[4].attribute, "tags");
    assert_eq!(
        spec.fields[4].kind,
        Kind::Ids {
            table: table("topics"),
            id_dropout: 0.0,
            pool: Pool::Sum,
            weights: None,
        }
    );
    assert_eq!(
        spec.fields[5].kind,
        Kind::Number {
            scale: Scale::Quantile,
            powers: true,
            missing: None,
            dot: None
        }
    );
    assert_eq!(spec.fields[5].attribute, "age");
}
