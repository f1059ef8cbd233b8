//! The services: the migrations, a cache of the prices, a job that changes them, and the server.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::RwLock;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use axum::{Json, Router};
use tina4_service::{Context, Res, service};
use tina4_service_console::Console;
use tokio::net::TcpListener;

use crate::login::{Operators, login};
use crate::pool::{Pool, PoolError};

/// The port of the server; 0: any free one.
pub(crate) struct Port(pub(crate) u16);

/// The prices in cents, by item, as the server shows them.
#[derive(Default)]
pub(crate) struct Prices(RwLock<HashMap<String, i64>>);

/// Creates the tables. Nothing else starts before this has succeeded.
#[service(ready = "finished", max_restarts = 3)]
async fn migrations(pool: Res<Pool>) -> Result<(), PoolError> {
    pool.query(|connection| {
        connection.execute_batch(
            "create table if not exists prices (item text primary key, cents integer not null);
             insert or ignore into prices values ('tea', 250), ('coffee', 300);",
        )
    })
    .await
}

/// Keeps the prices in memory. It is ready once it has read them for the first time.
#[service(ready = "notified", requires = [migrations])]
async fn price_cache(ctx: &Context, pool: Res<Pool>, prices: Res<Prices>) -> Result<(), PoolError> {
    loop {
        let read = pool.query(|connection| {
            let mut statement = connection.prepare("select item, cents from prices")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<rusqlite::Result<HashMap<_, _>>>()
        });
        let read = read.await?;
        tracing::debug!(count = read.len(), "read the prices");
        *prices.0.write().map_err(|_| "a thread panicked while it wrote the prices")? = read;
        ctx.ready();
        if !ctx.sleep_async(Duration::from_secs(10)).await {
            return Ok(());
        }
    }
}

/// Makes everything a little more expensive, every hour.
#[service(interval = "1h", initial_delay = "1h", requires = [migrations])]
async fn inflation(pool: Res<Pool>) -> Result<(), PoolError> {
    pool.query(|connection| connection.execute("update prices set cents = cents + 1", ())).await?;
    Ok(())
}

/// The server. It stops accepting requests as soon as it is asked to stop, and ends once the requests in
/// progress have been answered.
#[service(ready = "notified", requires = [price_cache], critical = true, max_restarts = 0)]
async fn web(
    ctx: &Context,
    port: Res<Port>,
    pool: Res<Pool>,
    prices: Res<Prices>,
    operators: Res<Operators>,
) -> std::io::Result<()> {
    let console = Console::global().title("axum-server");
    let routes = routes(pool, prices).merge(ops(console.clone(), Operators::clone(&operators)));
    let listener = TcpListener::bind(("127.0.0.1", port.0)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    ctx.ready();
    let stopped = ctx.stopped();
    let stopped = async move {
        stopped.await;
        // They end by themselves if the whole program stops, but not if only this service does.
        console.end_streams();
    };
    let routes = routes.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, routes).with_graceful_shutdown(stopped).await
}

/// The console of the services, behind the login.
fn ops(console: Console, operators: Operators) -> Router {
    Router::new().nest_service("/ops", console).layer(from_fn_with_state(operators, login))
}

fn routes(pool: Res<Pool>, prices: Res<Prices>) -> Router {
    Router::new()
        .route("/prices/{item}", get(price))
        .with_state(prices)
        .merge(Router::new().route("/slow", get(slow)).with_state(pool))
}

async fn price(
    State(prices): State<Res<Prices>>,
    Path(item): Path<String>,
) -> Result<Json<i64>, StatusCode> {
    let prices = prices.0.read().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    prices.get(&item).copied().map(Json).ok_or(StatusCode::NOT_FOUND)
}

/// Takes a while, as a request to another system would.
async fn slow(State(pool): State<Res<Pool>>) -> Result<Json<i64>, StatusCode> {
    tracing::info!("a slow request has begun");
    tokio::time::sleep(Duration::from_millis(500)).await;
    let sum = pool.query(|connection| {
        connection.query_row("select sum(cents) from prices", (), |row| row.get(0))
    });
    sum.await.map(Json).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}
