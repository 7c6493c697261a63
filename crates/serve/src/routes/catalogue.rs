//! `PUT /v1/items` and `PUT /v1/users`: upserts fields in batches; answered once they are durable.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use events::Entity;
use serde::Serialize;

use crate::problem::{Body, off_thread};
use crate::{Problem, Service};

#[derive(Serialize)]
pub(crate) struct Upserted {
    stored: usize,
}

pub(crate) async fn put_items(
    State(service): State<Arc<Service>>,
    Body(entities): Body<Vec<Entity>>,
) -> Result<Json<Upserted>, Problem> {
    let answer = off_thread(move || {
        check(&entities)?;
        // Held over the write, so that memory and disk see concurrent upserts in the same order.
        let mut catalogue = service.catalogue_mut();
        service.state.upsert_items(&entities)?;
        let stored = entities.len();
        entities
            .into_iter()
            .for_each(|entity| catalogue.upsert_item(entity));
        Ok(Upserted { stored })
    });
    answer.await.map(Json)
}

pub(crate) async fn put_users(
    State(service): State<Arc<Service>>,
    Body(entities): Body<Vec<Entity>>,
) -> Result<Json<Upserted>, Problem> {
    let answer = off_thread(move || {
        check(&entities)?;
        let mut catalogue = service.catalogue_mut();
        service.state.upsert_users(&entities)?;
        let stored = entities.len();
        entities
            .into_iter()
            .for_each(|entity| catalogue.upsert_user(entity));
        Ok(Upserted { stored })
    });
    answer.await.map(Json)
}

fn check(entities: &[Entity]) -> Result<(), Problem> {
    match entities.iter().position(|entity| entity.id.is_empty()) {
        Some(at) => Err(Problem::unusable(format!("entry {at} has an empty `id`"))),
        None => Ok(()),
    }
}
