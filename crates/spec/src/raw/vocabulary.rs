//! The keys of each table: those carried out, and those of the design that are not carried out yet, which are refused by name.

/// A key that is not carried out yet.
pub(super) struct Later {
    pub(super) key: &'static str,
    /// Its default, which may be written out.
    pub(super) accepted: Option<Accepted>,
    /// Keys whose absence its presence explains.
    pub(super) excuses: &'static [&'static str],
    /// What to do instead.
    pub(super) help: &'static str,
}

/// The one value of a key that is carried out.
#[derive(Clone, Copy)]
pub(super) enum Accepted {
    Number(f64),
    Text(&'static str),
}

/// The keys of one table.
pub(super) struct Vocabulary {
    /// `None`: any key.
    pub(super) known: Option<&'static [&'static str]>,
    pub(super) later: &'static [Later],
}

const fn only(known: &'static [&'static str]) -> Vocabulary {
    Vocabulary {
        known: Some(known),
        later: &[],
    }
}

const fn later(key: &'static str, help: &'static str) -> Later {
    Later {
        key,
        accepted: None,
        excuses: &[],
        help,
    }
}

const fn except(key: &'static str, accepted: Accepted, help: &'static str) -> Later {
    Later {
        key,
        accepted: Some(accepted),
        excuses: &[],
        help,
    }
}

pub(super) const ANYTHING: Vocabulary = Vocabulary {
    known: None,
    later: &[],
};

pub(super) const TOP: Vocabulary = only(&[
    "keys",
    "fields",
    "objectives",
    "model",
    "bias",
    "explore",
    "score",
    "train",
    "join",
    "retrieval",
    "gates",
    "serve",
    "log",
]);

/// Tables of which nothing but defaults is carried out.
pub(super) const EMPTY: [(&str, &Vocabulary); 3] = [("explore", &EXPLORE), ("serve", &SERVE), ("log", &LOG)];

const EXPLORE: Vocabulary = Vocabulary {
    known: Some(&[]),
    later: &[except(
        "shuffle",
        Accepted::Number(0.0),
        "leave it out, or write `shuffle = 0`: no slate is shuffled",
    )],
};

const SERVE: Vocabulary = Vocabulary {
    known: Some(&[]),
    later: &[except(
        "precision",
        Accepted::Text("f32"),
        "leave it out, or write `precision = \"f32\"`",
    )],
};

const LOG: Vocabulary = Vocabulary {
    known: Some(&[]),
    later: &[except(
        "candidates",
        Accepted::Number(0.0),
        "leave it out, or write `candidates = 0`: candidate sets are not logged",
    )],
};

pub(super) const KEYS: Vocabulary =
    only(&["user", "item", "query", "time", "time_unit", "position", "slate"]);

pub(super) const FIELD: Vocabulary = Vocabulary {
    known: Some(&[
        "side",
        "kind",
        "dim",
        "buckets",
        "admit_after",
        "values",
        "shares",
        "use",
        "attribute",
        "from",
        "last",
        "pool",
        "id_dropout",
        "scale",
        "powers",
        "missing",
        "width",
        "dot",
        "product",
    ]),
    later: &[
        Later {
            key: "capacity",
            accepted: None,
            excuses: &["buckets"],
            help: "use `buckets = N` (ids hashed into a fixed table) or `values = [...]` (one row each)",
        },
        later("forget_after", "leave it out: the rows of `buckets` are fixed"),
        later(
            "since",
            "leave it out, and give the age itself with each request, as a plain `number` field",
        ),
        later(
            "rate",
            "leave it out, and give the rate itself as a plain `number` field",
        ),
        later(
            "window",
            "leave it out, and give the rate itself as a plain `number` field",
        ),
        later("weights", "leave it out: `pool` counts every id alike"),
    ],
};

pub(super) const OBJECTIVE: Vocabulary = only(&[
    "group",
    "loss",
    "label",
    "clip",
    "given",
    "absent",
    "window",
    "loss_weight",
]);

pub(super) const MODEL: Vocabulary = only(&[
    "architecture",
    "shared",
    "experts",
    "towers",
    "gate_dropout",
    "input_dropout",
]);

pub(super) const EXPERTS: Vocabulary = only(&["count", "widths"]);

pub(super) const BIAS: Vocabulary = Vocabulary {
    known: Some(&[
        "fields",
        "groups",
        "max_position",
        "position_dropout",
        "learning_rate_scale",
    ]),
    later: &[
        except(
            "form",
            Accepted::Text("additive"),
            "leave it out, or write `form = \"additive\"`: the shallow logit is added",
        ),
        except(
            "serve_position",
            Accepted::Text("missing"),
            "leave it out, or write `serve_position = \"missing\"`, which position drop-out trains",
        ),
    ],
};

pub(super) const TRAIN: Vocabulary = Vocabulary {
    known: Some(&[
        "seed",
        "batch",
        "epochs",
        "patience",
        "learning_rate",
        "table_optimizer",
        "table_learning_rate",
        "l2",
        "split",
        "shuffle_window",
        "learn_passes",
    ]),
    later: &[
        except(
            "precision",
            Accepted::Text("f32"),
            "leave it out, or write `precision = \"f32\"`",
        ),
        except(
            "shards",
            Accepted::Number(4.0),
            "leave it out: a step's gradient is the sum of 4 shards",
        ),
    ],
};

pub(super) const JOIN: Vocabulary = only(&["mark_every"]);

pub(super) const GATES: Vocabulary = only(&["share", "confidence"]);
