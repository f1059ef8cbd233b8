//! HTTP: which request does what.

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

use crate::health::{Health, Listed};
use crate::orders::{Order, OrderForm};
use crate::store::Store;
use crate::visits::Tally;
use error::Problem;
pub(crate) use serve::serve;

/// An order is small; what is larger is not one.
const LARGEST_BODY: usize = 16 * 1024;

/// All requests that are understood.
pub(crate) fn routes(store: Res<Store>, tally: Res<Tally>) -> Router {
    Router::new()
        .route("/orders", post(place_order))
        .route("/orders/{id}", get(show_order))
        .route("/health", get(health))
        .route("/services", get(list_services))
        .layer(middleware::from_fn_with_state(tally, count_visit))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(store)
}

async fn count_visit(State(tally): State<Res<Tally>>, request: Request, next: Next) -> Response {
    tally.visit();
    next.run(request).await
}

type Created = (StatusCode, [(HeaderName, String); 1], Json<Order>);

async fn place_order(State(store): State<Res<Store>>, body: Bytes) -> Result<Created, Problem> {
    let order = OrderForm::read(&body)?;
    let order = task::spawn_blocking(move || store.place(&order)).await??;
    wake_the_postman();
    let place = format!("/orders/{}", order.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(order)))
}

/// Saves the new mail the wait of up to 2 s.
fn wake_the_postman() {
    match tina4_service::run_now("email_consumer") {
        // If it is busy, it looks for more by itself.
        Ok(()) | Err(ControlError::Busy { .. }) => {}
        Err(error) => tracing::warn!(%error, "the mail waits"),
    }
}

async fn show_order(
    State(store): State<Res<Store>>,
    Path(id): Path<i64>,
) -> Result<Json<Order>, Problem> {
    let order = task::spawn_blocking(move || store.order(id)).await??;
    order.map(Json).ok_or(Problem::NoSuchOrder(id))
}

async fn health() -> (StatusCode, Json<Health>) {
    let health = Health::of(&tina4_service::services());
    let code = if health.healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(health))
}

async fn list_services() -> Json<Vec<Listed>> {
    Json(tina4_service::services().into_iter().map(Listed::from).collect())
}
