use super::*;
use crate::testing::spec_with;

const FORMS: [&str; 7] = [
    "additive",
    "product",
    "auto",
    "none",
    "input",
    "adversarial",
    "ips",
];

/// Three slates of a click and none, of which the last is not shuffled.
fn batch() -> Encoded {
    Encoded {
        len: 6,
        labels: vec![vec![1.0, 0.0, 1.0, 0.0, 0.0, 1.0]],
        users: vec![1; 6],
        slates: vec![1, 1, 2, 2, 3, 3],
        positions: vec![1, 2, 2, 1, 1, 2],
        shuffled: vec![true, true, true, true, false, false],
        ..Encoded::default()
    }
}

#[test]
fn the_list_auc_is_of_shuffled_slates_and_of_what_is_served_in_every_form_of_bias() {
    let (right, wrong) = ([0.9, 0.1, 0.9, 0.1, 0.9, 0.1], [0.1, 0.9, 0.1, 0.9, 0.1, 0.9]);
    let predictions = |values: [f32; 6]| Predictions {
        logits: Vec::new(),
        values: vec![values.to_vec()],
    };
    for form in FORMS {
        let bias = format!(
            "[bias]\nfields = [\"position\"]\ngroups = [\"engagement\"]\nform = \"{form}\"\n\n[score]"
        );
        let spec = spec_with("[score]", &bias);
        let differs = spec.bias.as_ref().unwrap().form.is_served_otherwise();
        let list_auc = |logged, served: Option<Predictions>| {
            let mut outcomes = Outcomes::default();
            outcomes.add(&spec, &batch(), &predictions(logged), served.as_ref());
            outcomes.evaluate(&spec, &[Some(0.5)]).objectives[0].shuffled_list_auc
        };
        if differs {
            let found = list_auc(wrong, Some(predictions(right))).unwrap();
            assert_eq!((found.auc.mean, found.slates), (1.0, 2), "{form}");
            assert_eq!(list_auc(right, None), None, "{form}: what is served is not known");
        } else {
            let found = list_auc(right, None).unwrap();
            assert_eq!((found.auc.mean, found.slates), (1.0, 2), "{form}");
        }
    }
}
