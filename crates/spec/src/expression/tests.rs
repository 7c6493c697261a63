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
