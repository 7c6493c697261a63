//! Figures as SVG, from numbers: used by reports and by the page.
//!
//! In: titles, names and points. Out: one self-contained SVG as text: no script, no style sheet, no font file. Equal input
//! gives equal bytes. Nothing here knows what the numbers are.
//!
//! ```
//! let loss = [(1.0, 0.69), (2.0, 0.52), (3.0, 0.47)];
//! let lines = [draw::Line { name: "validation loss", points: &loss }];
//! let svg = draw::lines("Loss", "epoch", "log loss", &lines, 640, 400).unwrap();
//! assert!(svg.starts_with("<svg"));
//! ```

mod axis;
mod error;
mod lines;

pub use error::DrawError;
pub use lines::{Line, lines};
