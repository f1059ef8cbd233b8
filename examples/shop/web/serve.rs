//! Serving with a graceful shutdown that is limited in time.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Serves requests until `stop` is ready, then waits up to `grace` for those in progress. A client
/// that never finishes its request therefore cannot prevent the shop from stopping.
pub(crate) async fn serve(
    listener: TcpListener,
    routes: Router,
    stop: impl Future<Output = ()>,
    grace: Duration,
) -> io::Result<()> {
    // Nothing is ever sent: dropping the sender is the signal.
    let (stop_sender, mut stop_receiver) = watch::channel(());
    // The console answers only those that are on this machine, so it has to know where requests come from.
    let routes = routes.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, routes)
        .with_graceful_shutdown(async move { drop(stop_receiver.changed().await) });
    let timed_out = async {
        stop.await;
        drop(stop_sender);
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        served = async { server.await } => served,
        () = timed_out => {
            tracing::warn!(?grace, "requests in progress are cut off");
            Ok(())
        }
    }
}
