//! Accepts connections, and ends them all when its service is asked to stop.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tina4_service::Context;

use super::connection::{Connection, Handler};
use super::connections::Connections;
use super::deadline::Deadline;
use super::limits::Limits;
use super::listener::Listener;
use super::refusal::Refusal;
use super::response;
use super::stream::Stream;
use crate::peer::Peer;
use crate::sys::threads;

/// The name of the threads of connections.
const THREAD: &str = "tina4-console";

/// How long to wait after the system had no resources for a connection.
const PAUSE: Duration = Duration::from_millis(100);

/// How often a listener is woken that does not wake.
const WAKE_AGAIN: Duration = Duration::from_millis(50);

/// How long a client that is refused because of too many others may take to receive that. It delays those behind it.
const REFUSE: Duration = Duration::from_millis(10);

/// Serves connections until the service is asked to stop.
pub(crate) fn serve(
    listener: Listener,
    handler: &Arc<Handler>,
    limits: Limits,
    context: &Context,
) -> io::Result<()> {
    let connections = Arc::new(Connections::default());
    let listener = Arc::new(listener);
    spawn_watch(&listener, &connections, context)?;
    // Also if this thread panics.
    let _end = EndAll { connections: &connections, limit: limits.stop };
    while !connections.is_stopping() {
        match listener.accept() {
            Ok((stream, peer)) => admit(stream, peer, &connections, handler, limits),
            Err(_) if connections.is_stopping() => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                tracing::debug!(%error, "cannot accept a connection");
                // Usually there are too many open files. Repeating it at once would keep a processor busy.
                if !context.sleep(PAUSE) {
                    break;
                }
            }
        }
    }
    Ok(())
}

/// Ends all connections when it is dropped.
struct EndAll<'a> {
    connections: &'a Connections,
    limit: Duration,
}

impl Drop for EndAll<'_> {
    fn drop(&mut self) {
        self.connections.end(self.limit);
    }
}

/// Ends the server when the service is asked to stop. This needs a thread of its own, because nothing in `std` waits for a
/// client and for something else.
fn spawn_watch(
    listener: &Arc<Listener>,
    connections: &Arc<Connections>,
    context: &Context,
) -> io::Result<()> {
    let stopping = context.stopping().clone();
    let (listener, connections) = (Arc::clone(listener), Arc::clone(connections));
    threads::start(THREAD, move || {
        // Nothing is ever received: the end of the channel is the signal.
        let _ = stopping.recv();
        connections.stop();
        loop {
            listener.wake();
            if connections.wait_for_acceptor(WAKE_AGAIN) {
                return;
            }
        }
    })
}

/// Gives a connection its thread.
fn admit(
    stream: Stream,
    peer: Peer,
    connections: &Arc<Connections>,
    handler: &Arc<Handler>,
    limits: Limits,
) {
    let Ok(registered) = stream.prepare().and_then(|()| stream.try_clone()) else {
        // The client has gone already, or there are no more files: nothing can be said to it.
        return;
    };
    let Some(number) = connections.add(registered, limits.connections) else {
        let refused = response::refuse(Refusal::TooManyConnections);
        // An error means that the client has gone, or reads nothing.
        let _ = stream.write_all(&refused, Deadline::after(REFUSE));
        stream.close();
        return;
    };
    let (connections, handler) = (Arc::clone(connections), Arc::clone(handler));
    let connection = Connection { stream, peer, number, connections, handler, limits };
    // Without a thread, the connection is dropped, which closes it.
    if let Err(error) = threads::start(THREAD, move || connection.serve()) {
        tracing::debug!(%error, "cannot start a thread for a connection");
    }
}

#[cfg(test)]
mod tests;
