//! What is to be predicted. In: profiles, keys. Out: objectives with their labels, or the open choice where no column can be one.

mod graded;
mod pairs;
mod two_valued;
mod watch;

use crate::data::Data;
use crate::keys::Keys;
use crate::names;
use crate::profile::Profile;
use crate::sides::constancy;

/// An objective.
#[derive(Debug)]
pub(crate) struct Label {
    pub(crate) name: String,
    /// The columns in its label: no fields, except a duration.
    pub(crate) columns: Vec<usize>,
    pub(crate) engaged: bool,
    /// Its keys and values.
    pub(crate) body: String,
    pub(crate) note: String,
    pub(crate) choice: Option<String>,
    /// Whether silence of a service's log is a no: it is an event, and a rare one.
    pub(crate) silent_no: bool,
    /// Weight in the score.
    pub(crate) weight: f64,
    /// For each row 0 or 1, NaN where not observed; empty where that says nothing.
    pub(crate) truth: Vec<f32>,
    /// Written as a comment, as nothing can be its label.
    pub(crate) open: bool,
}

/// The objectives.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    pub(crate) found: Vec<Label>,
    /// Columns that look like labels and cannot be one, with the reason.
    pub(crate) refused: Vec<(usize, String)>,
}

impl Labels {
    /// Finds what can be predicted.
    pub(crate) fn find(data: &Data, profiles: &[Profile], keys: &Keys) -> Labels {
        let mut labels = Labels::default();
        let mut finder = Finder {
            data,
            profiles,
            keys,
            labels: &mut labels,
        };
        finder.two_valued();
        finder.watch();
        finder.graded();
        for last_resort in [
            Finder::by_texts,
            Finder::by_values,
            Finder::by_place,
            Finder::open,
        ] {
            if finder.labels.found.is_empty() {
                last_resort(&mut finder);
            }
        }
        labels
    }

    /// Whether the column `column` is in a label.
    pub(crate) fn takes(&self, column: usize) -> bool {
        let taken = |label: &Label| label.columns.contains(&column);
        self.found.iter().any(taken)
    }

    /// Whether there is none but one that is an open choice.
    pub(crate) fn are_open(&self) -> bool {
        self.found.iter().all(|label| label.open)
    }
}

struct Finder<'d> {
    data: &'d Data,
    profiles: &'d [Profile],
    keys: &'d Keys,
    labels: &'d mut Labels,
}

impl Finder<'_> {
    fn free(&self) -> Vec<usize> {
        (0..self.profiles.len())
            .filter(|column| !self.keys.takes(*column) && !self.labels.takes(*column))
            .filter(|column| {
                self.data.columns[*column].everywhere
                    && ![self.keys.zero_position, self.keys.unsorted].contains(&Some(*column))
            })
            .collect()
    }

    /// Whether all rows of a user, or all of an item, have the same value: an attribute then.
    fn is_attribute(&self, column: usize) -> bool {
        let codes = self.data.values(column).codes;
        let constant = |key: usize| {
            let (again, share) = constancy(&self.data.values(key).codes, &codes);
            again >= 30 && share >= 0.99
        };
        [self.keys.user, self.keys.item]
            .into_iter()
            .flatten()
            .any(constant)
    }

    fn unused(&self, name: String) -> String {
        let taken = |name: &String| self.labels.found.iter().any(|label| label.name == *name);
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        std::iter::once(name.clone())
            .chain(numbered)
            .find(|name| !taken(name))
            .unwrap_or(name)
    }

    /// The objective that is a comment, where no column can be a label.
    fn open(&mut self) {
        let choice = "no column can be a label: add what people did as a column of two values, write its name here, and take the `#` away";
        self.labels.found.push(Label {
            name: "feedback".to_owned(),
            columns: Vec::new(),
            engaged: true,
            body: "group = \"engagement\", loss = \"binary\"".to_owned(),
            note: String::new(),
            choice: Some(choice.to_owned()),
            silent_no: false,
            weight: 1.0,
            truth: Vec::new(),
            open: true,
        });
    }
}

/// Feedback that people want more of.
const MAIN: [&str; 14] = [
    "like",
    "liked",
    "buy",
    "bought",
    "purchase",
    "purchased",
    "conversion",
    "converted",
    "order",
    "booking",
    "booked",
    "bool",
    "install",
    "favorite",
];
const MAIN_CHINESE: [&str; 4] = ["点赞", "喜欢", "购买", "转化"];

/// The name of the objective that a column is the label of.
fn objective(column: &str) -> String {
    let name = names::declared(column);
    let lower = name.to_lowercase();
    let rest = ["is_", "has_"]
        .iter()
        .find_map(|prefix| lower.strip_prefix(prefix))
        .or_else(|| {
            let digits = lower
                .strip_prefix('y')?
                .trim_start_matches(|character: char| character.is_ascii_digit());
            digits.strip_prefix('_')
        });
    let rest = rest.or_else(|| lower.strip_prefix("是否")).unwrap_or(&lower);
    names::declared(rest)
}
