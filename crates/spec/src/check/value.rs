//! One value against what is allowed: a choice of words, a range, a name.
//!
//! A value that is not allowed is reported and reads as its default, or `None` where it has none.

use crate::report::{At, Place, Report};
use crate::{expression, suggestion};

/// A word that has a meaning, in the order in which help lists them.
pub(super) type Words<'w, T> = &'w [(&'w str, T)];

/// The meaning of a word. `later` are words of the design that are not carried out yet, and what to use instead.
pub(super) fn choice<T: Copy>(
    at: &At<String>,
    words: Words<T>,
    later: &[(&str, &str)],
    report: &Report,
) -> Option<T> {
    let typed = at.value.as_str();
    if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == typed) {
        return Some(*meaning);
    }
    if let Some((_, instead)) = later.iter().find(|(word, _)| *word == typed) {
        report.add(
            &at.place,
            format!("`{} = \"{typed}\"` is not carried out yet", at.place.key()),
            *instead,
        );
        return None;
    }
    let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let help = suggestion::choose("expected one of", typed, &known);
    report.add(&at.place, format!("`{}` is `{typed}`", at.place.key()), help);
    None
}

/// As [`choice`], with a default.
pub(super) fn choice_or<T: Copy>(at: &Option<At<String>>, words: Words<T>, default: T, report: &Report) -> T {
    at.as_ref()
        .and_then(|at| choice(at, words, &[], report))
        .unwrap_or(default)
}

/// A whole number in `low..=high`, which fits a `usize`.
pub(super) fn whole(at: &At<i64>, low: u32, high: u32, report: &Report) -> Option<usize> {
    let number = usize::try_from(at.value)
        .ok()
        .filter(|number| (low as usize..=high as usize).contains(number));
    if number.is_none() {
        let help = format!("expected a whole number from {low} to {high}");
        report.add(&at.place, format!("`{}` is {}", at.place.key(), at.value), help);
    }
    number
}

/// As [`whole`], with a default.
pub(super) fn whole_or(at: &Option<At<i64>>, low: u32, high: u32, default: usize, report: &Report) -> usize {
    at.as_ref()
        .and_then(|at| whole(at, low, high, report))
        .unwrap_or(default)
}

/// A finite number that is `allowed`, with a default. `expected` says which are.
pub(super) fn number_or(
    at: &Option<At<f64>>,
    allowed: impl Fn(f64) -> bool,
    expected: &str,
    default: f64,
    report: &Report,
) -> f64 {
    let Some(at) = at else { return default };
    if at.value.is_finite() && allowed(at.value) {
        return at.value;
    }
    report.add(
        &at.place,
        format!("`{}` is {}", at.place.key(), at.value),
        format!("expected {expected}"),
    );
    default
}

/// As [`number_or`] in single precision: what is checked is the number as it will be used.
pub(super) fn single_or(
    at: &Option<At<f64>>,
    allowed: impl Fn(f32) -> bool,
    expected: &str,
    default: f32,
    report: &Report,
) -> f32 {
    let usable = |number: f64| (number as f32).is_finite() && allowed(number as f32);
    number_or(at, usable, expected, f64::from(default), report) as f32
}

/// A probability that is not 1, as drop-outs are.
pub(super) fn dropout_or(at: &Option<At<f64>>, default: f32, report: &Report) -> f32 {
    single_or(
        at,
        |share| (0.0..1.0).contains(&share),
        "a share from 0 to below 1",
        default,
        report,
    )
}

/// A number above 0.
pub(super) fn positive_or(at: &Option<At<f64>>, default: f32, report: &Report) -> f32 {
    single_or(at, |number| number > 0.0, "a number above 0", default, report)
}

/// Reports a name that labels and requests could not use.
pub(super) fn name(what: &str, typed: &str, place: &Place, report: &Report) {
    if !expression::is_name(typed) {
        let help = "expected letters, digits and `_`, no digit first";
        report.add(place, format!("`{typed}` is no {what} name"), help);
    }
}

/// Reports every element that was there before.
pub(super) fn distinct(list: &At<Vec<At<String>>>, report: &Report) {
    let mut seen = std::collections::BTreeSet::new();
    for element in &list.value {
        if !seen.insert(&element.value) {
            let message = format!("`{}` is twice in `{}`", element.value, list.place.key());
            report.add(&element.place, message, "expected it once");
        }
    }
}
