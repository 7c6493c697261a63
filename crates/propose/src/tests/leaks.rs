//! What is known only after the impression.

use super::*;

#[test]
fn what_is_known_only_afterwards_is_pointed_out_and_no_field() {
    let files = Files::new();
    let (proposal, spec) = files.propose("feed.jsonl", &feed());
    for column in ["play_time_ms", "result"] {
        assert_eq!(spec.field(column), None);
        let leak = proposal.leaks.iter().find(|leak| leak.column == column).unwrap();
        assert!(leak.left_out, "{leak}");
        let (objective, auc) = leak.predicts.clone().unwrap();
        assert!(objective == "click" && auc > 0.99, "{leak}");
        assert!(
            proposal.toml.contains(&format!("# {column}: LEAK: ")),
            "{}",
            proposal.toml
        );
    }
    assert_eq!(proposal.leaks.len(), 2, "{:?}", proposal.leaks);
}

#[test]
fn a_strong_column_without_a_suspicious_name_is_kept_with_a_mark() {
    let files = Files::new();
    let mut text = "user_id,item_id,age,buy\n".to_owned();
    for row in 0..3_000_u64 {
        let age = 20 + chance(row, 60);
        let buy = if chance(row + 5, 12) == 0 {
            age < 50
        } else {
            age >= 50
        };
        let _ = writeln!(
            text,
            "{},{},{age},{}",
            chance(row + 7, 200),
            chance(row + 8, 90),
            u8::from(buy)
        );
    }
    let (proposal, spec) = files.propose("a.csv", &text);
    assert!(spec.field("age").is_some());
    let leak = &proposal.leaks[0];
    assert!(leak.column == "age" && !leak.left_out, "{leak}");
    assert!(
        proposal
            .toml
            .contains("# CHECK: alone it predicts `buy` with AUC 0.9"),
        "{}",
        proposal.toml
    );
}

#[test]
fn a_function_of_the_position_and_positions_from_0_are_found() {
    let files = Files::new();
    let rows = |first: u64| {
        let mut text = "session,position,decay,price,click\n".to_owned();
        for row in 0..1_000_u64 {
            let position = row % 10 + first;
            let _ = writeln!(
                text,
                "{},{position},{},{},{}",
                row / 10,
                1.0 / (position + 1) as f64,
                chance(row, 999) as f64 / 7.0,
                chance(row + 1, 3) / 2
            );
        }
        text
    };
    let (proposal, spec) = files.propose("a.csv", &rows(1));
    assert_eq!(spec.field("decay"), None);
    assert!(proposal.leaks[0].to_string().contains("a function of `position`"));
    assert!(spec.bias.is_some() && side(&spec, "price") == Some(Side::Item));

    let (proposal, spec) = files.propose("b.csv", &rows(0));
    assert!(spec.bias.is_none() && spec.keys.position == "no_position");
    assert!(
        proposal
            .choices
            .iter()
            .any(|choice| choice.contains("counts from 0"))
    );
}
