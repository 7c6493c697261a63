//! The grammar of labels, by recursive descent: a comparison of sums of products of factors.
//!
//! In: text. Out: an [`Expression`], or at which byte what was found and what was expected.

use super::{Comparison, Expression};

/// Whether `text` can be a name without backticks: a letter or `_`, then letters, digits and `_`.
pub(crate) fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(starts_name) && characters.all(continues_name)
}

fn starts_name(character: char) -> bool {
    character.is_alphabetic() || character == '_'
}

fn continues_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

type Parsed = Result<Expression, (usize, String)>;

/// The text, and how far it is read.
pub(super) struct Parser<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
}

impl<'t> Parser<'t> {
    /// The next character that is no blank.
    pub(super) fn peek(&mut self) -> Option<char> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_whitespace()).len();
        self.text[self.at..].chars().next()
    }

    pub(super) fn expected(&mut self, what: &str) -> (usize, String) {
        let found = match self.peek() {
            Some(character) => format!("`{character}`"),
            None => "the end".to_owned(),
        };
        (self.at, format!("expected {what}, found {found}"))
    }

    pub(super) fn comparison(&mut self) -> Parsed {
        let left = self.sum()?;
        self.peek();
        let rest = &self.text[self.at..];
        let Some(comparison) = Comparison::ALL
            .into_iter()
            .find(|comparison| rest.starts_with(comparison.sign()))
        else {
            return Ok(left);
        };
        let at = self.at;
        self.at += comparison.sign().len();
        if !matches!(self.peek(), Some('\'' | '"')) {
            let right = self.sum()?;
            return Ok(Expression::Compare(comparison, Box::new(left), Box::new(right)));
        }
        let text = self.text()?;
        let (Expression::Name(name), Comparison::Equal | Comparison::Unequal) = (left, comparison) else {
            let expected = "expected `NAME == 'text'` or `NAME != 'text'`: a text compares with a name only";
            return Err((at, expected.to_owned()));
        };
        let is = Expression::Is(name, text);
        Ok(if comparison == Comparison::Equal {
            is
        } else {
            Expression::Subtract(Box::new(Expression::Number(1.0)), Box::new(is))
        })
    }

    /// A text in single or double quotes.
    fn text(&mut self) -> Result<String, (usize, String)> {
        let rest = &self.text[self.at..];
        let quote = if rest.starts_with('"') { '"' } else { '\'' };
        match rest[1..].split_once(quote) {
            Some((text, _)) => {
                self.at += text.len() + 2;
                Ok(text.to_owned())
            }
            None => Err((self.at, format!("expected the text to end with {quote}"))),
        }
    }

    fn sum(&mut self) -> Parsed {
        let mut left = self.product()?;
        loop {
            let join = match self.peek() {
                Some('+') => Expression::Add,
                Some('-') => Expression::Subtract,
                _ => return Ok(left),
            };
            self.at += 1;
            left = join(Box::new(left), Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Parsed {
        let mut left = self.factor()?;
        loop {
            let join = match self.peek() {
                Some('*') => Expression::Multiply,
                Some('/') => Expression::Divide,
                _ => return Ok(left),
            };
            self.at += 1;
            left = join(Box::new(left), Box::new(self.factor()?));
        }
    }

    fn factor(&mut self) -> Parsed {
        match self.peek() {
            Some('-') => {
                self.at += 1;
                Ok(Expression::Negate(Box::new(self.factor()?)))
            }
            Some('(') => {
                self.at += 1;
                let inner = self.comparison()?;
                if self.peek() != Some(')') {
                    return Err(self.expected("an operator or `)`"));
                }
                self.at += 1;
                Ok(inner)
            }
            Some('`') => self.quoted(),
            Some(first) if starts_name(first) => Ok(Expression::Name(self.take(continues_name).to_owned())),
            Some(first) if first.is_ascii_digit() || first == '.' => self.number(),
            _ => Err(self.expected("a number, a name, `-` or `(`")),
        }
    }

    /// Any name in backticks.
    fn quoted(&mut self) -> Parsed {
        let rest = &self.text[self.at + 1..];
        match rest.split_once('`') {
            Some((name, _)) if !name.is_empty() => {
                self.at += name.len() + 2;
                Ok(Expression::Name(name.to_owned()))
            }
            _ => Err((self.at, "expected a name between two backticks".to_owned())),
        }
    }

    fn number(&mut self) -> Parsed {
        let start = self.at;
        self.take(|c| c.is_ascii_digit() || c == '.');
        if self.text[self.at..].starts_with(['e', 'E']) {
            self.at += 1;
            if self.text[self.at..].starts_with(['+', '-']) {
                self.at += 1;
            }
            self.take(|c| c.is_ascii_digit());
        }
        let typed = &self.text[start..self.at];
        match typed.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Expression::Number(number)),
            _ => Err((start, format!("expected a number, found `{typed}`"))),
        }
    }

    fn take(&mut self, belongs: impl Fn(char) -> bool) -> &'t str {
        let rest = &self.text[self.at..];
        let taken = rest.len() - rest.trim_start_matches(belongs).len();
        self.at += taken;
        &rest[..taken]
    }
}
