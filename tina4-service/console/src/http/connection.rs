//! Serves one connection, on a thread of its own.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use super::connections::{Activity, Connections};
use super::deadline::Deadline;
use super::limits::Limits;
use super::parser::{CHUNK, Parsed, ParsedRequest, RequestParser};
use super::refusal::Refusal;
use super::response;
use super::stream::Stream;
use crate::answer::{Answer, Body};
use crate::events::event_stream::EventStream;
use crate::peer::Peer;
use crate::request::Request;

/// How often it looks whether the reader of an event stream has gone.
const LOOK_AFTER: Duration = Duration::from_secs(1);

/// Answers requests. It is called on many threads at once.
pub(crate) type Handler = dyn Fn(&Request) -> Answer + Send + Sync;

/// Why a connection ends before a request is complete.
enum NoRequest {
    /// The client has gone, or has sent nothing for long.
    Gone,
    /// The client is told why.
    Refused(Refusal),
}

/// What a connection has just done.
enum After {
    /// It has answered, and waits for the next request.
    Answer,
    /// It has answered for the last time, and lets the client read that.
    LastAnswer,
    /// Its stream has ended. The client is not waited for: it may never close its side.
    Stream,
}

/// One connection.
pub(super) struct Connection {
    pub(super) stream: Stream,
    pub(super) peer: Peer,
    pub(super) number: u64,
    pub(super) connections: Arc<Connections>,
    pub(super) handler: Arc<Handler>,
    pub(super) limits: Limits,
}

impl Connection {
    /// Answers requests until the connection ends.
    pub(super) fn serve(&self) {
        let mut parser = RequestParser::new(self.limits.request);
        loop {
            let request = match self.read(&mut parser) {
                Ok(request) => request,
                Err(NoRequest::Gone) => return,
                Err(NoRequest::Refused(refusal)) => {
                    let deadline = Deadline::after(self.limits.answer);
                    let refused = self.stream.write_all(&response::refuse(refusal), deadline);
                    if refused.is_ok() {
                        self.stream.close_gently(self.limits.linger);
                    }
                    return;
                }
            };
            self.connections.set(self.number, Activity::Busy);
            match self.answer(request) {
                Ok(After::Answer) => {}
                Ok(After::LastAnswer) => return self.stream.close_gently(self.limits.linger),
                Ok(After::Stream) | Err(_) => return,
            }
        }
    }

    /// Reads the next request.
    fn read(&self, parser: &mut RequestParser) -> Result<ParsedRequest, NoRequest> {
        let mut deadline = None;
        let mut chunk = [0; CHUNK];
        loop {
            match parser.next().map_err(NoRequest::Refused)? {
                Parsed::Request(request) => return Ok(request),
                Parsed::Continue => {
                    let deadline = Deadline::after(self.limits.answer);
                    let told = self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n", deadline);
                    told.map_err(|_| NoRequest::Gone)?;
                }
                Parsed::NeedMore => {
                    let has_begun = parser.has_begun();
                    // From its first byte on, a request has one deadline, however its bytes arrive.
                    let until = match deadline {
                        Some(deadline) if has_begun => deadline,
                        _ if has_begun => Deadline::after(self.limits.arrival),
                        _ => {
                            self.connections.set(self.number, Activity::Idle);
                            Deadline::after(self.limits.idle)
                        }
                    };
                    deadline = has_begun.then_some(until);
                    match self.stream.read(&mut chunk, until) {
                        Ok(0) => return Err(NoRequest::Gone),
                        Ok(count) => {
                            self.connections.set(self.number, Activity::Busy);
                            parser.feed(&chunk[..count]);
                        }
                        Err(error) if error.kind() == io::ErrorKind::TimedOut && has_begun => {
                            return Err(NoRequest::Refused(Refusal::TooSlow));
                        }
                        Err(_) => return Err(NoRequest::Gone),
                    }
                }
            }
        }
    }

    /// Answers a request.
    fn answer(&self, request: ParsedRequest) -> io::Result<After> {
        let ParsedRequest { method, path, query, version, headers, body, keep_alive } = request;
        let is_head = method == "HEAD";
        let peer = self.peer.clone();
        let granted = None;
        let request = Request { method, path, query, version, headers, body, peer, granted };
        let Answer { status, headers, body } = (self.handler)(&request);
        let deadline = Deadline::after(self.limits.answer);
        match body {
            Body::Bytes(body) => {
                let keep_alive = keep_alive && !self.connections.is_stopping();
                let mut bytes = response::head(status, &headers, Some(body.len()), !keep_alive);
                if !is_head {
                    bytes.extend_from_slice(&body);
                }
                drop(body);
                self.stream.write_all(&bytes, deadline)?;
                Ok(if keep_alive { After::Answer } else { After::LastAnswer })
            }
            Body::Events(events) => {
                let head = response::head(status, &headers, None, true);
                self.stream.write_all(&head, deadline)?;
                if !is_head {
                    self.stream_events(events)?;
                }
                Ok(After::Stream)
            }
        }
    }

    /// Writes the blocks of an event stream until it ends, the client goes, or the server stops.
    fn stream_events(&self, mut events: EventStream) -> io::Result<()> {
        self.connections.set(self.number, Activity::Streaming(thread::current()));
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        loop {
            match events.poll_next(&mut Context::from_waker(&waker)) {
                Poll::Ready(Some(block)) => {
                    self.stream.write_all(&block, Deadline::after(self.limits.answer))?;
                }
                Poll::Ready(None) => return Ok(()),
                Poll::Pending => {
                    if self.connections.is_stopping() || self.stream.is_closed() {
                        return Ok(());
                    }
                    thread::park_timeout(LOOK_AFTER);
                }
            }
        }
    }
}

impl Drop for Connection {
    /// Also if the handler panics.
    fn drop(&mut self) {
        self.stream.close();
        self.connections.remove(self.number);
    }
}

/// Wakes a thread that waits for a block.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
