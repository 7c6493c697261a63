//! `[keys]`, `[model]`, `[bias]`, `[train]`, `[join]` and `[gates]`.

use super::{check, spec};
use crate::{
    Architecture, Bias, Experts, Gates, Join, Keys, Precision, Spec, TableOptimizer, TimeUnit, Train,
};

#[test]
fn every_key_is_a_column_of_its_own() {
    check(
        "[keys]
user = '' #~ `user` is empty
item = 'id'
slate = 'id' #~ `slate` is the column `id`, and so is `item`
time = 'query' #~ `time` is the column `query`, and so is `query`
time_unit = 'sec' #~ `time_unit` is `sec` => expected one of: `s`, `ms`, `us`",
    );
}

#[test]
fn keys_have_defaults() {
    let names = |keys: &Keys| {
        [
            &keys.user,
            &keys.item,
            &keys.query,
            &keys.time,
            &keys.position,
            &keys.slate,
        ]
        .map(|name| name.clone())
    };
    let keys = spec("").keys;
    assert_eq!(
        names(&keys),
        ["user", "item", "query", "time", "position", "slate"]
    );
    assert_eq!(keys.time_unit, TimeUnit::Milliseconds);
    let keys = spec(
        "[keys]
user = 'u'
item = 'v'
query = 'w'
time = 't'
time_unit = 's'
position = 'p'
slate = 'l'",
    )
    .keys;
    assert_eq!(names(&keys), ["u", "v", "w", "t", "p", "l"]);
    assert_eq!(keys.time_unit, TimeUnit::Seconds);
}

#[test]
fn a_model_has_the_parts_of_its_architecture() {
    check(
        "[model] #~ `architecture` is missing
shared = [8]",
    );
    check(
        "[model]
architecture = 'moe' #~ `architecture` is `moe` => expected one of: `shared-bottom`, `mmoe` (did you mean `mmoe`?)",
    );
    check(
        "[model] #~ `experts` is missing
architecture = 'mmoe'",
    );
    check(
        "[model]
architecture = 'shared-bottom'
experts = { count = 2, widths = [4] } #~ `experts` does not belong to `shared-bottom`
gate_dropout = 0.1 #~ `gate_dropout` does not belong to `shared-bottom` => leave it out, or use `architecture = \"mmoe\"`",
    );
    check(
        "[model]
architecture = 'mmoe'
experts = {} #~ `count` is missing #~ `widths` is missing",
    );
    check(
        "[model]
architecture = 'mmoe'
experts = { count = 65, widths = [] } #~ `count` is 65 => expected a whole number from 1 to 64 #~ `widths` is empty
shared = [0, 65537] #~ `shared` is 0 => expected a whole number from 1 to 65536 #~ `shared` is 65537
towers = [-1] #~ `towers` is -1
gate_dropout = 1.0 #~ `gate_dropout` is 1
input_dropout = -0.1 #~ `input_dropout` is -0.1",
    );
}

#[test]
fn a_model_means_what_was_typed() {
    let model = spec(
        "[model]
architecture = 'mmoe'
experts = { count = 8, widths = [256, 128] }
towers = [64]",
    )
    .model;
    assert_eq!(model.architecture, Architecture::Mmoe);
    assert_eq!(
        model.experts,
        Some(Experts {
            count: 8,
            widths: vec![256, 128]
        })
    );
    assert_eq!((model.shared, model.towers), (vec![], vec![64]));
    assert_eq!((model.gate_dropout, model.input_dropout), (0.1, 0.0));
    let model = spec(
        "[model]
architecture = 'shared-bottom'
shared = []
input_dropout = 0.2",
    )
    .model;
    assert_eq!(
        (model.architecture, model.experts),
        (Architecture::SharedBottom, None)
    );
    assert_eq!((model.gate_dropout, model.input_dropout), (0.0, 0.2));
}

const DEVICE: &str = "[fields]
device = { side = 'context', kind = 'id', values = ['phone', 'tv'], use = 'bias' }
age = { side = 'item', kind = 'number' }
";

#[test]
fn the_shallow_tower_crosses_position_with_fields_meant_for_it() {
    check(&format!(
        "{DEVICE}[bias] #~ `fields` is missing #~ `groups` is missing"
    ));
    check(&format!(
        "{DEVICE}[bias]
fields = ['device'] #~ `position` is not in `fields`
groups = [] #~ `groups` is empty"
    ));
    check(&format!(
        "{DEVICE}[bias]
fields = ['position', 'device', 'position', 'device'] #~ `position` is twice in `fields` #~ `device` is twice in `fields`
groups = ['engagement', 'engagement'] #~ `engagement` is twice in `groups`"
    ));
    check(&format!(
        "{DEVICE}[bias]
fields = ['position', 'device', 'devic', 'age'] #~ no field `devic` => `position` and fields with `use` of `bias` or `both`: `position`, `device` (did you mean `device`?) #~ the field `age` is for the main tower only
groups = ['engagment'] #~ no objective is in the group `engagment` => groups of objectives: `engagement` (did you mean `engagement`?)"
    ));
    check(&format!(
        "{DEVICE}[bias]
fields = ['position', 'device']
groups = ['engagement']
max_position = 0 #~ `max_position` is 0
position_dropout = 1 #~ `position_dropout` is 1
learning_rate_scale = 0 #~ `learning_rate_scale` is 0"
    ));
}

#[test]
fn a_field_for_the_shallow_tower_needs_one() {
    let device = |expected: &str| DEVICE.replacen("'bias' }", &format!("'bias' }} #~ {expected}"), 1);
    check(&device("`use` is `bias`, and there is no `[bias]`"));
    check(&format!(
        "{}[bias]
fields = ['position']
groups = ['engagement']",
        device(
            "`use` is `bias`, and `[bias] fields` lacks `device` => name it there, as `fields = [\"position\", \"device\"]`, or leave `use` out"
        )
    ));
}

#[test]
fn the_cross_is_bounded() {
    let fields: Vec<String> = ["a", "b", "c"]
        .iter()
        .map(|name| {
            format!(
                "{name} = {{ side = 'context', kind = 'id', dim = 1, buckets = 64, use = 'both' }}
"
            )
        })
        .collect();
    check(&format!(
        "[fields]
{}[bias]
fields = ['position', 'a', 'b', 'c'] #~ the cross of `fields` has 14005875 cells => expected at most 1000000: cross fewer fields, or lower `max_position`
groups = ['engagement']",
        fields.concat()
    ));
    check(&format!(
        "[fields]
{}[bias]
fields = ['position', 'a', 'b', 'c']
max_position = 2
groups = ['engagement']",
        fields.concat()
    ));
}

#[test]
fn a_shallow_tower_means_what_was_typed() {
    let objectives = "[objectives]
click = { group = 'engagement', loss = 'binary' }
like = { group = 'satisfaction', loss = 'binary' }
watch = { group = 'engagement', loss = 'squared' }
";
    let spec = spec(&format!(
        "{DEVICE}{objectives}[bias]
fields = ['device', 'position']
groups = ['engagement']"
    ));
    let expected = Bias {
        fields: vec![0],
        objectives: vec![0, 2],
        max_position: 50,
        position_dropout: 0.1,
        learning_rate_scale: 10.0,
    };
    assert_eq!(spec.bias, Some(expected));
}

#[test]
fn training_settings_are_in_range() {
    check(
        "[train]
seed = -1 #~ `seed` is -1
batch = 0 #~ `batch` is 0 => expected a whole number from 1 to 1000000
epochs = 0 #~ `epochs` is 0
patience = 0 #~ `patience` is 0
learning_rate = 0 #~ `learning_rate` is 0 => expected a number above 0
table_optimizer = 'sgd' #~ `table_optimizer` is `sgd` => expected one of: `adagrad`, `adam`
precision = 'f16' #~ `precision` is `f16` => expected one of: `f32`, `bf16` (did you mean `bf16`?)
table_learning_rate = 1e-60 #~ `table_learning_rate` is 0.000000000000000000000000000000000000000000000000000000000001
accumulator_half_life = '1 d' #~ `accumulator_half_life` is `1 d` => expected a whole number and its unit, as `12h`, `30d`
l2 = -1 #~ `l2` is -1 => expected a number from 0
split = [0.7, 0.1, 0.1] #~ `split` is [0.7, 0.1, 0.1], which sums to 0.8999999999999999
shuffle_window = 0 #~ `shuffle_window` is 0
cache = '1 GB' #~ `cache` is `1 GB` => expected a whole number and its unit, as `512MiB`, `8GiB`, `20GB`, or `0`
learn_passes = 0 #~ `learn_passes` is 0
[join]
mark_every = '0s' #~ `mark_every` is `0s`
[gates]
share = 1 #~ `share` is 1 => expected a number between 0 and 1, neither of them
confidence = 0 #~ `confidence` is 0
",
    );
    check(
        "[train]
table_optimizer = 'adam'
accumulator_half_life = '30d' #~ `accumulator_half_life` beside `table_optimizer = \"adam\"` => leave it out: Adam's averages forget by themselves",
    );
    check(
        "[keys]
absent = ['time']
[train]
accumulator_half_life = '30d' #~ `accumulator_half_life` without times => leave it out: `[keys] absent` says that the log has no times",
    );
    check(
        "[train]
split = [0.5, 0.5] #~ `split` has 2 elements",
    );
    check(
        "[train]
split = [1.0, 0.5, -0.5] #~ `split` is [1.0, 0.5, -0.5], which sums to 1",
    );
    check(
        "[train]
learning_rate = inf #~ `learning_rate` is inf",
    );
}

#[test]
fn settings_have_defaults() {
    let Spec {
        train,
        join,
        gates,
        bias,
        ..
    } = spec("");
    let expected = Train {
        stop_by: vec![0],
        seed: 0,
        batch: 512,
        epochs: 16,
        patience: 3,
        learning_rate: 1e-3,
        table_optimizer: TableOptimizer::Adagrad,
        precision: Precision::F32,
        table_learning_rate: 0.05,
        accumulator_half_life_ms: None,
        l2: 1e-6,
        split: [0.7, 0.1, 0.2],
        shuffle_window: 65536,
        cache: 1 << 30,
        learn_passes: 2,
    };
    assert_eq!(train, expected);
    assert_eq!(
        join,
        Join {
            mark_every_ms: 60_000
        }
    );
    assert_eq!(
        gates,
        Gates {
            share: 0.1,
            confidence: 0.95
        }
    );
    assert_eq!(bias, None);
    let train = spec(
        "[train]
table_optimizer = 'adam'
learning_rate = 0.01",
    )
    .train;
    assert_eq!(train.table_learning_rate, 0.01);
}
