//! Serving until it is time to stop, and not much longer.

use std::future::Future;
use std::io;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Answers requests until `stop` is ready; those in progress then have `grace` to end. So a client
/// that never finishes its request cannot keep the shop open.
pub(crate) async fn serve(
    listener: TcpListener,
    routes: Router,
    stop: impl Future<Output = ()>,
    grace: Duration,
) -> io::Result<()> {
    // Nothing is ever sent: the end of the sender is the message.
    let (open, mut closing) = watch::channel(());
    let server = axum::serve(listener, routes)
        .with_graceful_shutdown(async move { drop(closing.changed().await) });
    let closed = async {
        stop.await;
        drop(open);
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        served = async { server.await } => served,
        () = closed => {
            tracing::warn!(?grace, "requests in progress are cut off");
            Ok(())
        }
    }
}
