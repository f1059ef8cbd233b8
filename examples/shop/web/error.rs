//! Errors of the HTTP interface, and the responses that they become.

use crate::orders::InvalidOrder;
use crate::store::BoxError;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Why a request failed.
#[derive(Debug)]
pub(super) enum ApiError {
    /// The shop does not accept the order.
    InvalidOrder(InvalidOrder),
    /// No order has this number.
    OrderNotFound(i64),
    /// The database or the queue cannot be used.
    Internal(BoxError),
}

/// The body of these responses.
#[derive(Serialize)]
struct Body {
    error: String,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, error) = match self {
            Self::InvalidOrder(error) => (StatusCode::BAD_REQUEST, error.to_string()),
            Self::OrderNotFound(id) => (StatusCode::NOT_FOUND, format!("there is no order {id}")),
            Self::Internal(error) => internal(&*error),
        };
        (status, Json(Body { error })).into_response()
    }
}

/// The details of internal errors are logged, and not sent to the client.
fn internal(error: &dyn std::error::Error) -> (StatusCode, String) {
    tracing::error!(%error, "a request failed");
    (StatusCode::INTERNAL_SERVER_ERROR, "the shop has a problem; try again later".to_owned())
}

impl From<InvalidOrder> for ApiError {
    fn from(error: InvalidOrder) -> Self {
        Self::InvalidOrder(error)
    }
}

impl From<BoxError> for ApiError {
    fn from(error: BoxError) -> Self {
        Self::Internal(error)
    }
}
