//! `[keys]`, `[model]`, `[train]`, `[join]` and `[gates]`.

use super::{check, spec};
use crate::{Architecture, Experts, Gates, Join, Keys, Precision, Spec, TableOptimizer, TimeUnit, Train};

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
architecture = 'moe' #~ `architecture` is `moe` => expected one of: `single-task`, `shared-bottom`, `omoe`, `mmoe`, `ple`, `snr-trans`, `snr-aver` (did you mean `omoe`?)",
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
fn each_architecture_has_the_keys_that_it_needs_and_no_other() {
    check(
        "[model]
architecture = 'single-task'
shared = [8] #~ `shared` does not belong to `single-task` => leave it out, and put the widths into `towers`, which each objective has for itself
subnetworks = { count = 2, widths = [4] } #~ `subnetworks` does not belong to `single-task`",
    );
    check(
        "[model]
architecture = 'omoe'
experts = { count = 2, widths = [4], shared = 1, levels = 2 } #~ `shared` does not belong to `omoe` => leave it out, or use `architecture = \"ple\"` #~ `levels` does not belong to `omoe`",
    );
    check(
        "[model]
architecture = 'ple'
experts = { count = 2, widths = [4], levels = 17 } #~ `shared` is missing => expected the number of experts that all objectives share #~ `levels` is 17",
    );
    check(
        "[model] #~ `subnetworks` is missing => expected `subnetworks = { count = 4, widths = [256, 128] }`
architecture = 'snr-aver'
gate_dropout = 0.1 #~ `gate_dropout` does not belong to `snr-aver`",
    );
    check(
        "[model]
architecture = 'snr-trans'
subnetworks = { widths = [], l0 = -1 } #~ `count` is missing => expected the number of sub-networks in a layer #~ `widths` is empty #~ `l0` is -1 => expected a number from 0",
    );
}

#[test]
fn every_architecture_is_declared_by_its_word() {
    for architecture in Architecture::ALL {
        let keys = match architecture {
            Architecture::Ple => "experts = { count = 2, shared = 1, levels = 3, widths = [4] }",
            _ if architecture.has_experts() => "experts = { count = 2, widths = [4] }",
            _ if architecture.has_subnetworks() => "subnetworks = { count = 2, widths = [4], l0 = 0.5 }",
            _ => "",
        };
        let model = spec(&format!(
            "[model]\narchitecture = '{}'\n{keys}",
            architecture.word()
        ))
        .model;
        assert_eq!(model.architecture, architecture);
        let experts = model
            .experts
            .map(|experts| (experts.count, experts.shared, experts.levels));
        let expected = match architecture {
            Architecture::Ple => Some((2, 1, 3)),
            _ => architecture.has_experts().then_some((2, 0, 1)),
        };
        assert_eq!(experts, expected, "{architecture:?}");
        let nets = model.subnetworks.map(|nets| (nets.count, nets.l0));
        assert_eq!(
            nets,
            architecture.has_subnetworks().then_some((2, 0.5)),
            "{architecture:?}"
        );
    }
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
            shared: 0,
            levels: 1,
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
[explore]
shuffle = 1 #~ `shuffle` is 1 => expected a share from 0 to below 1
[log]
candidates = 1.5 #~ `candidates` is 1.5 => expected a share from 0 to 1
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
        explore,
        log,
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
    assert_eq!((explore.shuffle, log.candidates), (0.0, 0.0));
    let Spec { explore, log, .. } = spec("[explore]\nshuffle = 0.02\n[log]\ncandidates = 1");
    assert_eq!((explore.shuffle, log.candidates), (0.02, 1.0));
    let train = spec(
        "[train]
table_optimizer = 'adam'
learning_rate = 0.01",
    )
    .train;
    assert_eq!(train.table_learning_rate, 0.01);
}
