//! A chart of lines: learning curves, curves by position.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::DrawError;
use crate::axis::{range, tick};

/// One line of a chart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line<'a> {
    /// Its name in the legend.
    pub name: &'a str,
    /// (x, y), joined in this order. Points that are not finite, or beyond 1e300, are left out; their neighbours are joined.
    pub points: &'a [(f64, f64)],
}

/// Eight colours that stay apart with any colour vision: Okabe and Ito, Color Universal Design (2008), black last and yellow
/// darkened, which white paper swallows.
const COLOURS: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(160, 140, 0),
    RGBColor(0, 0, 0),
];

const FONT: &str = "sans-serif";
const INK: RGBColor = RGBColor(60, 60, 60);
const GRID: RGBColor = RGBColor(225, 225, 225);
/// Pixels from one legend row to the next.
const LEGEND_ROW: u32 = 20;
/// Pixels of a letter of the legend, about.
const LETTER: u32 = 7;
/// Pixels of a legend row beside its name.
const SWATCH: u32 = 34;

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
    const PIXELS: std::ops::RangeInclusive<u32> = 160..=8192;
    if !PIXELS.contains(&width) || !PIXELS.contains(&height) {
        return Err(DrawError::Size { width, height });
    }
    let mut svg = String::new();
    let labels = [title, x_label, y_label].map(printable);
    plot(&mut svg, &labels, lines, width, height).map_err(|error| DrawError::Plot {
        title: title.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(svg)
}

type Failure<'a> = DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>;

fn plot<'s>(
    svg: &'s mut String,
    [title, x_label, y_label]: &[String; 3],
    lines: &[Line],
    width: u32,
    height: u32,
) -> Result<(), Failure<'s>> {
    let points: Vec<Vec<(f64, f64)>> = lines.iter().map(drawable).collect();
    let x = range(points.iter().flatten().map(|point| point.0), 0.0);
    let y = range(points.iter().flatten().map(|point| point.1), 0.05);
    let root = SVGBackend::with_string(svg, (width, height)).into_drawing_area();
    root.fill(&WHITE)?;
    let legend_width = legend_width(lines, width);
    let (frame, legend) = root.split_horizontally(width - legend_width);
    let mut chart = ChartBuilder::on(&frame)
        .caption(title, (FONT, 20).into_font().color(&BLACK))
        .margin(10)
        .margin_right(20)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(x, y)?;
    chart
        .configure_mesh()
        .x_desc(x_label)
        .y_desc(y_label)
        .x_labels(count(width - legend_width, 80))
        .y_labels(count(height, 50))
        .x_label_formatter(&|value| tick(*value))
        .y_label_formatter(&|value| tick(*value))
        .label_style((FONT, 15).into_font().color(&INK))
        .axis_desc_style((FONT, 16).into_font().color(&BLACK))
        .axis_style(INK)
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .draw()?;
    for (index, points) in points.into_iter().enumerate() {
        match points.as_slice() {
            [] => {}
            [point] => {
                chart.draw_series([Circle::new(*point, 4, colour(index).filled())])?;
            }
            _ => {
                let stroke = colour(index).stroke_width(if index < COLOURS.len() { 2 } else { 1 });
                chart.draw_series([PathElement::new(points, stroke)])?;
            }
        }
    }
    draw_legend(&legend, lines, legend_width)?;
    root.present()
}

fn drawable(line: &Line) -> Vec<(f64, f64)> {
    // Beyond it the width of a range is no longer a number.
    let shown = |value: f64| value.abs() <= 1e300;
    line.points
        .iter()
        .copied()
        .filter(|(x, y)| shown(*x) && shown(*y))
        .collect()
}

fn colour(index: usize) -> RGBColor {
    COLOURS[index % COLOURS.len()]
}

/// How many labels fit along an axis.
fn count(pixels: u32, each: u32) -> usize {
    (pixels / each).clamp(2, 12) as usize
}

/// Room for the longest name, at most two fifths of the figure.
fn legend_width(lines: &[Line], width: u32) -> u32 {
    let longest = lines.iter().map(|line| line.name.chars().count()).max();
    let wanted = |letters: usize| {
        u32::try_from(letters)
            .unwrap_or(u32::MAX)
            .saturating_mul(LETTER)
            .saturating_add(SWATCH)
    };
    longest.map_or(0, |letters| wanted(letters).min(width * 2 / 5))
}

fn draw_legend<'s>(
    area: &DrawingArea<SVGBackend<'s>, Shift>,
    lines: &[Line],
    width: u32,
) -> Result<(), Failure<'s>> {
    let style = TextStyle::from((FONT, 15).into_font())
        .color(&BLACK)
        .pos(Pos::new(HPos::Left, VPos::Center));
    let letters = (width.saturating_sub(SWATCH) / LETTER) as usize;
    for (index, line) in lines.iter().enumerate() {
        // The first row beside the top of the frame.
        let y = (46 + LEGEND_ROW * u32::try_from(index).unwrap_or(u32::MAX / LEGEND_ROW - 46)) as i32;
        let thick = if index < COLOURS.len() { 2 } else { 1 };
        area.draw(&Rectangle::new(
            [(0, y - thick), (18, y + thick)],
            colour(index).filled(),
        ))?;
        area.draw(&Text::new(
            shortened(&printable(line.name), letters),
            (24, y),
            style.clone(),
        ))?;
    }
    Ok(())
}

/// At most `letters` letters, the last an ellipsis where some were cut.
fn shortened(name: &str, letters: usize) -> String {
    if name.chars().count() <= letters {
        return name.to_owned();
    }
    name.chars()
        .take(letters.saturating_sub(1))
        .chain(['…'])
        .collect()
}

/// XML has no control characters, escaped or not.
fn printable(text: &str) -> String {
    let shown = |letter: char| {
        if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') {
            ' '
        } else {
            letter
        }
    };
    text.chars().map(shown).collect()
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
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
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
