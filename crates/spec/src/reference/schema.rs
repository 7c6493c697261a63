//! The reference as a JSON Schema, for editors.
//!
//! Only keywords that mean the same in draft 2020-12 and in draft 07 are used: some editors read the older one.

use std::ops::Bound;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use super::{ANY, Accepted, Key, Later, Preset, TOP, Table, Type};

/// One node; keywords come in the order of the fields.
#[derive(Debug, Default, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    #[serde(rename = "$schema", skip_serializing_if = "Option::is_none")]
    schema: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(rename = "enum", skip_serializing_if = "Option::is_none")]
    words: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maximum: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exclusive_minimum: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exclusive_maximum: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Box<Node>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_items: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_items: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    one_of: Option<Vec<Node>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Properties>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    required: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_properties: Option<Additional>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    examples: Vec<Value>,
}

/// Keys in declared order.
#[derive(Debug)]
struct Properties(Vec<(&'static str, Node)>);

impl Serialize for Properties {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, node) in &self.0 {
            map.serialize_entry(key, node)?;
        }
        map.end()
    }
}

/// What keys may be besides the known ones.
#[derive(Debug, serde::Serialize)]
#[serde(untagged)]
enum Additional {
    Allowed(bool),
    Of(Box<Node>),
}

/// The text of `docs/ranker.schema.json`: a JSON Schema (draft 2020-12) of the declaration. It knows keys, types and ranges;
/// what links one key to another only [`Spec::parse`](crate::Spec::parse) checks.
pub fn json_schema() -> String {
    let root = Node {
        schema: Some("https://json-schema.org/draft/2020-12/schema"),
        title: Some("ranker.toml"),
        ..table(&TOP)
    };
    // A tree of texts and finite numbers always has a JSON text.
    let mut text = serde_json::to_string_pretty(&root).unwrap_or_default();
    text.push('\n');
    text
}

fn table(table: &Table) -> Node {
    let known = table.keys.iter().map(|key| (key.name, self::key(table, key)));
    let later = table.later.iter().filter_map(later);
    Node {
        description: Some(table.meaning.to_owned()),
        kind: Some("object"),
        properties: Some(Properties(known.chain(later).collect())),
        required: table
            .keys
            .iter()
            .filter(|key| matches!(key.preset, Preset::Required))
            .map(|key| key.name)
            .collect(),
        additional_properties: Some(Additional::Allowed(false)),
        ..Node::default()
    }
}

fn key(table: &Table, key: &Key) -> Node {
    let mut node = value(&key.value);
    let kinds = match key.kinds {
        [] => String::new(),
        kinds => format!(" For kind {}.", crate::suggestion::and(kinds)),
    };
    let absent = match key.preset {
        Preset::Required | Preset::Toml(_) => String::new(),
        Preset::OwnName => " Default: its own name.".to_owned(),
        Preset::Words(words) => format!(" Default: {words}."),
    };
    // A section says more of itself than the list of sections does.
    let meaning = node.description.take().map_or_else(
        || key.meaning.to_owned(),
        |more| format!("{} {more}", key.meaning),
    );
    node.description = Some(format!("{meaning}{kinds}{absent}"));
    if let Preset::Toml(text) = key.preset {
        node.default = typed(&format!("{} = {text}", key.name), key.name);
    }
    node.examples = example(table, key).into_iter().collect();
    node
}

/// The value that the key has in its example.
fn example(table: &Table, key: &Key) -> Option<Value> {
    let of_entries = TOP
        .keys
        .iter()
        .any(|section| matches!(section.value, Type::Entries(entry) if std::ptr::eq(entry, table)));
    if !of_entries {
        return typed(key.example, key.name);
    }
    let (entry, _) = key.example.split_once(" =")?;
    typed(key.example, entry)?.get(key.name).cloned()
}

/// The value of `key` in a TOML text.
fn typed(toml: &str, key: &str) -> Option<Value> {
    let document = toml_edit::Document::parse(toml).ok()?;
    json(document.get(key)?.as_value()?)
}

fn json(value: &toml_edit::Value) -> Option<Value> {
    Some(match value {
        toml_edit::Value::String(text) => Value::from(text.value().as_str()),
        toml_edit::Value::Integer(number) => Value::from(*number.value()),
        toml_edit::Value::Float(number) => Value::from(*number.value()),
        toml_edit::Value::Boolean(flag) => Value::from(*flag.value()),
        toml_edit::Value::Datetime(_) => return None,
        toml_edit::Value::Array(list) => list.iter().map(json).collect::<Option<_>>()?,
        toml_edit::Value::InlineTable(table) => {
            let entries = table
                .iter()
                .map(|(key, value)| Some((key.to_owned(), json(value)?)));
            Value::Object(entries.collect::<Option<_>>()?)
        }
    })
}

/// A key of which only the default is carried out.
fn later(later: &Later) -> Option<(&'static str, Node)> {
    let only = match later.accepted? {
        Accepted::Number(number) => Value::from(number),
        Accepted::Text(text) => Value::from(text),
    };
    let node = Node {
        description: Some(format!("Nothing but this is carried out yet: {}.", later.help)),
        words: Some(vec![only]),
        ..Node::default()
    };
    Some((later.key, node))
}

fn value(value: &Type) -> Node {
    let of = |kind| Node {
        kind: Some(kind),
        ..Node::default()
    };
    match *value {
        Type::Text => of("string"),
        Type::Words(words, _) => Node {
            words: Some(words.iter().map(|word| Value::from(*word)).collect()),
            ..of("string")
        },
        Type::Whole(low, high) => Node {
            minimum: Some(low.into()),
            maximum: (high < i64::MAX).then(|| high.into()),
            ..of("integer")
        },
        Type::Number(low, high) => {
            let (minimum, exclusive_minimum) = bound(low);
            let (maximum, exclusive_maximum) = bound(high);
            Node {
                minimum,
                maximum,
                exclusive_minimum,
                exclusive_maximum,
                ..of("number")
            }
        }
        Type::Flag => of("boolean"),
        Type::Duration => Node {
            pattern: Some("^[0-9]+(ms|s|m|h|d)$"),
            ..of("string")
        },
        Type::Size => Node {
            pattern: Some("^(0|[0-9]+(kB|MB|GB|TB|KiB|MiB|GiB|TiB))$"),
            ..of("string")
        },
        Type::NumberOr(word) => Node {
            one_of: Some(vec![
                of("number"),
                Node {
                    words: Some(vec![word.into()]),
                    ..of("string")
                },
            ]),
            ..Node::default()
        },
        Type::WholeOr(number, words) => Node {
            words: Some(
                words
                    .iter()
                    .map(|word| Value::from(*word))
                    .chain([number.into()])
                    .collect(),
            ),
            ..Node::default()
        },
        Type::List(element, low, high) => Node {
            items: Some(Box::new(self::value(element))),
            min_items: (low > 0).then_some(low),
            max_items: (high < ANY).then_some(high),
            ..of("array")
        },
        Type::Table(table) => self::table(table),
        Type::Entries(entry) => Node {
            // The words for all entries are the section's.
            description: Some(entry.meaning.to_owned()),
            additional_properties: Some(Additional::Of(Box::new(Node {
                description: None,
                ..table(entry)
            }))),
            ..of("object")
        },
        Type::Names(each) => Node {
            additional_properties: Some(Additional::Of(Box::new(self::value(each)))),
            ..of("object")
        },
    }
}

fn bound(bound: Bound<f64>) -> (Option<Value>, Option<f64>) {
    match bound {
        Bound::Unbounded => (None, None),
        Bound::Included(number) => (Some(number.into()), None),
        Bound::Excluded(number) => (None, Some(number)),
    }
}
