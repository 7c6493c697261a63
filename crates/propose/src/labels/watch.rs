//! How long was watched. In: columns of times and of durations. Out: an objective, by the share where there is a duration.

use super::{Finder, Label};
use crate::names;
use crate::write::{expression, percent, quoted};

impl Finder<'_> {
    /// A watch time, by the duration where there is one.
    pub(super) fn watch(&mut self) {
        let free = self.free();
        let amounts = |column: &usize| {
            let profile = &self.profiles[*column];
            profile.class.is_number() && profile.min >= 0.0 && profile.distinct > 2 && profile.not_finite == 0
        };
        let watched = free
            .iter()
            .copied()
            .filter(amounts)
            .find(|column| names::is_watch_time(&self.profiles[*column].name));
        let Some(column) = watched else { return };
        let name = &self.profiles[column].name;
        let durations = free
            .iter()
            .copied()
            .filter(amounts)
            .filter(|column| names::is_duration(&self.profiles[*column].name));
        let duration = durations.max_by_key(|column| {
            (
                self.profiles[*column].rows - self.profiles[*column].missing,
                usize::MAX - column,
            )
        });
        let watch = self.unused("watch".to_owned());
        let seconds = self.data.values(column).numbers;
        let (mut columns, mut choice) = (vec![column], None);
        let (body, note) = match duration {
            Some(duration) => {
                let other = &self.profiles[duration].name;
                let lengths = self.data.values(duration).numbers;
                let mut quotients: Vec<f64> = seconds
                    .iter()
                    .zip(&lengths)
                    .map(|(a, b)| a / b)
                    .filter(|quotient| quotient.is_finite())
                    .collect();
                quotients.sort_by(f64::total_cmp);
                // Near the top, as most may be hardly watched at all.
                let high = quotients
                    .get(quotients.len() * 99 / 100)
                    .copied()
                    .unwrap_or_default();
                let (a, b) = (expression(name), expression(other));
                let label = match high {
                    high if high > 100.0 => format!("{a} / ({b} * 1000)"),
                    high if high < 0.005 && high > 0.0 => format!("{a} * 1000 / {b}"),
                    _ => format!("{a} / {b}"),
                };
                if label.contains("1000") {
                    choice = Some(format!(
                        "`{name}` and `{other}` seem to be in ms and s: their quotient goes up to {high:.4}"
                    ));
                }
                columns.push(duration);
                let none = lengths
                    .iter()
                    .filter(|length| **length == 0.0 || length.is_nan())
                    .count();
                let share = percent(none as f64 / lengths.len().max(1) as f64);
                (
                    format!(
                        "group = \"engagement\", loss = \"squared\", label = {}, clip = [0, 1]",
                        quoted(&label)
                    ),
                    format!(
                        "the share that was watched; not observed where the duration is 0 ({share} of rows)"
                    ),
                )
            }
            None => {
                let label = if self.profiles[column].max > 36_000.0 {
                    format!("{} / 1000", expression(name))
                } else {
                    expression(name)
                };
                choice = Some(format!(
                    "`{name}` is learned as a time in seconds, as no column is a duration to divide it by"
                ));
                (
                    format!(
                        "group = \"engagement\", loss = \"weighted-logistic\", label = {}",
                        quoted(&label)
                    ),
                    "seconds that are expected to be watched".to_owned(),
                )
            }
        };
        self.labels.found.push(Label {
            name: watch,
            columns,
            engaged: true,
            body,
            note,
            choice,
            silent_no: false,
            weight: 1.0,
            truth: Vec::new(),
            open: false,
        });
    }
}
