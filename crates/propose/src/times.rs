//! Columns that read as times. In: a column's values. Out: how they read (typed, whole numbers of a unit, texts in a form), in
//! milliseconds, and whether they are in order.

mod spelled;

use crate::data::{Class, MISSING, Values};
use crate::profile::Profile;

/// How values read as times.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum How {
    /// The type says so.
    Typed,
    /// Whole numbers since 1970: the word of `time_unit`.
    Unit(&'static str),
    /// Texts: `time_format`, none for ISO 8601.
    Form(Option<String>),
    /// Whole numbers that count something else, like days from the log's start.
    Count,
}

/// A column read as times.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reading {
    pub(crate) how: How,
    /// Days and months could be the other way round.
    pub(crate) ambiguous: bool,
    /// Days without a time of day.
    pub(crate) days_only: bool,
    /// Row of the sample that goes back in time, if any does.
    pub(crate) goes_back: Option<usize>,
    /// From the first to the last, in days.
    pub(crate) days: f64,
}

/// Milliseconds in a day.
const DAY: f64 = 86_400_000.0;
/// 1990 and 2100, in seconds.
const EPOCH: std::ops::Range<f64> = 6.3e8..4.1e9;

/// How `values` read as times, where they do.
pub(crate) fn read(profile: &Profile, values: &Values) -> Option<Reading> {
    if profile.distinct == 0 {
        return None;
    }
    match profile.class {
        Class::Time => Some(reading(How::Typed, false, &values.numbers)),
        Class::Whole | Class::Number if profile.whole => {
            for (unit, per, ms) in [("s", 1.0, 1e3), ("ms", 1e3, 1.0), ("us", 1e6, 1e-3)] {
                if EPOCH.contains(&(profile.min / per)) && EPOCH.contains(&(profile.max / per)) {
                    let times: Vec<f64> = values.numbers.iter().map(|number| number * ms).collect();
                    return Some(reading(How::Unit(unit), false, &times));
                }
            }
            let digits: Vec<f64> = values.numbers.iter().map(|number| compact(*number)).collect();
            if digits
                .iter()
                .zip(&values.numbers)
                .all(|(day, number)| number.is_nan() || !day.is_nan())
            {
                return Some(reading(How::Form(Some("%Y%m%d".into())), false, &digits));
            }
            (profile.min >= 0.0).then(|| reading(How::Count, false, &values.numbers))
        }
        Class::Text => texts(profile, values).or_else(|| {
            let texts: Vec<String> = (0..profile.distinct)
                .map(|code| values.text(code as u32))
                .collect();
            let (form, of_code) = spelled::read(&texts)?;
            Some(reading(How::Form(Some(form)), false, &of_rows(values, &of_code)))
        }),
        _ => None,
    }
}

fn reading(how: How, ambiguous: bool, times: &[f64]) -> Reading {
    let mut before = f64::NEG_INFINITY;
    let (mut goes_back, mut first, mut last) = (None, f64::INFINITY, f64::NEG_INFINITY);
    for (row, time) in times.iter().enumerate().filter(|(_, time)| !time.is_nan()) {
        if *time < before && goes_back.is_none() {
            goes_back = Some(row);
        }
        before = *time;
        (first, last) = (first.min(*time), last.max(*time));
    }
    Reading {
        how,
        ambiguous,
        days_only: times.iter().all(|time| time.is_nan() || time % DAY == 0.0),
        goes_back,
        days: (last - first) / DAY,
    }
}

/// 20240531 as milliseconds, else NaN.
fn compact(number: f64) -> f64 {
    if !(19_900_101.0..21_000_101.0).contains(&number) {
        return f64::NAN;
    }
    let number = number as u32;
    civil(number / 10_000, number / 100 % 100, number % 100).unwrap_or(f64::NAN)
}

/// Milliseconds since 1970 of a day; `None`: there is no such day.
fn civil(year: u32, month: u32, day: u32) -> Option<f64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(1900..=2200).contains(&year) {
        return None;
    }
    // Days before each month of a year that begins in March.
    let (year, month) = if month < 3 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    let before = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day;
    Some((f64::from(before) - 719_469.0) * DAY)
}

/// A text that is a date, maybe with a time of day.
#[derive(Debug, Clone, Copy)]
struct Stamp {
    /// The three numbers of the date, as they stand.
    parts: [u32; 3],
    shape: Shape,
    clock: f64,
}

/// What does not depend on the numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Shape {
    /// Digits of the year, and whether it is first.
    year_digits: usize,
    year_first: bool,
    separators: [char; 2],
    /// A character after the date's last number, as of Chinese dates.
    closing: Option<char>,
    /// Between date and time of day.
    joint: Option<char>,
    seconds: bool,
    fraction: bool,
    /// `AM` or `PM` after a blank.
    halves: bool,
    zone: bool,
}

fn texts(profile: &Profile, values: &Values) -> Option<Reading> {
    let mut stamps = Vec::with_capacity(profile.distinct);
    for code in 0..profile.distinct {
        stamps.push(stamp(values.text(code as u32).trim())?);
    }
    let mut shape = stamps.first()?.shape;
    for other in stamps.iter().map(|stamp| stamp.shape) {
        shape.fraction |= other.fraction;
        if (Shape {
            fraction: shape.fraction,
            ..other
        }) != shape
        {
            return None;
        }
    }
    let times = |day_first: bool| -> Option<Vec<f64>> {
        let of = |stamp: &Stamp| {
            let [a, b, c] = stamp.parts;
            let year = |year| if shape.year_digits == 2 { 2000 + year } else { year };
            let day = match (shape.year_first, day_first) {
                (true, _) => civil(year(a), b, c),
                (false, true) => civil(year(c), b, a),
                (false, false) => civil(year(c), a, b),
            };
            Some(day? + stamp.clock)
        };
        let of_code = stamps.iter().map(of).collect::<Option<Vec<f64>>>()?;
        Some(of_rows(values, &of_code))
    };
    if shape.year_first {
        let form = shape.form(true);
        return Some(reading(How::Form(form), false, &times(true)?));
    }
    let read = |day_first, ambiguous| {
        Some(reading(
            How::Form(shape.form(day_first)),
            ambiguous,
            &times(day_first)?,
        ))
    };
    let (day_first, month_first) = (read(true, false), read(false, false));
    match (day_first, month_first) {
        (Some(day), Some(month)) => match (day.goes_back, month.goes_back) {
            (None, Some(_)) => Some(day),
            (Some(_), None) => Some(month),
            _ => read(shape.separators[0] != '/' || !shape.halves, true),
        },
        (day, month) => day.or(month),
    }
}

/// The time of each row, from that of each code.
fn of_rows(values: &Values, of_code: &[f64]) -> Vec<f64> {
    let time = |code: &u32| match *code {
        MISSING => f64::NAN,
        code => of_code[code as usize],
    };
    values.codes.iter().map(time).collect()
}

impl Shape {
    /// In `strftime` notation; none for ISO 8601.
    fn form(&self, day_first: bool) -> Option<String> {
        let [a, b] = self.separators;
        let iso = self.year_first && self.year_digits == 4 && [a, b] == ['-', '-'] && self.closing.is_none();
        if iso && !self.halves && matches!(self.joint, None | Some(' ' | 'T')) {
            return None;
        }
        let year = if self.year_digits == 4 { "%Y" } else { "%y" };
        let date = match (self.year_first, day_first) {
            (true, _) => format!("{year}{a}%m{b}%d"),
            (false, true) => format!("%d{a}%m{b}{year}"),
            (false, false) => format!("%m{a}%d{b}{year}"),
        };
        let mut form = date + &self.closing.map(String::from).unwrap_or_default();
        if let Some(joint) = self.joint {
            form.push(joint);
            form += if self.halves { "%I:%M" } else { "%H:%M" };
            form += if self.seconds { ":%S" } else { "" };
            form += if self.fraction { "%.f" } else { "" };
            form += if self.halves { " %p" } else { "" };
            form += if self.zone { "%:z" } else { "" };
        }
        Some(form)
    }
}

/// Reads characters one after the other.
struct Cursor<'t>(&'t str);

impl Cursor<'_> {
    /// A whole number and its digits.
    fn number(&mut self) -> Option<(u32, usize)> {
        let digits = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.0.split_at(digits);
        self.0 = rest;
        Some((number.parse().ok()?, digits)).filter(|_| digits <= 9)
    }

    fn one(&mut self) -> Option<char> {
        let next = self.0.chars().next()?;
        self.0 = &self.0[next.len_utf8()..];
        Some(next)
    }

    fn take(&mut self, expected: char) -> bool {
        let rest = self.0.strip_prefix(expected);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }
}

fn stamp(text: &str) -> Option<Stamp> {
    let mut cursor = Cursor(text);
    let (a, a_digits) = cursor.number()?;
    let first = cursor.one()?;
    let (b, b_digits) = cursor.number()?;
    let second = cursor.one()?;
    let (c, c_digits) = cursor.number()?;
    if !['/', '.', '-', '年'].contains(&first) || (first != second && second != '月') || b_digits > 2 {
        return None;
    }
    let (year_first, year_digits) = match (a_digits, c_digits) {
        (4, 1 | 2) => (true, 4),
        (1 | 2, 4) => (false, 4),
        (1 | 2, 2) => (false, 2),
        _ => return None,
    };
    let mut shape = Shape {
        year_digits,
        year_first,
        separators: [first, second],
        closing: cursor.take('日').then_some('日'),
        joint: None,
        seconds: false,
        fraction: false,
        halves: false,
        zone: false,
    };
    let mut clock = 0.0;
    if !cursor.0.is_empty() {
        shape.joint = cursor.one().filter(|joint| [' ', 'T'].contains(joint));
        shape.joint?;
        clock = time_of_day(&mut cursor, &mut shape)?;
    }
    cursor.0.is_empty().then_some(Stamp {
        parts: [a, b, c],
        shape,
        clock,
    })
}

/// Milliseconds of `14:05:09.25`, `2:05 PM`, `14:05Z`, `14:05+08:00` (zones are read, not taken off: the order is what counts).
fn time_of_day(cursor: &mut Cursor<'_>, shape: &mut Shape) -> Option<f64> {
    let (mut hour, _) = cursor.number()?;
    let minute = cursor.take(':').then(|| cursor.number()).flatten()?.0;
    let mut ms = 0.0;
    if cursor.take(':') {
        shape.seconds = true;
        ms = f64::from(cursor.number()?.0) * 1e3;
        if cursor.take('.') {
            shape.fraction = true;
            let (part, digits) = cursor.number()?;
            ms += f64::from(part) * 1e3 / 10_f64.powi(digits as i32);
        }
    }
    let rest = cursor.0.to_ascii_uppercase();
    if rest == " AM" || rest == " PM" {
        shape.halves = true;
        hour = hour % 12 + if rest == " PM" { 12 } else { 0 };
        cursor.0 = "";
    } else if rest == "Z" || (rest.len() == 6 && rest.starts_with(['+', '-'])) {
        shape.zone = true;
        cursor.0 = "";
    }
    (hour < 24 && minute < 60).then_some((f64::from(hour) * 60.0 + f64::from(minute)) * 60_000.0 + ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_count_from_the_first_of_january_1970() {
        for (date, days) in [
            ((1970, 1, 1), 0.0),
            ((1969, 12, 31), -1.0),
            ((2024, 2, 29), 19_782.0),
            ((2024, 3, 1), 19_783.0),
        ] {
            assert_eq!(civil(date.0, date.1, date.2), Some(days * DAY), "{date:?}");
        }
        assert_eq!(civil(2024, 13, 1), None);
    }

    #[test]
    fn a_text_is_a_time_in_the_form_that_it_has() {
        for (text, day_first, form) in [
            ("2024-05-31", true, None),
            ("2024-05-31T14:00:00.250Z", true, None),
            ("31/05/2024", true, Some("%d/%m/%Y")),
            ("05/31/2024 02:10 PM", false, Some("%m/%d/%Y %I:%M %p")),
            ("31.05.2024 14:00", true, Some("%d.%m.%Y %H:%M")),
            ("2024/5/31 14:00:01", true, Some("%Y/%m/%d %H:%M:%S")),
            ("2024年5月31日", true, Some("%Y年%m月%d日")),
            ("31-05-24", true, Some("%d-%m-%y")),
        ] {
            let stamp = stamp(text).unwrap();
            assert_eq!(stamp.shape.form(day_first).as_deref(), form, "{text}");
        }
        for text in [
            "",
            "14:00",
            "1.2.3",
            "2024-05",
            "2024-05-31 noon",
            "10.0.0.1",
            "abc",
        ] {
            assert!(stamp(text).is_none(), "{text}");
        }
    }
}
