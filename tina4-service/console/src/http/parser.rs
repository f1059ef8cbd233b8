//! Reads HTTP/1.1 requests out of bytes, without IO.
//!
//! It is strict, because each leniency is a way to make two readers of the same bytes disagree where a request ends
//! (request smuggling): a line ends with CR and LF, a header is one line with its name directly before the colon, and the
//! length of a body is one number. It is bounded, because a client may send anything for as long as it likes: see [`Limits`].

use super::refusal::Refusal;
use crate::version::Version;

/// How much of a request is accepted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The most bytes of the request line.
    pub(crate) request_line: usize,
    /// The most bytes of the request line and all headers.
    pub(crate) head: usize,
    /// The most headers.
    pub(crate) headers: usize,
    /// The most bytes of the body.
    pub(crate) body: usize,
}

/// The longest method, in bytes.
const MAX_METHOD: usize = 16;

/// The most bytes that [`RequestParser::feed`] takes at once.
pub(crate) const CHUNK: usize = 4 * 1024;

/// A request, as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ParsedRequest {
    /// Such as `GET`.
    pub(crate) method: String,
    /// From the `/` up to the `?`, still percent-encoded.
    pub(crate) path: String,
    /// What follows the `?`.
    pub(crate) query: String,
    pub(crate) version: Version,
    /// The names in lower case, and the values without whitespace around them.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub(crate) body: Vec<u8>,
    /// Whether the client may send another request on this connection.
    pub(crate) keep_alive: bool,
}

/// What [`RequestParser::next`] has found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// More bytes are needed.
    NeedMore,
    /// The client waits for `100 Continue` before it sends the body. Returned once for each request.
    Continue,
    /// A request is complete.
    Request(ParsedRequest),
}

/// Reads the requests of one connection, one after another.
#[derive(Debug)]
pub(crate) struct RequestParser {
    limits: Limits,
    /// The bytes that belong to no request yet. At most [`Limits::head`] or [`Limits::body`], and one chunk.
    buffer: Vec<u8>,
    /// How many of them have been searched for the end of a line.
    searched: usize,
    /// Whether an empty line in front of the request was skipped.
    skipped_line: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The head is not complete.
    Head,
    /// The head is complete, and this many bytes of a body follow.
    Body { head: Head, length: usize },
    /// A request was refused; what follows it has no meaning.
    Refused(Refusal),
}

/// The head of a request.
#[derive(Debug)]
struct Head {
    request: ParsedRequest,
    /// Whether `100 Continue` is still to be sent.
    expects_continue: bool,
}

impl RequestParser {
    /// Creates the parser of a connection.
    #[must_use]
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, buffer: Vec::new(), searched: 0, skipped_line: false, state: State::Head }
    }

    /// Adds bytes of the client: at most [`CHUNK`], and only when [`RequestParser::next`] has asked for more.
    ///
    /// # Panics
    ///
    /// If there are more.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        assert!(bytes.len() <= CHUNK, "more than a chunk");
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether the client has begun a request that is not complete.
    #[must_use]
    pub(crate) fn has_begun(&self) -> bool {
        match &self.state {
            State::Head => !self.buffer.is_empty(),
            State::Body { .. } | State::Refused(_) => true,
        }
    }

    /// How many bytes it holds.
    #[cfg(any(test, fuzzing))]
    #[must_use]
    pub(crate) fn held(&self) -> usize {
        self.buffer.len()
    }

    /// The next request, if it is complete.
    ///
    /// # Errors
    ///
    /// The bytes are no request that is accepted. The same is returned ever after.
    pub(crate) fn next(&mut self) -> Result<Parsed, Refusal> {
        let parsed = self.advance();
        if let Err(refusal) = parsed {
            self.buffer = Vec::new();
            self.state = State::Refused(refusal);
        }
        parsed
    }

    fn advance(&mut self) -> Result<Parsed, Refusal> {
        loop {
            match std::mem::replace(&mut self.state, State::Head) {
                State::Refused(refusal) => return Err(refusal),
                State::Head => {
                    let Some(end) = self.end_of_head()? else { return Ok(Parsed::NeedMore) };
                    let (head, length) = parse_head(&self.buffer[..end], &self.limits)?;
                    self.buffer.drain(..end);
                    (self.searched, self.skipped_line) = (0, false);
                    self.state = State::Body { head, length };
                }
                State::Body { mut head, length } if self.buffer.len() < length => {
                    let expects_continue = std::mem::take(&mut head.expects_continue);
                    self.state = State::Body { head, length };
                    return Ok(if expects_continue { Parsed::Continue } else { Parsed::NeedMore });
                }
                State::Body { head, length } => {
                    let body = self.buffer.drain(..length).collect();
                    if self.buffer.is_empty() {
                        // A connection that waits for its next request holds no memory.
                        self.buffer = Vec::new();
                    }
                    return Ok(Parsed::Request(ParsedRequest { body, ..head.request }));
                }
            }
        }
    }

    /// Where the head ends, behind its empty line. One empty line in front of it is skipped.
    fn end_of_head(&mut self) -> Result<Option<usize>, Refusal> {
        if !self.skipped_line && self.searched == 0 && self.buffer.starts_with(b"\r\n") {
            self.buffer.drain(..2);
            self.skipped_line = true;
        }
        let Limits { request_line, head, headers: _, body: _ } = self.limits;
        let too_long = |is_first_line: bool| match is_first_line {
            true => Refusal::RequestLineTooLong,
            false => Refusal::TooManyHeaders,
        };
        loop {
            let line = &self.buffer[self.searched..];
            let is_first = self.searched == 0;
            let limit = if is_first { request_line.min(head) } else { head - self.searched };
            let end = line.iter().position(|byte| *byte == b'\n');
            if end.map_or(line.len(), |end| end + 1) > limit {
                return Err(too_long(is_first));
            }
            let Some(end) = end else { return Ok(None) };
            let Some(text) = line[..end].strip_suffix(b"\r") else { return Err(Refusal::LineEnd) };
            let is_empty = text.is_empty();
            self.searched += end + 1;
            if is_empty {
                return Ok(Some(self.searched));
            }
        }
    }
}

/// Parses the lines of a head. Also returns the length of the body.
fn parse_head(head: &[u8], limits: &Limits) -> Result<(Head, usize), Refusal> {
    // `end_of_head` has seen that each line ends so; any other carriage return is found below.
    let mut lines =
        head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let request = parse_request_line(lines.next().unwrap_or_default())?;
    let mut headers = Headers::new(request.version);
    for line in lines {
        if line.is_empty() {
            break;
        }
        if headers.all.len() == limits.headers {
            return Err(Refusal::TooManyHeaders);
        }
        headers.add(line)?;
    }
    let length = headers.body_length(limits.body)?;
    let Headers { all: headers, keep_alive, expects_continue, .. } = headers;
    let request = ParsedRequest { headers, keep_alive, ..request };
    Ok((Head { request, expects_continue: expects_continue && length > 0 }, length))
}

fn parse_request_line(line: &[u8]) -> Result<ParsedRequest, Refusal> {
    if line.contains(&b'\r') {
        return Err(Refusal::LineEnd);
    }
    let mut parts = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Refusal::RequestLine);
    };
    if method.is_empty() || !method.iter().copied().all(is_token) {
        return Err(Refusal::RequestLine);
    }
    if method.len() > MAX_METHOD {
        return Err(Refusal::Method);
    }
    let version = match version {
        b"HTTP/1.1" => Version::Http11,
        b"HTTP/1.0" => Version::Http10,
        other if other.starts_with(b"HTTP/") => return Err(Refusal::Version),
        _ => return Err(Refusal::RequestLine),
    };
    let is_path = target.first() == Some(&b'/')
        && target.iter().all(|byte| matches!(byte, b'!'..=b'~') && *byte != b'#');
    if !is_path {
        return Err(Refusal::Target);
    }
    let target = ascii(target);
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    Ok(ParsedRequest {
        method: ascii(method),
        path: path.to_owned(),
        query: query.to_owned(),
        version,
        headers: Vec::new(),
        body: Vec::new(),
        keep_alive: false,
    })
}

/// The headers of a request, and what they say about its body and its connection.
struct Headers {
    version: Version,
    all: Vec<(String, Vec<u8>)>,
    host_count: usize,
    length: Option<usize>,
    has_encoding: bool,
    keep_alive: bool,
    expects_continue: bool,
}

impl Headers {
    fn new(version: Version) -> Self {
        Self {
            version,
            all: Vec::new(),
            host_count: 0,
            length: None,
            has_encoding: false,
            // A client of version 1.0 has to ask for it, and is not offered it.
            keep_alive: version == Version::Http11,
            expects_continue: false,
        }
    }

    /// Parses one line.
    fn add(&mut self, line: &[u8]) -> Result<(), Refusal> {
        if matches!(line.first(), Some(b' ' | b'\t')) {
            return Err(Refusal::FoldedHeader);
        }
        if line.contains(&b'\r') {
            return Err(Refusal::LineEnd);
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return Err(Refusal::HeaderName);
        };
        let (name, value) = (&line[..colon], trim(&line[colon + 1..]));
        if name.is_empty() || !name.iter().copied().all(is_token) {
            return Err(Refusal::HeaderName);
        }
        if !value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~' | 0x80..)) {
            return Err(Refusal::HeaderValue);
        }
        let name = ascii(name).to_ascii_lowercase();
        match &*name {
            "host" => {
                self.host_count += 1;
                if !value.iter().all(|byte| is_of_host(*byte)) {
                    return Err(Refusal::Host);
                }
            }
            "content-length" => {
                let length = parse_length(value).ok_or(Refusal::Length)?;
                if self.length.replace(length).is_some() {
                    return Err(Refusal::Length);
                }
            }
            "transfer-encoding" => self.has_encoding = true,
            "connection" => {
                let mut options = value.split(|byte| *byte == b',').map(trim);
                if options.any(|option| option.eq_ignore_ascii_case(b"close")) {
                    self.keep_alive = false;
                }
            }
            "expect" => {
                if !value.eq_ignore_ascii_case(b"100-continue") {
                    return Err(Refusal::Expectation);
                }
                self.expects_continue = self.version == Version::Http11;
            }
            _ => {}
        }
        self.all.push((name, value.to_vec()));
        Ok(())
    }

    /// The length of the body.
    fn body_length(&self, limit: usize) -> Result<usize, Refusal> {
        // A client of version 1.0 may not know the header `Host`.
        if self.host_count > 1 || (self.host_count == 0 && self.version == Version::Http11) {
            return Err(Refusal::Host);
        }
        if self.has_encoding {
            return Err(match self.length {
                Some(_) => Refusal::LengthAndEncoding,
                None => Refusal::TransferEncoding,
            });
        }
        match self.length {
            Some(length) if length > limit => Err(Refusal::BodyTooLong),
            Some(length) => Ok(length),
            None => Ok(0),
        }
    }
}

/// A number in digits only; one that is too large for the type is the largest.
fn parse_length(text: &[u8]) -> Option<usize> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = text.iter().map(|digit| usize::from(digit - b'0'));
    Some(digits.fold(0, |number: usize, digit| number.saturating_mul(10).saturating_add(digit)))
}

/// Whether a byte may be in a method or in the name of a header: a `tchar` of RFC 9110.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Whether a byte may be in the header `Host`: a name, an address in brackets, a port.
fn is_of_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+;=:[]".contains(&byte)
}

/// Removes the whitespace that may surround a value: spaces and tabs.
fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// Text of which it is known that it is ASCII.
fn ascii(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests;
