//! One logged request as a ranker sees it: what its candidates score by, and what each is worth at each position.

use std::sync::Arc;

use events::{ExampleBuilder, ExampleRow, Examples, Fields, Slate, Value};
use model::{Positions, Predictions, Ranker, ScoreWeights};
use spec::{Expression, Input, Spec};

use crate::TrainError;

/// What a slate is to bring: an expression over objectives and number fields of an item, such as
/// `watch * duration_ms / 60000 + 4 * like`. An objective stands for its expected label; one with `given` for that times the
/// chance that the given label is 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Reward {
    text: String,
    expression: Expression,
}

impl Reward {
    /// Parses `text`.
    ///
    /// # Errors
    /// Where it does not parse, or names what `spec` has neither as an objective nor as a number field of an item.
    pub fn parse(spec: &Spec, text: &str) -> Result<Reward, TrainError> {
        let expression = Expression::parse(text)
            .map_err(|(at, message)| TrainError::Data(format!("reward `{text}`, byte {at}: {message}")))?;
        for input in expression.inputs() {
            let name = input.name();
            let known = matches!(input, Input::Number(_))
                && (spec.objective(name).is_some() || is_item_number(spec, name));
            if !known {
                let names: Vec<&str> = spec
                    .objectives
                    .iter()
                    .map(|objective| objective.name.as_str())
                    .chain(
                        spec.fields
                            .iter()
                            .map(|field| field.name.as_str())
                            .filter(|name| is_item_number(spec, name)),
                    )
                    .collect();
                return Err(TrainError::Data(format!(
                    "reward `{text}`: `{name}` is neither an objective nor a number field of an item; known: {}",
                    names.join(", ")
                )));
            }
        }
        Ok(Reward {
            text: text.to_owned(),
            expression,
        })
    }

    /// As typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its value for one candidate at one position; `labels` are the expected ones. A missing field counts as not observed, and
    /// the reward as 0.
    fn value(&self, spec: &Spec, labels: &[f64], fields: &Fields) -> f64 {
        let mut look = |input: Input| match (spec.objective(input.name()), fields.get(input.name())) {
            (Some(objective), _) => labels.get(objective).copied(),
            (None, Some(Value::Number(number))) => Some(*number),
            _ => None,
        };
        self.expression.evaluate(&mut look).unwrap_or(0.0)
    }
}

fn is_item_number(spec: &Spec, name: &str) -> bool {
    spec.field(name).is_some_and(|at| {
        let field = &spec.fields[at];
        field.side == spec::Side::Item
            && matches!(field.kind, spec::Kind::Number { .. } | spec::Kind::Buckets { .. })
    })
}

/// Logged requests with all of their candidates, as a ranker sees them.
#[derive(Debug)]
pub struct Candidates {
    pub(super) spec: Arc<Spec>,
    pub(super) reward: Reward,
    /// Index of the objective on the engagement axis.
    pub(super) engagement: usize,
    pub(super) requests: Vec<Request>,
}

impl Candidates {
    /// None yet. The engagement axis is the first objective with a shallow logit, else the first one.
    pub fn new(ranker: &Ranker, reward: Reward) -> Candidates {
        let spec = ranker.spec().clone();
        let engagement = spec
            .bias
            .as_ref()
            .and_then(|bias| bias.objectives.first())
            .copied()
            .unwrap_or(0);
        Candidates {
            spec,
            reward,
            engagement,
            requests: Vec::new(),
        }
    }

    /// How many requests there are.
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// Adds a logged slate, where it has its candidate set and shows anything.
    ///
    /// # Errors
    /// A value that the declaration does not allow.
    pub fn add(&mut self, ranker: &Ranker, slate: &Slate) -> Result<(), TrainError> {
        let Some(candidates) = &slate.candidates else {
            return Ok(());
        };
        let shown = slate.impressions.len().min(candidates.len());
        if shown == 0 {
            return Ok(());
        }
        let examples = examples(&self.spec, slate)?;
        let batch = ranker.encoder.encode(&examples);
        let fields = candidates.iter().map(|candidate| &candidate.fields);
        let served = ranker.predict(&batch, Positions::Served);
        let mut worth = vec![Vec::with_capacity(candidates.len()); shown];
        for (position, worth) in (1..).zip(&mut worth) {
            let at = ranker.predict(&batch, Positions::At(position));
            worth.extend(fields.clone().enumerate().map(|(row, fields)| {
                let labels = expected(&self.spec, &at, row);
                [
                    labels[self.engagement] as f32,
                    self.reward.value(&self.spec, &labels, fields) as f32,
                ]
            }));
        }
        self.requests.push(Request {
            items: candidates
                .iter()
                .map(|candidate| candidate.item.clone())
                .collect(),
            served: (0..candidates.len()).map(|row| served.row(row)).collect(),
            worth,
        });
        Ok(())
    }
}

/// The expected label of each objective: its prediction, times the chance of what it is given.
fn expected(spec: &Spec, at: &Predictions, row: usize) -> Vec<f64> {
    let predicted: Vec<f64> = at.values.iter().map(|values| f64::from(values[row])).collect();
    let mut labels = predicted.clone();
    for (objective, label) in spec.objectives.iter().zip(&mut labels) {
        let mut given = objective.given;
        while let Some(of) = given {
            *label *= predicted[of];
            given = spec.objectives[of].given;
        }
    }
    labels
}

/// The candidates as examples without labels and positions.
fn examples(spec: &Spec, slate: &Slate) -> Result<Examples, TrainError> {
    let mut builder = ExampleBuilder::new(spec);
    let labels = vec![None; spec.objectives.len()];
    for candidate in slate.candidates.iter().flatten() {
        builder.push(&ExampleRow {
            key: 0,
            time: slate.time,
            user: &slate.user,
            item: &candidate.item,
            slate: Some(&slate.id),
            position: None,
            shuffled: false,
            query: slate.query.as_deref(),
            shared: &slate.shared,
            fields: &candidate.fields,
            labels: &labels,
        })?;
    }
    Ok(builder.finish())
}

/// One request.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// Per candidate.
    pub(super) items: Vec<String>,
    /// Per candidate, per objective: what the score is made of.
    pub(super) served: Vec<Vec<f32>>,
    /// `[positions][candidates]`: expected engagement and reward.
    pub(super) worth: Vec<Vec<[f32; 2]>>,
}

impl Request {
    /// The candidates that a weighting shows, in order; ties by item id, as served.
    pub(super) fn slate(&self, score: &ScoreWeights) -> Vec<usize> {
        let scores: Vec<f64> = self.served.iter().map(|row| score.log_score(row)).collect();
        let mut order: Vec<usize> = (0..scores.len()).collect();
        let better = |&a: &usize, &b: &usize| {
            scores[b]
                .total_cmp(&scores[a])
                .then_with(|| self.items[a].cmp(&self.items[b]))
        };
        let shown = self.worth.len();
        if shown < order.len() {
            order.select_nth_unstable_by(shown, better);
            order.truncate(shown);
        }
        order.sort_by(better);
        order
    }

    /// Engagement and reward of a slate.
    pub(super) fn worth(&self, order: &[usize]) -> [f64; 2] {
        let mut sums = [0.0; 2];
        for (worth, &candidate) in self.worth.iter().zip(order) {
            let [engagement, reward] = worth[candidate];
            sums = [sums[0] + f64::from(engagement), sums[1] + f64::from(reward)];
        }
        sums
    }
}
