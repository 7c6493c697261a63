//! A heat map: a colour and a number for each row and column, as experts by objective.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use crate::DrawError;
use crate::axis::{significant, tick};
use crate::error::counted;
use crate::figure::{self, Area, Failure, shown};
use crate::hover::Hover;
use crate::names::{LINE, Names, SIZE};
use crate::palette::{GRID, INK, scale, text_on};
use crate::text;

const MARGIN: i32 = 10;
const TITLE: u32 = 20;
/// Pixels that the title takes.
const ABOVE: i32 = 40;
/// Pixels of the legend: a strip of colours and its numbers.
const LEGEND: i32 = 90;
const STRIP: i32 = 14;
/// Size of the numbers in the cells, and pixels of their height.
const NUMBER: u32 = 15;
const NUMBER_HEIGHT: i32 = 14;

/// Draws a heat map, `width` x `height` pixels (160 to 8192), with its scale beside it: a row of cells a name of `rows`, a column
/// a name of `columns`, coloured by `values` `[rows, columns]`, row-major, on one blue scale, light at `range.0` and dark at
/// `range.1`; what lies beyond has the colour of that end. Each cell shows its number where all fit, and on hover. A value that
/// is not finite, or beyond 1e300, leaves its cell white.
///
/// # Errors
/// [`DrawError::Count`] if `values` are not rows x columns; [`DrawError::Scale`] unless both ends of `range` are finite and
/// the lower comes first (they may be equal); [`DrawError::Size`]; [`DrawError::Plot`] if the plotting library refuses.
pub fn heat_map(
    title: &str,
    rows: &[&str],
    columns: &[&str],
    values: &[f64],
    range: (f64, f64),
    width: u32,
    height: u32,
) -> Result<String, DrawError> {
    let what = || format!("values for {} rows and {} columns", rows.len(), columns.len());
    counted(title, what, values.len(), rows.len() * columns.len())?;
    let (low, high) = range;
    if !shown(low) || !shown(high) || low > high {
        return Err(DrawError::Scale {
            title: title.to_owned(),
            low,
            high,
        });
    }
    let map = Map {
        title,
        rows,
        columns,
        values,
        low,
        high,
    };
    figure::draw(title, width, height, |sheet, hover| map.draw(sheet, hover))
}

struct Map<'a> {
    title: &'a str,
    rows: &'a [&'a str],
    columns: &'a [&'a str],
    values: &'a [f64],
    low: f64,
    high: f64,
}

/// Where the cells lie, in pixels of the figure.
struct Grid {
    left: i32,
    top: i32,
    right: i32,
    bottom: i32,
    rows: usize,
    columns: usize,
}

impl Grid {
    /// Left and right end of a column.
    fn across(&self, column: usize) -> (i32, i32) {
        part(self.left, self.right, column, self.columns)
    }

    /// Upper and lower end of a row.
    fn down(&self, row: usize) -> (i32, i32) {
        part(self.top, self.bottom, row, self.rows)
    }
}

/// The ends of one of `count` equal parts.
fn part(start: i32, end: i32, index: usize, count: usize) -> (i32, i32) {
    let length = f64::from(end - start) / count.max(1) as f64;
    let edge = |index: usize| start + (length * index as f64).round() as i32;
    (edge(index), edge(index + 1))
}

impl Map<'_> {
    fn draw(&self, sheet: &Area, hover: &mut Hover) -> Result<(), Failure> {
        let (width, height) = sheet.dim_in_pixel();
        let widest = self.rows.iter().map(|name| text::width(name, SIZE)).max();
        let beside = widest.unwrap_or(0).min(width / 3);
        let left = MARGIN + beside as i32 + 8;
        let right = (width as i32 - LEGEND).max(left + 20);
        let slot = f64::from(right - left) / self.columns.len().max(1) as f64;
        let names = Names::fit(self.columns, slot, height / 3);
        let top = if self.title.is_empty() { MARGIN } else { ABOVE };
        let grid = Grid {
            left,
            top,
            right,
            bottom: height as i32 - MARGIN - names.height as i32 - 6,
            rows: self.rows.len(),
            columns: self.columns.len(),
        };
        let title = text::shortened(self.title, TITLE, width - 2 * MARGIN as u32);
        let middle = ((left + right) / 2).max(MARGIN + text::width(&title, TITLE) as i32 / 2);
        let style = text::placed(TITLE, BLACK, HPos::Center);
        sheet.draw(&Text::new(title, (middle, ABOVE / 2), style))?;
        self.draw_cells(sheet, &grid, hover)?;
        self.draw_numbers(sheet, &grid)?;
        let frame = [(grid.left, grid.top), (grid.right, grid.bottom)];
        sheet.draw(&Rectangle::new(frame, GRID))?;
        names.draw(sheet, |column| grid.across(column), grid.bottom + 6, hover)?;
        self.draw_row_names(sheet, &grid, beside, hover)?;
        self.draw_legend(sheet, &grid)
    }

    /// (row, column, value) of every cell, row by row.
    fn cells(&self) -> impl Iterator<Item = (usize, usize, f64)> + '_ {
        let columns = self.columns.len().max(1);
        let place = move |(index, value): (usize, &f64)| (index / columns, index % columns, *value);
        self.values.iter().enumerate().map(place)
    }

    /// Place of `value` on the scale.
    fn colour(&self, value: f64) -> RGBColor {
        let span = self.high - self.low;
        scale(if span > 0.0 {
            (value - self.low) / span
        } else {
            0.0
        })
    }

    fn draw_cells(&self, sheet: &Area, grid: &Grid, hover: &mut Hover) -> Result<(), Failure> {
        for (row, column, value) in self.cells() {
            let ((left, right), (top, bottom)) = (grid.across(column), grid.down(row));
            let names = [self.rows[row], self.columns[column]].join(", ");
            if !shown(value) {
                hover.add((left, top), (right, bottom), &format!("{names}: no value"));
                continue;
            }
            hover.add((left, top), (right, bottom), &format!("{names}: {}", tick(value)));
            // A white line between neighbours, where there is room for one.
            let gap = i32::from(right - left >= 8 && bottom - top >= 8);
            let corners = [(left, top), (right - gap, bottom - gap)];
            sheet.draw(&Rectangle::new(corners, self.colour(value).filled()))?;
        }
        Ok(())
    }

    /// Writes all numbers, with fewer decimals if they do not fit; none if they still do not.
    fn draw_numbers(&self, sheet: &Area, grid: &Grid) -> Result<(), Failure> {
        let ((left, right), (top, bottom)) = (grid.across(0), grid.down(0));
        if bottom - top < NUMBER_HEIGHT {
            return Ok(());
        }
        let most = self.decimals();
        let fits = |decimals: &usize| {
            let numbers = self.cells().filter(|cell| shown(cell.2));
            let widest = numbers
                .map(|cell| text::width(&number(cell.2, *decimals), NUMBER))
                .max();
            widest.unwrap_or(0) as i32 + 2 <= right - left
        };
        let Some(decimals) = [most, most.saturating_sub(1).max(1)].into_iter().find(fits) else {
            return Ok(());
        };
        for (row, column, value) in self.cells().filter(|cell| shown(cell.2)) {
            let ((left, right), (top, bottom)) = (grid.across(column), grid.down(row));
            let style = text::placed(NUMBER, text_on(self.colour(value)), HPos::Center);
            let middle = ((left + right) / 2, (top + bottom) / 2);
            sheet.draw(&Text::new(number(value, decimals), middle, style))?;
        }
        Ok(())
    }

    /// Decimals that tell a hundred steps of the scale apart.
    fn decimals(&self) -> usize {
        let span = self.high - self.low;
        let span = if span > 0.0 { span } else { 1.0 };
        (2.0 - span.log10().floor()).clamp(0.0, 6.0) as usize
    }

    fn draw_row_names(
        &self,
        sheet: &Area,
        grid: &Grid,
        beside: u32,
        hover: &mut Hover,
    ) -> Result<(), Failure> {
        let length = f64::from(grid.bottom - grid.top) / self.rows.len().max(1) as f64;
        let step = (f64::from(LINE) / length.max(1e-3)).ceil().max(1.0) as usize;
        let style = text::placed(SIZE, INK, HPos::Right);
        for (row, name) in self.rows.iter().enumerate().step_by(step) {
            let (top, bottom) = grid.down(row);
            let written = text::shortened(name, SIZE, beside);
            if written.ends_with('…') {
                hover.add((0, top), (grid.left - 6, bottom.max(top + 1)), name);
            }
            sheet.draw(&Text::new(
                written,
                (grid.left - 8, (top + bottom) / 2),
                style.clone(),
            ))?;
        }
        Ok(())
    }

    /// A strip of colours, dark above, with the numbers of both ends and of the middle.
    fn draw_legend(&self, sheet: &Area, grid: &Grid) -> Result<(), Failure> {
        const STEPS: usize = 64;
        let left = grid.right + 16;
        for step in 0..STEPS {
            let (top, bottom) = part(grid.top, grid.bottom, STEPS - 1 - step, STEPS);
            let share = step as f64 / (STEPS - 1) as f64;
            let corners = [(left, top), (left + STRIP, bottom)];
            sheet.draw(&Rectangle::new(corners, scale(share).filled()))?;
        }
        sheet.draw(&Rectangle::new(
            [(left, grid.top), (left + STRIP, grid.bottom)],
            GRID,
        ))?;
        let style = text::placed(13, INK, HPos::Left);
        let middle = self.low / 2.0 + self.high / 2.0;
        for (value, y) in [
            (self.high, grid.top + 5),
            (middle, (grid.top + grid.bottom) / 2),
            (self.low, grid.bottom - 5),
        ] {
            let number = significant(value, 3);
            sheet.draw(&Text::new(number, (left + STRIP + 5, y), style.clone()))?;
        }
        Ok(())
    }
}

/// `decimals` after the point; with a power of ten where that would be long or nothing.
fn number(value: f64, decimals: usize) -> String {
    let size = value.abs();
    if size >= 1e6 || (size != 0.0 && size < 1e-4 && decimals == 6) {
        return significant(value, 3);
    }
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|letter| matches!(letter, '0' | '.')) => rest.to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests;
