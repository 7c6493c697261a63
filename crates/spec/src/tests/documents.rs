//! What the reference is written to: the page, and the schema by which an editor marks mistakes.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::reference::{EXPERTS, FIELD, OBJECTIVE, SUBNETWORKS, TOP, Table, Type};
use crate::{Spec, json_schema, reference};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[track_caller]
fn read(path: &str) -> String {
    let file = repository().join(path);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

#[test]
fn the_documents_are_what_the_reference_says() {
    for (path, text, command) in [
        (
            "docs/declaration.md",
            reference(),
            "watchnext schema --reference > docs/declaration.md",
        ),
        (
            "docs/ranker.schema.json",
            json_schema(),
            "watchnext schema > docs/ranker.schema.json",
        ),
    ] {
        assert!(
            read(path) == text,
            "{path} is not what the reference says; rewrite it by `{command}`"
        );
    }
}

#[test]
fn the_page_names_every_key_and_its_example_is_a_declaration() {
    let page = reference();
    let (_, rest) = page.split_once("```toml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let spec = Spec::parse("ranker.toml", example).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(spec.fields.len(), 6);
    for section in TOP.keys {
        let heading = format!("\n## `[{}]`\n", section.name);
        assert_eq!(page.matches(&heading).count(), 1, "{heading}");
        let (Type::Table(table) | Type::Entries(table)) = section.value else {
            continue;
        };
        let (_, body) = page.split_once(&heading).unwrap();
        let body = body.split("\n## ").next().unwrap();
        for key in table.keys {
            assert_eq!(
                body.matches(&format!("\n| `{}` |", key.name)).count(),
                1,
                "{}",
                key.name
            );
        }
        assert_eq!(body.matches("\n| `").count(), table.keys.len(), "{heading}");
    }
}

/// The names of the properties of a node.
fn properties(node: &Value) -> Vec<&str> {
    node["properties"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

/// The keys of `table` that may be written, sorted.
fn known(table: &Table) -> Vec<&'static str> {
    let later = table
        .later
        .iter()
        .filter(|later| later.accepted.is_some())
        .map(|later| later.key);
    let mut known: Vec<&str> = table.keys.iter().map(|key| key.name).chain(later).collect();
    known.sort_unstable();
    known
}

#[test]
fn the_schema_lists_the_keys_that_the_parser_knows() {
    let schema: Value = serde_json::from_str(&json_schema()).unwrap();
    let check = |node: &Value, table: &Table| {
        let mut listed = properties(node);
        listed.sort_unstable();
        assert_eq!(listed, known(table), "{}", table.name);
        assert_eq!(node["additionalProperties"], Value::Bool(false), "{}", table.name);
    };
    check(&schema, &TOP);
    for section in TOP.keys {
        let node = &schema["properties"][section.name];
        match section.value {
            Type::Table(table) => check(node, table),
            Type::Entries(table) => check(&node["additionalProperties"], table),
            _ => assert_eq!(node["additionalProperties"]["type"], "number"),
        }
    }
    check(&schema["properties"]["model"]["properties"]["experts"], &EXPERTS);
    check(
        &schema["properties"]["model"]["properties"]["subnetworks"],
        &SUBNETWORKS,
    );
    // What the parser says of a key that it does not know are those that it does.
    for (section, table) in [
        ("fields.a", &FIELD),
        ("objectives.a", &OBJECTIVE),
        ("model.experts", &EXPERTS),
        ("model.subnetworks", &SUBNETWORKS),
    ] {
        let found = super::mistakes(&format!("[{section}]\nno_such_key = 1"));
        let unknown = found
            .iter()
            .find(|mistake| mistake.path.ends_with("no_such_key"))
            .unwrap();
        let listed: Vec<&str> = unknown.help.split('`').skip(1).step_by(2).collect();
        let keys: Vec<&str> = table.keys.iter().map(|key| key.name).collect();
        assert_eq!(listed, keys, "{section}");
    }
}

/// What breaks `schema` in `value`, by path; understands the keywords that the schema uses, and no other.
fn breaks(schema: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    let nothing = Map::new();
    let mut demand = |holds: bool, what: &str| {
        if !holds {
            found.push(format!("{path}: {what}"));
        }
    };
    let number = |bound: &Value| bound.as_f64().unwrap();
    for (keyword, rule) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "$schema" | "title" | "description" | "default" | "examples" => {}
            "type" => demand(is_of(value, rule.as_str().unwrap()), "type"),
            "enum" => {
                let same = |word: &Value| {
                    word == value || word.as_f64().is_some() && word.as_f64() == value.as_f64()
                };
                demand(rule.as_array().unwrap().iter().any(same), "enum");
            }
            "pattern" => {
                let rule = rule.as_str().unwrap();
                let value = value.as_str().unwrap_or_default();
                let or_zero = rule.starts_with("^(0|[0-9]+(");
                assert!(or_zero || rule.starts_with("^[0-9]+("), "{rule}");
                let mut units = rule
                    .rsplit('(')
                    .next()
                    .unwrap()
                    .trim_end_matches([')', '$'])
                    .split('|');
                let unit = value.trim_start_matches(|c: char| c.is_ascii_digit());
                demand(
                    or_zero && value == "0" || units.any(|known| known == unit),
                    "pattern",
                );
            }
            "minimum" => demand(
                value.as_f64().is_none_or(|value| value >= number(rule)),
                "minimum",
            ),
            "maximum" => demand(
                value.as_f64().is_none_or(|value| value <= number(rule)),
                "maximum",
            ),
            "exclusiveMinimum" => demand(value.as_f64().is_none_or(|value| value > number(rule)), keyword),
            "exclusiveMaximum" => demand(value.as_f64().is_none_or(|value| value < number(rule)), keyword),
            "minItems" => demand(
                value
                    .as_array()
                    .is_none_or(|list| list.len() as f64 >= number(rule)),
                keyword,
            ),
            "maxItems" => demand(
                value
                    .as_array()
                    .is_none_or(|list| list.len() as f64 <= number(rule)),
                keyword,
            ),
            "oneOf" => {
                let fits = |schema: &&Value| {
                    let mut found = Vec::new();
                    breaks(schema, value, path, &mut found);
                    found.is_empty()
                };
                demand(rule.as_array().unwrap().iter().filter(fits).count() == 1, "oneOf");
            }
            "required" => {
                let names = rule.as_array().unwrap().iter();
                names.for_each(|name| {
                    demand(
                        value.get(name.as_str().unwrap()).is_some(),
                        &format!("required {name}"),
                    )
                });
            }
            "items" | "properties" | "additionalProperties" => {}
            other => panic!("a keyword that is not understood: {other}"),
        }
    }
    for (index, element) in value.as_array().into_iter().flatten().enumerate() {
        breaks(&schema["items"], element, &format!("{path}[{index}]"), found);
    }
    let properties = schema["properties"].as_object().unwrap_or(&nothing);
    for (key, value) in value.as_object().into_iter().flatten() {
        let path = format!("{path}.{key}");
        match (properties.get(key), &schema["additionalProperties"]) {
            (Some(schema), _) => breaks(schema, value, &path, found),
            (None, Value::Bool(false)) => found.push(format!("{path}: unknown")),
            (None, schema) => breaks(schema, value, &path, found),
        }
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_i64(),
        other => panic!("a type that is not understood: {other}"),
    }
}

fn json(item: &toml_edit::Item) -> Value {
    match item {
        toml_edit::Item::Table(table) => table
            .iter()
            .map(|(key, item)| (key.to_owned(), json(item)))
            .collect(),
        toml_edit::Item::Value(value) => json_of(value),
        other => panic!("not in these declarations: {other:?}"),
    }
}

fn json_of(value: &toml_edit::Value) -> Value {
    match value {
        toml_edit::Value::String(text) => text.value().as_str().into(),
        toml_edit::Value::Integer(number) => (*number.value()).into(),
        toml_edit::Value::Float(number) => (*number.value()).into(),
        toml_edit::Value::Boolean(flag) => (*flag.value()).into(),
        toml_edit::Value::Array(list) => list.iter().map(json_of).collect(),
        toml_edit::Value::InlineTable(table) => table
            .iter()
            .map(|(key, value)| (key.to_owned(), json_of(value)))
            .collect(),
        toml_edit::Value::Datetime(_) => Value::Null,
    }
}

/// What breaks the schema in a declaration.
fn breaks_of(text: &str) -> Vec<String> {
    let schema: Value = serde_json::from_str(&json_schema()).unwrap();
    let document: toml_edit::DocumentMut = text.parse().unwrap();
    let mut found = Vec::new();
    breaks(&schema, &json(document.as_item()), "", &mut found);
    found
}

/// The declaration in README.md: the indented lines from `[keys]` on.
fn of_readme() -> String {
    let page = read("README.md");
    let lines = page
        .lines()
        .skip_while(|line| *line != "    [keys]" && !line.starts_with("    [keys] "));
    let lines = lines.take_while(|line| line.is_empty() || line.starts_with("    "));
    lines.map(|line| format!("{}\n", line.trim_start())).collect()
}

#[test]
fn the_declarations_of_the_repository_fit_the_parser_and_the_schema() {
    let page = reference();
    let example = page
        .split("```toml\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    for (name, text) in [
        (
            "examples/kuairand/ranker.toml",
            read("examples/kuairand/ranker.toml"),
        ),
        ("demo/ranker.toml", read("crates/watchnext/src/demo/ranker.toml")),
        ("README.md", of_readme()),
        ("docs/declaration.md", example.to_owned()),
    ] {
        if let Err(mistakes) = Spec::parse(name, &text) {
            panic!("{mistakes}");
        }
        assert_eq!(breaks_of(&text), [""; 0], "{name}");
    }
}

#[test]
fn the_examples_and_defaults_of_the_schema_fit_it() {
    fn check(node: &Value, path: &str) {
        let examples = node["examples"].as_array().into_iter().flatten();
        for value in examples.chain(node.get("default")) {
            let mut found = Vec::new();
            breaks(node, value, path, &mut found);
            assert_eq!(found, [""; 0], "{path}: {value}");
        }
        for (key, node) in node["properties"].as_object().into_iter().flatten() {
            assert!(node["description"].is_string(), "{path}.{key}");
            check(node, &format!("{path}.{key}"));
        }
        if node["additionalProperties"].is_object() {
            check(&node["additionalProperties"], &format!("{path}.*"));
        }
    }
    let schema: Value = serde_json::from_str(&json_schema()).unwrap();
    check(&schema, "");
    assert_eq!(
        schema["properties"]["train"]["properties"]["batch"]["default"],
        512
    );
    let fields = &schema["properties"]["fields"]["additionalProperties"]["properties"];
    assert_eq!(fields["edges"]["examples"][0], serde_json::json!([1, 7, 30, 365]));
}

#[test]
fn the_schema_refuses_what_it_can_see_is_wrong() {
    let whole = reference();
    let whole = whole
        .split("```toml\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let check = |from: &str, to: &str, expected: &[&str]| {
        assert!(whole.contains(from), "{from}");
        assert_eq!(
            breaks_of(&whole.replacen(from, to, 1)),
            expected,
            "{from} -> {to}"
        );
    };
    check("dim = 16", "dims = 16", &[".fields.user_id.dims: unknown"]);
    check("dim = 16", "dim = 0", &[".fields.user_id.dim: minimum"]);
    check("dim = 16", "dim = 1.5", &[".fields.user_id.dim: type"]);
    check("side = \"user\", ", "", &[".fields.user_id: required \"side\""]);
    check("\"binary\"", "\"binry\"", &[".objectives.click.loss: enum"]);
    check(
        "absent = 0",
        "absent = \"mising\"",
        &[".objectives.click.absent: oneOf"],
    );
    check("absent = 0", "absent = \"missing\"", &[]);
    check("\"30m\"", "\"30\"", &[".objectives.click.window: pattern"]);
    check("[0, 1]", "[0]", &[".objectives.watch.clip: minItems"]);
    check(
        "id_dropout = 0.2",
        "id_dropout = 1",
        &[".fields.video_id.id_dropout: exclusiveMaximum"],
    );
    check("click = 1.0", "click = 101", &[".score.click: maximum"]);
    check("[bias]", "[bais]", &[".bais: unknown"]);
    check(
        "[bias]",
        "[explore]\nshuffle = 1\n[bias]\nform = \"pal\"",
        &[".bias.form: enum", ".explore.shuffle: exclusiveMaximum"],
    );
}
