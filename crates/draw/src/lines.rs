//! A chart of lines or points: learning curves, curves by position, predicted against observed.

use plotters::element::DashedPathElement;
use plotters::prelude::*;

use crate::DrawError;
use crate::axis::{Axis, count, range, range_of_factors};
use crate::curve::Drawn;
use crate::error::counted;
use crate::figure::{self, Failure};
use crate::frame::{Frame, NUMBERS_BELOW, Plot};
use crate::legend::{self, Entry, Mark};
use crate::palette::REFERENCE;

/// One line of a chart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line<'a> {
    /// Its name in the legend.
    pub name: &'a str,
    /// (x, y), joined in this order. Points that are not finite, or beyond 1e300, are left out; their neighbours are joined.
    pub points: &'a [(f64, f64)],
}

/// How a [`Curve`] is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// Its points joined.
    #[default]
    Line,
    /// Its points joined by dashes: a baseline.
    Dashed,
    /// Its points joined, a dot at each, its numbers on hover.
    Marked,
    /// A dot at each point, not joined, its numbers on hover: a scatter.
    Points,
}

/// A [`Line`] with intervals and a style of its own.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Curve<'a> {
    /// Its name in the legend.
    pub name: &'a str,
    /// (x, y), in this order. Points that are not finite, or beyond 1e300, are left out; their neighbours are joined.
    pub points: &'a [(f64, f64)],
    /// (low, high) of each point's y, drawn as a vertical bar; empty: none. An interval that is not finite is left out.
    pub low_high: &'a [(f64, f64)],
    /// How it is drawn.
    pub style: Style,
}

impl<'a> From<Line<'a>> for Curve<'a> {
    fn from(line: Line<'a>) -> Self {
        Self {
            name: line.name,
            points: line.points,
            ..Self::default()
        }
    }
}

/// The plane that [`curves`] are drawn in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Axes<'a> {
    /// Equal factors of x are equal lengths. Points whose x is not above zero (1e-300) are left out.
    pub log_x: bool,
    /// Name of a dashed line at y = x; both axes then have one range, unless x is logarithmic. `None`: no such line.
    pub diagonal: Option<&'a str>,
}

/// Draws a chart of lines, `width` x `height` pixels (160 to 8192), with a legend beside it: one polyline a line, one circle a
/// line of a single point. Without points it is an empty frame. After eight lines the colours repeat, thinner.
///
/// # Errors
/// [`DrawError::Size`]; [`DrawError::Plot`] if the plotting library refuses.
pub fn lines(
    title: &str,
    x_label: &str,
    y_label: &str,
    lines: &[Line],
    width: u32,
    height: u32,
) -> Result<String, DrawError> {
    let drawn: Vec<Curve> = lines.iter().copied().map(Curve::from).collect();
    curves(title, x_label, y_label, &drawn, Axes::default(), width, height)
}

/// As [`lines`], with dots, dashes, intervals, a logarithmic x axis and a diagonal where asked for.
///
/// # Errors
/// [`DrawError::Count`] where a curve has intervals, but not one a point; else as [`lines`].
pub fn curves(
    title: &str,
    x_label: &str,
    y_label: &str,
    curves: &[Curve],
    axes: Axes,
    width: u32,
    height: u32,
) -> Result<String, DrawError> {
    for curve in curves.iter().filter(|curve| !curve.low_high.is_empty()) {
        let what = || format!("intervals of `{}`", curve.name);
        counted(title, what, curve.low_high.len(), curve.points.len())?;
    }
    let drawn: Vec<Drawn> = curves
        .iter()
        .enumerate()
        .map(|(index, curve)| Drawn::new(index, curve, axes.log_x))
        .collect();
    figure::draw(title, width, height, |sheet, hover| {
        let mut entries: Vec<Entry> = drawn.iter().map(Drawn::entry).collect();
        entries.extend(axes.diagonal.map(|name| Entry {
            name,
            colour: REFERENCE,
            mark: Mark::DashedLine,
        }));
        let beside = legend::width(&entries, width);
        let (area, legend_area) = sheet.split_horizontally(width - beside);
        let (x, y) = plane(&drawn, axes, width - beside, height);
        let frame = Frame {
            title,
            x_label,
            y_label,
            x,
            y,
            below: NUMBERS_BELOW,
        };
        let mut plot = frame.draw(&area)?;
        if axes.diagonal.is_some() {
            draw_diagonal(&mut plot, axes.log_x)?;
        }
        for curve in &drawn {
            curve.draw(sheet, &mut plot, hover)?;
        }
        legend::draw(&legend_area, &entries, hover)
    })
}

/// The axes that hold all points and intervals.
fn plane(drawn: &[Drawn], axes: Axes, width: u32, height: u32) -> (Axis, Axis) {
    // Dots and intervals at the edge would lie half outside.
    let margin = if drawn.iter().all(Drawn::is_bare) {
        0.0
    } else {
        0.03
    };
    let all_x = || drawn.iter().flat_map(|curve| &curve.points).map(|point| point.0);
    let ends = drawn
        .iter()
        .flat_map(|curve| &curve.intervals)
        .flat_map(|(_, low, high)| [*low, *high]);
    let all_y = drawn
        .iter()
        .flat_map(|curve| &curve.points)
        .map(|point| point.1)
        .chain(ends);
    let (across, down) = (count(width, 80), count(height, 50));
    if axes.log_x {
        let x = Axis::logarithmic(range_of_factors(all_x(), margin), across);
        return (x, Axis::linear(range(all_y, 0.05), down));
    }
    if axes.diagonal.is_some() {
        let both = range(all_x().chain(all_y), 0.03);
        return (Axis::linear(both.clone(), across), Axis::linear(both, down));
    }
    (
        Axis::linear(range(all_x(), margin), across),
        Axis::linear(range(all_y, 0.05), down),
    )
}

/// The part of y = x that lies in both ranges.
fn draw_diagonal(plot: &mut Plot, log_x: bool) -> Result<(), Failure> {
    let (x, y) = (plot.x_range(), plot.y_range());
    let (from, to) = (x.start.max(y.start), x.end.min(y.end));
    if from >= to {
        return Ok(());
    }
    // Straight unless x is logarithmic.
    let steps = if log_x { 64 } else { 1 };
    let points = (0..=steps).map(|step| {
        let share = f64::from(step) / f64::from(steps);
        let value = from * (1.0 - share) + to * share;
        (value, value)
    });
    plot.draw_series([DashedPathElement::new(points, 6, 4, REFERENCE.stroke_width(1))])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CURVE: [(f64, f64); 3] = [(1.0, 0.7), (2.0, 0.5), (3.0, 0.45)];

    /// Draws `drawn` and expects so many polylines and circles.
    fn check(drawn: &[Line], polylines: usize, circles: usize) -> String {
        let svg = lines("A title", "epoch", "loss", drawn, 640, 400).unwrap();
        assert!(
            svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"),
            "{svg}"
        );
        crate::reading::elements(&svg);
        // Axes and their ticks are polylines too, in colours of their own.
        let own = |line: &&str| {
            line.starts_with("<polyline") && !line.contains("#3C3C3C") && !line.contains("#E1E1E1")
        };
        assert_eq!(svg.lines().filter(own).count(), polylines, "{svg}");
        assert_eq!(svg.matches("<circle").count(), circles, "{svg}");
        svg
    }

    #[test]
    fn a_chart_has_its_words_and_a_polyline_a_line() {
        let svg = check(
            &[
                Line {
                    name: "training",
                    points: &CURVE,
                },
                Line {
                    name: "validation",
                    points: &CURVE[1..],
                },
            ],
            2,
            0,
        );
        for word in ["A title", "epoch", "loss", "training", "validation", "0.5"] {
            assert!(svg.contains(word), "{word} in {svg}");
        }
        assert!(svg.contains("#0072B2") && svg.contains("#D55E00"), "{svg}");
    }

    #[test]
    fn no_lines_no_points_and_one_point_are_drawn_as_far_as_they_go() {
        check(&[], 0, 0);
        let svg = check(
            &[
                Line {
                    name: "empty",
                    points: &[],
                },
                Line {
                    name: "single",
                    points: &CURVE[..1],
                },
            ],
            0,
            1,
        );
        assert!(svg.contains("empty") && svg.contains("single"));
    }

    #[test]
    fn points_that_are_not_finite_are_left_out() {
        let broken = [
            (1.0, 1.0),
            (f64::NAN, 2.0),
            (2.0, f64::INFINITY),
            (3.0, f64::NEG_INFINITY),
            (4.0, f64::MAX),
            (5.0, 2.0),
        ];
        let whole = [(1.0, 1.0), (5.0, 2.0)];
        let draw = |points: &[(f64, f64)]| check(&[Line { name: "a", points }], 1, 0);
        assert_eq!(draw(&broken), draw(&whole));
    }

    #[test]
    fn any_size_of_numbers_can_be_drawn() {
        let sizes = [
            0.0,
            1e-300,
            1e-15,
            1e-9,
            1e-3,
            1.0,
            1.0 + 1e-12,
            7.0,
            1e6,
            1e15,
            1e15 + 1.0,
            1e100,
            1e300,
        ];
        let all: Vec<f64> = sizes.iter().flat_map(|size| [*size, -size]).collect();
        for a in &all {
            for b in &all {
                check(
                    &[Line {
                        name: "a",
                        points: &[(*a, *b), (*b, *a), (*a, *a)],
                    }],
                    1,
                    0,
                );
            }
        }
    }

    #[test]
    fn names_cannot_break_the_figure() {
        let svg = check(
            &[Line {
                name: "<b>\"&'\u{0}\u{1b}</svg>",
                points: &CURVE,
            }],
            1,
            0,
        );
        assert_eq!(svg.matches("</svg>").count(), 1);
        assert!(svg.contains("&lt;b&gt;&quot;&amp;&apos;  &lt;/svg&gt;"), "{svg}");
        let long = "long ".repeat(100);
        assert!(
            check(
                &[Line {
                    name: &long,
                    points: &CURVE
                }],
                1,
                0
            )
            .contains('…')
        );
    }

    #[test]
    fn equal_input_gives_equal_bytes_and_many_lines_are_legible() {
        let names: Vec<String> = (0..12).map(|index| format!("line {index}")).collect();
        let drawn: Vec<Line> = names.iter().map(|name| Line { name, points: &CURVE }).collect();
        let svg = check(&drawn, 12, 0);
        assert_eq!(svg, check(&drawn, 12, 0));
        assert!(names.iter().all(|name| svg.contains(name.as_str())));
    }

    #[test]
    fn a_size_that_cannot_be_read_is_refused() {
        for (width, height) in [(0, 400), (640, 159), (8193, 400)] {
            let error = lines("t", "x", "y", &[], width, height).unwrap_err().to_string();
            assert_eq!(
                error,
                format!("a figure of {width} x {height} pixels: expected 160 to 8192 pixels each way")
            );
        }
        assert!(
            lines(
                "t",
                "x",
                "y",
                &[Line {
                    name: "a name",
                    points: &CURVE
                }],
                160,
                160
            )
            .is_ok()
        );
    }
}
