//! What a reader of bars can rely on.

use super::*;
use crate::reading::{Element, elements};

const NAMES: [&str; 3] = ["click", "watch", "like"];

fn draw(values: &[Option<f64>], low_high: &[Option<(f64, f64)>]) -> String {
    let series = [Bars {
        name: "AUC",
        values,
        low_high,
    }];
    bars("A title", "value", &NAMES, &series, 640, 400).unwrap()
}

/// The bars of the first series, from left to right; the last rectangle of that colour is the legend's.
fn drawn(svg: &str) -> Vec<Element> {
    let is_bar = |element: &Element| element.name == "rect" && element.is("fill", "#0072B2");
    let mut all: Vec<Element> = elements(svg).into_iter().filter(is_bar).collect();
    all.pop();
    all
}

fn titles(svg: &str) -> Vec<String> {
    let all = elements(svg)
        .into_iter()
        .filter(|element| element.name == "title");
    all.map(|element| element.text).collect()
}

#[test]
fn a_bar_is_as_tall_as_its_value_is_large() {
    let bars = drawn(&draw(&[Some(1.0), Some(4.0), Some(2.0)], &[]));
    let heights: Vec<f64> = bars.iter().map(|bar| bar.number("height")).collect();
    assert!((heights[1] / heights[0] - 4.0).abs() < 0.1, "{heights:?}");
    assert!((heights[2] / heights[0] - 2.0).abs() < 0.1, "{heights:?}");
    let feet: Vec<f64> = bars
        .iter()
        .map(|bar| bar.number("y") + bar.number("height"))
        .collect();
    assert!(
        feet.iter().all(|foot| *foot == feet[0]),
        "all stand on zero: {feet:?}"
    );
    assert!(bars.is_sorted_by(|a, b| a.number("x") + a.number("width") < b.number("x")));
}

#[test]
fn negative_values_hang_from_zero() {
    let bars = drawn(&draw(&[Some(2.0), Some(-1.0), Some(0.0)], &[]));
    let zero = bars[0].number("y") + bars[0].number("height");
    assert_eq!(bars[1].number("y"), zero);
    assert!(bars[1].number("height") > 10.0);
    assert_eq!(bars[2].number("height"), 0.0);
}

#[test]
fn a_missing_value_leaves_a_gap() {
    let whole = drawn(&draw(&[Some(1.0), Some(2.0), Some(3.0)], &[]));
    for missing in [None, Some(f64::NAN), Some(f64::INFINITY), Some(f64::MAX)] {
        let svg = draw(&[Some(1.0), missing, Some(3.0)], &[]);
        let bars = drawn(&svg);
        let places: Vec<f64> = bars.iter().map(|bar| bar.number("x")).collect();
        assert_eq!(places, [whole[0].number("x"), whole[2].number("x")]);
        assert_eq!(titles(&svg), ["click, AUC: 1", "like, AUC: 3"]);
    }
    assert!(drawn(&draw(&[None; 3], &[])).is_empty());
}

#[test]
fn values_and_intervals_are_said_on_hover_and_values_written() {
    let intervals = [Some((0.65, 0.75)), None, Some((f64::NAN, 1.0))];
    let svg = draw(&[Some(0.712_34), Some(0.5), Some(0.25)], &intervals);
    let expected = [
        "click, AUC: 0.71234 (0.65 to 0.75)",
        "watch, AUC: 0.5",
        "like, AUC: 0.25",
    ];
    assert_eq!(titles(&svg), expected);
    let written = |text: &str| elements(&svg).iter().any(|element| element.text == text);
    assert!(written("0.7123") && written("click") && written("A title") && written("AUC"));
    let upright = |element: &&Element| {
        element.name == "polyline" && element.is("stroke", "#000000") && {
            let points = element.points();
            points[0].0 == points[1].0
        }
    };
    assert_eq!(elements(&svg).iter().filter(upright).count(), 1);
}

#[test]
fn series_stand_beside_each_other_in_their_colours() {
    let values = [Some(1.0); 3];
    let names = ["a", "b"];
    let series = names.map(|name| Bars {
        name,
        values: &values,
        low_high: &[],
    });
    let svg = bars("t", "y", &NAMES, &series, 640, 400).unwrap();
    let of = |colour: &str| -> Vec<(f64, f64)> {
        let rects = elements(&svg)
            .into_iter()
            .filter(|element| element.name == "rect");
        let ends = |bar: Element| (bar.number("x"), bar.number("x") + bar.number("width"));
        rects
            .filter(|rect| rect.is("fill", colour))
            .map(ends)
            .take(3)
            .collect()
    };
    for ((_, first_end), (second_start, _)) in of("#0072B2").iter().zip(of("#D55E00")) {
        assert!(*first_end <= second_start && second_start - first_end < 3.0);
    }
}

#[test]
fn hundreds_of_categories_are_drawn_and_their_names_thinned() {
    let names: Vec<String> = (0..500).map(|index| format!("category {index}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let values: Vec<Option<f64>> = (0..500).map(|index| Some(f64::from(index))).collect();
    let series = [Bars {
        name: "",
        values: &values,
        low_high: &[],
    }];
    let svg = bars("t", "y", &names, &series, 800, 300).unwrap();
    let all = elements(&svg);
    let bars = all.iter().filter(|element| element.is("fill", "#0072B2"));
    assert_eq!(bars.clone().count(), 500, "without a name there is no legend");
    assert!(bars.clone().all(|bar| bar.number("width") >= 1.0));
    let written = all
        .iter()
        .filter(|element| element.name == "text" && element.text.starts_with("category"));
    assert!((20..60).contains(&written.count()));
}

#[test]
fn names_are_escaped_and_shortened_and_equal_input_gives_equal_bytes() {
    let long = "名字 & <name> ".repeat(30);
    let names = ["<b>\"x\"</b>", "点击 & 'co'", long.as_str()];
    let values = [Some(1.0), Some(-2.0), None];
    let series = [Bars {
        name: &long,
        values: &values,
        low_high: &[],
    }];
    let draw = || bars(&long, &long, &names, &series, 640, 400).unwrap();
    let svg = draw();
    assert_eq!(svg, draw());
    let texts: Vec<String> = elements(&svg).into_iter().map(|element| element.text).collect();
    for name in ["&lt;b&gt;&quot;x&quot;&lt;/b&gt;", "点击 &amp; &apos;co&apos;"] {
        assert!(texts.iter().any(|text| text == name), "{name} in {texts:?}");
    }
    assert!(
        texts
            .iter()
            .any(|text| text.starts_with("名字 &amp; &lt;name") && text.ends_with('…'))
    );
}

#[test]
fn values_that_do_not_match_the_categories_are_refused() {
    let values = [Some(1.0), Some(2.0)];
    let series = |low_high| {
        [Bars {
            name: "AUC",
            values: &values,
            low_high,
        }]
    };
    let error = bars("t", "y", &NAMES, &series(&[]), 640, 400).unwrap_err();
    assert_eq!(error.to_string(), "the figure `t`: 2 values of `AUC`, expected 3");
    let error = bars("t", "y", &NAMES[..2], &series(&[None]), 640, 400).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the figure `t`: 1 intervals of `AUC`, expected 2"
    );
    assert!(bars("t", "y", &[], &[], 160, 160).is_ok());
    assert!(bars("t", "y", &NAMES, &[], 159, 160).is_err());
}

#[test]
fn any_size_of_values_can_be_drawn() {
    for size in [1e-300, 1e-13, 1e-9, 1.0, 1e9, 1e300] {
        elements(&draw(
            &[Some(size), Some(-size), Some(size / 3.0)],
            &[Some((-size, size)); 3],
        ));
    }
}

#[test]
fn long_numbers_and_names_fit_the_smallest_figure() {
    let long = "name ".repeat(50);
    let values = [Some(-3.251_234_5e-9), Some(1.234_567e-9), None];
    let series = [Bars {
        name: &long,
        values: &values,
        low_high: &[],
    }; 20];
    for (width, height) in [(160, 160), (160, 8192), (8192, 160)] {
        let svg = bars(&long, &long, &[&long, "b", &long], &series, width, height).unwrap();
        for rect in elements(&svg).iter().filter(|element| element.name == "rect") {
            assert!(
                rect.number("width") >= 0.0 && rect.number("height") >= 0.0,
                "{rect:?}"
            );
            assert!(
                rect.number("x") >= 0.0 && rect.number("x") <= f64::from(width),
                "{rect:?}"
            );
        }
    }
}
