//! Proposals of public logs, where the environment variable `WATCHNEXT_DATA` names the folder that holds them.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use propose::{Options, Proposal, propose};
use spec::{Keys, Loss, Side, Spec};

/// The proposal of files below the folder; `None`, and a line that says so, where it is not there.
fn proposal(file: &str, users: Option<&str>, items: Option<&str>) -> Option<Proposal> {
    let folder = std::env::var_os("WATCHNEXT_DATA").map(PathBuf::from);
    let Some(folder) = folder.filter(|folder| folder.join(file).exists()) else {
        println!("skipped: `WATCHNEXT_DATA` names no folder with `{file}`");
        return None;
    };
    let options = Options {
        data: vec![folder.join(file)],
        users: users.map(|name| folder.join(name)),
        items: items.map(|name| folder.join(name)),
        ..Options::default()
    };
    Some(propose(&options).unwrap())
}

fn parsed(proposal: &Proposal) -> Spec {
    Spec::parse("ranker.toml", &proposal.toml).unwrap()
}

fn absent(keys: &Keys) -> [bool; 3] {
    [keys.no_user, keys.no_item, keys.no_time]
}

#[test]
fn a_video_log_gets_its_objectives_and_loses_its_leaks() {
    let folder = "kuairand_explicit_feedback";
    let log = format!("{folder}/log_standard_4_08_to_4_21_like_or_hate.parquet");
    let (users, items) = ("user_features_pure.parquet", "video_features_basic_pure.parquet");
    let (users, items) = (format!("{folder}/{users}"), format!("{folder}/{items}"));
    let Some(proposal) = proposal(&log, Some(&users), Some(&items)) else {
        return;
    };
    let spec = parsed(&proposal);
    let keys = &spec.keys;
    assert_eq!(
        [&keys.user, &keys.item, &keys.time],
        ["user_id", "video_id", "time_ms"]
    );
    let names: Vec<&str> = spec
        .objectives
        .iter()
        .map(|objective| objective.name.as_str())
        .collect();
    let expected = [
        "click",
        "follow",
        "comment",
        "forward",
        "long_view",
        "profile_enter",
        "label",
        "watch",
    ];
    assert_eq!(names, expected);
    for column in ["play_time_ms", "comment_stay_time"] {
        assert!(spec.field(column).is_none());
        assert!(
            proposal
                .leaks
                .iter()
                .any(|leak| leak.column == column && leak.left_out)
        );
    }
    assert!(spec.field("duration_ms").is_some() && spec.field("user_active_degree").is_some());
}

#[test]
fn hotel_lists_are_slates_and_what_copies_the_position_is_no_field() {
    for file in ["trivago_desktop", "expedia_destination_1"] {
        let Some(proposal) = proposal(&format!("hotel_search_position_logs/{file}.parquet"), None, None)
        else {
            return;
        };
        let spec = parsed(&proposal);
        assert_eq!(
            (spec.keys.slate.as_str(), absent(&spec.keys)),
            ("consumer_idx", [true; 3])
        );
        assert!(spec.field("Xa").is_none() && spec.field("Y3_search_order").is_none() && spec.bias.is_some());
        let names: Vec<&str> = spec
            .objectives
            .iter()
            .map(|objective| objective.name.as_str())
            .collect();
        assert_eq!(names, ["search", "buy"]);
    }
}

#[test]
fn graded_queries_get_a_squared_objective() {
    for (file, least) in [
        ("mslr_web10k_fold1_10k/train.parquet", 130),
        ("lightgbm_lambdarank_example/train.parquet", 200),
    ] {
        let Some(proposal) = proposal(file, None, None) else {
            return;
        };
        let spec = parsed(&proposal);
        assert_eq!(
            (spec.keys.slate.as_str(), absent(&spec.keys)),
            ("query_id", [true; 3])
        );
        assert!(spec.fields.len() >= least, "{}", spec.fields.len());
        assert_eq!(
            (spec.objectives[0].loss, spec.objectives[0].clip),
            (Loss::Squared, Some((0.0, 4.0)))
        );
    }
}

#[test]
fn logged_policies_keep_their_propensities_out_of_the_fields() {
    for file in [
        "random_all",
        "random_men",
        "random_women",
        "bts_all",
        "bts_men",
        "bts_women",
    ] {
        let Some(proposal) = proposal(&format!("open_bandit_sample/{file}.parquet"), None, None) else {
            return;
        };
        let spec = parsed(&proposal);
        assert_eq!(
            (spec.keys.item.as_str(), spec.keys.time.as_str()),
            ("item_id", "timestamp")
        );
        assert_eq!(absent(&spec.keys), [true, false, false]);
        assert_eq!(spec.field("propensity_score"), None);
        assert_eq!(
            spec.fields[spec.field("user_feature_0").unwrap()].side,
            Side::User
        );
        assert_eq!(spec.bias.map(|bias| bias.max_position), Some(3));
    }
}

#[test]
fn a_census_trains_as_it_is_with_a_label_of_text() {
    let Some(proposal) = proposal("census_income_kdd/train.parquet", None, None) else {
        return;
    };
    assert!(!proposal.open);
    let spec = parsed(&proposal);
    assert_eq!(
        (absent(&spec.keys), spec.keys.weight.as_deref()),
        ([true; 3], Some("instance_weight"))
    );
    assert_eq!(spec.objectives[0].label.to_string(), "(income_50k == '50000+.')");
}
