//! Keys and types, before any meaning.

use super::{check, check_bare, mistakes};

#[test]
fn broken_toml_is_one_mistake_with_its_line_and_key() {
    let found = mistakes("[fields]\na = { side = 'user' }\nb = { side = item }\n\n[score]\n");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].line, found[0].path.as_str()),
        (3, "fields.b"),
        "{found:?}"
    );
    assert!(found[0].message.starts_with("not valid TOML: "), "{found:?}");

    let found = mistakes("[model]\nshared = [1]\nshared = [2]\n");
    assert_eq!((found[0].line, found[0].path.as_str()), (3, "model.shared"));
    assert_eq!(found[0].message, "not valid TOML: duplicate key");

    let found = mistakes("[model\n");
    assert_eq!((found[0].line, found[0].path.as_str()), (1, "model"));
    let found = mistakes("[a]\nx = é\n= 3");
    assert_eq!((found[0].line, found[0].path.as_str()), (2, "a.x"));
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_known_one() {
    check(
        "[train]
bach = 3 #~ unknown key `bach` => known keys: `seed`, `batch`, `epochs`, `patience`, `stop_by`, `learning_rate`, `table_optimizer`, `table_learning_rate`, `accumulator_half_life`, `precision`, `l2`, `split`, `shuffle_window`, `cache`, `learn_passes` (did you mean `batch`?)",
    );
    check(
        "[join]
merk = '1m' #~ unknown key `merk` => known keys: `mark_every`",
    );
    check(
        "[keys]
usr = 'u' #~ unknown key `usr` => known keys: `user`, `item`, `query`, `time`, `time_unit`, `time_format`, `utc_offset`, `position`, `slate`, `weight`, `propensity`, `shuffled`, `absent` (did you mean `user`?)",
    );
    check(
        "[gates]
shares = 0.1 #~ unknown key `shares`",
    );
    check(
        "[explore]
shufle = 0 #~ unknown key `shufle`",
    );
    check(
        "[model]
architecture = 'mmoe'
experts = { counts = 2, widths = [4] } #~ unknown key `counts` => known keys: `count`, `shared`, `levels`, `widths` (did you mean `count`?)",
    );
}

#[test]
fn an_unknown_section_is_refused_and_nothing_else_is_said_of_it() {
    check_bare(
        "[feilds] #~ unknown key `feilds`
a = 1
[objectivs] #~ unknown key `objectivs`
[modle] #~ unknown key `modle`
[scor] #~ unknown key `scor`
",
    );
    check(
        "[bais] #~ unknown key `bais`
[fields]
a = { side = 'user', kind = 'id', dim = 1, values = ['x'], use = 'both' }",
    );
}

#[test]
fn a_misspelt_key_is_not_also_missing() {
    check(
        "[fields]
a = { sid = 'user', knd = 'id', bukets = 3, dims = 2 } #~ unknown key `sid` #~ unknown key `knd` #~ unknown key `bukets` #~ unknown key `dims`",
    );
    check(
        "[fields]
a = { side = 'user', kind = 'id', dims = 3, bukets = 3 } #~ unknown key `dims` #~ unknown key `bukets`",
    );
    check(
        "[fields]
a = { side = 'user', kind = 'id', dim = 3, vlaues = ['x'] } #~ unknown key `vlaues`",
    );
    check(
        "[fields]
a = { side = 'user', kind = 'ids', share = 'b' } #~ unknown key `share`
b = { side = 'item', kind = 'id', dim = 1, buckets = 2 }",
    );
    check(
        "[fields]
a = { side = 'user', kind = 'vector', widht = 3 } #~ unknown key `widht`",
    );
    check(
        "[fields]
a = { side = 'user', kind = 'vector', width = 3 }
b = { side = 'pair', kind = 'number', dott = ['user.a', 'item.a'] } #~ unknown key `dott`",
    );
    check(
        "[fields]
a = { side = 'user', kind = 'ids', buckets = 2, dim = 1, form = 'feedback.click', last = 3 } #~ unknown key `form`",
    );
}

#[test]
fn a_value_of_another_type_says_what_was_found_and_expected() {
    check(
        "
[train]
seed = 'one' #~ `seed` is the string `one` => expected a whole number
batch = 2.5 #~ `batch` is the number 2.5 => expected a whole number
learning_rate = true #~ `learning_rate` is the boolean `true` => expected a number
table_optimizer = 3 #~ `table_optimizer` is the number 3 => expected a string
split = 0.5 #~ `split` is the number 0.5 => expected a list, each element a number
l2 = [1] #~ `l2` is a list => expected a number
epochs = { a = 1 } #~ `epochs` is a table => expected a whole number
patience = 1979-05-27 #~ `patience` is a date => expected a whole number
[keys]
user.name = 'x' #~ `user` is a table => expected a string
",
    );
    check(
        "[fields]
a = { side = 'user', kind = 'number', powers = 1 } #~ `powers` is the number 1 => expected `true` or `false`",
    );
    check(
        "[fields]
a = { side = 'user', kind = 'id', dim = 1, values = ['x', 2, #~ an element of `values` is the number 2 => expected a string
    3] } #~ an element of `values` is the number 3
",
    );
    check(
        "[objectives]
click = { group = 'a', loss = 'binary', absent = false } #~ `absent` is the boolean `false` => expected a string or a number",
    );
}

#[test]
fn a_section_or_entry_that_is_no_table_is_refused() {
    check_bare(
        "fields = 3 #~ `fields` is the number 3 => expected a table, as `{ key = value }` or below a `[header]`
objectives = [] #~ `objectives` is a list
model = 'mmoe' #~ `model` is the string `mmoe`
score = 1 #~ `score` is the number 1
bias = 2 #~ `bias` is the number 2",
    );
    check(
        "[fields]
a = 'user' #~ `a` is the string `user`
[[train]] #~ `train` is a table",
    );
    check(
        "[model]
architecture = 'mmoe'
experts = 8 #~ `experts` is the number 8",
    );
    check(
        "[score]
click = 'much' #~ `click` is the string `much` => expected a number",
    );
}

#[test]
fn keys_of_the_design_that_are_not_carried_out_are_refused_by_name() {
    check(
        "
[retrieval] #~ `[retrieval]` is not carried out yet
fresh = true
[serve]
precision = 'int8' #~ `precision` other than `\"f32\"` is not carried out yet
[train]
shards = 8 #~ `shards` other than 4 is not carried out yet
",
    );
}

#[test]
fn a_default_written_out_is_accepted_though_nothing_else_is_carried_out() {
    check(
        "
[explore]
shuffle = 0
[log]
candidates = 0.0
[retrieval]
[serve]
precision = 'f32'
[train]
precision = 'f32'
shards = 4
[join]
[gates]
",
    );
}
