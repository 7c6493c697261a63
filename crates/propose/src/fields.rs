//! What becomes of each column: a field, a field that is commented out, or nothing. In: profiles, keys, labels. Out: lines.

mod columns;
mod moments;

pub(crate) use columns::Judge;

use columns::{copies, copies_position, families, is_time, list_side, unusable};

use crate::data::{Class, Data, Values};
use crate::kinds::{self, Kind};
use crate::leaks::{self, CERTAIN, Leak, NAMED, SUSPECT};
use crate::names;
use crate::profile::Profile;
use crate::write::{percent, quoted};

/// A field as it is declared.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) side: &'static str,
    /// Keys and values after `side`.
    pub(crate) body: String,
    pub(crate) note: String,
    /// Lines of comment above it.
    pub(crate) above: Vec<String>,
}

/// A column that is no field.
#[derive(Debug)]
pub(crate) struct LeftOut {
    pub(crate) column: String,
    pub(crate) reason: String,
    /// The declaration that it would have.
    pub(crate) field: Option<Field>,
}

/// What became of the columns.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(crate) declared: Vec<Field>,
    pub(crate) left_out: Vec<LeftOut>,
    pub(crate) leaks: Vec<Leak>,
    pub(crate) choices: Vec<String>,
    names: Vec<String>,
}

impl Fields {
    /// Judges every column of the log.
    pub(crate) fn of(judge: &Judge<'_>) -> Fields {
        let mut fields = Fields {
            names: judge.keys.reserved(judge.profiles),
            ..Fields::default()
        };
        for column in 0..judge.profiles.len() {
            fields.column(judge, column);
        }
        fields.moment(judge);
        fields
    }

    fn leave(&mut self, column: &str, reason: impl Into<String>) {
        self.left_out.push(LeftOut {
            column: column.to_owned(),
            reason: reason.into(),
            field: None,
        });
    }

    fn column(&mut self, judge: &Judge<'_>, column: usize) {
        let (profile, keys) = (&judge.profiles[column], judge.keys);
        let is_key = keys.user == Some(column) || keys.item == Some(column);
        let watched_duration = judge
            .labels
            .found
            .iter()
            .any(|label| label.columns.get(1) == Some(&column));
        if (keys.takes(column) && !is_key) || keys.zero_position == Some(column) {
            return;
        }
        if keys.unsorted == Some(column) {
            return self.leave(
                &profile.name,
                "the time of the impression, out of order: see `[keys]`",
            );
        }
        if let Some((_, reason)) = judge.labels.refused.iter().find(|(other, _)| *other == column) {
            return self.leave(&profile.name, format!("looks like a label: {reason}"));
        }
        // It is the label's, and is shown among the leaks.
        let watched = names::is_watch_time(&profile.name) && !profile.is_binary();
        if judge.labels.takes(column) && !watched_duration && !watched {
            return;
        }
        if is_key {
            return self.key(judge, column);
        }
        if let Some(reason) = unusable(profile, &judge.data.columns[column].everywhere) {
            return self.leave(&profile.name, reason);
        }
        if let Some(times) = profile.times.as_ref().filter(|times| is_time(profile, times)) {
            return self.time(judge, column, times);
        }
        let lists = matches!(profile.class, Class::Ids | Class::Numbers);
        let values = if lists {
            Values::default()
        } else {
            judge.data.values(column)
        };
        if let Some(reason) = copies_position(judge, profile, &values) {
            self.leaks.push(Leak {
                column: profile.name.clone(),
                predicts: None,
                left_out: true,
                reason: reason.clone(),
            });
            return self.leave(&profile.name, reason);
        }
        if let Some(other) = copies(judge, column, &values) {
            let other = &judge.profiles[other].name;
            return self.leave(
                &profile.name,
                format!("one to one with `{other}`, so it says nothing more"),
            );
        }
        let family = names::family(&profile.name)
            .and_then(|stem| judge.families.get(stem))
            .copied()
            .unwrap_or(1);
        let kind = match kinds::kind(profile, family, false) {
            Ok(kind) => kind,
            Err(reason) => return self.leave(&profile.name, reason),
        };
        let (side, why) = if lists {
            list_side(judge, column, &profile.name)
        } else {
            judge.sides.side(&profile.name, &values.codes)
        };
        self.judged(judge, profile, kind, (side, why), &values);
    }

    /// A field, unless it gives a label away.
    fn judged(
        &mut self,
        judge: &Judge<'_>,
        profile: &Profile,
        kind: Kind,
        (side, why): (&'static str, &str),
        values: &Values,
    ) {
        let best = leaks::best(values, kind.numeric, judge.labels);
        let auc = best.as_ref().map_or(0.5, |(_, auc)| *auc);
        let numeric = kind.numeric;
        let mut field = self.field(profile, kind, side, why);
        let why_text = judge
            .data
            .columns
            .iter()
            .find(|source| source.name == profile.name)
            .and_then(|source| source.why_text.clone());
        if let Some((line, cell)) = why_text {
            field.above.push(format!("CHOOSE: most of `{}` are numbers, but line {line} has `{cell}`, so it is read as text: mend the file, or keep it", profile.name));
        }
        let reason = if names::is_aftermath(&profile.name) {
            Some("its name says that it is known only after the impression")
        } else if auc >= NAMED && names::is_suspicious(&profile.name) {
            Some("its name and how well it predicts say that it is known only afterwards")
        } else if auc >= CERTAIN {
            Some("it predicts too well to be known before")
        } else {
            None
        };
        if let Some(reason) = reason {
            self.names.retain(|name| *name != field.name);
            let told = best
                .as_ref()
                .map(|(objective, auc)| format!("; alone it predicts `{objective}` with AUC {auc:.3}"));
            self.left_out.push(LeftOut {
                column: profile.name.clone(),
                reason: format!("LEAK: {reason}{}", told.unwrap_or_default()),
                field: Some(field),
            });
            self.leaks.push(Leak {
                column: profile.name.clone(),
                predicts: best,
                left_out: true,
                reason: reason.to_owned(),
            });
            return;
        }
        if let Some((objective, auc)) = best.filter(|(_, auc)| *auc >= SUSPECT) {
            field.above.push(format!(
                "CHECK: alone it predicts `{objective}` with AUC {auc:.3}: is it known before the impression?"
            ));
            let reason = format!(
                "it predicts very well as {}",
                if numeric { "a number" } else { "an id" }
            );
            self.leaks.push(Leak {
                column: profile.name.clone(),
                predicts: Some((objective, auc)),
                left_out: false,
                reason,
            });
        }
        self.choices.extend(
            field
                .above
                .iter()
                .filter_map(|line| line.strip_prefix("CHOOSE: "))
                .map(str::to_owned),
        );
        self.declared.push(field);
    }

    /// The user or the item.
    fn key(&mut self, judge: &Judge<'_>, column: usize) {
        let profile = &judge.profiles[column];
        let each = judge.data.rows_in_files as f64 / profile.estimate.max(1) as f64;
        if each < 3.0 {
            return self.leave(
                &profile.name,
                format!("a key, but no field: {each:.1} rows an id are too few to learn ids by heart"),
            );
        }
        let side = if judge.keys.user == Some(column) {
            "user"
        } else {
            "item"
        };
        let Ok(mut kind) = kinds::kind(profile, 1, true) else {
            return;
        };
        kind.note = format!("{}, {each:.1} rows each", kind.note);
        let values = judge.data.values(column);
        let best = leaks::best(&values, false, judge.labels).filter(|(_, auc)| *auc >= SUSPECT);
        // Under its own name it is the key itself, which requests hold anyway.
        let own = names::declared(&profile.name);
        let mut field = if own == profile.name {
            named(own, profile, kind, side, "")
        } else {
            self.field(profile, kind, side, "")
        };
        if let Some((objective, auc)) = best {
            field.above.push(format!("CHECK: alone it predicts `{objective}` with AUC {auc:.3}: were the rows picked by what people did?"));
            let reason =
                "ids tell the label nearly by themselves, as where rows were picked by what people did"
                    .to_owned();
            self.leaks.push(Leak {
                column: profile.name.clone(),
                predicts: Some((objective, auc)),
                left_out: false,
                reason,
            });
        }
        if field.name != profile.name {
            field.above.push(format!(
                "online it is no key under this name: requests must give `{}` as a value too",
                field.name
            ));
        }
        self.declared.push(field);
    }

    /// Fields of a table of users or items, joined by the key `key`; `found`: share of the log's rows that it knows.
    pub(crate) fn table(
        &mut self,
        profiles: &[Profile],
        key: &str,
        side: &'static str,
        log: &Data,
        found: f64,
    ) {
        let families = families(profiles);
        for profile in profiles.iter().filter(|profile| profile.name != key) {
            let known = 1.0 - (1.0 - profile.missing_share()) * found;
            if log.columns.iter().any(|column| column.name == profile.name) {
                self.leave(
                    &profile.name,
                    format!("of the {side} table: the log has a column of this name, which is read first"),
                );
            } else if known > 0.95 {
                self.leave(
                    &profile.name,
                    format!(
                        "of the {side} table: missing in {} of the log's rows",
                        percent(known)
                    ),
                );
            } else if let Some(reason) = unusable(profile, &true) {
                self.leave(&profile.name, format!("of the {side} table: {reason}"));
            } else if profile
                .times
                .as_ref()
                .is_some_and(|times| is_time(profile, times))
            {
                self.leave(
                    &profile.name,
                    format!("of the {side} table: a time, and no moment comes again"),
                );
            } else {
                let family = names::family(&profile.name)
                    .and_then(|stem| families.get(stem))
                    .copied()
                    .unwrap_or(1);
                match kinds::kind(profile, family, false) {
                    Ok(kind) => {
                        let mut field = self.field(profile, kind, side, "");
                        field.body = field.body.replacen("column = ", "attribute = ", 1);
                        self.choices.extend(
                            field
                                .above
                                .iter()
                                .filter_map(|line| line.strip_prefix("CHOOSE: "))
                                .map(str::to_owned),
                        );
                        self.declared.push(field);
                    }
                    Err(reason) => self.leave(&profile.name, format!("of the {side} table: {reason}")),
                }
            }
        }
    }

    fn field(&mut self, profile: &Profile, kind: Kind, side: &'static str, why: &str) -> Field {
        let mut name = names::declared(&profile.name);
        // The bare words are those of keys.
        if ["user", "item", "query"].contains(&name.as_str()) {
            name += "_id";
        }
        named(self.unused(name), profile, kind, side, why)
    }

    fn unused(&mut self, name: String) -> String {
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        let name = std::iter::once(name.clone())
            .chain(numbered)
            .find(|name| !self.names.contains(name))
            .unwrap_or(name);
        self.names.push(name.clone());
        name
    }
}

/// The column as a field of the name `name`.
fn named(name: String, profile: &Profile, kind: Kind, side: &'static str, why: &str) -> Field {
    let column = if name == profile.name {
        String::new()
    } else {
        format!("column = {}, ", quoted(&profile.name))
    };
    let mut note = kind.note;
    if profile.missing > 0 {
        note += &format!(", {} missing", percent(profile.missing_share()));
    }
    if !why.is_empty() {
        note += &format!("; {why}");
    }
    Field {
        name,
        side,
        body: format!("{column}{}", kind.body),
        note,
        above: kind
            .choice
            .map(|choice| format!("CHOOSE: {choice}"))
            .into_iter()
            .collect(),
    }
}
