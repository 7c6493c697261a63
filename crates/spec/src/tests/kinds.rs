//! `[fields]`: texts, numbers in buckets, weighted ids, and columns of other names.

use super::{check, spec};
use crate::{Kind, Pool, Rows, Scale};

#[test]
fn a_width_on_a_number_needs_buckets() {
    check(
        "[fields]
a = { side = 'item', kind = 'number', dim = 4 } #~ `dim` without `edges` => add `edges = [...]`, which puts the number in buckets, or leave `dim` out
b = { side = 'item', kind = 'number', dim = 4, edgs = [1] } #~ unknown key `edgs`
c = { side = 'item', kind = 'number', dim = 0, edges = [1] } #~ `dim` is 0 => expected a whole number from 1 to 1024
d = { side = 'item', kind = 'number', edges = [1] } #~ `dim` is missing => expected `dim = N`, the width of its embedding",
    );
}

#[test]
fn edges_are_finite_and_rise() {
    let many: Vec<String> = (0..10_001).map(|edge| edge.to_string()).collect();
    for edges in [
        "",
        "1, 1",
        "2, 1",
        "nan",
        "1, inf",
        "16777216, 16777217",
        &many.join(", "),
    ] {
        check(&format!(
            "[fields]
a = {{ side = 'item', kind = 'number', dim = 2, edges = [{edges}] }} #~ `edges` cannot bound buckets => expected 1 to 10000 finite numbers that rise, as `edges = [10, 20, 50]`"
        ));
    }
    check(
        "[fields]
a = { side = 'item', kind = 'number', dim = 2, edges = ['x'] } #~ an element of `edges` is the string `x`
b = { side = 'item', kind = 'id', dim = 2, buckets = 3, edges = [1] } #~ `edges` does not belong to kind `id` => leave it out: it is for kind `number`",
    );
}

#[test]
fn a_number_in_buckets_is_not_scaled() {
    check(
        "[fields]
a = { side = 'item', kind = 'number', dim = 2, edges = [1], scale = 'log', powers = true } #~ `scale` beside `edges` => leave it out: only the bucket of the number is used #~ `powers` beside `edges`",
    );
}

#[test]
fn a_number_in_buckets_means_what_was_typed() {
    let spec = spec(
        "[fields]
a = { side = 'item', kind = 'number', dim = 4, edges = [-1, 2.5, 30], missing = -9 }
b = { side = 'item', kind = 'number', scale = 'log' }",
    );
    assert_eq!(
        spec.fields[0].kind,
        Kind::Buckets {
            table: 0,
            missing: Some(-9.0)
        }
    );
    assert_eq!(spec.tables[0].rows, Rows::Edges(vec![-1.0, 2.5, 30.0]));
    assert_eq!((spec.tables[0].dim, spec.tables[0].len()), (4, 4));
    assert_eq!(
        spec.fields[1].kind,
        Kind::Number {
            scale: Scale::Log,
            powers: false,
            missing: None,
            dot: None
        }
    );
}

#[test]
fn a_text_is_hashed_in_short_runs_of_words() {
    check(
        "[fields]
a = { side = 'item', kind = 'text', dim = 2 } #~ `buckets` is missing => expected `buckets = N`: words are hashed
b = { side = 'item', kind = 'text', buckets = 2 } #~ `dim` is missing
c = { side = 'item', kind = 'text', dim = 2, buckets = 2, ngrams = 0 } #~ `ngrams` is 0 => expected a whole number from 1 to 4
d = { side = 'item', kind = 'text', dim = 2, buckets = 2, ngrams = 5 } #~ `ngrams` is 5
e = { side = 'item', kind = 'text', dim = 2, buckets = 2, values = ['x'], shares = 'a', last = 2 } #~ `values` does not belong to kind `text` => leave it out: it is for kind `id` and `ids` #~ `shares` does not belong to kind `text` #~ `last` does not belong to kind `text`
f = { side = 'item', kind = 'ids', dim = 2, buckets = 2, ngrams = 2 } #~ `ngrams` does not belong to kind `ids` => leave it out: it is for kind `text`",
    );
    let spec = spec(
        "[fields]
a = { side = 'item', kind = 'text', dim = 2, buckets = 9 }
b = { side = 'query', kind = 'text', dim = 2, buckets = 9, ngrams = 3, pool = 'sum', id_dropout = 0.5, admit_after = 2 }",
    );
    assert_eq!(
        spec.fields[0].kind,
        Kind::Text {
            table: 0,
            id_dropout: 0.0,
            pool: Pool::Mean,
            ngrams: 1
        }
    );
    assert_eq!(
        spec.fields[1].kind,
        Kind::Text {
            table: 1,
            id_dropout: 0.5,
            pool: Pool::Sum,
            ngrams: 3
        }
    );
    assert_eq!(
        (&spec.tables[1].rows, spec.tables[1].admit_after),
        (&Rows::Hashed(9), 2)
    );
}

#[test]
fn only_tables_of_ids_are_shared() {
    check(
        "[fields]
a = { side = 'item', kind = 'text', dim = 2, buckets = 9 }
b = { side = 'item', kind = 'number', dim = 2, edges = [1] }
c = { side = 'item', kind = 'number', edges = [1], shares = 'b' } #~ `shares` does not belong to kind `number`
d = { side = 'user', kind = 'id', shares = 'a' } #~ the field `a` has no table of ids => fields with a table of their own: `f` (did you mean `f`?)
e = { side = 'user', kind = 'ids', shares = 'b' } #~ the field `b` has no table of ids
f = { side = 'user', kind = 'ids', dim = 2, buckets = 9 }
g = { side = 'user', kind = 'id', shares = 'f' }",
    );
}

#[test]
fn only_ids_go_to_the_shallow_tower() {
    check(
        "[fields]
a = { side = 'context', kind = 'text', dim = 2, buckets = 9, use = 'both' } #~ `use` is `both` on kind `text` => expected kind `id` with `values`, or at most 64 `buckets`, for the shallow tower
b = { side = 'context', kind = 'number', dim = 2, edges = [1], use = 'both' } #~ `use` is `both` on kind `number`
c = { side = 'context', kind = 'id', dim = 2, part = 'weekday', use = 'both' }
d = { side = 'context', kind = 'id', part = 'hour', use = 'bias' }
[bias]
fields = ['position', 'a', 'b', 'c', 'd']
groups = ['engagement']",
    );
}

#[test]
fn ids_may_have_weights_unless_they_are_a_history() {
    check(
        "[fields]
a = { side = 'item', kind = 'ids', dim = 2, buckets = 4, weights = '' } #~ `weights` is empty => expected the name of a column, which holds a weight for each id
b = { side = 'user', kind = 'ids', shares = 'a', from = 'feedback.click', weights = 'w' } #~ `weights` beside `from` => leave it out: the ids of a history have no weights
c = { side = 'item', kind = 'id', dim = 2, buckets = 4, weights = '' } #~ `weights` does not belong to kind `id` => leave it out: it is for kind `ids`",
    );
    let spec = spec(
        "[fields]
a = { side = 'item', kind = 'ids', dim = 2, buckets = 4, weights = 'topic weights' }",
    );
    assert_eq!(
        spec.fields[0].kind,
        Kind::Ids {
            table: 0,
            id_dropout: 0.0,
            pool: Pool::Mean,
            weights: Some("topic weights".to_owned())
        }
    );
}

#[test]
fn a_column_may_have_another_name_than_its_field() {
    check(
        "[fields]
a = { side = 'item', kind = 'number', column = '' } #~ `column` is empty
b = { side = 'item', kind = 'number', column = 3 } #~ `column` is the number 3
taste = { side = 'user', kind = 'vector', width = 2 }
looks = { side = 'item', kind = 'vector', width = 2 }
c = { side = 'pair', kind = 'number', column = 'c', dot = ['user.taste', 'item.looks'] } #~ `column` has no value to name => leave it out: a pair value is computed",
    );
    let spec = spec(
        "[fields]
a = { side = 'item', kind = 'number', column = 'Item Age (d)' }
b = { side = 'item', kind = 'number' }",
    );
    let columns: Vec<&str> = spec.fields.iter().map(|field| field.column.as_str()).collect();
    assert_eq!(columns, ["Item Age (d)", "b"]);
    assert_eq!(spec.fields[0].attribute, "a");
}
