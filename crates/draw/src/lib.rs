//! Figures as SVG, from numbers: used by reports and by the page.
//!
//! In: titles, names and numbers. Out: one self-contained SVG as text, on white: no script, no style sheet, no font file, no
//! `id`, so that many of them can stand in one page. Equal input gives equal bytes. Names are escaped, and shortened where
//! they do not fit; the whole name, and the value of a bar, a cell or a marked point, shows on hover. Nothing here knows what
//! the numbers are.
//!
//! ```
//! let loss = [(1.0, 0.69), (2.0, 0.52), (3.0, 0.47)];
//! let lines = [draw::Line { name: "validation loss", points: &loss }];
//! let svg = draw::lines("Loss", "epoch", "log loss", &lines, 640, 400).unwrap();
//! assert!(svg.starts_with("<svg"));
//! ```

mod axis;
mod bars;
mod curve;
mod error;
mod figure;
mod frame;
mod heat_map;
mod hover;
mod legend;
mod lines;
mod names;
mod palette;
#[cfg(test)]
mod reading;
mod text;

pub use bars::{Bars, bars};
pub use error::DrawError;
pub use heat_map::heat_map;
pub use lines::{Axes, Curve, Line, Style, curves, lines};
