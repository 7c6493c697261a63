//! The list that is shown at once, and the places in it. In: ids whose rows follow each other. Out: lines of `[keys]`.

use super::{Finder, unlike};
use crate::names;
use crate::write::quoted;

/// Rows in runs of equal ids.
#[derive(Debug, Clone, Copy)]
struct Runs {
    /// Rows of an id, on average.
    rows: f64,
    /// Whether the rows of an id follow each other.
    together: bool,
}

impl Finder<'_> {
    fn runs(&self, column: usize) -> Runs {
        let values = self.data.values(column);
        let follows = self.data.follows();
        let (mut runs, mut cuts) = (0, 0);
        for (row, code) in values.codes.iter().enumerate() {
            cuts += usize::from(!follows[row]);
            if !follows[row] || values.codes.get(row.wrapping_sub(1)) != Some(code) {
                runs += 1;
            }
        }
        let distinct = values.distinct().max(1);
        Runs {
            rows: values.codes.len() as f64 / distinct as f64,
            together: runs <= distinct + distinct / 50 + cuts,
        }
    }

    /// Whether the rows of each id are one list: they follow each other, and no position is there twice (else: few rows an id).
    pub(super) fn is_slate(&self, column: usize) -> bool {
        let runs = self.runs(column);
        if !runs.together || runs.rows < 1.5 {
            return false;
        }
        let Some(position) = self.keys.position.or(self.keys.zero_position) else {
            return false;
        };
        self.repeats(column, position) < 0.02
    }

    /// Share of the rows of an id that have a position which the id had before.
    fn repeats(&self, column: usize, position: usize) -> f64 {
        let (ids, positions) = (self.data.values(column), self.data.values(position));
        let mut pairs: Vec<(u32, u32)> = ids.codes.iter().copied().zip(positions.codes).collect();
        let all = pairs.len();
        pairs.sort_unstable();
        pairs.dedup();
        (all - pairs.len()) as f64 / all.max(1) as f64
    }

    /// The lists that are shown at once.
    pub(super) fn slate(&mut self) {
        if self.keys.slate.is_some() {
            return;
        }
        for column in self.named(&names::SLATE, |profile| profile.is_id() && profile.distinct > 1) {
            let (name, runs) = (self.name(column), self.runs(column));
            if runs.rows < 1.2 {
                let note = format!("`{name}` is another one in nearly every row, so it is no slate");
                self.keys.notes.push(note);
                continue;
            }
            if let Some(position) = self
                .keys
                .position
                .filter(|position| self.repeats(column, *position) > 0.2)
            {
                let note = format!(
                    "`{name}` holds several lists each (positions of `{}` come again within it), so it is no slate",
                    self.name(position)
                );
                self.keys.notes.push(note);
                continue;
            }
            self.keys.slate = Some(column);
            let choice = (!runs.together).then(|| {
                format!("the rows of a slate should follow each other, and those of `{name}` do not: sort the file by time and {name}")
            });
            self.keys.line("slate", &name, self.counted(column), choice);
            return;
        }
    }

    /// A position that no name gives away: it counts up by one from 1 within every slate.
    pub(super) fn position_by_counting(&mut self) {
        if let (None, None, Some(slate)) = (self.keys.position, self.keys.zero_position, self.keys.slate) {
            let ids = self.data.values(slate);
            let counts = |column: &usize| {
                let profile = &self.profiles[*column];
                let candidate =
                    profile.class.is_number() && profile.whole && profile.min == 1.0 && profile.missing == 0;
                if !candidate || self.keys.takes(*column) || profile.max > 1_000.0 || profile.distinct < 3 {
                    return false;
                }
                let numbers = self.data.values(*column).numbers;
                let (mut steps, mut ups) = (0, 0);
                for row in (1..numbers.len()).filter(|row| ids.codes[*row] == ids.codes[row - 1]) {
                    steps += 1;
                    ups += usize::from(numbers[row] == numbers[row - 1] + 1.0);
                }
                steps > 20 && ups * 20 >= steps * 19
            };
            self.keys.position = (0..self.profiles.len()).find(counts);
        }
        if let Some(column) = self.keys.position {
            let profile = &self.profiles[column];
            let note = format!("{} to {}", profile.min, profile.max);
            let choice = (profile.min > 1.0).then(|| {
                format!(
                    "the least position in the sample is {}, and positions count from 1",
                    profile.min
                )
            });
            self.keys.line("position", &self.name(column), note, choice);
        }
        if let Some(column) = self.keys.zero_position {
            let name = self.name(column);
            let choice = format!(
                "`{name}` counts from 0 and positions count from 1: add 1 to it in the file, then write position = {} and a `[bias]`",
                quoted(&name)
            );
            self.keys.line(
                "position",
                &unlike(&name, self.data),
                "no such column, so none is read".to_owned(),
                Some(choice),
            );
        }
    }
}
