//! An axis: the range that holds all values, where its numbers stand, and how they are written.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

/// A range of values along one side of a figure.
#[derive(Debug, Clone)]
pub(crate) struct Axis {
    range: Range<f64>,
    ticks: Vec<f64>,
    logarithmic: bool,
}

impl Axis {
    /// Equal steps of value are equal lengths; at most about `count` numbers.
    pub(crate) fn linear(range: Range<f64>, count: usize) -> Self {
        Self {
            ticks: steps(&range, count),
            range,
            logarithmic: false,
        }
    }

    /// Equal factors of value are equal lengths; `range` lies above zero.
    pub(crate) fn logarithmic(range: Range<f64>, count: usize) -> Self {
        let mut ticks = decades(&range, count);
        if ticks.len() < 2 {
            ticks = steps(&range, count);
        }
        Self {
            range,
            ticks,
            logarithmic: true,
        }
    }

    /// `count` places of width 1, the first from 0 to 1, without numbers.
    pub(crate) fn places(count: usize) -> Self {
        Self {
            range: 0.0..count.max(1) as f64,
            ticks: Vec::new(),
            logarithmic: false,
        }
    }

    /// The numbers along the axis, as written.
    pub(crate) fn written(&self) -> impl Iterator<Item = String> + '_ {
        self.ticks.iter().map(|value| tick(*value))
    }

    /// Where the axis begins and ends.
    pub(crate) fn ends(&self) -> Range<f64> {
        self.range.clone()
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        let Range { start, end } = self.range;
        let share = if self.logarithmic {
            (value.ln() - start.ln()) / (end.ln() - start.ln())
        } else {
            (value - start) / (end - start)
        };
        first + (share * f64::from(last - first)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.ends()
    }
}

impl ValueFormatter<f64> for Axis {
    fn format(value: &f64) -> String {
        tick(*value)
    }
}

/// The multiples of one, two or five times a power of ten within `range`: the closest that are at most `count` steps; both ends
/// where fewer than two are left.
fn steps(range: &Range<f64>, count: usize) -> Vec<f64> {
    let least = (range.end - range.start) / count.max(1) as f64;
    let power = 10f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    let step = step
        .into_iter()
        .find(|step| *step >= least)
        .unwrap_or(10.0 * power);
    let (first, last) = ((range.start / step).ceil(), (range.end / step).floor());
    let ticks: Vec<f64> = (0..=count)
        .map(|index| first + index as f64)
        .take_while(|multiple| *multiple <= last)
        .map(|multiple| multiple * step)
        .filter(|value| range.contains(value) || *value == range.end)
        .collect();
    if ticks.len() < 2 {
        return vec![range.start, range.end];
    }
    ticks
}

/// One, two and five times the powers of ten within `range`, or the powers alone, or each second of them and so on: the first
/// that are at most `count`.
fn decades(range: &Range<f64>, count: usize) -> Vec<f64> {
    let (first, last) = (
        range.start.log10().floor() as i32,
        range.end.log10().ceil() as i32,
    );
    let within = |factors: &[f64], step: usize| -> Vec<f64> {
        (first..=last)
            .step_by(step)
            .flat_map(|power| factors.iter().map(move |factor| factor * 10f64.powi(power)))
            .filter(|value| (range.start..=range.end).contains(value))
            .collect()
    };
    let fine = within(&[1.0, 2.0, 5.0], 1);
    if fine.len() <= count {
        return fine;
    }
    let all = within(&[1.0], 1).len();
    within(&[1.0], all.div_ceil(count.max(1)).max(1))
}

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

/// The range of `values` and zero, with `margin` (a share of it) at each end that is not zero; `0..1` where all are zero.
pub(crate) fn range_from_zero(values: impl Iterator<Item = f64>, margin: f64) -> Range<f64> {
    let (mut low, mut high) = (0.0_f64, 0.0_f64);
    for value in values {
        low = low.min(value);
        high = high.max(value);
    }
    let padding = (high - low) * margin;
    if high - low < 1e-12 {
        return 0.0..1.0;
    }
    let low = if low < 0.0 { low - padding } else { 0.0 };
    let high = if high > 0.0 { high + padding } else { 0.0 };
    low..high
}

/// The range of `values`, all above zero, for [`Axis::logarithmic`], with `margin` (a share of its length) at both ends; never
/// empty, `1..10` where there are no values.
pub(crate) fn range_of_factors(values: impl Iterator<Item = f64>, margin: f64) -> Range<f64> {
    let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
    for value in values {
        low = low.min(value);
        high = high.max(value);
    }
    if low > high {
        1.0..10.0
    } else if high - low < low * 1e-6 {
        low / 2.0..high * 2.0
    } else {
        // Not (high / low).powf(margin): a quotient of extremes is no longer a number.
        let factor = ((high.ln() - low.ln()) * margin).exp();
        low / factor..high * factor
    }
}

/// How many numbers fit along an axis of `pixels`, `each` wide.
pub(crate) fn count(pixels: u32, each: u32) -> usize {
    (pixels / each).clamp(2, 12) as usize
}

/// At most six significant digits, no trailing zeros.
pub(crate) fn tick(value: f64) -> String {
    significant(value, 6)
}

/// At most `digits` significant digits, no trailing zeros.
pub(crate) fn significant(value: f64, digits: usize) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e6).contains(&size) {
        let text = format!("{value:.*e}", digits - 1);
        return match text.split_once('e') {
            Some((digits, exponent)) => format!("{}e{exponent}", trim(digits)),
            None => text,
        };
    }
    let before = if size < 1.0 { 0 } else { size.log10() as usize + 1 };
    let text = trim(&format!("{value:.*}", digits - before.min(digits))).to_owned();
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
    fn a_range_from_zero_has_zero_at_its_end_or_inside() {
        assert_eq!(range_from_zero([2.0, 10.0].into_iter(), 0.1), 0.0..11.0);
        assert_eq!(range_from_zero([-10.0, -2.0].into_iter(), 0.1), -11.0..0.0);
        assert_eq!(range_from_zero([-5.0, 5.0].into_iter(), 0.1), -6.0..6.0);
        assert_eq!(range_from_zero([0.0, 0.0].into_iter(), 0.1), 0.0..1.0);
    }

    #[test]
    fn numbers_along_an_axis_are_round() {
        assert_eq!(
            steps(&(0.0..1.0), 6),
            [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]
        );
        assert_eq!(
            steps(&(-0.021..0.027), 6)[2],
            0.0,
            "a zero that is not nearly one"
        );
        assert_eq!(steps(&(2.9..3.1), 1), [2.9, 3.1]);
        for range in [
            -1e300..1e300,
            0.0..1e-12,
            1e15..1e15 + 1e9,
            -3.2..250.0,
            0.41..0.4100005,
        ] {
            for count in 2..=12 {
                let ticks = steps(&range, count);
                assert!(
                    (2..=count + 1).contains(&ticks.len()),
                    "{range:?} {count}: {ticks:?}"
                );
                assert!(
                    ticks
                        .iter()
                        .all(|tick| range.start <= *tick && *tick <= range.end),
                    "{ticks:?}"
                );
            }
        }
    }

    #[test]
    fn a_logarithmic_axis_gives_equal_lengths_to_equal_factors() {
        let axis = Axis::logarithmic(1.0..10_000.0, 10);
        let places = [1.0, 10.0, 100.0, 1_000.0, 10_000.0].map(|value| axis.map(&value, (0, 400)));
        assert_eq!(places, [0, 100, 200, 300, 400]);
        assert_eq!(axis.ticks, [1.0, 10.0, 100.0, 1_000.0, 10_000.0]);
    }

    #[test]
    fn a_logarithmic_axis_has_at_least_two_numbers_and_not_too_many() {
        for (low, high) in [
            (1.0, 30.0),
            (3.0, 4.0),
            (0.001, 7.0),
            (1e-300, 1e300),
            (1e-3, 1e12),
            (99.0, 101.0),
        ] {
            let axis = Axis::logarithmic(low..high, 8);
            assert!(
                (2..=9).contains(&axis.ticks.len()),
                "{low} to {high}: {:?}",
                axis.ticks
            );
            assert!(
                axis.ticks.iter().all(|tick| (low..=high).contains(tick)),
                "{:?}",
                axis.ticks
            );
        }
        assert_eq!(decades(&(1.0..30.0), 8), [1.0, 2.0, 5.0, 10.0, 20.0]);
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
        assert_eq!(significant(0.712_34, 3), "0.712");
        assert_eq!(significant(71.234, 3), "71.2");
        assert_eq!(significant(7_123.4, 3), "7123");
    }
}
