//! What a reader of a heat map can rely on.

use super::*;
use crate::reading::{Element, elements};

const ROWS: [&str; 2] = ["click", "like"];
const COLUMNS: [&str; 3] = ["expert 1", "expert 2", "expert 3"];
const VALUES: [f64; 6] = [0.0, 0.125, 0.97, 0.31, 0.52, 0.64];

fn draw(values: &[f64], range: (f64, f64)) -> Vec<Element> {
    elements(&heat_map("Use", &ROWS, &COLUMNS, values, range, 640, 300).unwrap())
}

fn texts(all: &[Element], fill: &str) -> Vec<String> {
    let texts = all
        .iter()
        .filter(|element| element.name == "text" && element.is("fill", fill));
    texts.map(|element| element.text.clone()).collect()
}

/// What the cells say, and their colours: white where there is no value.
fn cells(all: &[Element]) -> Vec<(String, String)> {
    let titles = all
        .iter()
        .enumerate()
        .filter(|(_, element)| element.name == "title");
    let cell = |(index, title): (usize, &Element)| {
        let area = &all[index - 1];
        let (x, y) = (area.number("x"), area.number("y"));
        let ground = all.iter().find(|rect| {
            rect.name == "rect" && rect.is("stroke", "none") && rect.number("x") == x && rect.number("y") == y
        });
        let colour = ground.map_or("#FFFFFF".to_owned(), |rect| rect.attributes["fill"].clone());
        (title.text.clone(), colour)
    };
    titles.map(cell).collect()
}

#[test]
fn each_number_is_written_in_its_cell_and_said_on_hover() {
    let all = draw(&VALUES, (0.0, 1.0));
    let (dark, light) = (texts(&all, "#000000"), texts(&all, "#FFFFFF"));
    for number in ["0.00", "0.12", "0.97", "0.31", "0.52", "0.64"] {
        assert!(
            dark.iter().chain(&light).any(|text| text == number),
            "{number}: {dark:?} {light:?}"
        );
    }
    assert!(dark.contains(&"0.00".to_owned()) && light.contains(&"0.97".to_owned()));
    let said: Vec<String> = cells(&all).into_iter().map(|cell| cell.0).collect();
    assert_eq!(said[1], "click, expert 2: 0.125");
    assert_eq!(said[3], "like, expert 1: 0.31");
    let names = texts(&all, "#3C3C3C");
    assert!(
        ROWS.iter()
            .chain(&COLUMNS)
            .all(|name| names.iter().any(|text| text == name)),
        "{names:?}"
    );
    assert!(
        ["0", "0.5", "1"]
            .iter()
            .all(|end| names.iter().any(|text| text == end)),
        "{names:?}"
    );
}

#[test]
fn a_larger_value_is_darker_and_what_lies_beyond_the_scale_has_the_colour_of_its_end() {
    let red = |values: [f64; 6]| -> Vec<u8> {
        let cells = cells(&draw(&values, (0.0, 1.0)));
        cells
            .iter()
            .map(|cell| u8::from_str_radix(&cell.1[1..3], 16).unwrap())
            .collect()
    };
    let ordered = red([0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
    assert!(ordered.is_sorted_by(|light, dark| light > dark), "{ordered:?}");
    let beyond = red([-5.0, 0.0, 1.0, 7.0, 1e300, -1e300]);
    assert_eq!(beyond[0], beyond[1]);
    assert_eq!(beyond[0], beyond[5]);
    assert_eq!(beyond[2], beyond[3]);
    assert_eq!(beyond[2], beyond[4]);
}

#[test]
fn a_value_that_is_not_finite_leaves_its_cell_white() {
    let all = draw(&[0.5, f64::NAN, 0.5, f64::INFINITY, 0.5, 0.5], (0.0, 1.0));
    let cells = cells(&all);
    assert_eq!(
        cells[1],
        ("click, expert 2: no value".to_owned(), "#FFFFFF".to_owned())
    );
    assert_eq!(cells[3].1, "#FFFFFF");
    assert_ne!(cells[0].1, "#FFFFFF");
    let written = texts(&all, "#000000");
    assert_eq!(
        written.iter().filter(|text| *text == "0.50").count(),
        4,
        "{written:?}"
    );
}

#[test]
fn names_are_escaped_and_equal_input_gives_equal_bytes() {
    let long = "a long <name> ".repeat(20);
    let rows = [long.as_str(), "喜欢 & 'co'"];
    let columns = ["\"x\"", long.as_str(), "</svg>"];
    let draw = || heat_map(&long, &rows, &columns, &VALUES, (0.0, 1.0), 640, 300).unwrap();
    let svg = draw();
    assert_eq!(svg, draw());
    let texts: Vec<String> = elements(&svg).into_iter().map(|element| element.text).collect();
    for name in ["喜欢 &amp; &apos;co&apos;", "&quot;x&quot;", "&lt;/svg&gt;"] {
        assert!(texts.iter().any(|text| text == name), "{name} in {texts:?}");
    }
    assert!(texts.iter().any(|text| text.ends_with('…')));
}

#[test]
fn nothing_much_and_very_little_can_be_drawn() {
    for (rows, columns, pixels) in [
        (0, 0, 300),
        (0, 3, 300),
        (1, 1, 160),
        (120, 400, 500),
        (9, 9, 160),
    ] {
        let names: Vec<String> = (0..400).map(|index| format!("name {index}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let values = vec![0.5; rows * columns];
        let drawn = heat_map(
            "t",
            &names[..rows],
            &names[..columns],
            &values,
            (0.5, 0.5),
            pixels,
            pixels,
        );
        elements(&drawn.unwrap());
    }
    for size in [1e-300, 1e-9, 1e-4, 1e9, 1e300] {
        elements(&heat_map("t", &["a"], &["b", "c"], &[size, -size], (-size, size), 400, 200).unwrap());
    }
}

#[test]
fn what_has_no_sensible_picture_is_refused() {
    let refusal = |values: &[f64], range| {
        let drawn = heat_map("t", &ROWS, &COLUMNS, values, range, 640, 300);
        drawn.unwrap_err().to_string()
    };
    assert_eq!(
        refusal(&VALUES[..5], (0.0, 1.0)),
        "the figure `t`: 5 values for 2 rows and 3 columns, expected 6"
    );
    assert_eq!(
        refusal(&VALUES, (1.0, 0.0)),
        "the figure `t`: a scale from 1 to 0, expected two finite numbers, the lower first"
    );
    assert!(refusal(&VALUES, (f64::NAN, 1.0)).contains("a scale from NaN to 1"));
}

#[test]
fn numbers_have_as_many_decimals_as_the_scale_needs() {
    assert_eq!(number(-0.001, 2), "0.00");
    assert_eq!(number(-0.5, 2), "-0.50");
    assert_eq!(number(2.5e7, 0), "2.5e7");
    let all = draw(&[10.0, 20.0, 30.0, 40.0, 50.0, 70.4], (0.0, 100.0));
    assert!(
        texts(&all, "#000000").contains(&"10".to_owned())
            && texts(&all, "#FFFFFF").contains(&"70".to_owned())
    );
}
