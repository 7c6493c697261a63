//! Labels over the entire space (ESMM: Ma et al., SIGIR 2018): whether something happened together with all of its conditions.
//!
//! In: encoded labels, of which a conditional one is observed only where its condition's is 1. Out: a label for every impression
//! whose conditions are observed.

use spec::Objective;

use crate::Encoded;

/// The objective `at`, its condition, that one's condition, and so on.
pub(super) fn chain(objectives: &[Objective], at: usize) -> impl Iterator<Item = usize> + Clone {
    std::iter::successors(Some(at), |at| objectives[*at].given)
}

/// Writes the labels of `at` together with its conditions: 0 where a condition's label is not 1, else its own label; not observed
/// where that cannot be told.
pub(super) fn write_targets(objectives: &[Objective], at: usize, batch: &Encoded, targets: &mut Vec<f32>) {
    targets.clear();
    targets.extend((0..batch.len).map(|row| joint(objectives, at, batch, row)));
}

fn joint(objectives: &[Objective], at: usize, batch: &Encoded, row: usize) -> f32 {
    let own = batch.labels[at][row];
    let Some(given) = objectives[at].given else {
        return own;
    };
    let condition = joint(objectives, given, batch, row);
    match condition {
        1.0 => own,
        _ if condition.is_nan() => f32::NAN,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{parsed, spec_of_entire_space};

    const NONE: f32 = f32::NAN;

    #[test]
    fn what_did_not_happen_is_told_by_the_first_condition_that_did_not() {
        let spec = parsed(spec_of_entire_space());
        let batch = Encoded {
            len: 7,
            labels: vec![
                vec![0.0, 1.0, 1.0, 1.0, 1.0, NONE, 0.5],
                vec![NONE, 0.0, 1.0, 1.0, NONE, NONE, NONE],
                vec![NONE, NONE, 0.0, 1.0, NONE, NONE, NONE],
            ],
            ..Encoded::default()
        };
        let targets = |at| {
            let mut targets = vec![7.0];
            write_targets(&spec.objectives, at, &batch, &mut targets);
            targets
                .iter()
                .map(|target| target.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(targets(1), ["0", "0", "1", "1", "NaN", "NaN", "0"]);
        assert_eq!(targets(2), ["0", "0", "0", "1", "NaN", "NaN", "0"]);
        assert_eq!(chain(&spec.objectives, 2).collect::<Vec<_>>(), [2, 1, 0]);
    }
}
