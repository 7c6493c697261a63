//! Times in the forms that files have them in.

use super::*;

#[test]
fn dates_are_read_in_the_form_that_they_have() {
    let files = Files::new();
    let with = |name: &str, date: &dyn Fn(u64) -> String| {
        let mut text = "event_time,user_id,item_id,purchase\n".to_owned();
        for row in 0..600 {
            let _ = writeln!(
                text,
                "{},{},{},{}",
                date(row),
                chance(row, 20),
                chance(row + 1, 20),
                chance(row + 2, 2)
            );
        }
        let (proposal, spec) = files.propose(name, &text);
        assert_eq!(spec.keys.time, "event_time");
        (proposal, spec.keys.time_format)
    };
    let (_, form) = with("a.csv", &|row| format!("{:02}/03/2024", 1 + row / 20));
    assert_eq!(form.as_deref(), Some("%d/%m/%Y"));
    let (_, form) = with("b.csv", &|row| {
        format!("03/{:02}/2024 {:02}:00", 1 + row / 20, row % 20)
    });
    assert_eq!(form.as_deref(), Some("%m/%d/%Y %H:%M"));
    let (_, form) = with("n.csv", &|row| format!("{} Mar 2024", 1 + row / 20));
    assert_eq!(form.as_deref(), Some("%d %b %Y"));
    let (iso, form) = with("c.csv", &|row| {
        format!("2024-03-{:02}T{:02}:30:00Z", 1 + row / 20, row % 20)
    });
    assert_eq!(form, None);
    assert!(iso.toml.contains("part = \"hour\""), "{}", iso.toml);
    let (unsure, form) = with("d.csv", &|row| format!("{0:02}/{0:02}/2024", 1 + row / 60));
    assert!(form.is_some());
    assert!(
        unsure
            .choices
            .iter()
            .any(|choice| choice.contains("tells days from months")),
        "{:?}",
        unsure.choices
    );
}

/// Impressions with the columns `header`, the first of which is made by `time`.
fn rows(header: &str, time: &dyn Fn(u64) -> String) -> String {
    let mut text = format!("{header},user_id,item_id,purchase\n");
    for row in 0..600 {
        let ids = (chance(row, 20), chance(row + 1, 20));
        let _ = writeln!(text, "{},{},{},{}", time(row), ids.0, ids.1, chance(row + 2, 2));
    }
    text
}

#[test]
fn a_time_out_of_order_is_absent_and_the_choice_says_how_to_name_it() {
    let files = Files::new();
    let date = |row: u64| format!("{:02}.03.2024", 1 + row * 7 % 28);
    let (proposal, spec) = files.propose("a.csv", &rows("date", &date));
    assert!(spec.keys.no_time && !spec.keys.no_user && !spec.keys.no_item);
    assert_eq!(spec.field("date"), None);
    let way = "sort the file by it, then write time = \"date\" and time_format = \"%d.%m.%Y\" and take \"time\" out of `absent`";
    assert!(proposal.choices[0].contains(way), "{:?}", proposal.choices);
    assert!(
        proposal
            .toml
            .contains("# date: the time of the impression, out of order"),
        "{}",
        proposal.toml
    );

    let done = proposal.toml.replace(
        "absent = [\"time\"]",
        "time = \"date\"\ntime_format = \"%d.%m.%Y\"",
    );
    assert_eq!(Spec::parse("ranker.toml", &done).unwrap().keys.time, "date");
}

#[test]
fn a_coarse_time_in_order_stands_in_for_an_exact_one_out_of_order() {
    let files = Files::new();
    let times = |row: u64| {
        let day = row / 60;
        format!(
            "2024-03-{:02},{}",
            day + 1,
            1_709_251_200 + day * 86_400 + chance(row, 86_400)
        )
    };
    let (proposal, spec) = files.propose("a.csv", &rows("date,timestamp", &times));
    assert_eq!(spec.keys.time, "date");
    assert_eq!(spec.field("timestamp"), None);
    assert!(
        proposal.choices[0].contains("`timestamp` is more exact, and the rows are not in its order"),
        "{:?}",
        proposal.choices
    );
}
