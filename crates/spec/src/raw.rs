//! The declaration exactly as typed: sections, keys, types of values, with the place of each; nothing of what they mean.
//!
//! In: the text. Out: a [`Declaration`], its mistakes in the [`Report`]: bad TOML, unknown keys, keys that are not carried out
//! yet, values of another type. An absent key and one that was blamed are both `None`.

mod section;

use toml_edit::Document;

use crate::reference::{self as known, Table};
use crate::report::{At, Place, Report};
use section::Section;

/// A string or a number.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar {
    /// A string.
    Text(String),
    /// A number.
    Number(f64),
}

/// A list, each element with its place.
pub(crate) type List<T> = Vec<At<T>>;

/// The whole file.
#[derive(Debug)]
pub(crate) struct Declaration {
    /// The place of things that are missing altogether.
    pub(crate) top: Place,
    pub(crate) keys: Keys,
    pub(crate) fields: Entries<Field>,
    pub(crate) objectives: Entries<Objective>,
    pub(crate) model: Option<Model>,
    pub(crate) bias: Option<Bias>,
    pub(crate) score: Entries<At<f64>>,
    pub(crate) train: Train,
    pub(crate) mark_every: Option<At<String>>,
    pub(crate) gate_share: Option<At<f64>>,
    pub(crate) gate_confidence: Option<At<f64>>,
    pub(crate) explore_shuffle: Option<At<f64>>,
    pub(crate) log_candidates: Option<At<f64>>,
}

/// A section that maps names to entries, in declared order.
#[derive(Debug)]
pub(crate) struct Entries<T> {
    pub(crate) place: Place,
    pub(crate) entries: Vec<T>,
}

/// `[keys]`.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) user: Option<At<String>>,
    pub(crate) item: Option<At<String>>,
    pub(crate) query: Option<At<String>>,
    pub(crate) time: Option<At<String>>,
    pub(crate) time_unit: Option<At<String>>,
    pub(crate) position: Option<At<String>>,
    pub(crate) slate: Option<At<String>>,
    pub(crate) weight: Option<At<String>>,
    pub(crate) propensity: Option<At<String>>,
    pub(crate) shuffled: Option<At<String>>,
    pub(crate) time_format: Option<At<String>>,
    pub(crate) utc_offset: Option<At<String>>,
    pub(crate) absent: Option<At<List<String>>>,
}

/// One entry of `[fields]`.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) place: Place,
    /// Every known key that was typed.
    pub(crate) typed: Vec<Place>,
    pub(crate) side: Option<At<String>>,
    pub(crate) kind: Option<At<String>>,
    pub(crate) dim: Option<At<i64>>,
    pub(crate) buckets: Option<At<i64>>,
    pub(crate) capacity: Option<At<i64>>,
    pub(crate) forget_after: Option<At<String>>,
    pub(crate) admit_after: Option<At<i64>>,
    pub(crate) values: Option<At<List<String>>>,
    pub(crate) shares: Option<At<String>>,
    pub(crate) usage: Option<At<String>>,
    pub(crate) attribute: Option<At<String>>,
    pub(crate) from: Option<At<String>>,
    pub(crate) last: Option<At<i64>>,
    pub(crate) pool: Option<At<String>>,
    pub(crate) id_dropout: Option<At<f64>>,
    pub(crate) scale: Option<At<String>>,
    pub(crate) powers: Option<At<bool>>,
    pub(crate) missing: Option<At<f64>>,
    pub(crate) width: Option<At<i64>>,
    pub(crate) column: Option<At<String>>,
    pub(crate) weights: Option<At<String>>,
    pub(crate) ngrams: Option<At<i64>>,
    pub(crate) edges: Option<At<List<f64>>>,
    pub(crate) since: Option<At<String>>,
    pub(crate) rate: Option<At<String>>,
    pub(crate) window: Option<At<String>>,
    pub(crate) part: Option<At<String>>,
    pub(crate) of: Option<At<String>>,
    pub(crate) cross: Option<At<List<String>>>,
    pub(crate) dot: Option<At<List<String>>>,
    pub(crate) product: Option<At<List<String>>>,
}

/// One entry of `[objectives]`.
#[derive(Debug)]
pub(crate) struct Objective {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) group: Option<At<String>>,
    pub(crate) loss: Option<At<String>>,
    pub(crate) label: Option<At<String>>,
    pub(crate) clip: Option<At<List<f64>>>,
    pub(crate) given: Option<At<String>>,
    pub(crate) space: Option<At<String>>,
    pub(crate) absent: Option<At<Scalar>>,
    pub(crate) window: Option<At<String>>,
    pub(crate) loss_weight: Option<At<f64>>,
    pub(crate) duration: Option<At<String>>,
    pub(crate) keep_negatives: Option<At<f64>>,
}

/// `[model]`.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) place: Place,
    pub(crate) architecture: Option<At<String>>,
    pub(crate) shared: Option<At<List<i64>>>,
    pub(crate) experts: Option<Experts>,
    pub(crate) subnetworks: Option<Subnetworks>,
    pub(crate) towers: Option<At<List<i64>>>,
    pub(crate) gate_dropout: Option<At<f64>>,
    pub(crate) input_dropout: Option<At<f64>>,
}

/// `experts` of `[model]`.
#[derive(Debug)]
pub(crate) struct Experts {
    pub(crate) place: Place,
    pub(crate) count: Option<At<i64>>,
    pub(crate) shared: Option<At<i64>>,
    pub(crate) levels: Option<At<i64>>,
    pub(crate) widths: Option<At<List<i64>>>,
}

/// `subnetworks` of `[model]`.
#[derive(Debug)]
pub(crate) struct Subnetworks {
    pub(crate) place: Place,
    pub(crate) count: Option<At<i64>>,
    pub(crate) widths: Option<At<List<i64>>>,
    pub(crate) l0: Option<At<f64>>,
}

/// `[bias]`.
#[derive(Debug)]
pub(crate) struct Bias {
    pub(crate) place: Place,
    pub(crate) fields: Option<At<List<String>>>,
    pub(crate) groups: Option<At<List<String>>>,
    pub(crate) max_position: Option<At<i64>>,
    pub(crate) position_dropout: Option<At<f64>>,
    pub(crate) form: Option<At<String>>,
    pub(crate) output_dropout: Option<At<f64>>,
    pub(crate) gradient_reversal: Option<At<f64>>,
    pub(crate) adversarial: Option<At<f64>>,
    pub(crate) propensity_clip: Option<At<f64>>,
    pub(crate) serve_position: Option<At<Scalar>>,
    pub(crate) learning_rate_scale: Option<At<f64>>,
}

/// `[train]`.
#[derive(Debug)]
pub(crate) struct Train {
    pub(crate) seed: Option<At<i64>>,
    pub(crate) batch: Option<At<i64>>,
    pub(crate) epochs: Option<At<i64>>,
    pub(crate) patience: Option<At<i64>>,
    pub(crate) stop_by: Option<At<List<String>>>,
    pub(crate) learning_rate: Option<At<f64>>,
    pub(crate) table_optimizer: Option<At<String>>,
    pub(crate) table_learning_rate: Option<At<f64>>,
    pub(crate) accumulator_half_life: Option<At<String>>,
    pub(crate) precision: Option<At<String>>,
    pub(crate) l2: Option<At<f64>>,
    pub(crate) split: Option<At<List<f64>>>,
    pub(crate) shuffle_window: Option<At<i64>>,
    pub(crate) cache: Option<At<String>>,
    pub(crate) learn_passes: Option<At<i64>>,
}

/// Reads `text`. `None` only where it is no TOML.
pub(crate) fn read(text: &str, report: &Report) -> Option<Declaration> {
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => {
            syntax(text, &error, report);
            return None;
        }
    };
    let top = Place {
        offset: 0,
        path: String::new(),
    };
    let root = Section::open(Some(document.as_table()), top.clone(), Some(&known::TOP), report);
    root.section("serve", Some(&known::SERVE));
    if let Some(retrieval) = root
        .section("retrieval", None)
        .filter(|section| !section.is_empty())
    {
        report.add(
            &retrieval.place,
            "`[retrieval]` is not carried out yet",
            "leave it out, and name the `candidates` in each request",
        );
    }
    let fields = root.section_or_empty("fields", None);
    let objectives = root.section_or_empty("objectives", None);
    let score = root.section_or_empty("score", None);
    let join = root.section("join", Some(&known::JOIN));
    let gates = root.section("gates", Some(&known::GATES));
    let explore = root.section("explore", Some(&known::EXPLORE));
    let log = root.section("log", Some(&known::LOG));
    Some(Declaration {
        keys: keys(root.section_or_empty("keys", Some(&known::KEYS))),
        fields: entries(fields, &known::FIELD, field),
        objectives: entries(objectives, &known::OBJECTIVE, objective),
        model: root.section("model", Some(&known::MODEL)).map(model),
        bias: root.section("bias", Some(&known::BIAS)).map(bias),
        score: Entries {
            entries: score.values(),
            place: score.place,
        },
        train: train(root.section_or_empty("train", Some(&known::TRAIN))),
        mark_every: join.and_then(|section| section.get("mark_every")),
        gate_share: gates.as_ref().and_then(|section| section.get("share")),
        gate_confidence: gates.as_ref().and_then(|section| section.get("confidence")),
        explore_shuffle: explore.and_then(|section| section.get("shuffle")),
        log_candidates: log.and_then(|section| section.get("candidates")),
        top,
    })
}

fn entries<'t, 'r, T>(
    section: Section<'t, 'r>,
    table: &'static Table,
    entry: impl Fn(Section<'t, 'r>) -> T,
) -> Entries<T> {
    let entries = section.entries(table).map(entry).collect();
    Entries {
        entries,
        place: section.place,
    }
}

fn keys(section: Section) -> Keys {
    Keys {
        user: section.get("user"),
        item: section.get("item"),
        query: section.get("query"),
        time: section.get("time"),
        time_unit: section.get("time_unit"),
        position: section.get("position"),
        slate: section.get("slate"),
        weight: section.get("weight"),
        propensity: section.get("propensity"),
        shuffled: section.get("shuffled"),
        time_format: section.get("time_format"),
        utc_offset: section.get("utc_offset"),
        absent: section.list("absent"),
    }
}

fn field(section: Section) -> Field {
    Field {
        name: section.name().to_owned(),
        typed: section.typed(),
        side: section.get("side"),
        kind: section.get("kind"),
        dim: section.get("dim"),
        buckets: section.get("buckets"),
        capacity: section.get("capacity"),
        forget_after: section.get("forget_after"),
        admit_after: section.get("admit_after"),
        values: section.list("values"),
        shares: section.get("shares"),
        usage: section.get("use"),
        attribute: section.get("attribute"),
        from: section.get("from"),
        last: section.get("last"),
        pool: section.get("pool"),
        id_dropout: section.get("id_dropout"),
        scale: section.get("scale"),
        powers: section.get("powers"),
        missing: section.get("missing"),
        width: section.get("width"),
        column: section.get("column"),
        weights: section.get("weights"),
        ngrams: section.get("ngrams"),
        edges: section.list("edges"),
        since: section.get("since"),
        rate: section.get("rate"),
        window: section.get("window"),
        part: section.get("part"),
        of: section.get("of"),
        cross: section.list("cross"),
        dot: section.list("dot"),
        product: section.list("product"),
        place: section.place,
    }
}

fn objective(section: Section) -> Objective {
    Objective {
        name: section.name().to_owned(),
        group: section.get("group"),
        loss: section.get("loss"),
        label: section.get("label"),
        clip: section.list("clip"),
        given: section.get("given"),
        space: section.get("space"),
        absent: section.get("absent"),
        window: section.get("window"),
        loss_weight: section.get("loss_weight"),
        duration: section.get("duration"),
        keep_negatives: section.get("keep_negatives"),
        place: section.place,
    }
}

fn model(section: Section) -> Model {
    Model {
        architecture: section.get("architecture"),
        shared: section.list("shared"),
        experts: section
            .section("experts", Some(&known::EXPERTS))
            .map(|experts| Experts {
                count: experts.get("count"),
                shared: experts.get("shared"),
                levels: experts.get("levels"),
                widths: experts.list("widths"),
                place: experts.place,
            }),
        subnetworks: section
            .section("subnetworks", Some(&known::SUBNETWORKS))
            .map(|nets| Subnetworks {
                count: nets.get("count"),
                widths: nets.list("widths"),
                l0: nets.get("l0"),
                place: nets.place,
            }),
        towers: section.list("towers"),
        gate_dropout: section.get("gate_dropout"),
        input_dropout: section.get("input_dropout"),
        place: section.place,
    }
}

fn bias(section: Section) -> Bias {
    Bias {
        fields: section.list("fields"),
        groups: section.list("groups"),
        max_position: section.get("max_position"),
        position_dropout: section.get("position_dropout"),
        form: section.get("form"),
        output_dropout: section.get("output_dropout"),
        gradient_reversal: section.get("gradient_reversal"),
        adversarial: section.get("adversarial"),
        propensity_clip: section.get("propensity_clip"),
        serve_position: section.get("serve_position"),
        learning_rate_scale: section.get("learning_rate_scale"),
        place: section.place,
    }
}

fn train(section: Section) -> Train {
    Train {
        seed: section.get("seed"),
        batch: section.get("batch"),
        epochs: section.get("epochs"),
        patience: section.get("patience"),
        stop_by: section.list("stop_by"),
        learning_rate: section.get("learning_rate"),
        table_optimizer: section.get("table_optimizer"),
        table_learning_rate: section.get("table_learning_rate"),
        accumulator_half_life: section.get("accumulator_half_life"),
        precision: section.get("precision"),
        l2: section.get("l2"),
        split: section.list("split"),
        shuffle_window: section.get("shuffle_window"),
        cache: section.get("cache"),
        learn_passes: section.get("learn_passes"),
    }
}

/// Reports that `text` is no TOML. The path comes from the lines themselves: the section above, the key on the line.
fn syntax(text: &str, error: &toml_edit::TomlError, report: &Report) {
    let offset = error
        .span()
        .map_or(0, |span| span.start)
        .min(text.trim_end().len());
    let mut lines = text
        .get(..offset)
        .unwrap_or_default()
        .lines()
        .rev()
        .collect::<Vec<_>>()
        .into_iter();
    let at = text
        .get(offset..)
        .and_then(|rest| rest.lines().next())
        .unwrap_or_default();
    let line = format!("{}{at}", lines.next().unwrap_or_default());
    let header = |line: &str| {
        let inner = line.trim().strip_prefix('[')?.split(']').next()?;
        Some(inner.trim().to_owned())
    };
    let path = match (header(&line), line.split_once('=')) {
        (Some(name), _) => name,
        (None, key) => {
            let key = key.map(|(key, _)| key.trim().to_owned());
            lines
                .find_map(header)
                .into_iter()
                .chain(key)
                .collect::<Vec<_>>()
                .join(".")
        }
    };
    let message = error.message().lines().collect::<Vec<_>>().join(", ");
    let help = "expected `[section]` or `key = value`; look for a quote or bracket that is left open above";
    report.add(
        &Place { offset, path },
        format!("not valid TOML: {message}"),
        help,
    );
}
