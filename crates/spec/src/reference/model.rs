//! The keys of the network and of the shallow tower.

use super::{ANY, Accepted, DROPOUT, Key, Later, POSITIVE, Preset, Table, Type, key};

/// Architectures of the design that are not carried out yet, and what to use instead.
pub(crate) const ARCHITECTURES_LATER: &[(&str, &str)] = &[
    ("omoe", "use `mmoe`, with a gate for each objective"),
    ("ple", "use `mmoe`"),
    ("snr", "use `mmoe`"),
    (
        "single-task",
        "use `shared-bottom`, one declaration for each objective",
    ),
];

static WIDTH: Type = Type::Whole(1, 65536);

/// `[model]`.
pub(crate) static MODEL: Table = Table {
    name: "model",
    meaning: "The main tower. What the fields hold is joined to one vector; `shared` layers follow, then \
         with `mmoe` several experts that each objective's gate mixes (Ma et al., KDD 2018), then a \
         small tower for each objective. After each layer comes a ReLU.",
    keys: &MODEL_KEYS,
    later: &[],
};

static MODEL_KEYS: [Key; 6] = [
    key(
        "architecture",
        Type::Words(&["shared-bottom", "mmoe"], ARCHITECTURES_LATER),
        Preset::Required,
        "`shared-bottom` (one stack of layers for all objectives) or `mmoe` (a mixture of experts \
         with a gate for each objective).",
        "architecture = \"mmoe\"",
    ),
    key(
        "shared",
        Type::List(&WIDTH, 0, ANY),
        Preset::Toml("[]"),
        "Widths of the layers that all objectives share.",
        "shared = [512]",
    ),
    key(
        "experts",
        Type::Table(&EXPERTS),
        Preset::Words("required with `mmoe`, else not allowed"),
        "The experts.",
        "experts = { count = 8, widths = [256, 128] }",
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
         with `mmoe`.",
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
    meaning: "The experts of `architecture = \"mmoe\"`.",
    keys: &EXPERT_KEYS,
    later: &[],
};

static EXPERT_KEYS: [Key; 2] = [
    key(
        "count",
        Type::Whole(1, 64),
        Preset::Required,
        "How many.",
        "count = 8",
    ),
    key(
        "widths",
        Type::List(&WIDTH, 1, ANY),
        Preset::Required,
        "Widths of each expert's layers.",
        "widths = [256, 128]",
    ),
];

/// `[bias]`.
pub(crate) static BIAS: Table = Table {
    name: "bias",
    meaning: "The shallow tower (Zhao et al., RecSys 2019, section 4.3). What is shown first is clicked \
         more, whatever it is; a model that learns from such clicks learns its own past choices. In \
         training a small tower takes the position, crossed with `fields`, and its logit is added to \
         those of the objectives of `groups`; served without a position, the main tower is left with \
         what the item earns. Without this section there is none. The cross has at most 1000000 \
         cells.",
    keys: &BIAS_KEYS,
    later: &[
        Later {
            key: "form",
            accepted: Some(Accepted::Text("additive")),
            excuses: &[],
            help: "leave it out, or write `form = \"additive\"`: the shallow logit is added",
        },
        Later {
            key: "serve_position",
            accepted: Some(Accepted::Text("missing")),
            excuses: &[],
            help: "leave it out, or write `serve_position = \"missing\"`, which position drop-out trains",
        },
    ],
};

static BIAS_KEYS: [Key; 5] = [
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
        "The groups of objectives that get a shallow logit: those whose label depends on being seen.",
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
        "learning_rate_scale",
        POSITIVE,
        Preset::Toml("10"),
        "Learning rate of the shallow tower relative to the main one; at 1 the curve is half learned.",
        "learning_rate_scale = 5",
    ),
];
