//! Relevance and ratings. In: columns of few whole grades. Out: an objective each.

use super::{Finder, Label, objective};
use crate::names;
use crate::write::{expression, quoted};

impl Finder<'_> {
    /// An objective for each column of grades.
    pub(super) fn graded(&mut self) {
        for column in self.free() {
            let profile = &self.profiles[column];
            let grades = profile.class.is_number()
                && (3..=21).contains(&profile.distinct)
                && profile.min >= 0.0
                && profile.max <= 100.0;
            if !grades
                || profile.not_finite > 0
                || !names::is_grade(&profile.name)
                || self.is_attribute(column)
            {
                continue;
            }
            let plain = ["label", "target", "y"].contains(&profile.name.to_lowercase().as_str());
            let name = self.unused(if plain {
                "relevance".to_owned()
            } else {
                objective(&profile.name)
            });
            let label = if name == profile.name {
                String::new()
            } else {
                format!(", label = {}", quoted(&expression(&profile.name)))
            };
            let middle = (profile.min + profile.max) / 2.0;
            let truth = |number: &f64| {
                if number.is_nan() {
                    f32::NAN
                } else {
                    f32::from(u8::from(*number > middle))
                }
            };
            let truth = self.data.values(column).numbers.iter().map(truth).collect();
            self.labels.found.push(Label {
                name,
                columns: vec![column],
                engaged: false,
                body: format!(
                    "group = \"satisfaction\", loss = \"squared\"{label}, clip = [{}, {}]",
                    profile.min, profile.max
                ),
                note: format!("grades {} to {}", profile.min, profile.max),
                choice: None,
                silent_no: false,
                weight: 1.0,
                truth,
                open: false,
            });
        }
    }
}
