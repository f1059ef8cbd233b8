//! The HTTP interface.

mod error;
mod serve;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use tina4_service::{ControlError, Res};
use tokio::task;

use crate::health::{Health, ServiceSummary};
use crate::orders::{Order, OrderForm};
use crate::store::Store;
use crate::visits::VisitCounter;
use error::ApiError;
pub(crate) use serve::serve;

/// The maximum size of a request body, in bytes; orders are small.
const MAX_BODY_SIZE: usize = 16 * 1024;

/// The routes of the shop.
pub(crate) fn routes(store: Res<Store>, visits: Res<VisitCounter>) -> Router {
    Router::new()
        .route("/orders", post(place_order))
        .route("/orders/{id}", get(show_order))
        .route("/health", get(health))
        .route("/services", get(list_services))
        .layer(middleware::from_fn_with_state(visits, count_visit))
        .layer(DefaultBodyLimit::max(MAX_BODY_SIZE))
        .with_state(store)
}

async fn count_visit(
    State(visits): State<Res<VisitCounter>>,
    request: Request,
    next: Next,
) -> Response {
    visits.record();
    next.run(request).await
}

type Created = (StatusCode, [(HeaderName, String); 1], Json<Order>);

async fn place_order(State(store): State<Res<Store>>, body: Bytes) -> Result<Created, ApiError> {
    let order = OrderForm::parse(&body)?;
    let order = task::spawn_blocking(move || store.place(&order)).await??;
    wake_email_consumer();
    let location = format!("/orders/{}", order.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(order)))
}

/// Requests a run, so that the new email does not wait for up to 2 s.
fn wake_email_consumer() {
    match tina4_service::run_now("email_consumer") {
        // While it is busy, it polls for more emails anyway.
        Ok(()) | Err(ControlError::Busy { .. }) => {}
        Err(error) => {
            tracing::warn!(%error, "cannot wake the mail service; the email waits for the next run")
        }
    }
}

async fn show_order(
    State(store): State<Res<Store>>,
    Path(id): Path<i64>,
) -> Result<Json<Order>, ApiError> {
    let order = task::spawn_blocking(move || store.order(id)).await??;
    order.map(Json).ok_or(ApiError::OrderNotFound(id))
}

async fn health() -> (StatusCode, Json<Health>) {
    let health = Health::of(&tina4_service::services());
    let code = if health.healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(health))
}

async fn list_services() -> Json<Vec<ServiceSummary>> {
    Json(tina4_service::services().into_iter().map(ServiceSummary::from).collect())
}
