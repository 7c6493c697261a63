//! What clients of the service can rely on.

use serde_json::{Value, json};

use crate::fixture::{Feed, Serving, run};

fn rank(serving: &Serving, more: Value) -> (u16, Value) {
    let mut body = json!({ "user": "u1", "context": { "device": "tv" }, "candidates": ["v1", "v2", "v3"] });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    serving.post("/v1/rank", &body)
}

fn detail(answer: &(u16, Value)) -> &str {
    answer.1["detail"].as_str().unwrap_or_default()
}

#[test]
fn a_request_without_candidates_is_refused_with_what_to_do() {
    let serving = Feed::new().serve(&[]);
    let answer = serving.post("/v1/rank", &json!({ "user": "u1" }));
    assert_eq!(answer.0, 422);
    assert!(detail(&answer).contains("`candidates`"), "{answer:?}");
}

#[test]
fn bad_requests_are_answered_with_what_was_found_and_nothing_is_recorded() {
    let feed = Feed::new();
    let serving = feed.serve(&[]);
    let twice = rank(&serving, json!({ "candidates": ["v1", "v1"] }));
    assert_eq!(
        (twice.0, detail(&twice).contains("twice")),
        (422, true),
        "{twice:?}"
    );
    let wrong_kind = rank(
        &serving,
        json!({ "candidates": [{ "item": "v1", "fields": { "appeal": "high" } }] }),
    );
    assert_eq!(
        (wrong_kind.0, detail(&wrong_kind).contains("appeal")),
        (422, true),
        "{wrong_kind:?}"
    );
    let unknown_key = rank(&serving, json!({ "explain": true }));
    assert_eq!(
        (unknown_key.0, detail(&unknown_key).contains("explain")),
        (400, true),
        "{unknown_key:?}"
    );
    let slate = json!({ "id": "x", "user": "u1", "items": [{ "item": "v1", "position": 0 }] });
    let position = serving.post("/v1/slates", &slate);
    assert_eq!(
        (position.0, detail(&position).contains("count from 1")),
        (422, true),
        "{position:?}"
    );
    assert_eq!(serving.get("/v1/nothing").0, 404);
}

#[test]
fn unknown_users_and_items_are_ranked_like_any_cold_start() {
    let serving = Feed::new().serve(&[]);
    let (status, answer) = rank(
        &serving,
        json!({ "user": "nobody", "candidates": ["never", "seen"] }),
    );
    assert_eq!(
        (status, answer["items"].as_array().unwrap().len()),
        (200, 2),
        "{answer}"
    );
}

#[test]
fn new_score_weights_apply_to_the_next_request_and_are_versioned() {
    let serving = Feed::new().serve(&[]);
    let before = rank(&serving, json!({})).1;
    assert_eq!(before["score_version"], 0);
    let (status, put) = serving.put("/v1/score", &json!({ "weights": { "watch": 2.0 } }));
    assert_eq!((status, &put["version"]), (200, &json!(1)), "{put}");
    let after = rank(&serving, json!({})).1;
    assert_eq!(after["score_version"], 1);
    for item in after["items"].as_array().unwrap() {
        let watch = item["predictions"]["watch"].as_f64().unwrap();
        assert!(
            (item["score"].as_f64().unwrap() - watch * watch).abs() < 1e-6,
            "{item}"
        );
    }
    let refused = serving.put("/v1/score", &json!({ "weights": { "clicks": 1.0 } }));
    assert_eq!(
        (refused.0, detail(&refused).contains("`clicks`")),
        (422, true),
        "{refused:?}"
    );
    assert_eq!(serving.get("/v1/score").1["version"], 1);
}

#[test]
fn a_retry_with_the_same_request_id_gets_the_same_slate_even_after_a_restart() {
    let feed = Feed::new();
    let mut serving = feed.serve(&[]);
    let first = rank(&serving, json!({ "request": "r7" })).1;
    assert_eq!(
        rank(&serving, json!({ "request": "r7", "candidates": ["v9"] })).1,
        first
    );
    // Feedback is acknowledged after its slate, so the slate is on disk now.
    let feedback = json!({ "id": "f", "slate": first["slate"], "item": "v1", "kind": "click" });
    assert_eq!(serving.post("/v1/feedback", &feedback).0, 202);
    serving.kill();
    let serving = feed.serve(&[]);
    assert_eq!(
        rank(&serving, json!({ "request": "r7", "candidates": ["v9"] })).1,
        first
    );
}

#[test]
fn feedback_counts_once_and_that_of_an_unknown_slate_is_kept_as_an_orphan() {
    let serving = Feed::new().serve(&[]);
    let slate = rank(&serving, json!({})).1["slate"].clone();
    let feedback = json!([
        { "id": "f1", "slate": slate, "item": "v1", "kind": "click" },
        { "id": "f1", "slate": slate, "item": "v1", "kind": "click" },
        { "id": "f2", "slate": "nowhere", "item": "v1", "kind": "click" },
    ]);
    let (status, answer) = serving.post("/v1/feedback", &feedback);
    assert_eq!(status, 202);
    assert_eq!(answer, json!({ "stored": 2, "duplicates": 1, "orphans": 1 }));
}

#[test]
fn fields_of_the_catalogue_are_used_where_a_candidate_brings_none() {
    let serving = Feed::new().serve(&[]);
    let score = |candidate: Value| {
        rank(&serving, json!({ "candidates": [candidate] })).1["items"][0]["score"].clone()
    };
    let given = score(json!({ "item": "v1", "fields": { "appeal": 3.0, "minutes": 5 } }));
    assert_ne!(score(json!("v1")), given);
    let entity = json!([{ "id": "v1", "fields": { "appeal": 3.0, "minutes": 5 } }]);
    assert_eq!(serving.put("/v1/items", &entity).0, 200);
    assert_eq!(score(json!("v1")), given);
}

#[test]
fn any_address_but_loopback_is_refused_with_exit_code_2() {
    let feed = Feed::new();
    let output = run(&["serve", "--store", &feed.text("store"), "--listen", "0.0.0.0:0"]);
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("0.0.0.0:0") && message.contains("127.0.0.1"),
        "{message}"
    );
    assert!(!feed.path("store").exists());
}

#[test]
fn a_second_service_on_the_same_store_is_refused() {
    let feed = Feed::new();
    let _serving = feed.serve(&[]);
    let output = run(&["serve", "--store", &feed.text("store"), "--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("recorder"));
}

#[test]
fn a_service_without_a_model_records_but_says_that_it_cannot_rank_yet() {
    let feed = Feed::new();
    let (store, spec) = (feed.text("store"), feed.text("ranker.toml"));
    let serving = Serving::start(&[
        "serve",
        "--store",
        &store,
        "--spec",
        &spec,
        "--listen",
        "127.0.0.1:0",
    ]);
    assert_eq!(serving.get("/healthz").0, 200);
    assert_eq!(serving.get("/readyz").0, 503);
    assert_eq!(rank(&serving, json!({})).0, 503);
    let slate = json!({ "id": "p1", "user": "u1", "items": [{ "item": "v1" }, { "item": "v2" }] });
    let (status, answer) = serving.post("/v1/slates", &slate);
    assert_eq!((status, &answer["stored"]), (202, &json!(1)));
    assert_eq!(serving.post("/v1/slates", &slate).1["duplicates"], 1);
}

#[test]
fn the_page_shows_the_model_and_the_newest_slate() {
    let serving = Feed::new().serve(&[]);
    let slate = rank(&serving, json!({ "user": "u<1>" })).1["slate"].clone();
    serving.post(
        "/v1/feedback",
        &json!({ "id": "f", "slate": slate, "item": "v1", "kind": "click" }),
    );
    let (status, page) = serving.get("/");
    let page = page.as_str().unwrap();
    assert_eq!(status, 200);
    assert!(
        page.contains("m-0001") && page.contains(slate.as_str().unwrap()),
        "{page}"
    );
    assert!(
        page.contains("u&lt;1&gt;") && !page.contains("u<1>"),
        "what clients send is escaped"
    );
}

#[test]
fn a_catalogue_value_that_no_field_can_read_is_refused_and_nothing_is_stored() {
    let feed = Feed::new();
    let mut serving = feed.serve(&[]);
    let kept = json!({ "id": "v1", "fields": { "appeal": 1.0 } });
    for (field, value) in [("content", json!([1e39])), ("appeal", json!("high"))] {
        let bad = json!({ "id": "v2", "fields": { field: value } });
        let refused = serving.put("/v1/items", &json!([kept, bad]));
        assert_eq!(refused.0, 422, "{refused:?}");
        assert!(
            detail(&refused).contains("`v2`") && detail(&refused).contains(field),
            "{refused:?}"
        );
    }
    serving.kill();
    assert_eq!(feed.serve(&[]).get("/readyz").0, 200);
}

#[test]
fn a_time_in_seconds_is_refused_and_moves_no_clock() {
    let feed = Feed::new();
    let serving = feed.serve(&[]);
    let refused = rank(&serving, json!({ "time": 1_700_000_000 }));
    assert_eq!(
        (refused.0, detail(&refused).contains("ms since 1970")),
        (422, true),
        "{refused:?}"
    );
    drop(serving);
    let serving = feed.serve(&["--clock", "events"]);
    let refused = serving.put("/v1/clock", &json!({ "time": 1_700_000_000_000_000_i64 }));
    assert_eq!(
        (refused.0, detail(&refused).contains("1970 to 2200")),
        (422, true),
        "{refused:?}"
    );
    assert_eq!(rank(&serving, json!({ "time": 1_900_000_000_000_i64 })).0, 200);
}

#[test]
fn the_event_clock_goes_on_from_its_last_mark_after_a_restart() {
    let feed = Feed::new();
    let mut serving = feed.serve(&["--clock", "events"]);
    let time = json!({ "time": 1_900_000_000_000_i64 });
    assert_eq!(serving.put("/v1/clock", &time), (200, time.clone()));
    serving.kill();
    let serving = feed.serve(&["--clock", "events"]);
    assert_eq!(serving.put("/v1/clock", &json!({ "time": 0 })), (200, time));
}

#[test]
fn a_request_id_belongs_to_its_user_and_posted_slates_keep_off_the_services_own_ids() {
    let serving = Feed::new().serve(&[]);
    assert_eq!(rank(&serving, json!({ "request": "r7" })).0, 200);
    assert_eq!(rank(&serving, json!({ "request": "r7", "user": "u2" })).0, 409);
    let slate = |id: &str, items: &[&str]| {
        let items: Vec<Value> = items.iter().map(|item| json!({ "item": item })).collect();
        json!({ "id": id, "user": "u1", "items": items })
    };
    for id in ["r-r8", "s-1"] {
        assert_eq!(serving.post("/v1/slates", &slate(id, &["v1"])).0, 422);
    }
    let good = slate("good", &["v1"]);
    let batch = json!([good, slate("bad", &["v1", "v1"])]);
    assert_eq!(serving.post("/v1/slates", &batch).0, 422);
    assert_eq!(serving.post("/v1/slates", &good).1["stored"], 1);
}

#[test]
fn an_error_in_a_body_names_the_field_that_is_wrong() {
    let serving = Feed::new().serve(&[]);
    let typo = json!([{ "id": "f", "slate": "s", "item": "v1", "knd": "click" }]);
    for answer in [
        serving.post("/v1/feedback", &typo),
        serving.post("/v1/feedback", &typo[0]),
    ] {
        assert_eq!(
            (answer.0, detail(&answer).contains("`knd`")),
            (400, true),
            "{answer:?}"
        );
    }
}

#[test]
fn a_log_that_cannot_be_written_shows_in_readiness() {
    let feed = Feed::new();
    let serving = feed.serve(&["--clock", "events"]);
    let time = 1_900_000_000_000_i64;
    assert_eq!(rank(&serving, json!({ "time": time })).0, 200);
    assert_eq!(serving.put("/v1/clock", &json!({ "time": time })).0, 200);
    assert_eq!(serving.get("/readyz").0, 200);
    std::fs::remove_dir_all(feed.path("store").join("log")).unwrap();
    // A new day needs a new file.
    assert_eq!(
        serving.put("/v1/clock", &json!({ "time": time + 86_400_000 })).0,
        503
    );
    assert_eq!(serving.get("/readyz").0, 503);
}
