//! Answers that are no success: `application/problem+json` that says what was found and what to do (RFC 9457).

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;

/// Largest request body in bytes.
pub(crate) const MAX_BODY: usize = 4 << 20;

/// A problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    detail: String,
}

impl Problem {
    /// 400: the body is not the JSON that the route takes.
    pub fn malformed(detail: impl Into<String>) -> Problem {
        Problem {
            status: StatusCode::BAD_REQUEST,
            detail: detail.into(),
        }
    }

    /// 403: not from there.
    pub fn forbidden(detail: impl Into<String>) -> Problem {
        Problem {
            status: StatusCode::FORBIDDEN,
            detail: detail.into(),
        }
    }

    /// 404: no such thing.
    pub fn not_found(detail: impl Into<String>) -> Problem {
        Problem {
            status: StatusCode::NOT_FOUND,
            detail: detail.into(),
        }
    }

    /// 405: not with this method.
    pub fn not_allowed(detail: impl Into<String>) -> Problem {
        Problem {
            status: StatusCode::METHOD_NOT_ALLOWED,
            detail: detail.into(),
        }
    }

    /// 409: not in this state.
    pub fn conflict(detail: impl Into<String>) -> Problem {
        Problem {
            status: StatusCode::CONFLICT,
            detail: detail.into(),
        }
    }

    /// 413: more than the limit.
    pub fn too_large(detail: impl Into<String>) -> Problem {
        Problem {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            detail: detail.into(),
        }
    }

    /// 422: well-formed, but a value cannot be used.
    pub fn unusable(detail: impl Into<String>) -> Problem {
        Problem {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            detail: detail.into(),
        }
    }

    /// 503: not now.
    pub fn unavailable(detail: impl Into<String>) -> Problem {
        Problem {
            status: StatusCode::SERVICE_UNAVAILABLE,
            detail: detail.into(),
        }
    }
}

impl Problem {
    /// The same problem, saying of what.
    pub(crate) fn within(mut self, place: &str) -> Problem {
        self.detail = format!("{place}: {}", self.detail);
        self
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.detail)
    }
}

impl From<events::EventsError> for Problem {
    /// A store that cannot write: nothing was acknowledged.
    fn from(error: events::EventsError) -> Problem {
        if error.is_bad_input() {
            Problem::unusable(error.to_string())
        } else {
            Problem::unavailable(error.to_string())
        }
    }
}

impl From<model::ModelError> for Problem {
    fn from(error: model::ModelError) -> Problem {
        Problem::unavailable(error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::json!({
            "title": self.status.canonical_reason(),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        (
            self.status,
            [(header::CONTENT_TYPE, "application/problem+json")],
            body.to_string(),
        )
            .into_response()
    }
}

/// A JSON body; what does not parse is answered with its line and column.
pub(crate) struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Ok(Body(parse(&read(request, state).await?)?))
    }
}

/// A JSON body that is one object, or a list of them.
pub(crate) struct OneOrMany<T>(pub Vec<T>);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for OneOrMany<T> {
    type Rejection = Problem;

    /// The first byte decides, so that an error speaks of the one shape that was meant.
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = read(request, state).await?;
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        Ok(OneOrMany(if first == Some(&b'[') {
            parse(&bytes)?
        } else {
            vec![parse(&bytes)?]
        }))
    }
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Problem::too_large(format!(
                "body: at most {MAX_BODY} bytes are read; send it in parts"
            ))
        } else {
            Problem::malformed(format!("body: it ended early: {}", rejection.body_text()))
        }
    })
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| Problem::malformed(format!("body: {error}")))
}

/// Runs work that blocks (the store, the network's arithmetic) off the threads that answer connections.
pub(crate) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(Problem::unavailable(format!(
            "the request's work ended early: {error}"
        )))
    })
}
