//! Alarms: a network that was trained and is not to be served.
//!
//! In: which units were active, and what was predicted. Out: a sentence for each thing that died.

use std::collections::BTreeSet;

use model::{Activity, LayerActivity, Ranker};

use crate::Outcomes;

/// Share of dead units from which a layer has died: what passes through the few that are left is next to nothing.
const DIED: f64 = 0.9;
/// Share from which it is worth a word.
const MANY: f64 = 0.5;
/// Share of experts that may die before a mixture has: the gates of the others carry on.
const EXPERTS: f64 = 0.5;

/// What happened, in words, with what to do. Empty: nothing did.
pub(crate) fn alarms(ranker: &Ranker, outcomes: &Outcomes, activity: Option<&Activity>) -> Vec<String> {
    let spec = ranker.spec();
    let constant = (0..spec.objectives.len()).filter(|at| outcomes.is_constant(*at));
    let constant = constant.map(|at| {
        format!(
            "`{}` is predicted to be the same for every row of the test part: it orders nothing. {MEND}",
            spec.objectives[at].name
        )
    });
    let layers = || activity.into_iter().flat_map(|activity| &activity.layers);
    let died = layers().filter(|layer| layer.expert.is_none() && dead_share(layer) >= DIED);
    let experts: BTreeSet<usize> = layers().filter_map(|layer| layer.expert).collect();
    let gone = experts
        .iter()
        .filter(|expert| layers().any(|layer| layer.expert == Some(**expert) && dead_share(layer) >= DIED))
        .count();
    let mixture = (gone > 0 && gone as f64 >= EXPERTS * experts.len() as f64).then(|| {
        format!(
            "{gone} of {} experts are dead: a layer of theirs is active on no row. {MEND}",
            experts.len()
        )
    });
    constant.chain(died.map(sentence)).chain(mixture).collect()
}

/// Layers with many dead units in a network that still works.
pub(crate) fn weak_layers(activity: Option<&Activity>) -> Vec<String> {
    let layers = activity.into_iter().flat_map(|activity| &activity.layers);
    let weak = layers.filter(|layer| {
        let share = dead_share(layer);
        share >= MANY && (share < DIED || layer.expert.is_some())
    });
    weak.map(sentence).collect()
}

fn dead(layer: &LayerActivity) -> usize {
    layer.active.iter().filter(|count| **count == 0).count()
}

fn dead_share(layer: &LayerActivity) -> f64 {
    dead(layer) as f64 / layer.active.len().max(1) as f64
}

fn sentence(layer: &LayerActivity) -> String {
    format!(
        "{} of {} units of {} are dead: no row of the test part makes them active. {MEND}",
        dead(layer),
        layer.active.len(),
        layer.name
    )
}

const MEND: &str =
    "Lower `[train] learning_rate`, scale the numbers, widen the layer or try another `--seed`";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ranker, spec};

    fn layer(expert: Option<usize>, active: [u64; 4]) -> LayerActivity {
        LayerActivity {
            name: "a layer".to_owned(),
            objective: None,
            expert,
            active: active.to_vec(),
        }
    }

    fn judged(layers: Vec<LayerActivity>) -> (usize, usize) {
        let activity = Activity {
            layers,
            examples: 10,
            ..Activity::default()
        };
        let ranker = ranker(&spec(), 0.5);
        let alarms = alarms(&ranker, &Outcomes::default(), Some(&activity));
        (alarms.len(), weak_layers(Some(&activity)).len())
    }

    #[test]
    fn a_dead_layer_of_shared_units_or_a_tower_is_an_alarm_and_a_weak_one_a_word() {
        assert_eq!(judged(vec![layer(None, [1, 2, 3, 0])]), (0, 0));
        assert_eq!(judged(vec![layer(None, [1, 2, 0, 0])]), (0, 1));
        assert_eq!(judged(vec![layer(None, [0; 4])]), (1, 0));
    }

    #[test]
    fn half_of_the_experts_may_not_die() {
        let alive = |expert| layer(Some(expert), [1; 4]);
        assert_eq!(judged(vec![layer(Some(0), [0; 4]), alive(1), alive(2)]), (0, 1));
        assert_eq!(judged(vec![layer(Some(0), [0; 4]), alive(1)]), (1, 1));
    }
}
