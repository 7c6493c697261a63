//! `[objectives]` and `[score]`.

use super::{check, spec};
use crate::{Absent, Expression, Loss, Space};

#[test]
fn group_and_loss_are_demanded() {
    check(
        "[objectives]
click = {} #~ `group` is missing #~ `loss` is missing",
    );
    check(
        "[objectives]
click = { group = '', loss = 'binry' } #~ `group` is empty #~ `loss` is `binry` => expected one of: `binary`, `squared`, `watch-fraction`, `weighted-logistic`, `watch-quantile` (did you mean `binary`?)",
    );
    check(
        "[objectives]
\"add-to-cart\" = { group = 'a', loss = 'binary' } #~ `add-to-cart` is no objective name
click = { group = 'a', loss = 'binary' }",
    );
    check(
        "[objectives] #~ no objective is declared
[score]
click = 1 #~ no objective `click` => objectives: none",
    );
}

#[test]
fn a_label_is_an_expression_that_names_something() {
    check(
        "[objectives]
click = { group = 'a', loss = 'binary', label = 'play /' } #~ `label` is `play /`: at byte 6, expected a number, a name, `-` or `(`, found the end
watch = { group = 'a', loss = 'squared', label = '1 + 1' } #~ `label` names nothing: `1 + 1`",
    );
}

#[test]
fn clip_and_absent_fit_the_loss() {
    check(
        "[objectives]
click = { group = 'a', loss = 'binary', clip = [0, 1] } #~ `clip` on a binary objective
b = { group = 'a', loss = 'squared', clip = [1, 1] } #~ `clip` is [1, 1] => expected `[lo, hi]`, finite, lo below hi
c = { group = 'a', loss = 'squared', clip = [0] } #~ `clip` is [0]
d = { group = 'a', loss = 'squared', clip = [0, inf] } #~ `clip` is [0, inf]
e = { group = 'a', loss = 'binary', absent = 2 } #~ `absent` is 2 => expected `missing` or 0 to 1, as a binary objective has
f = { group = 'a', loss = 'squared', clip = [1, 5], absent = 0 } #~ `absent` is 0 => expected `missing` or 1 to 5, as its `clip` has
g = { group = 'a', loss = 'squared', absent = nan } #~ `absent` is NaN
h = { group = 'a', loss = 'binary', absent = 'mising' } #~ `absent` is `mising` => expected a number or: `missing` (did you mean `missing`?)
i = { group = 'a', loss = 'binary', absent = 0.5, loss_weight = 0 } #~ `loss_weight` is 0 => expected a number above 0
j = { group = 'a', loss = 'squared', absent = -3 }
",
    );
}

#[test]
fn a_window_is_a_duration() {
    check(
        "[objectives]
click = { group = 'a', loss = 'binary', window = '30' } #~ `window` is `30`
b = { group = 'a', loss = 'binary', window = 30 } #~ `window` is the number 30",
    );
}

#[test]
fn given_names_another_binary_objective_whose_window_is_no_longer() {
    check(
        "[objectives]
click = { group = 'a', loss = 'binary', window = '1h' }
a = { group = 'a', loss = 'binary', given = 'clik' } #~ no objective `clik` => other binary objectives: `click`, `b`, `d`, `e` (did you mean `click`?)
b = { group = 'a', loss = 'binary', given = 'b' } #~ `b` is given itself
c = { group = 'a', loss = 'squared', given = 'click', window = '1h' }
d = { group = 'a', loss = 'binary', given = 'c', window = '1h' } #~ `c` is not binary
e = { group = 'a', loss = 'binary', given = 'click' } #~ the window is 1800 s, that of `click` 3600 s => expected a window at least as long, as the label waits for `click`
",
    );
    check(
        "[objectives]
click = { group = 'a', loss = 'binry' } #~ `loss` is `binry`
b = { group = 'a', loss = 'binary', given = 'click' }",
    );
    check(
        "[objectives]
click = { group = 'a', loss = 'binary', window = 'x' } #~ `window` is `x`
b = { group = 'a', loss = 'binary', given = 'click', window = '1s' }",
    );
}

#[test]
fn given_in_a_circle_is_reported_once() {
    check(
        "[objectives]
click = { group = 'a', loss = 'binary', given = 'b' }
b = { group = 'a', loss = 'binary', given = 'c' } #~ `given` goes in a circle: `b` given `c` given `d` given `b`
c = { group = 'a', loss = 'binary', given = 'd' }
d = { group = 'a', loss = 'binary', given = 'b' }
e = { group = 'a', loss = 'binary', given = 'f' }
f = { group = 'a', loss = 'binary' }
",
    );
}

#[test]
fn the_score_weighs_declared_objectives_whose_prediction_has_a_logarithm() {
    let objectives = "[objectives]
click = { group = 'a', loss = 'binary' }
watch = { group = 'a', loss = 'squared', clip = [0, 1] }
rating = { group = 'a', loss = 'squared' }
delta = { group = 'a', loss = 'squared', clip = [-1, 1] }
";
    check(&format!(
        "{objectives}[score]
clik = 1 #~ no objective `clik` => objectives: `click`, `watch`, `rating`, `delta` (did you mean `click`?)
watch = 0.5
rating = 1 #~ the squared objective `rating` has no `clip`
delta = 1 #~ the `clip` of `delta` begins at -1
click = nan #~ `click` is NaN"
    ));
    check(&format!(
        "{objectives}[score] #~ no objective has a score weight, so there is nothing to sort by"
    ));
    check(&format!(
        "{objectives}[score] #~ every score weight is 0, so there is nothing to sort by
click = 0
watch = 0.0"
    ));
    let spec = spec(&format!(
        "{objectives}[score]
watch = 0.5
click = -1"
    ));
    assert_eq!(spec.score, [-1.0, 0.5, 0.0, 0.0]);
}

#[test]
fn an_objective_means_what_was_typed() {
    let spec = spec(
        "[objectives]
click = { group = 'a', loss = 'binary', absent = 0 }
watch = { group = 'b', loss = 'squared', label = 'play / length', clip = [0, 2], given = 'click', window = '24h', absent = 'missing', loss_weight = 0.5 }
",
    );
    let [click, watch] = spec.objectives.as_slice() else {
        panic!("two objectives")
    };
    assert_eq!(
        (click.loss, click.absent, click.window_ms),
        (Loss::Binary, Absent::Value(0.0), 1_800_000)
    );
    assert_eq!((click.clip, click.given, click.loss_weight), (None, None, 1.0));
    assert_eq!(click.label, Expression::Name("click".to_owned()));
    assert_eq!(
        (watch.loss, watch.absent, watch.window_ms),
        (Loss::Squared, Absent::Missing, 86_400_000)
    );
    assert_eq!(
        (watch.clip, watch.given, watch.loss_weight),
        (Some((0.0, 2.0)), Some(0), 0.5)
    );
    assert_eq!(watch.label.names(), ["play", "length"]);
}

#[test]
fn the_entire_space_is_for_binary_objectives_with_a_condition_that_keep_their_negatives() {
    check(
        "[objectives]
click = { group = 'a', loss = 'binary', space = 'all' } #~ `space` is `all` => expected one of: `observed`, `entire`
seen = { group = 'a', loss = 'binary', space = 'entire' } #~ `space = \"entire\"` without `given`
watch = { group = 'a', loss = 'squared', given = 'seen', space = 'entire' } #~ `space = \"entire\"` on loss `squared`
rare = { group = 'a', loss = 'binary', given = 'seen', keep_negatives = 0.1, space = 'entire' } #~ `space = \"entire\"` where `rare` has `keep_negatives`
buy = { group = 'a', loss = 'binary', given = 'rare', space = 'entire' } #~ `space = \"entire\"` where `rare` has `keep_negatives` => leave one of them out: the joint probability is learned on all impressions
fine = { group = 'a', loss = 'binary', given = 'seen', space = 'observed', keep_negatives = 0.1 }",
    );
    let spec = spec(
        "[objectives]
click = { group = 'a', loss = 'binary' }
cart = { group = 'a', loss = 'binary', given = 'click', space = 'entire' }
buy = { group = 'a', loss = 'binary', given = 'cart', space = 'entire' }
like = { group = 'a', loss = 'binary', given = 'click' }",
    );
    let spaces: Vec<Space> = spec.objectives.iter().map(|objective| objective.space).collect();
    assert_eq!(
        spaces,
        [Space::Observed, Space::Entire, Space::Entire, Space::Observed]
    );
}
