//! All routes on one screen.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post, put};

use crate::guard::loopback_only;
use crate::problem::MAX_BODY;
use crate::{Problem, Service, page, routes};

/// The routes of a service.
pub fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/", get(page::show))
        .route("/v1/rank", post(routes::rank::post))
        .route("/v1/slates", post(routes::slates::post))
        .route("/v1/feedback", post(routes::feedback::post))
        .route("/v1/items", put(routes::catalogue::put_items))
        .route("/v1/users", put(routes::catalogue::put_users))
        .route("/v1/score", get(routes::score::get).put(routes::score::put))
        .route("/v1/models", get(routes::models::list))
        .route("/v1/models/rollback", post(routes::models::rollback))
        .route("/v1/models/{version}/promote", post(routes::models::promote))
        .route("/v1/clock", put(routes::clock::put))
        .route("/healthz", get(routes::health::alive))
        .route("/readyz", get(routes::health::ready))
        .method_not_allowed_fallback(async || {
            Problem::not_allowed(
                "the path does not take this method; header `allow` lists those that it takes",
            )
        })
        .fallback(async || Problem::not_found("no such route; the page at `/` and the README list them"))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn(loopback_only))
        .with_state(service)
}
