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
use serde::Serialize;
use tina4_service::{DeadJob, DeadSelection, Queues, Res};
use tina4_service_console::Console;
use tokio::task;

use crate::mails::{MAILS, Mail};
use crate::orders::{Order, OrderForm};
use crate::store::{BoxError, Store};
use crate::visits::VisitCounter;
use error::ApiError;
pub(crate) use serve::serve;

/// The maximum size of a request body, in bytes; orders are small.
const MAX_BODY_SIZE: usize = 16 * 1024;

/// The most dead emails that are listed.
const MAX_DEAD: usize = 100;

/// What the handlers use.
#[derive(Clone)]
struct Shop {
    store: Res<Store>,
    queues: Res<Queues>,
}

/// The routes of the shop, and below `/ops/` the console of its services, whose requests are no visits.
pub(crate) fn routes(
    store: Res<Store>,
    queues: Res<Queues>,
    visits: Res<VisitCounter>,
    console: Console,
) -> Router {
    Router::new()
        .route("/orders", post(place_order))
        .route("/orders/{id}", get(show_order))
        .route("/mails/dead", get(list_dead_mails))
        .route("/mails/redrive", post(redrive_mails))
        .layer(middleware::from_fn_with_state(visits, count_visit))
        .layer(DefaultBodyLimit::max(MAX_BODY_SIZE))
        .nest_service("/ops", console)
        .with_state(Shop { store, queues })
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

async fn place_order(State(shop): State<Shop>, body: Bytes) -> Result<Created, ApiError> {
    let order = OrderForm::parse(&body)?;
    let order = blocking(move || {
        let order = shop.store.place(order, &shop.queues)?;
        // The job exists since the commit, and need not wait until the consumer polls.
        MAILS.on(&shop.queues).wake();
        Ok(order)
    })
    .await?;
    let location = format!("/orders/{}", order.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(order)))
}

async fn show_order(
    State(shop): State<Shop>,
    Path(id): Path<i64>,
) -> Result<Json<Order>, ApiError> {
    let order = blocking(move || Ok(shop.store.order(id)?)).await?;
    order.map(Json).ok_or(ApiError::OrderNotFound(id))
}

/// An email that nobody tries to send any more, in the response to `GET /mails/dead`.
#[derive(Serialize)]
struct DeadMail {
    /// The payload of the job.
    mail: serde_json::Value,
    attempts: u32,
    error: String,
}

impl From<DeadJob> for DeadMail {
    fn from(dead: DeadJob) -> Self {
        let mail = serde_json::from_str(&dead.payload).unwrap_or(dead.payload.into());
        Self { mail, attempts: dead.attempts, error: dead.error }
    }
}

async fn list_dead_mails(State(shop): State<Shop>) -> Result<Json<Vec<DeadMail>>, ApiError> {
    let dead = blocking(move || Ok(MAILS.on(&shop.queues).dead(None, MAX_DEAD)?)).await?;
    Ok(Json(dead.into_iter().map(DeadMail::from).collect()))
}

/// The response to `POST /mails/redrive`.
#[derive(Serialize)]
struct Redriven {
    redriven: u64,
}

/// Puts all dead emails back into the queue, once their cause has been corrected.
async fn redrive_mails(State(shop): State<Shop>) -> Result<Json<Redriven>, ApiError> {
    let redriven = blocking(move || {
        let queue = MAILS.on(&shop.queues);
        let (mut redriven, mut last) = (0, None);
        loop {
            let dead = queue.dead(last, MAX_DEAD)?;
            if dead.is_empty() {
                return Ok(redriven);
            }
            for DeadJob { id, payload, .. } in dead {
                redriven += queue.redrive(DeadSelection::One(id))?;
                last = Some(id);
                if let Ok(mail) = serde_json::from_str::<Mail>(&payload) {
                    shop.store.mail_redriven(mail.order)?;
                }
            }
        }
    })
    .await?;
    Ok(Json(Redriven { redriven }))
}

/// Does work that waits for the database or the queue on another thread.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BoxError> + Send + 'static,
) -> Result<T, ApiError> {
    let done = task::spawn_blocking(work).await.map_err(BoxError::from)?;
    Ok(done?)
}
