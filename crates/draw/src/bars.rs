//! A chart of grouped bars: metrics beside their baselines, how full tables are.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use crate::DrawError;
use crate::axis::{Axis, count, range_from_zero, significant, tick};
use crate::error::counted;
use crate::figure::{self, Area, Failure, shown};
use crate::frame::{Frame, Plot};
use crate::hover::Hover;
use crate::legend::{self, Entry, Mark};
use crate::names::Names;
use crate::palette::{INK, area_colour};
use crate::text;

/// Bars of one colour, one a category.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bars<'a> {
    /// Their name in the legend.
    pub name: &'a str,
    /// Height of each category's bar. `None`, and what is not finite or beyond 1e300, leaves a gap.
    pub values: &'a [Option<f64>],
    /// (low, high) of each value, drawn as an interval on the bar; empty: none.
    pub low_high: &'a [Option<(f64, f64)>],
}

/// Share of a category's width that its bars take.
const FILLED: f64 = 0.84;
/// Size of the numbers on the bars.
const NUMBER: u32 = 13;

/// Draws grouped bars from zero, `width` x `height` pixels (160 to 8192), with a legend beside them: a group of bars a category,
/// in the order given. The value is written on each bar where all fit (four significant digits, or three), and shows on hover.
/// Without categories it is an empty frame. After eight series the colours repeat, paler.
///
/// # Errors
/// [`DrawError::Count`] where a series has not one value a category, or has intervals, but not one a category;
/// [`DrawError::Size`]; [`DrawError::Plot`] if the plotting library refuses.
pub fn bars(
    title: &str,
    y_label: &str,
    categories: &[&str],
    series: &[Bars],
    width: u32,
    height: u32,
) -> Result<String, DrawError> {
    for bars in series {
        let expected = categories.len();
        counted(
            title,
            || format!("values of `{}`", bars.name),
            bars.values.len(),
            expected,
        )?;
        if !bars.low_high.is_empty() {
            let what = || format!("intervals of `{}`", bars.name);
            counted(title, what, bars.low_high.len(), expected)?;
        }
    }
    figure::draw(title, width, height, |sheet, hover| {
        let entries: Vec<Entry> = series.iter().enumerate().map(entry).collect();
        let beside = legend::width(&entries, width);
        let (area, legend_area) = sheet.split_horizontally(width - beside);
        let tops = series
            .iter()
            .flat_map(|bars| (0..categories.len()).flat_map(|place| bars.reach(place)));
        let mut frame = Frame {
            title,
            x_label: "",
            y_label,
            x: Axis::places(categories.len()),
            // Room for the numbers at the ends of the bars, which take about half of the height.
            y: Axis::linear(range_from_zero(tops, 36.0 / f64::from(height)), count(height, 50)),
            below: 0,
        };
        let slot = f64::from(frame.length(width - beside)) / categories.len().max(1) as f64;
        let names = Names::fit(categories, slot, height / 3);
        frame.below = names.height + 14;
        let plot = frame.draw(&area)?;
        let places = Places::new(&plot, categories.len(), series.len());
        for (index, bars) in series.iter().enumerate() {
            draw_series(sheet, &plot, &places, index, bars)?;
        }
        draw_zero(sheet, &plot)?;
        draw_numbers(sheet, &plot, &places, series)?;
        for (index, bars) in series.iter().enumerate() {
            say(hover, &places, index, bars, categories);
        }
        names.draw(sheet, |place| places.category(place), places.bottom + 8, hover)?;
        legend::draw(&legend_area, &entries, hover)
    })
}

impl Bars<'_> {
    fn value(&self, place: usize) -> Option<f64> {
        self.values
            .get(place)
            .copied()
            .flatten()
            .filter(|value| shown(*value))
    }

    fn interval(&self, place: usize) -> Option<(f64, f64)> {
        let interval = self.low_high.get(place).copied().flatten();
        interval.filter(|(low, high)| shown(*low) && shown(*high) && self.value(place).is_some())
    }

    /// The values that the axis must hold at `place`.
    fn reach(&self, place: usize) -> impl Iterator<Item = f64> + use<> {
        let ends = self.interval(place).map(|(low, high)| [low, high]);
        self.value(place).into_iter().chain(ends.into_iter().flatten())
    }

    /// Pixels at which the drawing of `place` begins and ends, from the top: bar and interval.
    fn top_and_bottom(&self, plot: &Plot, place: usize) -> (i32, i32) {
        let pixels = || self.reach(place).map(|value| y_of(plot, value));
        let zero = y_of(plot, 0.0);
        (pixels().min().unwrap_or(zero), pixels().max().unwrap_or(zero))
    }
}

fn entry<'a>((index, bars): (usize, &Bars<'a>)) -> Entry<'a> {
    Entry {
        name: bars.name,
        colour: area_colour(index),
        mark: Mark::Block,
    }
}

fn y_of(plot: &Plot, value: f64) -> i32 {
    plot.backend_coord(&(0.0, value)).1
}

/// Where bars stand, in pixels of the figure.
struct Places {
    left: i32,
    top: i32,
    bottom: i32,
    /// Width of a category.
    slot: f64,
    /// Width of a bar.
    bar: f64,
    /// Bars of a category.
    series: usize,
}

impl Places {
    fn new(plot: &Plot, categories: usize, series: usize) -> Self {
        let (across, down) = plot.plotting_area().get_pixel_range();
        let slot = f64::from(across.end - across.start) / categories.max(1) as f64;
        // A single bar across the whole figure says no more than a narrow one.
        let bar = (slot * FILLED / series.max(1) as f64).min(80.0);
        Self {
            left: across.start,
            top: down.start,
            bottom: down.end,
            slot,
            bar,
            series,
        }
    }

    /// Left and right end of a category.
    fn category(&self, place: usize) -> (i32, i32) {
        let edge = |place: usize| self.left + (self.slot * place as f64).round() as i32;
        (edge(place), edge(place + 1))
    }

    /// Left and right end of a bar, at least a pixel apart.
    fn bar(&self, place: usize, series: usize) -> (i32, i32) {
        let middle = self.slot * (place as f64 + 0.5);
        let edge = |series: usize| {
            let from_middle = self.bar * (series as f64 - self.series as f64 / 2.0);
            self.left + (middle + from_middle).round() as i32
        };
        let (left, right) = (edge(series), edge(series + 1));
        // Neighbours of a group are told apart by a gap where there is room for one.
        let right = if self.bar >= 8.0 { right - 1 } else { right };
        (left, right.max(left + 1))
    }
}

fn draw_series(sheet: &Area, plot: &Plot, places: &Places, index: usize, bars: &Bars) -> Result<(), Failure> {
    let zero = y_of(plot, 0.0);
    for place in 0..bars.values.len() {
        let Some(value) = bars.value(place) else { continue };
        let (left, right) = places.bar(place, index);
        let end = y_of(plot, value);
        let corners = [(left, end.min(zero)), (right, end.max(zero))];
        sheet.draw(&Rectangle::new(corners, area_colour(index).filled()))?;
        if let Some((low, high)) = bars.interval(place) {
            figure::interval(
                sheet,
                (left + right) / 2,
                y_of(plot, low),
                y_of(plot, high),
                BLACK,
            )?;
        }
    }
    Ok(())
}

fn draw_zero(sheet: &Area, plot: &Plot) -> Result<(), Failure> {
    let (across, _) = plot.plotting_area().get_pixel_range();
    let zero = y_of(plot, 0.0);
    sheet.draw(&PathElement::new(
        vec![(across.start, zero), (across.end, zero)],
        INK,
    ))
}

/// Writes the value at the end of each bar, with fewer digits if one of them is wider than its bar; none if it still is.
fn draw_numbers(sheet: &Area, plot: &Plot, places: &Places, series: &[Bars]) -> Result<(), Failure> {
    let values = || {
        series.iter().enumerate().flat_map(|(index, bars)| {
            (0..bars.values.len()).filter_map(move |place| Some((index, bars, place, bars.value(place)?)))
        })
    };
    let fits = |digits: &usize| {
        let widest = values()
            .map(|(.., value)| text::width(&significant(value, *digits), NUMBER))
            .max();
        f64::from(widest.unwrap_or(0)) <= places.bar
    };
    let Some(digits) = [4, 3].into_iter().find(fits) else {
        return Ok(());
    };
    for (index, bars, place, value) in values() {
        let (left, right) = places.bar(place, index);
        let (top, bottom) = bars.top_and_bottom(plot, place);
        let y = if value < 0.0 { bottom + 8 } else { top - 8 };
        let style = text::placed(NUMBER, INK, HPos::Center);
        sheet.draw(&Text::new(
            significant(value, digits),
            ((left + right) / 2, y),
            style,
        ))?;
    }
    Ok(())
}

/// The values on hover, over the whole height: a bar of nothing has no area of its own.
fn say(hover: &mut Hover, places: &Places, index: usize, bars: &Bars, categories: &[&str]) {
    for (place, category) in categories.iter().enumerate() {
        let Some(value) = bars.value(place) else { continue };
        let (left, right) = places.bar(place, index);
        let mut said = match bars.name {
            "" => format!("{category}: {}", tick(value)),
            name => format!("{category}, {name}: {}", tick(value)),
        };
        if let Some((low, high)) = bars.interval(place) {
            said.push_str(&format!(" ({} to {})", tick(low), tick(high)));
        }
        hover.add((left, places.top), (right, places.bottom), &said);
    }
}

#[cfg(test)]
mod tests;
