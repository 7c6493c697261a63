//! The sheet that every figure is drawn on: its size, its white ground, its name for those who cannot see it.

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::DrawError;
use crate::hover::Hover;
use crate::text::escaped;

/// A part of the sheet, in pixels from its upper left corner.
pub(crate) type Area<'s> = DrawingArea<SVGBackend<'s>, Shift>;
/// What the plotting library says when it refuses.
pub(crate) type Failure = DrawingAreaErrorKind<std::io::Error>;

/// Beyond it the width of a range is no longer a number.
const MOST: f64 = 1e300;

/// Whether `value` has a place in a figure.
pub(crate) fn shown(value: f64) -> bool {
    value.abs() <= MOST
}

/// A sheet of `width` x `height` pixels (160 to 8192), with what `content` draws and says on it.
pub(crate) fn draw(
    title: &str,
    width: u32,
    height: u32,
    content: impl FnOnce(&Area, &mut Hover) -> Result<(), Failure>,
) -> Result<String, DrawError> {
    const PIXELS: std::ops::RangeInclusive<u32> = 160..=8192;
    if !PIXELS.contains(&width) || !PIXELS.contains(&height) {
        return Err(DrawError::Size { width, height });
    }
    let mut svg = String::new();
    let mut hover = Hover::default();
    fill(&mut svg, width, height, &mut hover, content).map_err(|error| DrawError::Plot {
        title: title.to_owned(),
        reason: error.to_string(),
    })?;
    let open = format!(r#"<svg role="img" aria-label="{}""#, escaped(title));
    let inner = svg.trim_end();
    let inner = inner.strip_prefix("<svg").unwrap_or(inner);
    let inner = inner.strip_suffix("</svg>").unwrap_or(inner);
    Ok(format!("{open}{inner}{}</svg>\n", hover.svg()))
}

fn fill(
    svg: &mut String,
    width: u32,
    height: u32,
    hover: &mut Hover,
    content: impl FnOnce(&Area, &mut Hover) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let sheet = SVGBackend::with_string(svg, (width, height)).into_drawing_area();
    sheet.fill(&WHITE)?;
    content(&sheet, hover)?;
    sheet.present()
}

/// The line from `low` to `high` at `x`, in pixels, with a cap at both ends.
pub(crate) fn interval(area: &Area, x: i32, low: i32, high: i32, colour: RGBColor) -> Result<(), Failure> {
    const CAP: i32 = 3;
    for path in [
        [(x, low), (x, high)],
        [(x - CAP, low), (x + CAP, low)],
        [(x - CAP, high), (x + CAP, high)],
    ] {
        area.draw(&PathElement::new(path.to_vec(), colour.stroke_width(1)))?;
    }
    Ok(())
}
