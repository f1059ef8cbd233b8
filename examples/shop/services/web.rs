//! The HTTP server, as a service like the others.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use tina4_service::{Context, Queues, Res, service};
use tina4_service_console::Console;
use tokio::task;

use super::database::database_sync;
use super::mail::email_consumer;
use crate::store::Store;
use crate::visits::VisitCounter;
use crate::web;

/// How long requests in progress may take when the shop stops.
const GRACE: Duration = Duration::from_secs(3);

/// Serves HTTP until the shop stops. It is critical, because the shop is useless without it. It
/// stops before the services that it creates work for.
///
/// `main` has bound the socket. After a crash the next run accepts from the same socket, so that no
/// connection is refused in between.
#[service(critical = true, max_restarts = 5, after = [database_sync, email_consumer])]
fn web(
    ctx: &Context,
    listener: Res<TcpListener>,
    store: Res<Store>,
    queues: Res<Queues>,
    visits: Res<VisitCounter>,
    console: Res<Console>,
) -> io::Result<()> {
    let listener = listener.try_clone()?;
    listener.set_nonblocking(true)?;
    let stopping = ctx.stopping().clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        // The stop channel is blocking; a blocking task turns it into a future.
        let stop = async { drop(task::spawn_blocking(move || stopping.recv()).await) };
        let routes = web::routes(store, queues, visits, Console::clone(&console));
        web::serve(listener, routes, stop, GRACE).await
    });
    // Not `drop`: if serving failed, the blocking task still waits for the stop request, and `drop`
    // would wait for it.
    runtime.shutdown_background();
    served
}
