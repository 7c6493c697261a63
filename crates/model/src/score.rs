//! The score: weighted multiplication of predictions, `prod_k p_k^w_k` (YT section 4.2; the form is PLE's equation 1).
//!
//! In: predictions of a request's candidates. Out: the order in which they are shown.

use std::collections::BTreeMap;

use spec::{Loss, Spec};

/// Predictions below it count as it, so that a logarithm exists.
const FLOOR: f64 = 1e-6;
/// Weights are within this on either side.
const LARGEST_WEIGHT: f64 = 100.0;

/// One weight per objective, in the spec's order.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreWeights {
    weights: Vec<f64>,
    binary: Vec<bool>,
}

/// One candidate in the order shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked {
    /// Index of the candidate as given.
    pub candidate: usize,
    /// Its score.
    pub score: f64,
}

impl ScoreWeights {
    /// The weights that the spec declares.
    pub fn of(spec: &Spec) -> ScoreWeights {
        let binary = spec
            .objectives
            .iter()
            .map(|objective| objective.loss == Loss::Binary)
            .collect();
        ScoreWeights {
            weights: spec.score.clone(),
            binary,
        }
    }

    /// The weights by objective name; objectives left out have weight 0.
    ///
    /// # Errors
    /// Says which name is unknown or which weight cannot be used, and what is expected.
    pub fn from_names(spec: &Spec, named: &BTreeMap<String, f64>) -> Result<ScoreWeights, String> {
        let mut score = ScoreWeights::of(spec);
        score.weights.fill(0.0);
        for (name, &weight) in named {
            let Some(objective) = spec.objective(name) else {
                let known: Vec<_> = spec
                    .objectives
                    .iter()
                    .map(|objective| objective.name.as_str())
                    .collect();
                return Err(format!("unknown objective `{name}`; known: {}", known.join(", ")));
            };
            // A weight that is no number is in no range.
            if !(-LARGEST_WEIGHT..=LARGEST_WEIGHT).contains(&weight) {
                return Err(format!(
                    "weight of `{name}` is {weight}; expected a number from -{LARGEST_WEIGHT} to {LARGEST_WEIGHT}"
                ));
            }
            let declared = &spec.objectives[objective];
            if declared.loss == Loss::Squared && declared.clip.is_none_or(|(lo, _)| lo < 0.0) {
                return Err(format!(
                    "`{name}` cannot be in the score: its prediction may be negative; give it `clip = [lo, hi]` with lo >= 0"
                ));
            }
            score.weights[objective] = weight;
        }
        if score.weights.iter().all(|&weight| weight == 0.0) {
            return Err("all weights are 0; expected at least one objective to sort by".to_owned());
        }
        Ok(score)
    }

    /// The weights by objective name, without zeros.
    pub fn to_names(&self, spec: &Spec) -> BTreeMap<String, f64> {
        let named = spec
            .objectives
            .iter()
            .zip(&self.weights)
            .filter(|(_, weight)| **weight != 0.0);
        named
            .map(|(objective, &weight)| (objective.name.clone(), weight))
            .collect()
    }

    /// The score of one candidate's predictions: `exp(sum_k w_k ln p_k)`; a negative weight on a binary objective
    /// counts `(1 - p)^|w|`. At most the largest finite number: to order by, take [`ScoreWeights::log_score`].
    pub fn combine(&self, predictions: &[f32]) -> f64 {
        self.log_score(predictions).exp().min(f64::MAX)
    }

    /// The score's logarithm, which neither overflows nor underflows: what candidates are ordered by.
    pub fn log_score(&self, predictions: &[f32]) -> f64 {
        let mut sum = 0.0;
        for ((&weight, &binary), &prediction) in self.weights.iter().zip(&self.binary).zip(predictions) {
            let prediction = f64::from(prediction);
            let (weight, prediction) = if binary && weight < 0.0 {
                (-weight, 1.0 - prediction)
            } else {
                (weight, prediction)
            };
            if weight != 0.0 {
                sum += weight * prediction.max(FLOOR).ln();
            }
        }
        sum
    }

    /// Orders candidates by falling score; ties by item id.
    pub fn rank(&self, items: &[&str], predictions: &crate::Predictions) -> Vec<Ranked> {
        let mut order: Vec<(f64, Ranked)> = (0..items.len())
            .map(|candidate| {
                let row = predictions.row(candidate);
                let score = self.combine(&row);
                (self.log_score(&row), Ranked { candidate, score })
            })
            .collect();
        order.sort_by(|(a, first), (b, second)| {
            b.total_cmp(a)
                .then_with(|| items[first.candidate].cmp(items[second.candidate]))
        });
        order.into_iter().map(|(_, ranked)| ranked).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Predictions;

    #[test]
    fn a_negative_weight_counts_the_chance_that_it_does_not_happen() {
        let score = ScoreWeights {
            weights: vec![1.0, -0.5],
            binary: vec![true, true],
        };
        let expected = 0.5 * (1.0f64 - 0.75).sqrt();
        assert!((score.combine(&[0.5, 0.75]) - expected).abs() < 1e-12);
    }

    #[test]
    fn a_prediction_of_zero_is_floored_and_a_zero_weight_counts_nothing() {
        let score = ScoreWeights {
            weights: vec![1.0, 0.0],
            binary: vec![true, true],
        };
        assert!((score.combine(&[0.0, 0.0]) - 1e-6).abs() < 1e-18);
    }

    #[test]
    fn scores_too_small_or_too_large_for_a_number_are_still_ordered_and_stay_finite() {
        for (weight, expected) in [(100.0, [1, 2, 0]), (-100.0, [0, 2, 1])] {
            let score = ScoreWeights {
                weights: vec![weight],
                binary: vec![false],
            };
            let values = vec![vec![1e-6, 3e-6, 2e-6]];
            let predictions = Predictions {
                logits: values.clone(),
                values,
            };
            let ranked = score.rank(&["a", "b", "c"], &predictions);
            assert!(ranked.iter().all(|ranked| ranked.score.is_finite()));
            let order: Vec<_> = ranked.iter().map(|ranked| ranked.candidate).collect();
            assert_eq!(order, expected);
        }
    }

    #[test]
    fn a_weight_beyond_a_hundred_or_that_is_no_number_is_refused() {
        let spec = crate::testing::spec_with(crate::testing::BOTTOMS[0]);
        for weight in [100.5, -1e9, f64::NAN, f64::INFINITY] {
            let named = BTreeMap::from([("click".to_owned(), weight)]);
            let message = ScoreWeights::from_names(&spec, &named).unwrap_err();
            assert!(message.contains("from -100 to 100"), "{message}");
        }
    }

    #[test]
    fn ties_are_ordered_by_item_id() {
        let score = ScoreWeights {
            weights: vec![1.0],
            binary: vec![true],
        };
        let predictions = Predictions {
            logits: vec![vec![0.0; 4]],
            values: vec![vec![0.2, 0.5, 0.2, 0.2]],
        };
        let order: Vec<_> = score
            .rank(&["c", "z", "a", "b"], &predictions)
            .iter()
            .map(|ranked| ranked.candidate)
            .collect();
        assert_eq!(order, [1, 2, 3, 0]);
    }
}
