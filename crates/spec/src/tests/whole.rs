//! Whole declarations.

use super::{check_bare, mistakes};
use crate::{Architecture, Kind, Scale, Spec};

/// Everything that is carried out.
const SKETCH: &str = r#"
[keys]
user = "user_id"
item = "video_id"
query = "watching"

[fields]
user_id   = { side = "user",    kind = "id",     dim = 16, buckets = 1_000_000 }
history   = { side = "user",    kind = "ids",    shares = "video_id", from = "feedback.click", last = 50, pool = "mean" }
taste     = { side = "user",    kind = "vector", width = 64 }
device    = { side = "context", kind = "id",     dim = 4,  values = ["phone", "desktop", "tv"], use = "bias" }
watching  = { side = "query",   kind = "id",     shares = "video_id" }
video_id  = { side = "item",    kind = "id",     dim = 16, buckets = 2_000_000 }
content   = { side = "item",    kind = "vector", width = 64 }
age_hours = { side = "item",    kind = "number", scale = "quantile", powers = true }
affinity  = { side = "pair",    kind = "number", dot = ["user.taste", "item.content"] }
overlap   = { side = "pair",    kind = "vector", product = ["user.taste", "item.content"] }

[objectives]
click   = { group = "engagement",   loss = "binary",  absent = 0, window = "30m" }
watch   = { group = "engagement",   loss = "squared", label = "play_ms / duration_ms", clip = [0, 1], given = "click" }
like    = { group = "satisfaction", loss = "binary",  absent = 0, given = "click", window = "24h" }
rating  = { group = "satisfaction", loss = "squared", absent = "missing", window = "7d" }
dismiss = { group = "satisfaction", loss = "binary",  absent = 0 }

[model]
architecture = "mmoe"
shared = [512]
experts = { count = 8, widths = [256, 128] }
towers = [64]
gate_dropout = 0.1

[bias]
fields = ["position", "device"]
groups = ["engagement"]
form = "additive"
position_dropout = 0.1
serve_position = "missing"
learning_rate_scale = 10

[score]
click = 1.0
watch = 0.8
like = 0.4
dismiss = -0.5
"#;

#[test]
fn the_sketch_of_the_design_parses() {
    let spec = Spec::parse("ranker.toml", SKETCH).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(spec.fields.len(), 10);
    assert_eq!(spec.field("content"), Some(6));
    assert_eq!(spec.objective("rating"), Some(3));
    assert_eq!(spec.objective("purchase"), None);
    assert_eq!(
        spec.fields[8].kind,
        Kind::Number {
            scale: Scale::Standard,
            powers: false,
            missing: None,
            dot: Some((2, 6))
        }
    );
    assert_eq!(
        spec.tables
            .iter()
            .map(|table| table.name.as_str())
            .collect::<Vec<_>>(),
        ["user_id", "device", "video_id"]
    );
    assert_eq!(spec.model.architecture, Architecture::Mmoe);
    assert_eq!(spec.score, [1.0, 0.8, 0.4, 0.0, -0.5]);
    assert_eq!(spec.bias.map(|bias| bias.objectives), Some(vec![0, 1]));
    assert_eq!(spec.text, SKETCH);
}

#[test]
fn windows_line_ends_and_headers_for_entries_are_the_same_declaration() {
    let spec = Spec::parse("ranker.toml", SKETCH).unwrap();
    let windows = Spec::parse("ranker.toml", &SKETCH.replace('\n', "\r\n")).unwrap();
    assert_eq!(
        Spec {
            text: String::new(),
            ..windows
        },
        Spec {
            text: String::new(),
            ..spec.clone()
        }
    );
    let entry = "dismiss = { group = \"satisfaction\", loss = \"binary\",  absent = 0 }\n";
    let text = SKETCH.replace(entry, "")
        + "[objectives.dismiss]\ngroup = \"satisfaction\"\nloss = \"binary\"\nabsent = 0\n";
    let headers = Spec::parse("ranker.toml", &text).unwrap();
    assert_eq!(headers.objectives, spec.objectives);
}

#[test]
fn many_mistakes_come_at_once_in_the_order_of_lines() {
    check_bare(
        r#"
[fields]
user_id   = { side = "usr", kind = "id", dim = 16, buckets = 1_000_000 } #~ `side` is `usr`
history   = { side = "user", kind = "ids", shares = "video", from = "feedback.click", last = "many" } #~ no field `video` #~ `last` is the string `many`
device    = { side = "context", kind = "id", values = ["phone", "phone"], use = "bias" } #~ `phone` is twice in `values`
video_id  = { side = "item", kind = "id", dim = 16, capacity = 0 } #~ `capacity` is 0
age_hours = { side = "item", kind = "number", scales = "quantile", } #~ unknown key `scales`

[objectives]
click   = { group = "engagement", loss = "binary", clip = [0, 1] } #~ `clip` on a binary objective
watch   = { group = "engagement", loss = "squared", label = "play_ms % 2", given = "clik" } #~ `label` is `play_ms % 2`: at byte 8, expected an operator or the end, found `%` #~ no objective `clik`
rating  = { group = "satisfaction" } #~ `loss` is missing

[model] #~ `experts` is missing
architecture = "mmoe"

[bias]
fields = ["device"] #~ `position` is not in `fields`
groups = ["engage"] #~ no objective is in the group `engage`
max_position = 0 #~ `max_position` is 0

[score]
clicks = 1.0 #~ no objective `clicks`
rating = 1.0

[train]
batch = 0 #~ `batch` is 0
"#,
    );
}

#[test]
fn mistakes_print_file_line_path_and_help() {
    let text = SKETCH
        .replace(
            "loss = \"binary\",  absent = 0, window = \"30m\"",
            "loss = \"binry\"",
        )
        .replace("click = 1.0", "clik = 1.0");
    let mistakes = Spec::parse("ranker.toml", &text).unwrap_err();
    assert_eq!(
        mistakes.to_string(),
        "ranker.toml:20: `loss` is `binry`
  at objectives.click.loss
  expected one of: `binary`, `squared`, `watch-fraction`, `weighted-logistic`, `watch-quantile` (did you mean `binary`?)
ranker.toml:42: no objective `clik`
  at score.clik
  objectives: `click`, `watch`, `like`, `rating`, `dismiss` (did you mean `click`?)"
    );
}

#[test]
fn an_empty_file_says_what_is_missing() {
    let messages: Vec<String> = mistakes("")
        .into_iter()
        .map(|mistake| format!("{}: {}", mistake.path, mistake.message))
        .collect();
    assert_eq!(
        messages,
        [
            "fields: no field is declared",
            "objectives: no objective is declared",
            "model: `model` is missing",
            "score: no objective has a score weight, so there is nothing to sort by",
        ]
    );
}

#[test]
fn no_cut_of_a_declaration_fails_otherwise_than_by_mistakes() {
    for end in 0..SKETCH.len() {
        for text in [&SKETCH[..end], &SKETCH[end..]] {
            if let Err(mistakes) = Spec::parse("ranker.toml", text) {
                let lines = text.lines().count().max(1);
                assert!(
                    mistakes
                        .mistakes
                        .iter()
                        .all(|mistake| (1..=lines).contains(&mistake.line)),
                    "{text}\n{mistakes}"
                );
            }
        }
    }
}
