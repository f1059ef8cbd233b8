//! A request, as a front end has read it.

use crate::access::Grant;
use crate::peer::Peer;
use crate::version::Version;

/// A request to the console, as a front end has read it.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method, such as `GET`.
    pub method: String,
    /// The path below the point where the console is mounted, such as `/services/web/runs`, still percent-encoded. It
    /// begins with a slash; it is empty if the request named the mount point without its slash.
    pub path: String,
    /// The query without its `?`; empty if there is none.
    pub query: String,
    /// The version of HTTP.
    pub version: Version,
    /// The headers in the order of arrival, with names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body: at most [`Request::MAX_BODY`] bytes. The front end refuses a longer one with status 413.
    pub body: Vec<u8>,
    /// Who is at the other end of the connection.
    pub peer: Peer,
    /// What the program has granted to this visitor, if it has decided that before the console was asked: a login of
    /// its own, for example.
    pub granted: Option<Grant>,
}

impl Request {
    /// The length of the longest body in bytes: 16 KiB.
    pub const MAX_BODY: usize = 16 * 1024;

    /// A request without headers and body, from an unknown peer.
    #[must_use]
    pub fn new(method: impl Into<String>, path: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            path: path.into(),
            query: String::new(),
            version: Version::Http11,
            headers: Vec::new(),
            body: Vec::new(),
            peer: Peer::Unknown,
            granted: None,
        }
    }

    /// The value of the only header with this name, in lower case; `None` if there is none, or several, or it is
    /// not UTF-8.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(header, _)| header == name);
        let (_, value) = values.next()?;
        if values.next().is_some() {
            return None;
        }
        std::str::from_utf8(value).ok().map(str::trim)
    }

    /// Whether there is a header with this name, in lower case.
    #[must_use]
    pub fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|(header, _)| header == name)
    }
}
