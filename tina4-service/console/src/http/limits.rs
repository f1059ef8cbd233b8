//! What a client can make the server keep or wait for.

use std::time::Duration;

use super::parser;
use crate::request::Request;

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
