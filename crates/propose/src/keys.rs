//! Which columns identify: user, item, time, slate, position, weight. In: profiles. Out: the lines of `[keys]`, and the columns
//! that are taken.

mod slate;
mod time;

use std::collections::BTreeMap;

use crate::data::Data;
use crate::names::{self, Nouns};
use crate::profile::Profile;
use crate::times::Reading;
use crate::write::{amount, percent, quoted};

/// A line of `[keys]`.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) note: String,
    pub(crate) choice: Option<String>,
}

/// The identifying columns.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    pub(crate) user: Option<usize>,
    pub(crate) item: Option<usize>,
    pub(crate) time: Option<usize>,
    pub(crate) slate: Option<usize>,
    pub(crate) position: Option<usize>,
    pub(crate) weight: Option<usize>,
    pub(crate) query: Option<usize>,
    /// Positions from 0, which cannot be read.
    pub(crate) zero_position: Option<usize>,
    /// The time of the impression, where the rows are not in its order.
    pub(crate) unsorted: Option<usize>,
    pub(crate) reading: Option<Reading>,
    pub(crate) lines: Vec<Line>,
    pub(crate) notes: Vec<String>,
}

impl Keys {
    /// Finds the keys of `data`.
    pub(crate) fn find(data: &Data, profiles: &[Profile]) -> Keys {
        let mut keys = Keys::default();
        let mut finder = Finder {
            data,
            profiles,
            keys: &mut keys,
        };
        finder.position();
        finder.people_and_items();
        finder.slate();
        finder.position_by_counting();
        let out_of_order = finder.time();
        finder.weight();
        let nearly = finder.nearly_item();
        let choices: Vec<String> = out_of_order.into_iter().chain(nearly).collect();
        finder.absent((!choices.is_empty()).then(|| choices.join("; ")));
        finder.unused_defaults();
        keys
    }

    /// Whether the column `column` is a key.
    pub(crate) fn takes(&self, column: usize) -> bool {
        [
            self.user,
            self.item,
            self.time,
            self.slate,
            self.position,
            self.weight,
            self.query,
        ]
        .contains(&Some(column))
    }

    /// Names that no field may have, but a key's own.
    pub(crate) fn reserved(&self, profiles: &[Profile]) -> Vec<String> {
        let mut names: Vec<String> = ["position", "user", "item", "query"].map(str::to_owned).to_vec();
        // A field of the name of a key is read as the key.
        let keys = [self.position, self.user, self.item].into_iter().flatten();
        names.extend(keys.map(|column| profiles[column].name.clone()));
        names
    }

    fn line(&mut self, key: &str, column: &str, note: String, choice: Option<String>) {
        self.lines.push(Line {
            text: format!("{key} = {}", quoted(column)),
            note,
            choice,
        });
    }
}

struct Finder<'d> {
    data: &'d Data,
    profiles: &'d [Profile],
    keys: &'d mut Keys,
}

impl Finder<'_> {
    /// Columns whose names are those of a key, the surest first, then those with more values.
    fn named(&self, nouns: &Nouns, fits: impl Fn(&Profile) -> bool) -> Vec<usize> {
        let rank = |column: usize| names::key(&self.profiles[column].name, nouns);
        let mut found: Vec<usize> = (0..self.profiles.len())
            .filter(|column| rank(*column).is_some() && !self.keys.takes(*column))
            .filter(|column| self.data.columns[*column].everywhere && fits(&self.profiles[*column]))
            .collect();
        found.sort_by_key(|column| rank(*column));
        found
    }

    fn name(&self, column: usize) -> String {
        self.profiles[column].name.clone()
    }

    fn position(&mut self) {
        let small = |profile: &Profile| {
            profile.class.is_number() && profile.whole && profile.distinct > 1 && profile.max <= 10_000.0
        };
        let found = self.named(&names::POSITION, |profile| small(profile) && profile.min >= 0.0);
        let Some(column) = found.first().copied() else {
            return;
        };
        if self.profiles[column].min < 1.0 {
            self.keys.zero_position = Some(column);
        } else {
            self.keys.position = Some(column);
        }
    }

    fn people_and_items(&mut self) {
        let id = |profile: &Profile| profile.is_id() && profile.distinct > 1;
        for (nouns, key) in [
            (&names::USER, "user"),
            (&names::ITEM, "item"),
            (&names::QUERY_ITEM, "query"),
        ] {
            let found = self.named(nouns, |profile| {
                id(profile) && !(key == "user" && profile.distinct == 2)
            });
            let Some(column) = found.first().copied() else {
                continue;
            };
            let (name, profile) = (self.name(column), &self.profiles[column]);
            if key == "query" {
                self.keys.query = Some(column);
                self.keys
                    .line(key, &name, "the item being watched".to_owned(), None);
                continue;
            }
            if profile.missing > 0 {
                let note = format!(
                    "`{name}` looks like the {key} and is empty in {} of the rows, which a key may not be: fill it, then name it in `[keys] {key}`",
                    percent(profile.missing_share())
                );
                self.keys.notes.push(note);
                continue;
            }
            if key == "user" && self.is_slate(column) {
                self.keys.slate = Some(column);
                let choice = format!(
                    "all rows of an id of `{name}` follow each other, like one list shown once: read as the slate; if it is a person, write user = {}",
                    quoted(&name)
                );
                self.keys.line("slate", &name, self.counted(column), Some(choice));
                continue;
            }
            let note = self.counted(column);
            match key {
                "user" => self.keys.user = Some(column),
                _ => self.keys.item = Some(column),
            }
            self.keys.line(key, &name, note, None);
        }
    }

    /// What is to be decided where no column is the item, and the name of one says that it may be.
    fn nearly_item(&self) -> Option<String> {
        let candidate = |column: &usize| {
            let profile = &self.profiles[*column];
            profile.is_id()
                && profile.distinct > 2
                && profile.missing == 0
                && self.data.columns[*column].everywhere
                && !self.keys.takes(*column)
                && names::is_nearly_item(&profile.name)
        };
        let most = |column: &usize| (self.profiles[*column].distinct, usize::MAX - column);
        let found = (0..self.profiles.len()).filter(candidate).max_by_key(most);
        let name = self.name(found.filter(|_| self.keys.item.is_none())?);
        Some(format!(
            "no column is surely the item, and `{name}` may be: if it is, write item = {} and take \"item\" out of `absent`",
            quoted(&name)
        ))
    }

    /// How many ids there are, and how often each is seen.
    fn counted(&self, column: usize) -> String {
        let estimate = self.profiles[column].estimate.max(1);
        let about = if self.data.is_whole() { "" } else { "about " };
        format!(
            "{about}{} ids, {:.1} rows each",
            amount(estimate),
            self.data.rows_in_files as f64 / estimate as f64
        )
    }

    fn weight(&mut self) {
        let fits = |profile: &Profile| {
            profile.class.is_number() && profile.min > 0.0 && profile.distinct > 1 && profile.not_finite == 0
        };
        let Some(column) = self.named(&names::WEIGHT, fits).first().copied() else {
            return;
        };
        self.keys.weight = Some(column);
        let (name, profile) = (self.name(column), &self.profiles[column]);
        let choice = format!(
            "`{name}` is read as how much an example counts, and is no field; leave this line out and all count alike"
        );
        self.keys.line(
            "weight",
            &name,
            format!("{} to {}", profile.min, profile.max),
            Some(choice),
        );
    }

    /// The keys that there are none for; `choice`: what is to be done about it.
    fn absent(&mut self, choice: Option<String>) {
        let keys = [
            ("user", self.keys.user),
            ("item", self.keys.item),
            ("time", self.keys.time),
        ];
        let absent: Vec<&str> = keys
            .iter()
            .filter(|(_, column)| column.is_none())
            .map(|(key, _)| *key)
            .collect();
        if absent.is_empty() {
            return;
        }
        let rows = match (self.keys.time, self.keys.unsorted) {
            (Some(_), _) => "no column is surely one",
            (None, None) => "no column is surely one; without a time, the rows count as in order",
            (None, Some(_)) => "without a time, the rows count as in order",
        };
        let names: Vec<String> = absent.iter().map(|key| quoted(key)).collect();
        self.keys.lines.push(Line {
            text: format!("absent = [{}]", names.join(", ")),
            note: rows.to_owned(),
            choice,
        });
    }

    /// A column that has the default name of an optional key without being one must not be read as it.
    fn unused_defaults(&mut self) {
        let keys: BTreeMap<&str, Option<usize>> = [
            ("position", self.keys.position.or(self.keys.zero_position)),
            ("query", self.keys.query),
            ("slate", self.keys.slate),
        ]
        .into();
        for (key, column) in keys {
            if column.is_none() && self.data.columns.iter().any(|column| column.name == key) {
                let note = format!("no such column: `{key}` is something else here");
                self.keys.line(key, &unlike(key, self.data), note, None);
            }
        }
    }
}

/// A name that no column has.
fn unlike(name: &str, data: &Data) -> String {
    let mut other = format!("no_{}", names::declared(name));
    while data.columns.iter().any(|column| column.name == other) {
        other.push('_');
    }
    other
}
