//! One line of JSONL as flat cells: the values of nested objects under dotted names (`user.id`), lists whole.
//!
//! An object that stands for a map is flattened as any other. A list of lists or of objects is kept as the JSON that it is.
//! A key twice in one object (or `a.b` beside an `a` that has a `b`) is an error: there is no telling which one was meant.

use std::fmt;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::infer::Scalar;

/// Letters of a line that a message shows.
const SHOWN: usize = 30;

/// A value of JSON that is no object.
#[derive(Debug, PartialEq)]
pub(super) enum JsonCell<'v> {
    Null,
    Flag(bool),
    Whole(i64),
    /// A whole number beyond `i64`: text, as no number type would keep its digits.
    Wide(u64),
    Number(f64),
    Text(&'v str),
    List(Vec<Value>),
}

impl JsonCell<'_> {
    /// What it is in a column of texts.
    pub(super) fn text(&self) -> String {
        match self {
            JsonCell::Null => String::new(),
            JsonCell::Flag(flag) => flag.to_string(),
            JsonCell::Whole(number) => number.to_string(),
            JsonCell::Wide(number) => number.to_string(),
            JsonCell::Number(number) => number_text(*number),
            JsonCell::Text(text) => (*text).to_owned(),
            JsonCell::List(values) => list_text(values),
        }
    }
}

/// A list as JSON.
pub(super) fn list_text(values: &[Value]) -> String {
    serde_json::to_string(values).unwrap_or_default()
}

/// A number in the fewest digits, without a fraction of nothing.
pub(super) fn number_text(number: f64) -> String {
    let text = Value::from(number).to_string();
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// Whether a list is of lists or objects, which is read as text.
pub(super) fn is_nested(values: &[Value]) -> bool {
    values.iter().any(|value| value.is_array() || value.is_object())
}

/// What an element of a list is.
pub(super) fn sort(value: &Value) -> Scalar {
    match value {
        Value::Null => Scalar::Nothing,
        Value::Bool(_) => Scalar::Flag,
        Value::Number(number) if number.is_i64() => Scalar::Whole,
        Value::Number(number) if number.is_f64() => Scalar::Number,
        _ => Scalar::Text,
    }
}

/// Takes the cells of a line.
pub(super) trait Sink {
    /// The column of the dotted name `name`, where its cells are wanted, or what is wrong with it.
    fn column(&mut self, name: &str) -> Result<Option<usize>, String>;

    /// A cell of a column that [`Sink::column`] gave, or what is wrong with it.
    fn cell(&mut self, column: usize, cell: JsonCell<'_>) -> Result<(), String>;
}

/// Gives `sink` the cells of `line`, or says what is wrong with the line.
pub(super) fn flatten(line: &str, sink: &mut impl Sink) -> Result<(), String> {
    let mut walk = Walk {
        path: String::new(),
        sink,
        problem: None,
    };
    let mut json = serde_json::Deserializer::from_str(line);
    let result = Node(&mut walk, true)
        .deserialize(&mut json)
        .and_then(|()| json.end());
    match (walk.problem, result) {
        (Some(problem), _) => Err(problem),
        (None, Err(error)) => Err(said(line, &error)),
        (None, Ok(())) => Ok(()),
    }
}

/// The words of `error`, with what is at its place.
fn said(line: &str, error: &serde_json::Error) -> String {
    if error.is_eof() {
        return "the line ends within an object, expected a whole object in each line (is the file cut short, or an object \
                spread over lines?)"
            .to_owned();
    }
    let words = error.to_string();
    let words = words.split(" at line ").next().unwrap_or_default();
    if words == "recursion limit exceeded" {
        return "found lists or objects more than 127 deep, the most that is read".to_owned();
    }
    let mut at = error.column().saturating_sub(1).min(line.len());
    while !line.is_char_boundary(at) {
        at -= 1;
    }
    let found: String = line[at..].chars().take(SHOWN).collect();
    format!(
        "no JSON: {words} at byte {}: found `{}`",
        error.column(),
        found.trim_end()
    )
}

/// Where the walk through a line is.
struct Walk<'w, S> {
    /// The dotted name of the value that comes.
    path: String,
    sink: &'w mut S,
    problem: Option<String>,
}

impl<S: Sink> Walk<'_, S> {
    fn fail<T, E: Error>(&mut self, problem: String) -> Result<T, E> {
        self.problem = Some(problem);
        Err(E::custom("stopped"))
    }

    fn column<E: Error>(&mut self) -> Result<Option<usize>, E> {
        match self.sink.column(&self.path) {
            Ok(column) => Ok(column),
            Err(problem) => self.fail(problem),
        }
    }

    fn give<E: Error>(&mut self, column: usize, cell: JsonCell<'_>) -> Result<(), E> {
        match self.sink.cell(column, cell) {
            Ok(()) => Ok(()),
            Err(problem) => self.fail(problem),
        }
    }
}

/// The value that comes; with `true`, the whole line.
struct Node<'n, 'w, S>(&'n mut Walk<'w, S>, bool);

impl<S: Sink> Node<'_, '_, S> {
    fn scalar<E: Error>(self, found: &str, cell: JsonCell<'_>) -> Result<(), E> {
        if self.1 {
            return self.0.fail(format!("found {found}, expected an object"));
        }
        match self.0.column()? {
            Some(column) => self.0.give(column, cell),
            None => Ok(()),
        }
    }
}

impl<'de, S: Sink> DeserializeSeed<'de> for Node<'_, '_, S> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: Sink> Visitor<'de> for Node<'_, '_, S> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a value of JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.scalar("null", JsonCell::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<(), E> {
        self.scalar("true/false", JsonCell::Flag(flag))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.scalar("a number", JsonCell::Whole(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        let cell = i64::try_from(number).map_or(JsonCell::Wide(number), JsonCell::Whole);
        self.scalar("a number", cell)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.scalar("a number", JsonCell::Number(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.scalar("text", JsonCell::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let Node(walk, whole) = self;
        if whole {
            return walk.fail(
                "found a list, expected an object: write each of its objects in a line of its own".to_owned(),
            );
        }
        let Some(column) = walk.column()? else {
            while elements.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        };
        let mut values = Vec::new();
        while let Some(value) = elements.next_element()? {
            values.push(value);
        }
        walk.give(column, JsonCell::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Node(walk, _) = self;
        let outer = walk.path.len();
        loop {
            if outer > 0 {
                walk.path.push('.');
            }
            let before = walk.path.len();
            if entries.next_key_seed(Key(&mut walk.path))?.is_none() {
                walk.path.truncate(outer);
                return Ok(());
            }
            if walk.path.len() == before {
                return walk.fail("found an empty key, expected a name".to_owned());
            }
            entries.next_value_seed(Node(&mut *walk, false))?;
            walk.path.truncate(outer);
        }
    }
}

/// A key, written behind what is there.
struct Key<'p>(&'p mut String);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<(), E> {
        self.0.push_str(key);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Seen(Vec<(String, String)>);

    impl Sink for Seen {
        fn column(&mut self, name: &str) -> Result<Option<usize>, String> {
            self.0.push((name.to_owned(), String::new()));
            Ok((name != "skipped").then_some(self.0.len() - 1))
        }

        fn cell(&mut self, column: usize, cell: JsonCell<'_>) -> Result<(), String> {
            self.0[column].1 = cell.text();
            Ok(())
        }
    }

    fn seen(line: &str) -> Result<Vec<(String, String)>, String> {
        let mut seen = Seen::default();
        flatten(line, &mut seen).map(|()| seen.0)
    }

    #[test]
    fn nested_objects_are_dotted_names_and_lists_stay_whole() {
        let line = r#"{"a":1,"b":{"c":true,"d":{"e":"x\n"}},"f":[1,{"g":[2.0]}],"skipped":[[1]],"h":{},"i":2.0,"j":null}"#;
        let expected = [
            ("a", "1"),
            ("b.c", "true"),
            ("b.d.e", "x\n"),
            ("f", r#"[1,{"g":[2.0]}]"#),
            ("skipped", ""),
            ("i", "2"),
            ("j", ""),
        ];
        let expected = expected.map(|(name, text)| (name.to_owned(), text.to_owned()));
        assert_eq!(seen(line).unwrap(), expected);
        assert_eq!(
            seen(r#"{"a":18446744073709551615}"#).unwrap()[0].1,
            "18446744073709551615"
        );
        assert_eq!(seen(r#"{"a":1e300}"#).unwrap()[0].1, "1e+300");
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said_with_what_was_found() {
        for (line, says) in [
            (r#"{"a":1"#, "the line ends within an object"),
            (
                r#"{"a":NaN,"b":1}"#,
                "no JSON: expected value at byte 6: found `NaN,\"b\":1}`",
            ),
            (
                r#"{"a":1}{"a":2}"#,
                "no JSON: trailing characters at byte 8: found `{\"a\":2}`",
            ),
            ("[1]", "found a list, expected an object"),
            ("3,4", "found a number, expected an object"),
            (r#"{"a":{"":1}}"#, "found an empty key"),
            ("{\"\u{e4}\":\u{e4}}", "no JSON: expected value"),
        ] {
            let problem = seen(line).unwrap_err();
            assert!(problem.starts_with(says), "{line}: {problem}");
        }
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        assert!(
            seen(&deep)
                .unwrap_err()
                .starts_with("found lists or objects more than 127 deep")
        );
        let deep = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(seen(&deep(126)).is_ok() && seen(&deep(127)).is_err());
    }
}
