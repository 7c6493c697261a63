//! A declaration with some of its settings replaced, in its text too: an artifact says how it was made.

use std::sync::Arc;

use spec::Spec;
use toml_edit::{DocumentMut, Item, Value, value};

/// One setting: section, key, and its new value; `None` takes it out.
pub(crate) type Setting<'a> = (&'a str, &'a str, Option<Value>);

/// The declaration with these settings; `what` names it in mistakes.
pub(crate) fn with(spec: &Spec, what: &str, settings: &[Setting]) -> anyhow::Result<Arc<Spec>> {
    Ok(Arc::new(Spec::parse(what, &edited(&spec.text, settings)?)?))
}

/// The text with these settings, all else as it was typed.
pub(crate) fn edited(text: &str, settings: &[Setting]) -> anyhow::Result<String> {
    let mut text: DocumentMut = text.parse()?;
    for (section, key, new) in settings {
        match new {
            Some(new) => {
                if text.get(section).is_none() {
                    text.insert(section, toml_edit::table());
                }
                let mut new = new.clone();
                // A comment behind the old value stays.
                if let Some(old) = text
                    .get(section)
                    .and_then(|section| section.get(key))
                    .and_then(Item::as_value)
                {
                    *new.decor_mut() = old.decor().clone();
                }
                text[section][key] = value(new);
            }
            None => {
                if let Some(section) = text.get_mut(section).and_then(Item::as_table_like_mut) {
                    section.remove(key);
                }
            }
        }
    }
    Ok(text.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_replaced_added_or_taken_out_and_all_else_stays_as_typed() {
        let text = "# ours\n[bias]\nform = \"additive\" # the paper's\nposition_dropout = 0.1\n";
        let settings = [
            ("bias", "form", Some("product".into())),
            ("bias", "position_dropout", None),
            ("train", "seed", Some(3.into())),
        ];
        let edited = edited(text, &settings).unwrap();
        assert!(
            edited.starts_with("# ours\n[bias]\nform = \"product\" # the paper's\n"),
            "{edited}"
        );
        assert!(
            !edited.contains("position_dropout") && edited.contains("seed = 3"),
            "{edited}"
        );
    }
}
