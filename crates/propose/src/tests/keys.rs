//! Which columns are the user and the item, as fields too, and what is of the moment.

use super::*;

/// A log of the columns `user`, `item`, `device` (one for each visit), `os` (one for each user) and `click`.
fn log([user, item, device, os]: [&str; 4]) -> String {
    let mut text = format!("{user},{item},{device},{os},click\n");
    for row in 0..1_200_u64 {
        let (person, shown) = (chance(row / 4, 60), chance(row + 1_000, 50));
        let _ = writeln!(
            text,
            "u{person},i{shown},{},{},{}",
            ["phone", "tv"][chance(row / 4 + 7, 2) as usize],
            ["a", "b", "c"][(person % 3) as usize],
            chance(row + 9, 4) / 3,
        );
    }
    text
}

#[test]
fn an_item_is_found_behind_the_word_of_what_it_is() {
    let files = Files::new();
    for name in [
        "sku",
        "item_sku",
        "product.sku",
        "product.id",
        "shown.product.id",
        "ad.product.asin",
    ] {
        let (proposal, spec) = files.propose("a.csv", &log(["user.id", name, "device", "os"]));
        assert_eq!(
            (spec.keys.user.as_str(), spec.keys.item.as_str()),
            ("user.id", name),
            "{}",
            proposal.toml
        );
        assert!(!spec.keys.no_item);
    }
}

#[test]
fn a_column_that_may_be_the_item_is_a_choice_where_none_surely_is() {
    let files = Files::new();
    for name in ["product_ref", "catalog.sku", "video url"] {
        let (proposal, spec) = files.propose("a.csv", &log(["user", name, "device", "os"]));
        assert!(spec.keys.no_item, "{}", proposal.toml);
        let choice = format!("`{name}` may be: if it is, write item = \"{name}\"");
        assert!(
            proposal.choices.iter().any(|told| told.contains(&choice)),
            "{:?}",
            proposal.choices
        );
    }
    for name in ["product_category_id", "user_last_sku", "colour"] {
        let (proposal, spec) = files.propose("a.csv", &log(["user", name, "device", "os"]));
        assert!(spec.keys.no_item);
        assert!(!proposal.toml.contains("may be: if it is"), "{}", proposal.toml);
    }
}

#[test]
fn a_key_whose_name_can_be_a_fields_is_the_field_of_that_name() {
    let files = Files::new();
    for (user, item) in [("user", "item"), ("user_id", "video_id"), ("uid", "item")] {
        let (proposal, spec) = files.propose("a.csv", &log([user, item, "device", "os"]));
        assert_eq!([&spec.keys.user, &spec.keys.item], [user, item]);
        assert_eq!(side(&spec, user), Some(Side::User), "{}", proposal.toml);
        assert_eq!(side(&spec, item), Some(Side::Item), "{}", proposal.toml);
        assert!(!proposal.toml.contains("column = "), "{}", proposal.toml);
        assert!(
            !proposal.toml.contains("online it is no key"),
            "{}",
            proposal.toml
        );
    }
    // The other column is out of the way, whichever is first.
    let (proposal, spec) = files.propose("a.csv", &log(["user_id", "item", "user.id", "os"]));
    assert_eq!(spec.keys.user, "user_id");
    let own = &spec.fields[spec.field("user_id").unwrap()];
    assert_eq!(own.column, "user_id", "{}", proposal.toml);
    let (proposal, spec) = files.propose("a.csv", &log(["user.id", "product.id", "device", "os"]));
    let dotted = &spec.fields[spec.field("user_id").unwrap()];
    assert_eq!(dotted.column, "user.id");
    assert_eq!(
        proposal.toml.matches("online it is no key").count(),
        2,
        "{}",
        proposal.toml
    );
}

#[test]
fn a_device_is_of_the_moment_also_behind_the_user() {
    let files = Files::new();
    for (device, os) in [
        ("user.device", "user.os"),
        ("user_device", "user_browser"),
        ("user_platform", "user_hour"),
        ("用户设备", "user_referrer"),
    ] {
        let (proposal, spec) = files.propose("a.csv", &log(["user.id", "item", device, os]));
        for name in [device, os] {
            let name = name.replace('.', "_");
            assert_eq!(
                side(&spec, &name),
                Some(Side::Context),
                "{name}\n{}",
                proposal.toml
            );
        }
    }
    // It changes within a session, which is the slate here.
    let mut text = "session.id,user.id,item,user.device,click\n".to_owned();
    for row in 0..1_200_u64 {
        let device = ["ios", "web"][chance(row + 3, 2) as usize];
        let (user, item, click) = (chance(row / 6, 60), chance(row + 5, 50), chance(row + 9, 4) / 3);
        let _ = writeln!(text, "s{},u{user},i{item},{device},{click}", row / 6);
    }
    let (proposal, spec) = files.propose("a.csv", &text);
    assert_eq!(spec.keys.slate, "session.id");
    assert_eq!(
        side(&spec, "user_device"),
        Some(Side::Context),
        "{}",
        proposal.toml
    );
    for name in ["user_country", "user_signup_platform", "user_device_count"] {
        let (proposal, spec) = files.propose("a.csv", &log(["user.id", "item", "device", name]));
        assert_eq!(side(&spec, name), Some(Side::User), "{}", proposal.toml);
    }
}
