//! What becomes of columns: keys, sides, kinds, by names and values.

use super::*;

#[test]
fn nested_json_gets_names_sides_and_kinds() {
    let files = Files::new();
    let (proposal, spec) = files.propose("feed.jsonl", &feed());
    let keys = &spec.keys;
    assert_eq!(
        [&keys.user, &keys.item, &keys.time],
        ["user.id", "video.id", "ts"]
    );
    assert_eq!([&keys.slate, &keys.position], ["request.id", "pos"]);
    assert_eq!(keys.time_unit, TimeUnit::Seconds);
    assert_eq!(spec.bias.as_ref().map(|bias| bias.max_position), Some(5));
    for (name, expected) in [
        ("user_country", Side::User),
        ("video_duration_ms", Side::Item),
        ("video_tags", Side::Item),
        ("video_embedding", Side::Item),
        ("device_type", Side::Context),
    ] {
        assert_eq!(side(&spec, name), Some(expected), "{name}\n{}", proposal.toml);
    }
    let field = |name: &str| &spec.fields[spec.field(name).unwrap()];
    assert_eq!(field("device_type").column, "device type");
    assert!(matches!(
        field("video_embedding").kind,
        Kind::Vector { width: 3, .. }
    ));
    assert!(matches!(field("video_tags").kind, Kind::Ids { .. }));
    assert_eq!(spec.field("trace"), None);
    let labels: Vec<String> = spec
        .objectives
        .iter()
        .map(|objective| objective.label.to_string())
        .collect();
    assert_eq!(labels, ["is_click", "(play_time_ms / `video.duration_ms`)"]);
}

#[test]
fn of_three_hundred_numbered_columns_each_is_a_number_without_powers() {
    let files = Files::new();
    let mut text = "query_id,label".to_owned();
    for column in 0..298 {
        let _ = write!(text, ",f{column}");
    }
    for row in 0..400_u64 {
        let _ = write!(text, "\n{},{}", row / 10, chance(row, 5));
        for column in 0..298 {
            let number = if column == 7 {
                3
            } else {
                chance(row * 300 + column, 1_000)
            };
            let _ = write!(text, ",{}.{number:03}", number % 2);
        }
    }
    let (proposal, spec) = files.propose("wide.csv", &text);
    assert_eq!(spec.keys.slate, "query_id");
    assert!(spec.keys.no_user && spec.keys.no_item && spec.keys.no_time);
    assert_eq!(spec.fields.len(), 297);
    let plain = |kind: &Kind| {
        matches!(
            kind,
            Kind::Number {
                scale: Scale::Quantile,
                powers: false,
                ..
            }
        )
    };
    assert!(
        spec.fields
            .iter()
            .all(|field| plain(&field.kind) && field.side == Side::Item)
    );
    assert!(proposal.toml.contains("# f7: always 1.003"), "{}", proposal.toml);
    assert_eq!(spec.objectives[0].name, "relevance");
    assert_eq!(
        (spec.objectives[0].loss, spec.objectives[0].clip),
        (Loss::Squared, Some((0.0, 4.0)))
    );
}

#[test]
fn chinese_names_are_understood() {
    let files = Files::new();
    let mut text = "用户ID,视频ID,时间,位置,视频时长,观看时长,性别,点击,点赞\n".to_owned();
    for row in 0..2_000_u64 {
        let (user, item) = (chance(row / 4, 50), chance(row + 3, 40));
        let _ = writeln!(
            text,
            "u{user},v{item},{},{},{},{},{},{},{}",
            1_700_000_000_000 + row / 4 * 1_000,
            row % 4 + 1,
            10_000 + item * 500,
            chance(row, 9_000),
            ["男", "女"][(user % 2) as usize],
            chance(row + 4, 3) / 2,
            chance(row + 5, 9) / 8,
        );
    }
    let (proposal, spec) = files.propose("中文.csv", &text);
    let keys = &spec.keys;
    assert_eq!(
        [&keys.user, &keys.item, &keys.time, &keys.position],
        ["用户ID", "视频ID", "时间", "位置"]
    );
    assert_eq!(side(&spec, "性别"), Some(Side::User), "{}", proposal.toml);
    assert_eq!(side(&spec, "视频时长"), Some(Side::Item));
    assert_eq!(spec.field("观看时长"), None);
    let names: Vec<(&str, &str)> = spec
        .objectives
        .iter()
        .map(|objective| (objective.name.as_str(), objective.group.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            ("点击", "engagement"),
            ("点赞", "satisfaction"),
            ("watch", "engagement")
        ]
    );
}

#[test]
fn tables_of_users_and_items_give_fields_by_their_keys() {
    let files = Files::new();
    let mut text = "user_id,item_id,click\n".to_owned();
    for row in 0..900 {
        let _ = writeln!(
            text,
            "{},{},{}",
            chance(row, 40),
            chance(row + 1, 30),
            chance(row + 2, 3) / 2
        );
    }
    let rows = |count: u64, row: &dyn Fn(u64) -> String| (0..count).map(row).collect::<String>();
    let users = rows(40, &|id| {
        format!("{id},{},0\n", ["a", "b", "c"][(id % 3) as usize])
    });
    let items = rows(2, &|id| format!("{id},{}.5\n", id * 10));
    let options = Options {
        data: vec![files.write("log.csv", &text)],
        users: Some(files.write("users.csv", &format!("user_id,home town,always\n{users}"))),
        items: Some(files.write("items.csv", &format!("item_id,price\n{items}"))),
        ..Options::default()
    };
    let proposal = propose(&options).unwrap();
    let spec = Spec::parse("ranker.toml", &proposal.toml).unwrap();
    let town = &spec.fields[spec.field("home_town").unwrap()];
    assert_eq!((town.side, town.attribute.as_str()), (Side::User, "home town"));
    assert_eq!(spec.field("always"), None);
    assert!(
        proposal
            .notes
            .iter()
            .any(|note| note.contains("`items.csv` knows the item of")),
        "{:?}",
        proposal.notes
    );
}
