//! Sizes as typed: a whole number and its unit, as `512MiB`.

/// Bytes of a text like `512MiB`, `8GiB`, `20GB`, or `0`; `None` unless it is one, within 64 bits.
pub(crate) fn bytes(text: &str) -> Option<u64> {
    if text == "0" {
        return Some(0);
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = text.split_at(digits);
    let (base, power) = match unit {
        "kB" => (1000u64, 1),
        "MB" => (1000, 2),
        "GB" => (1000, 3),
        "TB" => (1000, 4),
        "KiB" => (1024, 1),
        "MiB" => (1024, 2),
        "GiB" => (1024, 3),
        "TiB" => (1024, 4),
        _ => return None,
    };
    count.parse::<u64>().ok()?.checked_mul(base.pow(power))
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn a_size_is_a_whole_number_and_a_unit_or_zero() {
        for (text, expected) in [
            ("0", Some(0)),
            ("0MB", Some(0)),
            ("3kB", Some(3_000)),
            ("3KiB", Some(3_072)),
            ("512MiB", Some(512 << 20)),
            ("20GB", Some(20_000_000_000)),
            ("1TiB", Some(1 << 40)),
            ("1TB", Some(1_000_000_000_000)),
            ("1", None),
            ("1.5GiB", None),
            ("1 GiB", None),
            ("-1GiB", None),
            ("GiB", None),
            ("1gib", None),
            ("", None),
            ("99999999TiB", None),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }
}
