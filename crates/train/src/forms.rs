//! `[bias] form = "auto"`: which form the labels are likelier under, and nothing else, is chosen by held-out examples.
//!
//! In: a declaration; what each of its forms came to. Out: the declarations to try, and a [`FormChoice`].

use std::sync::Arc;

use spec::{BiasForm, Spec};

use crate::{Evaluation, TrainError};

/// Which form of bias was chosen, and by how much.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct FormChoice {
    /// The word of the form that was kept.
    pub form: String,
    /// The word of the other one.
    pub other: String,
    /// How much likelier the held-out labels of the biased objectives are under the kept form, with logged positions: nats for each
    /// 1,000 impressions, from 0.
    pub nats_per_1000: f64,
}

impl std::fmt::Display for FormChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let FormChoice {
            form,
            other,
            nats_per_1000,
        } = self;
        write!(
            f,
            "form {form}: held-out labels are likelier than with {other}, by {nats_per_1000:.2} nats per 1,000 impressions"
        )
    }
}

/// The declarations to train of `spec`: itself, or each form that `auto` may become, each of which says so in its text.
///
/// # Errors
/// None that a valid declaration has.
pub(crate) fn to_try(spec: &Arc<Spec>) -> Result<Vec<Arc<Spec>>, TrainError> {
    match &spec.bias {
        Some(bias) if bias.form == BiasForm::Auto => [BiasForm::Additive, BiasForm::Product]
            .into_iter()
            .map(|form| {
                let spec = spec.with_form(form);
                spec.map(Arc::new)
                    .map_err(|error| TrainError::Data(error.to_string()))
            })
            .collect(),
        _ => Ok(vec![spec.clone()]),
    }
}

/// Whether the second of two is kept, and what is said of the choice. A tie goes to the first.
pub(crate) fn choose(specs: [&Spec; 2], held_out: [&Evaluation; 2]) -> (bool, FormChoice) {
    let word = |of: usize| {
        specs[of]
            .bias
            .as_ref()
            .map_or("none", |bias| bias.form.word())
            .to_owned()
    };
    let losses = [0, 1].map(|of| loss(specs[of], held_out[of]));
    let second = losses[1] < losses[0];
    let (kept, other) = if second { (1, 0) } else { (0, 1) };
    let choice = FormChoice {
        form: word(kept),
        other: word(other),
        nats_per_1000: 1000.0 * (losses[other] - losses[kept]),
    };
    (second, choice)
}

/// Cross-entropy of the biased objectives, summed over them, per impression.
fn loss(spec: &Spec, held_out: &Evaluation) -> f64 {
    let biased = spec.bias.iter().flat_map(|bias| &bias.objectives);
    biased
        .filter_map(|&objective| held_out.objectives.get(objective)?.loss)
        .sum()
}
