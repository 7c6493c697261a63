//! What a column is: id, ids, number, text, vector. In: a profile. Out: the keys of its declaration after `side`, or the reason
//! why no field can read it.

use crate::data::Class;
use crate::names;
use crate::profile::{FEW, Profile};
use crate::write::{amount, percent, quoted};

/// Kind and size of a field.
#[derive(Debug)]
pub(crate) struct Kind {
    /// Keys and values after `side`.
    pub(crate) body: String,
    /// What its values are, for a comment.
    pub(crate) note: String,
    pub(crate) choice: Option<String>,
    /// Whether its order means something.
    pub(crate) numeric: bool,
}

/// Members of a family of numbered columns above which they go without powers.
const MANY: usize = 64;

/// The kind of `profile`; `family`: columns that share its name but for the number. `key`: it is the user or the item.
pub(crate) fn kind(profile: &Profile, family: usize, key: bool) -> Result<Kind, String> {
    if key {
        return Ok(ids(profile, "id", true));
    }
    match profile.class {
        Class::Ids => Ok(ids(profile, "ids", false)),
        Class::Numbers => vector(profile),
        Class::Flag => Ok(ids(profile, "id", false)),
        Class::Text
            if profile.words >= 3.0 && profile.distinct > FEW
                || profile.letters >= 60.0 && profile.distinct > 1_000 =>
        {
            Ok(text(profile))
        }
        Class::Text if is_chinese_text(profile) => Ok(text(profile)),
        Class::Text => {
            unique(profile)?;
            Ok(ids(profile, "id", false))
        }
        Class::Whole if names::is_code(&profile.name) && !names::is_amount(&profile.name) => {
            unique(profile)?;
            Ok(ids(profile, "id", false))
        }
        Class::Whole if counts_rows(profile) => {
            Err("another number in every row, rising: it numbers the rows".to_owned())
        }
        Class::Number
            if profile.is_id() && names::is_code(&profile.name) && !names::is_amount(&profile.name) =>
        {
            unique(profile)?;
            Ok(ids(profile, "id", false))
        }
        Class::Whole | Class::Number if family >= 8 => Ok(number(profile, family)),
        Class::Whole if profile.distinct <= 2 => Ok(ids(profile, "id", false)),
        Class::Whole if profile.distinct <= 10 && !names::is_amount(&profile.name) => {
            Ok(ids(profile, "id", false))
        }
        // Whole numbers that an empty cell made fractional.
        Class::Number
            if profile.is_id()
                && profile.missing > 0
                && profile.distinct <= 10
                && !names::is_amount(&profile.name) =>
        {
            Ok(ids(profile, "id", false))
        }
        Class::Whole if profile.max > 9e15 || profile.min < -9e15 => {
            unique(profile)?;
            Ok(ids(profile, "id", false))
        }
        _ => Ok(number(profile, family)),
    }
}

/// Ids that hardly come again cannot be learned.
fn unique(profile: &Profile) -> Result<(), String> {
    let present = profile.rows - profile.missing;
    if profile.distinct > present / 2 && present > 20 && profile.distinct > FEW {
        return Err(format!(
            "{} different values in {} rows: hardly any comes again",
            amount(profile.distinct as u64),
            amount(present as u64)
        ));
    }
    Ok(())
}

fn counts_rows(profile: &Profile) -> bool {
    let all = profile.distinct == profile.rows && profile.rows > 20;
    let rising = profile
        .times
        .as_ref()
        .is_some_and(|times| times.goes_back.is_none());
    all && rising && profile.max - profile.min < 4.0 * profile.rows as f64
}

/// Chinese has no blanks: long texts of which most are there once.
fn is_chinese_text(profile: &Profile) -> bool {
    let chinese = [
        "标题",
        "描述",
        "文本",
        "内容",
        "简介",
        "title",
        "text",
        "caption",
        "description",
    ];
    profile.letters >= 6.0
        && profile.distinct > 100
        && chinese
            .iter()
            .any(|part| profile.name.to_lowercase().contains(part))
}

fn ids(profile: &Profile, kind: &str, key: bool) -> Kind {
    let estimate = profile.estimate.max(1);
    let dim = match estimate {
        0..20 => 4,
        20..10_000 => 8,
        _ => 16,
    };
    let settled =
        profile.late <= 1 + profile.distinct / 10 && profile.distinct <= FEW && !profile.values.is_empty();
    let mut body = format!("kind = \"{kind}\", dim = {dim}");
    if settled && !key {
        let values = if profile.class == Class::Flag {
            ["0", "1"].map(str::to_owned).to_vec()
        } else {
            profile.values.clone()
        };
        let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
        body += &format!(", values = [{}]", wrapped(&values));
    } else {
        body += &format!(", buckets = {}", amount(buckets(estimate)).replace(',', "_"));
    }
    if key || estimate >= 1_000 {
        body += ", id_dropout = 0.3, admit_after = 2";
    }
    let counted = if estimate > profile.distinct as u64 {
        format!("about {}", amount(estimate))
    } else {
        amount(estimate)
    };
    Kind {
        body,
        note: format!("{}, {counted} different", profile.plain),
        choice: None,
        numeric: false,
    }
}

/// Values with commas, in lines of about a hundred letters where they are more than fit into one.
fn wrapped(values: &[String]) -> String {
    let joined = values.join(", ");
    if joined.chars().count() <= 60 {
        return joined;
    }
    let (mut text, mut width) = (String::new(), usize::MAX);
    for value in values {
        let letters = value.chars().count() + 2;
        if width.saturating_add(letters) > 110 {
            text += "\n   ";
            width = 4;
        }
        text += &format!(" {value},");
        width += letters;
    }
    text + "\n"
}

/// Rows of a table for `estimate` ids: about three times as many, 1, 2 or 5 times a power of ten.
fn buckets(estimate: u64) -> u64 {
    let wanted = (estimate * 3).max(100);
    let mut power = 1;
    loop {
        for size in [power, 2 * power, 5 * power] {
            if size >= wanted {
                return size.min(1_000_000_000);
            }
        }
        power *= 10;
    }
}

fn text(profile: &Profile) -> Kind {
    Kind {
        body: "kind = \"text\", dim = 16, buckets = 20_000".to_owned(),
        note: format!(
            "text, {} different, {:.0} letters on average",
            amount(profile.estimate),
            profile.letters
        ),
        choice: None,
        numeric: false,
    }
}

fn vector(profile: &Profile) -> Result<Kind, String> {
    let (shortest, longest) = profile.lengths;
    if shortest != longest || longest == 0 {
        return Err(format!(
            "lists of numbers of different lengths ({shortest} to {longest}): a vector has one width"
        ));
    }
    if profile.not_finite > 0 {
        return Err("holds NaN or infinities, which are refused".to_owned());
    }
    Ok(Kind {
        body: format!("kind = \"vector\", width = {longest}"),
        note: format!("lists of {longest} numbers"),
        choice: None,
        numeric: false,
    })
}

fn number(profile: &Profile, family: usize) -> Kind {
    let mut body = "kind = \"number\", scale = \"quantile\"".to_owned();
    if family <= MANY {
        body += ", powers = true";
    }
    let mut choice = None;
    if let Some((value, share)) = profile.sentinel {
        body += &format!(", missing = {value}");
        choice = Some(format!(
            "{} of the values of `{}` are {value}: read as not known; if {value} is a value, leave `missing` out",
            percent(share),
            profile.name
        ));
    }
    Kind {
        body,
        note: format!(
            "{}, {} to {}",
            profile.plain,
            short(profile.min),
            short(profile.max)
        ),
        choice,
        numeric: true,
    }
}

/// A number in few digits.
fn short(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e12 {
        return number.to_string();
    }
    if number.abs() >= 1e6 || number.abs() < 1e-3 {
        return format!("{number:.2e}");
    }
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
