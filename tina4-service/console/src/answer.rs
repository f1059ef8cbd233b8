//! The answer to a request.

use serde::Serialize;

use crate::events::event_stream::EventStream;
use crate::problem::Problem;

/// The headers of every answer. Nothing on a page comes from anywhere else, no other page shows it in a frame, and
/// nobody keeps it.
const HEADERS: [(&str, &str); 4] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    // With `no-referrer`, browsers send `Origin: null` with forms, which is that of another site: see `origin.rs`.
    ("referrer-policy", "same-origin"),
    ("cache-control", "no-store"),
];

/// The answer to a request.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers, with names in lower case. The front end adds those of the connection, such as `content-length`.
    pub headers: Vec<(&'static str, String)>,
    /// The body. That of an answer to `HEAD` is empty.
    pub body: Body,
}

/// The body of an [`Answer`].
#[derive(Debug)]
pub enum Body {
    /// All of it.
    Bytes(Vec<u8>),
    /// The blocks of a stream of server-sent events.
    Events(EventStream),
}

impl Answer {
    /// The value of a header, with its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(header, _)| *header == name);
        header.map(|(_, value)| value.as_str())
    }

    /// The answer to a body that is longer than [`Request::MAX_BODY`](crate::Request::MAX_BODY), for a front end that has stopped to
    /// read it.
    #[must_use]
    pub fn body_too_large() -> Self {
        Self::refusal(&Problem::body_too_large())
    }

    /// The answer to a request that a front end refuses itself.
    pub(crate) fn refusal(problem: &Problem) -> Self {
        Self::problem(problem).guarded()
    }

    /// The answer to a request for the mount point without its slash, such as `/ops`: a redirect to the one with it,
    /// without which relative links would lead elsewhere. `path` is that of the whole request, and `query` its query without `?`.
    #[must_use]
    pub fn redirect_into(path: &str, query: &str) -> Self {
        let last = path.rsplit('/').next().unwrap_or_default();
        let mark = if query.is_empty() { "" } else { "?" };
        // The dot keeps a colon in the name from being that of a scheme.
        Self::empty(308).with("location", format!("./{last}/{mark}{query}")).guarded()
    }

    pub(crate) fn json(status: u16, value: &impl Serialize) -> Self {
        let Ok(body) = serde_json::to_vec(value) else {
            // Serializing fails only for maps whose keys are no texts, which nothing here has.
            return Self::empty(500);
        };
        Self { status, headers: Vec::new(), body: Body::Bytes(body) }
            .with("content-type", "application/json")
    }

    pub(crate) fn plain(status: u16, text: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: Body::Bytes(text.into().into_bytes()) }
            .with("content-type", "text/plain; charset=utf-8")
    }

    /// Text for Prometheus.
    pub(crate) fn metrics(text: String) -> Self {
        Self { status: 200, headers: Vec::new(), body: Body::Bytes(text.into_bytes()) }
            .with("content-type", "text/plain; version=0.0.4; charset=utf-8")
    }

    pub(crate) fn events(stream: EventStream) -> Self {
        Self { status: 200, headers: Vec::new(), body: Body::Events(stream) }
            .with("content-type", "text/event-stream")
            // nginx would keep the blocks until it has a buffer full of them.
            .with("x-accel-buffering", "no")
    }

    #[cfg(feature = "page")]
    pub(crate) fn page(status: u16, html: String) -> Self {
        Self { status, headers: Vec::new(), body: Body::Bytes(html.into_bytes()) }
            .with("content-type", "text/html; charset=utf-8")
    }

    /// A file whose name changes with its content.
    #[cfg(feature = "page")]
    pub(crate) fn asset(content_type: &str, body: &str) -> Self {
        Self { status: 200, headers: Vec::new(), body: Body::Bytes(body.as_bytes().to_vec()) }
            .with("content-type", content_type)
            .with("cache-control", "public, max-age=31536000, immutable")
    }

    /// Sends the browser to another page, which it gets with `GET`.
    pub(crate) fn see_other(location: impl Into<String>) -> Self {
        Self::empty(303).with("location", location)
    }

    pub(crate) fn problem(problem: &Problem) -> Self {
        let mut answer = Self::json(problem.status, problem);
        answer.headers = problem.headers.clone();
        answer.with("content-type", "application/problem+json")
    }

    /// Adds the headers of every answer, unless it has some of them already.
    pub(crate) fn guarded(mut self) -> Self {
        for (name, value) in HEADERS {
            if self.header(name).is_none() {
                self.headers.push((name, value.to_owned()));
            }
        }
        self
    }

    fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Body::Bytes(Vec::new()) }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
