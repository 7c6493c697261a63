//! The small grammar of labels: numbers, names, `+ - * /`, unary minus and parentheses.
//!
//! In: text, then a value for each name. Out: an [`Expression`], then a number or `None` (not observed).

use std::fmt;

/// Longest text of an expression, in bytes. It bounds the depth of the tree, and so the recursion over it.
const LONGEST: usize = 1000;

/// A parsed expression over named values.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// A constant.
    Number(f64),
    /// A named value.
    Name(String),
    /// `-a`
    Negate(Box<Expression>),
    /// `a + b`
    Add(Box<Expression>, Box<Expression>),
    /// `a - b`
    Subtract(Box<Expression>, Box<Expression>),
    /// `a * b`
    Multiply(Box<Expression>, Box<Expression>),
    /// `a / b`; not observed where b is 0.
    Divide(Box<Expression>, Box<Expression>),
}

impl Expression {
    /// Parses `text`, at most 1000 bytes. The error says what was found, and at which byte of `text`.
    ///
    /// # Errors
    /// `(byte offset, message)`.
    pub fn parse(text: &str) -> Result<Expression, (usize, String)> {
        if text.len() > LONGEST {
            return Err((
                LONGEST,
                format!("expected at most {LONGEST} bytes, found {}", text.len()),
            ));
        }
        let mut parser = Parser { text, at: 0 };
        let expression = parser.sum()?;
        match parser.peek() {
            None => Ok(expression),
            Some(_) => Err(parser.expected("an operator or the end")),
        }
    }

    /// Its value, or `None` (not observed) where a name has none, a denominator is 0 or a result, also of a part, is not finite.
    pub fn evaluate(&self, value: &mut dyn FnMut(&str) -> Option<f64>) -> Option<f64> {
        let result = match self {
            Expression::Number(number) => *number,
            Expression::Name(name) => value(name)?,
            Expression::Negate(a) => -a.evaluate(value)?,
            Expression::Add(a, b) => a.evaluate(value)? + b.evaluate(value)?,
            Expression::Subtract(a, b) => a.evaluate(value)? - b.evaluate(value)?,
            Expression::Multiply(a, b) => a.evaluate(value)? * b.evaluate(value)?,
            // A denominator of 0 gives an infinity or NaN, which the last line turns into "not observed".
            Expression::Divide(a, b) => a.evaluate(value)? / b.evaluate(value)?,
        };
        result.is_finite().then_some(result)
    }

    /// The names in it, in order of appearance, each once.
    pub fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.collect_names(&mut names);
        names
    }

    fn collect_names<'e>(&'e self, names: &mut Vec<&'e str>) {
        match self {
            Expression::Number(_) => {}
            Expression::Name(name) => {
                if !names.contains(&name.as_str()) {
                    names.push(name);
                }
            }
            Expression::Negate(a) => a.collect_names(names),
            Expression::Add(a, b)
            | Expression::Subtract(a, b)
            | Expression::Multiply(a, b)
            | Expression::Divide(a, b) => {
                a.collect_names(names);
                b.collect_names(names);
            }
        }
    }
}

/// The text that parses to the same values; every operation in parentheses.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expression::Number(number) => write!(f, "{number:?}"),
            Expression::Name(name) => write!(f, "{name}"),
            Expression::Negate(a) => write!(f, "(-{a})"),
            Expression::Add(a, b) => write!(f, "({a} + {b})"),
            Expression::Subtract(a, b) => write!(f, "({a} - {b})"),
            Expression::Multiply(a, b) => write!(f, "({a} * {b})"),
            Expression::Divide(a, b) => write!(f, "({a} / {b})"),
        }
    }
}

/// Whether `text` can be a name: a letter or `_`, then letters, digits and `_`.
pub(crate) fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(starts_name) && bytes.all(continues_name)
}

fn starts_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

fn continues_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

type Parsed = Result<Expression, (usize, String)>;

/// Recursive descent: a sum of products of factors.
struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Parser<'t> {
    /// The next byte that is no blank.
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.text.as_bytes().get(self.at).copied()
    }

    fn expected(&mut self, what: &str) -> (usize, String) {
        let found = match self
            .peek()
            .and_then(|_| self.text.get(self.at..))
            .and_then(|rest| rest.chars().next())
        {
            Some(character) => format!("`{character}`"),
            None => "the end".to_owned(),
        };
        (self.at, format!("expected {what}, found {found}"))
    }

    fn sum(&mut self) -> Parsed {
        let mut left = self.product()?;
        loop {
            let join = match self.peek() {
                Some(b'+') => Expression::Add,
                Some(b'-') => Expression::Subtract,
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
                Some(b'*') => Expression::Multiply,
                Some(b'/') => Expression::Divide,
                _ => return Ok(left),
            };
            self.at += 1;
            left = join(Box::new(left), Box::new(self.factor()?));
        }
    }

    fn factor(&mut self) -> Parsed {
        match self.peek() {
            Some(b'-') => {
                self.at += 1;
                Ok(Expression::Negate(Box::new(self.factor()?)))
            }
            Some(b'(') => {
                self.at += 1;
                let inner = self.sum()?;
                if self.peek() != Some(b')') {
                    return Err(self.expected("an operator or `)`"));
                }
                self.at += 1;
                Ok(inner)
            }
            Some(byte) if starts_name(byte) => Ok(Expression::Name(self.take(continues_name).to_owned())),
            Some(byte) if byte.is_ascii_digit() || byte == b'.' => self.number(),
            _ => Err(self.expected("a number, a name, `-` or `(`")),
        }
    }

    fn number(&mut self) -> Parsed {
        let start = self.at;
        self.take(|byte| byte.is_ascii_digit() || byte == b'.');
        if matches!(self.text.as_bytes().get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.text.as_bytes().get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.take(|byte| byte.is_ascii_digit());
        }
        let typed = &self.text[start..self.at];
        match typed.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Expression::Number(number)),
            _ => Err((start, format!("expected a number, found `{typed}`"))),
        }
    }

    fn take(&mut self, belongs: impl Fn(u8) -> bool) -> &'t str {
        let start = self.at;
        self.at += self.text.as_bytes()[start..]
            .iter()
            .take_while(|byte| belongs(**byte))
            .count();
        &self.text[start..self.at]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Option<f64>) {
        let expression = Expression::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let value = expression.evaluate(&mut |name| match name {
            "a" => Some(3.0),
            "b" => Some(4.0),
            "zero" => Some(0.0),
            "big" => Some(1e300),
            "nan" => Some(f64::NAN),
            _ => None,
        });
        assert_eq!(value, expected, "{text}");
    }

    #[test]
    fn operators_bind_as_in_arithmetic() {
        check("a + b * 2", Some(11.0));
        check("(a + b) * 2", Some(14.0));
        check("10 - a - b", Some(3.0));
        check("12 / a / b", Some(1.0));
        check("-a * b", Some(-12.0));
        check("a - -b", Some(7.0));
        check("--a", Some(3.0));
        check(" a\t/b ", Some(0.75));
        check("1.5e1 + .5", Some(15.5));
        check("2E-1", Some(0.2));
    }

    #[test]
    fn a_missing_name_a_zero_denominator_and_an_infinite_part_are_not_observed() {
        check("a + unknown", None);
        check("a / zero", None);
        check("zero / zero", None);
        check("a / -zero", None);
        check("nan", None);
        check("1 / (big * big)", None);
    }

    #[test]
    fn an_error_says_what_was_found_and_where() {
        let error = |text: &str| Expression::parse(text).expect_err(text);
        let start = "a number, a name, `-` or `(`";
        assert_eq!(error(""), (0, format!("expected {start}, found the end")));
        assert_eq!(error("a +"), (3, format!("expected {start}, found the end")));
        assert_eq!(error("a + *"), (4, format!("expected {start}, found `*`")));
        assert_eq!(
            error("a b"),
            (2, "expected an operator or the end, found `b`".to_owned())
        );
        assert_eq!(
            error("(a"),
            (2, "expected an operator or `)`, found the end".to_owned())
        );
        assert_eq!(
            error("a)"),
            (1, "expected an operator or the end, found `)`".to_owned())
        );
        assert_eq!(error("1.2.3"), (0, "expected a number, found `1.2.3`".to_owned()));
        assert_eq!(error("2 * 1e"), (4, "expected a number, found `1e`".to_owned()));
        assert_eq!(error("1e999"), (0, "expected a number, found `1e999`".to_owned()));
        assert_eq!(
            error("a é"),
            (2, "expected an operator or the end, found `é`".to_owned())
        );
        assert_eq!(
            error(&"(".repeat(2000)).1,
            "expected at most 1000 bytes, found 2000"
        );
        assert!(Expression::parse(&format!("{}a", "-".repeat(999))).is_ok());
    }

    #[test]
    fn names_come_in_order_of_appearance_each_once() {
        let expression = Expression::parse("(b + a) / b * -c + 1").unwrap();
        assert_eq!(expression.names(), ["b", "a", "c"]);
    }

    fn tree() -> impl Strategy<Value = Expression> {
        let leaf = prop_oneof![
            (-1e6..1e6f64).prop_map(Expression::Number),
            "[a-z_][a-z0-9_]{0,3}".prop_map(Expression::Name),
        ];
        leaf.prop_recursive(5, 24, 2, |inner| {
            let pair = (inner.clone(), inner.clone()).prop_map(|(a, b)| (Box::new(a), Box::new(b)));
            prop_oneof![
                inner.prop_map(|a| Expression::Negate(Box::new(a))),
                pair.clone().prop_map(|(a, b)| Expression::Add(a, b)),
                pair.clone().prop_map(|(a, b)| Expression::Subtract(a, b)),
                pair.clone().prop_map(|(a, b)| Expression::Multiply(a, b)),
                pair.prop_map(|(a, b)| Expression::Divide(a, b)),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_printed_tree_parses_to_the_same_values(tree in tree()) {
            let parsed = Expression::parse(&tree.to_string()).unwrap();
            // Any value for a name will do: its length and first letter, 0 among them.
            let mut value = |name: &str| Some(name.len() as f64 * f64::from(name.as_bytes()[0]) - 97.0);
            prop_assert_eq!(parsed.evaluate(&mut value), tree.evaluate(&mut value));
            prop_assert_eq!(parsed.names(), tree.names());
        }

        #[test]
        fn no_text_makes_the_parser_fail_otherwise_than_by_an_error(text in any::<String>()) {
            let _ = Expression::parse(&text);
        }
    }
}
