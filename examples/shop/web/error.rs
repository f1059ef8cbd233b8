//! Why a request is not answered as hoped, as an HTTP answer.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::task::JoinError;

use crate::orders::Refusal;

/// What is wrong: with the request, or with us.
#[derive(Debug)]
pub(super) enum Problem {
    /// The order is not one the shop accepts.
    Refused(Refusal),
    /// There is no such order.
    NoSuchOrder(i64),
    /// The database cannot be used.
    Database(rusqlite::Error),
    /// The work for the request panicked.
    Work(JoinError),
}

/// The body of every such answer.
#[derive(Serialize)]
struct Body {
    error: String,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, error) = match self {
            Self::Refused(refusal) => (StatusCode::BAD_REQUEST, refusal.to_string()),
            Self::NoSuchOrder(id) => (StatusCode::NOT_FOUND, format!("there is no order {id}")),
            Self::Database(error) => ours(&error),
            Self::Work(error) => ours(&error),
        };
        (status, Json(Body { error })).into_response()
    }
}

/// Details of our own faults are for the log, not for the customer.
fn ours(error: &dyn std::error::Error) -> (StatusCode, String) {
    tracing::error!(%error, "a request failed");
    (StatusCode::INTERNAL_SERVER_ERROR, "the shop has a problem; try again later".to_owned())
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl From<JoinError> for Problem {
    fn from(error: JoinError) -> Self {
        Self::Work(error)
    }
}
