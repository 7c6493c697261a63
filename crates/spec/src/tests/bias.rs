//! `[bias]`.

use super::{check, spec};
use crate::{Bias, BiasForm, ServePosition};

const DEVICE: &str = "[fields]
device = { side = 'context', kind = 'id', values = ['phone', 'tv'], use = 'bias' }
age = { side = 'item', kind = 'number' }
";

#[test]
fn the_shallow_tower_crosses_position_with_fields_meant_for_it() {
    check(&format!(
        "{DEVICE}[bias] #~ `fields` is missing #~ `groups` is missing"
    ));
    check(&format!(
        "{DEVICE}[bias]
fields = ['device'] #~ `position` is not in `fields`
groups = [] #~ `groups` is empty"
    ));
    check(&format!(
        "{DEVICE}[bias]
fields = ['position', 'device', 'position', 'device'] #~ `position` is twice in `fields` #~ `device` is twice in `fields`
groups = ['engagement', 'engagement'] #~ `engagement` is twice in `groups`"
    ));
    check(&format!(
        "{DEVICE}[bias]
fields = ['position', 'device', 'devic', 'age'] #~ no field `devic` => `position` and fields with `use` of `bias` or `both`: `position`, `device` (did you mean `device`?) #~ the field `age` is for the main tower only
groups = ['engagment'] #~ no objective is in the group `engagment` => groups of objectives: `engagement` (did you mean `engagement`?)"
    ));
    check(&format!(
        "{DEVICE}[bias]
fields = ['position', 'device']
groups = ['engagement']
max_position = 0 #~ `max_position` is 0
position_dropout = 1 #~ `position_dropout` is 1
learning_rate_scale = 0 #~ `learning_rate_scale` is 0"
    ));
}

#[test]
fn a_field_for_the_shallow_tower_needs_one() {
    let device = |expected: &str| DEVICE.replacen("'bias' }", &format!("'bias' }} #~ {expected}"), 1);
    check(&device("`use` is `bias`, and there is no `[bias]`"));
    check(&format!(
        "{}[bias]
fields = ['position']
groups = ['engagement']",
        device(
            "`use` is `bias`, and `[bias] fields` lacks `device` => name it there, as `fields = [\"position\", \"device\"]`, or leave `use` out"
        )
    ));
}

#[test]
fn the_cross_is_bounded() {
    let fields: Vec<String> = ["a", "b", "c"]
        .iter()
        .map(|name| {
            format!(
                "{name} = {{ side = 'context', kind = 'id', dim = 1, buckets = 64, use = 'both' }}
"
            )
        })
        .collect();
    check(&format!(
        "[fields]
{}[bias]
fields = ['position', 'a', 'b', 'c'] #~ the cross of `fields` has 14005875 cells => expected at most 1000000: cross fewer fields, or lower `max_position`
groups = ['engagement']",
        fields.concat()
    ));
    check(&format!(
        "[fields]
{}[bias]
fields = ['position', 'a', 'b', 'c']
max_position = 2
groups = ['engagement']",
        fields.concat()
    ));
}

#[test]
fn a_shallow_tower_means_what_was_typed() {
    let objectives = "[objectives]
click = { group = 'engagement', loss = 'binary' }
like = { group = 'satisfaction', loss = 'binary' }
watch = { group = 'engagement', loss = 'squared' }
";
    let spec = spec(&format!(
        "{DEVICE}{objectives}[bias]
fields = ['device', 'position']
groups = ['engagement']"
    ));
    let expected = Bias {
        fields: vec![0],
        objectives: vec![0, 2],
        max_position: 50,
        position_dropout: 0.1,
        learning_rate_scale: 10.0,
        form: BiasForm::Additive,
        output_dropout: 0.0,
        gradient_reversal: 0.0,
        adversarial: 0.1,
        propensity_clip: 20.0,
        serve_position: ServePosition::Missing,
    };
    assert_eq!(spec.bias, Some(expected));
}

/// `[bias]` on a click and on a watch time of those who clicked, with these lines.
fn biased(lines: &str) -> String {
    format!(
        "[objectives]
click = {{ group = 'engagement', loss = 'binary' }}
watch = {{ group = 'watching', loss = 'squared', given = 'click' }}
buy = {{ group = 'buying', loss = 'binary', given = 'click' }}
rare = {{ group = 'rare', loss = 'binary', keep_negatives = 0.5 }}
{DEVICE}
[bias]
fields = ['position', 'device']
{lines}"
    )
}

#[test]
fn a_form_and_what_is_served_are_what_was_typed() {
    for (word, form) in BiasForm::WORDS {
        let spec = spec(&biased(&format!("groups = ['engagement']\nform = '{word}'")));
        assert_eq!(
            spec.bias.map(|bias| (bias.form, bias.form.word())),
            Some((form, word))
        );
    }
    for (typed, expected) in [
        ("'missing'", ServePosition::Missing),
        ("1", ServePosition::First),
        ("'none'", ServePosition::None),
    ] {
        let spec = spec(&biased(&format!(
            "groups = ['engagement']\nserve_position = {typed}"
        )));
        assert_eq!(spec.bias.map(|bias| bias.serve_position), Some(expected));
    }
}

#[test]
fn how_a_bias_is_taken_out_is_in_range() {
    check(&biased(
        "groups = ['engagement']
form = 'pal' #~ `form` is `pal` => expected one of: `additive`, `product`, `auto`, `none`, `input`, `adversarial`, `ips`
output_dropout = 1 #~ `output_dropout` is 1 => expected a share from 0 to below 1
gradient_reversal = -0.1 #~ `gradient_reversal` is -0.1 => expected a share from 0 to below 1
adversarial = 0 #~ `adversarial` is 0 => expected a number above 0
propensity_clip = 0.5 #~ `propensity_clip` is 0.5 => expected a number from 1
serve_position = 2 #~ `serve_position` is 2 => expected one of: `missing`, `none`, `1`",
    ));
    check(&biased(
        "groups = ['engagement']
serve_position = 'first' #~ `serve_position` is `first` => expected one of: `missing`, `none`, `1`",
    ));
    check(&biased(
        "groups = ['engagement']
form = 'input'
serve_position = 'none' #~ `serve_position` is `none`, and the position is an input of the main tower => expected `missing` or `1` with `form = \"input\"`",
    ));
    check(&biased(
        "groups = ['engagement', 'watching']\nserve_position = 'none'",
    ));
}

#[test]
fn a_probability_of_being_examined_needs_labels_that_are_probabilities() {
    for form in ["product", "auto", "ips"] {
        check(&biased(&format!("groups = ['engagement']\nform = '{form}'")));
        for (group, why) in [
            (
                "watching",
                "objective `watch` cannot be a product: its loss is `squared`",
            ),
            (
                "buying",
                "objective `buy` cannot be a product: it has `given = \"click\"`",
            ),
            (
                "rare",
                "objective `rare` cannot be a product: it has `keep_negatives = 0.5`",
            ),
        ] {
            check(&biased(&format!(
                "groups = ['{group}', 'engagement']
form = '{form}' #~ `form` is `{form}`, and {why} => expected binary objectives without `given` and `keep_negatives`, of which every label is an impression's probability: give the objective another group, or write `form = \"additive\"`"
            )));
        }
    }
    for form in ["additive", "none", "input", "adversarial"] {
        check(&biased(&format!(
            "groups = ['watching', 'buying', 'rare']\nform = '{form}'"
        )));
    }
}

#[test]
fn an_input_of_too_many_columns_is_refused() {
    check(
        "[objectives]
click = { group = 'engagement', loss = 'binary' }
[bias]
fields = ['position'] #~ position and cells of `fields` are 4097 inputs of the main tower => expected at most 4096 with `form = \"input\"`: cross fewer fields, or lower `max_position`
groups = ['engagement']
max_position = 4095
form = 'input'",
    );
}

#[test]
fn another_form_is_written_into_the_text_and_nothing_else_is_changed() {
    let before = spec(&biased(
        "groups = ['engagement'] # who looks\nform = \"auto\" # or another\n",
    ));
    let after = before.with_form(BiasForm::Product).unwrap();
    assert_eq!(after.text, before.text.replace("\"auto\"", "\"product\""));
    assert_eq!(after.bias.map(|bias| bias.form), Some(BiasForm::Product));
    let plain = spec(&biased("groups = ['engagement']\n"));
    let named = plain.with_form(BiasForm::None).unwrap();
    assert_eq!(named.bias.map(|bias| bias.form), Some(BiasForm::None));
    assert!(plain.with_form(BiasForm::Additive).unwrap().bias == plain.bias);
    assert!(spec("").with_form(BiasForm::Product).unwrap().bias.is_none());
}
