//! The reference: what it says of every key is what [`Spec::parse`] does.

use std::ops::Bound;

use toml_edit::{DocumentMut, Item, Value};

use super::mistakes;
use crate::reference::{
    Accepted, EXPERTS, FIELD, Key, MODEL, OBJECTIVE, Preset, SUBNETWORKS, TOP, Table, Type,
};
use crate::{Mistake, Spec};

/// What the examples refer to.
const AROUND: &str = r#"
[fields]
user_id = { side = "user", kind = "id", dim = 4, buckets = 10 }
video_id = { side = "item", kind = "id", dim = 4, buckets = 10 }
topic = { side = "item", kind = "id", dim = 4, buckets = 10 }
taste = { side = "user", kind = "vector", width = 64 }
content = { side = "item", kind = "vector", width = 64 }
duration_ms = { side = "item", kind = "number" }
[objectives]
click = { group = "engagement", loss = "binary" }
[model]
architecture = "mmoe"
experts = { count = 2, widths = [8] }
[bias]
fields = ["position"]
groups = ["engagement"]
[score]
click = 1
"#;

/// What the example of `key` refers to: [`AROUND`] with an architecture that has the key.
fn around(table: &Table, key: &Key) -> String {
    let network = match (table.name, key.name) {
        ("model", "subnetworks") | ("model.subnetworks", _) => {
            "architecture = \"snr-trans\"\nsubnetworks = { count = 2, widths = [8] }"
        }
        ("model.experts", "shared" | "levels") => {
            "architecture = \"ple\"\nexperts = { count = 2, shared = 1, widths = [8] }"
        }
        _ => return AROUND.to_owned(),
    };
    AROUND.replace(
        "architecture = \"mmoe\"\nexperts = { count = 2, widths = [8] }",
        network,
    )
}

/// The tables with keys, each with the path of one in a document.
fn tables() -> Vec<&'static Table> {
    let sections = TOP.keys.iter().filter_map(|key| match key.value {
        Type::Table(table) | Type::Entries(table) => Some(table),
        _ => None,
    });
    sections.chain([&EXPERTS, &SUBNETWORKS]).collect()
}

/// Every key, with its table.
fn keys() -> impl Iterator<Item = (&'static Table, &'static Key)> {
    tables()
        .into_iter()
        .flat_map(|table| table.keys.iter().map(move |key| (table, key)))
}

fn is_entry(table: &Table) -> bool {
    [&FIELD, &OBJECTIVE]
        .iter()
        .any(|entry| std::ptr::eq(*entry, table))
}

/// The name of the entry in a key's example.
fn entry(key: &Key) -> &'static str {
    key.example.split_once(" =").unwrap().0
}

/// A whole declaration with the example of `key`, and in it the table that holds the key.
fn example(table: &Table, key: &Key) -> DocumentMut {
    let mut document: DocumentMut = around(table, key).parse().unwrap();
    let typed: DocumentMut = key
        .example
        .parse()
        .unwrap_or_else(|error| panic!("{}: {error}", key.example));
    let section = table
        .name
        .split('.')
        .fold(document.as_item_mut(), |item, name| &mut item[name]);
    if section.is_none() {
        *section = toml_edit::table();
    }
    for (name, value) in typed.iter() {
        section[name] = value.clone();
    }
    document
}

/// As [`example`], with another value for the key, or none.
fn with(table: &Table, key: &Key, value: Option<Value>) -> Result<Spec, Vec<Mistake>> {
    let mut document = example(table, key);
    let section = table
        .name
        .split('.')
        .fold(document.as_item_mut(), |item, name| &mut item[name]);
    let holder = if is_entry(table) {
        &mut section[entry(key)]
    } else {
        section
    };
    match value {
        Some(value) => holder[key.name] = Item::Value(value),
        None => {
            holder.as_table_like_mut().unwrap().remove(key.name).unwrap();
        }
    }
    let is_shallow = |item: &Item| {
        item.get("use")
            .and_then(Item::as_str)
            .is_some_and(|word| word != "main")
    };
    if is_entry(table) && table.name == "fields" && is_shallow(&document["fields"][entry(key)]) {
        document["bias"]["fields"]
            .as_array_mut()
            .unwrap()
            .push(entry(key));
    }
    let text = document.to_string();
    match Spec::parse("ranker.toml", &text) {
        // The text is as typed.
        Ok(spec) => Ok(Spec {
            text: String::new(),
            ..spec
        }),
        Err(mistakes) => Err(mistakes.mistakes),
    }
}

fn value(toml: &str) -> Value {
    toml.parse().unwrap_or_else(|error| panic!("{toml}: {error}"))
}

/// Asserts that `typed` is refused for `key`; the answer is the mistake.
#[track_caller]
fn refused(table: &Table, key: &Key, typed: Value) -> Mistake {
    let shown = typed.to_string();
    let found = with(table, key, Some(typed)).expect_err(&format!("{}.{} = {shown}", table.name, key.name));
    let of_key = |mistake: &&Mistake| mistake.path.rsplit('.').next() == Some(key.name);
    let mistake = found.iter().find(of_key);
    mistake
        .unwrap_or_else(|| panic!("{}.{} = {shown}: {found:?}", table.name, key.name))
        .clone()
}

#[test]
fn every_key_has_an_example_that_parses_and_holds_it() {
    for (table, key) in keys() {
        let typed: DocumentMut = key.example.parse().unwrap();
        let holder = if is_entry(table) {
            &typed[entry(key)]
        } else {
            typed.as_item()
        };
        let value = holder
            .get(key.name)
            .and_then(Item::as_value)
            .expect(key.example)
            .clone();
        if let Err(mistakes) = with(table, key, Some(value)) {
            panic!("{}: {mistakes:?}", key.example);
        }
    }
}

#[test]
fn every_key_is_read() {
    // A date is of no key's type, so that a key which is known and not read would let it pass.
    for (table, key) in keys() {
        let mistake = refused(table, key, value("1979-05-27"));
        let expected = format!("`{}` is a date", key.name);
        assert_eq!(mistake.message, expected, "{}", table.name);
    }
}

#[test]
fn a_default_is_what_absence_means() {
    for (table, key) in keys() {
        let absent = with(table, key, None);
        let name = format!("{}.{}", table.name, key.name);
        let typed = match key.preset {
            Preset::Required => {
                let found = absent.expect_err(&name);
                let missing = format!("`{}` is missing", key.name);
                assert!(
                    found.iter().any(|mistake| mistake.message == missing),
                    "{name}: {found:?}"
                );
                continue;
            }
            Preset::Words(_) => continue,
            Preset::OwnName => Value::from(entry(key)),
            Preset::Toml(text) => value(text),
        };
        let absent = absent.unwrap_or_else(|found| panic!("{name}: {found:?}"));
        assert_eq!(with(table, key, Some(typed)).as_ref(), Ok(&absent), "{name}");
    }
}

#[test]
fn defaults_in_words_are_what_absence_means() {
    let of = |table: &'static Table, name: &str| with(table, table.key(name).unwrap(), None);
    let missing = |table: &'static Table, name: &str| {
        let found = of(table, name).expect_err(name);
        found
            .iter()
            .any(|mistake| mistake.message == format!("`{name}` is missing"))
    };
    for name in ["dim", "buckets", "width", "window", "cross", "dot", "product"] {
        assert!(missing(&FIELD, name), "{name}");
    }
    assert!(missing(&OBJECTIVE, "duration"));
    assert!(missing(&MODEL, "experts") && missing(&MODEL, "subnetworks"));
    assert!(missing(&EXPERTS, "shared"));
    let rating = of(&OBJECTIVE, "clip").unwrap().objectives.pop().unwrap();
    assert_eq!((rating.name.as_str(), rating.clip), ("rating", None));
    let label = of(&OBJECTIVE, "label").unwrap().objectives.pop().unwrap();
    assert_eq!(label.label.names(), [label.name.as_str()]);
    let like = of(&OBJECTIVE, "given").unwrap().objectives.pop().unwrap();
    assert_eq!(like.given, None);
}

#[test]
fn every_section_that_is_required_is_missed() {
    let found = mistakes("");
    for section in TOP.keys {
        let missed = found.iter().any(|mistake| mistake.path == section.name);
        assert_eq!(
            missed,
            matches!(section.preset, Preset::Required),
            "{}",
            section.name
        );
    }
}

#[test]
fn words_are_those_that_are_known() {
    for (table, key) in keys() {
        let words = match key.value {
            Type::Words(words, _) => words,
            Type::NumberOr(word) => &[word],
            Type::WholeOr(_, words) => words,
            _ => continue,
        };
        let mut listed: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        if let Type::WholeOr(number, _) = key.value {
            listed.push(format!("`{number}`"));
        }
        let help = refused(table, key, Value::from("no such word")).help;
        assert!(
            help.ends_with(&format!(": {}", listed.join(", "))),
            "{}: {help}",
            key.name
        );
        let Type::Words(_, later) = key.value else {
            continue;
        };
        for (word, instead) in later {
            let mistake = refused(table, key, Value::from(*word));
            assert!(mistake.message.ends_with("is not carried out yet"), "{mistake:?}");
            assert_eq!(mistake.help, *instead);
        }
    }
}

#[test]
fn ranges_are_those_that_are_accepted() {
    for (table, key) in keys() {
        match key.value {
            Type::Whole(low, high) => {
                let accepted = |number: i64| with(table, key, Some(number.into())).map(|_| ());
                assert_eq!(accepted(low), Ok(()), "{} {}", table.name, key.name);
                // A product's width is that of its vectors.
                assert_eq!(accepted(high), Ok(()), "{} {}", table.name, key.name);
                refused(table, key, (low - 1).into());
                refused(table, key, 1.5.into());
                if high < i64::MAX {
                    refused(table, key, (high + 1).into());
                }
            }
            Type::Number(low, high) => {
                let accepted = |number: f64| with(table, key, Some(number.into())).map(|_| ());
                let check = |bound: Bound<f64>, outward: f64| match bound {
                    Bound::Included(bound) => {
                        assert_eq!(accepted(bound), Ok(()), "{} {}", table.name, key.name);
                        refused(table, key, (bound + outward).into());
                    }
                    Bound::Excluded(bound) => {
                        assert_eq!(accepted(bound - outward), Ok(()), "{} {}", table.name, key.name);
                        refused(table, key, bound.into());
                    }
                    Bound::Unbounded => {
                        assert_eq!(accepted(outward * 1e6), Ok(()), "{} {}", table.name, key.name)
                    }
                };
                check(low, -1e-3);
                check(high, 1e-3);
            }
            Type::Duration => {
                refused(table, key, Value::from("30"));
            }
            Type::Size => {
                refused(table, key, Value::from("30"));
                assert!(with(table, key, Some(Value::from("0"))).is_ok());
            }
            Type::List(_, low, high) => {
                let typed = example(table, key);
                let section = table
                    .name
                    .split('.')
                    .fold(typed.as_item(), |item, name| &item[name]);
                let holder = if is_entry(table) {
                    &section[entry(key)]
                } else {
                    section
                };
                let list: Vec<&Value> = holder[key.name].as_array().unwrap().iter().collect();
                let cut = |count: usize| {
                    Value::from_iter(list.iter().cycle().take(count).map(|each| (*each).clone()))
                };
                if low > 0 {
                    refused(table, key, cut(low - 1));
                } else {
                    assert!(
                        with(table, key, Some(cut(0))).is_ok(),
                        "{} {}",
                        table.name,
                        key.name
                    );
                }
                if high < usize::MAX {
                    refused(table, key, cut(high + 1));
                }
            }
            Type::WholeOr(number, _) => {
                assert!(with(table, key, Some(number.into())).is_ok(), "{}", key.name);
                refused(table, key, (number + 1).into());
            }
            Type::Text | Type::Words(..) | Type::Flag | Type::NumberOr(_) => {}
            Type::Table(_) | Type::Entries(_) | Type::Names(_) => {}
        }
    }
}

#[test]
fn what_is_not_carried_out_is_refused_unless_it_is_the_default() {
    for table in tables() {
        for later in table.later {
            let found = |typed: Value| {
                let mut document: DocumentMut = AROUND.parse().unwrap();
                let section = &mut document[table.name];
                if section.is_none() {
                    *section = toml_edit::table();
                }
                let holder = if is_entry(table) {
                    &mut section["user_id"]
                } else {
                    section
                };
                holder[later.key] = Item::Value(typed);
                mistakes(&document.to_string())
            };
            let [mistake] = &found("?".into())[..] else {
                panic!("`{}` is refused once", later.key)
            };
            assert!(mistake.message.ends_with("is not carried out yet"), "{mistake:?}");
            assert_eq!(mistake.help, later.help);
            let default = match later.accepted {
                None => continue,
                Some(Accepted::Number(number)) => Value::from(number),
                Some(Accepted::Text(text)) => Value::from(text),
            };
            assert_eq!(found(default), [], "{}", later.key);
        }
    }
}

#[test]
fn kinds_are_those_that_a_key_belongs_to() {
    let Type::Words(kinds, _) = FIELD.key("kind").unwrap().value else {
        panic!("`kind` is one of words")
    };
    for key in FIELD.keys {
        for kind in key.kinds {
            assert!(kinds.contains(kind), "{kind}");
        }
        let typed: DocumentMut = key.example.parse().unwrap();
        let kind = typed[entry(key)]["kind"].as_str().unwrap();
        assert!(
            key.kinds.is_empty() || key.kinds.contains(&kind),
            "{}",
            key.example
        );
    }
}
