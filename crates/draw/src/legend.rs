//! The legend beside a figure: what each colour means.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use crate::figure::{Area, Failure};
use crate::hover::Hover;
use crate::text;

/// Pixels from one row to the next.
const ROW: i32 = 20;
/// The middle of the first row, beside the top of the frame.
const FIRST: i32 = 46;
/// Where a name begins.
const NAME: i32 = 24;
/// Pixels of a row beside its name.
const SWATCH: u32 = 34;
const SIZE: u32 = 15;

/// How a series looks in the figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Mark {
    Line,
    ThinLine,
    DashedLine,
    MarkedLine,
    Points,
    Block,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a str,
    pub(crate) colour: RGBColor,
    pub(crate) mark: Mark,
}

/// Room for the longest name, at most two fifths of the figure; none where nothing has a name.
pub(crate) fn width(entries: &[Entry], figure: u32) -> u32 {
    let longest = entries
        .iter()
        .filter(|entry| !entry.name.is_empty())
        .map(|entry| text::width(entry.name, SIZE))
        .max();
    longest.map_or(0, |pixels| pixels.saturating_add(SWATCH).min(figure * 2 / 5))
}

/// Draws one row an entry; where not all fit, the last row says how many are missing.
pub(crate) fn draw(area: &Area, entries: &[Entry], hover: &mut Hover) -> Result<(), Failure> {
    let (width, height) = area.dim_in_pixel();
    if width <= SWATCH {
        return Ok(());
    }
    let (across, down) = area.get_pixel_range();
    let fitting = ((height as i32 - FIRST - ROW / 2) / ROW + 1).max(1) as usize;
    let drawn = if entries.len() > fitting {
        fitting - 1
    } else {
        entries.len()
    };
    let style = text::placed(SIZE, BLACK, HPos::Left);
    for (row, entry) in entries.iter().enumerate().take(drawn) {
        let y = FIRST + ROW * row as i32;
        draw_mark(area, entry, y)?;
        let name = text::shortened(entry.name, SIZE, width - SWATCH);
        if name.ends_with('…') {
            let top = down.start + y - ROW / 2;
            hover.add((across.start, top), (across.end, top + ROW), entry.name);
        }
        area.draw(&Text::new(name, (NAME, y), style.clone()))?;
    }
    if drawn < entries.len() {
        let rest = format!("{} more", entries.len() - drawn);
        area.draw(&Text::new(rest, (NAME, FIRST + ROW * drawn as i32), style))?;
    }
    Ok(())
}

fn draw_mark(area: &Area, entry: &Entry, y: i32) -> Result<(), Failure> {
    const LENGTH: i32 = 18;
    let filled = entry.colour.filled();
    let bar =
        |left: i32, right: i32, half: i32| Rectangle::new([(left, y - half), (right, y + half)], filled);
    match entry.mark {
        Mark::Line => area.draw(&bar(0, LENGTH, 2)),
        Mark::ThinLine => area.draw(&bar(0, LENGTH, 1)),
        Mark::Block => area.draw(&bar(2, LENGTH - 4, 6)),
        Mark::DashedLine => {
            area.draw(&bar(0, 7, 1))?;
            area.draw(&bar(11, LENGTH, 1))
        }
        Mark::MarkedLine => {
            area.draw(&bar(0, LENGTH, 1))?;
            area.draw(&Circle::new((LENGTH / 2, y), 4, filled))
        }
        Mark::Points => area.draw(&Circle::new((LENGTH / 2, y), 4, filled)),
    }
}
