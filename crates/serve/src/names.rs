//! The names that a declaration reads. In: the names that a client gives. Out: warnings of those that are read by nothing,
//! most likely by mistake, since what is not read is otherwise ignored in silence.

use std::collections::{BTreeMap, BTreeSet};

use events::DerivedRules;
use spec::{Field, Side, Source, Spec, edit_distance};

use crate::resolve::of_log;

/// Names that something reads, and those whose value comes from the log whatever is given.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Known {
    read: BTreeSet<String>,
    of_log: BTreeSet<String>,
}

/// Names of a declaration, as requests and feedback give them.
#[derive(Debug, PartialEq)]
pub(crate) struct Names {
    /// Fields of the user, the context and the query.
    pub(crate) shared: Known,
    /// Fields of an item.
    pub(crate) item: Known,
    /// Kinds of feedback.
    kinds: BTreeSet<String>,
}

impl Names {
    /// Those of `spec`.
    pub(crate) fn of(spec: &Spec) -> Names {
        let by_name = |field: &Field| vec![field.name.clone()];
        let rules = DerivedRules::of(spec);
        let labels = spec
            .objectives
            .iter()
            .flat_map(|objective| objective.label.names());
        let kinds = labels
            .filter(|name| spec.field(name).is_none())
            .chain(rules.histories.iter().map(|rule| rule.feedback.as_str()))
            .chain(rules.rates.iter().map(|rule| rule.feedback.as_str()));
        Names {
            shared: Known::of(spec, &[Side::User, Side::Context, Side::Query], by_name),
            item: Known::of(spec, &[Side::Item], by_name),
            kinds: kinds.map(str::to_owned).collect(),
        }
    }

    /// Why feedback of `kind` is of no use, if it is not.
    pub(crate) fn unread_kind(&self, kind: &str) -> Option<String> {
        if self.kinds.contains(kind) {
            return None;
        }
        let known: Vec<String> = self.kinds.iter().map(|kind| format!("`{kind}`")).collect();
        let advice = match nearest(kind, &self.kinds) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("those that are read: {}", known.join(", ")),
        };
        Some(format!(
            "kind `{kind}` is read by no label, history or rate of the declaration; {advice}"
        ))
    }
}

impl Known {
    /// Attributes in the catalogue that the fields of `sides` read.
    pub(crate) fn attributes(spec: &Spec, sides: &[Side]) -> Known {
        Known::of(spec, sides, |field| match &field.source {
            Source::Since { attribute } => vec![attribute.clone()],
            Source::Part { of, .. } => of.iter().cloned().collect(),
            Source::Given => vec![field.attribute.clone()],
            Source::History { .. } | Source::Rate { .. } => Vec::new(),
        })
    }

    fn of(spec: &Spec, sides: &[Side], read: impl Fn(&Field) -> Vec<String>) -> Known {
        let mut known = Known::default();
        for field in spec.fields.iter().filter(|field| sides.contains(&field.side)) {
            if of_log(field) {
                known.of_log.insert(field.name.clone());
            } else {
                known.read.extend(read(field));
            }
        }
        known
    }

    /// Why what is given under `name` is not read, where that is a mistake.
    fn unread(&self, name: &str) -> Option<String> {
        if self.read.contains(name) {
            None
        } else if self.of_log.contains(name) {
            Some(format!(
                "`{name}` is derived from the log; what is given for it is not read"
            ))
        } else {
            let nearest = nearest(name, &self.read)?;
            Some(format!("`{name}` is read by no field; did you mean `{nearest}`?"))
        }
    }
}

/// Warnings of one request: each name once, where it is given first.
pub(crate) struct Warnings<'k> {
    known: &'k Known,
    looked_at: BTreeMap<String, Option<String>>,
}

impl<'k> Warnings<'k> {
    pub(crate) fn of(known: &'k Known) -> Warnings<'k> {
        Warnings {
            known,
            looked_at: BTreeMap::new(),
        }
    }

    /// Looks at a name that is given at `place`.
    pub(crate) fn look(&mut self, name: &str, place: impl FnOnce() -> String) {
        if !self.known.read.contains(name) && !self.looked_at.contains_key(name) {
            let warning = self.known.unread(name);
            let warning = warning.map(|warning| format!("{}: {warning}", place()));
            self.looked_at.insert(name.to_owned(), warning);
        }
    }

    /// In the order of names.
    pub(crate) fn finish(self) -> Vec<String> {
        self.looked_at.into_values().flatten().collect()
    }
}

/// The name of `known` that `name` most likely means: the same but for case, or with one letter, of a longer name two,
/// missing, more, replaced or swapped.
fn nearest<'k>(name: &str, known: &'k BTreeSet<String>) -> Option<&'k str> {
    let most = (name.chars().count() / 3).clamp(1, 2);
    let near = known
        .iter()
        .map(|other| (edit_distance(name, other), other.as_str()))
        .filter(|(edits, _)| *edits <= most);
    near.min().map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::spec;

    #[test]
    fn a_name_is_near_where_little_of_it_is_otherwise() {
        let known: BTreeSet<String> = ["uploaded_at", "age", "length"].map(str::to_owned).into();
        for (name, expected) in [
            ("uplaoded_at", Some("uploaded_at")),
            ("uploadedAt", Some("uploaded_at")),
            ("UPLOADED_AT", Some("uploaded_at")),
            ("agee", Some("age")),
            ("lenght", Some("length")),
            ("ag", Some("age")),
            ("a", None),
            ("page_x", None),
            ("position", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, &known), expected, "{name}");
        }
    }

    #[test]
    fn each_mistaken_name_is_told_once_and_a_name_of_something_else_is_let_be() {
        let known = Known::attributes(&spec(), &[Side::Item]);
        let mut warnings = Warnings::of(&known);
        for item in ["v1", "v2"] {
            for name in ["length", "lenght", "ctr", "title", "Uploaded_at", "age"] {
                warnings.look(name, || format!("entry `{item}`"));
            }
        }
        assert_eq!(
            warnings.finish(),
            [
                "entry `v1`: `Uploaded_at` is read by no field; did you mean `uploaded_at`?",
                "entry `v1`: `ctr` is derived from the log; what is given for it is not read",
                "entry `v1`: `lenght` is read by no field; did you mean `length`?",
            ]
        );
    }

    #[test]
    fn a_kind_of_feedback_is_read_by_labels_histories_and_rates() {
        let names = Names::of(&spec());
        assert_eq!(names.kinds, ["click", "like", "share"].map(str::to_owned).into());
        assert_eq!(names.unread_kind("share"), None);
        let warning =
            "kind `clik` is read by no label, history or rate of the declaration; did you mean `click`?";
        assert_eq!(names.unread_kind("clik").unwrap(), warning);
        let warning = names.unread_kind("viewed").unwrap();
        assert!(
            warning.ends_with("those that are read: `click`, `like`, `share`"),
            "{warning}"
        );
    }
}
