//! Values as they are written: strings and keys of TOML, names in labels, shares, amounts.

use std::fmt::Write;

/// A TOML string.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            character if character.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(character));
            }
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

/// A key of TOML: quoted where it has other than ASCII letters, digits and `_`.
pub(super) fn bare(name: &str) -> String {
    if !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// A column's name in a label.
pub(crate) fn expression(name: &str) -> String {
    let mut characters = name.chars();
    let first = characters
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_');
    if first && characters.all(|character| character.is_alphanumeric() || character == '_') {
        name.to_owned()
    } else {
        format!("`{name}`")
    }
}

/// Text that can stand in a comment.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect()
}

/// A share as a percentage.
pub(crate) fn percent(share: f64) -> String {
    match share * 100.0 {
        percent if percent > 0.0 && percent < 0.1 => "below 0.1 %".to_owned(),
        percent if percent < 10.0 => format!("{percent:.1} %"),
        percent => format!("{percent:.0} %"),
    }
}

/// A number with its thousands set apart.
pub(crate) fn amount(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
