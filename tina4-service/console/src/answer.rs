//! The answer to a request.

use crate::event_stream::EventStream;

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
}
