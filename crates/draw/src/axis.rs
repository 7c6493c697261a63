//! An axis: the range that holds all values, and how its numbers are written.

use std::ops::Range;

/// The range of `values`, with `margin` (a share of it) at both ends; never empty, `0..1` where there are no values.
pub(crate) fn range(values: impl Iterator<Item = f64>, margin: f64) -> Range<f64> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values {
        low = low.min(value);
        high = high.max(value);
    }
    if low > high {
        return 0.0..1.0;
    }
    // Below this the ticks could not be told apart in double precision.
    let least = (low.abs().max(high.abs()) * 1e-6).max(1e-12);
    let padding = if high - low < least {
        least.max(low.abs() * 0.05)
    } else {
        (high - low) * margin
    };
    low - padding..high + padding
}

/// At most six significant digits, no trailing zeros.
pub(crate) fn tick(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e6).contains(&size) {
        let text = format!("{value:.5e}");
        return match text.split_once('e') {
            Some((digits, exponent)) => format!("{}e{exponent}", trim(digits)),
            None => text,
        };
    }
    let before = if size < 1.0 { 0 } else { size.log10() as usize + 1 };
    let text = trim(&format!("{value:.*}", 6 - before.min(6))).to_owned();
    if text == "-0" { "0".to_owned() } else { text }
}

fn trim(digits: &str) -> &str {
    if digits.contains('.') {
        digits.trim_end_matches('0').trim_end_matches('.')
    } else {
        digits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_its_values_and_is_never_empty() {
        assert_eq!(range([].into_iter(), 0.1), 0.0..1.0);
        assert_eq!(range([0.0, 10.0].into_iter(), 0.1), -1.0..11.0);
        for value in [0.0, 3.0, -3.0, 1e-300, 1e300, 1e15] {
            let range = range([value].into_iter(), 0.0);
            assert!(range.start < value && value < range.end, "{value}: {range:?}");
        }
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (0.1 + 0.2, "0.3"),
            (100.0, "100"),
            (-12.5, "-12.5"),
            (123_456.789, "123457"),
            (1e6, "1e6"),
            (2.5e7, "2.5e7"),
            (1e-5, "1e-5"),
            (-3.25e-9, "-3.25e-9"),
            (0.000_1, "0.0001"),
        ] {
            assert_eq!(tick(value), text);
        }
    }
}
