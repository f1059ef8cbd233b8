//! The door to the street: the HTTP server, as a service like the others.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use tina4_service::{Context, Res, service};
use tokio::task;

use super::database::database_sync;
use super::mail::email_consumer;
use crate::store::Store;
use crate::visits::Tally;
use crate::web;

/// How long requests in progress may take when the shop closes.
const GRACE: Duration = Duration::from_secs(3);

/// Serves HTTP until the shop closes. Without it there is no shop: it is critical. It stops before
/// the services that it leaves work for.
///
/// `main` has bound the socket; after a crash the next run accepts from the same one, so that
/// nobody is turned away meanwhile.
#[service(critical = true, max_restarts = 5, after = [database_sync, email_consumer])]
fn web(
    ctx: &Context,
    listener: Res<TcpListener>,
    store: Res<Store>,
    tally: Res<Tally>,
) -> io::Result<()> {
    let listener = listener.try_clone()?;
    listener.set_nonblocking(true)?;
    let stopping = ctx.stopping().clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        // Stop is a channel of the world of threads: one of tokio's carries it over.
        let stop = async { drop(task::spawn_blocking(move || stopping.recv()).await) };
        web::serve(listener, web::routes(store, tally), stop, GRACE).await
    });
    // Not `drop`: if serving failed, the thread that waits for the stop is still there.
    runtime.shutdown_background();
    served
}
