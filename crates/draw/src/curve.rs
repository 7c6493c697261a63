//! One curve on its way into the plane: what of it has a place, and how that is drawn.

use plotters::element::DashedPathElement;
use plotters::prelude::*;

use crate::axis::tick;
use crate::figure::{self, Area, Failure, shown};
use crate::frame::Plot;
use crate::hover::Hover;
use crate::legend::{Entry, Mark};
use crate::lines::{Curve, Style};
use crate::palette::{COLOURS, colour};

/// A curve's points that have a place.
pub(crate) struct Drawn<'a> {
    name: &'a str,
    colour: RGBColor,
    /// Pixels of its line.
    stroke: u32,
    style: Style,
    pub(crate) points: Vec<(f64, f64)>,
    /// (x, low, high).
    pub(crate) intervals: Vec<(f64, f64, f64)>,
}

impl<'a> Drawn<'a> {
    /// `curve`, the one at `index`, without what has no place.
    pub(crate) fn new(index: usize, curve: &Curve<'a>, log_x: bool) -> Self {
        let has_place = |(x, y): (f64, f64)| shown(x) && shown(y) && (!log_x || x >= 1e-300);
        let pairs = curve.points.iter().zip(curve.low_high);
        let intervals = pairs
            .filter(|(point, (low, high))| has_place(**point) && shown(*low) && shown(*high))
            .map(|(point, (low, high))| (point.0, *low, *high));
        Self {
            name: curve.name,
            colour: colour(index),
            stroke: if index < COLOURS.len() { 2 } else { 1 },
            style: curve.style,
            intervals: intervals.collect(),
            points: curve
                .points
                .iter()
                .copied()
                .filter(|point| has_place(*point))
                .collect(),
        }
    }

    /// Its row of the legend.
    pub(crate) fn entry(&self) -> Entry<'a> {
        let mark = match self.style {
            Style::Line if self.stroke > 1 => Mark::Line,
            Style::Line => Mark::ThinLine,
            Style::Dashed => Mark::DashedLine,
            Style::Marked => Mark::MarkedLine,
            Style::Points => Mark::Points,
        };
        Entry {
            name: self.name,
            colour: self.colour,
            mark,
        }
    }

    /// Whether it is a line and nothing else.
    pub(crate) fn is_bare(&self) -> bool {
        matches!(self.style, Style::Line | Style::Dashed) && self.intervals.is_empty()
    }

    /// Draws intervals, line and dots.
    pub(crate) fn draw(&self, sheet: &Area, plot: &mut Plot, hover: &mut Hover) -> Result<(), Failure> {
        for (x, low, high) in &self.intervals {
            let (_, high) = plot.backend_coord(&(*x, *high));
            let (x, low) = plot.backend_coord(&(*x, *low));
            figure::interval(sheet, x, low, high, self.colour)?;
        }
        let stroke = self.colour.stroke_width(self.stroke);
        match (self.style, self.points.as_slice()) {
            (_, []) | (Style::Points, _) => {}
            (_, [point]) => {
                plot.draw_series([Circle::new(*point, 4, self.colour.filled())])?;
            }
            (Style::Dashed, points) => {
                plot.draw_series([DashedPathElement::new(points.iter().copied(), 7, 4, stroke)])?;
            }
            (Style::Line | Style::Marked, points) => {
                plot.draw_series([PathElement::new(points.to_vec(), stroke)])?;
            }
        }
        if matches!(self.style, Style::Marked | Style::Points) {
            self.draw_dots(plot, hover)?;
        }
        Ok(())
    }

    fn draw_dots(&self, plot: &mut Plot, hover: &mut Hover) -> Result<(), Failure> {
        // Wider than the dot, so that the pointer finds it.
        const REACH: i32 = 6;
        let dot = |point: &(f64, f64)| Circle::new(*point, 3, self.colour.filled());
        plot.draw_series(self.points.iter().map(dot))?;
        for point in &self.points {
            let (x, y) = plot.backend_coord(point);
            let said = format!("{}: {}, {}", self.name, tick(point.0), tick(point.1));
            hover.add((x - REACH, y - REACH), (x + REACH, y + REACH), &said);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::{Axes, curves};
    use crate::reading::{Element, elements};

    const POINTS: [(f64, f64); 4] = [(0.1, 0.12), (0.3, 0.25), (0.5, 0.5), (0.8, 0.9)];

    fn draw(style: Style, low_high: &[(f64, f64)], axes: Axes) -> String {
        let curve = Curve {
            name: "click",
            points: &POINTS,
            low_high,
            style,
        };
        curves("A title", "predicted", "observed", &[curve], axes, 640, 400).unwrap()
    }

    /// Elements called `name` that are drawn in `colour`.
    fn coloured(svg: &str, name: &str, colour: &str) -> Vec<Element> {
        let is_it = |element: &Element| {
            element.name == name && (element.is("stroke", colour) || element.is("fill", colour))
        };
        elements(svg).into_iter().filter(is_it).collect()
    }

    #[test]
    fn each_style_has_its_dots_and_its_lines() {
        // One circle more in the legend.
        for (style, lines, dots) in [(Style::Line, 1, 0), (Style::Marked, 1, 5), (Style::Points, 0, 5)] {
            let svg = draw(style, &[], Axes::default());
            assert_eq!(coloured(&svg, "polyline", "#0072B2").len(), lines, "{style:?}");
            assert_eq!(coloured(&svg, "circle", "#0072B2").len(), dots, "{style:?}");
        }
        let dashes = draw(Style::Dashed, &[], Axes::default());
        assert!(coloured(&dashes, "polyline", "#0072B2").len() > 10);
    }

    #[test]
    fn a_marked_point_says_its_numbers_on_hover() {
        let svg = draw(Style::Marked, &[], Axes::default());
        let titles: Vec<String> = elements(&svg)
            .into_iter()
            .filter(|element| element.name == "title")
            .map(|element| element.text)
            .collect();
        assert_eq!(
            titles,
            [
                "click: 0.1, 0.12",
                "click: 0.3, 0.25",
                "click: 0.5, 0.5",
                "click: 0.8, 0.9"
            ]
        );
    }

    #[test]
    fn the_diagonal_is_where_x_equals_y_and_has_its_name() {
        let axes = Axes {
            diagonal: Some("calibrated"),
            log_x: false,
        };
        let svg = draw(Style::Points, &[], axes);
        assert!(svg.contains("calibrated"));
        let dots = coloured(&svg, "circle", "#0072B2");
        // (0.5, 0.5) lies on it; the other points do not.
        let middle = (dots[2].number("cx"), dots[2].number("cy"));
        let dashes: Vec<(f64, f64)> = coloured(&svg, "polyline", "#828282")
            .iter()
            .flat_map(Element::points)
            .collect();
        let (first, last) = (dashes[0], dashes[dashes.len() - 1]);
        let at = |x: f64| first.1 + (last.1 - first.1) * (x - first.0) / (last.0 - first.0);
        assert!(
            (at(middle.0) - middle.1).abs() < 2.0,
            "{middle:?} beside {first:?} to {last:?}"
        );
        assert!(dashes.iter().all(|(x, y)| (at(*x) - y).abs() < 2.0), "{dashes:?}");
        assert!((at(dots[3].number("cx")) - dots[3].number("cy")).abs() > 10.0);
        assert!(coloured(&draw(Style::Points, &[], Axes::default()), "polyline", "#828282").is_empty());
    }

    #[test]
    fn equal_factors_are_equal_lengths_on_a_logarithmic_axis() {
        let points = [(-1.0, 9.0), (0.0, 9.0), (1.0, 1.0), (10.0, 2.0), (100.0, 3.0)];
        let curve = Curve {
            name: "a",
            points: &points,
            ..Curve::default()
        };
        let axes = Axes {
            log_x: true,
            diagonal: Some("y = x"),
        };
        let svg = curves("t", "x", "y", &[curve], axes, 640, 400).unwrap();
        let line = coloured(&svg, "polyline", "#0072B2").remove(0).points();
        assert_eq!(line.len(), 3, "points without a logarithm are left out");
        assert!(
            (line[1].0 - line[0].0 - (line[2].0 - line[1].0)).abs() <= 1.0,
            "{line:?}"
        );
        let none = curves("t", "x", "y", &[], axes, 640, 400).unwrap();
        assert!(elements(&none).iter().any(|element| element.text == "10"));
    }

    #[test]
    fn an_interval_reaches_from_its_low_to_its_high() {
        let intervals = [(0.0, 0.5), (0.2, 0.3), (f64::NAN, 0.6), (0.9, 0.9)];
        let svg = draw(Style::Points, &intervals, Axes::default());
        let bars: Vec<Vec<(f64, f64)>> = coloured(&svg, "polyline", "#0072B2")
            .iter()
            .map(Element::points)
            .filter(|points| points[0].0 == points[1].0)
            .collect();
        let heights: Vec<f64> = bars.iter().map(|bar| bar[0].1 - bar[1].1).collect();
        assert_eq!(heights.len(), 3, "the broken one is left out");
        assert!(
            (heights[0] / heights[1] - 5.0).abs() < 0.2 && heights[2] == 0.0,
            "{heights:?}"
        );
        let error = curves(
            "t",
            "x",
            "y",
            &[Curve {
                name: "click",
                points: &POINTS,
                low_high: &intervals[..3],
                ..Curve::default()
            }],
            Axes::default(),
            640,
            400,
        );
        assert_eq!(
            error.unwrap_err().to_string(),
            "the figure `t`: 3 intervals of `click`, expected 4"
        );
    }

    #[test]
    fn long_numbers_and_names_fit_the_smallest_figure() {
        let long = "name ".repeat(50);
        let points = [
            (-3.251_234_5e-9, -3.251_234_5e-9),
            (1e-12, 1.234_567e-9),
            (2.5, -7e8),
        ];
        let drawn = [Curve {
            name: &long,
            points: &points,
            low_high: &[],
            style: Style::Marked,
        }; 20];
        for log_x in [false, true] {
            let axes = Axes {
                log_x,
                diagonal: Some(&long),
            };
            for (width, height) in [(160, 160), (160, 8192), (8192, 160)] {
                elements(&curves(&long, &long, &long, &drawn, axes, width, height).unwrap());
            }
        }
    }
}
