//! Reading a figure back, for tests: is it well-formed, which elements has it.

use std::collections::BTreeMap;

/// One element of an SVG.
#[derive(Debug, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: BTreeMap<String, String>,
    /// What stands directly in it, still escaped, without the blanks around it.
    pub(crate) text: String,
}

impl Element {
    pub(crate) fn number(&self, attribute: &str) -> f64 {
        self.attributes[attribute].parse().unwrap()
    }

    pub(crate) fn is(&self, attribute: &str, value: &str) -> bool {
        self.attributes.get(attribute).is_some_and(|found| found == value)
    }

    /// The points of a polyline.
    pub(crate) fn points(&self) -> Vec<(f64, f64)> {
        let pairs = self.attributes["points"].split_whitespace();
        let pair = |text: &str| {
            let (x, y) = text.split_once(',').unwrap();
            (x.parse().unwrap(), y.parse().unwrap())
        };
        pairs.map(pair).collect()
    }
}

/// The elements of `svg`, in the order they open. Panics where it is not well-formed or a place is not a number.
pub(crate) fn elements(svg: &str) -> Vec<Element> {
    assert!(svg.starts_with("<svg "), "{svg}");
    assert!(!svg.chars().any(|letter| letter.is_control() && letter != '\n'));
    let mut found: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut rest = svg.trim_end();
    while let Some(tag) = rest.strip_prefix('<') {
        let end = tag.find('>').expect("a tag ends");
        let (inside, after) = (&tag[..end], &tag[end + 1..]);
        if let Some(name) = inside.strip_prefix('/') {
            let opened = open.pop().expect("a tag is open");
            assert_eq!(found[opened].name, name, "tags are nested");
        } else {
            open.push(found.len());
            found.push(element(inside.trim_end_matches('/')));
            if inside.ends_with('/') {
                open.pop();
            }
        }
        let next = after.find('<').unwrap_or(after.len());
        let text = after[..next].trim();
        check_entities(text);
        match open.last() {
            Some(parent) => found[*parent].text.push_str(text),
            None => assert_eq!((text, next), ("", after.len()), "one element holds all"),
        }
        rest = &after[next..];
    }
    assert!(rest.is_empty() && open.is_empty(), "left over: {rest}, {open:?}");
    found
}

fn element(inside: &str) -> Element {
    let (name, mut rest) = inside.split_once(' ').unwrap_or((inside, ""));
    assert!(
        name.chars().all(|letter| letter.is_ascii_alphabetic()),
        "{inside}"
    );
    let mut attributes = BTreeMap::new();
    while let Some((key, value)) = rest.trim_start().split_once("=\"") {
        let (value, after) = value.split_once('"').expect("an attribute ends");
        let is_words = matches!(key, "aria-label" | "font-family");
        assert!(
            is_words || !(value.contains("NaN") || value.contains("inf")),
            "{inside}"
        );
        check_entities(value);
        let before = attributes.insert(key.to_owned(), value.to_owned());
        assert!(before.is_none(), "twice the same attribute: {inside}");
        rest = after;
    }
    assert_eq!(rest.trim(), "", "{inside}");
    Element {
        name: name.to_owned(),
        attributes,
        text: String::new(),
    }
}

fn check_entities(text: &str) {
    for after in text.split('&').skip(1) {
        let known = ["lt;", "gt;", "amp;", "quot;", "apos;"];
        assert!(known.iter().any(|entity| after.starts_with(entity)), "{text}");
    }
}
