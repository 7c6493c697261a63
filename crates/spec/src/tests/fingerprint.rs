//! What changes which fingerprint.

use super::spec;

const TEXT: &str = "[fields]
user_id = { side = 'user', kind = 'id', dim = 4, buckets = 10 }
device = { side = 'context', kind = 'id', values = ['a', 'b'], use = 'bias' }
age = { side = 'item', kind = 'number' }
[objectives]
click = { group = 'engagement', loss = 'binary' }
watch = { group = 'engagement', loss = 'squared', label = 'play / length', clip = [0, 1], given = 'click' }
[bias]
fields = ['position', 'device']
groups = ['engagement']
[score]
click = 1
";

/// Replaces `from` by `to` and says which fingerprints changed: encoding, objectives.
fn check(from: &str, to: &str, expected: (bool, bool)) {
    assert!(TEXT.contains(from), "{from}");
    let (before, after) = (spec(TEXT), spec(&TEXT.replace(from, to)));
    let changed = (
        before.encoding_fingerprint() != after.encoding_fingerprint(),
        before.objectives_fingerprint() != after.objectives_fingerprint(),
    );
    assert_eq!(changed, expected, "{from} -> {to}");
}

#[test]
fn the_encoding_covers_fields_tables_and_the_cross() {
    check("buckets = 10", "buckets = 11", (true, false));
    check("dim = 4", "dim = 5", (true, false));
    check("['a', 'b']", "['b', 'a']", (true, false));
    check("['a', 'b']", "['a 1:b']", (true, false));
    check(
        "kind = 'number'",
        "kind = 'number', scale = 'quantile'",
        (true, false),
    );
    check("kind = 'number'", "kind = 'number', powers = true", (true, false));
    check("kind = 'number'", "kind = 'number', missing = 0", (true, false));
    check(
        "kind = 'number'",
        "kind = 'number', attribute = 'years'",
        (true, false),
    );
    check("age =", "years =", (true, false));
    check("groups = ", "max_position = 9\ngroups = ", (true, false));
}

#[test]
fn the_objectives_cover_heads_and_labels() {
    check(
        "group = 'engagement', loss = 'binary'",
        "group = 'other', loss = 'binary'",
        (false, true),
    );
    check("clip = [0, 1]", "clip = [0, 2]", (false, true));
    check("play / length", "play", (false, true));
    check(", given = 'click'", "", (false, true));
    check("loss = 'binary'", "loss = 'binary', absent = 0", (false, true));
    check("given = 'click'", "given = 'click', window = '2h'", (false, true));
}

#[test]
fn settings_weights_and_layout_are_in_neither() {
    check("click = 1", "click = 2", (false, false));
    check("[score]", "[train]\nseed = 3\n[score]", (false, false));
    check("dim = 4", "dim = 4, id_dropout = 0.1", (false, false));
    check(
        "loss = 'binary'",
        "loss = 'binary', loss_weight = 2",
        (false, false),
    );
    check("play / length", "(play)/length", (false, false));
    check("[fields]", "# a comment\n[fields]", (false, false));
}

#[test]
fn a_fingerprint_is_stable_over_releases() {
    // Artifacts on disk carry these: a change of the canonical text must be meant.
    let spec = spec(TEXT);
    assert_eq!(
        spec.encoding_fingerprint(),
        "05f70d9f5037117a7d548d82f9aa7eca8e804e36df1226a2a16cfaeffb6384bd"
    );
    assert_eq!(
        spec.objectives_fingerprint(),
        "b1b839f0f532581262265965b2789ef5c7465ff00c2eeebe109c881cae2676ba"
    );
}
