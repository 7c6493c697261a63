//! Mistakes of a declaration: where, what was found, what was expected.

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Line, from 1.
    pub line: usize,
    /// The dotted path of the key, as `objectives.click.label`.
    pub path: String,
    /// What is wrong and what was found: lower case, names in backquotes, no full stop.
    pub message: String,
    /// What was expected, the nearest known name, or what to do.
    pub help: String,
}

/// All mistakes of one declaration, in the order of lines; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .mistakes.iter().map(|m| format!("{file}:{}: {}\n  at {}\n  {}", m.line, m.message, m.path, m.help)).collect::<Vec<_>>().join("\n"))]
pub struct Mistakes {
    /// The file's name as given to `Spec::parse`.
    pub file: String,
    /// The mistakes.
    pub mistakes: Vec<Mistake>,
}
