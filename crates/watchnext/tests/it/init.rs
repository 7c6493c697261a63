//! `init`: a declaration for a file that nobody declared trains as it is written, and says what it could not know.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::fixture::{Feed, chance, ended, run};

/// Rows of a made-up file.
const ROWS: usize = 1_500;

/// What a made-up row says: item of 40, its quality, and whether it was clicked.
struct Row {
    user: usize,
    item: usize,
    quality: f64,
    click: bool,
    noise: f64,
}

fn made_up() -> Vec<Row> {
    let mut chance = chance(7);
    let rows = 0..ROWS;
    rows.map(|row| {
        let item = (chance() * 40.0) as usize;
        let quality = (item % 7) as f64 - 3.0;
        let click = chance() < 1.0 / (1.0 + (-0.7 * quality).exp());
        Row {
            user: row / 5 % 50,
            item,
            quality,
            click,
            noise: chance(),
        }
    })
    .collect()
}

fn empty() -> Feed {
    let feed = Feed::new();
    std::fs::remove_file(feed.path("ranker.toml")).unwrap();
    std::fs::remove_file(feed.path("log.parquet")).unwrap();
    feed
}

/// `init FILE --out r.toml`: what it says.
fn proposed(feed: &Feed, file: &str) -> String {
    let [file, out] = [file, "r.toml"].map(|name| feed.text(name));
    let [printed, said] = ended(run(&["init", &file, "--out", &out]), 0);
    assert!(printed.is_empty() && said.contains(&out), "{printed}{said}");
    said
}

/// The proposal trains without a change; returns what `init` said and the report of `train`.
fn trains_as_proposed(feed: &Feed, file: &str) -> (String, Value) {
    let said = proposed(feed, file);
    let text = std::fs::read_to_string(feed.path("r.toml")).unwrap();
    // What is left open in the text was said too.
    let choices = text.matches("CHOOSE: ").count();
    assert_eq!(said.matches("choose: ").count(), choices, "{said}\n{text}");
    let [ranker, data, out] = ["r.toml", file, "run"].map(|name| feed.text(name));
    let output = run(&["train", &ranker, "--data", &data, "--out", &out]);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(matches!(output.status.code(), Some(0 | 3)), "{message}\n{text}");
    (said, feed.metrics("run"))
}

/// AUC of the objective `name` on the test part.
fn auc(report: &Value, name: &str) -> f64 {
    let objectives = report["test"]["objectives"].as_array().unwrap();
    let objective = objectives.iter().find(|objective| objective["name"] == name);
    objective.unwrap_or_else(|| panic!("no `{name}`: {report}"))["auc"]
        .as_f64()
        .unwrap()
}

#[test]
fn a_file_of_300_columns_trains_as_proposed() {
    let feed = empty();
    let mut chance = chance(11);
    let mut text = "user_id,item_id,timestamp,is_click".to_owned();
    for column in 0..296 {
        write!(text, ",f{column}").unwrap();
    }
    text.push('\n');
    for (at, row) in made_up().iter().enumerate() {
        write!(
            text,
            "u{},v{},{},{}",
            row.user,
            row.item,
            1_700_000_000 + 60 * at,
            u8::from(row.click)
        )
        .unwrap();
        for column in 0..296 {
            match column {
                0 => write!(text, ",{}", row.quality + row.noise),
                _ if column % 3 == 0 => write!(text, ",{}", (chance() * 9.0) as u8),
                _ => write!(text, ",{:.4}", chance()),
            }
            .unwrap();
        }
        text.push('\n');
    }
    feed.write("wide.csv", &text);
    let (_, report) = trains_as_proposed(&feed, "wide.csv");
    assert!(auc(&report, "click") > 0.55, "{report}");
}

#[test]
fn a_file_of_3_columns_trains_as_proposed() {
    let feed = empty();
    let mut text = "item,price,bought\n".to_owned();
    for row in made_up() {
        let price = 10.0 + row.quality + row.noise;
        writeln!(text, "v{},{price:.2},{}", row.item, u8::from(row.click)).unwrap();
    }
    feed.write("narrow.csv", &text);
    let (_, report) = trains_as_proposed(&feed, "narrow.csv");
    assert!(auc(&report, "bought") > 0.6, "{report}");
}

#[test]
fn nested_objects_train_as_proposed() {
    let feed = empty();
    let mut text = String::new();
    for (at, row) in made_up().iter().enumerate() {
        let tags = ["news", "sport", "music"][row.item % 3];
        let line = json!({
            "time": format!("2024-05-{:02}T{:02}:{:02}:00Z", 1 + at / 1440, at / 60 % 24, at % 60),
            "user": { "id": format!("u{}", row.user), "age": 20 + row.user % 40 },
            "item": { "id": format!("v{}", row.item), "quality": row.quality, "tags": [tags, "all"] },
            "feedback": { "click": row.click },
        });
        writeln!(text, "{line}").unwrap();
    }
    feed.write("nested.jsonl", &text);
    let (_, report) = trains_as_proposed(&feed, "nested.jsonl");
    let name = report["test"]["objectives"][0]["name"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(name.contains("click"), "{name}");
    assert!(auc(&report, &name) > 0.6, "{report}");
}

#[test]
fn dates_in_three_forms_train_as_proposed() {
    type Form = fn(usize) -> String;
    let forms: [(&str, Form); 3] = [
        ("iso", |at| {
            format!(
                "2024-05-{:02} {:02}:{:02}:00",
                1 + at / 96,
                at / 4 % 24,
                at % 4 * 15
            )
        }),
        ("german", |at| {
            format!("{:02}.05.2024 {:02}:{:02}", 1 + at / 96, at / 4 % 24, at % 4 * 15)
        }),
        ("american", |at| {
            let (hour, half) = (at / 4 % 24, if at / 4 % 24 < 12 { "AM" } else { "PM" });
            let hour = if hour % 12 == 0 { 12 } else { hour % 12 };
            format!("05/{:02}/2024 {hour:02}:{:02} {half}", 1 + at / 96, at % 4 * 15)
        }),
    ];
    for (name, form) in forms {
        let feed = empty();
        let mut text = "date,user_id,item_id,quality,click\n".to_owned();
        for (at, row) in made_up().iter().enumerate() {
            let quality = row.quality + row.noise;
            writeln!(
                text,
                "{},u{},v{},{quality:.3},{}",
                form(at),
                row.user,
                row.item,
                u8::from(row.click)
            )
            .unwrap();
        }
        let file = format!("{name}.csv");
        feed.write(&file, &text);
        let (_, report) = trains_as_proposed(&feed, &file);
        assert!(auc(&report, "click") > 0.6, "{name}: {report}");
        let text = std::fs::read_to_string(feed.path("r.toml")).unwrap();
        assert!(text.contains("time = \"date\""), "{name}: {text}");
    }
}

#[test]
fn chinese_column_names_train_as_proposed() {
    let feed = empty();
    let mut text = "用户ID,视频ID,时间戳,设备,视频时长,是否点赞\n".to_owned();
    for (at, row) in made_up().iter().enumerate() {
        let device = ["手机", "电视"][row.user % 2];
        let length = 60.0 + 10.0 * row.quality;
        writeln!(
            text,
            "u{},v{},{},{device},{length},{}",
            row.user,
            row.item,
            1_700_000_000_000_i64 + 60_000 * at as i64,
            u8::from(row.click)
        )
        .unwrap();
    }
    feed.write("chinese.csv", &text);
    let (_, report) = trains_as_proposed(&feed, "chinese.csv");
    assert!(auc(&report, "点赞") > 0.6, "{report}");
}

#[test]
fn without_a_column_that_can_be_a_label_it_says_which_choice_is_open() {
    let feed = empty();
    let mut text = "user_id,item_id,timestamp,price\n".to_owned();
    for (at, row) in made_up().iter().enumerate() {
        let (time, price) = (1_700_000_000 + 60 * at, row.quality + row.noise);
        writeln!(text, "u{},v{},{time},{price:.3}", row.user, row.item).unwrap();
    }
    feed.write("views.csv", &text);
    let said = proposed(&feed, "views.csv");
    assert!(
        said.lines()
            .any(|line| line.starts_with("choose: ") && line.contains("label")),
        "{said}"
    );
    let [ranker, data, out] = ["r.toml", "views.csv", "run"].map(|name| feed.text(name));
    let [_, message] = ended(run(&["train", &ranker, "--data", &data, "--out", &out]), 2);
    assert!(message.contains("objectives"), "{message}");
}

/// A log with two columns that are known only afterwards: one by its name, one by its values.
fn leaking() -> Feed {
    let feed = empty();
    let mut text = "user_id,item_id,timestamp,quality,stay_time,z9,click\n".to_owned();
    for (at, row) in made_up().iter().enumerate() {
        let time = 1_700_000_000 + 60 * at;
        let after = f64::from(u8::from(row.click)) + 0.8 * row.noise;
        let stay = if row.click {
            5.0 + 20.0 * row.noise
        } else {
            row.noise
        };
        writeln!(
            text,
            "u{},v{},{time},{:.2},{stay:.3},{after:.4},{}",
            row.user,
            row.item,
            row.quality,
            u8::from(row.click)
        )
        .unwrap();
    }
    feed.write("leaking.csv", &text);
    feed
}

#[test]
fn a_column_that_gives_the_label_away_is_pointed_out_and_left_out() {
    let feed = leaking();
    let (said, report) = trains_as_proposed(&feed, "leaking.csv");
    let leak = |column: &str| {
        said.lines()
            .find(|line| line.starts_with("leak: ") && line.contains(&format!("`{column}`")))
            .map(str::to_owned)
    };
    let by_values = leak("z9").unwrap_or_else(|| panic!("{said}"));
    assert!(
        by_values.contains("left out") && by_values.contains("predicts `click` with AUC"),
        "{by_values}"
    );
    assert!(leak("stay_time").is_some(), "{said}");
    assert!(leak("quality").is_none(), "{said}");
    assert_eq!(report["leaks"], json!([]), "what was left out cannot leak");
    assert!((0.6..0.9).contains(&auc(&report, "click")), "{report}");
}

#[test]
fn a_declared_column_that_gives_the_label_away_is_a_warning_of_train() {
    let feed = leaking();
    proposed(&feed, "leaking.csv");
    let text = std::fs::read_to_string(feed.path("r.toml")).unwrap();
    let declared = text.replacen(
        "[fields]\n",
        "[fields]\nz9 = { side = \"item\", kind = \"number\" }\n",
        1,
    );
    feed.write("r.toml", &declared);
    let [ranker, data, out] = ["r.toml", "leaking.csv", "run"].map(|name| feed.text(name));
    let [printed, _] = ended(run(&["train", &ranker, "--data", &data, "--out", &out]), 0);
    let warning = printed
        .lines()
        .find(|line| line.starts_with("warning: the field `z9`"));
    let warning = warning.unwrap_or_else(|| panic!("{printed}"));
    assert!(warning.contains("`click` with AUC"), "{warning}");
    let report = feed.metrics("run");
    assert_eq!(
        (&report["leaks"][0]["field"], &report["leaks"][0]["objective"]),
        (&json!("z9"), &json!("click"))
    );
    assert!(report["leaks"][0]["auc"].as_f64().unwrap() > 0.97);
    assert_eq!(report["leaks"].as_array().unwrap().len(), 1, "{report}");
    let page = std::fs::read_to_string(feed.path("run/report.html")).unwrap();
    assert!(page.contains("<code>z9</code>"));
}

#[test]
fn the_same_file_gives_the_same_text_on_standard_output_or_in_a_file_that_is_not_replaced_unasked() {
    let feed = leaking();
    proposed(&feed, "leaking.csv");
    let [file, out] = ["leaking.csv", "r.toml"].map(|name| feed.text(name));
    let written = std::fs::read_to_string(feed.path("r.toml")).unwrap();
    let [printed, _] = ended(run(&["init", &file]), 0);
    assert_eq!(printed, written);

    feed.write("r.toml", "mine");
    let [_, message] = ended(run(&["init", &file, "--out", &out]), 2);
    assert!(message.contains("--overwrite"), "{message}");
    assert_eq!(std::fs::read_to_string(feed.path("r.toml")).unwrap(), "mine");
    ended(run(&["init", &file, "--out", &out, "--overwrite"]), 0);
    assert_eq!(std::fs::read_to_string(feed.path("r.toml")).unwrap(), written);

    let nowhere = feed.text("no/such/r.toml");
    let [_, message] = ended(run(&["init", &file, "--out", &nowhere]), 2);
    assert!(message.contains(&nowhere), "{message}");
}
