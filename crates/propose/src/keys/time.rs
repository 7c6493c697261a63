//! The time of the impression: the column that is in order, and how it reads.

use super::{Finder, Line};
use crate::names;
use crate::profile::Profile;
use crate::times::{How, Reading};
use crate::write::quoted;

/// What it counts that the rows are in order.
const ORDER: i32 = 4;

/// A column that may be the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    score: i32,
    distinct: usize,
    /// The first of equals is the better one.
    before: std::cmp::Reverse<usize>,
}

impl Finder<'_> {
    /// Finds the time. A log that is not in its order is refused, so that such a one is not named: what to do about it is the answer.
    pub(super) fn time(&mut self) -> Option<String> {
        let in_order = |column: usize| {
            self.profiles[column]
                .times
                .as_ref()
                .is_some_and(|times| times.goes_back.is_none())
        };
        let candidates = || {
            (0..self.profiles.len()).filter_map(|column| {
                Some(Candidate {
                    score: self.score(column)?,
                    distinct: self.profiles[column].distinct,
                    before: std::cmp::Reverse(column),
                })
            })
        };
        let best = candidates().max()?.before.0;
        // One day in all rows is in order, and says nothing of it; nor does when things began, beside a time of the impression.
        let coarse = |candidate: &Candidate| {
            let column = candidate.before.0;
            candidate.distinct > 1 && in_order(column) && names::time(&self.profiles[column].name).is_some()
        };
        let column = if in_order(best) {
            best
        } else {
            candidates()
                .filter(coarse)
                .max()
                .map_or(best, |coarse| coarse.before.0)
        };
        let profile = &self.profiles[column];
        let reading = profile.times.clone()?;
        let mut lines = lines(profile, &reading);
        if let Some(row) = reading.goes_back {
            self.keys.unsorted = Some(column);
            let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
            let sort = format!(
                "the rows are not in the order of `{}` (row {} of the sample goes back), and `train` refuses a log out of order: sort the \
                 file by it, then write {} and take \"time\" out of `absent`",
                profile.name,
                row + 1,
                texts.join(" and ")
            );
            let choices = std::iter::once(sort).chain(lines.iter().filter_map(|line| line.choice.clone()));
            return Some(choices.collect::<Vec<String>>().join("; "));
        }
        // What would be the time, were the file sorted by it.
        let exact = candidates().max_by_key(|candidate| Candidate {
            score: candidate.score - ORDER * i32::from(in_order(candidate.before.0)),
            ..*candidate
        });
        if let Some(exact) = exact
            .map(|exact| exact.before.0)
            .filter(|exact| !in_order(*exact))
        {
            lines[0].choice = Some(format!(
                "`{}` is more exact, and the rows are not in its order: better sort the file by it, and name it here",
                self.profiles[exact].name
            ));
        }
        self.keys.time = Some(column);
        self.keys.reading = Some(reading);
        self.keys.lines.append(&mut lines);
        None
    }

    /// How surely a column is the time of the impression.
    fn score(&self, column: usize) -> Option<i32> {
        let profile = &self.profiles[column];
        let reading = profile.times.as_ref()?;
        if self.keys.takes(column) || profile.missing > 0 || !self.data.columns[column].everywhere {
            return None;
        }
        let named = names::time(&profile.name);
        let sure = match reading.how {
            How::Count if named != Some(0) => return None,
            How::Count => -6,
            How::Unit(_) if named.is_none() && !names::is_birth(&profile.name) => return None,
            // In order, the time when something began may well be that of the row.
            _ if named.is_none() && reading.goes_back.is_some() => return None,
            _ => 2 - 3 * i32::from(reading.days_only),
        };
        Some(sure + 3 - i32::from(named.unwrap_or(3)) + ORDER * i32::from(reading.goes_back.is_none()))
    }
}

/// The lines of `[keys]` that name a time and say how it reads.
fn lines(profile: &Profile, reading: &Reading) -> Vec<Line> {
    let line = |key: &str, value: &str, note: String, choice: Option<String>| Line {
        text: format!("{key} = {}", quoted(value)),
        note,
        choice,
    };
    let (name, edges) = (&profile.name, format!("{} to {}", profile.min, profile.max));
    let days = format!("{:.1} days", reading.days);
    match &reading.how {
        How::Typed => vec![line("time", name, days, None)],
        How::Unit(unit) => {
            let note = format!("by the size of the numbers, {edges}");
            vec![
                line("time", name, days, None),
                line("time_unit", unit, note, None),
            ]
        }
        How::Count => {
            let choice =
                format!("`{name}` is no time since 1970: its order is used, and its steps count as seconds");
            let unit = line("time_unit", "s", String::new(), Some(choice));
            vec![line("time", name, edges, None), unit]
        }
        How::Form(None) => vec![line("time", name, days, None)],
        How::Form(Some(form)) => {
            let choice = reading.ambiguous.then(|| {
                let other = form.replace("%d", "%x").replace("%m", "%d").replace("%x", "%m");
                format!("no value tells days from months: read as {form}; the other way round it is {other}")
            });
            let note = "as the texts of the column read".to_owned();
            vec![
                line("time", name, days, None),
                line("time_format", form, note, choice),
            ]
        }
    }
}
