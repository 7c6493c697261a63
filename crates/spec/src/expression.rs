//! The small grammar of labels: numbers, names, `+ - * /`, unary minus, parentheses, comparisons, and `name == 'text'`.
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
    /// `a < b` and the like: 1 where it holds, else 0.
    Compare(Comparison, Box<Expression>, Box<Expression>),
    /// `name == 'text'`: 1 where the named value is that text, 0 where it is another; not observed where it is missing.
    Is(String, String),
}

/// How two numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

/// What an expression asks of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Input<'e> {
    /// The number of this name.
    Number(&'e str),
    /// Whether the text of this name is this one: 1 or 0.
    Is(&'e str, &'e str),
}

impl<'e> Input<'e> {
    /// The name.
    pub fn name(self) -> &'e str {
        match self {
            Input::Number(name) | Input::Is(name, _) => name,
        }
    }
}

impl Comparison {
    const ALL: [Comparison; 6] = [
        Comparison::Equal,
        Comparison::Unequal,
        // Two characters before one: `<=` is no `<`.
        Comparison::AtMost,
        Comparison::AtLeast,
        Comparison::Below,
        Comparison::Above,
    ];

    fn sign(self) -> &'static str {
        match self {
            Comparison::Equal => "==",
            Comparison::Unequal => "!=",
            Comparison::Below => "<",
            Comparison::AtMost => "<=",
            Comparison::Above => ">",
            Comparison::AtLeast => ">=",
        }
    }

    fn holds(self, a: f64, b: f64) -> bool {
        match self {
            Comparison::Equal => a == b,
            Comparison::Unequal => a != b,
            Comparison::Below => a < b,
            Comparison::AtMost => a <= b,
            Comparison::Above => a > b,
            Comparison::AtLeast => a >= b,
        }
    }
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
        let expression = parser.comparison()?;
        match parser.peek() {
            None => Ok(expression),
            Some(_) => Err(parser.expected("an operator or the end")),
        }
    }

    /// Its value, or `None` (not observed) where a name has none, a denominator is 0 or a result, also of a part, is not finite.
    pub fn evaluate(&self, value: &mut dyn FnMut(Input) -> Option<f64>) -> Option<f64> {
        let result = match self {
            Expression::Number(number) => *number,
            Expression::Name(name) => value(Input::Number(name))?,
            Expression::Is(name, text) => value(Input::Is(name, text))?,
            Expression::Compare(comparison, a, b) => {
                let holds = comparison.holds(a.evaluate(value)?, b.evaluate(value)?);
                f64::from(u8::from(holds))
            }
            Expression::Negate(a) => -a.evaluate(value)?,
            Expression::Add(a, b) => a.evaluate(value)? + b.evaluate(value)?,
            Expression::Subtract(a, b) => a.evaluate(value)? - b.evaluate(value)?,
            Expression::Multiply(a, b) => a.evaluate(value)? * b.evaluate(value)?,
            // A denominator of 0 gives an infinity or NaN, which the last line turns into "not observed".
            Expression::Divide(a, b) => a.evaluate(value)? / b.evaluate(value)?,
        };
        result.is_finite().then_some(result)
    }

    /// What it asks of a row, in order of appearance, each once.
    pub fn inputs(&self) -> Vec<Input<'_>> {
        let mut inputs = Vec::new();
        self.collect_inputs(&mut inputs);
        inputs
    }

    /// The names in it, in order of appearance, each once.
    pub fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for input in self.inputs() {
            if !names.contains(&input.name()) {
                names.push(input.name());
            }
        }
        names
    }

    fn collect_inputs<'e>(&'e self, inputs: &mut Vec<Input<'e>>) {
        let input = match self {
            Expression::Number(_) => return,
            Expression::Name(name) => Input::Number(name),
            Expression::Is(name, text) => Input::Is(name, text),
            Expression::Negate(a) => return a.collect_inputs(inputs),
            Expression::Add(a, b)
            | Expression::Subtract(a, b)
            | Expression::Multiply(a, b)
            | Expression::Divide(a, b)
            | Expression::Compare(_, a, b) => {
                a.collect_inputs(inputs);
                return b.collect_inputs(inputs);
            }
        };
        if !inputs.contains(&input) {
            inputs.push(input);
        }
    }
}

/// The text that parses to the same values; every operation in parentheses.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expression::Number(number) => write!(f, "{number:?}"),
            Expression::Name(name) if is_name(name) => write!(f, "{name}"),
            Expression::Name(name) => write!(f, "`{name}`"),
            Expression::Is(name, text) => {
                let quote = if text.contains('\'') { '"' } else { '\'' };
                write!(f, "({} == {quote}{text}{quote})", Expression::Name(name.clone()))
            }
            Expression::Compare(comparison, a, b) => write!(f, "({a} {} {b})", comparison.sign()),
            Expression::Negate(a) => write!(f, "(-{a})"),
            Expression::Add(a, b) => write!(f, "({a} + {b})"),
            Expression::Subtract(a, b) => write!(f, "({a} - {b})"),
            Expression::Multiply(a, b) => write!(f, "({a} * {b})"),
            Expression::Divide(a, b) => write!(f, "({a} / {b})"),
        }
    }
}

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

/// Recursive descent: a sum of products of factors.
struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Parser<'t> {
    /// The next character that is no blank.
    fn peek(&mut self) -> Option<char> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_whitespace()).len();
        self.text[self.at..].chars().next()
    }

    fn expected(&mut self, what: &str) -> (usize, String) {
        let found = match self.peek() {
            Some(character) => format!("`{character}`"),
            None => "the end".to_owned(),
        };
        (self.at, format!("expected {what}, found {found}"))
    }

    fn comparison(&mut self) -> Parsed {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Option<f64>) {
        let expression = Expression::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let value = expression.evaluate(&mut |input| match input.name() {
            "city" => match input {
                Input::Is(_, text) => Some(f64::from(u8::from(text == "New York"))),
                Input::Number(_) => None,
            },
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
    fn comparisons_are_one_or_zero_and_bind_last() {
        check("a + 1 >= b", Some(1.0));
        check("a < 3", Some(0.0));
        check("(a <= 3) + (b != 4)", Some(1.0));
        check("a == 3", Some(1.0));
        check("a > unknown", None);
        check("city == 'New York'", Some(1.0));
        check("city == \"Paris\"", Some(0.0));
        check("1 - (city != 'New York')", Some(1.0));
        assert!(Expression::parse("a + 1 == 'x'").is_err());
        assert!(Expression::parse("city < 'x'").is_err());
        assert!(Expression::parse("city == 'x").is_err());
        assert!(Expression::parse("a = 1").is_err());
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
            error("a + `b"),
            (4, "expected a name between two backticks".to_owned())
        );
        assert_eq!(
            error("a €"),
            (2, "expected an operator or the end, found `€`".to_owned())
        );
        assert_eq!(
            error(&"(".repeat(2000)).1,
            "expected at most 1000 bytes, found 2000"
        );
        assert!(Expression::parse(&format!("{}a", "-".repeat(999))).is_ok());
    }

    #[test]
    fn names_may_be_of_any_script_and_with_backticks_of_any_characters() {
        let expression = Expression::parse("点击 + `user-item rate.0` / größe").unwrap();
        assert_eq!(expression.names(), ["点击", "user-item rate.0", "größe"]);
        assert_eq!(Expression::parse(&expression.to_string()).unwrap(), expression);
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
            ("[a-z]{1,3}", "[a-z' ]{0,5}").prop_map(|(name, text)| Expression::Is(name, text)),
        ];
        leaf.prop_recursive(5, 24, 2, |inner| {
            let pair = (inner.clone(), inner.clone()).prop_map(|(a, b)| (Box::new(a), Box::new(b)));
            prop_oneof![
                inner.prop_map(|a| Expression::Negate(Box::new(a))),
                pair.clone().prop_map(|(a, b)| Expression::Add(a, b)),
                pair.clone().prop_map(|(a, b)| Expression::Subtract(a, b)),
                pair.clone().prop_map(|(a, b)| Expression::Multiply(a, b)),
                pair.clone().prop_map(|(a, b)| Expression::Divide(a, b)),
                pair.prop_map(|(a, b)| Expression::Compare(Comparison::AtMost, a, b)),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_printed_tree_parses_to_the_same_values(tree in tree()) {
            let parsed = Expression::parse(&tree.to_string()).unwrap();
            // Any value for a name will do: its length and first letter, 0 among them.
            let mut value = |input: Input| {
                let name = input.name();
                Some(name.len() as f64 * f64::from(name.as_bytes()[0]) - 97.0)
            };
            prop_assert_eq!(parsed.evaluate(&mut value), tree.evaluate(&mut value));
            prop_assert_eq!(parsed.names(), tree.names());
        }

        #[test]
        fn no_text_makes_the_parser_fail_otherwise_than_by_an_error(text in any::<String>()) {
            let _ = Expression::parse(&text);
        }
    }
}
