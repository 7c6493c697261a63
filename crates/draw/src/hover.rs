//! What a figure says under the pointer: areas that cannot be seen, each with an SVG `<title>`.

use std::fmt::Write;

use crate::text::escaped;

/// The areas of one figure, in the order they were added; later ones lie above.
#[derive(Debug, Default)]
pub(crate) struct Hover(String);

impl Hover {
    /// Says `text` over the area from `(left, top)` to `(right, bottom)`, in pixels of the figure.
    pub(crate) fn add(&mut self, (left, top): (i32, i32), (right, bottom): (i32, i32), text: &str) {
        let (width, height) = (right - left, bottom - top);
        if width <= 0 || height <= 0 {
            return;
        }
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            self.0,
            r#"<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="none" pointer-events="all"><title>{}</title></rect>"#,
            escaped(text)
        );
    }

    /// The areas as SVG.
    pub(crate) fn svg(&self) -> &str {
        &self.0
    }
}
