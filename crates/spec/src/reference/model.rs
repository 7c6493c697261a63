//! The keys of the network, and of what biases labels.

use std::ops::Bound;

use super::{ANY, DROPOUT, Key, POSITIVE, Preset, Table, Type, key};

const ARCHITECTURES: &[&str] = &[
    "single-task",
    "shared-bottom",
    "omoe",
    "mmoe",
    "ple",
    "snr-trans",
    "snr-aver",
];

static WIDTH: Type = Type::Whole(1, 65536);

/// `[model]`.
pub(crate) static MODEL: Table = Table {
    name: "model",
    meaning: "The main tower. What the fields hold is joined to one vector; a ReLU comes after each layer \
         that the widths below declare. `architecture` says what lies between the vector and the \
         prediction of each objective:

- `single-task`: a tower of its own for each objective, nothing shared but the embeddings.
- `shared-bottom`: the `shared` layers, then a small tower for each objective.
- `omoe`: after the `shared` layers several `experts`, mixed by one gate for all objectives; then \
         towers.
- `mmoe`: the same with a gate for each objective (Ma et al., KDD 2018).
- `ple`: some experts are each objective's own, some are shared; an objective's gate mixes its own \
         and the shared ones; with `levels` above 1 what the gates mix is the input of the next \
         level's experts (Tang et al., RecSys 2020).
- `snr-trans`: layers of `subnetworks`, with a learned gate on each connection from one layer to the \
         next and to the towers, which training may close for good (Ma et al., AAAI 2019); each \
         connection has a matrix.
- `snr-aver`: the same, where a sub-network has one matrix for the sum of what its connections \
         carry.

`watchnext fit-budget` finds widths at which they all cost the same.",
    keys: &MODEL_KEYS,
    later: &[],
};

static MODEL_KEYS: [Key; 7] = [
    key(
        "architecture",
        Type::Words(ARCHITECTURES, &[]),
        Preset::Required,
        "Which network.",
        "architecture = \"mmoe\"",
    ),
    key(
        "shared",
        Type::List(&WIDTH, 0, ANY),
        Preset::Toml("[]"),
        "Widths of the layers that all objectives share. Not with `single-task`.",
        "shared = [512]",
    ),
    key(
        "experts",
        Type::Table(&EXPERTS),
        Preset::Words("required with `omoe`, `mmoe` and `ple`, else not allowed"),
        "The experts.",
        "experts = { count = 8, widths = [256, 128] }",
    ),
    key(
        "subnetworks",
        Type::Table(&SUBNETWORKS),
        Preset::Words("required with `snr-trans` and `snr-aver`, else not allowed"),
        "The sub-networks.",
        "subnetworks = { count = 4, widths = [256, 128] }",
    ),
    key(
        "towers",
        Type::List(&WIDTH, 0, ANY),
        Preset::Toml("[]"),
        "Widths of the layers of each objective's tower.",
        "towers = [64]",
    ),
    key(
        "gate_dropout",
        DROPOUT,
        Preset::Toml("0.1"),
        "Probability that a gate leaves an expert out in training, so that none is left to idle. Only \
         with `omoe`, `mmoe` and `ple`.",
        "gate_dropout = 0.2",
    ),
    key(
        "input_dropout",
        DROPOUT,
        Preset::Toml("0"),
        "Probability that an element of the network's input is left out in training (the rest scaled \
         up).",
        "input_dropout = 0.1",
    ),
];

/// `experts` of `[model]`.
pub(crate) static EXPERTS: Table = Table {
    name: "model.experts",
    meaning: "The experts of `omoe`, `mmoe` and `ple`.",
    keys: &EXPERT_KEYS,
    later: &[],
};

static EXPERT_KEYS: [Key; 4] = [
    key(
        "count",
        Type::Whole(1, 64),
        Preset::Required,
        "How many; with `ple`, how many each objective has of its own.",
        "count = 8",
    ),
    key(
        "shared",
        Type::Whole(1, 64),
        Preset::Words("required with `ple`, else not allowed"),
        "How many experts all objectives share.",
        "shared = 2",
    ),
    key(
        "levels",
        Type::Whole(1, 16),
        Preset::Toml("1"),
        "How many times experts and gates are stacked. Only with `ple`.",
        "levels = 2",
    ),
    key(
        "widths",
        Type::List(&WIDTH, 1, ANY),
        Preset::Required,
        "Widths of each expert's layers.",
        "widths = [256, 128]",
    ),
];

/// `subnetworks` of `[model]`.
pub(crate) static SUBNETWORKS: Table = Table {
    name: "model.subnetworks",
    meaning: "The sub-networks of `snr-trans` and `snr-aver`.",
    keys: &SUBNETWORK_KEYS,
    later: &[],
};

static SUBNETWORK_KEYS: [Key; 3] = [
    key(
        "count",
        Type::Whole(1, 64),
        Preset::Required,
        "How many there are in a layer.",
        "count = 4",
    ),
    key(
        "widths",
        Type::List(&WIDTH, 1, ANY),
        Preset::Required,
        "Width of each sub-network, by layer.",
        "widths = [256, 128]",
    ),
    key(
        "l0",
        Type::Number(Bound::Included(0.0), Bound::Unbounded),
        Preset::Toml("0.0001"),
        "What an open connection adds to the loss: the larger, the more connections training closes.",
        "l0 = 0.001",
    ),
];

/// `[bias]`.
pub(crate) static BIAS: Table = Table {
    name: "bias",
    meaning: "What biases labels, and how it is taken out. What is shown first is clicked more, whatever it is; a model that \
         learns from such clicks learns its own past choices. In training a shallow tower (Zhao et al., RecSys 2019, section \
         4.3) takes the position, crossed with `fields`, and its logit joins those of the objectives of `groups`; served \
         without a position, the main tower is left with what the item earns. The cross has at most 1000000 cells. The forms \
         `none`, `input`, `adversarial` and `ips` have no shallow tower: they are what it is compared with. Keys that a form \
         does not use say nothing.\n\nWhere a log says which impressions were seen (a feedback `viewed`), no form has to guess \
         it: declare `viewed` as an objective, write `given = \"viewed\"` on the click, and leave the click out of `groups`. It \
         is then learned from what was seen, which also holds where people look down a list until they click (a cascade).",
    keys: &BIAS_KEYS,
    later: &[],
};

static BIAS_KEYS: [Key; 11] = [
    key(
        "form",
        Type::Words(
            &[
                "additive",
                "product",
                "auto",
                "none",
                "input",
                "adversarial",
                "ips",
            ],
            &[],
        ),
        Preset::Toml("\"additive\""),
        "`additive`: the shallow logit is added. `product`: the label's probability is that of being examined, by the shallow \
         tower, times that of the item being clicked once examined (PAL: Guo et al., RecSys 2019). `auto`: `train` and the \
         first `learn` train both and keep the one under which held-out labels are likelier; the model's declaration then names it. \
         `none`: positions are known to checks and reports, and nothing is taken out. `input`: the position, and the cell of \
         `fields`, are inputs of the main tower. `adversarial`: the main tower is trained not to tell the position. `ips`: \
         labels count by the inverse of the column `[keys] propensity`, which then says how probable it was that the impression \
         was examined. `product`, `auto` and `ips` take binary objectives without `given` and `keep_negatives`.",
        "form = \"product\"",
    ),
    key(
        "fields",
        Type::List(&Type::Text, 1, ANY),
        Preset::Required,
        "What is crossed: `position`, and fields with `use = \"bias\"` or `\"both\"` that bend its \
         effect, as the device.",
        "fields = [\"position\"]",
    ),
    key(
        "groups",
        Type::List(&Type::Text, 1, ANY),
        Preset::Required,
        "The groups of objectives that are biased: those whose label depends on being seen.",
        "groups = [\"engagement\"]",
    ),
    key(
        "max_position",
        Type::Whole(1, 10_000),
        Preset::Toml("50"),
        "Positions above it count as it.",
        "max_position = 20",
    ),
    key(
        "position_dropout",
        DROPOUT,
        Preset::Toml("0.1"),
        "Share of training examples whose position reads as missing, the value that is served.",
        "position_dropout = 0.2",
    ),
    key(
        "output_dropout",
        DROPOUT,
        Preset::Toml("0"),
        "Share of training examples, drawn for each objective, whose shallow logit is left out, so that the main tower must \
         explain them alone. It gives back what an aligned ranker's positions would take of relevance, and a part of the gain \
         where the ranker was wrong.",
        "output_dropout = 0.5",
    ),
    key(
        "gradient_reversal",
        DROPOUT,
        Preset::Toml("0"),
        "Strength at which the shallow tower unlearns what alone tells the label of a binary objective: a small head predicts the \
         label by its output, and its gradient comes back turned. 0: off.",
        "gradient_reversal = 0.5",
    ),
    key(
        "adversarial",
        POSITIVE,
        Preset::Toml("0.1"),
        "With `form = \"adversarial\"`: strength at which the main tower unlearns what tells the position. Of each example it \
         is at most half as strong as the label.",
        "adversarial = 0.05",
    ),
    key(
        "propensity_clip",
        Type::Number(Bound::Included(1.0), Bound::Unbounded),
        Preset::Toml("20"),
        "With `form = \"ips\"`: the most that a label counts for, so that one click where nobody looks does not outweigh all.",
        "propensity_clip = 50",
    ),
    key(
        "serve_position",
        Type::WholeOr(1, &["missing", "none"]),
        Preset::Toml("\"missing\""),
        "What stands for the position when requests are served: `missing`, which position drop-out trained; `1`, position 1; or \
         `none`, the main tower alone. It moves predictions and how objectives count in the score; the order by one objective is \
         the same.",
        "serve_position = 1",
    ),
    key(
        "learning_rate_scale",
        POSITIVE,
        Preset::Toml("10"),
        "Learning rate of the shallow tower relative to the main one; at 1 the curve is half learned.",
        "learning_rate_scale = 5",
    ),
];
