//! Every figure of `draw` in one page, to be looked at: `cargo run -p draw --example gallery -- gallery.html`.

use std::error::Error;

use draw::{Axes, Bars, Curve, Line, Style, bars, curves, heat_map, lines};

const LONG: &str = "a name that nobody would give to an objective, & yet <somebody> did";

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os()
        .nth(1)
        .ok_or("give the file to write: gallery.html")?;
    let figures = [usual()?, narrow_and_crowded()?, little_or_nothing()?].concat();
    let mut page = String::from("<!doctype html><meta charset=\"utf-8\"><title>draw: gallery</title>\n");
    page.push_str("<body style=\"background:#222\">\n");
    for figure in figures {
        page.push_str(&format!("<p>{figure}</p>\n"));
    }
    std::fs::write(path, page)?;
    Ok(())
}

/// A curve that falls from `from` towards `to`.
fn falling(from: f64, to: f64) -> Vec<(f64, f64)> {
    let at = |step: i32| to + (from - to) * (-0.15 * f64::from(step)).exp();
    (0..=40).map(|step| (f64::from(step), at(step))).collect()
}

fn usual() -> Result<Vec<String>, Box<dyn Error>> {
    let (train, valid) = (falling(0.69, 0.41), falling(0.70, 0.45));
    let learning = [("training", &train), ("validation", &valid)].map(|(name, points)| Line { name, points });
    let baseline = [(0.0, 0.52), (40.0, 0.52)];
    let with_baseline = [
        Curve::from(learning[1]),
        Curve {
            name: "logistic regression",
            points: &baseline,
            style: Style::Dashed,
            ..Curve::default()
        },
    ];
    let axes = Axes::default();
    Ok(vec![
        lines(
            "Learning curves",
            "thousand steps",
            "log loss",
            &learning,
            720,
            320,
        )?,
        curves(
            "With a baseline",
            "thousand steps",
            "log loss",
            &with_baseline,
            axes,
            720,
            320,
        )?,
        metrics()?,
        differences()?,
        calibration()?,
        positions()?,
        experts()?,
        fill()?,
    ])
}

fn metrics() -> Result<String, draw::DrawError> {
    let objectives = ["click", "watch", "like", "rating", "dismiss"];
    let ours = [0.7421, 0.8013, 0.7710, 0.6902, 0.8344].map(Some);
    let popular = [0.6133, 0.6571, 0.5922, 0.5500, 0.6011].map(Some);
    let linear = [Some(0.7012), Some(0.7406), Some(0.7388), None, Some(0.7905)];
    let interval = ours.map(|value| value.map(|value| (value - 0.012, value + 0.011)));
    let series = [
        Bars {
            name: "MMoE",
            values: &ours,
            low_high: &interval,
        },
        Bars {
            name: "logistic regression",
            values: &linear,
            low_high: &[],
        },
        Bars {
            name: "popularity",
            values: &popular,
            low_high: &[],
        },
    ];
    bars("AUC by objective", "AUC", &objectives, &series, 820, 340)
}

fn differences() -> Result<String, draw::DrawError> {
    let values = [0.013, -0.004, 0.0, 0.021, -0.011].map(Some);
    let low_high = values.map(|value| value.map(|value| (value - 0.006, value + 0.005)));
    let names = ["click", "watch share, given a click", "like", "完成率", "dismiss"];
    let series = [Bars {
        name: "",
        values: &values,
        low_high: &low_high,
    }];
    bars("Difference to the live model", "AUC", &names, &series, 560, 320)
}

fn calibration() -> Result<String, draw::DrawError> {
    let predicted = [0.02, 0.06, 0.11, 0.18, 0.24, 0.33, 0.41, 0.52, 0.61, 0.78];
    let click = predicted.map(|p| (p, p * 0.93 + 0.01));
    let intervals = click.map(|(p, y)| (y - 0.02 - p * 0.05, y + 0.02 + p * 0.05));
    let like = predicted.map(|p| (p / 2.0, p * 0.6));
    let drawn = [
        Curve {
            name: "click",
            points: &click,
            low_high: &intervals,
            style: Style::Marked,
        },
        Curve {
            name: "like",
            points: &like,
            low_high: &[],
            style: Style::Points,
        },
    ];
    let axes = Axes {
        diagonal: Some("calibrated"),
        ..Axes::default()
    };
    curves("Calibration", "predicted", "observed", &drawn, axes, 620, 480)
}

fn positions() -> Result<String, draw::DrawError> {
    let curve = |slope: f64| -> Vec<(f64, f64)> {
        let positions = [1.0_f64, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 14.0, 20.0, 30.0];
        positions
            .map(|position| (position, -slope * position.ln()))
            .to_vec()
    };
    let devices = [
        ("phone", curve(0.9)),
        ("desktop", curve(0.6)),
        ("tv", curve(0.25)),
    ];
    let drawn = devices.each_ref().map(|(name, points)| Curve {
        name,
        points,
        low_high: &[],
        style: Style::Marked,
    });
    let axes = Axes {
        log_x: true,
        diagonal: None,
    };
    curves(
        "Position bias by device",
        "position",
        "logit of the shallow tower",
        &drawn,
        axes,
        640,
        360,
    )
}

fn experts() -> Result<String, draw::DrawError> {
    let names: Vec<String> = (1..=8).map(|expert| format!("expert {expert}")).collect();
    let columns: Vec<&str> = names.iter().map(String::as_str).collect();
    let rows = ["click", "watch", "like", "rating", "dismiss"];
    let mut values = Vec::new();
    for row in 0..rows.len() {
        let weights: Vec<f64> = (0..8)
            .map(|column| f64::from((row as i32 * 3 + column * 5) % 11).exp2())
            .collect();
        let sum: f64 = weights.iter().sum();
        values.extend(weights.iter().map(|weight| weight / sum));
    }
    values[11] = f64::NAN;
    heat_map(
        "Use of experts by objective",
        &rows,
        &columns,
        &values,
        (0.0, 1.0),
        760,
        300,
    )
}

fn fill() -> Result<String, draw::DrawError> {
    let tables = ["user_id", "video_id", "channel", "topic", "query", "device"];
    let values = [0.94, 0.61, 0.08, 0.002, 0.33, 1.0].map(Some);
    let series = [Bars {
        name: "share of rows in use",
        values: &values,
        low_high: &[],
    }];
    bars("Fill of embedding tables", "share", &tables, &series, 720, 280)
}

fn narrow_and_crowded() -> Result<Vec<String>, Box<dyn Error>> {
    let many: Vec<String> = (0..300).map(|index| format!("category {index}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let numbers: Vec<String> = (0..300).map(|index| index.to_string()).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let wave = |shift: f64| -> Vec<Option<f64>> {
        (0..300)
            .map(|index| Some((f64::from(index) / 20.0 + shift).sin()))
            .collect()
    };
    let waves = [wave(0.0), wave(1.0)];
    let names = ["one", LONG];
    let series: Vec<Bars> = waves
        .iter()
        .zip(names)
        .map(|(values, name)| Bars {
            name,
            values,
            low_high: &[],
        })
        .collect();
    let cells: Vec<f64> = (0..300 * 40)
        .map(|index| f64::from(index % 997) / 997.0)
        .collect();
    let curve = falling(2.5e7, 1.2e6);
    let crowd: Vec<String> = (0..30).map(|index| format!("line {index}")).collect();
    let shifted: Vec<Vec<(f64, f64)>> = (0..30)
        .map(|index| falling(30.0 + f64::from(index), f64::from(index)))
        .collect();
    let crowd: Vec<Line> = crowd
        .iter()
        .zip(&shifted)
        .map(|(name, points)| Line { name, points })
        .collect();
    let long_rows = [LONG, "点击率很长的名称点击率很长的名称点击率很长的名称", "c"];
    let long_columns = [LONG, "\"quoted\"", "d & e"];
    let line = [Line {
        name: LONG,
        points: &curve,
    }];
    Ok(vec![
        bars("Three hundred categories", "value", &many, &series, 820, 320)?,
        bars("Three hundred numbers", "value", &numbers, &series[..1], 820, 260)?,
        heat_map("Many cells", &many[..40], &many, &cells, (0.0, 1.0), 820, 360)?,
        heat_map(
            LONG,
            &long_rows,
            &long_columns,
            &[1.0, -20.0, 3.0, 4.0, 55.5, 6.0, 70.0, 8.0, 100.0],
            (-20.0, 100.0),
            480,
            320,
        )?,
        lines(LONG, LONG, LONG, &line, 420, 260)?,
        lines("A crowd", "x", "y", &crowd, 640, 300)?,
        bars(
            "Small",
            "y",
            &["a", "b"],
            &[Bars {
                name: "s",
                values: &[Some(1.0), Some(2.0)],
                low_high: &[],
            }],
            160,
            160,
        )?,
        heat_map(
            "Small",
            &["a", "b"],
            &["c", "d"],
            &[0.0, 0.4, 0.7, 1.0],
            (0.0, 1.0),
            160,
            160,
        )?,
    ])
}

fn little_or_nothing() -> Result<Vec<String>, Box<dyn Error>> {
    let (axes, point) = (Axes::default(), [(3.0, 4.0)]);
    let single = Curve {
        name: "one point",
        points: &point,
        low_high: &[(3.5, 4.2)],
        style: Style::Points,
    };
    let flat = [(0.0, 0.5), (1.0, 0.5), (2.0, 0.5)];
    let flat = [Line {
        name: "constant",
        points: &flat,
    }];
    let zeros = Bars {
        name: "zero",
        values: &[Some(0.0), None],
        low_high: &[],
    };
    Ok(vec![
        lines("No line", "x", "y", &[], 320, 200)?,
        bars("No bar", "y", &[], &[], 320, 200)?,
        heat_map("No cell", &[], &[], &[], (0.0, 1.0), 320, 200)?,
        curves("One point", "x", "y", &[single], axes, 320, 200)?,
        lines("All equal", "x", "y", &flat, 320, 200)?,
        bars("Nothing but zero", "y", &["a", "b"], &[zeros], 320, 200)?,
        heat_map(
            "All equal",
            &["a"],
            &["b", "c"],
            &[2.0, 2.0],
            (2.0, 2.0),
            320,
            200,
        )?,
    ])
}
