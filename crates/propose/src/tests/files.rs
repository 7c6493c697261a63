//! Files as a whole: the smallest, the same twice, and those of which nothing can be made.

use super::*;

#[test]
fn three_columns_are_enough() {
    let files = Files::new();
    let mut text = "user,item,click\n".to_owned();
    for row in 0..600 {
        let _ = writeln!(
            text,
            "u{},i{},{}",
            chance(row, 40),
            chance(row + 9_000, 30),
            u8::from(chance(row + 77, 5) == 0)
        );
    }
    let (proposal, spec) = files.propose("narrow.csv", &text);
    assert_eq!(
        (spec.keys.user.as_str(), spec.keys.item.as_str()),
        ("user", "item")
    );
    assert!(spec.keys.no_time && !spec.keys.no_user && !proposal.open);
    assert_eq!(spec.fields.len(), 2);
    assert!(
        spec.fields
            .iter()
            .all(|field| matches!(field.kind, Kind::Id { id_dropout, .. } if id_dropout == 0.3))
    );
    assert!(
        spec.field("user").is_some() && spec.field("item").is_some(),
        "{}",
        proposal.toml
    );
    assert_eq!(spec.objectives[0].name, "click");
    assert_eq!(spec.objectives[0].loss, Loss::Binary);
    assert!(spec.bias.is_none() && spec.model.experts.is_none());
    assert!(proposal.leaks.is_empty(), "{:?}", proposal.leaks);
}

#[test]
fn of_few_rows_the_batch_is_smaller_so_that_an_epoch_has_steps() {
    let files = Files::new();
    for (rows, batch) in [(9_000, 128), (10_000, 512)] {
        let mut text = "user_id,item_id,click\n".to_owned();
        for row in 0..rows {
            let (user, item) = (chance(row, 90), chance(row + 9, 80));
            let _ = writeln!(text, "{user},{item},{}", chance(row + 2, 3) / 2);
        }
        assert_eq!(files.propose("a.csv", &text).1.train.batch, batch);
    }
}

#[test]
fn the_same_file_gives_the_same_text() {
    let files = Files::new();
    let first = files.propose("feed.jsonl", &feed()).0.toml;
    assert_eq!(first, files.propose("feed.jsonl", &feed()).0.toml);
}

#[test]
fn files_of_which_nothing_can_be_made_are_refused() {
    let files = Files::new();
    let of = |data: Vec<PathBuf>| {
        propose(&Options {
            data,
            ..Options::default()
        })
    };
    assert!(matches!(of(Vec::new()), Err(ProposeError::NoFile)));
    assert!(matches!(
        of(vec![files.write("a.csv", "user,click\n")]),
        Err(ProposeError::NoRows { .. })
    ));
    let rows: String = (0..100).map(|row| format!("1,{}\n", row % 2)).collect();
    let error = of(vec![files.write("b.csv", &format!("same,click\n{rows}"))]).unwrap_err();
    assert!(error.to_string().contains("`same`: always 1"), "{error}");
    assert!(matches!(
        of(vec![files.0.path().join("none.csv")]),
        Err(ProposeError::Data(_))
    ));
}
