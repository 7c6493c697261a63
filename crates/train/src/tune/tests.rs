use super::*;
use crate::Silent;
use request::Request;
use std::sync::Arc;

const RANKER: &str = r#"
[fields]
item_id = { side = "item", kind = "id", dim = 2, buckets = 10 }
minutes = { side = "item", kind = "number" }

[objectives]
click = { group = "engagement", loss = "binary", absent = 0 }
like = { group = "satisfaction", loss = "binary", absent = 0, given = "click" }
dismiss = { group = "satisfaction", loss = "binary", absent = 0 }

[model]
architecture = "shared-bottom"
shared = [4]

[score]
click = 1.0
"#;

fn spec() -> Arc<Spec> {
    Arc::new(Spec::parse("r.toml", RANKER).unwrap())
}

/// Requests of four candidates: clickbait that nobody likes, what is liked, what is dismissed, nothing. One is shown.
fn requests(count: usize) -> Vec<Request> {
    let request = |at: usize| {
        let shift = (at % 7) as f32 * 0.01;
        Request {
            items: ["a", "b", "c", "d"].map(str::to_owned).to_vec(),
            served: vec![
                vec![0.8 - shift, 0.05, 0.01],
                vec![0.4 + shift, 0.7, 0.01],
                vec![0.5, 0.4, 0.6],
                vec![0.01, 0.01, 0.01],
            ],
            worth: vec![vec![
                [0.8 - shift, 0.05],
                [0.4 + shift, 0.3 + shift],
                [0.5, 0.1],
                [0.0, 0.0],
            ]],
        }
    };
    (0..count).map(request).collect()
}

fn candidates(count: usize) -> Candidates {
    let spec = spec();
    let reward = Reward::parse(&spec, "minutes + 4 * like").unwrap();
    Candidates {
        spec,
        reward,
        engagement: 0,
        requests: requests(count),
    }
}

fn live(name: &str) -> BTreeMap<String, f64> {
    BTreeMap::from([(name.to_owned(), 1.0)])
}

#[test]
fn weights_that_bring_more_reward_are_found_and_judged_on_other_requests() {
    let tuning = tune(candidates(60), &live("click"), &mut Silent).unwrap();
    assert_eq!(tuning.requests, [30, 30]);
    assert!(tuning.is_better() && tuning.gain.mean > 0.2, "{:?}", tuning.gain);
    assert!(tuning.proposed.reward > 0.3 && tuning.live.reward < 0.06);
    assert!(tuning.proposed.weights["like"] > 0.0);
    assert_eq!(tuning.changed, 1.0);
}

#[test]
fn what_is_live_and_best_already_is_not_beaten() {
    let tuning = tune(candidates(60), &live("like"), &mut Silent).unwrap();
    assert!(!tuning.is_better());
    assert_eq!((tuning.gain.mean, tuning.changed), (0.0, 0.0));
}

#[test]
fn the_front_falls_in_engagement_as_it_rises_in_reward() {
    let tuning = tune(candidates(40), &live("click"), &mut Silent).unwrap();
    let front: Vec<&Tried> = tuning.front.iter().map(|&at| &tuning.tried[at]).collect();
    assert!(front.len() >= 2);
    assert!(
        front
            .windows(2)
            .all(|pair| pair[0].engagement > pair[1].engagement && pair[0].reward < pair[1].reward)
    );
    for tried in &tuning.tried {
        let beaten = front
            .iter()
            .any(|on| on.engagement >= tried.engagement && on.reward >= tried.reward);
        assert!(beaten, "{tried:?} lies outside of the front");
    }
}

#[test]
fn a_negative_live_weight_stays_a_penalty() {
    let live = BTreeMap::from([("click".to_owned(), 1.0), ("dismiss".to_owned(), -1.0)]);
    let tuning = tune(candidates(40), &live, &mut Silent).unwrap();
    assert!(
        tuning
            .tried
            .iter()
            .all(|tried| tried.weights.get("dismiss").is_none_or(|weight| *weight < 0.0))
    );
}

#[test]
fn the_same_requests_give_the_same_proposal() {
    let tuned = || tune(candidates(40), &live("click"), &mut Silent).unwrap();
    assert_eq!(tuned(), tuned());
}

#[test]
fn too_few_requests_say_how_to_log_more() {
    let message = tune(candidates(19), &live("click"), &mut Silent)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("19 requests") && message.contains("[log] candidates"),
        "{message}"
    );
}

#[test]
fn a_reward_of_an_unknown_name_lists_the_known_ones() {
    let message = Reward::parse(&spec(), "clicks + 1").unwrap_err().to_string();
    assert!(
        message.contains("`clicks`") && message.contains("click, like, dismiss, minutes"),
        "{message}"
    );
    let message = Reward::parse(&spec(), "click +").unwrap_err().to_string();
    assert!(message.contains("byte 7"), "{message}");
}

#[test]
fn ties_are_shown_by_item_id_and_no_more_than_were_shown() {
    let score = ScoreWeights::from_names(&spec(), &live("like")).unwrap();
    let mut request = requests(1).remove(0);
    request.served = vec![vec![0.5; 3]; 4];
    request.items = ["d", "b", "c", "a"].map(str::to_owned).to_vec();
    request.worth = vec![vec![[0.0; 2]; 4]; 2];
    assert_eq!(request.slate(&score), [3, 1]);
}
