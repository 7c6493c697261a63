//! Constants as a file: a TOML that overrides some of them.
//!
//! Comes in: TOML. Goes out: [`Constants`], or every mistake with its line; and back, all constants as TOML.

use serde_json::{Map, Value};
use toml_edit::{Item, TableLike};

use super::Constants;

/// What is wrong in a file of constants: every mistake, one a line, each with the line of the file where it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct ConstantsError(Vec<String>);

/// Smallest and largest allowed number.
type Bounds = (f64, f64);

const COUNT: Bounds = (1.0, 10_000_000.0);
const SHARE: Bounds = (0.0, 1.0);
const POSITIVE: Bounds = (1e-6, 1e6);
const SPREAD: Bounds = (0.0, 100.0);
const LOGIT: Bounds = (-100.0, 100.0);

/// The constants that are no logits and no coefficients of one, by their bounds.
const NAMED: [(Bounds, &[&str]); 5] = [
    (COUNT, &["users", "videos", "candidates", "slate_length"]),
    (
        SHARE,
        &[
            "clickbait_share",
            "device_shares",
            "candidate_shares",
            "go_on",
            "after_click",
            "planted.badge_share",
            "planted.autoplay_share",
        ],
    ),
    (
        POSITIVE,
        &[
            "own_topic",
            "topics_concentration",
            "taste_concentration",
            "mean_age_days",
            "fresh_days",
            "median_minutes",
            "watch_concentration",
        ],
    ),
    (
        SPREAD,
        &[
            "other_topics",
            "clickbait_range",
            "sd_hidden",
            "popularity.noise",
            "taste_noise",
            "quality_noise",
            "clickbait_noise",
            "beta",
            "eta",
            "weak.noise",
            "strong.noise",
            "wrong.noise",
            "planted.viewport",
            "planted.tier_noise",
            "planted.membership_noise",
        ],
    ),
    // The exponent of a standard normal number.
    ((0.0, 10.0), &["sd_log_duration"]),
];

fn bounds(path: &str) -> Bounds {
    NAMED
        .iter()
        .find(|(_, names)| names.contains(&path))
        .map_or(LOGIT, |(bounds, _)| *bounds)
}

impl Constants {
    /// The constants of a TOML; what it does not name is as in `Default`. Keys are the names of the fields of [`Constants`],
    /// tables those of its structs: `eta = 0.5`, `examination = "cascade"`, `[planted]` `enabled = true`;
    /// [`Constants::to_toml`] gives them all.
    ///
    /// # Errors
    /// TOML that cannot be read, an unknown key, a value of another type or out of its range, and numbers that do not go
    /// together (more slots than candidates): all of them at once.
    pub fn from_toml(text: &str) -> Result<Self, ConstantsError> {
        let document =
            toml_edit::Document::parse(text).map_err(|error| ConstantsError(vec![error.to_string()]))?;
        let mut tree = Self::default().tree();
        let mut mistakes = Vec::new();
        merge(&mut tree, document.as_table(), "", text, &mut mistakes);
        if !mistakes.is_empty() {
            return Err(ConstantsError(mistakes));
        }
        let constants: Self = serde_json::from_value(Value::Object(tree))
            .map_err(|error| ConstantsError(vec![error.to_string()]))?;
        let mistakes = constants.contradictions();
        if mistakes.is_empty() {
            Ok(constants)
        } else {
            Err(ConstantsError(mistakes))
        }
    }

    /// All constants as TOML, which [`Constants::from_toml`] reads back.
    pub fn to_toml(&self) -> String {
        let mut out = String::new();
        let tree = self.tree();
        let (tables, values): (Vec<_>, Vec<_>) = tree.iter().partition(|(_, value)| value.is_object());
        for (key, value) in values {
            out += &format!("{key} = {value}\n");
        }
        for (key, table) in tables {
            out += &format!("\n[{key}]\n");
            for (key, value) in table.as_object().into_iter().flatten() {
                out += &format!("{key} = {value}\n");
            }
        }
        out
    }

    fn tree(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(tree)) => tree,
            _ => Map::new(),
        }
    }

    /// Mistakes that no number makes alone.
    fn contradictions(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        let mut hold = |holds: bool, message: String| {
            if !holds {
                mistakes.push(message);
            }
        };
        hold(
            self.candidates < self.videos,
            format!(
                "`candidates` is {}: expected less than `videos`, {}",
                self.candidates, self.videos
            ),
        );
        hold(
            self.slate_length <= self.candidates,
            format!(
                "`slate_length` is {}: expected at most `candidates`, {}",
                self.slate_length, self.candidates
            ),
        );
        for (name, shares) in [
            ("device_shares", self.device_shares),
            ("candidate_shares", self.candidate_shares),
        ] {
            let sum: f64 = shares.iter().sum();
            hold(
                (sum - 1.0).abs() < 1e-6,
                format!("`{name}` sums to {sum}: expected 1"),
            );
        }
        let [low, high] = self.clickbait_range;
        hold(
            low <= high,
            format!("`clickbait_range` is [{low}, {high}]: expected the lower end first"),
        );
        for (name, [_, scale]) in [
            ("taste_match", self.taste_match),
            ("query_match", self.query_match),
        ] {
            hold(
                scale > 0.0,
                format!("`{name}` has the scale {scale}: expected more than 0"),
            );
        }
        mistakes
    }
}

fn merge(
    tree: &mut Map<String, Value>,
    table: &dyn TableLike,
    within: &str,
    text: &str,
    mistakes: &mut Vec<String>,
) {
    for (key, item) in table.iter() {
        let path = format!("{within}{key}");
        let offset = item.span().map_or(0, |span| span.start).min(text.len());
        let line = 1 + text.as_bytes()[..offset]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        let Some(known) = tree.get_mut(key) else {
            let help = match nearest(key, tree.keys()) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!(
                    "known: {}",
                    tree.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
                ),
            };
            mistakes.push(format!("line {line}: unknown key `{path}`; {help}"));
            continue;
        };
        match (known, item.as_table_like()) {
            (Value::Object(known), Some(table)) => merge(known, table, &format!("{path}."), text, mistakes),
            (known, _) => match overridden(known, item, &path) {
                Ok(value) => *known = value,
                Err(expected) => {
                    let found = item.to_string();
                    mistakes.push(format!(
                        "line {line}: `{path}` is {}: expected {expected}",
                        found.trim()
                    ));
                }
            },
        }
    }
}

/// `item` in the place of `known`; else what is expected there.
fn overridden(known: &Value, item: &Item, path: &str) -> Result<Value, String> {
    let of = |item: &toml_edit::Value, known: &Value| number(known, item, path);
    match known {
        Value::Object(_) => Err("a table".to_owned()),
        Value::Bool(_) => item
            .as_bool()
            .map(Value::Bool)
            .ok_or_else(|| "true or false".to_owned()),
        Value::String(_) => {
            // The one text: its values are those that the type can read.
            let value = Value::from(item.as_str().unwrap_or_default());
            serde_json::from_value::<super::Examination>(value.clone())
                .map(|_| value)
                .map_err(|_| "\"additive\", \"product\" or \"cascade\"".to_owned())
        }
        Value::Array(known) => {
            let what = || format!("{} numbers, each {}", known.len(), allowed(path));
            let elements = item
                .as_array()
                .filter(|array| array.len() == known.len())
                .ok_or_else(what)?;
            elements
                .iter()
                .zip(known)
                .map(|(element, known)| of(element, known))
                .collect::<Option<_>>()
                .ok_or_else(what)
        }
        known => item.as_value().and_then(|item| of(item, known)).ok_or_else(|| {
            let whole = if known.is_u64() { "whole " } else { "" };
            format!("a {whole}number {}", allowed(path))
        }),
    }
}

/// The number, where it is one of `known`'s sort and within bounds.
fn number(known: &Value, item: &toml_edit::Value, path: &str) -> Option<Value> {
    let (low, high) = bounds(path);
    let number = item
        .as_float()
        .or_else(|| item.as_integer().map(|whole| whole as f64))?;
    if !(low..=high).contains(&number) {
        return None;
    }
    if known.is_u64() {
        return item.as_integer().map(Value::from);
    }
    Some(Value::from(number))
}

fn allowed(path: &str) -> String {
    let (low, high) = bounds(path);
    format!("from {low} to {high}")
}

/// The known name that shares most neighbouring letters with what was typed, if they share half of them.
fn nearest<'k>(typed: &str, known: impl Iterator<Item = &'k String>) -> Option<&'k String> {
    let pairs = |text: &str| -> Vec<[u8; 2]> {
        let bytes = text.to_ascii_lowercase().into_bytes();
        bytes.windows(2).map(|pair| [pair[0], pair[1]]).collect()
    };
    let typed = pairs(typed);
    known
        .map(|name| {
            let of = pairs(name);
            let shared = of.iter().filter(|pair| typed.contains(pair)).count();
            (2.0 * shared as f64 / (of.len() + typed.len()).max(1) as f64, name)
        })
        .filter(|(alike, _)| *alike >= 0.5)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Examination;

    #[test]
    fn all_constants_survive_the_way_to_a_file_and_back() {
        let mut constants = Constants {
            examination: Examination::Cascade,
            eta: 0.7,
            users: 12,
            ..Constants::default()
        };
        constants.planted.badge[2] = -0.25;
        assert_eq!(Constants::from_toml(&constants.to_toml()).unwrap(), constants);
        assert_eq!(Constants::from_toml("").unwrap(), Constants::default());
    }

    #[test]
    fn a_file_overrides_what_it_names_and_nothing_else() {
        let text = "eta = 2\nexamination = 'product'\nbeta = [1, 0.5, 0]\n[planted]\nenabled = true\n[weak]\nnoise = 0.1\n";
        let mut expected = Constants {
            eta: 2.0,
            examination: Examination::Product,
            beta: [1.0, 0.5, 0.0],
            ..Constants::default()
        };
        expected.planted.enabled = true;
        expected.weak.noise = 0.1;
        assert_eq!(Constants::from_toml(text).unwrap(), expected);
    }

    #[test]
    fn every_mistake_is_named_with_its_line_and_what_is_allowed() {
        let text = "etta = 1\nusers = 0\nbeta = [1, 2]\nexamination = 'pbm'\n\n[planted]\nenabled = 1\nautoplay_shares = 0.1\n\
                    badge_share = nan\nwatch = 3\nzzz = 1\n[weak]\nnoise = -1\n";
        let mistakes = Constants::from_toml(text).unwrap_err().0;
        let expected = [
            "line 1: unknown key `etta`; did you mean `eta`?",
            "line 2: `users` is 0: expected a whole number from 1 to 10000000",
            "line 3: `beta` is [1, 2]: expected 3 numbers, each from 0 to 100",
            "line 4: `examination` is \"pbm\": expected \"additive\", \"product\" or \"cascade\"",
            "line 7: `planted.enabled` is 1: expected true or false",
            "line 8: unknown key `planted.autoplay_shares`; did you mean `autoplay_share`?",
            "line 9: `planted.badge_share` is nan: expected a number from 0 to 1",
        ];
        assert_eq!(mistakes[..expected.len()], expected);
        assert!(
            mistakes
                .iter()
                .any(|m| m.starts_with("line 11: unknown key `planted.zzz`; known: autoplay"))
        );
        assert_eq!(
            mistakes.last().unwrap(),
            "line 13: `weak.noise` is -1: expected a number from 0 to 100"
        );
        assert!(Constants::from_toml("eta = 1\neta = 2").is_err());
        assert!(Constants::from_toml("planted = 1").is_err());
        assert!(Constants::from_toml("[eta]\nx = 1").is_err());
    }

    #[test]
    fn bounds_are_those_of_constants_that_exist_and_hold_their_defaults() {
        let tree = Constants::default().tree();
        for (_, names) in NAMED {
            for name in names {
                let known = match name.split_once('.') {
                    Some((table, key)) => tree[table].get(key),
                    None => tree.get(*name),
                };
                assert!(known.is_some(), "{name}");
            }
        }
        // What is written is read: every default is within its bounds.
        assert!(Constants::from_toml(&Constants::full().to_toml()).is_ok());
    }

    #[test]
    fn numbers_that_do_not_go_together_are_refused() {
        for (text, words) in [
            ("slate_length = 51", "at most `candidates`, 50"),
            ("videos = 50", "less than `videos`, 50"),
            ("device_shares = [0.5, 0.2, 0.2]", "expected 1"),
            ("clickbait_range = [2, 1]", "lower end first"),
            ("taste_match = [0.4, 0]", "more than 0"),
        ] {
            let error = Constants::from_toml(text).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
