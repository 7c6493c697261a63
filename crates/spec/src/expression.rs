//! The small grammar of labels: numbers, names, `+ - * /`, unary minus, parentheses, comparisons, and `name == 'text'`.
//!
//! In: text, then a value for each name. Out: an [`Expression`], then a number or `None` (not observed).

mod parser;

use std::fmt;

use parser::Parser;
pub(crate) use parser::is_name;

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

#[cfg(test)]
mod tests;
