//! What the model in service predicts for examples that were joined for a challenger, also where their declarations differ.

use events::{ExampleBuilder, ExampleRow, Examples};
use model::{Positions, Ranker};
use spec::{Kind, Objective, Side, Spec};

use super::Values;

/// Predictions of `serving` per objective of the challenger's declaration `spec`, whose examples `held` are.
pub(super) fn values(spec: &Spec, serving: &Ranker, held: &Examples) -> Vec<Values> {
    let own = if serving.spec().text == spec.text {
        Ok(held.clone())
    } else {
        of_declaration(serving.spec(), spec, held)
    };
    let predicted = own.map(|examples| serving.predict_examples(&examples, Positions::Logged).values);
    let values = spec.objectives.iter().map(|objective| {
        let same = |theirs: &Objective| {
            theirs.name == objective.name && theirs.loss == objective.loss && theirs.clip == objective.clip
        };
        let at = serving.spec().objectives.iter().position(same);
        let at = at.ok_or("not comparable: the serving model has no such objective")?;
        predicted
            .as_ref()
            .map(|values| values[at].clone())
            .map_err(Clone::clone)
    });
    values.collect()
}

/// `held`, whose declaration is `spec`, as examples of the declaration `theirs`, without labels; or why it cannot be.
fn of_declaration(theirs: &Spec, spec: &Spec, held: &Examples) -> Result<Examples, String> {
    let asked = theirs.fields.iter().filter(|field| field.side != Side::Pair);
    for field in asked {
        let found = spec.fields.iter().find(|ours| {
            ours.name == field.name && ours.side == field.side && same_kind(&ours.kind, &field.kind)
        });
        if found.is_none() {
            let name = &field.name;
            return Err(format!(
                "not comparable: fields differ, the serving model reads `{name}`"
            ));
        }
    }
    let mut builder = ExampleBuilder::new(theirs);
    let labels = vec![None; theirs.objectives.len()];
    for row in 0..held.len() {
        let (shared, fields) = held.to_slate_fields(spec, row);
        let query = shared.get(&theirs.keys.query).and_then(|query| match query {
            events::Value::Text(id) => Some(id.as_str()),
            _ => None,
        });
        let position = held.positions();
        let pushed = builder.push(&ExampleRow {
            key: held.keys()[row],
            time: held.times()[row],
            user: held.users().value(row),
            item: held.items().value(row),
            slate: None,
            position: arrow_array::Array::is_valid(position, row).then(|| position.value(row)),
            shuffled: false,
            query,
            shared: &shared,
            fields: &fields,
            labels: &labels,
        });
        pushed.map_err(|error| format!("not comparable: {error}"))?;
    }
    Ok(builder.finish())
}

fn same_kind(ours: &Kind, theirs: &Kind) -> bool {
    match (ours, theirs) {
        (Kind::Vector { width: ours, .. }, Kind::Vector { width: theirs, .. }) => ours == theirs,
        _ => std::mem::discriminant(ours) == std::mem::discriminant(theirs),
    }
}
