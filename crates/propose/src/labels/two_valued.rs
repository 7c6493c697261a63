//! Columns of two values: 0 and 1, two other numbers, two texts. In: their names and values. Out: binary objectives.

use spec::Expression;

use super::{Finder, Label, MAIN, MAIN_CHINESE, objective, pairs};
use crate::data::{Class, MISSING};
use crate::names::{self, Meaning};
use crate::write::{amount, expression, percent, quoted};

/// A column of two values, read as 1 and 0.
pub(super) struct Pair {
    /// The label, where the column is not 0 and 1 itself.
    test: Option<String>,
    /// As they are written in the file; none of 0 and 1.
    values: Option<Values>,
    /// For each row 0 or 1, NaN where missing.
    truth: Vec<f32>,
}

/// The two values of a column.
struct Values {
    positive: String,
    negative: String,
    /// The label with the two the other way round, where nothing says which is the positive one.
    swapped: Option<String>,
}

impl Finder<'_> {
    /// Columns whose names are those of feedback.
    pub(super) fn two_valued(&mut self) {
        for column in self.free() {
            let profile = &self.profiles[column];
            let Some(meaning) = names::label(&profile.name) else {
                continue;
            };
            let always = profile.class.is_number() && profile.distinct == 1;
            if always && (profile.min == 0.0 || profile.min == 1.0) && meaning != Meaning::Weak {
                let reason = format!(
                    "always {} in the sample, so there is nothing to learn from it",
                    profile.min
                );
                self.labels.refused.push((column, reason));
                continue;
            }
            if meaning == Meaning::Weak && self.is_attribute(column) {
                continue;
            }
            let Some(pair) = self.pair(column) else { continue };
            // Of values other than 0 and 1, only the whole name says that they are feedback: not `order_type`.
            let unsure = pair
                .values
                .as_ref()
                .is_some_and(|values| values.swapped.is_some());
            if unsure && !names::is_target(&profile.name) {
                continue;
            }
            let choice = (meaning == Meaning::Weak)
                .then(|| format!("`{}` is two-valued and may be feedback: if it is known before the impression, make it a field", profile.name));
            self.add(column, pair, meaning, choice);
        }
    }

    /// No name is that of feedback: a name that is often that of what is to be predicted, as `income`.
    pub(super) fn by_texts(&mut self) {
        let free = self.free().into_iter().rev();
        let mut candidates = free.filter(|column| names::is_outcome_of_people(&self.profiles[*column].name));
        let found = candidates.find_map(|column| Some((column, self.pair(column)?)));
        if let Some((column, pair)) = found {
            self.add(column, pair, Meaning::Plain, None);
        }
    }

    /// No name says what is a label: the last column of 0 and 1, or of yes and no, that is no attribute of a user or an item.
    pub(super) fn by_values(&mut self) {
        let told = |pair: &Pair| pair.values.as_ref().is_none_or(|values| values.swapped.is_none());
        let free = self.free().into_iter().rev();
        let mut candidates = free.filter(|column| self.may_be_feedback(*column));
        let found = candidates.find_map(|column| Some((column, self.pair(column).filter(told)?)));
        if let Some((column, pair)) = found {
            let choice = format!(
                "no name says which column is feedback: `{}` is the last one that is only 0 and 1, or yes and no",
                self.profiles[column].name
            );
            self.add(column, pair, Meaning::Plain, Some(choice));
        }
    }

    /// No value says what is a label: the last column of the file, where it has two values.
    pub(super) fn by_place(&mut self) {
        let last = self.profiles.len() - 1;
        let is_free = self.free().contains(&last) && self.may_be_feedback(last);
        if let Some(pair) = self.pair(last).filter(|_| is_free) {
            let choice = format!(
                "nothing says which column is feedback: `{}` is the last one, and has two values",
                self.profiles[last].name
            );
            self.add(last, pair, Meaning::Plain, Some(choice));
        }
    }

    fn may_be_feedback(&self, column: usize) -> bool {
        let name = &self.profiles[column].name;
        let described = names::is_propensity(name)
            || names::is_shuffled(name)
            || names::is_personal(name)
            || names::is_attribute(name);
        !described && !self.is_attribute(column)
    }

    /// The column `column` as 1 and 0, where it has two values.
    fn pair(&self, column: usize) -> Option<Pair> {
        let profile = &self.profiles[column];
        let values = self.data.values(column);
        if profile.is_binary() {
            return Some(Pair {
                test: None,
                values: None,
                truth: values.numbers.iter().map(|number| *number as f32).collect(),
            });
        }
        let number = profile.class.is_number() && profile.not_finite == 0;
        let text = profile.class == Class::Text && profile.times.is_none();
        if profile.distinct != 2 || !(number || text) {
            return None;
        }
        let texts = [values.text(0), values.text(1)];
        let count = |code: u32| values.codes.iter().filter(|other| **other == code).count();
        let (told, place) = if number {
            let greatest = values.numbers.iter().position(|number| *number == profile.max)?;
            // -1 and 1, as 0 and 5: the greater one. Of 1 and 2, nobody knows.
            (
                profile.min <= 0.0 && profile.max > 0.0,
                values.codes[greatest] as usize,
            )
        } else {
            let told = pairs::positive([&texts[0], &texts[1]]);
            (told.is_some(), told.unwrap_or(usize::from(count(1) < count(0))))
        };
        let tests = [0, 1].map(|place: usize| test(&profile.name, &texts, place, number));
        let truth = |code: &u32| match *code {
            MISSING => f32::NAN,
            code => f32::from(u8::from(code as usize == place)),
        };
        Some(Pair {
            test: Some(tests[place].clone()?),
            values: Some(Values {
                positive: texts[place].clone(),
                negative: texts[1 - place].clone(),
                swapped: tests[1 - place].clone().filter(|_| !told),
            }),
            truth: values.codes.iter().map(truth).collect(),
        })
    }

    fn add(&mut self, column: usize, pair: Pair, meaning: Meaning, choice: Option<String>) {
        let profile = &self.profiles[column];
        let name = self.unused(objective(&profile.name));
        let engaged = meaning == Meaning::Engaged;
        let (group, window) = if engaged {
            ("engagement", "")
        } else {
            ("satisfaction", ", window = \"24h\"")
        };
        let label = match &pair.test {
            Some(test) => format!(", label = {}", quoted(test)),
            None if name == profile.name => String::new(),
            None => format!(", label = {}", quoted(&expression(&profile.name))),
        };
        let positives = pair.truth.iter().filter(|label| **label == 1.0).count();
        let observed = pair.truth.iter().filter(|label| !label.is_nan()).count();
        let rare = positives < 100;
        let event = matches!(meaning, Meaning::Engaged | Meaning::Satisfied | Meaning::Negative);
        // Of an event that most rows have, as a like in a log of likes and hates, silence is no answer.
        let silent_no = event && positives * 2 <= observed;
        let absent = if silent_no { ", absent = 0" } else { "" };
        let silence = if event && !silent_no {
            "; most are 1, so silence is not read as 0"
        } else {
            ""
        };
        let words = names::words(&profile.name);
        let sorted_by = engaged
            || words.iter().any(|word| MAIN.contains(&word.as_str()))
            || meaning == Meaning::Plain
            || MAIN_CHINESE.iter().any(|part| profile.name.contains(part));
        let which = pair.values.as_ref().map_or_else(String::new, |values| {
            format!(": `{}`; `{}` is 0", values.positive, values.negative)
        });
        let unsure = pair.values.as_ref().and_then(|values| {
            let swapped = values.swapped.as_ref()?;
            Some(format!(
                "nothing says which value of `{}` is the one to predict: {} `{}` is read as 1; for `{}` write label = {}",
                profile.name,
                if profile.class == Class::Text { "the rarer one" } else { "the greater one" },
                values.positive,
                values.negative,
                quoted(swapped)
            ))
        });
        let choices: Vec<String> = choice.into_iter().chain(unsure).collect();
        self.labels.found.push(Label {
            name,
            columns: vec![column],
            engaged,
            body: format!("group = \"{group}\", loss = \"binary\"{label}{absent}{window}"),
            note: format!(
                "{} of {} rows are 1 ({}){which}{silence}{}",
                amount(positives as u64),
                amount(observed as u64),
                percent(positives as f64 / observed.max(1) as f64),
                if rare { "; few to learn from" } else { "" }
            ),
            choice: (!choices.is_empty()).then(|| choices.join("; ")),
            silent_no,
            weight: match meaning {
                Meaning::Negative => -0.5,
                _ if sorted_by && !rare => 1.0,
                _ => 0.0,
            },
            truth: pair.truth,
            open: false,
        });
    }
}

/// The label that is 1 where the column `name` has the value at `place`; none where the grammar of labels cannot say it.
fn test(name: &str, texts: &[String; 2], place: usize, number: bool) -> Option<String> {
    // A text with both kinds of quotes is told by the other one.
    let ways = [("==", &texts[place]), ("!=", &texts[1 - place])];
    ways.into_iter().find_map(|(sign, text)| {
        let text = match (number, text.contains('\'')) {
            (true, _) => text.clone(),
            (_, false) => format!("'{text}'"),
            (_, true) => format!("\"{text}\""),
        };
        let test = format!("{} {sign} {text}", expression(name));
        Expression::parse(&test).is_ok().then_some(test)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_quoted_by_what_it_does_not_hold() {
        let of = |texts: [&str; 2]| test("a b", &texts.map(str::to_owned), 0, false);
        assert_eq!(of(["x", "y"]).as_deref(), Some("`a b` == 'x'"));
        assert_eq!(of(["don't", "do"]).as_deref(), Some("`a b` == \"don't\""));
        assert_eq!(of(["\"'", "do"]).as_deref(), Some("`a b` != 'do'"));
        assert_eq!(of(["\"'", "'\""]), None);
        assert_eq!(test("a`b", &["x", "y"].map(str::to_owned), 0, false), None);
    }
}
