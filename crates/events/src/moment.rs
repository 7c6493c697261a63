//! Times and what is derived from them: ages in hours, hours of the day, weekdays. One implementation, in flat files and
//! online. In: ms since 1970 or ISO 8601 texts. Out: numbers and ids.

use chrono::NaiveDate;
use spec::{Keys, Source};

use crate::{Fields, Value};

/// Hours from `then_ms` to `now_ms` (both since 1970); `None` where `then_ms` is later: what is shown was there before.
pub fn since_hours(then_ms: i64, now_ms: i64) -> Option<f32> {
    let age = now_ms.checked_sub(then_ms).filter(|age| *age >= 0)?;
    Some((age as f64 / 3_600_000.0) as f32)
}

/// The time (ms since 1970) of an ISO 8601 date or date-time: `T` or a blank before the time, seconds and their fraction
/// may be left out, then an offset or `Z`; without one it is UTC. A date alone is its midnight.
pub fn parse_time(text: &str) -> Option<i64> {
    let mut rest = text.trim();
    let (year, month, day) = (
        digits(&mut rest, 4)?,
        after(&mut rest, "-").and_then(|()| digits(&mut rest, 2))?,
        after(&mut rest, "-").and_then(|()| digits(&mut rest, 2))?,
    );
    let date = NaiveDate::from_ymd_opt(
        i32::try_from(year).ok()?,
        month.try_into().ok()?,
        day.try_into().ok()?,
    )?;
    let midnight = date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis();
    if rest.is_empty() {
        return Some(midnight);
    }
    rest = rest.strip_prefix(['T', 't', ' '])?.trim_start();
    let hour = digits(&mut rest, 2).filter(|hour| *hour < 24)?;
    after(&mut rest, ":")?;
    let minute = digits(&mut rest, 2).filter(|minute| *minute < 60)?;
    let mut ms = midnight + (hour * 60 + minute) * 60_000;
    if after(&mut rest, ":").is_some() {
        // 60: a leap second.
        ms += digits(&mut rest, 2).filter(|second| *second <= 60)? * 1_000;
        if let Some(fraction) = rest.strip_prefix(['.', ',']) {
            let end = fraction
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(fraction.len());
            let (fraction, after) = fraction.split_at(end);
            let thousandths = fraction.bytes().chain([b'0'; 3]).take(3);
            ms += thousandths.fold(0, |ms, digit| ms * 10 + i64::from(digit - b'0'));
            rest = (end > 0).then_some(after)?;
        }
    }
    Some(ms - offset_minutes(rest.trim_start())? * 60_000)
}

/// Minutes that an offset is ahead of UTC: nothing, `Z`, `UTC`, `+02`, `+0200`, `+02:00`.
fn offset_minutes(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.split_at_checked(1) {
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        _ => return ["", "Z", "z", "UTC"].contains(&text).then_some(0),
    };
    let hours = digits(&mut rest, 2).filter(|hours| *hours < 24)?;
    if rest.is_empty() {
        return Some(sign * hours * 60);
    }
    rest = rest.strip_prefix(':').unwrap_or(rest);
    let minutes = digits(&mut rest, 2).filter(|minutes| *minutes < 60)?;
    rest.is_empty().then_some(sign * (hours * 60 + minutes))
}

/// The number of exactly `count` digits that `rest` begins with; `rest` goes on behind them.
fn digits(rest: &mut &str, count: usize) -> Option<i64> {
    let (digits, after) = rest.split_at_checked(count)?;
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    *rest = after;
    digits.parse().ok()
}

fn after(rest: &mut &str, mark: &str) -> Option<()> {
    *rest = rest.strip_prefix(mark)?;
    Some(())
}

/// The time (ms since 1970) that a catalogue entry holds: a number of ms, or an ISO 8601 text.
pub fn time_of(value: &Value) -> Option<i64> {
    match value {
        Value::Number(ms) if ms.is_finite() => Some(ms.floor() as i64),
        Value::Text(text) => parse_time(text),
        _ => None,
    }
}

/// The value of a field whose `source` is [`Source::Since`] or [`Source::Part`], at `now_ms` (since 1970), for the catalogue
/// entry of the field's side; `None` where the time is unknown or later, and for every other source.
pub fn derived_from_time(keys: &Keys, source: &Source, entry: Option<&Fields>, now_ms: i64) -> Option<Value> {
    let time = |attribute: &String| time_of(entry?.get(attribute)?);
    match source {
        Source::Since { attribute } => {
            let hours = since_hours(time(attribute)?, now_ms)?;
            Some(Value::Number(f64::from(hours)))
        }
        Source::Part { part, of } => {
            let time = of.as_ref().map_or(Some(now_ms), time)?;
            Some(Value::Text(part.at(time, keys.utc_offset_minutes)))
        }
        Source::Given | Source::History { .. } | Source::Rate { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use spec::TimePart;

    use super::*;
    use crate::tests::{HOUR, fields, spec, text};

    /// 2024-05-31 14:00:00 UTC.
    const AFTERNOON: i64 = 1_717_164_000_000;

    #[test]
    fn iso_8601_reads_with_t_or_blank_with_fractions_and_with_an_offset_or_as_utc() {
        for same in [
            "2024-05-31T14:00:00Z",
            "2024-05-31 14:00:00",
            " 2024-05-31t14:00 ",
            "2024-05-31 14:00:00.000",
            "2024-05-31 14:00:00 UTC",
            "2024-05-31T16:00:00+02:00",
            "2024-05-31 08:30:00 -0530",
            "2024-06-01T04:00:00,0000+14",
        ] {
            assert_eq!(parse_time(same), Some(AFTERNOON), "{same}");
        }
        assert_eq!(parse_time("2024-05-31"), Some(AFTERNOON - 14 * HOUR));
        assert_eq!(parse_time("2024-05-31 14:00:01.5"), Some(AFTERNOON + 1_500));
        assert_eq!(parse_time("2024-05-31 14:00:00.123999Z"), Some(AFTERNOON + 123));
        assert_eq!(parse_time("1969-12-31T23:59:59.999Z"), Some(-1));
    }

    #[test]
    fn what_is_no_iso_8601_time_is_none() {
        for text in [
            "",
            "2024",
            "2024-5-31",
            "2024-02-30",
            "31/05/2024",
            "20240531",
            "2024-05-31 24:00",
            "2024-05-31T14:60",
            "2024-05-31T14",
            "2024-05-31 14:00:00.",
            "2024-05-31 14:00:00+2",
            "2024-05-31 14:00:00 CEST",
            "2024-05-31 14:00:00+02:00x",
            "2024-05-31é",
            "٢٠٢٤-05-31",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_time_reads_back_from_its_text(seconds in -60_000_000_000i64..200_000_000_000, ms in 0..1000i64) {
            let time = chrono::DateTime::from_timestamp_millis(seconds * 1000 + ms).unwrap();
            prop_assert_eq!(parse_time(&time.to_rfc3339()), Some(seconds * 1000 + ms));
        }

        #[test]
        fn no_text_is_a_crash(text in ".{0,40}", tail in "2024-05-31[ T][0-9:.+Z-]{0,14}") {
            let _ = (parse_time(&text), parse_time(&tail));
        }
    }

    #[test]
    fn an_age_is_in_hours_and_none_where_the_time_is_still_to_come() {
        assert_eq!(since_hours(0, 90 * 60_000), Some(1.5));
        assert_eq!(since_hours(5, 5), Some(0.0));
        assert_eq!(since_hours(6, 5), None);
        assert_eq!(since_hours(i64::MIN, i64::MAX), None);
    }

    #[test]
    fn values_derive_from_the_entry_of_the_catalogue_and_the_time_of_the_request() {
        let mut keys = spec().keys;
        keys.utc_offset_minutes = 120;
        let since = Source::Since {
            attribute: "uploaded_at".into(),
        };
        let entry = |value| fields([("uploaded_at", value)]);
        let hours = |value| derived_from_time(&keys, &since, Some(&entry(value)), AFTERNOON);
        assert_eq!(hours(text("2024-05-31 12:00")), Some(Value::Number(2.0)));
        assert_eq!(
            hours(Value::Number((AFTERNOON - HOUR) as f64)),
            Some(Value::Number(1.0))
        );
        assert_eq!(hours(Value::Number((AFTERNOON + 1) as f64)), None);
        assert_eq!(hours(text("yesterday")), None);
        assert_eq!(derived_from_time(&keys, &since, None, AFTERNOON), None);

        let part = |part, of: Option<&str>| Source::Part {
            part,
            of: of.map(str::to_owned),
        };
        let morning = entry(text("2024-05-30 23:00"));
        let value = |source: &Source| derived_from_time(&keys, source, Some(&morning), AFTERNOON);
        assert_eq!(value(&part(TimePart::Hour, None)), Some(text("16")));
        assert_eq!(value(&part(TimePart::Hour, Some("uploaded_at"))), Some(text("1")));
        assert_eq!(
            value(&part(TimePart::Weekday, Some("uploaded_at"))),
            Some(text("fri"))
        );
        assert_eq!(value(&part(TimePart::Weekday, Some("other"))), None);
        assert_eq!(value(&Source::Given), None);
    }
}
