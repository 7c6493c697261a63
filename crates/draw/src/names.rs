//! Names in a row under a figure, one a place: level where they fit, else upright, else only each second, third and so on.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use crate::figure::{Area, Failure};
use crate::hover::Hover;
use crate::palette::INK;
use crate::text;

/// Size of a name, in the plotting library's unit.
pub(crate) const SIZE: u32 = 15;
/// Pixels that a line of text takes.
pub(crate) const LINE: u32 = 15;
/// Pixels between two level names.
const GAP: u32 = 8;
/// Level names up to this width are thinned rather than turned: numbers, mostly.
const SHORT: u32 = 36;

/// How a row of names is written.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    names: &'a [&'a str],
    upright: bool,
    /// One name of so many is written.
    step: usize,
    /// Pixels that the names take downwards.
    pub(crate) height: u32,
}

impl<'a> Names<'a> {
    /// Names of places `slot` pixels wide, at most `most` pixels high.
    pub(crate) fn fit(names: &'a [&'a str], slot: f64, most: u32) -> Self {
        let widest = names
            .iter()
            .map(|name| text::width(name, SIZE))
            .max()
            .unwrap_or(0);
        let each = |pixels: u32| (f64::from(pixels) / slot.max(1e-3)).ceil().max(1.0) as usize;
        let level = each(widest + GAP);
        let turned = each(LINE);
        let upright = level > 1 && (turned == 1 || widest > SHORT);
        Self {
            names,
            upright,
            step: if upright { turned } else { level },
            height: if upright { widest.min(most) } else { LINE },
        }
    }

    /// Writes the names; the place at `index` is `places(index)`, left to right, and `top` their upper end, in pixels.
    pub(crate) fn draw(
        &self,
        area: &Area,
        places: impl Fn(usize) -> (i32, i32),
        top: i32,
        hover: &mut Hover,
    ) -> Result<(), Failure> {
        let bottom = top + self.height as i32;
        for (index, name) in self.names.iter().enumerate().step_by(self.step) {
            let (left, right) = places(index);
            let middle = (left + right) / 2;
            if self.upright {
                let written = text::shortened(name, SIZE, self.height);
                if written.ends_with('…') {
                    hover.add((left, top), (right.max(left + 1), bottom), name);
                }
                area.draw(&Text::new(written, (middle, top), text::upright(SIZE, INK)))?;
            } else {
                let level = text::placed(SIZE, INK, HPos::Center);
                area.draw(&Text::new(
                    text::printable(name),
                    (middle, top + LINE as i32 / 2),
                    level,
                ))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(name: &str, places: usize, slot: f64) -> (bool, usize) {
        let names = vec![name; places];
        let fit = Names::fit(&names, slot, 100);
        (fit.upright, fit.step)
    }

    #[test]
    fn names_are_level_then_upright_then_thinned() {
        assert_eq!(fit("click", 3, 80.0), (false, 1));
        assert_eq!(fit("share of the video watched", 3, 80.0), (true, 1));
        assert_eq!(fit("a long name", 300, 2.0), (true, 8));
        let (upright, step) = fit("1000", 300, 2.0);
        assert!(!upright && step > 10);
    }

    #[test]
    fn upright_names_stay_within_their_room() {
        let long = "name ".repeat(100);
        assert_eq!(Names::fit(&[long.as_str(), "b"], 20.0, 120).height, 120);
    }
}
