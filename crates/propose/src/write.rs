//! The text of the declaration. In: keys, labels, fields. Out: TOML with a comment at each line that was guessed.

mod words;

use std::fmt::Write;

pub(crate) use words::{amount, expression, percent, quoted};
use words::{bare, plain};

use crate::data::Data;
use crate::fields::{Field, Fields};
use crate::keys::Keys;
use crate::labels::Labels;
use crate::profile::Profile;

/// Columns after which a line is too long to have its comment beside it.
const WIDE: usize = 110;
/// Rows from which on the network is larger.
const MANY_ROWS: u64 = 1_000_000;
/// Rows below which a batch is smaller: else an epoch has too few steps, and training ends before anything is learned.
const FEW_ROWS: u64 = 10_000;

/// What is written.
pub(crate) struct Draft<'d> {
    pub(crate) files: String,
    /// The arguments after `--data`.
    pub(crate) train: String,
    pub(crate) notes: &'d [String],
    pub(crate) data: &'d Data,
    pub(crate) profiles: &'d [Profile],
    pub(crate) keys: &'d Keys,
    pub(crate) labels: &'d Labels,
    pub(crate) fields: &'d Fields,
}

/// A line, and what is said of it.
struct Line {
    text: String,
    note: String,
    above: Vec<String>,
}

/// The text; with `closed`, objectives that are an open choice are written as if they were decided.
pub(crate) fn declaration(draft: &Draft<'_>, closed: bool) -> String {
    let mut text = head(draft);
    let keys = draft.keys.lines.iter().map(|line| Line {
        text: line.text.clone(),
        note: line.note.clone(),
        above: line
            .choice
            .iter()
            .map(|choice| format!("CHOOSE: {choice}"))
            .collect(),
    });
    section(&mut text, "keys", "the columns that identify", keys.collect());
    fields(&mut text, draft);
    left_out(&mut text, draft);
    objectives(&mut text, draft, closed);
    model(&mut text, draft);
    score(&mut text, draft, closed);
    train(&mut text, draft);
    text
}

fn head(draft: &Draft<'_>) -> String {
    let rows = match draft.data.is_whole() {
        true => format!("all {} rows", amount(draft.data.rows_in_files)),
        false => format!(
            "{} of {} rows, in blocks spread over the file",
            amount(draft.data.rows as u64),
            amount(draft.data.rows_in_files)
        ),
    };
    let mut text = format!(
        "# A first declaration of a ranker, guessed from {}: {rows}, {} columns.\n\
         # A comment at a line says why it is there. `CHOOSE` marks what the data do not tell: what is written there trains too.\n\
         # Next:  check this file with `watchnext check`, then\n\
         #        watchnext train THIS_FILE --data {} --out run\n",
        draft.files,
        draft.data.columns.len(),
        plain(&draft.train)
    );
    if draft.labels.are_open() {
        text.push_str("# Note: no column can be a label, so the objective is a comment: decide it first, it does not train before\n");
    }
    for note in draft.notes {
        let _ = writeln!(text, "# Note: {}", plain(note));
    }
    text.push('\n');
    text
}

fn section(text: &mut String, name: &str, note: &str, lines: Vec<Line>) {
    let note = if note.is_empty() {
        String::new()
    } else {
        format!("  # {note}")
    };
    let _ = writeln!(text, "[{name}]{note}");
    lines_of(text, lines);
    text.push('\n');
}

/// Comments stand in one column, where the lines are not too long.
fn lines_of(text: &mut String, lines: Vec<Line>) {
    let width = |line: &Line| line.text.chars().count();
    let one = |line: &&Line| !line.text.contains('\n');
    let widest = lines
        .iter()
        .filter(one)
        .map(width)
        .filter(|width| *width <= WIDE)
        .max()
        .unwrap_or(0);
    for line in &lines {
        for above in &line.above {
            let _ = writeln!(text, "# {}", plain(above));
        }
        let _ = if line.note.is_empty() {
            writeln!(text, "{}", line.text)
        } else {
            let gap = if one(&line) {
                widest.saturating_sub(width(line))
            } else {
                0
            };
            let gap = " ".repeat(gap);
            writeln!(text, "{}{gap}  # {}", line.text, plain(&line.note))
        };
    }
}

fn field_line(field: &Field, widest: usize) -> Line {
    let name = bare(&field.name);
    let gap = " ".repeat(widest.saturating_sub(name.chars().count()));
    Line {
        text: format!("{name}{gap} = {{ side = \"{}\", {} }}", field.side, field.body),
        note: field.note.clone(),
        above: field.above.clone(),
    }
}

fn fields(text: &mut String, draft: &Draft<'_>) {
    let declared = &draft.fields.declared;
    let width = |field: &Field| bare(&field.name).chars().count();
    let widest = declared
        .iter()
        .map(width)
        .filter(|width| *width <= 30)
        .max()
        .unwrap_or(0);
    text.push_str("[fields]\n");
    for (side, title) in [
        ("user", "The person."),
        ("context", "The moment."),
        ("item", "The candidate."),
    ] {
        let lines: Vec<Line> = declared
            .iter()
            .filter(|field| field.side == side)
            .map(|field| field_line(field, widest))
            .collect();
        if !lines.is_empty() {
            let _ = writeln!(text, "# {title}");
            lines_of(text, lines);
        }
    }
    text.push('\n');
}

fn left_out(text: &mut String, draft: &Draft<'_>) {
    if draft.fields.left_out.is_empty() {
        return;
    }
    text.push_str("# Left out:\n");
    let mut plainly: Vec<(&str, Vec<&str>)> = Vec::new();
    for column in &draft.fields.left_out {
        match &column.field {
            Some(field) => {
                let _ = writeln!(text, "# {}: {}", plain(&column.column), plain(&column.reason));
                for line in field_line(field, 0).text.lines() {
                    let _ = writeln!(text, "#     {line}");
                }
            }
            None => match plainly.iter_mut().find(|(reason, _)| *reason == column.reason) {
                Some((_, columns)) => columns.push(&column.column),
                None => plainly.push((&column.reason, vec![&column.column])),
            },
        }
    }
    for (reason, columns) in plainly {
        let _ = writeln!(text, "# {}: {}", plain(&listed(&columns)), plain(reason));
    }
    text.push('\n');
}

/// Names one after the other; of many, the first and the last ones.
pub(crate) fn listed(names: &[&str]) -> String {
    match names {
        [first @ .., last] if names.len() > 12 => format!(
            "{}, ... ({} more), {last}",
            first[..6].join(", "),
            first.len() - 6
        ),
        _ => names.join(", "),
    }
}

fn objectives(text: &mut String, draft: &Draft<'_>, closed: bool) {
    let labels = &draft.labels.found;
    let width = |name: &str| bare(name).chars().count();
    let widest = labels.iter().map(|label| width(&label.name)).max().unwrap_or(0);
    let lines = labels.iter().map(|label| {
        let mark = if label.open && !closed { "# " } else { "" };
        let gap = " ".repeat(widest - width(&label.name));
        Line {
            text: format!("{mark}{}{gap} = {{ {} }}", bare(&label.name), label.body),
            note: label.note.clone(),
            above: label
                .choice
                .iter()
                .map(|choice| format!("CHOOSE: {choice}"))
                .collect(),
        }
    });
    let note = if labels.iter().any(|label| label.silent_no) {
        "`absent = 0`: in a service's own log silence is a no; an empty cell of a flat file is not observed all the same"
    } else {
        "an empty cell is not observed; where a service learns from its own log, `absent = 0` says that silence is a no"
    };
    section(text, "objectives", note, lines.collect());
}

fn model(text: &mut String, draft: &Draft<'_>) {
    let several = draft.labels.found.len() > 1;
    let large = draft.data.rows_in_files >= MANY_ROWS;
    let widths = if large { "[128, 64]" } else { "[32, 16]" };
    let size = format!(
        "{} rows: {}",
        amount(draft.data.rows_in_files),
        if large { "many" } else { "under a million" }
    );
    let tower = if large { "[32]" } else { "[16]" };
    let lines = if several {
        vec![
            (
                "architecture = \"mmoe\"".to_owned(),
                "several objectives: experts, and a gate for each".to_owned(),
            ),
            (format!("experts = {{ count = 8, widths = {widths} }}"), size),
            (format!("towers = {tower}"), String::new()),
        ]
    } else {
        vec![
            (
                "architecture = \"shared-bottom\"".to_owned(),
                "one objective: nothing to share".to_owned(),
            ),
            (
                format!("shared = {}", if large { "[256, 128]" } else { "[64, 32]" }),
                size,
            ),
            (format!("towers = {tower}"), String::new()),
        ]
    };
    let line = |(text, note)| Line {
        text,
        note,
        above: Vec::new(),
    };
    section(text, "model", "", lines.into_iter().map(line).collect());
    let Some(position) = draft.keys.position else {
        return;
    };
    let seen = draft.profiles[position].max;
    let engaged = draft.labels.found.iter().any(|label| label.engaged);
    let lines = vec![
        ("fields = [\"position\"]".to_owned(), String::new()),
        (
            format!(
                "groups = [\"{}\"]",
                if engaged { "engagement" } else { "satisfaction" }
            ),
            "what people do to what they happen to see first".to_owned(),
        ),
        (
            format!("max_position = {}", seen.clamp(1.0, 100.0)),
            format!("the sample has positions up to {seen}"),
        ),
    ];
    section(
        text,
        "bias",
        "the shallow tower, which takes the position out of the main one",
        lines.into_iter().map(line).collect(),
    );
}

fn score(text: &mut String, draft: &Draft<'_>, closed: bool) {
    let labels = &draft.labels.found;
    let none = labels.iter().all(|label| label.weight <= 0.0);
    let widest = labels
        .iter()
        .map(|label| bare(&label.name).chars().count())
        .max()
        .unwrap_or(0);
    let lines = labels.iter().enumerate().map(|(at, label)| {
        let weight = if none && at == 0 && label.weight == 0.0 {
            1.0
        } else {
            label.weight
        };
        let mark = if label.open && !closed { "# " } else { "" };
        let gap = " ".repeat(widest - bare(&label.name).chars().count());
        let note = match weight {
            weight if weight < 0.0 => "people want less of it",
            0.0 => "learned, not sorted by: raise it to sort by it",
            _ => "",
        };
        Line {
            text: format!("{mark}{}{gap} = {weight:?}", bare(&label.name)),
            note: note.to_owned(),
            above: Vec::new(),
        }
    });
    section(
        text,
        "score",
        "sorted by the product of predictions, each to the power of its weight",
        lines.collect(),
    );
}

fn train(text: &mut String, draft: &Draft<'_>) {
    let order = if draft.keys.time.is_some() {
        "training, validation, test, in the order of time"
    } else {
        "training, validation, test, in the order of rows"
    };
    let lines = vec![
        if draft.data.rows_in_files < FEW_ROWS {
            let rows = amount(draft.data.rows_in_files);
            (
                "batch = 128".to_owned(),
                format!("small, as {rows} rows make few steps"),
            )
        } else {
            ("batch = 512".to_owned(), String::new())
        },
        (
            format!(
                "learning_rate = {}",
                if draft.data.rows_in_files >= MANY_ROWS {
                    "0.001"
                } else {
                    "0.002"
                }
            ),
            "of the network".to_owned(),
        ),
        (
            "table_learning_rate = 0.02".to_owned(),
            "of the embeddings, which want a faster one".to_owned(),
        ),
        ("split = [0.7, 0.1, 0.2]".to_owned(), order.to_owned()),
    ];
    let line = |(text, note)| Line {
        text,
        note,
        above: Vec::new(),
    };
    section(text, "train", "", lines.into_iter().map(line).collect());
    text.truncate(text.trim_end().len());
    text.push('\n');
}
