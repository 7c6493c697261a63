//! A first declaration, guessed from data that nobody declared.
//!
//! In: a flat log (Parquet, CSV or JSONL), maybe tables of users and items. Out: the text of a `ranker.toml` that parses, with a
//! comment at each line that was guessed, `CHOOSE` at what the data do not tell, and the columns that give a label away. Of a log
//! of any size a sample is looked at; the same files give the same text.

mod data;
mod error;
mod fields;
mod keys;
mod kinds;
mod labels;
mod leaks;
mod names;
mod profile;
mod sides;
mod times;
mod write;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub use error::ProposeError;
pub use leaks::Leak;

use data::{Data, MISSING};
use fields::{Fields, Judge};
use keys::Keys;
use labels::Labels;
use profile::Profile;
use write::{Draft, percent};

/// Most rows of a table of users or items that are looked at.
const TABLE_ROWS: usize = 200_000;
/// Most cells of the log that are looked at: a file of very many columns is sampled more thinly.
const CELLS: usize = 40_000_000;

/// What is looked at.
#[derive(Debug, Clone)]
pub struct Options {
    /// The log's files, in the order of time.
    pub data: Vec<PathBuf>,
    /// Attributes of users, one row for each.
    pub users: Option<PathBuf>,
    /// Attributes of items, one row for each.
    pub items: Option<PathBuf>,
    /// Most rows of the log that are looked at, in all files together. Default 50,000.
    pub rows: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            data: Vec::new(),
            users: None,
            items: None,
            rows: 50_000,
        }
    }
}

/// A declaration to begin with.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The text of a `ranker.toml`. It parses; where [`Proposal::open`] is true, once the objective that is a comment is decided.
    pub toml: String,
    /// Columns that are probably known only after the impression.
    pub leaks: Vec<Leak>,
    /// What the data do not tell, in words; each is a `CHOOSE` in the text.
    pub choices: Vec<String>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
    /// Whether no column can be a label, so that the objective is a comment and the text does not train as it is.
    pub open: bool,
}

/// Looks at the files and writes a declaration.
///
/// # Errors
/// A file that cannot be read or has no rows; no column that can be a field; a defect of this crate.
pub fn propose(options: &Options) -> Result<Proposal, ProposeError> {
    let Some(first) = options.data.first() else {
        return Err(ProposeError::NoFile);
    };
    let width = events::sample(first, 1)?.schema.fields().len().max(1);
    let data = Data::read(&options.data, options.rows.min(CELLS / width).max(1))?;
    let profiles = profiles(&data);
    let keys = Keys::find(&data, &profiles);
    let labels = Labels::find(&data, &profiles, &keys);
    let judge = Judge::new(&data, &profiles, &keys, &labels);
    let mut fields = Fields::of(&judge);
    let mut notes = keys.notes.clone();
    let tables = [
        (&options.users, keys.user, "user"),
        (&options.items, keys.item, "item"),
    ];
    for (path, key, side) in tables {
        if let Some(path) = path {
            let key = key.map(|column| (column, profiles[column].name.as_str()));
            table(path, key, side, &data, &mut fields, &mut notes)?;
        }
    }
    if judge.sides.are_unknown() {
        notes.push(
            "no column says whom a row describes (no user, item or slate): what no name tells is the item's, so that each candidate \
             brings its own values"
                .to_owned(),
        );
    }
    if fields.declared.is_empty() {
        let left_out = fields
            .left_out
            .iter()
            .map(|column| format!("`{}`: {}", column.column, column.reason));
        return Err(ProposeError::NoField {
            left_out: left_out.collect(),
        });
    }
    let names: Vec<String> = options
        .data
        .iter()
        .map(|path| format!("`{}`", label(path)))
        .collect();
    let words: Vec<&str> = names.iter().map(String::as_str).collect();
    let draft = Draft {
        notes: &notes,
        files: write::listed(&words),
        train: command(options),
        data: &data,
        profiles: &profiles,
        keys: &keys,
        labels: &labels,
        fields: &fields,
    };
    let (toml, closed) = (
        write::declaration(&draft, false),
        write::declaration(&draft, true),
    );
    if let Err(mistakes) = spec::Spec::parse("ranker.toml", &closed) {
        return Err(ProposeError::Invalid {
            mistakes,
            text: closed,
        });
    }
    let choices = keys.lines.iter().filter_map(|line| line.choice.clone());
    let of_labels = labels.found.iter().filter_map(|label| label.choice.clone());
    Ok(Proposal {
        toml,
        choices: choices.chain(fields.choices.clone()).chain(of_labels).collect(),
        leaks: fields.leaks,
        notes,
        open: labels.are_open(),
    })
}

fn profiles(data: &Data) -> Vec<Profile> {
    (0..data.columns.len())
        .map(|column| Profile::of(data, column))
        .collect()
}

/// Adds the fields of a table of users or items; `key`: the log's column of ids, and its name.
fn table(
    path: &Path,
    key: Option<(usize, &str)>,
    side: &'static str,
    log: &Data,
    fields: &mut Fields,
    notes: &mut Vec<String>,
) -> Result<(), ProposeError> {
    let table = Data::read(&[path.to_owned()], TABLE_ROWS)?;
    let Some((column, name)) = key else {
        notes.push(format!(
            "`{}` is not used: no column of the log is the {side}",
            label(path)
        ));
        return Ok(());
    };
    let Some(own) = table.columns.iter().position(|column| column.name == name) else {
        notes.push(format!(
            "`{}` is not used: it has no column `{name}`, the {side} key of the log",
            label(path)
        ));
        return Ok(());
    };
    let ids = table.values(own);
    let known: BTreeSet<String> = (0..ids.distinct()).map(|code| ids.text(code as u32)).collect();
    let values = log.values(column);
    let in_table: Vec<bool> = (0..values.distinct())
        .map(|code| known.contains(&values.text(code as u32)))
        .collect();
    let present = values.codes.iter().filter(|code| **code != MISSING);
    let found =
        present.filter(|code| in_table[**code as usize]).count() as f64 / values.codes.len().max(1) as f64;
    let found = if table.is_whole() { found } else { 1.0 };
    if table.is_whole() && found < 1.0 {
        notes.push(format!(
            "`{}` knows the {side} of {} of the log's rows",
            label(path),
            percent(found)
        ));
    }
    fields.table(&profiles(&table), name, side, log, found);
    Ok(())
}

fn label(path: &Path) -> String {
    path.file_name().map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// The arguments after `--data`.
fn command(options: &Options) -> String {
    let mut words: Vec<String> = options
        .data
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    for (flag, path) in [("--users", &options.users), ("--items", &options.items)] {
        if let Some(path) = path {
            words.push(format!("{flag} {}", path.display()));
        }
    }
    words.join(" ")
}
