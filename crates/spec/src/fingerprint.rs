//! Fingerprints: two digests that tell which artifacts fit together.
//!
//! In: a [`Spec`]. Out: the hex of BLAKE3 over a canonical text of the parts that matter, in declared order. Strings are written
//! with their length before them, so that no two declarations have one text.

use std::fmt::Write as _;

use crate::{Absent, BiasForm, Field, Kind, Pool, Rows, Scale, Side, Source, Space, Spec, Use};

/// Digest of what the encoder writes: fields, tables, hashing, and the cell that the shallow tower reads. Not the drop-outs.
pub(crate) fn encoding(spec: &Spec) -> String {
    let mut text = Text::new("encoding 1, ids by xxh3");
    for field in &spec.fields {
        text.line("field")
            .string(&field.name)
            .word(side(field.side))
            .word(usage(field.usage));
        text.string(&field.attribute);
        match &field.source {
            Source::Given => text.word("given"),
            Source::History { feedback, last } => text.word("history").string(feedback).word(last),
            Source::Since { attribute } => text.word("since").string(attribute),
            Source::Rate { feedback, window_ms } => text.word("rate").string(feedback).word(window_ms),
            Source::Part { part, of } => {
                text.word(format_args!("{part:?}"));
                text.word(spec.keys.utc_offset_minutes)
                    .string(of.as_deref().unwrap_or_default())
            }
        };
        kind(&mut text, spec, field);
    }
    for table in &spec.tables {
        text.line("table").string(&table.name).word(table.dim);
        if table.admit_after > 1 {
            text.word("admit after").word(table.admit_after);
        }
        match &table.rows {
            Rows::Hashed(buckets) => text.word("buckets").word(buckets),
            Rows::Keyed {
                capacity,
                forget_after_ms,
            } => {
                let text = text.word("capacity").word(capacity);
                match forget_after_ms {
                    None => text,
                    Some(ms) => text.word("forget after").word(ms),
                }
            }
            Rows::Values(values) => values
                .iter()
                .fold(text.word("values"), |text, value| text.string(value)),
            Rows::Edges(edges) => text.word(format_args!("edges {edges:?}")),
        };
    }
    if let Some(bias) = &spec.bias {
        text.line("bias").word(bias.max_position);
        for field in &bias.fields {
            text.string(&spec.fields[*field].name);
        }
    }
    text.digest()
}

/// Digest of what the heads mean: objectives, groups, losses, labels, which are biased, and how the bias is taken out. Not the loss
/// weights, nor how strongly it is taken out, nor what is served.
pub(crate) fn objectives(spec: &Spec) -> String {
    let mut text = Text::new("objectives 1");
    for (index, objective) in spec.objectives.iter().enumerate() {
        text.line("objective")
            .string(&objective.name)
            .string(&objective.group);
        text.word(objective.loss.word());
        if let Some(duration) = objective.duration {
            text.word("duration").string(&spec.fields[duration].name);
        }
        text.string(&objective.label.to_string())
            .word(format_args!("{:?}", objective.clip));
        if objective.keep_negatives < 1.0 {
            text.word("keep negatives").word(objective.keep_negatives);
        }
        match objective.given {
            None => text.word("always"),
            Some(given) => text.word("given").string(&spec.objectives[given].name),
        };
        if objective.space == Space::Entire {
            text.word("entire space");
        }
        match objective.absent {
            Absent::Missing => text.word("missing"),
            Absent::Value(value) => text.word(format_args!("{value:?}")),
        };
        text.word(objective.window_ms);
        text.word(
            spec.bias
                .as_ref()
                .is_some_and(|bias| bias.objectives.contains(&index)),
        );
    }
    if let Some(bias) = &spec.bias {
        if bias.form != BiasForm::Additive {
            text.line("form").word(bias.form.word());
        }
        if bias.gradient_reversal > 0.0 && bias.form.has_tower() {
            text.line("gradient reversal");
        }
    }
    text.digest()
}

fn kind(text: &mut Text, spec: &Spec, field: &Field) {
    let pair = |text: &mut Text, fields: &Option<(usize, usize)>| {
        if let Some((a, b)) = fields {
            text.string(&spec.fields[*a].name).string(&spec.fields[*b].name);
        }
    };
    match &field.kind {
        Kind::Id { table, cross, .. } => {
            text.word("id").string(&spec.tables[*table].name);
            pair(text, cross);
        }
        Kind::Ids {
            table, pool, weights, ..
        } => {
            text.word("ids")
                .string(&spec.tables[*table].name)
                .word(self::pool(*pool));
            if weights.is_some() {
                text.word("weights");
            }
        }
        Kind::Text {
            table, pool, ngrams, ..
        } => {
            text.word("text").string(&spec.tables[*table].name);
            text.word(self::pool(*pool)).word(ngrams);
        }
        Kind::Buckets { table, missing } => {
            text.word("buckets").string(&spec.tables[*table].name);
            if let Some(missing) = missing {
                text.word("missing").word(missing);
            }
        }
        Kind::Number {
            scale,
            powers,
            missing,
            dot,
        } => {
            text.word("number").word(powers).word(match scale {
                Scale::None => "none",
                Scale::Standard => "standard",
                Scale::Quantile => "quantile",
                Scale::Log => "log",
            });
            if let Some(missing) = missing {
                text.word("missing").word(missing);
            }
            pair(text, dot);
        }
        Kind::Vector { width, product } => {
            text.word("vector").word(width);
            pair(text, product);
        }
    }
}

fn pool(pool: Pool) -> &'static str {
    match pool {
        Pool::Mean => "mean",
        Pool::Sum => "sum",
    }
}

fn side(side: Side) -> &'static str {
    match side {
        Side::User => "user",
        Side::Context => "context",
        Side::Query => "query",
        Side::Item => "item",
        Side::Pair => "pair",
    }
}

fn usage(usage: Use) -> &'static str {
    match usage {
        Use::Main => "main",
        Use::Bias => "bias",
        Use::Both => "both",
    }
}

/// A canonical text under way.
struct Text(String);

impl Text {
    fn new(title: &str) -> Text {
        Text(title.to_owned())
    }

    fn line(&mut self, title: &str) -> &mut Text {
        self.0.push('\n');
        self.0.push_str(title);
        self
    }

    fn word(&mut self, word: impl std::fmt::Display) -> &mut Text {
        // Writing to a `String` cannot fail.
        let _ = write!(self.0, " {word}");
        self
    }

    fn string(&mut self, string: &str) -> &mut Text {
        let _ = write!(self.0, " {}:{string}", string.len());
        self
    }

    fn digest(&self) -> String {
        blake3::hash(self.0.as_bytes()).to_hex().to_string()
    }
}
