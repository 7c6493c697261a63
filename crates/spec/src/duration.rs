//! Durations as typed: a whole number and its unit, as `30m`.

/// Milliseconds of a text like `500ms`, `90s`, `30m`, `24h`, `7d`; `None` unless it is one, above 0 and at most ten years.
pub fn milliseconds(text: &str) -> Option<i64> {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = text.split_at(digits);
    let unit = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60 * 1000,
        "h" => 60 * 60 * 1000,
        "d" => DAY,
        _ => return None,
    };
    let duration = count.parse::<i64>().ok()?.checked_mul(unit)?;
    (1..=3650 * DAY).contains(&duration).then_some(duration)
}

#[cfg(test)]
mod tests {
    use super::milliseconds;

    #[test]
    fn a_duration_is_a_whole_number_and_a_unit() {
        for (text, expected) in [
            ("500ms", Some(500)),
            ("90s", Some(90_000)),
            ("30m", Some(1_800_000)),
            ("24h", Some(86_400_000)),
            ("7d", Some(604_800_000)),
            ("0s", None),
            ("-1s", None),
            ("1.5h", None),
            ("1w", None),
            ("30", None),
            ("m", None),
            ("", None),
            ("30 m", None),
            ("3651d", None),
            ("99999999999999999999d", None),
            ("9223372036854775807d", None),
        ] {
            assert_eq!(milliseconds(text), expected, "{text}");
        }
    }
}
