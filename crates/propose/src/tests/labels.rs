//! What is predicted, where names say so and where they do not.

use super::*;

/// Rows of a number and of one of two values, the second in about one row of nine.
fn two(header: &str, values: [&str; 2]) -> String {
    let mut text = format!("{header}\n");
    for row in 0..400 {
        let value = values[usize::from(chance(row + 1, 9) == 0)];
        let _ = writeln!(text, "{},{value}", chance(row, 60));
    }
    text
}

/// The label of the only objective, as it is written; and whether there is a choice about it.
fn label(proposal: &Proposal, spec: &Spec) -> (String, bool) {
    assert_eq!(spec.objectives.len(), 1, "{}", proposal.toml);
    let choice = proposal
        .choices
        .iter()
        .any(|choice| choice.contains("nothing says which value"));
    (spec.objectives[0].label.to_string(), choice)
}

#[test]
fn of_two_texts_that_say_nothing_the_rarer_one_is_predicted_and_both_are_named() {
    let files = Files::new();
    let (proposal, spec) = files.propose("a.csv", &two("age,income", ["- 50000.", "50000+."]));
    assert!(!proposal.open);
    assert_eq!(
        label(&proposal, &spec),
        ("(income == '50000+.')".to_owned(), true)
    );
    assert_eq!(spec.field("income"), None);
    let choice = &proposal.choices[0];
    assert!(
        choice.contains("`50000+.` is read as 1; for `- 50000.` write label = \"income == '- 50000.'\""),
        "{choice}"
    );
    assert!(
        proposal.toml.contains(": `50000+.`; `- 50000.` is 0"),
        "{}",
        proposal.toml
    );
}

#[test]
fn of_yes_and_no_yes_is_predicted_however_rare_and_no_choice_is_left() {
    let files = Files::new();
    for (values, expected) in [
        (["yes", "no"], "(clicked == 'yes')"),
        (["Y", "N"], "(clicked == 'Y')"),
        (["是", "否"], "(clicked == '是')"),
        (["not clicked", "clicked"], "(clicked == 'clicked')"),
    ] {
        let (proposal, spec) = files.propose("a.csv", &two("age,clicked", values));
        assert_eq!(
            label(&proposal, &spec),
            (expected.to_owned(), false),
            "{values:?}"
        );
    }
    // True and false are 1 and 0 by their type.
    let (proposal, spec) = files.propose("a.csv", &two("age,clicked", ["true", "false"]));
    assert_eq!(label(&proposal, &spec), ("clicked".to_owned(), false));
}

#[test]
fn texts_with_quotes_and_names_with_blanks_are_written_so_that_they_parse() {
    let files = Files::new();
    for (values, expected) in [
        (["will", "won't"], "(`end state` == \"won't\")"),
        (["will", "\"a \"\"b\"\"\""], "(`end state` == 'a \"b\"')"),
        (["will", "a\\b"], "(`end state` == 'a\\b')"),
        (["will", "\"won't \"\"b\"\"\""], "(1.0 - (`end state` == 'will'))"),
    ] {
        let (proposal, spec) = files.propose("a.csv", &two("age,end state", values));
        assert_eq!(label(&proposal, &spec), (expected.to_owned(), true), "{values:?}");
        assert!(
            proposal.choices[0].contains("`end state` is the last one"),
            "{:?}",
            proposal.choices
        );
    }
}

#[test]
fn a_label_of_minus_one_and_one_is_compared() {
    let files = Files::new();
    let (proposal, spec) = files.propose("a.csv", &two("age,label", ["-1", "1"]));
    assert_eq!(label(&proposal, &spec), ("(label == 1.0)".to_owned(), false));
    let (proposal, spec) = files.propose("b.csv", &two("age,label", ["1", "2"]));
    assert_eq!(label(&proposal, &spec), ("(label == 2.0)".to_owned(), true));
}

#[test]
fn a_text_of_two_values_beside_feedback_stays_a_field() {
    let files = Files::new();
    let mut text = "user_id,item_id,order_type,device,click\n".to_owned();
    for row in 0..900 {
        let of = |seed: u64, words: [&'static str; 2]| words[chance(row + seed, 2) as usize];
        let (order, device) = (of(3, ["up front", "later"]), of(4, ["phone", "tv"]));
        let ids = (chance(row, 40), chance(row + 1, 30));
        let _ = writeln!(
            text,
            "{},{},{order},{device},{}",
            ids.0,
            ids.1,
            chance(row + 2, 3) / 2
        );
    }
    let (proposal, spec) = files.propose("a.csv", &text);
    assert_eq!(label(&proposal, &spec), ("click".to_owned(), false));
    assert!(spec.field("order_type").is_some() && spec.field("device").is_some());
}

#[test]
fn without_a_label_the_text_says_which_choice_is_open() {
    let files = Files::new();
    let options = Options {
        data: vec![files.write("a.csv", &two("age,sex", ["m", "f"]))],
        ..Options::default()
    };
    let proposal = propose(&options).unwrap();
    assert!(proposal.open);
    assert!(
        proposal
            .choices
            .iter()
            .any(|choice| choice.starts_with("no column can be a label"))
    );
    assert!(Spec::parse("ranker.toml", &proposal.toml).is_err());
    let closed = proposal.toml.replace("# feedback = ", "feedback = ");
    assert_eq!(
        Spec::parse("ranker.toml", &closed).unwrap().objectives[0].name,
        "feedback"
    );
}

#[test]
fn of_rare_events_silence_is_a_no_and_of_answers_that_most_rows_have_it_is_not() {
    let files = Files::new();
    for (name, values, silence) in [
        ("click", ["0", "1"], Absent::Value(0.0)),
        ("clicked", ["no", "yes"], Absent::Value(0.0)),
        ("buy", ["0", "1"], Absent::Value(0.0)),
        ("hide", ["0", "1"], Absent::Value(0.0)),
        // Mostly likes, the rest hates.
        ("like", ["1", "0"], Absent::Missing),
        ("income", ["low", "high"], Absent::Missing),
    ] {
        let (proposal, spec) = files.propose("a.csv", &two(&format!("age,{name}"), values));
        assert_eq!(spec.objectives[0].absent, silence, "{}", proposal.toml);
        let told = proposal.toml.contains("in a service's own log silence is a no;");
        assert_eq!(told, silence != Absent::Missing, "{}", proposal.toml);
    }
    let mut graded = "age,rating\n".to_owned();
    for row in 0..400 {
        let _ = writeln!(graded, "{},{}", chance(row, 60), chance(row + 1, 5) + 1);
    }
    let (_, spec) = files.propose("a.csv", &graded);
    assert_eq!(
        (spec.objectives[0].loss, spec.objectives[0].absent),
        (Loss::Squared, Absent::Missing)
    );
}

#[test]
fn the_text_names_no_file_of_its_own() {
    let files = Files::new();
    let (proposal, _) = files.propose("a.csv", &two("age,click", ["0", "1"]));
    assert!(!proposal.toml.contains("ranker.toml"), "{}", proposal.toml);
    assert!(proposal.toml.contains("check this file with `watchnext check`"));
}
