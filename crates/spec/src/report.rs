//! The collector of mistakes: raw and check both add to it, so that all of them come out at once.
//!
//! In: places and messages. Out: [`Mistakes`] in the order of the text, and the knowledge of which keys were already blamed, so
//! that one slip is reported once and not again by everything that depends on it.

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::{Mistake, Mistakes, Spec};

/// Where something was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Byte offset of its key in the text.
    pub(crate) offset: usize,
    /// Dotted path of its key.
    pub(crate) path: String,
}

impl Place {
    /// The last part of the path.
    pub(crate) fn key(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or(&self.path)
    }

    /// The path of `key` in the table at this place.
    pub(crate) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// The place of `key`, which is missing from the table at this place.
    pub(crate) fn missing(&self, key: &str) -> Place {
        Place {
            offset: self.offset,
            path: self.path_of(key),
        }
    }
}

/// A value as typed, and where.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct At<T> {
    /// The value.
    pub(crate) value: T,
    /// Its place.
    pub(crate) place: Place,
}

/// Mistakes found so far.
#[derive(Debug)]
pub(crate) struct Report<'t> {
    file: &'t str,
    line_starts: Vec<usize>,
    found: RefCell<Vec<(usize, Mistake)>>,
    excused: RefCell<BTreeSet<String>>,
}

impl<'t> Report<'t> {
    /// An empty report on `text`.
    pub(crate) fn new(file: &'t str, text: &str) -> Report<'t> {
        let ends = text
            .bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'\n')
            .map(|(at, _)| at + 1);
        Report {
            file,
            line_starts: std::iter::once(0).chain(ends).collect(),
            found: RefCell::default(),
            excused: RefCell::default(),
        }
    }

    /// Adds a mistake.
    pub(crate) fn add(&self, place: &Place, message: impl Into<String>, help: impl Into<String>) {
        let line = self.line_starts.partition_point(|start| *start <= place.offset);
        let (message, help) = (message.into(), help.into());
        let mistake = Mistake {
            line,
            path: place.path.clone(),
            message,
            help,
        };
        self.found.borrow_mut().push((place.offset, mistake));
    }

    /// Adds "`key` is missing" to the table at `place`, unless the key was blamed already.
    pub(crate) fn missing(&self, place: &Place, key: &str, help: impl Into<String>) {
        let place = place.missing(key);
        if !self.blames(&place.path) {
            self.add(&place, format!("`{key}` is missing"), help);
        }
    }

    /// Treats the key at `path` and all below it as blamed: what was typed in its stead has been reported.
    pub(crate) fn excuse(&self, path: String) {
        self.excused.borrow_mut().insert(path);
    }

    /// Whether a mistake was found at `path` or below it, or `path` is excused.
    pub(crate) fn blames(&self, path: &str) -> bool {
        let found = self.found.borrow();
        let excused = self.excused.borrow();
        found.iter().any(|(_, mistake)| covers(path, &mistake.path))
            || excused
                .iter()
                .any(|excused| covers(path, excused) || covers(excused, path))
    }

    /// The declaration if nothing was wrong, else all mistakes in the order of the text.
    pub(crate) fn finish(self, spec: Option<Spec>) -> Result<Spec, Mistakes> {
        let mut found = self.found.into_inner();
        match spec {
            Some(spec) if found.is_empty() => Ok(spec),
            _ => {
                found.sort_by_key(|(offset, _)| *offset);
                let mistakes = found.into_iter().map(|(_, mistake)| mistake).collect();
                Err(Mistakes {
                    file: self.file.to_owned(),
                    mistakes,
                })
            }
        }
    }
}

/// Whether `below` is `path` or a path below it.
fn covers(path: &str, below: &str) -> bool {
    below
        .strip_prefix(path)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
