//! What a column is worth beside the others: whether any field can read it, whether it is a copy, whom a list describes.

use std::collections::BTreeMap;

use crate::data::{Class, Data, Values};
use crate::keys::Keys;
use crate::labels::Labels;
use crate::names;
use crate::profile::Profile;
use crate::sides::Sides;
use crate::times::{How, Reading};
use crate::write::percent;

/// What all columns are judged by.
pub(crate) struct Judge<'d> {
    pub(crate) data: &'d Data,
    pub(crate) profiles: &'d [Profile],
    pub(crate) keys: &'d Keys,
    pub(crate) labels: &'d Labels,
    pub(crate) sides: Sides,
    pub(super) families: BTreeMap<String, usize>,
    pub(super) first_of: BTreeMap<(u64, usize), usize>,
}

impl<'d> Judge<'d> {
    pub(crate) fn new(
        data: &'d Data,
        profiles: &'d [Profile],
        keys: &'d Keys,
        labels: &'d Labels,
    ) -> Judge<'d> {
        let mut first_of = BTreeMap::new();
        let order = (0..profiles.len())
            .filter(|column| keys.takes(*column))
            .chain(0..profiles.len());
        // A copy of a label is no copy to pass over: it leaks.
        let order = order.filter(|column| !labels.takes(*column) && is_copyable(&profiles[*column]));
        for column in order {
            first_of
                .entry((profiles[column].signature, profiles[column].distinct))
                .or_insert(column);
        }
        Judge {
            data,
            profiles,
            keys,
            labels,
            sides: Sides::of(data, keys),
            families: families(profiles),
            first_of,
        }
    }
}

/// How many columns of numbers share a name but for the number at its end.
pub(super) fn families(profiles: &[Profile]) -> BTreeMap<String, usize> {
    let mut families = BTreeMap::new();
    for profile in profiles.iter().filter(|profile| profile.class.is_number()) {
        if let Some(stem) = names::family(&profile.name) {
            *families.entry(stem.to_owned()).or_insert(0) += 1;
        }
    }
    families
}

/// Columns that are another one in every row all look like copies of each other.
fn is_copyable(profile: &Profile) -> bool {
    profile.distinct > 1
        && profile.distinct <= profile.rows / 2
        && !matches!(profile.class, Class::Ids | Class::Numbers)
}

/// Why no field can read a column, whatever it means.
pub(super) fn unusable(profile: &Profile, everywhere: &bool) -> Option<String> {
    if names::is_propensity(&profile.name) {
        return Some(
            "the probability with which the item was shown: for evaluating policies, no field".to_owned(),
        );
    }
    if names::is_shuffled(&profile.name) {
        return Some(
            "whether the slate was shuffled: for judging without position bias, no field".to_owned(),
        );
    }
    if !everywhere {
        return Some("not in every file".to_owned());
    }
    if profile.class == Class::Nothing || profile.distinct == 0 {
        return Some(if profile.class == Class::Other {
            format!("holds {}, which no field reads", profile.plain)
        } else {
            "always empty".to_owned()
        });
    }
    if profile.missing_share() > 0.95 {
        return Some(format!(
            "empty in {} of the rows",
            percent(profile.missing_share())
        ));
    }
    if profile.distinct == 1 && !matches!(profile.class, Class::Numbers | Class::Ids) {
        return Some(format!(
            "always {}",
            profile.values.first().map_or("the same", String::as_str)
        ));
    }
    if profile.not_finite > 0 {
        return Some(format!(
            "{} rows hold NaN or infinities, which are refused: write them as empty cells",
            profile.not_finite
        ));
    }
    None
}

/// Whether a column is a time, rather than a number that could be one.
pub(super) fn is_time(profile: &Profile, times: &Reading) -> bool {
    match times.how {
        How::Typed => true,
        How::Form(_) if profile.class == Class::Text => true,
        How::Unit(_) | How::Form(_) => names::time(&profile.name).is_some() || names::is_birth(&profile.name),
        How::Count => false,
    }
}

/// Whether one reading of `[keys]` reads both.
pub(super) fn reads_alike(how: &How, key: &How) -> bool {
    how == key || *how == How::Typed
}

/// The first column that says the same as the column `column`: ids one to one, numbers in the same or the opposite order, as they
/// are scaled by ranks. What is one to one with a key may still mean something for other ids, unless it is an id itself.
pub(super) fn copies(judge: &Judge<'_>, column: usize, values: &Values) -> Option<usize> {
    let profile = &judge.profiles[column];
    let other = *judge.first_of.get(&(profile.signature, profile.distinct))?;
    if other == column || !is_copyable(profile) {
        return None;
    }
    let first = &judge.profiles[other];
    let numeric = |profile: &Profile| {
        profile.class.is_number() && !names::is_code(&profile.name) && profile.distinct > 2
    };
    if judge.keys.takes(other) {
        let id = profile.is_id()
            && profile.words < 3.0
            && !names::is_amount(&profile.name)
            && !names::is_extent(&profile.name);
        return id.then_some(other);
    }
    if numeric(profile) != numeric(first) {
        return None;
    }
    if numeric(profile) {
        let others = judge.data.values(other).numbers;
        let mut pairs: Vec<(f64, f64)> = others
            .iter()
            .copied()
            .zip(values.numbers.iter().copied())
            .filter(|(a, _)| !a.is_nan())
            .collect();
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let rises = pairs.windows(2).all(|pair| pair[0].1 <= pair[1].1);
        let falls = pairs.windows(2).all(|pair| pair[0].1 >= pair[1].1);
        return (rises || falls).then_some(other);
    }
    Some(other)
}

/// A number that rises or falls with the position, one to one, is the position again.
pub(super) fn copies_position(judge: &Judge<'_>, profile: &Profile, values: &Values) -> Option<String> {
    let position = judge.keys.position.or(judge.keys.zero_position)?;
    if !profile.class.is_number() || profile.distinct < 3 || judge.profiles[position].distinct < 3 {
        return None;
    }
    let positions = judge.data.values(position).numbers;
    let mut at: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    for (place, number) in positions
        .iter()
        .zip(&values.numbers)
        .filter(|(place, number)| !place.is_nan() && !number.is_nan())
    {
        let (low, high) = at.entry(*place as u64).or_insert((*number, *number));
        (*low, *high) = (low.min(*number), high.max(*number));
    }
    let most = (profile.max - profile.min) * 1e-4;
    let narrow = at.values().all(|(low, high)| high - low <= most);
    let ends: Vec<(f64, f64)> = at.into_values().collect();
    let rises = ends.windows(2).all(|pair| pair[0].1 < pair[1].0);
    let falls = ends.windows(2).all(|pair| pair[0].0 > pair[1].1);
    (narrow && (rises || falls) && ends.len() >= 3).then(|| {
        format!(
            "a function of `{}`: it would tell the main tower the position",
            judge.profiles[position].name
        )
    })
}

/// Of lists, whether they are a person's or an item's.
pub(super) fn list_side(judge: &Judge<'_>, column: usize, name: &str) -> (&'static str, &'static str) {
    if names::is_history(name) {
        return ("user", "what the person did before");
    }
    let lists = judge.data.lists(column);
    // A list by its length and the sum of its elements' codes is nearly always told from another.
    let mut elements = lists.elements.codes.iter();
    let sum = |length: &Option<usize>| {
        length.map_or(0, |length| {
            (0..length).fold(length as u32, |sum, _| {
                sum.wrapping_mul(31).wrapping_add(*elements.next().unwrap_or(&0))
            })
        })
    };
    let codes: Vec<u32> = lists.lengths.iter().map(sum).collect();
    judge.sides.side(name, &codes)
}
