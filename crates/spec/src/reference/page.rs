//! The reference of the declaration as a page of Markdown.

use std::fmt::Write as _;
use std::ops::Bound;

use super::{ANY, Accepted, Key, Preset, TOP, Table, Type};

/// A small declaration, whole.
pub(crate) const EXAMPLE: &str = include_str!("example.toml");

/// Before the tables; `{example}` is the place of [`EXAMPLE`].
const OPENING: &str = include_str!("opening.md");
/// The last section.
const SCORE: &str = include_str!("score.md");
/// After the tables.
const LABELS: &str = include_str!("labels.md");

/// The page `docs/declaration.md`: what a declaration is, every key with its type, default and meaning, the grammar of
/// labels, and the score.
pub fn reference() -> String {
    let mut page = OPENING.replace("{example}", EXAMPLE);
    line(&mut page, "## Sections\n");
    line(&mut page, "| section | default | meaning |\n|---|---|---|");
    for key in TOP.keys {
        row(
            &mut page,
            &[format!("`[{}]`", key.name), preset(key), key.meaning.to_owned()],
        );
    }
    for section in TOP.keys {
        if let Type::Table(table) | Type::Entries(table) = section.value {
            self::table(&mut page, table);
        }
    }
    line(&mut page, "\n## Words that are not carried out yet\n");
    line(
        &mut page,
        "They are reserved, and refused with what to do instead; where a default is named, it may be \
         written out.\n",
    );
    line(
        &mut page,
        "| where | word | default | instead |\n|---|---|---|---|",
    );
    later(&mut page, &TOP);
    page.push_str(LABELS);
    page.push_str(SCORE);
    page
}

/// A section and its keys, then the tables inside it.
fn table(page: &mut String, table: &Table) {
    line(page, &format!("\n## `[{}]`\n\n{}", table.name, table.meaning));
    if table.keys.is_empty() {
        return;
    }
    line(page, "");
    let by_kind = table.keys.iter().any(|key| !key.kinds.is_empty());
    let head = if by_kind {
        "| key | kinds | type | default | meaning |\n|---|---|---|---|---|"
    } else {
        "| key | type | default | meaning |\n|---|---|---|---|"
    };
    line(page, head);
    for key in table.keys {
        let kinds = match key.kinds {
            [] => "all".to_owned(),
            kinds => quoted(kinds),
        };
        let mut cells = vec![format!("`{}`", key.name)];
        cells.extend(by_kind.then_some(kinds));
        cells.extend([
            kind_of_value(&key.value),
            preset(key),
            format!("{} Example: `{}`", key.meaning, key.example),
        ]);
        row(page, &cells);
    }
    for key in table.keys {
        if let Type::Table(inner) = key.value {
            self::table(page, inner);
        }
    }
}

/// The words of `table`, and of those inside it, that are not carried out yet.
fn later(page: &mut String, table: &Table) {
    let place = |name: &str| format!("`[{name}]`");
    for word in table.later {
        let default = match word.accepted {
            None => String::new(),
            Some(Accepted::Number(number)) => format!("`{number}`"),
            Some(Accepted::Text(text)) => format!("`\"{text}\"`"),
        };
        row(
            page,
            &[
                place(table.name),
                format!("`{}`", word.key),
                default,
                word.help.to_owned(),
            ],
        );
    }
    for key in table.keys {
        match key.value {
            Type::Table(inner) | Type::Entries(inner) => {
                later(page, inner);
                if inner.keys.is_empty() && inner.later.is_empty() {
                    let instead = format!("leave it out: {}", preset(key));
                    row(
                        page,
                        &[place(inner.name), "all".to_owned(), String::new(), instead],
                    );
                }
            }
            Type::Words(_, words) => {
                for (word, instead) in words {
                    let word = format!("`{} = \"{word}\"`", key.name);
                    row(
                        page,
                        &[place(table.name), word, String::new(), (*instead).to_owned()],
                    );
                }
            }
            _ => {}
        }
    }
}

/// The type in words.
fn kind_of_value(value: &Type) -> String {
    match value {
        Type::Text => "text".to_owned(),
        Type::Words(words, _) => quoted(words),
        Type::Whole(low, i64::MAX) => format!("whole number from {low}"),
        Type::Whole(low, high) => format!("whole number, {low} to {high}"),
        Type::Number(low, high) => number(*low, *high),
        Type::Flag => "`true` or `false`".to_owned(),
        Type::Duration => "duration".to_owned(),
        Type::Size => "size".to_owned(),
        Type::NumberOr(word) => format!("number or `\"{word}\"`"),
        Type::WholeOr(number, words) => format!("{} or `{number}`", quoted(words)),
        Type::List(element, low, high) => {
            let count = match (*low, *high) {
                (low, high) if low == high => format!(" of {low}"),
                (0, _) => String::new(),
                (low, ANY) => format!(", at least {low}"),
                (low, high) => format!(" of {low} to {high}"),
            };
            format!("list{count}; each {}", kind_of_value(element))
        }
        Type::Table(_) | Type::Entries(_) | Type::Names(_) => "table".to_owned(),
    }
}

fn number(low: Bound<f64>, high: Bound<f64>) -> String {
    let low = match low {
        Bound::Unbounded => String::new(),
        Bound::Included(low) => format!(" from {low}"),
        Bound::Excluded(low) => format!(" above {low}"),
    };
    match high {
        Bound::Unbounded => format!("number{low}"),
        Bound::Included(high) => format!("number{low}, at most {high}"),
        Bound::Excluded(high) => format!("number{low}, below {high}"),
    }
}

fn preset(key: &Key) -> String {
    match key.preset {
        Preset::Required => "required".to_owned(),
        Preset::Toml(text) => format!("`{text}`"),
        Preset::OwnName => "its own name".to_owned(),
        Preset::Words(words) => words.to_owned(),
    }
}

fn quoted(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}

/// A row of a table; a bar in a cell would end it.
fn row(page: &mut String, cells: &[String]) {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    line(page, &format!("| {} |", cells.join(" | ")));
}

fn line(page: &mut String, text: &str) {
    // Writing to a `String` cannot fail.
    let _ = writeln!(page, "{text}");
}
