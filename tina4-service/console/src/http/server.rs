//! Accepts connections, and ends them all when its service is asked to stop.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;
use std::time::Duration;

use tina4_service::Context;

use super::connection::Connection;
use super::deadline::Deadline;
use super::listener::Listener;
use super::refusal::Refusal;
use super::stream::Stream;
use super::{parser, response};
use crate::answer::Answer;
use crate::peer::Peer;
use crate::request::Request;
use crate::sys::threads;

/// Answers requests. It is called on many threads at once.
pub(crate) type Handler = dyn Fn(&Request) -> Answer + Send + Sync;

/// What a client can make the server keep or wait for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The size of a request.
    pub(crate) request: parser::Limits,
    /// The most connections.
    pub(crate) connections: usize,
    /// How long a connection may stay open without a request.
    pub(crate) idle: Duration,
    /// How long a request may take to arrive, from its first byte.
    pub(crate) arrival: Duration,
    /// How long a client may take to receive an answer, or a block of an event stream.
    pub(crate) answer: Duration,
    /// How long the last answer of a connection may take to be read.
    pub(crate) linger: Duration,
    /// How long the answers in progress may take when the service is asked to stop. A console waits for half a second for a
    /// stop that it was asked for, which may be that of this service.
    pub(crate) stop: Duration,
}

impl Limits {
    /// The limits of every front end.
    pub(crate) const DEFAULT: Self = Self {
        request: parser::Limits {
            request_line: 4 * 1024,
            head: 16 * 1024,
            headers: 64,
            body: Request::MAX_BODY,
        },
        connections: 64,
        idle: Duration::from_secs(60),
        arrival: Duration::from_secs(10),
        answer: Duration::from_secs(30),
        linger: Duration::from_secs(1),
        stop: Duration::from_millis(700),
    };
}

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

/// What a connection is doing.
#[derive(Debug)]
pub(super) enum Activity {
    /// It waits for a request.
    Idle,
    /// A request is being received or answered.
    Busy,
    /// This thread writes an event stream.
    Streaming(Thread),
}

/// The connections of a server.
#[derive(Debug, Default)]
pub(super) struct Connections {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_stopping: bool,
    /// Whether no connection is accepted any more.
    has_acceptor_ended: bool,
    /// By number, so the one that was opened first comes first.
    open: BTreeMap<u64, Open>,
    last_number: u64,
}

/// A connection that is open.
#[derive(Debug)]
struct Open {
    stream: Stream,
    activity: Activity,
}

impl Connections {
    /// Adds a connection, and returns its number. If there are too many, one that waits for a request makes room for it;
    /// `None`: none does.
    fn add(&self, stream: Stream, limit: usize) -> Option<u64> {
        let mut state = self.lock();
        if state.is_stopping {
            return None;
        }
        if state.open.len() >= limit {
            let is_idle = |open: &Open| matches!(open.activity, Activity::Idle);
            let idle = state.open.iter().find(|(_, open)| is_idle(open)).map(|(number, _)| *number);
            if let Some(idle) = idle.and_then(|idle| state.open.remove(&idle)) {
                idle.stream.close();
            } else {
                return None;
            }
        }
        state.last_number += 1;
        let number = state.last_number;
        state.open.insert(number, Open { stream, activity: Activity::Busy });
        Some(number)
    }

    /// Sets what a connection is doing.
    pub(super) fn set(&self, number: u64, activity: Activity) {
        let mut state = self.lock();
        let is_stopping = state.is_stopping;
        if let Some(open) = state.open.get_mut(&number) {
            if is_stopping && matches!(activity, Activity::Idle) {
                open.stream.close();
            }
            open.activity = activity;
        }
    }

    /// Removes a connection that has ended.
    pub(super) fn remove(&self, number: u64) {
        self.lock().open.remove(&number);
        self.changed.notify_all();
    }

    /// Whether the service was asked to stop.
    pub(super) fn is_stopping(&self) -> bool {
        self.lock().is_stopping
    }

    /// Ends the connections that wait for something else than an answer.
    fn stop(&self) {
        let mut state = self.lock();
        state.is_stopping = true;
        for open in state.open.values() {
            match &open.activity {
                Activity::Idle => open.stream.close(),
                Activity::Streaming(thread) => thread.unpark(),
                Activity::Busy => {}
            }
        }
    }

    /// Waits until all connections have ended, and ends those that have not after this time.
    fn end(&self, limit: Duration) {
        let mut state = self.lock();
        state.is_stopping = true;
        state.has_acceptor_ended = true;
        self.changed.notify_all();
        let has_open = |state: &mut State| !state.open.is_empty();
        let waited = self.changed.wait_timeout_while(state, limit, has_open);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        for open in state.open.values() {
            open.stream.close();
        }
    }

    /// Waits for this long until no connection is accepted any more, and returns whether that is so.
    fn wait_for_acceptor(&self, limit: Duration) -> bool {
        let waits = |state: &mut State| !state.has_acceptor_ended;
        let waited = self.changed.wait_timeout_while(self.lock(), limit, waits);
        waited.unwrap_or_else(PoisonError::into_inner).0.has_acceptor_ended
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
