//! What a declaration's author can rely on. Every test goes through [`check`].

mod bias;
mod derived;
mod documents;
mod fields;
mod fingerprint;
mod keys;
mod kinds;
mod objectives;
mod reference;
mod sections;
mod typed;
mod watch;
mod whole;
mod write;

use crate::{Mistake, Spec};

/// Sections that make any one section a whole declaration.
const SECTIONS: [(&str, &str); 4] = [
    (
        "fields",
        "user_id = { side = 'user', kind = 'id', dim = 4, buckets = 10 }\nvideo_id = { side = 'item', kind = 'id', dim = 4, buckets = 10 }",
    ),
    ("objectives", "click = { group = 'engagement', loss = 'binary' }"),
    ("model", "architecture = 'shared-bottom'\nshared = [8]"),
    ("score", "click = 1"),
];

/// Parses `text`, completed with those of [`SECTIONS`] that it lacks. Every mistake must be foretold on its line by a
/// comment `#~ message`, or `#~ message => help`; several on a line in the order of their keys.
#[track_caller]
fn check(text: &str) {
    check_bare(&completed(text));
}

/// As [`check`], with `text` alone.
#[track_caller]
fn check_bare(text: &str) {
    let mistakes = mistakes(text);
    let mut expected = Vec::new();
    for (line, typed) in text.lines().enumerate() {
        expected.extend(
            typed
                .split("#~")
                .skip(1)
                .map(|comment| format!("{}: {}", line + 1, comment.trim())),
        );
    }
    let found: Vec<String> = mistakes
        .iter()
        .enumerate()
        .map(|(index, mistake)| {
            let with_help = expected.get(index).is_some_and(|comment| comment.contains("=>"));
            let help = if with_help {
                format!(" => {}", mistake.help)
            } else {
                String::new()
            };
            format!("{}: {}{help}", mistake.line, mistake.message)
        })
        .collect();
    assert_eq!(found.join("\n"), expected.join("\n"), "in\n{text}");
}

/// The spec of `text`, completed as by [`check`].
#[track_caller]
fn spec(text: &str) -> Spec {
    Spec::parse("ranker.toml", &completed(text)).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// The mistakes of `text` alone.
fn mistakes(text: &str) -> Vec<Mistake> {
    match Spec::parse("ranker.toml", text) {
        Ok(_) => Vec::new(),
        Err(mistakes) => {
            assert!(
                !mistakes.mistakes.is_empty(),
                "an error without a mistake in\n{text}"
            );
            mistakes.mistakes
        }
    }
}

fn completed(text: &str) -> String {
    let mut completed = text.trim_start_matches('\n').to_owned();
    for (name, body) in SECTIONS {
        let declares =
            |line: &str| line.starts_with(&format!("[{name}]")) || line.starts_with(&format!("[{name}."));
        if !text.lines().any(declares) {
            completed.push_str(&format!("\n[{name}]\n{body}\n"));
        }
    }
    completed
}
