//! A declaration's text with one word replaced; all else of it, comments too, stays as typed.

use toml_edit::{DocumentMut, Item, Value};

/// `text` with `key = "word"` in its `section`; `None` where it has no such section.
pub(crate) fn with_word(text: &str, section: &str, key: &str, word: &str) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    let table = document.get_mut(section)?.as_table_like_mut()?;
    let mut value = Value::from(word);
    if let Some(old) = table.get(key).and_then(Item::as_value) {
        *value.decor_mut() = old.decor().clone();
    }
    table.insert(key, Item::Value(value));
    Some(document.to_string())
}
