//! `PUT /v1/items` and `PUT /v1/users`: upserts fields in batches; answered once they are durable.

use std::sync::{Arc, PoisonError};

use axum::Json;
use axum::extract::State;
use events::{Catalogue, Entity, EventsError, Value, check_value, time_of};
use serde::Serialize;
use spec::{Field, Side, Source, Spec};

use crate::names::{Known, Warnings};
use crate::problem::{Body, off_thread};
use crate::{Problem, Service};

#[derive(Serialize)]
pub(crate) struct Upserted {
    stored: usize,
    /// Attributes that no field reads, most likely by mistake.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// What tells items and users apart.
struct Table {
    /// Sides whose fields read its attributes.
    sides: &'static [Side],
    write: fn(&events::State, &[Entity]) -> Result<(), EventsError>,
    apply: fn(&mut Catalogue, Entity),
}

const ITEMS: Table = Table {
    sides: &[Side::Item, Side::Query],
    write: events::State::upsert_items,
    apply: Catalogue::upsert_item,
};
const USERS: Table = Table {
    sides: &[Side::User],
    write: events::State::upsert_users,
    apply: Catalogue::upsert_user,
};

pub(crate) async fn put_items(
    State(service): State<Arc<Service>>,
    Body(entities): Body<Vec<Entity>>,
) -> Result<Json<Upserted>, Problem> {
    off_thread(move || upsert(&service, &ITEMS, entities))
        .await
        .map(Json)
}

pub(crate) async fn put_users(
    State(service): State<Arc<Service>>,
    Body(entities): Body<Vec<Entity>>,
) -> Result<Json<Upserted>, Problem> {
    off_thread(move || upsert(&service, &USERS, entities))
        .await
        .map(Json)
}

fn upsert(service: &Service, table: &Table, entities: Vec<Entity>) -> Result<Upserted, Problem> {
    let spec = service.declaration();
    for (at, entity) in entities.iter().enumerate() {
        if entity.id.is_empty() {
            return Err(Problem::unusable(format!("entry {at} has an empty `id`")));
        }
        for (attribute, value) in &entity.fields {
            check(spec.as_deref(), table.sides, attribute, value)
                .map_err(|problem| problem.within(&format!("entry `{}`", entity.id)))?;
        }
    }
    let warnings = spec.map_or_else(Vec::new, |spec| warnings(&spec, table.sides, &entities));
    let _one = service.upserts.lock().unwrap_or_else(PoisonError::into_inner);
    (table.write)(&service.state, &entities)?;
    let stored = entities.len();
    // Only now is ranking kept out: it does not wait for the disk.
    let mut catalogue = service.catalogue_mut();
    for entity in entities {
        (table.apply)(&mut catalogue, entity);
    }
    Ok(Upserted { stored, warnings })
}

/// Whether a value can be kept, and is what every field that reads it is declared to be.
fn check(spec: Option<&Spec>, sides: &[Side], attribute: &str, value: &Value) -> Result<(), Problem> {
    if !value.is_finite() {
        return Err(Problem::unusable(format!(
            "field `{attribute}` holds a number that is not finite in f32"
        )));
    }
    let Some(spec) = spec else { return Ok(()) };
    for (at, field) in spec.fields.iter().enumerate() {
        if !sides.contains(&field.side) {
            continue;
        }
        match &field.source {
            Source::Given if field.attribute == attribute => check_value(spec, at, value)?,
            Source::Since { attribute: time } if time == attribute => check_time(field, attribute, value)?,
            Source::Part { of: Some(time), .. } if time == attribute => check_time(field, attribute, value)?,
            // The log and the clock read no attribute.
            _ => {}
        }
    }
    Ok(())
}

/// Whether a value is a time, as `field` reads it.
fn check_time(field: &Field, attribute: &str, value: &Value) -> Result<(), Problem> {
    if time_of(value).is_some() {
        return Ok(());
    }
    let found = match value {
        Value::Number(number) => format!("the number {number}"),
        Value::Text(text) => format!("the string `{}`", text.chars().take(40).collect::<String>()),
        Value::Numbers(_) | Value::Texts(_) => "a list".to_owned(),
        Value::Weights(_) => "an object".to_owned(),
    };
    Err(Problem::unusable(format!(
        "field `{}` reads `{attribute}`: found {found}, expected a time: ms since 1970, or a text as `2024-05-31T14:00:00Z`, \
         `2024-05-31 14:00:00` or `2024-05-31`",
        field.name
    )))
}

/// What `entities` hold that no field reads, most likely by mistake.
fn warnings(spec: &Spec, sides: &[Side], entities: &[Entity]) -> Vec<String> {
    let known = Known::attributes(spec, sides);
    let mut warnings = Warnings::of(&known);
    for entity in entities {
        for attribute in entity.fields.keys() {
            warnings.look(attribute, || format!("entry `{}`", entity.id));
        }
    }
    warnings.finish()
}
