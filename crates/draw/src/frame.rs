//! The frame of a figure with two axes: title, axes, numbers, grid.

use plotters::coord::cartesian::Cartesian2d;
use plotters::prelude::*;

use crate::axis::{Axis, tick};
use crate::figure::{Area, Failure};
use crate::palette::{GRID, INK};
use crate::text;

/// Where the values of both axes have their places.
pub(crate) type Plot<'s> = ChartContext<'s, SVGBackend<'s>, Cartesian2d<Axis, Axis>>;

/// Pixels at the upper, lower and left edge.
const MARGIN: u32 = 10;
/// Pixels at the right edge: the last number of an axis reaches into it.
const RIGHT: u32 = 20;
const TITLE: u32 = 20;
const NUMBER: u32 = 15;
const LABEL: u32 = 16;
/// Pixels under an axis of numbers.
pub(crate) const NUMBERS_BELOW: u32 = 44;

/// What a frame shows.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) title: &'a str,
    pub(crate) x_label: &'a str,
    pub(crate) y_label: &'a str,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    /// Pixels under the x axis.
    pub(crate) below: u32,
}

impl Frame<'_> {
    /// Pixels left of the y axis, of an area `width` wide: at most half of it.
    fn left(&self, width: u32) -> u32 {
        let numbers = self.y.written().map(|number| text::width(&number, NUMBER)).max();
        let label = if self.y_label.is_empty() { 0 } else { 20 };
        (numbers.unwrap_or(0) + 12 + label).min(width / 2)
    }

    /// Pixels along the x axis, of an area `width` wide.
    pub(crate) fn length(&self, width: u32) -> u32 {
        width.saturating_sub(MARGIN + RIGHT + self.left(width))
    }

    /// Draws the frame and says where values lie in it.
    pub(crate) fn draw<'s>(self, area: &Area<'s>) -> Result<Plot<'s>, Failure> {
        let (width, height) = area.dim_in_pixel();
        let left = self.left(width);
        let mut builder = ChartBuilder::on(area);
        builder
            .margin(MARGIN)
            .margin_right(RIGHT)
            .x_label_area_size(self.below)
            .y_label_area_size(left);
        if !self.title.is_empty() {
            let title = text::shortened(self.title, TITLE, width.saturating_sub(2 * MARGIN));
            builder.caption(title, text::style(TITLE, BLACK));
        }
        let mut plot = builder.build_cartesian_2d(self.x, self.y)?;
        let mut mesh = plot.configure_mesh();
        mesh.x_label_formatter(&|value| tick(*value))
            .y_label_formatter(&|value| tick(*value))
            .label_style(text::style(NUMBER, INK))
            .axis_desc_style(text::style(LABEL, BLACK))
            .axis_style(INK)
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT);
        if !self.x_label.is_empty() {
            mesh.x_desc(text::shortened(self.x_label, LABEL, width.saturating_sub(left)));
        }
        if !self.y_label.is_empty() {
            mesh.y_desc(text::shortened(
                self.y_label,
                LABEL,
                height.saturating_sub(self.below + 3 * MARGIN),
            ));
        }
        mesh.draw()?;
        Ok(plot)
    }
}
