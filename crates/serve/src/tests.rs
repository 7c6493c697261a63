//! What clients of a service can rely on, over HTTP.

use events::{DerivedRules, Fields, Replay, Value as Raw, verify_derived};
use serde_json::{Value, json};

use crate::testing::{Running, publish, spec, spec_without_rates};

const MINUTE: i64 = 60_000;

fn served(dir: &tempfile::TempDir) -> Running {
    publish(dir.path(), "m-0001", spec(), true);
    Running::start(dir.path())
}

fn slate(id: &str, time: i64, items: &[&str]) -> Value {
    let items: Vec<Value> = items.iter().map(|item| json!({ "item": item })).collect();
    json!({ "id": id, "user": "u", "items": items, "time": time })
}

fn feedback(id: &str, slate: &str, item: &str, kind: &str) -> Value {
    json!({ "id": id, "slate": slate, "item": item, "kind": kind })
}

/// The rates that a slate was recorded with, by item.
fn rates(running: &Running, slate: &str) -> Vec<(String, Option<Raw>)> {
    running.service.recorder.tick().unwrap().wait().unwrap();
    let slate = running.service.recorder.slate(slate).unwrap().unwrap();
    let mut rates: Vec<_> = slate
        .impressions
        .into_iter()
        .map(|mut shown| (shown.item, shown.fields.remove("ctr")))
        .collect();
    rates.sort_by(|a, b| a.0.cmp(&b.0));
    rates
}

fn rate(item: &str, rate: impl Into<Option<f64>>) -> (String, Option<Raw>) {
    (item.to_owned(), rate.into().map(Raw::Number))
}

#[test]
fn rates_are_those_of_the_log_whatever_a_client_gives_and_are_logged_as_served() {
    let dir = tempfile::tempdir().unwrap();
    let running = served(&dir);
    let shown = slate("s1", MINUTE, &["v1", "v2"]);
    running.expect(202, "POST", "/v1/slates", shown);
    let clicked = feedback("f1", "s1", "v1", "click");
    let answer = running.expect(202, "POST", "/v1/feedback", clicked);
    assert_eq!(answer, json!({ "stored": 1, "duplicates": 0, "orphans": 0 }));

    let mistaken = json!({ "item": "v1", "fields": { "ctr": 0.9 } });
    let request = json!({ "user": "u", "candidates": [mistaken, "v2", "v3"], "time": 2 * MINUTE });
    let answer = running.expect(200, "POST", "/v1/rank", request);
    let warning = "candidate `v1`: `ctr` is derived from the log; what is given for it is not read";
    assert_eq!(answer["warnings"], json!([warning]));
    let ranked = answer["slate"].as_str().unwrap().to_owned();
    assert_eq!(
        rates(&running, &ranked),
        [rate("v1", 1.0), rate("v2", 0.0), rate("v3", None)]
    );

    let shown = slate("s2", 3 * MINUTE, &["v1", "v3"]);
    running.expect(202, "POST", "/v1/slates", shown);
    assert_eq!(rates(&running, "s2"), [rate("v1", 0.5), rate("v3", 0.0)]);
    let shown = slate("s3", 62 * MINUTE, &["v1", "v2"]);
    running.expect(202, "POST", "/v1/slates", shown);
    assert_eq!(rates(&running, "s3"), [rate("v1", 0.0), rate("v2", None)]);

    drop(running);
    let replay = Replay::open(dir.path(), 1, None).unwrap();
    let report = verify_derived(replay, &DerivedRules::of(&spec())).unwrap();
    assert_eq!(
        (report.slates, report.unverifiable, report.mismatches),
        (4, 0, vec![])
    );
}

#[test]
fn a_promoted_model_with_a_rate_finds_that_of_the_whole_log_and_so_does_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    publish(dir.path(), "m-0001", spec_without_rates(), true);
    publish(dir.path(), "m-0002", spec(), false);
    let running = Running::start(dir.path());
    let shown = slate("s1", MINUTE, &["v1"]);
    running.expect(202, "POST", "/v1/slates", shown);
    assert_eq!(rates(&running, "s1"), [rate("v1", None)]);
    let clicked = feedback("f1", "s1", "v1", "click");
    running.expect(202, "POST", "/v1/feedback", clicked);
    running.expect(200, "POST", "/v1/models/m-0002/promote", json!({}));
    let shown = slate("s2", 2 * MINUTE, &["v1"]);
    running.expect(202, "POST", "/v1/slates", shown);
    assert_eq!(rates(&running, "s2"), [rate("v1", 1.0)]);
    drop(running);
    let running = Running::start(dir.path());
    let shown = slate("s3", 3 * MINUTE, &["v1"]);
    running.expect(202, "POST", "/v1/slates", shown);
    assert_eq!(rates(&running, "s3"), [rate("v1", 0.5)]);
}

#[test]
fn a_time_in_the_catalogue_that_cannot_be_read_is_refused_with_what_was_found() {
    let dir = tempfile::tempdir().unwrap();
    let running = served(&dir);
    let item = |value: Value| json!([{ "id": "v1", "fields": { "uploaded_at": value } }]);
    for (value, found) in [
        (json!("yesterday"), "the string `yesterday`"),
        (json!(["2024-05-31"]), "a list"),
    ] {
        let answer = running.expect(422, "PUT", "/v1/items", item(value));
        let expected = format!(
            "entry `v1`: field `age` reads `uploaded_at`: found {found}, expected a time: ms since 1970, or a text as \
             `2024-05-31T14:00:00Z`, `2024-05-31 14:00:00` or `2024-05-31`"
        );
        assert_eq!(answer["detail"], json!(expected));
    }
    assert_eq!(running.service.catalogue().item("v1"), None);
    for value in [json!("2024-05-31"), json!(1_717_164_000_000_i64)] {
        let answer = running.expect(200, "PUT", "/v1/items", item(value));
        assert_eq!(answer, json!({ "stored": 1 }));
    }
    // A person's attribute of that name is read by nothing.
    running.expect(200, "PUT", "/v1/users", item(json!("yesterday")));
    let wrong = json!([{ "id": "v1", "fields": { "length": "long" } }]);
    let answer = running.expect(422, "PUT", "/v1/items", wrong);
    assert!(answer["detail"].as_str().unwrap().contains("the string `long`"));
}

#[test]
fn an_attribute_named_like_a_derived_field_is_not_held_to_its_kind() {
    let dir = tempfile::tempdir().unwrap();
    let running = served(&dir);
    let item = json!([{ "id": "v1", "fields": { "age": "old", "ctr": "high", "title": "A" } }]);
    let answer = running.expect(200, "PUT", "/v1/items", item);
    let warning = "entry `v1`: `ctr` is derived from the log; what is given for it is not read";
    assert_eq!(answer, json!({ "stored": 1, "warnings": [warning] }));
}

#[test]
fn a_mistyped_name_is_stored_and_answered_with_the_one_that_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let running = served(&dir);
    let items =
        json!([{ "id": "v1", "fields": { "lenght": 1 } }, { "id": "v2", "fields": { "lenght": 2, "x": 1 } }]);
    let answer = running.expect(200, "PUT", "/v1/items", items);
    let warning = "entry `v1`: `lenght` is read by no field; did you mean `length`?";
    assert_eq!(answer, json!({ "stored": 2, "warnings": [warning] }));
    let stored = Fields::from([("lenght".to_owned(), Raw::Number(1.0))]);
    assert_eq!(running.service.catalogue().item("v1"), Some(&stored));

    let candidate = json!({ "item": "v1", "fields": { "Length": 1, "position": 3 } });
    let request = json!({ "user": "u", "context": { "devise": "tv" }, "candidates": [candidate] });
    let answer = running.expect(200, "POST", "/v1/rank", request);
    let warnings = [
        "`context`: `devise` is read by no field; did you mean `device`?",
        "candidate `v1`: `Length` is read by no field; did you mean `length`?",
    ];
    assert_eq!(answer["warnings"], json!(warnings));
    let mut shown = slate("s", 0, &["v1"]);
    shown["items"][0]["fields"] = json!({ "lengths": 1 });
    let answer = running.expect(202, "POST", "/v1/slates", shown);
    let warning = "item `v1` of slate `s`: `lengths` is read by no field; did you mean `length`?";
    assert_eq!(answer["warnings"], json!([warning]));
    let request = json!({ "user": "u", "context": { "device": "tv" }, "candidates": ["v1"] });
    let answer = running.expect(200, "POST", "/v1/rank", request);
    assert_eq!(answer.get("warnings"), None);
}

#[test]
fn feedback_that_is_of_no_use_is_stored_and_answered_with_why() {
    let dir = tempfile::tempdir().unwrap();
    let running = served(&dir);
    let ranked = running.expect(
        200,
        "POST",
        "/v1/rank",
        json!({ "user": "u", "candidates": ["v1"] }),
    );
    let ranked = ranked["slate"].as_str().unwrap();
    running.expect(202, "POST", "/v1/slates", slate("s", 0, &["v1"]));
    let all = json!([
        feedback("f1", "s", "v1", "clik"),
        feedback("f2", ranked, "v2", "share"),
        feedback("f3", ranked, "v1", "clik"),
        feedback("f4", "s", "v1", "seen"),
        feedback("f5", "nowhere", "v9", "like"),
    ]);
    let answer = running.expect(202, "POST", "/v1/feedback", all);
    let unread = "is read by no label, history or rate of the declaration;";
    let warnings = [
        format!("feedback `f1`: kind `clik` {unread} did you mean `click`?"),
        format!("feedback `f4`: kind `seen` {unread} those that are read: `click`, `like`, `share`"),
        format!("feedback `f2`: slate `{ranked}` does not show item `v2`; it is kept, and gives no label"),
    ];
    assert_eq!(
        answer,
        json!({ "stored": 5, "duplicates": 0, "orphans": 1, "warnings": warnings })
    );
}

#[test]
fn a_path_or_method_that_is_not_there_is_a_problem_that_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let running = served(&dir);
    for (status, method, path) in [
        (404, "GET", "/v1/nothing"),
        (405, "GET", "/v1/rank"),
        (405, "POST", "/v1/items"),
        (405, "DELETE", "/"),
    ] {
        let answer = running.ask(method, path, &json!({}));
        assert_eq!((answer.status, &answer.body["status"]), (status, &json!(status)));
        let is_problem = answer.head.contains("content-type: application/problem+json");
        assert!(is_problem && answer.body["detail"].is_string(), "{}", answer.head);
        assert_eq!(
            answer.head.contains("\r\nallow: "),
            status == 405,
            "{}",
            answer.head
        );
    }
}
