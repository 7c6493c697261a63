//! `[objectives]`: watch times, negatives left out, labels of other names, and large weights of the score.

use super::{check, spec};
use crate::{Absent, Loss};

const FIELDS: &str = "[fields]
user_id = { side = 'user', kind = 'id', dim = 4, buckets = 10 }
length = { side = 'item', kind = 'number' }
ranges = { side = 'item', kind = 'number', dim = 2, edges = [1] }
taste = { side = 'user', kind = 'vector', width = 2 }
looks = { side = 'item', kind = 'vector', width = 2 }
match = { side = 'pair', kind = 'number', dot = ['user.taste', 'item.looks'] }
";

#[test]
fn a_watched_share_or_rank_needs_the_field_of_a_duration() {
    check(&format!(
        "{FIELDS}[objectives]
a = {{ group = 'a', loss = 'watch-fraction' }} #~ `duration` is missing => expected `duration = \"FIELD\"`, the field of how long the watched item is; number fields: `length`, `ranges`
b = {{ group = 'a', loss = 'watch-quantile', duration = 'lenght' }} #~ no number field `lenght` => number fields: `length`, `ranges` (did you mean `length`?)
c = {{ group = 'a', loss = 'watch-quantile', duration = 'match' }} #~ no number field `match`
d = {{ group = 'a', loss = 'watch-fraction', duration = 'user_id' }} #~ no number field `user_id`
e = {{ group = 'a', loss = 'weighted-logistic', duration = 'length' }} #~ `duration` on loss `weighted-logistic` => leave it out: it is for `watch-fraction` and `watch-quantile`
f = {{ group = 'a', loss = 'binary', duration = 'length' }} #~ `duration` on loss `binary`
g = {{ group = 'a', loss = 'watch-fraction', duratin = 'length' }} #~ unknown key `duratin`
h = {{ group = 'a', loss = 'watch-fractio', duration = 'length' }} #~ `loss` is `watch-fractio`
[score]
a = 1"
    ));
    check(
        "[fields]
length = { side = 'item', kind = 'numbr' } #~ `kind` is `numbr`
[objectives]
click = { group = 'a', loss = 'watch-fraction', duration = 'length' }",
    );
}

#[test]
fn watch_times_have_no_clip_no_negatives_and_are_not_below_0() {
    check(&format!(
        "{FIELDS}[objectives]
a = {{ group = 'a', loss = 'weighted-logistic', clip = [0, 1] }} #~ `clip` on a watch-time objective => leave it out: it is for `loss = \"squared\"`
b = {{ group = 'a', loss = 'weighted-logistic', keep_negatives = 0.5 }} #~ `keep_negatives` on an objective that is not binary => leave it out: only a binary objective has negatives
c = {{ group = 'a', loss = 'weighted-logistic', absent = -1 }} #~ `absent` is -1 => expected `missing` or a finite number, as a watch time has
d = {{ group = 'a', loss = 'watch-fraction', duration = 'length', absent = inf }} #~ `absent` is inf
e = {{ group = 'a', loss = 'watch-quantile', duration = 'length', absent = 0 }}
[score]
e = 1"
    ));
}

#[test]
fn a_watch_time_may_be_given_a_click_but_gives_nothing() {
    let objectives = "[objectives]
click = { group = 'a', loss = 'binary' }
watch = { group = 'a', loss = 'watch-quantile', duration = 'length', label = 'play', given = 'click', absent = 0 }
";
    check(&format!(
        "{FIELDS}{objectives}like = {{ group = 'a', loss = 'binary', given = 'watch' }} #~ `watch` is not binary => other binary objectives: `click`"
    ));
    let spec = spec(&format!("{FIELDS}{objectives}[score]\nwatch = 1"));
    let watch = &spec.objectives[1];
    assert_eq!((watch.loss, watch.given), (Loss::WatchQuantile, Some(0)));
    assert_eq!((watch.duration, watch.absent), (Some(1), Absent::Value(0.0)));
    assert_eq!(watch.label.names(), ["play"]);
    assert_eq!(
        spec.score,
        [0.0, 1.0],
        "a watch time is above 0 and needs no clip"
    );
}

#[test]
fn each_loss_has_a_word_and_knows_what_it_needs() {
    for (loss, word, watch_time, duration) in [
        (Loss::Binary, "binary", false, false),
        (Loss::Squared, "squared", false, false),
        (Loss::WatchFraction, "watch-fraction", true, true),
        (Loss::WeightedLogistic, "weighted-logistic", true, false),
        (Loss::WatchQuantile, "watch-quantile", true, true),
    ] {
        let field = if duration { ", duration = 'ranges'" } else { "" };
        let spec = spec(&format!(
            "{FIELDS}[objectives]\nclick = {{ group = 'a', loss = 'binary' }}\na = {{ group = 'a', loss = '{word}'{field} }}"
        ));
        let found = &spec.objectives[1];
        assert_eq!((found.loss, found.duration), (loss, duration.then_some(2)));
        assert_eq!(
            (loss.word(), loss.is_watch_time(), loss.needs_duration()),
            (word, watch_time, duration)
        );
    }
}

#[test]
fn a_share_of_the_negatives_is_kept() {
    check(
        "[objectives]
click = { group = 'a', loss = 'binary', keep_negatives = 0 } #~ `keep_negatives` is 0 => expected a share above 0, up to 1
b = { group = 'a', loss = 'binary', keep_negatives = 1.1 } #~ `keep_negatives` is 1.1
c = { group = 'a', loss = 'squared', keep_negatives = 0.5 } #~ `keep_negatives` on an objective that is not binary",
    );
    let spec = spec(
        "[objectives]
click = { group = 'a', loss = 'binary', keep_negatives = 0.25 }
b = { group = 'a', loss = 'binary' }",
    );
    let kept: Vec<f32> = spec
        .objectives
        .iter()
        .map(|objective| objective.keep_negatives)
        .collect();
    assert_eq!(kept, [0.25, 1.0]);
}

#[test]
fn a_label_may_name_a_column_of_any_name() {
    check(
        "[objectives]
click = { group = 'a', loss = 'binary', label = '`play' } #~ `label` is ``play`: at byte 0, expected a name between two backticks",
    );
    let spec = spec(
        "[objectives]
click = { group = 'a', loss = 'binary', label = '`Play time (ms)` / 时长' }
\"播放\" = { group = 'a', loss = 'binary' }",
    );
    assert_eq!(spec.objectives[0].label.names(), ["Play time (ms)", "时长"]);
    assert_eq!(spec.objectives[1].label.names(), ["播放"]);
}

#[test]
fn weights_of_the_score_are_within_100() {
    check("[score]\nclick = 100.5 #~ `click` is 100.5 => expected a number from -100 to 100");
    check("[score]\nclick = -101 #~ `click` is -101");
    check("[score]\nclick = inf #~ `click` is inf");
    assert_eq!(spec("[score]\nclick = -100").score, [-100.0]);
    assert_eq!(spec("[score]\nclick = 100").score, [100.0]);
}
