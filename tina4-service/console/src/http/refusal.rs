//! Why a request is refused before anybody looks at what it asks for.

use std::fmt;

/// Why the bytes of a client are no request that this server accepts.
///
/// A refused connection is closed: where the next request would begin cannot be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The request line is not `METHOD /path HTTP/1.1`.
    RequestLine,
    /// The request line is longer than allowed.
    RequestLineTooLong,
    /// A version of HTTP other than 1.0 and 1.1.
    Version,
    /// The method is longer than any known one.
    Method,
    /// The target is not a path: `*`, another host's address, or it has a fragment.
    Target,
    /// A line ends without carriage return, or a carriage return ends no line.
    LineEnd,
    /// A header line continues the one before.
    FoldedHeader,
    /// The name of a header is empty, or followed by whitespace, or has forbidden characters.
    HeaderName,
    /// The value of a header has forbidden characters.
    HeaderValue,
    /// There are more headers, or more bytes of them, than allowed.
    TooManyHeaders,
    /// There is no header `Host`, or more than one, or it is no host.
    Host,
    /// The length of the body is no number, or is given more than once.
    Length,
    /// Both a length and a transfer encoding: two readers would disagree where the body ends.
    LengthAndEncoding,
    /// The body is longer than allowed.
    BodyTooLong,
    /// The body has a transfer encoding, such as `chunked`.
    TransferEncoding,
    /// The client expects something other than `100-continue`.
    Expectation,
    /// The request was not complete in time.
    TooSlow,
    /// There are as many connections as allowed.
    TooManyConnections,
}

impl Refusal {
    /// The status of the answer.
    #[must_use]
    pub(crate) fn status(self) -> u16 {
        match self {
            Self::RequestLine
            | Self::Target
            | Self::LineEnd
            | Self::FoldedHeader
            | Self::HeaderName
            | Self::HeaderValue
            | Self::Host
            | Self::Length
            | Self::LengthAndEncoding => 400,
            Self::TooSlow => 408,
            Self::BodyTooLong => 413,
            Self::RequestLineTooLong => 414,
            Self::Expectation => 417,
            Self::TooManyHeaders => 431,
            Self::Method | Self::TransferEncoding => 501,
            Self::TooManyConnections => 503,
            Self::Version => 505,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RequestLine => {
                "the request line is not valid; write `METHOD /path HTTP/1.1`, with single spaces"
            }
            Self::RequestLineTooLong => "the request line is too long; send less",
            Self::Version => "this version of HTTP is not supported; use HTTP/1.1",
            Self::Method => "the method is not known; use GET or POST",
            Self::Target => {
                "the target is not a path; begin it with `/`, and encode other characters with `%`"
            }
            Self::LineEnd => "a line does not end with CR and LF; send both, and neither elsewhere",
            Self::FoldedHeader => {
                "a header line begins with whitespace; write each header on one line"
            }
            Self::HeaderName => {
                "the name of a header is not valid; write it directly before its colon"
            }
            Self::HeaderValue => {
                "the value of a header has a control character; leave it out"
            }
            Self::TooManyHeaders => "there are too many headers; send fewer or shorter ones",
            Self::Host => "the header `Host` is missing, repeated or not a host; send it once",
            Self::Length => {
                "the header `Content-Length` is repeated or not a number; send it once, with digits"
            }
            Self::LengthAndEncoding => {
                "`Content-Length` and `Transfer-Encoding` contradict each other; send the length only"
            }
            Self::BodyTooLong => "the body is too long; send less",
            Self::TransferEncoding => {
                "a transfer encoding is not supported; send `Content-Length` and the plain body"
            }
            Self::Expectation => "this expectation is not supported; leave out the header `Expect`",
            Self::TooSlow => "the request did not arrive in time; send it faster",
            Self::TooManyConnections => "there are too many connections; try again later",
        })
    }
}
