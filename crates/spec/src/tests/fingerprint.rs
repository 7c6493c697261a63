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

/// As [`check`], of two entries of `[fields]` or `[objectives]` that are added to the declaration.
fn check_entries(section: &str, before: &str, after: &str, expected: (bool, bool)) {
    let header = format!("[{section}]\n");
    let with = |entry: &str| spec(&TEXT.replace(&header, &format!("{header}{entry}\n")));
    let (first, second) = (with(before), with(after));
    let changed = (
        first.encoding_fingerprint() != second.encoding_fingerprint(),
        first.objectives_fingerprint() != second.objectives_fingerprint(),
    );
    assert_eq!(changed, expected, "{before} -> {after}");
}

/// As [`check_entries`] with a change of a field.
fn check_field(before: &str, after: &str, changes_encoding: bool) {
    let entry = |rest: &str| format!("a = {{ {rest} }}");
    check_entries("fields", &entry(before), &entry(after), (changes_encoding, false));
}

#[test]
fn the_encoding_covers_every_kind_and_source_of_a_field() {
    let number = "side = 'item', kind = 'number'";
    let buckets = format!("{number}, dim = 2, edges = [1, 2]");
    check_field(number, &buckets, true);
    check_field(&buckets, &format!("{number}, dim = 2, edges = [1, 3]"), true);
    check_field(&buckets, &format!("{buckets}, missing = 0"), true);
    check_field(number, &format!("{number}, scale = 'log'"), true);
    let since = format!("{number}, since = 'item.t'");
    check_field(number, &since, true);
    check_field(&since, &format!("{number}, since = 'item.u'"), true);
    let rate = format!("{number}, rate = 'click', window = '7d'");
    check_field(number, &rate, true);
    check_field(&rate, &rate.replace("click", "like"), true);
    check_field(&rate, &rate.replace("7d", "8d"), true);
    let part = "side = 'item', kind = 'id', dim = 2, part = 'hour', of = 'item.t'";
    check_field(part, &part.replace("hour", "weekday"), true);
    check_field(part, &part.replace("item.t", "item.u"), true);
    let now = "side = 'context', kind = 'id', dim = 2, part = 'hour'";
    check_field(now, &now.replace("part = 'hour'", "values = ['0']"), true);
    let cross = "side = 'pair', kind = 'id', dim = 2, buckets = 9, cross = ['user_id', 'device']";
    check_field(
        cross,
        &cross.replace("'user_id', 'device'", "'device', 'user_id'"),
        true,
    );
    let ids = "side = 'item', kind = 'ids', dim = 2, buckets = 9";
    check_field(ids, &format!("{ids}, weights = 'w'"), true);
    check_field(ids, &format!("{ids}, pool = 'sum'"), true);
    let capacity = ids.replace("buckets", "capacity");
    check_field(ids, &capacity, true);
    check_field(&capacity, &capacity.replace("9", "10"), true);
    check_field(&capacity, &format!("{capacity}, forget_after = '1d'"), true);
    let text = "side = 'item', kind = 'text', dim = 2, buckets = 9";
    check_field(ids, text, true);
    check_field(text, &format!("{text}, ngrams = 2"), true);
    check_field(text, &format!("{text}, pool = 'sum'"), true);
    check_field(text, &format!("{text}, admit_after = 2"), true);
    check_field(text, &format!("{text}, id_dropout = 0.5"), false);
}

#[test]
fn what_the_service_explores_and_logs_is_in_neither() {
    check(
        "[score]",
        "[explore]\nshuffle = 0.5\n[log]\ncandidates = 1\n[score]",
        (false, false),
    );
}

#[test]
fn what_only_flat_files_know_is_in_neither() {
    let number = "side = 'item', kind = 'number'";
    check_field(number, &format!("{number}, column = 'c'"), false);
    let ids = "side = 'item', kind = 'ids', dim = 2, buckets = 9, weights = 'w'";
    check_field(ids, &ids.replace("'w'", "'v'"), false);
    for keys in [
        "user = 'u'",
        "item = 'v'",
        "time = 't'",
        "time_unit = 's'",
        "time_format = '%Y'",
        "position = 'rank'",
        "slate = 'request'",
        "weight = 'w'",
        "absent = ['time']",
        "utc_offset = '+08:00'",
    ] {
        check("[fields]", &format!("[keys]\n{keys}\n[fields]"), (false, false));
    }
}

#[test]
fn the_encoding_covers_local_time_where_a_part_is_taken_of_it() {
    let hour = "hour = { side = 'context', kind = 'id', dim = 2, part = 'hour' }";
    let with = |keys: &str| {
        let text = TEXT.replace("[fields]", &format!("[keys]\n{keys}\n[fields]\n{hour}"));
        spec(&text).encoding_fingerprint()
    };
    assert_ne!(with(""), with("utc_offset = '+08:00'"));
    assert_eq!(
        with("utc_offset = '+08:00'"),
        with("utc_offset = '+08:00'\ntime_format = '%Y'")
    );
}

#[test]
fn the_objectives_cover_watch_times_and_kept_negatives() {
    let objective = |rest: &str| format!("a = {{ group = 'engagement', {rest} }}");
    let check = |before: &str, after: &str| {
        check_entries("objectives", &objective(before), &objective(after), (false, true));
    };
    check(
        "loss = 'watch-fraction', duration = 'age'",
        "loss = 'watch-quantile', duration = 'age'",
    );
    check("loss = 'squared'", "loss = 'weighted-logistic'");
    check("loss = 'binary'", "loss = 'binary', keep_negatives = 0.5");
    let watch = |field: &str| {
        let length = "length = { side = 'item', kind = 'number' }";
        let watch = objective(&format!("loss = 'watch-fraction', duration = '{field}'"));
        let text = TEXT
            .replace("[fields]", &format!("[fields]\n{length}"))
            .replace("[objectives]", &format!("[objectives]\n{watch}"));
        spec(&text).objectives_fingerprint()
    };
    assert_ne!(watch("age"), watch("length"));
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
    for line in [
        "serve_position = 1",
        "output_dropout = 0.5",
        "adversarial = 0.2",
        "propensity_clip = 5",
        "position_dropout = 0",
        "form = 'additive'",
    ] {
        check("groups = ", &format!("{line}\ngroups = "), (false, false));
    }
}

#[test]
fn the_objectives_cover_how_the_bias_is_taken_out() {
    let clicks = TEXT.replace("['engagement']\n[score]", "['clicks']\n[score]");
    let clicks = clicks.replace("click = { group = 'engagement'", "click = { group = 'clicks'");
    let mut seen = std::collections::BTreeSet::new();
    for form in [
        "additive",
        "product",
        "auto",
        "none",
        "input",
        "adversarial",
        "ips",
    ] {
        let of =
            |lines: &str| spec(&clicks.replace("groups = ", &format!("form = '{form}'\n{lines}groups = ")));
        let plain = of("");
        assert!(seen.insert(plain.objectives_fingerprint()), "{form}");
        let turned = of("gradient_reversal = 0.5\n");
        let has_tower = ["additive", "product", "auto"].contains(&form);
        let changed = turned.objectives_fingerprint() != plain.objectives_fingerprint();
        assert_eq!(changed, has_tower, "{form}");
        assert_eq!(
            turned.objectives_fingerprint(),
            of("gradient_reversal = 0.2\n").objectives_fingerprint()
        );
    }
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
