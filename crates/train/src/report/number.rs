//! How numbers are written.

use maud::{Markup, html};

/// In place of a number that there is none of.
const NONE: &str = "–";

/// `decimals` after the point; a dash where there is no finite number.
pub(super) fn decimal(value: Option<f64>, decimals: usize) -> String {
    match value.filter(|value| value.is_finite()) {
        None => NONE.to_owned(),
        // Four decimals of a rate in a million say nothing.
        Some(value) if value != 0.0 && value.abs() < 0.5 * 0.1_f64.powi(decimals as i32) => {
            format!("{value:.1e}")
        }
        Some(value) => format!("{value:.decimals$}"),
    }
}

/// A count, its thousands set apart: `1,234,567`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// As 12.5 %.
pub(super) fn percent(share: f64) -> String {
    if share.is_finite() {
        format!("{:.1} %", 100.0 * share)
    } else {
        NONE.to_owned()
    }
}

/// `one thing`, `two things`.
pub(super) fn plural(count: usize, thing: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {thing}{ending}", self::count(count as u64))
}

/// A bar of parts, each a share of the whole, side by side.
pub(super) fn bar(shares: &[f64]) -> Markup {
    html! {
        span.bar {
            @for share in shares.iter().filter(|share| share.is_finite()) {
                i style={ "width:" (format!("{:.1}", 100.0 * share.clamp(0.0, 1.0))) "%" } {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_a_reader_expects_them() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(count),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(decimal(Some(0.123_456), 4), "0.1235");
        assert_eq!(decimal(Some(0.0), 4), "0.0000");
        assert_eq!(decimal(Some(3.2e-6), 4), "3.2e-6");
        assert_eq!(
            [None, Some(f64::NAN), Some(f64::INFINITY)].map(|value| decimal(value, 4)),
            [NONE; 3]
        );
        assert_eq!(percent(0.125), "12.5 %");
        assert_eq!([plural(1, "row"), plural(1200, "row")], ["1 row", "1,200 rows"]);
        assert!(
            bar(&[0.5, f64::NAN, 7.0])
                .into_string()
                .contains("width:50.0%\"></i><i style=\"width:100.0%\"")
        );
    }
}
